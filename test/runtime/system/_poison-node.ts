// One run of a node with an actor that loops for ever somewhere in its code, or ends the process there. It says what it did in lines of JSON and ends by itself only when nothing ended it
// before. Usage: node _poison-node.js FOLDER outside|fresh|mended|relayed|timer|child|effect|source|action|schema|old|upgrade [spin|abort|exit|heap|nothing], where "fresh" is "outside" under a
// new id in each run, "mended" the next version of both, and "upgrade" the next version of "old"

import { join } from "node:path";
import { assign, fromCallback, setup } from "xstate";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import {
  actorType,
  createSystem,
  effect,
  effectOutcomes,
  type EventOf,
  entityType,
  messages,
  parseAddress,
  reducer,
  startStepWatch,
  systemClock,
  systemRandom,
  T,
} from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

const BAD = parseAddress("acme/loop/bad");
const [folder = "", way = "outside", how = "spin"] = process.argv.slice(2);
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

function spin(): boolean {
  if (how === "nothing") return false;
  if (how === "abort") process.abort();
  if (how === "exit") process.exit(3);
  if (how === "heap") for (const held: unknown[] = []; ; ) held.push(Array.from({ length: 2 ** 21 }, (_, n) => n + 0.5));
  for (let turns = 0; turns >= 0; turns = (turns + 1) % 1_000) if (turns < 0) return true;
  return false;
}

const loopMessages = messages({
  "loop.spin": { body: {} },
  // It goes back and forth on what nearly fits.
  "loop.match": { body: { text: T.String({ pattern: "^(a+)+$" }) } },
  "loop.add": { body: {}, reply: T.Object({ total: T.Integer() }) },
  ...effectOutcomes,
});

interface Context {
  readonly total: number;
  readonly trouble: string;
}

const machine = setup({
  types: { context: {} as Context, events: {} as EventOf<typeof loopMessages> },
  guards: { spin, isWay: (_, wanted: string) => wanted === way },
  actors: { waves: fromCallback(() => void spin()) },
  actions: { add: assign({ total: ({ context }) => context.total + 1 }), print: effect({ class: "idempotent" }) },
}).createMachine({
  context: { total: 0, trouble: "" },
  initial: "off",
  states: {
    off: {},
    armed: { after: { 20: { guard: "spin", target: "off" } } },
    on: { invoke: { src: "waves", id: "waves", onError: { target: "off", actions: assign({ trouble: ({ event }) => (event.error as Error).message }) } } },
  },
  on: {
    "loop.spin": [
      { guard: { type: "isWay", params: "source" }, target: ".on" },
      { guard: { type: "isWay", params: "timer" }, target: ".armed" },
      { guard: { type: "isWay", params: "effect" }, actions: "print" },
      // Of volatile types only: the way "action".
      ...(way === "action" ? [{ actions: () => void spin() }] : []),
      { guard: "spin" },
    ],
    "loop.match": {},
    "loop.add": { actions: "add" },
    "effect.failed": { actions: assign({ trouble: ({ event }) => event.reason }) },
  },
});

const migrate = way === "upgrade" ? { 1: () => spin() as never } : { 1: (old: object) => old as never };
const upgraded = way === "upgrade" || way === "mended" ? { version: 2, migrate } : { version: 1 };
const root = actorType({ name: "loop", ...upgraded, messages: loopMessages, behaviour: machine });
const part = actorType({ name: "part", version: 1, messages: messages({}), behaviour: reducer({ initial: () => ({ spun: spin() }), step: (state) => state }) });
const loop = entityType({
  root,
  durability: way === "action" ? "volatile" : "events",
  placement: "cloud",
  children: { part: { types: [part], strategy: "one-for-one" } },
});
const senderRoot = actorType({
  name: "sender",
  version: 1,
  messages: messages({ "sender.send": { body: {} } }),
  behaviour: reducer<number, unknown>({
    initial: () => 0,
    step: (state, _event, turn) => {
      turn.send("acme/loop/bad", { type: "loop.spin" });
      turn.send("acme/loop/bad", { type: "loop.add" });
      return state + 1;
    },
  }),
});

const fine = entityType({
  root: actorType({ name: "fine", version: 1, messages: loopMessages, behaviour: reducer({ initial: () => 0, step: (state) => state + 1 }) }),
  durability: "events",
  placement: "cloud",
});

async function parkedAt(): Promise<readonly { readonly reason: string; readonly offender: string }[]> {
  return (await system.inspection.inspect(BAD))?.parked ?? [];
}

/** The message that loops, and one behind it. */
async function spinAndAdd(): Promise<void> {
  const context = (): Context => system.read(BAD)?.context as Context;
  if (way === "relayed" || way === "action") {
    await system.activate("acme/sender/s" as never, { input: undefined });
    await system.tell("acme/sender/s", { type: "sender.send" }, { id: "once", author: "test" });
    // What comes behind it in the sender's line arrives only when the line goes on.
    while (context().total === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  } else {
    const poison = way === "schema" ? { type: "loop.match", text: `${"a".repeat(40)}!` } : { type: "loop.spin" };
    say({ told: await system.tell(BAD, poison, { id: way === "fresh" ? `poison ${String(process.pid)}` : "poison", author: "test" }) });
    await system.tell(BAD, { type: "loop.add" });
    if (way === "timer") while (system.read(BAD)?.state === "armed" && (await parkedAt()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  say({ parked: (await parkedAt()).map(({ reason }) => reason) });
  say({ bad: context().total, trouble: context().trouble, hung: stepWatch.hung.length });
}

const store = sqliteStore({ path: join(folder, "journal.db"), log: silentLog, clock: systemClock });
await store.open();
const stepWatch = startStepWatch({ file: join(folder, "steps.crash"), hangMs: how === "spin" ? 400 : 20_000 });
const types = [
  loop,
  fine,
  entityType({ root: senderRoot, durability: "events", placement: "cloud" }),
  ...(way === "effect" ? [root.with({ effects: { print: () => void spin() } })] : []),
];
const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog, stepWatch });
await system.start();
await system.activate("acme/fine/good" as never, { input: undefined });
say({ hung: stepWatch.hung.map(({ cell, what }) => `${what} in ${cell}`) });
say({ good: (await system.tell("acme/fine/good", { type: "loop.add" })).kind });
const children = way === "child" ? { children: [{ kind: "part", id: "one", type: "part", input: undefined }] } : {};
const lost = await system.activate(BAD, { input: undefined, ...children }).catch((cause: unknown) => cause as Error);
if (lost !== undefined) say({ told: await system.tell(BAD, { type: "loop.add" }), trouble: lost.message, hung: stepWatch.hung.length });
else if (way !== "old") await spinAndAdd();
await system.stop();
await store.close();
await stepWatch.stop();
