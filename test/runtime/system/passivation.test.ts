// Entities that leave memory when they are idle, and are there for whoever calls.

import { test } from "tap";
import { assign, setup } from "xstate";
import { actorType, type Address, effect, effectOutcomes, entityType, messages, parseAddress, type System, T } from "../../../runtime/index.ts";
import { ManualClock, MemoryDisk, settle } from "../../../runtime/simulation/index.ts";
import { counterEntity, type Hosting, hosting } from "./hosting.ts";
import { ledgerTypes, workerRoot } from "./ledger.ts";

const IDLE_MS = 10_000;
const A = parseAddress("acme/counter/a");
const idling = entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS });
const add = (by: number): { type: string; by: number } => ({ type: "count.add", by });
const inMemory = (system: System): number => system.describeEntities().filter(({ state }) => state === "running").length;
const metric = (system: System, name: string, label?: string): number =>
  system.metrics().find((sample) => sample.name === name && (label === undefined || Object.values(sample.labels ?? {}).includes(label)))?.value ?? 0;

async function idleHosting(more: Parameters<typeof hosting>[0] = {}): Promise<Hosting> {
  return hosting({ types: [idling], ...more });
}

/** As if the process had been killed: nothing more is written, and what was armed never fires. */
function killed({ store }: Hosting): void {
  store.crash();
}

test("C5. an idle entity leaves memory as a whole and a message brings it back: its state, and the outcomes of its messages, are those it had", async (t) => {
  const { system, clock } = await idleHosting();
  await system.activate(A, { input: undefined });
  const first = await system.ask(A, add(2), { id: "one", withinMs: 1_000 });
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(system), 0);
  t.equal(metric(system, "drover_passivations_total", "idle"), 1);
  t.equal(system.read(A), undefined);
  t.same(await system.ask(A, add(2), { id: "one", withinMs: 1_000 }), first, "the same id has the same answer");
  t.match(await system.ask(A, add(3), { withinMs: 1_000 }), { kind: "replied", value: { total: 5 } });
  t.equal(inMemory(system), 1);
  await system.stop();
  t.equal(clock.pending, 0);
});

test("S4. a system that is stopped while an entity of a passivating type comes, whenever that is, has nothing armed any more", async (t) => {
  const COMMIT_MS = 20;
  const root = actorType({
    name: "greeter",
    version: 1,
    messages: messages({ ...effectOutcomes }),
    behaviour: setup({ actions: { greet: effect({ class: "idempotent" }) } }).createMachine({ entry: "greet" }),
  }).with({ effects: { greet: () => undefined } });
  const greeter = parseAddress("acme/greeter/a");
  const left: string[] = [];
  for (let afterMs = 0; afterMs < COMMIT_MS * 3; afterMs += 4) {
    const { system, clock, store } = await hosting({ types: [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })] });
    const commit = store.commit.bind(store);
    store.commit = async (batch) => {
      await new Promise<void>((resolve) => {
        clock.setTimeout(resolve, COMMIT_MS);
      });
      return commit(batch);
    };
    const came = system.activate(greeter, { input: undefined }).catch(() => undefined);
    await clock.advance(afterMs);
    // What its effect says while it stops is committed too: it takes a while.
    const stopped = system.stop();
    await clock.advance(COMMIT_MS * 5);
    await Promise.all([came, stopped]);
    if (clock.pending > 0) left.push(`stopped ${String(afterMs)} ms after: ${String(clock.pending)}`);
  }
  t.same(left, []);
  t.end();
});

test("C5. news and the host's own word bring an entity back too, and in order", async (t) => {
  const { system, clock } = await idleHosting();
  await system.activate(A, { input: undefined });
  await clock.advance(IDLE_MS * 2);
  for (let at = 0; at < 5; at++) t.equal(system.notify(A, { type: "count.tick" }), true);
  t.match(await system.inform(A, { type: "count.tick" }), { kind: "accepted" });
  await settle();
  t.match(system.read(A)?.context, { total: 6 });
  t.equal(system.notify(parseAddress("acme/counter/nobody"), { type: "count.tick" }), true, "whether it exists is known later");
  await settle();
  t.match(system.deadLetters({ limit: 10 }), [{ to: "acme/counter/nobody", reason: "no-such-actor" }]);
  t.same(await system.tell("acme/counter/nobody", add(1)), { kind: "no-such-actor" });
  t.equal(inMemory(system), 1, "nothing is made by being called");
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(system), 0);
  const asked = await Promise.all([1, 1, 1, 1].map((by) => system.ask(A, add(by), { withinMs: 1_000 })));
  t.same(
    asked.map((answer) => (answer.kind === "replied" ? answer.value : answer)),
    [7, 8, 9, 10].map((total) => ({ total })),
    "messages that wait for an entity come to it in their order",
  );
  await system.stop();
});

