// One run of a node with an actor that loops for ever somewhere in its code. It says what it did in lines of JSON and ends by itself only when nothing ended it before.
// Usage: node _poison-node.js FOLDER outside|relayed|effect|source|action

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
  reducer,
  startStepWatch,
  systemClock,
  systemRandom,
  T,
} from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

const [folder = "", way = "outside"] = process.argv.slice(2);
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

function spin(): boolean {
  for (let turns = 0; turns >= 0; turns = (turns + 1) % 1_000) if (turns < 0) return true;
  return false;
}

const loopMessages = messages({
  "loop.spin": { body: {} },
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
    on: { invoke: { src: "waves", id: "waves", onError: { target: "off", actions: assign({ trouble: ({ event }) => (event.error as Error).message }) } } },
  },
  on: {
    "loop.spin": [
      { guard: { type: "isWay", params: "source" }, target: ".on" },
      { guard: { type: "isWay", params: "effect" }, actions: "print" },
      // Of volatile types only: the way "action".
      ...(way === "action" ? [{ actions: () => void spin() }] : []),
      { guard: "spin" },
    ],
    "loop.add": { actions: "add" },
    "effect.failed": { actions: assign({ trouble: ({ event }) => event.reason }) },
  },
});

const root = actorType({ name: "loop", version: 1, messages: loopMessages, behaviour: machine });
const loop = entityType({ root, durability: way === "action" ? "volatile" : "events", placement: "cloud" });
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

const store = sqliteStore({ path: join(folder, "journal.db"), log: silentLog, clock: systemClock });
await store.open();
const stepWatch = startStepWatch({ file: join(folder, "steps.crash"), hangMs: 400 });
const types = [
  loop,
  entityType({ root: senderRoot, durability: "events", placement: "cloud" }),
  ...(way === "effect" ? [root.with({ effects: { print: () => void spin() } })] : []),
];
const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog, stepWatch });
await system.start();
await system.activate("acme/loop/good" as never, { input: undefined });
say({ hung: stepWatch.hung.map(({ cell, what }) => `${what} in ${cell}`) });
say({ good: (await system.tell("acme/loop/good", { type: "loop.add" })).kind });
await system.activate("acme/loop/bad" as never, { input: undefined });
await system.activate("acme/sender/s" as never, { input: undefined });
if (way === "relayed" || way === "action") await system.tell("acme/sender/s", { type: "sender.send" }, { id: "once", author: "test" });
else say({ told: await system.tell("acme/loop/bad", { type: "loop.spin" }, { id: "poison", author: "test" }) });
// The message behind it in the sender's line arrives only when the line goes on.
const bad = (): Context => system.read("acme/loop/bad" as never)?.context as Context;
if (way === "relayed" || way === "action") while (bad().total === 0) await new Promise((resolve) => setTimeout(resolve, 20));
else await system.ask("acme/loop/bad", { type: "loop.add" }, { withinMs: 200 });
say({ bad: bad().total, trouble: bad().trouble, hung: stepWatch.hung.length });
await system.stop();
await store.close();
await stepWatch.stop();
