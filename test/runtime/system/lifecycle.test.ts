import { test } from "tap";
import type { Store } from "../../../runtime/ports/index.ts";
import { actorType, type Change, type Directory, entityType, messages, parseAddress, reducer, T } from "../../../runtime/index.ts";
import { memoryStore, settle } from "../../../runtime/simulation/index.ts";
import { counterEntity, hosting } from "./hosting.ts";
import { ledgerTypes, volatileLedger } from "./ledger.ts";

const A = parseAddress("acme/counter/a");
const add = (by: number): { type: string; by: number } => ({ type: "count.add", by });
const total = (system: { read: (address: typeof A) => { context: unknown } | undefined }): unknown => (system.read(A)?.context as { total: number } | undefined)?.total;

test("two activations of one entity at once are one", async (t) => {
  const { system } = await hosting();
  await Promise.all([system.activate(A, { input: undefined }), system.activate(A, { input: undefined }), system.tell(A, add(1), { create: { input: undefined } })]);
  t.equal(total(system), 1);
  t.equal(system.describeEntities().length, 1);
  await system.stop();
});

test("S1. an activation waits for what the last one still writes", async (t) => {
  const { system, store } = await hosting();
  await system.activate(A, { input: undefined });
  const told = system.tell(A, add(1));
  await settle(0);
  const stopped = system.deactivate(A);
  const again = system.activate(A, { input: undefined });
  await Promise.all([told, stopped, again]);
  t.match(await system.tell(A, add(1)), { kind: "accepted" }, "its revision follows");
  t.equal((await store.revisionOf(A))?.revision, (await told).kind === "accepted" ? 3 : 2);
  await system.stop();
});

test("S1, C2. a commit of unknown outcome whose revision another owner has written is not taken for written", async (t) => {
  const store = memoryStore();
  await store.open();
  let isTakenOver = false;
  const contested: Store = {
    ...store,
    commit: async (batch) => {
      if (!isTakenOver) return store.commit(batch);
      isTakenOver = false;
      // Whoever took the entity over goes on in the same history, and the connection of the former owner is lost.
      await store.commit(batch.map((commit) => ({ ...commit, epoch: 2, record: Uint8Array.of(...commit.record, 0) })));
      return batch.map(() => ({ kind: "unknown", reason: "the connection was lost" }));
    },
  };
  const { system, clock } = await hosting({ store: contested });
  await system.activate(A, { input: undefined });
  t.match(await system.tell(A, add(1)), { kind: "accepted" });
  isTakenOver = true;
  const told = system.tell(A, add(5));
  await clock.advance(100);
  t.match(await told, { kind: "not-stored", reason: /another owner/ });
  t.equal(total(system), undefined, "and nobody is shown what it had");
  await system.stop();
});

for (const [what, inHistory, outcome] of [
  ["from it", "kept", { kind: "accepted", revision: 3 }],
  ["from it, and its record is kept no longer", "forgotten", { kind: "unknown", reason: /another owner has gone on/ }],
  ["from another turn", "another's", { kind: "not-stored", reason: /another owner/ }],
  ["in a new history", "replaced", { kind: "unknown", reason: /another owner has gone on/ }],
] as const) {
  test(`S3, M2, C2. the sender of a turn whose commit ended unknown is told what is so when another owner has gone on ${what}`, async (t) => {
    const store = memoryStore();
    await store.open();
    let isTakenOver = false;
    const contested: Store = {
      ...store,
      commit: async (batch) => {
        if (!isTakenOver) return store.commit(batch);
        isTakenOver = false;
        const [ours] = batch;
        if (ours === undefined) return [];
        await store.commit([inHistory === "another's" ? { ...ours, record: Uint8Array.of(...ours.record, 0) } : ours]);
        const next = { ...ours, epoch: 2, revision: ours.revision + 1, record: Uint8Array.of(1) };
        await store.commit([inHistory === "replaced" ? { ...next, incarnation: "another", replaces: ours.incarnation, snapshot: Uint8Array.of(2) } : next]);
        return batch.map(() => ({ kind: "unknown", reason: "the connection was lost" }));
      },
      journal: (query) => (inHistory === "forgotten" && query.before !== undefined ? Promise.resolve([]) : store.journal(query)),
    };
    const { system, clock } = await hosting({ store: contested });
    await system.activate(A, { input: undefined });
    t.match(await system.tell(A, add(1)), { kind: "accepted" });
    isTakenOver = true;
    const told = system.tell(A, add(5));
    await clock.advance(100);
    t.match(await told, outcome);
    t.equal(total(system), undefined, "and nobody is shown what it had");
    await system.stop();
  });
}

