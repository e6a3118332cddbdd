// The trace of a message goes with all that it leads to: through the mailbox, timers, effects and the outbox, and over a restart.

import { test } from "tap";
import { sendTo, setup } from "xstate";
import { actorType, effect, entityType, type EventOf, messages, reducer, type WorkContext } from "../../../runtime/index.ts";
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