test("C5. an entity stays while somebody waits for its reply, and while it is busy with a turn", async (t) => {
  const { system, clock, store } = await idleHosting();
  await system.activate(A, { input: undefined });
  const slow = system.ask(A, { type: "count.slow" }, { withinMs: IDLE_MS * 5 });
  await clock.advance(IDLE_MS * 3);
  t.equal(inMemory(system), 1);
  await system.tell(A, { type: "count.release" });
  t.match(await slow, { kind: "replied" });

  const commit = store.commit.bind(store);
  let release: () => void = () => undefined;
  store.commit = (batch) => new Promise((resolve) => (release = () => void commit(batch).then(resolve)));
  const told = system.tell(A, add(1), { withinMs: IDLE_MS * 5 });
  await clock.advance(IDLE_MS * 3);
  t.equal(inMemory(system), 1, "its step is not committed");
  store.commit = commit;
  release();
  t.match(await told, { kind: "accepted" });
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(system), 0);
  await system.stop();
});

test("C5. an entity stays while an ask of its own is unanswered, an effect unconfirmed or a message on its way", async (t) => {
  const one = await hosting({ types: ledgerTypes.map(({ root }) => entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })) });
  const [ASKER, LEDGER, WRITER] = ["acme/asker/a", "acme/ledger/l", "acme/writer/w"].map((address) => parseAddress(address)) as [Address, Address, Address];
  for (const entity of [ASKER, LEDGER, WRITER]) await one.system.activate(entity, { input: undefined });
  await one.system.tell(ASKER, { type: "asker.go", to: LEDGER, withinMs: IDLE_MS * 4, mute: true });
  await one.system.deactivate(LEDGER);
  await one.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 1 });
  await one.clock.advance(IDLE_MS * 3);
  t.same(
    one.system.describeEntities().map(({ id }) => id),
    [ASKER, WRITER],
  );
  await one.system.activate(LEDGER, { input: undefined });
  await one.clock.advance(IDLE_MS * 6);
  t.equal(inMemory(one.system), 0, "the ask is unknown by now, the message was taken");
  await one.system.stop();

  let confirm: () => void = () => undefined;
  const root = workerRoot.with({ effects: { paint: () => new Promise<void>((resolve) => (confirm = resolve)), fire: () => undefined, hold: () => undefined } });
  const two = await hosting({ types: [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })] });
  const WORKER = parseAddress("acme/worker/w");
  await two.system.activate(WORKER, { input: undefined });
  await two.system.tell(WORKER, { type: "worker.do", what: "paint", n: 1 });
  await two.clock.advance(IDLE_MS * 3);
  t.equal(inMemory(two.system), 1);
  confirm();
  await two.clock.advance(IDLE_MS * 3);
  t.equal(inMemory(two.system), 0);
  await two.system.stop();
});

test("C5, K1. a passivated entity is back for a timer that falls due, at its time, also after a restart", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await idleHosting({ disk, clock });
  await one.system.activate(A, { input: undefined });
  await one.system.tell(A, { type: "count.later", ms: 60_000 });
  await clock.advance(30_000);
  t.equal(inMemory(one.system), 0);
  await clock.advance(29_000);
  t.equal(inMemory(one.system), 0);
  await clock.advance(1_500);
  t.match(one.system.read(A), { state: "open", context: { total: 1 } });
  await clock.advance(IDLE_MS * 2);
  await one.system.tell(A, { type: "count.later", ms: 500_000 });
  await clock.advance(100_000);
  t.equal(inMemory(one.system), 0);
  await one.system.stop();

  const two = await idleHosting({ disk, clock, seed: 2 });
  await clock.advance(395_000);
  t.equal(inMemory(two.system), 0, "it was not needed so far");
  await clock.advance(10_000);
  t.match(two.system.read(A), { state: "open", context: { total: 2 } });
  await two.system.stop();
  t.equal(clock.pending, 0);
});

