import { test } from "tap";
import { sendTo, setup } from "xstate";

import { actorType, effect, effectOutcomes, entityType, messages, parseAddress, silentLog } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";
import { workerEntity, workerRoot } from "./ledger.ts";

const W = parseAddress("t/worker/w");

interface Work {
  readonly done: string[];
  readonly keys: string[];
  /** What becomes of the next attempts. */
  result: () => Promise<void> | void;
}

function works(): Work & { readonly types: NonNullable<Parameters<typeof hosting>[0]>["types"] } {
  const work: Work = { done: [], keys: [], result: () => undefined };
  const perform =
    (name: string) =>
    async (params: { readonly n: number }, { key }: { readonly key: string }): Promise<void> => {
      work.done.push(`${name} ${String(params.n)}`);
      work.keys.push(key);
      await work.result();
    };
  const effects = { paint: perform("paint"), fire: perform("fire"), hold: perform("hold") };
  return Object.assign(work, { types: [workerEntity, workerRoot.with({ effects })] });
}

async function begun(work: ReturnType<typeof works>, from?: Hosting): Promise<Hosting> {
  const node = await hosting({ types: work.types ?? [], ...(from === undefined ? {} : { disk: from.disk, clock: from.clock }) });
  await node.system.activate(W, { input: undefined });
  return node;
}

const heard = ({ system }: Hosting): readonly { readonly type: string; readonly effect: string }[] =>
  (system.read(W)?.context as { heard: { type: string; effect: string }[] }).heard;
const order = (what: string, n: number): { type: string; what: string; n: number } => ({ type: "worker.do", what, n });

test("S2. an effect is performed after its commit, never before", async (t) => {
  const work = works();
  const node = await begun(work);
  const commit = node.store.commit.bind(node.store);
  let release: (() => void) | undefined;
  node.store.commit = (batch) => new Promise((resolve) => (release = () => void commit(batch).then(resolve)));
  const told = node.system.tell(W, order("fire", 1));
  await settle();
  t.same(work.done, []);
  release?.();
  node.store.commit = commit;
  await told;
  t.same(work.done, ["fire 1"]);
  await node.system.stop();
});

test("an effect that the node does not supply has failed, and the log says once what to do", async (t) => {
  const said: string[] = [];
  const log: typeof silentLog = { ...silentLog, warn: (_fields: object, text: string) => void said.push(text), child: () => log };
  const node = await hosting({ types: [workerEntity], log });
  await node.system.activate(W, { input: undefined });
  await node.system.tell(W, order("fire", 1));
  await node.system.tell(W, order("fire", 2));
  await settle();
  t.match(heard(node), [{ type: "effect.failed", effect: "fire" }, { type: "effect.failed" }]);
  t.same(said, ['this node does not supply the effect "fire": give the node its actor type with({ effects: { fire } })']);
  await node.system.stop();
});

test("F1. an idempotent effect is repeated under its key until it is confirmed", async (t) => {
  const work = works();
  let failures = 3;
  work.result = () => {
    if (failures-- > 0) throw new Error("not yet");
  };
  const node = await begun(work);
  await node.system.tell(W, order("paint", 1));
  await node.clock.advance(60_000);
  t.same(work.done, ["paint 1", "paint 1", "paint 1", "paint 1"]);
  t.equal(new Set(work.keys).size, 1);
  t.same(heard(node), []);
  await node.system.stop();
});

test("F1, S5. an idempotent effect that does not answer is repeated under its key; the first word counts, of whichever attempt", async (t) => {
  const work = works();
  const answers: (() => void)[] = [];
  work.result = () => new Promise((resolve) => void answers.push(resolve));
  const node = await begun(work);
  await node.system.tell(W, order("paint", 1));
  await node.clock.advance(59_000);
  t.equal(answers.length, 1);
  await node.clock.advance(4 * 61_000);
  t.ok(answers.length >= 4, `${String(answers.length)} attempts in five minutes`);
  t.equal(new Set(work.keys).size, 1);
  t.equal((await node.system.inspection.inspect(W))?.effects.length, 1, "it is not confirmed");
  answers[0]?.();
  await node.clock.advance(1_000);
  const attempts = answers.length;
  t.equal((await node.system.inspection.inspect(W))?.effects.length, 0, "the first attempt was confirmed after all");
  await node.clock.advance(600_000);
  t.equal(answers.length, attempts, "and there is no further one");
  answers.at(-1)?.();
  await node.clock.advance(1_000);
  t.same(heard(node), []);
  await node.system.stop();
  t.equal(node.clock.pending, 0);
});

test("F1, F2. how long an attempt has to answer is declared with its effect", async (t) => {
  t.throws(() => effect({ class: "once", withinMs: 0 }), { code: "DROVER_TYPE_INVALID" });
  const begun: string[] = [];
  const machine = setup({
    actions: {
      dig: effect({ class: "idempotent", withinMs: 5_000 }),
      carry: effect({ class: "idempotent", withinMs: 3_600_000 }),
      blow: effect({ class: "once", withinMs: 2_000 }),
    },
  }).createMachine({ on: { go: { actions: ["dig", "carry", "blow"] }, "effect.unknown": { actions: [] } } });
  const wait = (name: string) => (): Promise<void> => {
    begun.push(name);
    return new Promise(() => undefined);
  };
  const root = actorType({ name: "mole", version: 1, messages: messages({ go: { body: {} }, ...effectOutcomes }), behaviour: machine });
  const type = entityType({ root, durability: "events", placement: "cloud" });
  const { system, clock } = await hosting({ types: [type, root.with({ effects: { dig: wait("dig"), carry: wait("carry"), blow: wait("blow") } })] });
  await system.activate(parseAddress("t/mole/m"), { input: undefined });
  await system.tell("t/mole/m", { type: "go" });
  await clock.advance(120_000);
  const count = (name: string): number => begun.filter((each) => each === name).length;
  t.ok(count("dig") > 3, `${String(count("dig"))} attempts`);
  t.same([count("carry"), count("blow")], [1, 1]);
  t.match((await system.inspection.inspect(parseAddress("t/mole/m")))?.effects, [{ name: "dig" }, { name: "carry" }], "the once effect is unknown after 2 s");
  await system.stop();
  t.equal(clock.pending, 0);
});

