// Many durable actors over the real store: a system on SQLite in a folder of its own, and what its store was asked to write.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { assign, setup } from "xstate";

import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { type Address, actorType, createSystem, entityType, type EventOf, messages, type System, systemClock, systemRandom, T, type TellOptions } from "../../runtime/index.ts";
import { type EntityCommit, silentLog, type Store } from "../../runtime/ports/index.ts";
import type { Sample } from "../_helpers.ts";

const commandMessages = messages({ "level.set": { body: { percent: T.Integer({ minimum: 0, maximum: 100 }) } } });

/** A command as a vehicle gets one: it is checked, moves the machine, and leaves a value and a count behind. */
const dimmer = setup({
  types: { context: {} as { readonly percent: number; readonly commands: number }, events: {} as EventOf<typeof commandMessages> },
  actions: { take: assign({ percent: ({ event }) => event.percent, commands: ({ context }) => context.commands + 1 }) },
  guards: { lights: ({ event }) => event.percent > 0 },
}).createMachine({
  context: { percent: 0, commands: 0 },
  initial: "off",
  states: {
    off: { on: { "level.set": [{ guard: "lights", target: "on", actions: "take" }, { actions: "take" }] } },
    on: {
      on: {
        "level.set": [
          { guard: "lights", actions: "take" },
          { target: "off", actions: "take" },
        ],
      },
    },
  },
});

export const dimmerEntity = entityType({
  root: actorType({ name: "dimmer", version: 1, messages: commandMessages, behaviour: dimmer }),
  durability: "events",
  placement: "cloud",
});

export interface Fleet {
  readonly system: System;
  readonly addresses: readonly Address[];
  /** Commands that the actors' committed states have counted. */
  counted(): number;
  stop(): Promise<void>;
}

/** A folder on the disk of DROVER_BENCH_DATA, or of the system's temporary files. It must be a real disk: a flush into memory costs nothing. */
export function scratchFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(process.env["DROVER_BENCH_DATA"] ?? tmpdir(), "drover-bench-"));
  return {
    path,
    remove: () => {
      rmSync(path, { recursive: true, force: true });
    },
  };
}

/** @param onBatch sees what the store is asked to write, before it is written */
export async function startFleet(folder: string, entities: number, onBatch?: (batch: readonly EntityCommit[]) => void): Promise<Fleet> {
  const store = sqliteStore({ path: join(folder, "journal.db"), log: silentLog, clock: systemClock });
  await store.open();
  const watched: Store =
    onBatch === undefined
      ? store
      : {
          ...store,
          commit: (batch) => {
            onBatch(batch);
            return store.commit(batch);
          },
        };
  const system = createSystem({ node: "bench", types: [dimmerEntity], store: watched, clock: systemClock, random: systemRandom, log: silentLog });
  await system.start();
  const addresses = Array.from({ length: entities }, (_, at) => `bench/dimmer/d-${String(at)}` as Address);
  await Promise.all(addresses.map((address) => system.activate(address, { input: undefined })));
  return {
    system,
    addresses,
    counted: () => addresses.reduce((sum, address) => sum + ((system.read(address)?.context as { readonly commands: number } | undefined)?.commands ?? 0), 0),
    stop: async () => {
      await system.stop();
      await store.close();
    },
  };
}

export interface Told {
  /** All accepted commands. */
  readonly accepted: number;
  /** Those that arrived while the window was full: after the first window, until `timeMs` were over. Filling and draining is no steady state. */
  readonly steady: Required<Pick<Sample, "work" | "elapsedMs" | "latenciesMs">>;
}

/** What is kept of a command is kept under its id. */
let ids = 0;

/** A closed loop: `window` commands are under way at all times, each to the next actor, for `timeMs`, and until a second window has been answered; then the rest is awaited. */
export async function tellFor(fleet: Fleet, window: number, timeMs: number, options?: TellOptions): Promise<Told> {
  const end = performance.now() + timeMs;
  let next = 0;
  let accepted = 0;
  let first: { readonly at: number; readonly accepted: number } | undefined;
  let last: { readonly at: number; readonly accepted: number } | undefined;
  const latenciesMs: number[] = [];
  const line = async (): Promise<void> => {
    let since = performance.now();
    while (performance.now() < end || accepted < 2 * window) {
      const to = fleet.addresses[next++ % fleet.addresses.length] as Address;
      const told = await fleet.system.tell(to, { type: "level.set", percent: next % 101 }, options === undefined ? undefined : { ...options, id: `m${String(++ids)}` });
      if (told.kind !== "accepted" || told.durable !== "local") throw new Error(`a command was not accepted: ${JSON.stringify(told)}`);
      accepted++;
      const at = performance.now();
      if (accepted === window) first = { at, accepted };
      else if (accepted > window && (accepted <= 2 * window || at < end)) {
        last = { at, accepted };
        latenciesMs.push(at - since);
      }
      since = at;
    }
  };
  await Promise.all(Array.from({ length: window }, line));
  if (first === undefined || last === undefined) throw new Error("the window was never full");
  return { accepted, steady: { work: last.accepted - first.accepted, elapsedMs: last.at - first.at, latenciesMs } };
}