test("C5, S7. after a crash what was in memory and has something to do comes back by itself, and nothing else", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await idleHosting({ disk, clock });
  const B = parseAddress("acme/counter/b");
  const C = parseAddress("acme/counter/c");
  for (const entity of [A, B, C]) await one.system.activate(entity, { input: undefined });
  await one.system.tell(C, { type: "count.later", ms: 100_000 });
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(one.system), 0);
  await one.system.tell(A, { type: "count.later", ms: 60_000 });
  await one.system.tell(B, add(1));
  killed(one);

  const two = await idleHosting({ disk, clock, seed: 2 });
  await settle();
  t.same(
    two.system.describeEntities().map(({ id }) => id),
    [A],
  );
  await clock.advance(61_000);
  t.match((await two.system.look(A))?.context, { total: 1 });
  await clock.advance(60_000);
  t.match((await two.system.look(C))?.context, { total: 1 }, "and the row of one that had left before is still there");
  await two.system.stop();
});

for (const isAwake of [false, true])
  test(`C5, S7. after a crash an early row does not stand for a later timer, where it ${isAwake ? "falls due while its entity is in memory" : "calls its entity back"}`, async (t) => {
    const root = actorType({
      name: "egg",
      version: 1,
      messages: messages({ "egg.boil": { body: { ms: T.Integer() } }, "egg.look": { body: {} } }),
      behaviour: setup({
        types: { context: {} as { ms: number }, events: {} as { type: "egg.boil"; ms: number } | { type: "egg.look" } },
        actions: { set: assign(({ event }) => (event.type === "egg.boil" ? { ms: event.ms } : {})) },
        delays: { BOIL: ({ context }) => context.ms },
      }).createMachine({
        context: { ms: 0 },
        initial: "raw",
        on: { "egg.look": {}, "egg.boil": { target: ".hot", reenter: true, actions: "set" } },
        states: { raw: {}, hot: { after: { BOIL: "hard" } }, hard: {} },
      }),
    });
    const types = [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })];
    const egg = parseAddress("acme/egg/a");
    const [disk, clock] = [new MemoryDisk(), new ManualClock()];
    const one = await hosting({ types, disk, clock });
    await one.system.activate(egg, { input: undefined });
    await one.system.tell(egg, { type: "egg.boil", ms: 60_000 });
    await clock.advance(IDLE_MS * 2);
    t.equal(inMemory(one.system), 0);
    await one.system.tell(egg, { type: "egg.boil", ms: 200_000 });
    killed(one);

    const two = await hosting({ types, disk, clock, seed: 2 });
    await clock.advance(38_000);
    if (isAwake) await two.system.tell(egg, { type: "egg.look" });
    await clock.advance(40_000);
    t.equal(inMemory(two.system), 0);
    killed(two);

    const three = await hosting({ types, disk, clock, seed: 3 });
    await clock.advance(121_000);
    t.equal((await three.system.look(egg))?.state, "hot");
    await clock.advance(20_000);
    t.equal((await three.system.look(egg))?.state, "hard");
    await three.system.stop();
  });

test("S7. an entity that came for its timer does not leave for want of room before it has fired", async (t) => {
  const RESIDENT = 4;
  const { system, clock } = await idleHosting({ residentEntities: RESIDENT });
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "count.later", ms: 60_000 });
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(system), 0);
  const busy = Array.from({ length: RESIDENT + 1 }, (_, at) => parseAddress(`acme/counter/busy-${String(at)}`));
  for (const entity of busy) await system.activate(entity, { input: undefined });
  for (const entity of busy) void system.ask(entity, { type: "count.slow" }, { withinMs: 600_000 });
  await clock.advance(30_000);
  t.equal(inMemory(system), RESIDENT + 1, "all of them stay");
  const turned: unknown[] = [];
  system.watch(({ entity, record }) => {
    if (entity === A) turned.push(record?.inputs.map(({ kind }) => kind));
  });
  for (let ms = 0; ms < 12_000 && turned.length === 0; ms += 1_000) await clock.advance(1_000);
  t.same(turned, [["timer"]]);
  t.ok(clock.monotonic() < 62_000, "in time");
  t.equal(metric(system, "drover_passivations_total", "room"), 0, "nobody was sent away for want of room");
  await system.stop();
});

