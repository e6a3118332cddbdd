// A process that reads one DBC file and tells what that took: computing in ms, its largest memory in MB, and whether the file was read or refused.

import { readFileSync } from "node:fs";
import { readDbc } from "../../../protocols/can/index.ts";
import { cpuTimeMs } from "../../cpu-time.ts";

const bytes = readFileSync(process.argv[2] ?? "");
const start = cpuTimeMs();
const { database, refusal } = readDbc(bytes);
const outcome = refusal !== undefined ? "refused" : database !== undefined ? "read" : "neither";
process.stdout.write(JSON.stringify({ ms: Math.round(cpuTimeMs() - start), rssMb: Math.round(process.resourceUsage().maxRSS / 1_024), outcome }));
