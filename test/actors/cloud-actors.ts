// A cloud's system with its domain actors on a clock that moves when told.

import { alarmEntity, presenceEntity, requestsEntity, requestsType } from "../../actors/index.ts";
import { createSystem, type System } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";

export interface Cloud {
  readonly system: System;
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  /** What `forward` was asked to do, in order. */
  readonly forwarded: { readonly request: string; readonly to: string }[];
}

export async function cloudActors({
  disk = new MemoryDisk(),
  clock = new ManualClock(),
  forward = () => undefined,
}: {
  readonly disk?: MemoryDisk;
  readonly clock?: ManualClock;
  readonly forward?: () => void | Promise<void>;
} = {}): Promise<Cloud> {
  const store = memoryStore({ disk });
  await store.open();
  const forwarded: { readonly request: string; readonly to: string }[] = [];
  const supplied = requestsType.with({
    effects: {
      forward: async ({ request, to }) => {
        forwarded.push({ request, to });
        await forward();
      },
    },
  });
  const system = createSystem({ node: "cloud", types: [presenceEntity, requestsEntity, alarmEntity, supplied], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  return { system, clock, disk, forwarded };
}