test("C5. an entity that cannot say when it must be back stays; one that is called while it says so stays too, and nothing is lost", async (t) => {
  const { system, clock, store } = await idleHosting();
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "count.later", ms: 1_000_000 });
  const write = store.values.write.bind(store.values);
  let refuse = true;
  let release: () => void = () => undefined;
  const values = store.values as { write: typeof write };
  values.write = (changes) =>
    refuse ? Promise.reject(new Error("the disk is away")) : new Promise((resolve, reject) => (release = () => void write(changes).then(resolve, reject)));
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(system), 1);
  refuse = false;
  await clock.advance(IDLE_MS);
  const told = system.tell(A, add(1));
  await settle();
  release();
  t.match(await told, { kind: "accepted" });
  t.equal(inMemory(system), 1);
  t.match(system.read(A)?.context, { total: 1 });
  values.write = write;
  await clock.advance(IDLE_MS * 3);
  t.equal(inMemory(system), 0);
  await system.stop();
});

const pagerMessages = messages({ "pager.look": { body: {} }, "pager.beep": { body: {}, internal: true } });
const pager = actorType({
  name: "pager",
  version: 1,
  messages: pagerMessages,
  behaviour: setup({
    types: { context: {} as { beeps: number } },
    actions: { beep: assign({ beeps: ({ context }) => context.beeps + 1 }) },
    delays: { LONG: 3_600_000 },
  }).createMachine({
    context: { beeps: 0 },
    initial: "on",
    on: { "pager.beep": { actions: "beep" }, "pager.look": {} },
    states: { on: { after: { LONG: "off" } }, off: {} },
  }),
});

test("K1, K3, C5. a wall clock that is set forward makes timers due of entities that are out of memory: they are back within a minute; a trust that it gains, within a second", async (t) => {
  const root = actorType({ name: "pager", version: 1, messages: pagerMessages, behaviour: pager.behaviour, timers: { LONG: "absolute" } });
  for (const change of ["forward", "trusted"] as const) {
    let isTrusted = change === "forward";
    const { system, clock } = await hosting({
      types: [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })],
      wallTrusted: () => isTrusted,
    });
    const P = parseAddress("acme/pager/p");
    await system.activate(P, { input: undefined });
    await clock.advance(IDLE_MS * 3);
    t.equal(inMemory(system), 0);
    clock.jump(5 * 3_600_000);
    if (change === "trusted") {
      await clock.advance(120_000);
      t.equal((await system.look(P))?.state, "on", "a clock that nobody trusts makes nothing due");
      isTrusted = true;
    }
    await clock.advance(change === "forward" ? 50_000 : 1_000);
    t.equal((await system.look(P))?.state, "off", change);
    await system.stop();
  }
});

test("C5. mail that only its node has keeps an entity here too, while it says when it must be back: news are taken, not lost with what leaves", async (t) => {
  for (const send of ["notify", "inform"] as const) {
    const { system, clock, store } = await hosting({ types: [entityType({ root: pager, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })] });
    const P = parseAddress("acme/pager/p");
    await system.activate(P, { input: undefined });
    const write = store.values.write.bind(store.values);
    const held: (() => void)[] = [];
    (store.values as { write: typeof write }).write = (changes) =>
      new Promise((resolve, reject) => {
        held.push(() => void write(changes).then(resolve, reject));
      });
    await clock.advance(IDLE_MS * 2);
    t.equal(held.length, 1, "it says when it must be back");
    const beep = { type: "pager.beep" };
    const informed = send === "inform" ? system.inform(P, beep) : undefined;
    if (send === "notify") t.equal(system.notify(P, beep), true);
    await settle();
    (store.values as { write: typeof write }).write = write;
    for (const goOn of held) goOn();
    await settle();
    if (informed !== undefined) t.match(await informed, { kind: "accepted" });
    t.match(system.read(P)?.context, { beeps: 1 }, send);
    t.equal(inMemory(system), 1);
    await clock.advance(IDLE_MS * 2);
    t.equal(inMemory(system), 0, "and then it leaves");
    t.match((await system.look(P))?.context, { beeps: 1 });
    await system.stop();
  }
});

