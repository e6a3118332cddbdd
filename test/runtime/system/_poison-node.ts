// One run of a node with a machine that loops in a guard. It says what it did in lines of JSON and ends by itself only when nothing ended it before.
// Usage: node _poison-node.js FOLDER outside|relayed

import { join } from "node:path";
import { assign, setup } from "xstate";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { actorType, createSystem, entityType, messages, reducer, startStepWatch, systemClock, systemRandom, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";

const [folder = "", way = "outside"] = process.argv.slice(2);
const say = (what: object): void => void process.stdout.write(`${JSON.stringify(what)}\n`);

const loopMessages = messages({ "loop.spin": { body: {} }, "loop.add": { body: {}, reply: T.Object({ total: T.Integer() }) } });
const loopMachine = setup({
  types: { context: {} as { total: number }, events: {} as { type: "loop.spin" } | { type: "loop.add" } },
  guards: {
    spin: () => {
      for (let turns = 0; turns >= 0; turns = (turns + 1) % 1_000) if (turns < 0) return true;
      return false;
    },
  },
  actions: { add: assign({ total: ({ context }) => context.total + 1 }) },
}).createMachine({ context: { total: 0 }, on: { "loop.spin": { guard: "spin", actions: "add" }, "loop.add": { actions: "add" } } });
const loop = entityType({ root: actorType({ name: "loop", version: 1, messages: loopMessages, behaviour: loopMachine }), durability: "events", placement: "cloud" });
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
const types = [loop, entityType({ root: senderRoot, durability: "events", placement: "cloud" })];
const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog, stepWatch });
await system.start();
for (const address of ["acme/loop/good", "acme/loop/bad"] as never[]) await system.activate(address, { input: undefined });
say({ hung: stepWatch.hung.map(({ cell, what }) => `${what} in ${cell}`) });
say({ good: (await system.tell("acme/loop/good", { type: "loop.add" })).kind });
await system.activate("acme/sender/s" as never, { input: undefined });
if (way === "outside") say({ told: await system.tell("acme/loop/bad", { type: "loop.spin" }, { id: "poison", author: "test" }) });
else await system.tell("acme/sender/s", { type: "sender.send" }, { id: "once", author: "test" });
// The message behind it in the sender's line arrives only when the line goes on.
const total = (): number => (system.read("acme/loop/bad" as never)?.context as { total: number }).total;
if (way === "relayed") while (total() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
else await system.tell("acme/loop/bad", { type: "loop.add" });
say({ bad: total(), hung: stepWatch.hung.length });
await system.stop();
await store.close();
await stepWatch.stop();
