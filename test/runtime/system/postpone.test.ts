// Messages that wait for another state of their actor.

import { test } from "tap";
import { assign, sendTo, setup } from "xstate";
import { actorType, author, entityType, type EventOf, messages, now, parseAddress, reducer, reply, T } from "../../../runtime/index.ts";
import { ManualClock, MemoryDisk, settle } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const doorMessages = messages({
  "door.enter": { body: { who: T.String() }, reply: T.Object({ at: T.Integer() }), postpone: true },
  "door.open": { body: {} },
  "door.close": { body: {} },
  "door.note": { body: {} },
  "door.lock": { body: {} },
  "door.brick": { body: {} },
});
type DoorEvent = EventOf<typeof doorMessages>;

const doorMachine = setup({
  types: { context: {} as { entered: readonly string[]; notes: number }, events: {} as DoorEvent },
  guards: { isBad: ({ event }) => event.type === "door.enter" && event.who === "bad" },
  actions: {
    enter: assign({ entered: ({ context, event }) => [...context.entered, event.type === "door.enter" ? event.who : ""] }),
    note: assign({ notes: ({ context }) => context.notes + 1 }),
    fail: assign(() => {
      throw new Error("failed on purpose");
    }),
    answer: sendTo(
      ({ event }) => (event as Extract<DoorEvent, { type: "door.enter" }>).replyTo,
      ({ context }) => reply({ at: context.entered.length }),
    ),
  },
}).createMachine({
  context: { entered: [], notes: 0 },
  initial: "closed",
  on: { "door.note": { actions: "note" } },
  states: {
    closed: { on: { "door.open": "open", "door.lock": "locked", "door.brick": "bricked" } },
    locked: { on: { "door.open": "open" } },
    open: {
      on: {
        "door.close": "closed",
        "door.enter": [
          { guard: "isBad", actions: "fail" },
          { target: "turning", actions: ["enter", "answer"] },
        ],
      },
    },
    /** One at a time. */
    turning: { after: { 100: "open" } },
    bricked: { type: "final" },
  },
});
const doorRoot = actorType({ name: "door", version: 1, messages: doorMessages, behaviour: doorMachine, mailbox: { postponed: 5 } });
const types = [entityType({ root: doorRoot, durability: "events", placement: "cloud" })];
const D = parseAddress("acme/door/d");
const enter = (who: string): { type: string; who: string } => ({ type: "door.enter", who });

test("a message that the state does not take waits for another state, before all that came later, in its sender's order; its reply comes then", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(D, { input: undefined });
  const asked = ["a", "b", "c"].map((who) => system.ask(D, enter(who), { withinMs: 5_000 }));
  t.match(await system.tell(D, enter("d"), { id: "d" }), { kind: "accepted" });
  await system.tell(D, { type: "door.note" });
  t.match(system.read(D)?.context, { entered: [], notes: 1 }, "what the state takes goes on meanwhile, and changes no state");
  const open = system.tell(D, { type: "door.open" });
  const late = system.tell(D, enter("late"));
  await Promise.all([open, late]);
  await clock.advance(1_000);
  t.match(system.read(D)?.context, { entered: ["a", "b", "c", "d", "late"] });
  t.same(
    await Promise.all(asked),
    [1, 2, 3].map((at) => ({ kind: "replied", value: { at } })),
  );
  t.match(await system.tell(D, enter("d"), { id: "d" }), { kind: "accepted" });
  await settle();
  t.match(system.read(D)?.context, { entered: ["a", "b", "c", "d", "late"] }, "the same id acts once, however it came to act");
  await system.stop();
});

test("S3. what is postponed survives a restart, and so does its release", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await hosting({ types, disk, clock });
  await one.system.activate(D, { input: undefined });
  for (const who of ["a", "b"]) await one.system.tell(D, enter(who));
  one.store.crash();
  const two = await hosting({ types, disk, clock, seed: 2 });
  await two.system.activate(D, { input: undefined });
  const commit = two.store.commit.bind(two.store);
  let commits = 0;
  two.store.commit = async (batch) => {
    const outcomes = await commit(batch);
    if (++commits === 1) two.store.crash();
    return outcomes;
  };
  await two.system.tell(D, { type: "door.open" });
  const three = await hosting({ types, disk, clock, seed: 3 });
  await three.system.activate(D, { input: undefined });
  await clock.advance(1_000);
  t.match(three.system.read(D)?.context, { entered: ["a", "b"] }, "the node died between the release and the message");
  await three.system.stop();
});

test("S5. no more wait than the type allows; one whose time is over is told so and does nothing", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(D, { input: undefined });
  const asked = system.ask(D, enter("old"), { withinMs: 500, keepMs: 500 });
  for (let at = 0; at < 4; at++) await system.tell(D, enter(String(at)));
  t.match(await system.tell(D, enter("5")), { kind: "full" });
  await clock.advance(1_000);
  t.match(await asked, { kind: "unknown" });
  await system.tell(D, { type: "door.lock" });
  t.match(await system.tell(D, enter("5")), { kind: "accepted" }, "the old one has left room");
  await system.tell(D, { type: "door.open" });
  await clock.advance(1_000);
  t.match(system.read(D)?.context, { entered: ["0", "1", "2", "3", "5"] });
  t.match(
    system.deadLetters({ limit: 10 }),
    [{ to: D, type: "door.enter", reason: "the postponed message came to nothing: too-old", isKept: true }],
    "and stands among the dead letters",
  );
  await system.stop();
});