test("A4. an entity that cannot begin, for a store that refuses or fails, is an outcome of the message that should have begun it", async (t) => {
  const { system, store, clock } = await hosting();
  store.refuseNext(A, "no room");
  t.match(await system.tell(A, add(1), { create: { input: undefined } }), { kind: "not-stored", reason: /could not begin: .*no room/ });
  store.failWith(new Error("the card is gone"));
  const informed = system.inform(A, add(1), { input: undefined });
  await clock.advance(60_000);
  t.match(await informed, { kind: "not-stored", reason: /the card is gone/ });
  store.failWith(undefined);
  t.match(await system.tell(A, add(1), { create: { input: undefined } }), { kind: "accepted" });
  t.equal(total(system), 1);
  await t.rejects(system.tell("acme/nothing/a", add(1), { create: { input: undefined } }), { code: "DROVER_TYPE_INVALID" });
  await system.stop();
});

test("a stop during an activation leaves nothing hosted, and no timer armed", async (t) => {
  const { system, clock } = await hosting();
  const activated = system.activate(A, { input: undefined }).catch(() => undefined);
  await system.stop();
  await activated;
  t.equal(system.describeEntities().length, 0);
  t.equal(clock.pending, 0);
});

test("a stop ends every wait and every timer, and says what is true to who waits", async (t) => {
  const { system, clock } = await hosting();
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "count.later", ms: 1_000_000 });
  await system.activate(parseAddress("acme/counter/b"), { input: undefined });
  const slow = system.ask("acme/counter/b", { type: "count.slow" }, { withinMs: 60_000 });
  await clock.advance(10);
  await system.stop();
  t.match(await slow, { kind: "unknown" });
  t.equal(clock.pending, 0);
  t.same(await system.tell(A, add(1)), { kind: "owner-away" });
});

test("S4. a stop ends the question whether the store knows an entity: who asked hears that it is away, and no timer stays", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(A, { input: undefined });
  await system.deactivate(A);
  store.revisionOf = () => new Promise(() => undefined);
  const asked = system.ask(A, add(1), { withinMs: 2_000 });
  await settle(0);
  t.equal(clock.pending > 0, true, "it waits for the store");
  await system.stop();
  t.equal(clock.pending, 0);
  t.same(await asked, { kind: "owner-away" });
});

test("a stopped system starts again, as a tree restarts it", async (t) => {
  const { system } = await hosting();
  await system.activate(A, { input: undefined });
  await system.tell(A, add(2));
  await system.stop();
  await t.rejects(system.activate(A, { input: undefined }), { code: "DROVER_STORE_FAILED" });
  await system.start();
  await system.activate(A, { input: undefined });
  t.match(await system.tell(A, add(1)), { kind: "accepted" });
  t.equal(total(system), 3);
  await system.stop();
});

