// A node under churn for as long as one likes, and the slope of its heap: what leaks shows as a slope, whatever the level (issue of the runtime's stage, "soak").
//
// 5,000 known actors with SQLite on disk, of which half are in memory: messages of every kind, timers, children that come and go, faults, entities that leave memory and return.

import { performance } from "node:perf_hooks";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { assign, setup } from "xstate";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { actorType, createSystem, entityType, type EventOf, messages, parseAddress, systemClock, systemRandom, T } from "../../runtime/index.ts";
import { type Clock, silentLog } from "../../runtime/ports/index.ts";

const protocol = messages({
  "soak.add": { body: { by: T.Integer() } },
  "soak.later": { body: { ms: T.Integer() } },
  "soak.child": { body: {} },
  "soak.fail": { body: {} },
});

const child = setup({}).createMachine({ initial: "on", states: { on: { after: { 500: "off" } }, off: { type: "final" } } });

const machine = setup({
  types: { context: {} as { total: number; children: number }, events: {} as EventOf<typeof protocol> },
  actors: { child },
  actions: {
    add: assign({ total: ({ context, event }) => (context.total + (event.type === "soak.add" ? event.by : 1)) % 1_000_003 }),
    fail: assign(() => {
      throw new Error("failed on purpose");
    }),
  },
  delays: { LATER: ({ event }) => (event.type === "soak.later" ? event.ms : 0) },
}).createMachine({
  context: { total: 0, children: 0 },
  initial: "open",
  states: {
    open: { on: { "soak.add": { actions: "add" }, "soak.later": "later", "soak.child": "withChild", "soak.fail": { actions: "fail" } } },
    later: { after: { LATER: { target: "open", actions: "add" } }, on: { "soak.add": { actions: "add" } } },
    withChild: { invoke: { src: "child", id: "child", onDone: "open" }, on: { "soak.add": { actions: "add" } } },
  },
});

export interface Churn {
  /** By how they were told. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly sent: () => number;
  /** Under way. */
  readonly open: () => number;
  /** Messages of any kind, to each actor first, then to any. */
  readonly say: (count: number) => void;
  /** In use after a collection. */
  readonly heapMb: () => number;
  readonly stop: () => Promise<void>;
}

export interface SoakOptions {
  readonly folder: string;
  /** How long it runs, ms. The first third is warm-up, or a quarter of an hour where that is longer, but never more than half. */
  readonly forMs: number;
  /** Default 5,000. */
  readonly actors?: number;
  /** Messages a second, default 300. */
  readonly perSecond?: number;
  readonly progress?: (line: string) => void;
}

export interface SoakReport {
  readonly messages: number;
  readonly outcomes: Readonly<Record<string, number>>;
  /** Least squares over the heap after a collection, from the end of the warm-up on. */
  readonly heapMbAnHour: number;
  /** Means of the sixtieths of the time. */
  readonly heapMb: readonly number[];
  readonly rssMb: number;
  readonly seconds: number;
}

/** Outcomes of ids are kept this long: with the default of a day an hour's messages would all be kept, as promised (rules M2). */
const KEEP_MS = 5_000;
const SPANS = 60;
/** Outcomes that have passed their time are taken out some seconds later, and the heap goes up and down with that: many samples a wave, so that its phase makes no slope. */
const SAMPLE_EVERY_MS = 5_000;
/**
 * What has a bound is full by then, at a message every 17 s to each actor: the messages set aside (100 for each that fails, after three minutes), the outcomes kept (some seconds), and what an
 * entity makes when it first needs it, of those that stay in memory longest (ten minutes).
 */
const WARM_UP_MS = 900_000;
const FAILING = 3;
const TICK_MS = 50;
const QUIET_WITHIN_MS = 1_000;
/** Under way at once. */
const MAX_OPEN = 2_000;

