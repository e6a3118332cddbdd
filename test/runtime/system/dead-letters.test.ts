// Messages that reached nobody.

import { test } from "tap";
import { type Address, parseAddress, type Remote } from "../../../runtime/index.ts";
import { ManualClock } from "../../../runtime/simulation/index.ts";
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

test("a message that another node knows no actor for is a dead letter of the node that sent it", async (t) => {
  const { system } = await hosting();
  const remote: Remote = { route: () => ({ node: "n2", reachable: true }), send: async () => Promise.resolve({ kind: "no-such-actor" }) };
  system.setRemote(remote);
  t.match(await system.tell("acme/vehicle/v/module/gone", { type: "module.go" }, { author: "ann" }), { kind: "no-such-actor" });
  t.match(system.deadLetters({ limit: 10 }), [{ to: "acme/vehicle/v/module/gone", type: "module.go", from: "ann", reason: "no-such-actor", isKept: true }]);
  await system.stop();
});