test("C5, F1. what is confirmed and not yet noted keeps an entity here, however crowded it is: an effect that was done is not done again", async (t) => {
  const painted: number[] = [];
  const root = workerRoot.with({ effects: { paint: ({ n }) => void painted.push(n), fire: () => undefined, hold: () => undefined } });
  const { system, clock, store } = await hosting({
    types: [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: Number.POSITIVE_INFINITY })],
    residentEntities: 1,
  });
  const [first, second] = ["acme/worker/first", "acme/worker/second"].map((address) => parseAddress(address)) as [Address, Address];
  await system.activate(first, { input: undefined });
  await system.tell(first, { type: "worker.do", what: "paint", n: 1 });
  await settle();
  t.same(painted, [1], "done, and noted with the next turn");
  const written: string[] = [];
  const write = store.values.write.bind(store.values);
  (store.values as { write: typeof write }).write = (changes) => {
    written.push(...changes.map(({ key }) => key));
    return write(changes);
  };
  await system.activate(second, { input: undefined });
  await clock.advance(100);
  t.same(
    system.describeEntities().map(({ id }) => id),
    [first],
    "it stays until that is written",
  );
  t.same(
    written.filter((key) => key.includes(first)),
    [],
    "and does not begin to leave meanwhile: that would be written for nothing (L4)",
  );
  await clock.advance(120_000);
  t.same(painted, [1]);
  await system.stop();
});

test("C5, F2. an entity stays while an ask that its receiver has taken is unanswered, and hears `unknown` at its deadline; then it leaves", async (t) => {
  const types = ledgerTypes.map(({ root }) => entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS }));
  const { system, clock } = await hosting({ types });
  const [ASKER, LEDGER] = ["acme/asker/a", "acme/ledger/l"].map((address) => parseAddress(address)) as [Address, Address];
  for (const entity of [ASKER, LEDGER]) await system.activate(entity, { input: undefined });
  await system.tell(ASKER, { type: "asker.go", to: LEDGER, withinMs: IDLE_MS * 5, mute: true });
  await clock.advance(IDLE_MS * 3);
  t.same(
    system.describeEntities().map(({ id }) => id),
    [ASKER],
    "whom it has asked has left",
  );
  t.match(system.read(ASKER), { state: "muted", context: { got: null } });
  await clock.advance(IDLE_MS * 2 + 1_000);
  t.match(system.read(ASKER), { state: "idle", context: { got: { kind: "unknown" } } });
  await clock.advance(IDLE_MS * 2);
  t.equal(inMemory(system), 0);
  await system.stop();
});

test("C5. beyond the node's number the least used entities leave, and a scan over many pushes out its own kind", async (t) => {
  const types = [entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: Number.POSITIVE_INFINITY })];
  const { system, clock } = await hosting({ types, residentEntities: 10 });
  const daily = Array.from({ length: 5 }, (_, at) => parseAddress(`acme/counter/daily-${String(at)}`));
  for (const entity of daily) await system.activate(entity, { input: undefined });
  await clock.advance(2_000);
  for (const entity of daily) await system.tell(entity, add(1));
  for (let at = 0; at < 50; at++) {
    await system.activate(parseAddress(`acme/counter/scanned-${String(at)}`), { input: undefined });
    if (at % 5 === 0) await clock.advance(2_000);
  }
  await settle();
  const here = system.describeEntities().map(({ id }) => id);
  t.equal(here.length, 10);
  t.same(here.filter((id) => id.includes("daily")).length, 5);
  t.equal(metric(system, "drover_passivations_total", "room"), 45);
  t.match(await system.ask("acme/counter/scanned-3", add(1), { withinMs: 1_000 }), { kind: "replied", value: { total: 1 } });
  await system.stop();
});

test("a deactivated entity of a passivating type stays away until it is activated again", async (t) => {
  const { system } = await idleHosting();
  await system.activate(A, { input: undefined });
  await system.deactivate(A);
  t.same(await system.tell(A, add(1)), { kind: "owner-away" });
  t.equal(inMemory(system), 0);
  await system.activate(A, { input: undefined });
  t.match(await system.tell(A, add(1)), { kind: "accepted" });
  await system.stop();
});