/** A node of so many known actors, of which half are in memory. @param clock of the node; its store has the system's */
export async function churn({ folder, actors, clock = systemClock }: { readonly folder: string; readonly actors: number; readonly clock?: Clock }): Promise<Churn> {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const store = sqliteStore({ path: `${folder}/journal.db`, log: silentLog, clock: systemClock });
  await store.open();
  const root = actorType({ name: "soak", version: 1, messages: protocol, behaviour: machine });
  const type = entityType({ root, durability: "snapshot", placement: "cloud", passivateAfterMs: Number.POSITIVE_INFINITY });
  const system = createSystem({ node: "soak", types: [type], store, clock, random: systemRandom, log: silentLog, residentEntities: Math.ceil(actors / 2) });
  await system.start();
  const outcomes: Record<string, number> = {};
  let sent = 0;
  let open = 0;
  const sayTo = async (at: number): Promise<void> => {
    const dice = systemRandom.next();
    const event = dice < 0.7 ? { type: "soak.add", by: at } : dice < 0.85 ? { type: "soak.later", ms: 200 } : dice < 0.99 ? { type: "soak.child" } : { type: "soak.fail" };
    sent++;
    open++;
    // Faults stay with a few: an actor keeps the last 100 messages that were set aside, and all of them filling up would look like a leak for days.
    const actor = event.type === "soak.fail" ? at % FAILING : at;
    const told = await system.tell(parseAddress(`acme/soak/a${String(actor)}`), event, { id: `m${String(sent)}`, keepMs: KEEP_MS, withinMs: 5_000, create: { input: undefined } });
    open--;
    outcomes[told.kind] = (outcomes[told.kind] ?? 0) + 1;
  };
  return {
    outcomes,
    sent: () => sent,
    open: () => open,
    say: (count) => {
      for (let n = 0; n < count; n++) void sayTo(sent < actors ? sent : Math.floor(systemRandom.next() * actors));
    },
    heapMb: () => {
      collect();
      return process.memoryUsage().heapUsed / 1_048_576;
    },
    stop: async () => {
      await system.stop();
      await store.close();
    },
  };
}

export async function soak({ folder, forMs, actors = 5_000, perSecond = 300, progress }: SoakOptions): Promise<SoakReport> {
  const { outcomes, sent, open, say, heapMb, stop } = await churn({ folder, actors });
  const began = performance.now();
  const heap: (readonly [atMs: number, mb: number])[] = [];
  const elapsed = (): number => performance.now() - began;
  /** What is under way is no leak: on a busy machine there is more of it. */
  const quiet = async (): Promise<void> => {
    const isUnderWay = (): boolean => open() > 0;
    for (const until = elapsed() + QUIET_WITHIN_MS; isUnderWay() && elapsed() < until; ) {
      await new Promise<void>((resolve) => {
        systemClock.setTimeout(resolve, 1);
      });
    }
  };
  const sampleEveryMs = Math.min(SAMPLE_EVERY_MS, forMs / SPANS);
  const means: number[] = [];
  let spanFrom = 0;
  let sampleAt = sampleEveryMs;
  while (elapsed() < forMs) {
    // Caught up with after a stall, or a machine that grows busier or quieter would change the rate, and with it how many outcomes are kept: half a megabyte for every tenth.
    say(Math.min(Math.floor((elapsed() * perSecond) / 1_000) - sent(), MAX_OPEN - open()));
    await new Promise<void>((resolve) => {
      systemClock.setTimeout(resolve, TICK_MS);
    });
    if (elapsed() < sampleAt) continue;
    sampleAt += sampleEveryMs;
    await quiet();
    heap.push([elapsed(), heapMb()]);
    if (elapsed() < ((means.length + 1) * forMs) / SPANS) continue;
    const span = heap.slice(spanFrom);
    spanFrom = heap.length;
    means.push(span.reduce((sum, [, mb]) => sum + mb, 0) / span.length);
    progress?.(`${(elapsed() / 1_000).toFixed(0)} s: heap ${(means.at(-1) ?? 0).toFixed(2)} MB, ${String(sent())} messages, ${JSON.stringify(outcomes)}`);
  }
  const rssMb = process.memoryUsage().rss / 1_048_576;
  const seconds = elapsed() / 1_000;
  await stop();
  const warmFrom = Math.max(forMs / 3, Math.min(forMs / 2, WARM_UP_MS));
  const warm = heap.filter(([at]) => at >= warmFrom);
  return { messages: sent(), outcomes, heapMbAnHour: slopeOf(warm) * 3_600_000, heapMb: means.map((mb) => Number(mb.toFixed(2))), rssMb, seconds };
}

/** Least squares; y a unit of x. */
function slopeOf(points: readonly (readonly [number, number])[]): number {
  const mean = (of: (point: readonly [number, number]) => number): number => points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const [x, y] = [mean(([at]) => at), mean(([, mb]) => mb)];
  return points.reduce((sum, [at, mb]) => sum + (at - x) * (mb - y), 0) / points.reduce((sum, [at]) => sum + (at - x) ** 2, 0);
}
