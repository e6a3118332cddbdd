// From snapshot and journal back to the same entity (rules R1, T1, T3; promise S9).

import { test } from "tap";

import { actorType, type AnyActorType, entityType, random } from "../../../runtime/actor/index.ts";
import type { JournalRecord } from "../../../runtime/entity/contract.ts";
import { decodeRecord, difference, encodeRecord, restoreEntity } from "../../../runtime/entity/index.ts";
import { EntityHost, EPOCH, ROOT, thingType, words } from "../entity-host.ts";
import { assign, emit, machine, raise, sendTo, spawnChild, stopChild } from "../xstate/loose.ts";

const kid = machine({ context: { n: 0 }, on: { UP: { actions: assign({ n: ({ context, self }) => context.n + 1 + random(self as never) }) } } });
const busy = (step = 1) =>
  machine(
    {
      context: { n: 0, list: [] },
      initial: "a",
      states: { a: { after: { 50: "b" }, on: { GO: "b" } }, b: { entry: raise({ type: "LATE" }, { delay: 5, id: "l" }), on: { GO: "a" } } },
      on: {
        ADD: { actions: [assign({ n: ({ context }) => context.n + step }), emit(({ context }) => ({ type: "added", n: context.n }))] },
        SPAWN: { actions: assign({ list: ({ context, spawn }) => [...context.list, spawn("kid", { id: `k${String(context.list.length)}` })] }) },
        UP: { actions: sendTo(({ context }) => context.list.at(-1), { type: "UP" }) },
        STOP: { actions: stopChild(({ context }) => context.list[0]) },
        EXTRA: { actions: spawnChild("kid", { id: "extra" }) },
        LATE: { actions: assign({ n: ({ context }) => context.n + 100 }) },
      },
    },
    { actors: { kid } },
  );
const protocol = words("GO", "ADD", "SPAWN", "UP", "STOP", "EXTRA", "LATE");
const typeOf = (version = 1, step = 1, more: Partial<AnyActorType> = {}) =>
  entityType({
    root: actorType({ name: "busy", version, messages: protocol, behaviour: busy(step) as never, ...(more.migrate === undefined ? {} : { migrate: more.migrate }) }),
    durability: "events",
    placement: "vehicle",
  });

function lived(): EntityHost {
  const host = new EntityHost(typeOf(), { labels: { fleet: "north" } });
  for (const event of ["ADD", "SPAWN", "GO", "SPAWN", "UP", "EXTRA", "STOP", "UP"]) {
    host.send(event);
    host.advance(3);
  }
  return host;
}

test("S9, R1. the journal alone gives the same state; so does every snapshot with what follows it", (t) => {
  const host = lived();
  const records = host.journal();
  const full = host.entity.state();
  t.equal(records.length, host.entity.revision);
  for (let from = 0; from <= records.length; from++) {
    const first = restoreEntity(host.type, ROOT, { snapshot: undefined, records: records.slice(0, from) });
    const snapshot = from === 0 ? undefined : (JSON.parse(JSON.stringify(first.entity.state())) as ReturnType<typeof host.entity.state>);
    const { entity, divergences } = restoreEntity(host.type, ROOT, { snapshot, records: records.slice(from) });
    t.same(divergences, []);
    t.equal(difference(full, entity.state(), ""), undefined, `from revision ${String(from)}`);
  }
  t.match(full, { v: 1, entity: ROOT, type: "busy", incarnation: "history-1", labels: { fleet: "north" } });
  t.end();
});

test("S9. a source whose name looks like the path of another is restored as itself, also from a record of before names were escaped", (t) => {
  const leaf = (label: string) => machine({ context: { label }, on: { UP: { actions: emit(({ context }) => ({ type: "up", label: context.label })) } } });
  const kid = machine({ invoke: { src: "leaf", id: "leaf" }, on: { UP: { actions: sendTo("leaf", { type: "UP" }) } } }, { actors: { leaf: leaf("nested") } });
  const top = machine(
    {
      invoke: ["kid", "kid/leaf", "~1", "a~b"].map((src, at) => ({ src, id: `k${String(at)}` })),
      on: { UP: { actions: ["k0", "k1", "k2", "k3"].map((id) => sendTo(id, { type: "UP" })) } },
    },
    { actors: { kid, "kid/leaf": leaf("slashed"), "~1": leaf("tilde one"), "a~b": leaf("tilde") } },
  );
  const type = entityType({ root: actorType({ name: "busy", version: 1, messages: words("UP"), behaviour: top as never }), durability: "events", placement: "vehicle" });
  const host = new EntityHost(type);
  const state = host.entity.state();
  t.same(state.cells.map((cell) => cell.type).sort(), ["busy", "busy/a~0b", "busy/kid", "busy/kid/leaf", "busy/kid~1leaf", "busy/~01"]);
  const unescaped = JSON.parse(JSON.stringify(state).replaceAll("a~0b", "a~b").replaceAll("busy/~01", "busy/~1")) as typeof state;
  for (const kept of [state, unescaped]) {
    const { entity } = restoreEntity(type, ROOT, { snapshot: kept, records: [] });
    t.equal(difference(state, entity.state(), ""), undefined);
  }
  t.end();
});

