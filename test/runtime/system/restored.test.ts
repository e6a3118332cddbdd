// A node whose store was put back from a copy, and knows it: what it hosts goes on as new incarnations, before anything else leaves (rules T1, M1; promise S3).

import { test } from "tap";
import { setup } from "xstate";
import { decodeRecord } from "../../../runtime/entity/index.ts";
import { actorType, type AnyActorType, createSystem, entityType, messages, parseAddress, type System, task } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, type MemoryDisk, type MemoryStore, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";
import { ledgerTypes } from "./ledger.ts";
import { begin, entriesOf, LEDGER, type Node, type Nodes, twoNodes, WRITER } from "./two-nodes.ts";

async function write({ system }: Node, ...numbers: readonly number[]): Promise<void> {
  for (const n of numbers) {
    const told = await system.tell(WRITER, { type: "writer.write", to: LEDGER, n });
    if (told.kind !== "accepted") throw new Error(told.kind);
  }
}

const incarnationOf = ({ system }: Node): string => system.read(WRITER)?.incarnation ?? "";

interface PutBack {
  readonly nodes: Nodes;
  readonly ledger: Node;
  readonly disk: MemoryDisk;
  readonly left: string;
}

/** 1 and 2 are entered; 3 waits for its receiver when the copy is made; then 3, 4 and 5 are entered, of which the copy knows 3 alone. */
async function putBack(seed: number): Promise<PutBack> {
  const nodes = twoNodes(seed);
  const first = await nodes.start("a");
  const ledger = await nodes.start("b");
  await begin(first, WRITER);
  await begin(ledger, LEDGER);
  await write(first, 1, 2);
  await nodes.clock.advance(2_000);
  nodes.network.cut("a");
  await write(first, 3);
  await first.stop();
  const disk = first.disk.copy();
  nodes.network.heal("a");
  const second = await nodes.start("a", { disk: first.disk });
  await begin(second, WRITER);
  await write(second, 4, 5);
  await nodes.clock.advance(60_000);
  const left = incarnationOf(second);
  await second.stop();
  disk.putBack();
  return { nodes, ledger, disk, left };
}

test("T1, M1, S3. what a sender says whose store was put back is taken, each message once, and in its order", async (t) => {
  const { nodes, ledger, disk, left } = await putBack(1);
  t.same(entriesOf(ledger), [1, 2, 3, 4, 5]);
  const again = await nodes.start("a", { disk });
  await begin(again, WRITER);
  t.not(incarnationOf(again), left);
  await write(again, 103, 104, 105);
  await nodes.clock.advance(60_000);
  t.same(entriesOf(ledger), [1, 2, 3, 4, 5, 103, 104, 105]);
  t.equal(again.system.metrics().find(({ name, labels }) => name === "drover_outbox_messages" && labels?.["type"] === "writer")?.value, 0, "the row of before has its receipt");
  const [record] = await again.store.journal({ entity: WRITER, limit: 1, order: "oldest-first" });
  t.match(record === undefined ? undefined : decodeRecord(record.record).inputs, [{ kind: "forked", left, known: record === undefined ? 0 : record.revision - 1 }]);
  const now = incarnationOf(again);
  await again.stop();
  const restarted = await nodes.start("a", { disk });
  await begin(restarted, WRITER);
  t.equal(incarnationOf(restarted), now, "a restart opens no other one");
  await write(restarted, 106);
  await nodes.clock.advance(2_000);
  t.same(entriesOf(ledger).at(-1), 106);
  await Promise.all([restarted.stop(), ledger.stop()]);
});

test("T1, C2. killed at any moment of the change, refused, or told nothing of what became of it, nothing is given out under the old name", async (t) => {
  for (let ms = 0; ms < 8; ms++) {
    const { nodes, ledger, disk, left } = await putBack(10 + ms);
    const killed = await nodes.start("a", { disk, commitMs: 2 });
    const begun = begin(killed, WRITER).catch(() => undefined);
    await nodes.clock.advance(ms);
    killed.kill();
    await nodes.clock.advance(60_000);
    await begun;
    const again = await nodes.start("a", { disk });
    await begin(again, WRITER);
    await write(again, 103, 104);
    await nodes.clock.advance(60_000);
    t.same(entriesOf(ledger), [1, 2, 3, 4, 5, 103, 104], `killed after ${String(ms)} ms`);
    t.not(incarnationOf(again), left);
    await Promise.all([again.stop(), ledger.stop()]);
  }
  for (const fault of ["refused", "written", "not written"] as const) {
    const { nodes, ledger, disk, left } = await putBack(30);
    const again = await nodes.start("a", { disk });
    if (fault === "refused") again.store.refuseNext(WRITER, "a bad sector");
    else again.store.unknownNext({ entity: WRITER, written: fault === "written" });
    await t.rejects(begin(again, WRITER), { code: "DROVER_STORE_FAILED", message: /new incarnation of t\/writer\/a-1/ });
    await begin(again, WRITER);
    t.not(incarnationOf(again), left);
    await write(again, 103);
    await nodes.clock.advance(60_000);
    t.same(entriesOf(ledger), [1, 2, 3, 4, 5, 103], fault);
    await Promise.all([again.stop(), ledger.stop()]);
  }
});