test("S4, C2. an entity whose commit is refused is recovered from the store; meanwhile it is away, and the restart has its cause", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(A, { input: undefined });
  await system.tell(A, add(1));
  const ended = system.ended(A);
  store.refuseNext(A, "bad data");
  t.match(await system.tell(A, add(10)), { kind: "not-stored" });
  await t.rejects(ended, /bad data/, "its supervisor hears of it");
  t.same(await system.tell(A, add(10)), { kind: "owner-away" }, "nothing was taken");
  t.match(system.describeEntities(), [{ id: A, state: "failed", lastExit: { reason: "failed", error: /bad data/ } }]);
  await clock.advance(1_000);
  t.match(await system.tell(A, add(10)), { kind: "accepted" });
  t.equal(total(system), 11);
  t.match(system.describeEntities(), [{ id: A, state: "running", restarts: 1, lastExit: { error: /bad data/ } }]);
  t.equal(system.metrics().find(({ name }) => name === "drover_entity_recoveries_total")?.value, 1);
  await system.stop();
  t.equal(clock.pending, 0);
});

test("H14, S5. an entity that fails again comes back ever more rarely, until it has run for a minute: then as soon as the first time", async (t) => {
  for (const [ranMs, waits] of [
    [59_999, [800, 1_600]],
    [60_000, [100, 200]],
  ] as const) {
    const { system, store, clock } = await hosting();
    await system.activate(A, { input: undefined });
    const isRunning = (): boolean => system.describeEntities()[0]?.state === "running";
    const failed = async (): Promise<number> => {
      store.refuseNext(A, "bad data");
      await system.tell(A, add(1));
      t.equal(isRunning(), false);
      const since = clock.monotonic();
      while (!isRunning()) await clock.advance(1);
      return clock.monotonic() - since;
    };
    for (const mostMs of [200, 400, 800]) {
      const ms = await failed();
      t.ok(ms >= mostMs / 2 && ms <= mostMs + 1, `${String(ms)} of ${String(mostMs)} ms`);
    }
    await clock.advance(ranMs);
    const ms = await failed();
    t.ok(ms >= waits[0] && ms <= waits[1] + 1, `${String(ms)} ms after ${String(ranMs)} ms without a failure`);
    await system.stop();
  }
});

test("a supervisor that activates a failed entity sooner takes precedence over its recovery, and a deactivation ends it", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(A, { input: undefined });
  store.refuseNext(A, "bad data");
  await system.tell(A, add(1));
  await system.activate(A, { input: undefined });
  t.match(await system.tell(A, add(1)), { kind: "accepted" });
  store.refuseNext(A, "bad data");
  await system.tell(A, add(1));
  await system.deactivate(A);
  await clock.advance(60_000);
  t.equal(system.describeEntities().length, 0);
  await system.stop();
});

test("S5. nobody waits longer than its deadline for a store that hangs: unknown for what is being committed, deadline for what was not taken and never will be", async (t) => {
  let hangs = false;
  const { system, store, clock } = await hosting();
  const commit = store.commit.bind(store);
  store.commit = (batch) => (hangs ? new Promise(() => undefined) : commit(batch));
  await system.activate(A, { input: undefined });
  hangs = true;
  const committing = system.tell(A, add(1), { withinMs: 1_000 });
  await clock.advance(10);
  const waiting = system.tell(A, add(1), { withinMs: 500 });
  await clock.advance(600);
  t.same(await waiting, { kind: "deadline" });
  await clock.advance(500);
  t.match(await committing, { kind: "unknown" });
  const stopped = system.stop();
  await clock.advance(5_000);
  await stopped;
  t.equal(clock.pending, 0, "and a stop does not wait for ever either");
});

test("S5. nobody waits longer than its deadline for another node either, whatever carries the message there", async (t) => {
  const { system, clock } = await hosting();
  system.setRemote({ route: () => ({ node: "n2", reachable: true }), send: () => new Promise(() => undefined) });
  const told = Promise.all([
    system.tell("acme/counter/elsewhere", { type: "count.add", by: 1 }, { withinMs: 1_000 }),
    system.ask("acme/counter/elsewhere", { type: "count.add", by: 1 }, { withinMs: 1_000 }),
  ]);
  let isTold = false;
  void told.then(() => (isTold = true));
  await clock.advance(1_499);
  t.notOk(isTold, "what carries it may have its own word first");
  await clock.advance(1);
  t.match(await told, [
    { kind: "unknown", reason: /no word of it in time/ },
    { kind: "unknown", reason: /no word of it in time/ },
  ]);
  await system.stop();
});