test("R1, T3. a record holds inputs, time, seed, versions, and what came of them", (t) => {
  const host = lived();
  const [start, add] = host.journal();
  t.match(start, {
    v: 1,
    entity: ROOT,
    incarnation: "history-1",
    revision: 1,
    stamp: { now: EPOCH, elapsed: 0, seed: 1 },
    versions: { busy: 1 },
    inputs: [{ kind: "start", labels: { fleet: "north" } }],
  });
  t.match(add, { revision: 2, inputs: [{ kind: "message", event: { type: "ADD" }, sender: { kind: "outside", author: "tester" } }], results: [{ kind: "accepted" }] });
  t.match(add?.outcome, {
    cells: [{ address: ROOT, type: "busy", version: 1, status: "active", value: "a", context: { n: 1 }, accepts: ["GO", "ADD", "SPAWN", "UP", "STOP", "EXTRA", "LATE"] }],
    ended: [],
    emitted: [{ cell: ROOT, event: { type: "added", n: 1 } }],
  });
  t.same(decodeRecord(encodeRecord(add as JournalRecord)), add);
  t.match(host.journal().find((record) => record.inputs[0]?.kind === "message" && record.inputs[0].event.type === "STOP")?.outcome.ended, [`${ROOT}/~/k0`]);
  t.equal(Buffer.from(encodeRecord(add as JournalRecord)).includes("step"), false);
  t.end();
});

test("T3. where a replay differs, what was committed stands, and the difference is reported", (t) => {
  const host = lived();
  const { entity, divergences } = restoreEntity(typeOf(1, 7), ROOT, { snapshot: undefined, records: host.journal() });
  t.match(divergences, [{ revision: 2, reason: /\/cells\/0\/context\/n: 1 was recorded, 7 came/ }]);
  t.equal(difference(host.entity.state(), entity.state(), ""), undefined);
  t.equal(entity.counters.divergences, divergences.length);
  t.end();
});

test("T3. records of another version are applied as they were committed, then the state is migrated", (t) => {
  const host = lived();
  const { n } = host.context() as { n: number };
  const migrate = { 1: (old: { value: unknown; context: { n: number } }) => ({ value: old.value as never, context: { ...old.context, n: old.context.n * 1_000 } }) };
  const { entity, divergences, upgrade } = restoreEntity(typeOf(2, 7, { migrate }), ROOT, { snapshot: undefined, records: host.journal() });
  t.match(upgrade?.record, { revision: host.entity.revision + 1, versions: { busy: 2 }, inputs: [{ kind: "upgrade" }] });
  t.ok(divergences.every((divergence) => divergence.reason.includes("made by version 1")));
  t.match(entity.view(ROOT), { version: 2, value: host.value(), context: { n: n * 1_000 } });
  host.entity = entity;
  host.send("ADD");
  t.match(host.context(), { n: n * 1_000 + 7 });
  const again = restoreEntity(typeOf(2, 7, { migrate }), ROOT, { snapshot: JSON.parse(JSON.stringify(entity.state())) as never, records: [] });
  t.equal(again.upgrade, undefined);
  t.match(again.entity.view(ROOT), { context: { n: n * 1_000 + 7 } });
  t.end();
});

test("a state that no migration leads from is refused with words, and so is one of a newer version", (t) => {
  const old = new EntityHost(thingType(machine({ initial: "gone", states: { gone: {} } }), words()));
  const snapshot = old.entity.state();
  const now = (version: number) => thingType(machine({ initial: "here", states: { here: {} } }), words(), { version });
  t.throws(() => restoreEntity(now(2), ROOT, { snapshot, records: [] }), /the state "gone" of version 1 of thing is unknown to version 2, and it has no migrate\[1\]/);
  t.throws(() => restoreEntity(now(1), ROOT, { snapshot, records: [] }), /gone/);
  const newer = new EntityHost(now(3)).entity.state();
  t.throws(() => restoreEntity(now(2), ROOT, { snapshot: newer, records: [] }), /version 3/);
  t.throws(() => restoreEntity(thingType(machine({}), words(), { name: "other" }), ROOT, { snapshot, records: [] }), /no actor type is registered for "thing"/);
  t.end();
});

test("T1. the name of a history comes from what is stored", (t) => {
  const host = lived();
  t.equal(host.restart().entity.incarnation, "history-1");
  t.equal(restoreEntity(host.type, ROOT, { incarnation: "h2", snapshot: undefined, records: [] }).entity.incarnation, "h2");
  t.end();
});

test("a hole in the journal is a divergence, not a silent skip", (t) => {
  const host = lived();
  const records = host.journal().filter((record) => record.revision !== 3);
  t.match(restoreEntity(host.type, ROOT, { snapshot: undefined, records }).divergences, [{ revision: 4, reason: /does not follow 2/ }]);
  t.end();
});

test("a state with an open turn is what its commit will make", (t) => {
  const host = lived();
  const input = host.message("ADD");
  const turn = host.entity.turn([input], { now: host.now, elapsed: host.elapsed, seed: 5 });
  const open = JSON.parse(JSON.stringify(host.entity.state(turn))) as ReturnType<typeof host.entity.state>;
  host.entity.commit();
  t.equal(difference(open, JSON.parse(JSON.stringify(host.entity.state())), ""), undefined);
  t.end();
});
