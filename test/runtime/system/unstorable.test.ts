// A turn that comes to no record, whatever the reason: the failure of the input it is due to, never an endless recovery.

import { setup, emit } from "xstate";
import { test } from "tap";

import { decodeRecord, decodeState, encodeRecord, encodeState } from "../../../runtime/entity/index.ts";
import { actorType, type EntityType, entityType, type EventOf, messages, parseAddress, reducer, reply, T } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { MemoryDisk } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const T1 = parseAddress("acme/thing/t1");
const protocol = messages({ "thing.bad": { body: {} }, "thing.good": { body: {} } });

/** Can be read twice, by who looks for promises and by the codec, which find nothing wrong with it, and then it cannot be written. */
const twicePlain = (): { readonly type: string } => {
  let reads = 0;
  return {
    type: "seen",
    get at() {
      if (reads++ > 1) throw new Error("read again");
      return 5;
    },
  } as { readonly type: string };
};

const thing = entityType({
  root: actorType({
    name: "thing",
    version: 1,
    messages: protocol,
    behaviour: setup({}).createMachine({ id: "thing", on: { "thing.bad": { actions: emit(twicePlain) }, "thing.good": { actions: emit({ type: "fine" }) } } }),
  }),
  durability: "events",
  placement: "cloud",
});

test("H13, A4. a turn that cannot be stored is its input's failure: tried three times, then parked with its code; what came with it is taken, and nothing is recovered", async (t) => {
  const logged: string[] = [];
  const log: Log = { ...silentLog, error: (_fields, message) => void logged.push(message), child: () => log };
  const { system, clock, disk } = await hosting({ types: [thing], log });
  await system.activate(T1, { input: undefined });
  const told = ["thing.good", "thing.bad", "thing.good"].map((type) => system.tell(T1, { type }, { id: `${type} ${String(Math.random())}` }));
  for (let at = 0; at < 5; at++) await clock.advance(100);
  t.match(await Promise.all(told), [
    { kind: "accepted", durable: "local" },
    { kind: "refused", reason: "set aside after 3 failures: its turn cannot be stored: read again" },
    { kind: "accepted", durable: "local" },
  ]);
  t.match(system.describeEntities()[0], { restarts: 3, lastExit: { reason: "failed", error: "its turn cannot be stored: read again" } });
  t.match(await system.inspection.inspect(T1), { restarts: { last: { code: "DROVER_DATA_NOT_KEPT", place: "acme/thing/t1: its message" } } });
  t.equal(new Set(logged).size, 1);
  await system.stop();

  const again = await hosting({ types: [thing], disk, clock });
  await again.system.activate(T1, { input: undefined });
  t.equal(again.system.metrics().find(({ name }) => name.includes("diverg"))?.value, 0, "its journal comes to the same");
  t.match(again.system.describeEntities()[0], { restarts: 3 });
  await again.system.stop();
});

const MIB = 1_048_576;
const sayings = messages({
  "say.much": { body: { bytes: T.Integer() } },
  "say.drop": { body: {} },
  "say.ask": { body: { bytes: T.Integer() }, reply: T.Object({ text: T.String() }) },
  "say.ok": { body: { text: T.String() } },
});
const speaking = (version: number): EntityType =>
  entityType({
    root: actorType({
      name: "thing",
      version,
      migrate: { 1: (state) => state },
      contextLimits: { maxBytes: 32 * MIB },
      messages: sayings,
      behaviour: reducer<{ readonly count: number; readonly kept: string }, EventOf<typeof sayings>>({
        initial: () => ({ count: 0, kept: "" }),
        step: (state, event, turn) => {
          if (event.type === "say.much") turn.emit({ type: "said", text: "x".repeat(event.bytes) });
          if (event.type === "say.ask") turn.send(event.replyTo, { ...reply({ text: "x".repeat(event.bytes) }) });
          return event.type === "say.drop" ? { count: state.count, kept: "" } : { ...state, count: state.count + 1 };
        },
      }),
    }),
    durability: "snapshot",
    placement: "cloud",
  });
const speaker = speaking(1);

test("S5, H13. a turn whose record no store takes is its input's failure, with a code; many that are only together too large are taken one by one", async (t) => {
  const { system } = await hosting({ types: [speaker] });
  await system.activate(T1, { input: undefined });
  const many = await Promise.all(Array.from({ length: 40 }, async () => system.tell(T1, { type: "say.ok", text: "x".repeat(MIB) })));
  t.ok(
    many.every(({ kind }) => kind === "accepted"),
    "40 MiB of messages",
  );
  t.match(await system.tell(T1, { type: "say.much", bytes: 33 * MIB }), {
    kind: "refused",
    reason: /set aside after 3 failures: its turn cannot be stored: its record would have \d+ bytes, a store takes 33554432/,
  });
  t.match(await system.inspection.inspect(T1), { restarts: { last: { code: "DROVER_ENTITY_TOO_LARGE", place: "acme/thing/t1: its message" } } });
  t.match(await system.tell(T1, { type: "say.ok", text: "x".repeat(17 * MIB) }), { kind: "invalid", problems: [{ path: "/text" }] });
  t.match(await system.tell(T1, { type: "say.ok", text: "" }), { kind: "accepted" });
  await system.stop();
});

const TOO_LARGE = "its full state is too large to be stored; its turns are stored without one until it has shrunk, and recovery takes longer";

test("S5, H13. a state that no store takes (an earlier version let it grow) stops nobody: turns are stored without it, its log says so once, and once it has shrunk it is stored again", async (t) => {
  const disk = new MemoryDisk();
  const before = await hosting({ types: [speaker], disk });
  await before.system.activate(T1, { input: undefined });
  await before.system.tell(T1, { type: "say.ok", text: "" });
  await before.system.stop();
  const stored = await before.store.load(T1);
  const state = decodeState(stored?.snapshot?.state ?? new Uint8Array());
  const large = state.cells.map((cell) => ({ ...cell, context: { count: 1, kept: "x".repeat(29 * MIB) } }));
  const revision = state.revision + 1;
  const record = decodeRecord((await before.store.journal({ entity: T1, after: 0, limit: 1, order: "newest-first" }))[0]?.record ?? new Uint8Array());
  t.match(
    await before.store.commit([
      {
        entity: T1,
        type: "thing",
        incarnation: state.incarnation,
        revision,
        epoch: 1,
        at: 1,
        record: encodeRecord({ ...record, revision }),
        snapshot: encodeState({ ...state, revision, cells: large }),
        forgetsOlder: true,
      },
    ]),
    [{ kind: "committed" }],
  );

  const logged: string[] = [];
  const log: Log = { ...silentLog, error: (_fields, message) => void logged.push(message), child: () => log };
  const { system } = await hosting({ types: [speaker], disk, log, seed: 2 });
  await system.activate(T1, { input: undefined });
  for (let at = 0; at < 5; at++) t.match(await system.ask(T1, { type: "say.ask", bytes: 900_000 }, { withinMs: 5_000 }), { kind: "replied" });
  t.same(logged, [TOO_LARGE]);
  await system.stop();
  const again = await hosting({ types: [speaking(2)], disk, log, seed: 3 });
  await again.system.activate(T1, { input: undefined });
  t.match(again.system.read(T1), { context: { count: 6 } }, "nothing that was accepted is lost, and an upgrade is no hindrance");
  t.equal(logged.filter((message) => message === TOO_LARGE).length, 2);
  t.match(await again.system.tell(T1, { type: "say.drop" }), { kind: "accepted" });
  await again.system.stop();
  const last = await again.store.load(T1);
  t.equal(last?.records.length, 0, "its state is stored again");
});