test("S5. a storm of messages to entities that are not in memory is let in at its rate, each within its deadline; commands before what only recovers", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await idleHosting({ disk, clock });
  const entities = Array.from({ length: 300 }, (_, at) => parseAddress(`acme/counter/s-${String(at)}`));
  for (const entity of entities) await one.system.activate(entity, { input: undefined });
  await one.system.stop();

  const { system } = await idleHosting({ disk, clock, seed: 2, activation: { perSecond: 100, burst: 50, concurrent: 20, waiting: 200 } });
  const background = entities.slice(250).map((entity) => system.activate(entity, { input: undefined }));
  const told = entities.slice(0, 250).map((entity) => system.tell(entity, add(1), { withinMs: 1_500 }));
  const kinds = new Map<string, number>();
  for (const each of told) void each.then(({ kind }) => kinds.set(kind, (kinds.get(kind) ?? 0) + 1));
  await settle(100);
  t.same(Object.fromEntries(kinds), { full: 50, accepted: 30 }, "those who came first have the burst, then commands; only as many wait as may");
  await clock.advance(1_000);
  t.equal(kinds.get("accepted"), 130);
  t.equal(inMemory(system), 20 + 130, "what only recovers waits behind the commands");
  await clock.advance(1_000);
  await Promise.all(told);
  t.same(Object.fromEntries(kinds), { full: 50, accepted: 179, deadline: 21 }, "who waits too long is told that nothing was done");
  await clock.advance(2_000);
  await Promise.all(background);
  t.equal(metric(system, "drover_activations_waiting"), 0);
  await system.stop();
  t.equal(clock.pending, 0);
});

test("S5, S7. commands without end do not keep timers of absent entities away: of eight that come one is such an entity that has waited for 5 s", async (t) => {
  const RATE = 20;
  const restless = entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: 200 });
  const { system, clock } = await idleHosting({ types: [restless], activation: { perSecond: RATE, burst: RATE } });
  const clocks = [0, 1, 2].map((at) => parseAddress(`acme/counter/clock-${String(at)}`));
  const others = Array.from({ length: RATE * 12 }, (_, at) => parseAddress(`acme/counter/c-${String(at)}`));
  for (const entity of [...clocks, ...others]) {
    await Promise.all([system.activate(entity, { input: undefined }), clock.advance(1_000 / RATE)]);
  }
  const rung = new Set<string>();
  system.watch(({ entity, record }) => {
    if (record?.inputs.some(({ kind }) => kind === "timer") === true) rung.add(entity);
  });
  const DUE_MS = IDLE_MS * 4;
  await Promise.all(clocks.map((entity) => system.tell(entity, { type: "count.later", ms: DUE_MS }, { withinMs: 5_000 })));
  await clock.advance(DUE_MS - 5_000);
  t.equal(inMemory(system), 0);
  let accepted = 0;
  let next = 0;
  // Half more commands than may come in.
  for (let ms = 0; ms < 5_000 + 10_000; ms += 1_000) {
    for (let each = 0; each < RATE * 1.5; each++) {
      const { [next++ % others.length]: entity = "" } = others;
      void system.tell(entity, add(1), { withinMs: 3_000 }).then(({ kind }) => (accepted += kind === "accepted" ? 1 : 0));
    }
    await clock.advance(1_000);
  }
  t.same([...rung].sort(), clocks, "all timers rang while the storm went on");
  t.ok(accepted > RATE * 10, `${String(accepted)} commands came in`);
  await system.stop();
});

test("passivateAfterMs is a positive time and not for volatile types", (t) => {
  const { root } = counterEntity;
  t.throws(() => entityType({ root, durability: "volatile", placement: "cloud", passivateAfterMs: 1_000 }), { code: "DROVER_TYPE_INVALID" });
  for (const passivateAfterMs of [0, -1, Number.NaN])
    t.throws(() => entityType({ root, durability: "events", placement: "cloud", passivateAfterMs }), { code: "DROVER_TYPE_INVALID" });
  t.end();
});
