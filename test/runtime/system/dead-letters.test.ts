// Messages that reached nobody.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type Address, entityType, messages, parseAddress, reducer, type Remote } from "../../../runtime/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/index.ts";
import { DeadLetters, type UndeliveredMessage } from "../../../runtime/system/dead-letters.ts";
import { hosting } from "./hosting.ts";
import { ledgerTypes } from "./ledger.ts";
import { LEDGER, twoNodes, WRITER } from "./two-nodes.ts";

const A = parseAddress("acme/counter/a");
const add = (by: number): { type: string; by: number } => ({ type: "count.add", by });
const sent = (to: string, said: object = {}): UndeliveredMessage => ({
  to: parseAddress(to),
  event: { type: "go", ...said },
  sender: { kind: "outside", id: "m1", author: "ann" },
  reason: "no-such-actor",
});

test("S5. a flood of letters for one actor leaves those for others in their place; all are counted", (t) => {
  const letters = new DeadLetters(new ManualClock());
  letters.addMessage(sent("t/a/other"));
  for (let at = 0; at < 5_000; at++) letters.add({ to: "t/a/flooded", type: "go", from: "ann", reason: "mailbox full" });
  t.equal(letters.list({ limit: 1_000 }).length, 101);
  t.match(letters.list({ limit: 1 }), [{ number: 1, to: "t/a/other", isKept: true }]);
  t.equal(letters.counts.get("mailbox full"), 5_000);
  for (let at = 0; at < 5_000; at++) letters.addMessage(sent(`t/a/${String(at)}`, { text: "x".repeat(10_000) }));
  const kept = letters.list({ limit: 1_000 });
  t.ok(kept.length > 400 && kept.length < 420, `4 MiB of events are ${String(kept.length)} of 10 kB`);
  t.equal(kept.at(-1)?.to, "t/a/4999");
  letters.addMessage(sent("t/a/large", { text: "x".repeat(1_000_000) }));
  t.match(letters.list({ limit: 1_000, to: "t/a/large" }), [{ isKept: false }], "one that takes far too much room is listed without what it said");
  t.end();
});

test("S5. the last thousand letters are kept, of each word at most 512 characters, and of what no JSON can say nothing but that it was there", (t) => {
  const letters = new DeadLetters(new ManualClock());
  for (let at = 1; at <= 1_500; at++) letters.add({ to: `t/a/${String(at)}`, type: "go", from: "ann", reason: "no-such-actor" });
  const kept = letters.list({ limit: 5_000 });
  t.same([kept.length, kept[0]?.number, kept.at(-1)?.number], [1_000, 501, 1_500]);
  const long = "x".repeat(100_000);
  const circle: { readonly type: string; self?: unknown } = { type: "go" };
  circle.self = circle;
  letters.addMessage({ to: `t/a/${long}` as Address, event: { ...circle, type: long }, sender: { kind: "outside", id: "m", author: long }, reason: "no-such-actor" });
  const [last] = letters.list({ limit: 1, after: 1_500 });
  t.same([last?.to.length, last?.type.length, last?.from.length, last?.isKept], [512, 512, 512, false]);
  t.end();
});

test("letters are found by receiver, event, sender and reason", (t) => {
  const letters = new DeadLetters(new ManualClock());
  letters.add({ to: "t/vehicle/a/module/m", type: "go", from: "ann", reason: "no-such-actor" });
  letters.add({ to: "t/vehicle/ab", type: "stop", from: "bob", reason: "no-such-actor" });
  letters.add({ to: "t/vehicle/a", type: "go", from: "bob", reason: "mailbox full" });
  const numbers = (query: object): readonly number[] => letters.list({ limit: 10, ...query }).map(({ number }) => number);
  t.same(numbers({ to: "t/vehicle/a" }), [1, 3]);
  t.same(numbers({ type: "stop" }), [2]);
  t.same(numbers({ from: "bob", reason: "mailbox full" }), [3]);
  t.same(numbers({ after: 1, limit: 1 }), [2]);
  t.end();
});

test("M2. a message that reached nobody is sent again once its actor is there, by whoever asks for that, and never twice", async (t) => {
  const { system } = await hosting();
  t.match(await system.tell(A, add(5), { author: "ann" }), { kind: "no-such-actor" });
  t.match(await system.redeliver(1, { author: "bob" }), { kind: "sent", outcome: { kind: "no-such-actor" } });
  await system.activate(A, { input: undefined });
  t.match(await Promise.all([system.redeliver(1, { author: "bob" }), system.redeliver(1, { author: "bob" })]), [
    { kind: "sent", outcome: { kind: "accepted" } },
    { kind: "sent", outcome: { kind: "accepted" } },
  ]);
  t.match(system.read(A)?.context, { total: 5 });
  t.match(await system.redeliver(1, { author: "bob" }), { kind: "sent-before" });
  t.same((await system.history(A, { limit: 10, order: "oldest-first" })).items.flatMap(({ inputs }) => inputs.map(({ author }) => author)).filter(Boolean), ["bob"]);
  t.same(await system.redeliver(99, { author: "bob" }), { kind: "no-such-letter" });
  system.notify(parseAddress("acme/counter/b"), add(1));
  t.same(await system.redeliver(system.deadLetters({ limit: 10 }).at(-1)?.number ?? 0, { author: "bob" }), { kind: "not-kept" });
  await system.stop();
});

