import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { hosting } from "./hosting.ts";

const A = "acme/counter/a";
const entity = parseAddress(A);

test("M3. accepted is told after the commit that contains the message, with its revision", async (t) => {
  const { system, store } = await hosting();
  await system.activate(entity, { input: undefined });
  const told = await system.tell(A, { type: "count.add", by: 3 });
  t.match(told, { kind: "accepted", durable: "local" });
  const head = await store.revisionOf(A);
  t.equal(head?.revision, told.kind === "accepted" && "revision" in told ? told.revision : -1, "the store holds that revision");
  t.equal((system.read(entity)?.context as { total: number }).total, 3);
  await system.stop();
});

test("M2. the same id has the same outcome and reply, and acts once; another message under it is refused", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  const first = await system.ask(A, { type: "count.add", by: 5 }, { withinMs: 1_000, id: "order-1", author: "ann" });
  t.same(first, { kind: "replied", value: { total: 5 } });
  t.same(await system.ask(A, { type: "count.add", by: 5 }, { withinMs: 1_000, id: "order-1", author: "ann" }), first);
  t.equal((system.read(entity)?.context as { total: number }).total, 5, "it acted once");
  t.same(await system.ask(A, { type: "count.add", by: 6 }, { withinMs: 1_000, id: "order-1", author: "ann" }), { kind: "id-reused" });
  await system.stop();
});

test("M2. the outcome of an id survives a restart", async (t) => {
  const { system, disk, clock } = await hosting();
  await system.activate(entity, { input: undefined });
  await system.ask(A, { type: "count.add", by: 5 }, { withinMs: 1_000, id: "order-1" });
  await system.stop();
  const again = await hosting({ disk, clock });
  await again.system.activate(entity, { input: undefined });
  t.same(await again.system.ask(A, { type: "count.add", by: 5 }, { withinMs: 1_000, id: "order-1" }), { kind: "replied", value: { total: 5 } });
  t.equal((again.system.read(entity)?.context as { total: number }).total, 5);
  await again.system.stop();
});

test("F2. a reply that was promised before a restart is given after it", async (t) => {
  const { system, disk, clock } = await hosting();
  await system.activate(entity, { input: undefined });
  const waiting = system.ask(A, { type: "count.slow" }, { withinMs: 60_000, id: "slow-1" });
  await clock.advance(10);
  await system.stop();
  t.match(await waiting, { kind: "unknown" }, "whoever waited here is told the truth");
  const again = await hosting({ disk, clock });
  await again.system.activate(entity, { input: undefined });
  const asked = again.system.ask(A, { type: "count.slow" }, { withinMs: 60_000, id: "slow-1" });
  await clock.advance(1);
  await again.system.tell(A, { type: "count.release" });
  t.same(await asked, { kind: "replied", value: { total: 0 } });
  await again.system.stop();
});

test("a message that the state does not take is refused with what it would take", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  await system.tell(A, { type: "count.close" });
  t.same(await system.tell(A, { type: "count.add", by: 1 }), { kind: "refused", accepts: [] });
  t.match(await system.tell(A, { type: "count.nonsense" }), { kind: "invalid" });
  t.match(await system.tell(A, { type: "count.add", by: "x" }), { kind: "invalid", problems: [{ path: "/by" }] });
  t.match(await system.tell(A, { type: "count.tick" }), { kind: "invalid" }, "what only the host says is not taken at the door");
  t.same(await system.tell("acme/counter/none", { type: "count.add", by: 1 }), { kind: "no-such-actor" });
  t.match(await system.tell("not an address", { type: "count.add", by: 1 }), { kind: "invalid" });
  t.equal(system.deadLetters({ limit: 10 }).length, 1);
  await system.stop();
});

test("K1. a durable timer keeps what remains over a restart and fires once", async (t) => {
  const { system, disk, clock } = await hosting();
  await system.activate(entity, { input: undefined });
  await system.tell(A, { type: "count.later", ms: 10_000 });
  await clock.advance(4_000);
  await system.stop();
  await clock.advance(60_000); // the node is off: elapsed time stands still
  const again = await hosting({ disk, clock });
  await again.system.activate(entity, { input: undefined });
  await clock.advance(5_900);
  t.equal(again.system.read(entity)?.state, "later", "6 s remained");
  await clock.advance(200);
  t.equal(again.system.read(entity)?.state, "open");
  t.equal((again.system.read(entity)?.context as { total: number }).total, 1);
  await clock.advance(60_000);
  t.equal((again.system.read(entity)?.context as { total: number }).total, 1, "it fired once");
  await again.system.stop();
});

