// All benches. A new one is a folder with a `*.bench.ts` and a line here.

import type { BenchDefinition } from "./_helpers.ts";
import { canDecode } from "./can-decode/can-decode.bench.ts";
import { durable } from "./durable/durable.bench.ts";
import { mailbox } from "./mailbox/mailbox.bench.ts";
import { resident } from "./resident/resident.bench.ts";
import { restart } from "./restart/restart.bench.ts";
import { rollouts } from "./rollouts/rollouts.bench.ts";
import { stepping } from "./stepping/stepping.bench.ts";

export const benches: readonly BenchDefinition[] = [canDecode, mailbox, durable, stepping, resident, restart, rollouts];