test("M2, S5. a message has one letter however often it reaches nobody, so that sending all again makes no two of one", async (t) => {
  const { system } = await hosting();
  const numbers = (): readonly number[] => system.deadLetters({ limit: 10 }).map(({ number }) => number);
  await system.tell(A, add(5), { author: "ann", id: "one" });
  await system.tell(A, add(5), { author: "ann", id: "one" });
  for (const number of [1, 1]) t.match(await system.redeliver(number, { author: "bob" }), { kind: "sent", outcome: { kind: "no-such-actor" } });
  t.same(numbers(), [1]);
  t.match(await system.tell(A, add(7), { author: "eve", id: "one" }), { kind: "no-such-actor" });
  t.same(numbers(), [1, 2], "another sender's of the same id is another message");
  await system.activate(A, { input: undefined });
  for (const number of numbers()) t.match(await system.redeliver(number, { author: "bob" }), { kind: "sent", outcome: { kind: "accepted" } });
  t.match(system.read(A)?.context, { total: 12 });
  await system.stop();
});

test("M1, S5. a message of an actor to nobody has one letter, and acts once when it is sent again", async (t) => {
  const { system, clock } = await hosting({ types: ledgerTypes });
  await system.activate(WRITER, { input: undefined });
  t.match(await system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 3 }), { kind: "accepted" });
  await clock.advance(5_000);
  t.match(system.deadLetters({ limit: 10 }), [{ number: 1, to: LEDGER, from: WRITER, reason: "no-such-actor", isKept: true }]);
  t.equal(system.deadLetters({ limit: 10 }).length, 1);
  await system.activate(LEDGER, { input: undefined });
  t.match(await system.redeliver(1, { author: "bob" }), { kind: "sent", outcome: { kind: "accepted" } });
  t.match(await system.redeliver(1, { author: "bob" }), { kind: "sent-before" });
  t.match(system.read(LEDGER)?.context, { entries: [3] });
  await system.stop();
});

test("M2. the letters that two nodes have of one message act once together", async (t) => {
  const nodes = twoNodes();
  const a = await nodes.start("a");
  const b = await nodes.start("b");
  await nodes.clock.advance(1_000);
  const answered = async <V>(asked: Promise<V>): Promise<V> => {
    await nodes.clock.advance(100);
    return asked;
  };
  t.match(await answered(a.system.tell(LEDGER, { type: "ledger.enter", n: 3 }, { author: "ann" })), { kind: "no-such-actor" });
  t.same(
    [a, b].map(({ system }) => system.deadLetters({ limit: 10 }).length),
    [1, 1],
  );
  await b.system.activate(LEDGER, { input: undefined });
  for (const { system } of [a, b]) t.match(await answered(system.redeliver(1, { author: "bob" })), { kind: "sent", outcome: { kind: "accepted" } });
  t.match(b.system.read(LEDGER)?.context, { entries: [3] });
  await a.stop();
  await b.stop();
});

// It takes "go" where it is open, and fails at it where it is broken.
const gateRoot = actorType({
  name: "gate",
  version: 1,
  messages: messages({ open: { body: {} }, shut: { body: {} }, break: { body: {} }, go: { body: {} } }),
  behaviour: setup({
    types: { context: {} as { gone: number } },
    actions: {
      go: assign({ gone: ({ context }) => context.gone + 1 }),
      fail: assign(() => {
        throw new Error("it is broken");
      }),
    },
  }).createMachine({
    context: { gone: 0 },
    initial: "shut",
    on: { open: ".open", shut: ".shut", break: ".broken" },
    states: { shut: {}, open: { on: { go: { actions: "go" } } }, broken: { on: { go: { actions: "fail" } } } },
  }),
});
const GATE = parseAddress("acme/gate/g");
const SENT = { kind: "sent", outcome: { kind: "accepted" } };

