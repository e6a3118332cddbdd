// Upgrades on a node: committed before anything else, done once, also for who sleeps (rules C2, C5, T3, T4; promises S2, S7).

import { test } from "tap";
import { setup } from "xstate";

import { actorType, type AnyActorType, createSystem, entityType, messages, parseAddress, type System, task } from "../../../runtime/index.ts";
import { type CommitOutcome, silentLog, type Store } from "../../../runtime/ports/index.ts";
import { ManualClock, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const A = parseAddress("acme/pump/a");
const protocol = messages({ go: { body: {} } });
const shape = (states: object): never => setup({ delays: { D: 1_000 }, actors: { job: task() } }).createMachine({ id: "pump", initial: "off", states } as never) as never;
const made = (version: number, states: object, earlier: readonly AnyActorType[] = []): AnyActorType =>
  actorType({ name: "pump", version, messages: protocol, behaviour: shape(states), earlier });

const first = made(1, { off: { on: { go: "run" } }, run: {}, gone: {} });
const second = made(2, { off: { on: { go: "run" } }, run: { after: { D: "gone" }, invoke: { src: "job" } }, gone: {} }, [first]);

async function systemOf(
  root: AnyActorType,
  { clock, store, passivateAfterMs, job }: { readonly clock: ManualClock; readonly store: Store; readonly passivateAfterMs?: number; readonly job?: () => unknown },
): Promise<System> {
  const type = entityType({
    root: root.name === "pump" && job !== undefined ? { ...root, tasks: { job } } : root,
    durability: "events",
    placement: "cloud",
    ...(passivateAfterMs === undefined ? {} : { passivateAfterMs }),
  });
  const system = createSystem({ node: "n1", types: [type], store, clock, random: new SeededRandom(1), log: silentLog, versions: "raised-at-start" });
  await system.start();
  return system;
}

/** A node of version 1 on which the pump runs; stopped again. */
async function lived(passivateAfterMs?: number): Promise<{ readonly clock: ManualClock; readonly store: Store }> {
  const clock = new ManualClock();
  const store = memoryStore();
  await store.open();
  const system = await systemOf(first, { clock, store, ...(passivateAfterMs === undefined ? {} : { passivateAfterMs }) });
  await system.activate(A, { input: undefined });
  await system.tell(A, { type: "go" });
  await system.stop();
  return { clock, store };
}

test("S2, C2. an upgrade that the store does not take leaves nothing: nothing of it is done, the activation says so with a code, and the next one begins it again", async (t) => {
  const { clock, store } = await lived();
  let runs = 0;
  const answers: CommitOutcome[] = [
    { kind: "refused", reason: "no room", passing: true },
    { kind: "unknown", reason: "no answer" },
  ];
  const failing = new Proxy(store, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (key !== "commit" || answers.length === 0) return typeof value === "function" ? (value.bind(target) as unknown) : value;
      return () => Promise.resolve([answers.shift()]);
    },
  });
  const system = await systemOf(second, { clock, store: failing, job: () => new Promise(() => runs++) });
  for (const outcome of ["refused", "unknown"])
    await t.rejects(system.activate(A, { input: undefined }), { code: "DROVER_STORE_FAILED", message: new RegExp(`upgrade of ${A}.*${outcome}`) });
  t.equal(runs, 0);
  t.match(await store.revisionOf(A), { revision: 2 });
  await system.activate(A, { input: undefined });
  t.equal(runs, 1);
  t.match(await store.revisionOf(A), { revision: 3 }, "one record");
  t.match(await system.history(A, { limit: 1, order: "newest-first" }), { items: [{ revision: 3, inputs: [{ type: "(upgrade)" }] }] });
  await system.stop();
  const again = await systemOf(second, { clock, store, job: () => new Promise(() => runs++) });
  await again.activate(A, { input: undefined });
  t.match(await store.revisionOf(A), { revision: 3 }, "once");
  await clock.advance(1_000);
  t.equal(again.read(A)?.state, "gone");
  await again.stop();
});

test("S7, C5. an entity out of memory that nobody calls is upgraded at the start, so that what its state waits for now comes; once for each version", async (t) => {
  const { clock, store } = await lived(5_000);
  const woken = await systemOf(second, { clock, store, passivateAfterMs: 5_000, job: () => new Promise(() => undefined) });
  await clock.advance(1_000);
  t.match(await woken.look(A), { state: "gone", version: 2 });
  await clock.advance(20_000);
  await woken.stop();
  const revision = (await store.revisionOf(A))?.revision;
  const again = await systemOf(second, { clock, store, passivateAfterMs: 5_000, job: () => new Promise(() => undefined) });
  await clock.advance(1_000);
  t.same(again.describeEntities(), [], "nobody is woken for nothing");
  t.equal((await store.revisionOf(A))?.revision, revision);
  await again.stop();
});

test("S5. a stop does not wait for an upgrade that no store takes, and what the store says of it afterwards brings nobody", async (t) => {
  const { clock, store } = await lived();
  const system = await systemOf(second, { clock, store });
  let answer: ((outcomes: readonly CommitOutcome[]) => void) | undefined;
  store.commit = () =>
    new Promise((resolve) => {
      answer = resolve;
    });
  const activated = system.activate(A, { input: undefined }).then(
    () => "activated",
    (error: unknown) => (error as { readonly code?: string }).code,
  );
  const stopped = system.stop();
  await clock.advance(5_000);
  await stopped;
  t.equal(await activated, "DROVER_STORE_FAILED");
  answer?.([{ kind: "committed" }]);
  await clock.advance(1_000);
  t.same(system.describeEntities(), []);
  t.equal(clock.pending, 0);
});