test("S5. what waits when its actor ends is a dead letter, and whoever asked is told", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(D, { input: undefined });
  const asked = system.ask(D, enter("ann"), { withinMs: 5_000 });
  await settle();
  t.match((await system.inspection.inspect(D))?.mailbox, { depth: 0, postponed: 1 });
  await system.tell(D, { type: "door.brick" });
  await clock.advance(100);
  t.match(await asked, { kind: "refused" });
  t.match(system.deadLetters({ limit: 10 }), [{ to: D, type: "door.enter", reason: "the postponed message came to nothing: refused", isKept: true }]);
  t.match((await system.inspection.inspect(D))?.mailbox, { postponed: 0 });
  await system.stop();
});

test("S5. so it is when its node died between that end and the message", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await hosting({ types, disk, clock });
  await one.system.activate(D, { input: undefined });
  await one.system.tell(D, enter("ann"));
  const commit = one.store.commit.bind(one.store);
  one.store.commit = async (batch) => {
    const outcomes = await commit(batch);
    one.store.crash();
    return outcomes;
  };
  await one.system.tell(D, { type: "door.brick" });
  const two = await hosting({ types, disk, clock, seed: 2 });
  await two.system.activate(D, { input: undefined });
  await clock.advance(1_000);
  t.match(two.system.deadLetters({ limit: 10 }), [{ to: D, type: "door.enter", reason: "the postponed message came to nothing: refused" }]);
  await two.system.stop();
});

test("H13. a postponed message that makes its actor fail is set aside at its third failure, and the others go on", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(D, { input: undefined });
  const bad = system.ask(D, enter("bad"), { id: "bad", withinMs: 60_000 });
  await settle();
  await system.tell(D, enter("good"));
  await system.tell(D, { type: "door.open" });
  await clock.advance(1_000);
  t.match(system.read(D)?.context, { entered: ["good"] });
  t.match(await system.ask(D, enter("bad"), { id: "bad", withinMs: 1_000 }), { kind: "refused", reason: /set aside after 3 failures/ });
  await clock.advance(60_000);
  t.match(await bad, { kind: "unknown" });
  await system.stop();
});

test("a reducer postpones by saying so, and every new state of it is another chance", async (t) => {
  const room = messages({ add: { body: { n: T.Integer() } }, take: { body: { n: T.Integer() } } });
  const root = actorType({
    name: "stock",
    version: 1,
    messages: room,
    behaviour: reducer<number, { readonly type: "add" | "take"; readonly n: number }>({
      initial: () => 0,
      step: (state, { type, n }, turn) => {
        if (type === "add") return state + n;
        if (state < n) turn.postpone();
        return state - n;
      },
    }),
  });
  const { system } = await hosting({ types: [entityType({ root, durability: "volatile", placement: "cloud" })] });
  const S = parseAddress("acme/stock/s");
  await system.activate(S, { input: undefined });
  for (const event of [
    { type: "take", n: 5 },
    { type: "take", n: 1 },
    { type: "add", n: 4 },
    { type: "add", n: 1 },
    { type: "add", n: 1 },
  ])
    system.notify(S, event);
  await settle();
  t.equal(system.read(S)?.context, 0, "one of 1 at once, one of 5 when there were 5");
  await system.stop();
});

test("a step knows who is answerable for its message, whatever the message says; a timer has nobody", async (t) => {
  const seen = messages({ "seen.go": { body: { by: T.Optional(T.String()) } } });
  const machine = setup({
    types: { context: {} as { by: readonly (string | undefined)[] }, events: {} as { type: "seen.go"; by?: string } },
    actions: { note: assign({ by: ({ context, self }) => [...context.by, author(self) ?? `nobody at ${String(now(self) > 0)}`] }) },
  }).createMachine({
    context: { by: [] },
    initial: "idle",
    states: { idle: { on: { "seen.go": { target: "waiting", actions: "note" } } }, waiting: { after: { 100: { target: "idle", actions: "note" } } } },
  });
  const { system, clock } = await hosting({
    types: [entityType({ root: actorType({ name: "seen", version: 1, messages: seen, behaviour: machine }), durability: "events", placement: "cloud" })],
  });
  const S = parseAddress("acme/seen/s");
  await system.activate(S, { input: undefined });
  await system.tell(S, { type: "seen.go", by: "somebody else" }, { author: "ann" });
  await clock.advance(200);
  t.match(system.read(S)?.context, { by: ["ann", "nobody at true"] });
  system.notify(S, { type: "seen.go" });
  await settle();
  t.match(system.read(S)?.context, { by: ["ann", "nobody at true", "local:n1"] });
  await system.stop();
});