test("M2, S5. who asks again while the first is on its way hears within its own deadline, and never that it was not taken", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(A, { input: undefined });
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 3_000));
    return commit(batch);
  };
  const tell = (withinMs: number): Promise<unknown> => system.tell(A, add(1), { id: "one", withinMs });
  const first = tell(500);
  await clock.advance(100);
  const beside = tell(300);
  await clock.advance(300);
  t.match(await beside, { kind: "unknown" }, "while the first still waits");
  await clock.advance(200);
  t.match(await first, { kind: "unknown" });
  const again = tell(500);
  await clock.advance(500);
  t.match(await again, { kind: "unknown" }, "and when nobody waits for it any more but its commit is open");
  const patient = system.ask(A, add(1), { id: "one", withinMs: 3_000 });
  await clock.advance(2_000);
  t.match(await patient, { kind: "replied", value: { total: 1 } }, "who has time hears the outcome of the first");
  t.match(await system.tell(A, add(1), { id: "one" }), { kind: "accepted", revision: 2 });
  t.equal(total(system), 1, "once");
  await system.stop();
  t.equal(clock.pending, 0);
});

test("M2. an id is known for its time whatever the wall clock does: set right by two days, and back", async (t) => {
  const { system, clock } = await hosting();
  await system.activate(A, { input: undefined });
  const one = await system.tell(A, add(1), { id: "one" });
  for (const days of [2, -2, 400]) {
    clock.jump(days * 86_400_000);
    await clock.advance(1_000);
    t.same(await system.tell(A, add(1), { id: "one" }), one, `${String(days)} days further`);
    // Whatever is looked for on the way.
    await system.tell(A, add(10), { id: `other ${String(days)}` });
  }
  t.equal(total(system), 31);
  await clock.advance(24 * 3_600_000 + 180_000);
  await system.tell(A, add(10));
  t.equal(system.taken(A, "one"), undefined, "a day of passing time later it is forgotten");
  await system.stop();
});

test("M2. a repetition to an entity that stops is unknown while the commit of its first is open", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(A, { input: undefined });
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 1_000));
    return commit(batch);
  };
  const first = system.tell(A, add(1), { id: "one" });
  await clock.advance(100);
  const stopped = system.stop();
  await clock.advance(100);
  t.match(await system.tell(A, add(1), { id: "one" }), { kind: "unknown" });
  t.same(await system.tell(A, add(1), { id: "two" }), { kind: "owner-away" });
  await clock.advance(1_000);
  t.match(await first, { kind: "accepted" });
  await stopped;
  t.same(await system.tell(A, add(1), { id: "two" }), { kind: "owner-away" });
});

test("M2, S5. the time that a repetition has waited is taken off its own", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(A, { input: undefined });
  const commit = store.commit.bind(store);
  let waitMs = 1_000;
  store.commit = async (batch) => {
    const isRefused = waitMs === 1_000;
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, waitMs));
    return isRefused ? batch.map(() => ({ kind: "refused", reason: "no room", passing: true }) as const) : commit(batch);
  };
  const first = system.tell(A, add(1), { id: "one", withinMs: 2_000 });
  await clock.advance(10);
  const again = system.tell(A, add(1), { id: "one", withinMs: 1_500 });
  waitMs = 5_000;
  await clock.advance(990);
  t.match(await first, { kind: "not-stored" });
  await clock.advance(510);
  t.match(await again, { kind: /^(deadline|unknown)$/ }, "1.5 s after it was sent, not 2.5 s");
  await clock.advance(20_000);
  await system.stop();
});