test("F1, F2. a crash between commit and confirmation: idempotent goes on, once is unknown and not repeated, state is neither repeated nor told", async (t) => {
  const work = works();
  work.result = () => new Promise(() => undefined);
  const node = await begun(work);
  for (const what of ["paint", "fire", "hold"]) await node.system.tell(W, order(what, 1));
  await settle();
  t.same(work.done, ["paint 1", "fire 1", "hold 1"]);
  node.store.crash();
  work.result = () => undefined;
  const again = await begun(work, node);
  await node.clock.advance(1_000);
  t.same(work.done, ["paint 1", "fire 1", "hold 1", "paint 1"]);
  t.match(heard(again), [{ type: "effect.unknown", effect: "fire" }]);
  await again.system.stop();
  const third = await begun(work, again);
  await node.clock.advance(1_000);
  t.equal(work.done.length, 4, "what was confirmed stays so");
  t.equal(heard(third).length, 1);
  await third.system.stop();
});

test("F1. a once effect that throws has failed; told that the node stops it stays open, for recovery to call it unknown", async (t) => {
  const work = works();
  work.result = () => {
    throw new Error("jammed");
  };
  const node = await begun(work);
  await node.system.tell(W, order("fire", 1));
  await node.clock.advance(10);
  t.match(heard(node), [{ type: "effect.failed", effect: "fire", reason: "jammed" }]);
  let abort: (() => void) | undefined;
  work.result = () => new Promise((_resolve, reject) => (abort = () => reject(new Error("aborted"))));
  await node.system.tell(W, order("fire", 2));
  const stopped = node.system.stop();
  abort?.();
  await stopped;
  work.result = () => undefined;
  const again = await begun(work, node);
  await node.clock.advance(1_000);
  t.match(
    heard(again).map(({ type }) => type),
    ["effect.failed", "effect.unknown"],
  );
  t.same(work.done, ["fire 1", "fire 2"]);
  await again.system.stop();
});

test("F2. an implementation that says nothing is unknown after a minute: never silence", async (t) => {
  const work = works();
  work.result = () => new Promise(() => undefined);
  const node = await begun(work);
  await node.system.tell(W, order("fire", 1));
  await node.system.tell(W, order("hold", 1));
  await node.clock.advance(61_000);
  t.match(
    heard(node).map(({ type, effect }) => `${type} ${effect}`),
    ["effect.unknown fire", "effect.unknown hold"],
  );
  await node.system.stop();
  t.equal(node.clock.pending, 0);
});

test("C2. a turn rolled back after an unknown commit and taken again performs its effects once", async (t) => {
  const work = works();
  const node = await begun(work);
  node.store.unknownNext({ written: false });
  const told = node.system.tell(W, order("fire", 1));
  await node.clock.advance(1_000);
  t.match(await told, { kind: "accepted" });
  t.same(work.done, ["fire 1"]);
  node.store.refuseNext(W, "bad data");
  t.match(await node.system.tell(W, order("fire", 2)), { kind: "not-stored" });
  await node.clock.advance(1_000);
  t.same(work.done, ["fire 1"], "what was refused never leaves");
  await node.system.stop();
});

test("N1. after an inline action that throws, the later ones of its actor and turn are not performed, those of others are; an async one is such a fault", async (t) => {
  const done: string[] = [];
  const mark = (name: string) => () => void done.push(name);
  const kid = setup({ types: { events: {} as { type: "GO" } } }).createMachine({ on: { GO: { actions: mark("kid") } } });
  const behaviour = setup({ actors: { kid }, types: { events: {} as { type: "GO" | "LATE" } } }).createMachine({
    invoke: { src: "kid", id: "k" },
    on: {
      GO: {
        actions: [
          mark("first"),
          () => {
            throw new Error("boom");
          },
          mark("never"),
          sendTo("k", { type: "GO" }),
        ],
      },
      LATE: { actions: () => Promise.reject(new Error("nobody waits")) },
    },
  });
  const root = actorType({ name: "shaky", version: 1, messages: messages({ GO: { body: {} }, LATE: { body: {} } }), behaviour });
  const node = await hosting({ types: [entityType({ root, durability: "volatile", placement: "cloud" })] });
  const address = parseAddress("t/shaky/s");
  await node.system.activate(address, { input: undefined });
  await node.system.tell(address, { type: "GO" });
  await settle();
  t.same(done, ["first", "kid"]);
  t.match(node.system.describeEntities()[0], { lastExit: { error: "boom" } });
  await node.system.tell(address, { type: "GO" });
  await settle();
  t.same(done, ["first", "kid", "first", "kid"], "the next turn is another");
  await node.system.tell(address, { type: "LATE" });
  await settle();
  t.match(node.system.describeEntities()[0], { lastExit: { error: /returned a promise/ } });
  await node.system.stop();
});