test("C2. a commit of unknown outcome stops the entity until the store was asked, then nothing is lost or doubled", async (t) => {
  for (const written of [true, false]) {
    const { system, store, clock } = await hosting();
    await system.activate(entity, { input: undefined });
    await system.tell(A, { type: "count.add", by: 1 });
    store.unknownNext({ written });
    const told = system.tell(A, { type: "count.add", by: 10 });
    await clock.advance(1_000);
    t.match(await told, { kind: "accepted" });
    t.equal((system.read(entity)?.context as { total: number }).total, 11, written ? "it was written" : "it was taken again");
    await system.stop();
  }
});

test("C2, C3. a refused turn is rolled back and told; the others of its batch commit", async (t) => {
  const { system, store } = await hosting();
  const other = parseAddress("acme/counter/b");
  await system.activate(entity, { input: undefined });
  await system.activate(other, { input: undefined });
  await system.tell(A, { type: "count.add", by: 1 });
  await system.tell(other, { type: "count.add", by: 1 });
  store.refuseNext(A, "bad data");
  const [refused, taken] = await Promise.all([system.tell(A, { type: "count.add", by: 10 }), system.tell(other, { type: "count.add", by: 10 })]);
  t.match(refused, { kind: "not-stored", reason: "bad data" });
  t.match(taken, { kind: "accepted" });
  t.equal((system.read(other)?.context as { total: number }).total, 11);
  await system.stop();
});

test("C4, S2. nobody sees a turn before its commit", async (t) => {
  const { system, clock } = await hosting();
  await system.activate(entity, { input: undefined });
  await clock.advance(1);
  const seen: number[] = [];
  system.watch((change) => seen.push(change.revision));
  const told = system.tell(A, { type: "count.add", by: 7 });
  t.equal((system.read(entity)?.context as { total: number } | undefined)?.total ?? 0, 0);
  t.equal(seen.length, 0);
  await told;
  t.equal((system.read(entity)?.context as { total: number }).total, 7);
  t.equal(seen.length, 1);
  await system.stop();
});

test("S5. a full mailbox refuses and says when to try again", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  const answers = await Promise.all(Array.from({ length: 1_500 }, (_, index) => system.tell(A, { type: "count.add", by: 1 }, { id: `m${String(index)}` })));
  const full = answers.filter((answer) => answer.kind === "full").length;
  t.ok(full > 0 && full < 1_500);
  t.equal((system.read(entity)?.context as { total: number }).total, 1_500 - full, "what was accepted took effect, once");
  await system.stop();
});

test("a message past its deadline is not taken", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  t.same(await system.tell(A, { type: "count.add", by: 1 }, { withinMs: 0 }), { kind: "deadline" });
  t.same(await system.receive({ to: entity, event: { type: "count.add", by: 1 }, sender: { kind: "outside", id: "x", author: "a", expiresAt: 5 }, ask: false, withinMs: 1_000 }), {
    kind: "too-old",
  });
  await system.stop();
});

test("H13. a fault sets its input aside: the actor goes on from its committed state, and the third time the sender has a final word", async (t) => {
  const { system, clock } = await hosting();
  await system.activate(entity, { input: undefined });
  await system.tell(A, { type: "count.add", by: 4 });
  const failing = system.tell(A, { type: "count.fail" }, { id: "bad" });
  await clock.advance(10_000);
  t.match(await failing, { kind: "refused" });
  t.equal((system.read(entity)?.context as { total: number }).total, 4);
  t.match(await system.tell(A, { type: "count.add", by: 1 }), { kind: "accepted" });
  await system.stop();
});