test("M2, S5. of repetitions that waited for the same one, the second hears what became of the first, though the mailbox is full meanwhile", async (t) => {
  const root = actorType({
    name: "counter",
    version: 1,
    messages: messages({ "count.add": { body: { by: T.Integer() } } }),
    mailbox: { messages: 1 },
    behaviour: reducer<number, { readonly by: number }>({ initial: () => 0, step: (sum, { by }) => sum + by }),
  });
  const { system, store, clock } = await hosting({ types: [entityType({ root, durability: "events", placement: "cloud" })] });
  await system.activate(A, { input: undefined });
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise<void>((resolve) => void clock.setTimeout(resolve, 100));
    return batch.map(() => ({ kind: "refused", reason: "no room", passing: true }) as const);
  };
  const told = [1, 2, 3, 4].map(() => system.tell(A, add(1), { id: "one", withinMs: 30_000 }));
  await clock.advance(50);
  store.commit = commit;
  await clock.advance(20_000);
  t.match((await told[0]) ?? {}, { kind: "not-stored" });
  const accepted = { kind: "accepted", durable: "local", revision: 2 };
  t.match(await Promise.all(told.slice(1)), [accepted, accepted, accepted], "none is told that nothing was taken under its id");
  t.equal(system.read(A)?.context, 1, "it acted once");
  await system.stop();
});

test("C4, M3. a repetition is not answered before the commit of the first, whatever the door says meanwhile", async (t) => {
  let opened = 0;
  let fail: (() => void) | undefined;
  const { system, store } = await hosting({ door: () => (++opened === 1 ? { kind: "pass" } : { kind: "refuse", refusal: { kind: "refused", accepts: [] } }) });
  await system.activate(A, { input: undefined });
  const commit = store.commit.bind(store);
  store.commit = (batch) => new Promise((resolve) => (fail = () => void commit(batch).then(resolve)));
  const first = system.tell(A, add(1), { id: "one" });
  await settle();
  let isAnswered = false;
  const second = system.tell(A, add(1), { id: "one" }).finally(() => (isAnswered = true));
  await settle();
  t.equal(isAnswered, false);
  t.equal(system.taken(A, "one"), undefined, "what is not committed is not shown");
  fail?.();
  t.same(await second, await first);
  t.equal(opened, 1, "the door judged it once");
  store.commit = commit;
  await system.stop();
});

test("M2, M3. who repeats a message to a volatile entity hears what was said the first time, at the same moment too", async (t) => {
  const { system } = await hosting({ types: [volatileLedger] });
  const address = parseAddress("acme/scratch/s");
  await system.activate(address, { input: undefined });
  const enter = (id: string) => system.tell(address, { type: "ledger.enter", n: 1 }, { id });
  const first = { kind: "accepted", durable: "memory" } as const;
  t.same([await enter("one"), await enter("one")], [first, first]);
  t.same(await Promise.all([enter("two"), enter("two"), enter("two")]), [first, first, first]);
  const numbered = { kind: "entity", entity: parseAddress("acme/writer/w"), incarnation: "i", seq: 1, epoch: 1 } as const;
  const message = { to: address, event: { type: "ledger.enter", n: 1 }, sender: numbered, ask: false, withinMs: 1_000 };
  t.same([await system.receive(message), await system.receive(message)], [first, first], "M1. from another entity");
  t.match(system.read(address)?.context, { entries: [1, 1, 1] });
  await system.stop();
});

test("M3. a volatile entity says that it only remembers, and keeps nothing", async (t) => {
  const { system, disk, clock } = await hosting({ types: [volatileLedger] });
  const scratch = parseAddress("acme/scratch/x");
  await system.activate(scratch, { input: undefined });
  t.same(await system.tell(scratch, { type: "ledger.enter", n: 1 }), { kind: "accepted", durable: "memory" });
  t.same((system.read(scratch)?.context as { entries: number[] }).entries, [1]);
  await system.stop();
  const again = await hosting({ types: [volatileLedger], disk, clock });
  await again.system.activate(scratch, { input: undefined });
  t.same((again.system.read(scratch)?.context as { entries: number[] }).entries, []);
  await again.system.stop();
});

