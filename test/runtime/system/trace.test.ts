// The trace of a message goes with all that it leads to: through the mailbox, timers, effects and the outbox, and over a restart.

import { test } from "tap";
import { sendTo, setup } from "xstate";
import { actorType, effect, entityType, type EventOf, messages, reducer, task, type WorkContext } from "../../../runtime/index.ts";
import { parseAddress } from "../../../runtime/address.ts";
import { ManualClock, MemoryDisk } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const echo = actorType({
  name: "echo",
  version: 1,
  messages: messages({ "echo.hear": { body: {} } }),
  behaviour: reducer<{ heard: number }, { type: string }>({ initial: () => ({ heard: 0 }), step: ({ heard }) => ({ heard: heard + 1 }) }),
});
const bellMessages = messages({ "bell.ring": { body: {} } });

const machine = setup({
  types: { events: {} as EventOf<typeof bellMessages> },
  actions: { strike: effect<{ hard: boolean }>({ class: "once" }), tell: sendTo(() => echo.at("t/echo/two"), { type: "echo.hear" }) },
}).createMachine({
  initial: "still",
  states: {
    still: { on: { "bell.ring": "waiting" } },
    waiting: { after: { 1_000: { target: "still", actions: ["tell", { type: "strike", params: { hard: true } }] } } },
  },
});

function bells(heard: unknown[]) {
  const strike = async (_params: unknown, { cause }: WorkContext) => {
    heard.push(cause?.trace);
  };
  const bell = entityType({
    root: actorType({ name: "bell", version: 1, messages: bellMessages, behaviour: machine }).with({ effects: { strike } }),
    durability: "events",
    placement: "cloud",
  });
  return [bell, entityType({ root: echo, durability: "events", placement: "cloud" })];
}

test("a trace goes with a message through mailbox, timer, effect and outbox, over a restart of the node", async (t) => {
  const heard: unknown[] = [];
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const first = await hosting({ types: bells(heard), disk, clock });
  const [one, two] = [parseAddress("t/bell/one"), parseAddress("t/echo/two")];
  for (const entity of [one, two]) await first.system.activate(entity, { input: undefined });
  t.match(await first.system.tell(one, { type: "bell.ring" }, { trace: TRACE }), { kind: "accepted" });
  t.match(await first.system.history(one, { limit: 1, order: "newest-first" }), { items: [{ inputs: [{ type: "bell.ring", trace: TRACE }] }] });
  await first.system.stop();
  const second = await hosting({ types: bells(heard), disk, clock, seed: 2 });
  for (const entity of [one, two]) await second.system.activate(entity, { input: undefined });
  await clock.advance(3_000);
  t.same(heard, [TRACE], "the effect of the timer knows it");
  t.match(await second.system.history(two, { limit: 1, order: "newest-first" }), { items: [{ inputs: [{ type: "echo.hear", trace: TRACE }] }] }, "and so does the other entity");
  await second.system.stop();
});

const digger = actorType({
  name: "digger",
  version: 1,
  messages: messages({ "digger.dig": { body: {} } }),
  behaviour: setup({
    types: { events: {} as { type: "digger.dig" } },
    actors: { dig: task<undefined, number>() },
    actions: { tell: sendTo(() => echo.at("t/echo/two"), { type: "echo.hear" }) },
  }).createMachine({
    initial: "resting",
    states: {
      resting: { on: { "digger.dig": "digging" } },
      digging: { invoke: { src: "dig", id: "dig", onDone: { target: "resting", actions: "tell" }, onError: { target: "resting", actions: "tell" } } },
    },
  }),
});

test("F2. so it does with the word that a once task of a node that stopped is unknown", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const behaviour = setup({
    types: { events: {} as { type: "digger.dig" } },
    actors: { dig: task<undefined, number>({ class: "once" }) },
    actions: { tell: sendTo(() => echo.at("t/echo/two"), { type: "echo.hear" }) },
  }).createMachine({
    initial: "resting",
    states: { resting: { on: { "digger.dig": "digging" } }, digging: { invoke: { src: "dig", id: "dig", onDone: "resting", onError: { target: "resting", actions: "tell" } } } },
  });
  const once = actorType({ name: "digger", version: 1, messages: messages({ "digger.dig": { body: {} } }), behaviour }).with({
    tasks: { dig: () => new Promise(() => undefined) },
  });
  const types = [entityType({ root: once, durability: "events", placement: "cloud" }), entityType({ root: echo, durability: "events", placement: "cloud" })];
  const [one, two] = [parseAddress("t/digger/one"), parseAddress("t/echo/two")];
  const first = await hosting({ types, disk, clock });
  for (const entity of [two, one]) await first.system.activate(entity, { input: undefined });
  await first.system.tell(one, { type: "digger.dig" }, { trace: TRACE });
  await first.system.stop();
  const { system } = await hosting({ types, disk, clock, seed: 2 });
  for (const entity of [two, one]) await system.activate(entity, { input: undefined });
  await clock.advance(2_000);
  t.match(await system.history(two, { limit: 1, order: "newest-first" }), { items: [{ inputs: [{ type: "echo.hear", trace: TRACE }] }] });
  await system.stop();
});

test("R1. a trace goes on with what a task gives, however it ends, also where a restart of the node has begun it again", async (t) => {
  const ends = [
    ["gives", (): unknown => 7],
    [
      "fails",
      (): unknown => {
        throw new Error("a stone");
      },
    ],
  ] as const;
  for (const [how, dig] of ends)
    for (const isRestarted of [false, true]) {
      const disk = new MemoryDisk();
      const clock = new ManualClock();
      let isOpen = !isRestarted;
      const types = () => [
        entityType({
          root: digger.with({ tasks: { dig: (async () => (isOpen ? dig() : new Promise(() => undefined))) as never } }),
          durability: "events",
          placement: "cloud",
        }),
        entityType({ root: echo, durability: "events", placement: "cloud" }),
      ];
      const [one, two] = [parseAddress("t/digger/one"), parseAddress("t/echo/two")];
      let { system } = await hosting({ types: types(), disk, clock });
      for (const entity of [two, one]) await system.activate(entity, { input: undefined });
      await system.tell(one, { type: "digger.dig" }, { trace: TRACE });
      if (isRestarted) {
        await system.stop();
        isOpen = true;
        ({ system } = await hosting({ types: types(), disk, clock, seed: 2 }));
        for (const entity of [two, one]) await system.activate(entity, { input: undefined });
      }
      await clock.advance(2_000);
      const what = `it ${how}${isRestarted ? ", after a restart" : ""}`;
      t.match(await system.history(two, { limit: 1, order: "newest-first" }), { items: [{ inputs: [{ type: "echo.hear", trace: TRACE }] }] }, what);
      await system.stop();
    }
});