test("A4. whatever stands where the options of tell and ask should be, the answer is a value", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  const event = { type: "count.add", by: 1 };
  const wrong: readonly (readonly [options: unknown, path: string])[] = [
    [null, "/options"],
    [5, "/options"],
    ["x", "/options"],
    [[], "/options"],
    [{ id: null }, "/id"],
    [{ id: 5 }, "/id"],
    [{ author: "" }, "/author"],
    [{ withinMs: null }, "/withinMs"],
    [{ withinMs: "5" }, "/withinMs"],
    [{ keepMs: Number.NaN }, "/keepMs"],
    [{ trace: 5 }, "/trace"],
    [{ bytes: Number.NaN }, "/bytes"],
    [{ bytes: -1 }, "/bytes"],
    [{ create: null }, "/create"],
  ];
  for (const [options, path] of wrong) {
    const refusal = { kind: "invalid", problems: [{ path }] };
    t.match(await system.tell(A, event, options as never), refusal, `tell: ${JSON.stringify(options)}`);
    t.match(await system.ask(A, event, options as never), refusal, `ask: ${JSON.stringify(options)}`);
  }
  for (const nothing of [null, undefined, 5, "count.add"]) t.match(await system.tell(A, nothing as never), { kind: "invalid", problems: [{ path: "" }] });
  for (const address of [null, undefined, 5, {}]) t.match(await system.tell(address as never, event), { kind: "invalid", problems: [{ path: "/to" }] });
  t.equal((system.read(entity)?.context as { total: number }).total, 0, "nothing of it acted");
  t.same(await system.ask(A, event, undefined as never), { kind: "replied", value: { total: 1 } }, "without options an ask has the deadline of a tell");
  t.match(await system.tell(A, event), { kind: "accepted" });
  await system.stop();
});

test("A4. an option of tell and ask that is not known is refused with the name that was perhaps meant", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  const event = { type: "count.add", by: 1 };
  const known = "expected one of id, author, withinMs, keepMs, trace, bytes, create";
  const wrong: readonly (readonly [options: object, path: string, message: string])[] = [
    [{ withinMS: 5 }, "/withinMS", `the option "withinMS" is not known here (${known}; did you mean "withinMs"?)`],
    [{ withinMs: 5, ID: "m1" }, "/ID", `the option "ID" is not known here (${known}; did you mean "id"?)`],
    [{ idempotencyKey: "m1" }, "/idempotencyKey", `the option "idempotencyKey" is not known here (${known})`],
    [Object.create({ keepMS: 5 }) as object, "/keepMS", `the option "keepMS" is not known here (${known}; did you mean "keepMs"?)`],
    [{ "a/b~c": 5 }, "/a~1b~0c", `the option "a/b~c" is not known here (${known})`],
    [{ ["x".repeat(5_000)]: 5 }, `/${"x".repeat(64)}`, `the option "${"x".repeat(64)}" is not known here (${known})`],
    [{ create: { inputs: 1 } }, "/create/inputs", 'the option "inputs" is not known here (expected one of input, labels; did you mean "input"?)'],
  ];
  for (const [options, path, message] of wrong) {
    const refusal = { kind: "invalid", problems: [{ path, message }], accepts: [] };
    t.same(await system.tell(A, event, options), refusal, `tell: ${path}`);
    t.same(await system.ask(A, event, options as never), refusal, `ask: ${path}`);
  }
  t.equal((system.read(entity)?.context as { total: number }).total, 0, "nothing of it acted");
  t.match(await system.tell(A, event, Object.create({ author: "ann" }) as object), { kind: "accepted" });
  t.match(await system.tell(A, event, { withinMS: undefined } as object), { kind: "accepted" }, "one that is undefined is not given");
  const other = parseAddress("acme/counter/other");
  await t.rejects(system.activate(other, { input: undefined, label: {} } as never), {
    code: "DROVER_CONFIG_INVALID",
    message: `activate ${other}: the option "label" is not known here (expected one of input, labels, bareSnapshot, children; did you mean "labels"?)`,
  });
  t.equal(system.read(other), undefined);
  await system.stop();
});