for (const durability of ["events", "snapshot", "volatile"] as const) {
  test(`A1. a letter that came to nothing when it was sent again is judged anew each time, by whomever it is sent (${durability})`, async (t) => {
    const { system } = await hosting({ types: [entityType({ root: gateRoot, durability, placement: "cloud" })] });
    const again = async (author: string) => system.redeliver(1, { author });
    const sent = (outcome: object): object => ({ kind: "sent", outcome });
    t.match(await system.tell(GATE, { type: "go" }, { author: "ann" }), { kind: "no-such-actor" });
    t.match(await again("bob"), sent({ kind: "no-such-actor" }));
    await system.activate(GATE, { input: undefined });
    for (const author of ["bob", "eve", "bob"]) t.match(await again(author), sent({ kind: "refused", accepts: ["open", "shut", "break"] }));
    await system.tell(GATE, { type: "break" });
    t.match(await again("bob"), sent({ kind: "refused", reason: "set aside after 3 failures: it is broken" }));
    await system.tell(GATE, { type: "shut" });
    t.same(await again("bob"), sent({ kind: "refused", accepts: ["open", "shut", "break"] }), "it is not broken any more");
    await system.tell(GATE, { type: "open" });
    t.match(await Promise.all([again("bob"), again("eve"), again("bob")]), [SENT, SENT, SENT]);
    t.match(system.read(GATE)?.context, { gone: 1 });
    t.match(await again("eve"), { kind: "sent-before" });
    t.equal(system.deadLetters({ limit: 10 }).length, 1);
    await system.stop();
  });
}

test("M2. nobody else takes a letter's id", async (t) => {
  const { system } = await hosting();
  await system.activate(A, { input: undefined });
  t.match(await system.tell(A, add(1), { id: "dead-letter.x" }), { kind: "invalid", problems: [{ path: "/id" }] });
  await system.stop();
});

test("A1. a letter that waited for its state when it was sent again, and came to nothing then, is judged anew; one that waited and was taken is not", async (t) => {
  const root = actorType({
    name: "gate",
    version: 1,
    messages: messages({ go: { body: {} }, turn: { body: {} } }),
    // Every second word of `turn` lets it judge what waits.
    behaviour: reducer<{ readonly turns: number; readonly gone: number }, { readonly type: string }>({
      initial: () => ({ turns: 0, gone: 0 }),
      step: (state, { type }, turn) => {
        if (type === "turn") return { ...state, turns: state.turns + 1 };
        if (state.turns % 2 === 0) turn.postpone();
        else if (state.turns < 2) turn.refuse("not now");
        else return { ...state, gone: state.gone + 1 };
        return state;
      },
    }),
  });
  const { system } = await hosting({ types: [entityType({ root, durability: "events", placement: "cloud" })] });
  const letters = (): readonly object[] => system.deadLetters({ limit: 10 });
  await system.tell(GATE, { type: "go" });
  await system.activate(GATE, { input: undefined });
  t.match(await system.redeliver(1, { author: "bob" }), SENT);
  t.match(await system.redeliver(1, { author: "bob" }), { kind: "sent-before" }, "it waits");
  await system.tell(GATE, { type: "turn" });
  await settle();
  t.match(letters(), [{ number: 1, sentAgainAt: undefined }], "refused when its turn came");
  t.match(await system.redeliver(1, { author: "eve" }), { kind: "sent", outcome: { kind: "refused", reason: "not now" } });
  await system.tell(GATE, { type: "turn" });
  t.match(await system.redeliver(1, { author: "eve" }), SENT);
  await system.tell(GATE, { type: "turn" });
  await settle();
  t.match(await system.redeliver(1, { author: "bob" }), { kind: "sent-before" });
  t.match([system.read(GATE)?.context, letters().length], [{ turns: 3, gone: 1 }, 1]);
  await system.stop();
});

test("A1. letters of one message that several nodes have act once together, also where the first attempts came to nothing", async (t) => {
  const nodes = twoNodes(1, 1, [entityType({ root: gateRoot, durability: "events", placement: "cloud" })]);
  const a = await nodes.start("a");
  const b = await nodes.start("b");
  const there = parseAddress("acme/gate/b-1");
  await nodes.clock.advance(1_000);
  const answered = async <V>(asked: Promise<V>): Promise<V> => {
    await nodes.clock.advance(100);
    return asked;
  };
  await answered(a.system.tell(there, { type: "go" }, { author: "ann" }));
  await b.system.activate(there, { input: undefined });
  const again = async (outcome: object): Promise<void> => {
    t.match(await answered(a.system.redeliver(1, { author: "bob" })), { kind: "sent", outcome });
    t.match(await answered(b.system.redeliver(1, { author: "eve" })), { kind: "sent", outcome });
  };
  await again({ kind: "refused" });
  await answered(b.system.tell(there, { type: "open" }));
  await again({ kind: "accepted" });
  t.match(b.system.read(there)?.context, { gone: 1 });
  await a.stop();
  await b.stop();
});

test("a message that another node knows no actor for is a dead letter of the node that sent it", async (t) => {
  const { system } = await hosting();
  const remote: Remote = { route: () => ({ node: "n2", reachable: true }), send: async () => Promise.resolve({ kind: "no-such-actor" }) };
  system.setRemote(remote);
  t.match(await system.tell("acme/vehicle/v/module/gone", { type: "module.go" }, { author: "ann" }), { kind: "no-such-actor" });
  t.match(system.deadLetters({ limit: 10 }), [{ to: "acme/vehicle/v/module/gone", type: "module.go", from: "ann", reason: "no-such-actor", isKept: true }]);
  await system.stop();
});