test("watchers hear of directories mounted later, and one that throws harms nobody", async (t) => {
  const { system } = await hosting();
  const heard: string[] = [];
  system.watch(() => {
    throw new Error("a watcher's own");
  });
  const unwatch = system.watch(({ entity }) => heard.push(entity));
  let tell: ((change: Change) => void) | undefined;
  const directory: Directory = {
    addresses: () => [],
    read: () => undefined,
    history: async () => ({ items: [], next: undefined, missing: [] }),
    watch: (listener) => ((tell = listener), () => undefined),
  };
  system.mount(directory);
  tell?.({ entity: parseAddress("acme/vehicle/v"), incarnation: "i", revision: 1, at: 0, cells: [], ended: [], emitted: [], record: undefined });
  await system.activate(A, { input: undefined });
  t.same(heard, ["acme/vehicle/v", A]);
  unwatch();
  await system.tell(A, add(1));
  t.equal(heard.length, 2);
  await system.stop();
});

test("S9. a recovered entity has the state that was committed, over snapshots and restarts", async (t) => {
  const first = await hosting();
  await first.system.activate(A, { input: undefined });
  for (let n = 0; n < 250; n++) await first.system.tell(A, add(1), { id: `m${String(n)}`, keepMs: 1_000 });
  await first.system.stop();
  const again = await hosting({ disk: first.disk, clock: first.clock });
  await again.system.activate(A, { input: undefined });
  t.equal(total(again.system), 250);
  t.equal(again.system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value, 0);
  t.ok(((await again.store.load(A))?.snapshot?.revision ?? 0) > 1, "a full state was stored on the way");
  await again.system.stop();
});

test("S5, L4. the journal of an entity that nobody ships keeps to its bound, and is trimmed seldom", async (t) => {
  const { system, store } = await hosting();
  const trims: number[] = [];
  const trim = store.trim.bind(store);
  store.trim = (entity, upTo) => {
    trims.push(upTo);
    return trim(entity, upTo);
  };
  await system.activate(A, { input: undefined });
  for (let round = 0; round < 6_200; round++) await system.tell(A, add(1), { id: `m${String(round)}`, keepMs: 1, withinMs: 1_000 });
  await settle();
  const records = await store.journal({ entity: A, limit: 10_000, order: "oldest-first" });
  t.ok(records.length >= 5_000 && records.length < 6_000, `${String(records.length)} of 6,201`);
  t.ok(trims.length >= 1 && trims.length <= 3, `trimmed ${String(trims.length)} times`);
  t.ok(
    trims.every((upTo, at) => upTo - (trims[at - 1] ?? 0) >= 500),
    "one delete for 500 records and more",
  );
  await system.stop();
});

test("what nobody can be is refused as such: times, ids, authors, events", async (t) => {
  const { system } = await hosting();
  await system.activate(A, { input: undefined });
  t.match(await system.tell(A, add(1), { withinMs: Number.NaN }), { kind: "invalid", problems: [{ path: "/withinMs" }] });
  t.match(await system.tell(A, add(1), { id: "" }), { kind: "invalid", problems: [{ path: "/id" }] });
  t.match(await system.tell(A, add(1), { author: "x".repeat(300) }), { kind: "invalid", problems: [{ path: "/author" }] });
  t.match(await system.tell(A, null as never), { kind: "invalid" });
  await system.stop();
});

test("registered types are checked", async (t) => {
  await t.rejects(hosting({ types: [counterEntity, counterEntity] }), { code: "DROVER_TYPE_INVALID" });
  const { system } = await hosting({ types: ledgerTypes });
  await t.rejects(system.activate(A, { input: undefined }), { code: "DROVER_TYPE_INVALID" });
  await t.rejects(system.activate(parseAddress("t/ledger/a/part/b"), { input: undefined }), { code: "DROVER_ADDRESS_INVALID" });
  await system.stop();
});