test("T1. who only looks at what was put back changes nothing", async (t) => {
  const { disk, left } = await putBack(40);
  const store = memoryStore({ disk });
  await store.open();
  const clock = new ManualClock();
  const system = createSystem({ node: "a", types: ledgerTypes, store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  t.equal((await system.look(WRITER))?.incarnation, left);
  t.equal((await store.revisionOf(WRITER))?.incarnation, left);
  await system.stop();
});

const PUMP = parseAddress("acme/pump/a");
const shape = (states: object): never => setup({ actors: { job: task() } }).createMachine({ id: "pump", initial: "off", states } as never) as never;
const pumpProtocol = messages({ go: { body: {} } });
const made = (version: number, states: object, earlier: readonly AnyActorType[] = []): AnyActorType =>
  actorType({ name: "pump", version, messages: pumpProtocol, behaviour: shape(states), earlier });
const old = made(1, { off: { on: { go: "run" } }, run: {} });

async function pumpOn(root: AnyActorType, store: MemoryStore, clock: ManualClock, more: { readonly runs?: () => void; readonly passivateAfterMs?: number } = {}): Promise<System> {
  const { runs, passivateAfterMs } = more;
  const job = (): Promise<never> => {
    runs?.();
    return new Promise(() => undefined);
  };
  const type = entityType({
    root: root === old ? root : { ...root, tasks: { job } },
    durability: "events",
    placement: "cloud",
    ...(passivateAfterMs === undefined ? {} : { passivateAfterMs }),
  });
  const system = createSystem({ node: "n1", types: [type], store, clock, random: new SeededRandom(clock.now()), log: silentLog, versions: "raised-at-start" });
  await system.start();
  return system;
}

async function pumped(more: { readonly passivateAfterMs?: number } = {}): Promise<{ readonly clock: ManualClock; readonly disk: MemoryDisk; readonly left: string }> {
  const clock = new ManualClock();
  const store = memoryStore();
  await store.open();
  const system = await pumpOn(old, store, clock, more);
  await system.activate(PUMP, { input: undefined });
  await system.tell(PUMP, { type: "go" });
  const left = system.read(PUMP)?.incarnation ?? "";
  await system.stop();
  const disk = store.disk.copy();
  disk.putBack();
  await clock.advance(1_000);
  return { clock, disk, left };
}

for (const [title, earlier] of [
  ["is registered", [old]],
  ["is not", []],
] as const) {
  test(`T1, T3, T4. a store that is put back under a newer release: new incarnation and upgrade are one commit, and what it begins is begun once; the former version ${title}`, async (t) => {
    const { clock, disk, left } = await pumped();
    const store = memoryStore({ disk });
    await store.open();
    let runs = 0;
    const migrate = { 1: (state: unknown) => state };
    const root = { ...made(2, { off: { on: { go: "run" } }, run: { invoke: { src: "job" } } }, earlier), ...(earlier.length === 0 ? { migrate } : {}) } as AnyActorType;
    let system = await pumpOn(root, store, clock, { runs: () => runs++ });
    await system.activate(PUMP, { input: undefined });
    const { incarnation, revision } = system.read(PUMP) ?? {};
    t.not(incarnation, left);
    const records = await store.journal({ entity: PUMP, limit: 10, order: "oldest-first" });
    t.same(
      records.map(({ record }) => decodeRecord(record).inputs.map(({ kind }) => kind)),
      [["forked", "upgrade"]],
    );
    await clock.advance(10);
    t.equal(runs, 1);
    await system.stop();
    system = await pumpOn(root, store, clock, { runs: () => runs++ });
    await system.activate(PUMP, { input: undefined });
    t.match(system.read(PUMP), { incarnation, state: "run" });
    t.ok((system.read(PUMP)?.revision ?? 0) >= (revision ?? 0));
    t.equal(system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value ?? 0, 0);
    await system.stop();
  });
}

test("T1, C5. who sleeps when the store is put back goes on as a new incarnation when it is called", async (t) => {
  const { clock, disk, left } = await pumped({ passivateAfterMs: 1_000 });
  const store = memoryStore({ disk });
  await store.open();
  const system = await pumpOn(old, store, clock, { passivateAfterMs: 1_000 });
  await clock.advance(60_000);
  t.equal((await store.revisionOf(PUMP))?.incarnation, left, "nobody has called it");
  t.match(await system.tell(PUMP, { type: "go" }), { kind: /accepted|refused/ });
  t.not((await store.revisionOf(PUMP))?.incarnation, left);
  await system.stop();
});