test("A4. a number among the options of tell and ask that is no whole number from 0 is refused with its name, what it is and what is expected", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  const event = { type: "count.add", by: 1 };
  const expected = "expected a whole number of at least 0";
  const wrong: readonly (readonly [value: unknown, words: string])[] = [
    [-5, "-5 is out of range"],
    [Number.NaN, "the number NaN stands here"],
    [0.5, "0.5 stands here"],
    [Number.POSITIVE_INFINITY, "the number Infinity stands here"],
    [Number.NEGATIVE_INFINITY, "the number -Infinity stands here"],
    ["1000", 'the text "1000" stands here'],
    [null, "nothing stands here"],
    [10n, "a bigint stands here"],
    [2 ** 53, "9007199254740992 stands here"],
  ];
  for (const option of ["withinMs", "keepMs", "bytes"])
    for (const [value, words] of wrong) {
      const refusal = { kind: "invalid", problems: [{ path: `/${option}`, message: `${words} (${expected})` }], accepts: [] };
      const options = { [option]: value } as never;
      t.same(await system.tell(A, event, options), refusal, `tell: ${option} ${String(value)}`);
      t.same(await system.ask(A, event, options), refusal, `ask: ${option} ${String(value)}`);
      t.same(await system.tell(A, event, { ...(options as object), create: { input: undefined } }), refusal, `tell that begins it: ${option} ${String(value)}`);
    }
  t.equal((system.read(entity)?.context as { total: number }).total, 0, "nothing of it acted");
  t.match(await system.tell(A, event, { keepMs: 0, withinMs: 60_000, bytes: 0 }), { kind: "accepted" });
  await system.stop();
});

test("M2. a keepMs below withinMs counts as withinMs: an id is known as long as its outcome is waited for", async (t) => {
  const { system, clock } = await hosting();
  await system.activate(entity, { input: undefined });
  const tell = (): Promise<unknown> => system.tell(A, { type: "count.add", by: 1 }, { id: "brief", keepMs: 0, withinMs: 60_000 });
  const total = (): number => (system.read(entity)?.context as { total: number }).total;
  t.match(await tell(), { kind: "accepted" });
  await clock.advance(59_000);
  t.match(await tell(), { kind: "accepted" });
  t.equal(total(), 1, "the same id acts once");
  await clock.advance(2_000);
  t.match(await tell(), { kind: "accepted" });
  t.equal(total(), 2, "then it is forgotten");
  await system.stop();
});

test("a query that cannot be meant is refused with the option, what it is and what is expected", async (t) => {
  const { system } = await hosting();
  await system.activate(entity, { input: undefined });
  const query = { limit: 10, order: "oldest-first" } as const;
  const thrown = (message: string) => ({ code: "DROVER_CONFIG_INVALID", message });
  for (const limit of [0, -5, Number.NaN, 0.5, Number.POSITIVE_INFINITY, "10", undefined] as never[]) {
    const about = /limit/;
    await t.rejects(system.list({ limit }), { code: "DROVER_CONFIG_INVALID", message: about }, `list: ${String(limit)}`);
    await t.rejects(system.history(entity, { ...query, limit }), { code: "DROVER_CONFIG_INVALID", message: about }, `history: ${String(limit)}`);
    t.throws(() => system.deadLetters({ limit }), { code: "DROVER_CONFIG_INVALID", message: about }, `deadLetters: ${String(limit)}`);
  }
  await t.rejects(system.list({ limit: 1_001 }), thrown("list: limit: 1001 is out of range (expected a whole number from 1 to 1000)"));
  await t.rejects(system.history(entity, { ...query, after: -5 }), thrown("history: after: -5 is out of range (expected a whole number of at least 0)"));
  await t.rejects(system.history(entity, { ...query, before: Number.NaN }), thrown("history: before: the number NaN stands here (expected a whole number of at least 0)"));
  await t.rejects(
    system.history(entity, { ...query, order: "oldest" as never }),
    thrown('history: order: the text "oldest" stands here (expected one of oldest-first, newest-first)'),
  );
  t.throws(() => system.deadLetters({ limit: 1, after: 0.5 }), thrown("deadLetters: after: 0.5 stands here (expected a whole number of at least 0)"));
  await t.rejects(system.inspection.stateAt(entity, -1), thrown("stateAt: revision: -1 is out of range (expected a whole number of at least 0)"));
  await t.rejects(system.inspection.replay(entity, Number.NaN), thrown("replay: revision: the number NaN stands here (expected a whole number of at least 0)"));
  t.equal((await system.list({ limit: 1 })).items.length, 1);
  await system.stop();
});
