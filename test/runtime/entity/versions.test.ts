// States and records over the versions of their machines (rules H2, R1, T3, T4).

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";

import { actorType, type AnyActorType, effect, entityType, type EntityType, T } from "../../../runtime/actor/index.ts";
import type { EntityState, JournalRecord } from "../../../runtime/entity/contract.ts";
import { decodeRecord, decodeState, difference, encodeRecord, encodeState, restoreEntity } from "../../../runtime/entity/index.ts";
import { XSTATE_VERSION } from "../../../runtime/entity/made-by.ts";
import { root } from "../../project/checkout.ts";
import { EntityHost, ROOT, words } from "../entity-host.ts";
import { assign, machine } from "../xstate/loose.ts";

/** Version 1 counts by one, 2 by ten and has another state, 3 by a hundred and another name for the count. */
const behaviours: Readonly<Record<number, object>> = {
  1: machine({ id: "count", context: { n: 0 }, initial: "low", states: { low: {} }, on: { ADD: { actions: assign({ n: ({ context }) => context.n + 1 }) } } }),
  2: machine({ id: "count", context: { n: 0 }, initial: "middle", states: { middle: {} }, on: { ADD: { actions: assign({ n: ({ context }) => context.n + 10 }) } } }),
  3: machine({ id: "count", context: { total: 0 }, initial: "high", states: { high: {} }, on: { ADD: { actions: assign({ total: ({ context }) => context.total + 100 }) } } }),
};
const migrate = {
  1: (old: { context: { n: number } }) => ({ value: "middle", context: { n: old.context.n + 1_000 } }),
  2: (old: { context: { n: number } }) => ({ value: "high", context: { total: old.context.n + 10_000 } }),
};

function actor(version: number, earlier: readonly AnyActorType[] = [], more: object = {}): AnyActorType {
  return actorType({ name: "count", version, messages: words("ADD"), behaviour: behaviours[version] as never, migrate, earlier, ...more });
}

const typeOf = (root: AnyActorType): EntityType => entityType({ root, durability: "events", placement: "vehicle" });
const copied = (state: EntityState): EntityState => decodeState(encodeState(state));

/** A journal that three versions have written, one after the other, each from what the one before had left. */
function livedThrough(): { readonly records: readonly JournalRecord[]; readonly state: EntityState; readonly first: EntityState } {
  const records: JournalRecord[] = [];
  let first: EntityState | undefined;
  let state: EntityState | undefined;
  for (const version of [1, 2, 3]) {
    const host = new EntityHost(typeOf(actor(version)), { bare: state !== undefined });
    if (state !== undefined) {
      const restored = restoreEntity(host.type, ROOT, { snapshot: copied(state), records: [] });
      host.entity = restored.entity;
      records.push(restored.upgrade?.record as JournalRecord);
    }
    for (const id of ["a", "b"]) host.send("ADD", { id: `${String(version)}${id}` });
    records.push(...host.journal());
    state = host.entity.state();
    first ??= state;
  }
  return { records, state: state as EntityState, first: first as EntityState };
}

test("T4. replay runs the version that a record names, and goes from version to version where the records do", (t) => {
  const { records, state, first } = livedThrough();
  t.same(
    records.map(({ versions }) => versions["count"]),
    [1, 1, 1, 2, 2, 2, 3, 3, 3],
  );
  t.match(state.cells, [{ context: { total: 2 + 1_000 + 20 + 10_000 + 200 } }]);
  const all = typeOf(actor(3, [actor(1), actor(2)]));
  for (const stored of [
    { snapshot: undefined, records },
    { snapshot: copied(first), records: records.slice(3) },
  ]) {
    const { entity, divergences } = restoreEntity(all, ROOT, stored);
    t.same(divergences, [], "every record was run and came out the same");
    t.equal(difference(state.cells, entity.state().cells, ""), undefined);
  }
  t.end();
});

test("T4. a version that is registered but came out otherwise is found; one that is not registered any more is believed", (t) => {
  const { records, state } = livedThrough();
  const wrong = { ...actor(1), behaviour: machine({ id: "count", context: { n: 0 }, initial: "low", states: { low: {} }, on: { ADD: { actions: assign({ n: 77 }) } } }) as never };
  const found = restoreEntity(typeOf(actor(3, [wrong, actor(2)])), ROOT, { snapshot: undefined, records });
  t.match(found.divergences, [{ revision: 2, reason: /1 was recorded, 77 came/ }, { revision: 3 }]);
  t.equal(difference(state.cells, found.entity.state().cells, ""), undefined, "what was committed stands");
  const { entity, divergences } = restoreEntity(typeOf(actor(3, [actor(2)])), ROOT, { snapshot: undefined, records });
  t.ok(divergences.some(({ reason }) => reason.includes("made by version 1")));
  t.equal(difference(state.cells, entity.state().cells, ""), undefined);
  t.end();
});

test("T4. older versions are registered with the type whose versions they are", (t) => {
  for (const earlier of [[actor(3)], [actor(2), actor(2)], [actorType({ name: "other", version: 1, messages: words("ADD"), behaviour: behaviours[1] as never })]])
    t.throws(() => actor(3, earlier), { code: "DROVER_TYPE_INVALID", message: /earlier/ });
  t.end();
});

test("T3. a state goes through each step of migrate, and a missing step is said by its number", (t) => {
  const { first } = livedThrough();
  const { entity, upgrade } = restoreEntity(typeOf(actor(3)), ROOT, { snapshot: copied(first), records: [] });
  t.match(upgrade?.record, { inputs: [{ kind: "upgrade" }], versions: { count: 3 } }, "as a turn of its own");
  t.match(entity.view(ROOT), { version: 3, value: "high", context: { total: 2 + 1_000 + 10_000 } });
  const gap = typeOf(actorType({ name: "count", version: 3, messages: words("ADD"), behaviour: behaviours[3] as never, migrate: { 2: migrate[2] } }));
  t.throws(() => restoreEntity(gap, ROOT, { snapshot: copied(first), records: [] }), { code: "DROVER_STATE_INVALID", message: /no migrate\[1\]/ });
  t.end();
});

test("a state or record of a newer version is refused with a code of its own", (t) => {
  const { state } = livedThrough();
  t.throws(() => restoreEntity(typeOf(actor(2)), ROOT, { snapshot: copied(state), records: [] }), { code: "DROVER_STATE_NEWER", message: /version 3 of count; registered is 2/ });
  t.throws(() => decodeState(encodeState({ ...state, v: 2 as never })), { code: "DROVER_STATE_NEWER" });
  t.throws(() => decodeRecord(encodeRecord({ v: 9 } as never)), { code: "DROVER_STATE_NEWER" });
  t.end();
});

test("S9, T4. replay does nothing to the world", (t) => {
  const acting = machine({ context: {}, on: { ADD: { actions: ["paint"] } } }, { actions: { paint: effect({ class: "idempotent" }) as never } });
  let painted = 0;
  const paint = (): void => {
    painted++;
  };
  const type = entityType({
    root: actorType({ name: "acting", version: 1, messages: words("ADD"), behaviour: acting as never }).with({ effects: { paint } as never }),
    durability: "events",
    placement: "cloud",
  });
  const host = new EntityHost(type);
  host.send("ADD");
  const { key } = host.acts[0] ?? {};
  host.take({ kind: "performed", key: String(key), outcome: { kind: "done" } });
  const { entity, divergences } = restoreEntity(type, ROOT, { snapshot: undefined, records: host.journal() });
  t.same(divergences, []);
  t.equal(painted, 0);
  t.same(entity.recoveryEffects(), [], "and what was confirmed is not to be done again");
  t.end();
});

test("R1. a state says which machines, shapes and XState made it, a record by the fingerprint of that", (t) => {
  const { records, state } = livedThrough();
  t.equal(XSTATE_VERSION, (JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { dependencies: { xstate: string } }).dependencies.xstate);
  t.match(state.madeBy, { xstate: XSTATE_VERSION, types: { count: { version: 3, machine: "count", schema: /^[0-9a-f]{8}$/ } } });
  const prints = records.map(({ made }) => made);
  t.equal(new Set(prints).size, 3, "one for each version");
  t.ok(prints.every((made) => /^[0-9a-f]{8}$/.test(made ?? "")));
  t.equal(restoreEntity(typeOf(actor(3)), ROOT, { snapshot: copied(state), records: [] }).isRemade, false);
  const other = { ...actor(3), behaviour: machine({ id: "count", context: { total: 0 }, initial: "high", states: { high: {}, higher: {} }, on: {} }) as never };
  const changed = restoreEntity(typeOf(other), ROOT, { snapshot: copied(state), records: [] });
  t.equal(changed.isRemade, true, "another shape under the same version is seen");
  const replayed = restoreEntity(typeOf(other), ROOT, { snapshot: undefined, records: records.slice(-1).map((record) => ({ ...record, revision: 1 })) });
  t.match(replayed.divergences, [{ reason: /a machine was changed without a new version/ }]);
  t.end();
});

test("H2. every 32nd record carries hashes of the state, which replay, a restart and another host come to as well", (t) => {
  const type = typeOf(actor(1));
  const host = new EntityHost(type);
  for (let n = 0; n < 70; n++) host.send("ADD");
  const records = host.journal();
  t.same(
    records.filter(({ hash }) => hash !== undefined).map(({ revision }) => revision),
    [32, 64],
  );
  t.match(records[31]?.hash, { cells: /^[0-9a-f]{16}$/, rest: /^[0-9a-f]{16}$/ });
  for (const from of [0, 10, 40]) {
    const first = restoreEntity(type, ROOT, { snapshot: undefined, records: records.slice(0, from) });
    const snapshot = from === 0 ? undefined : (JSON.parse(JSON.stringify(first.entity.state())) as EntityState);
    t.same(restoreEntity(type, ROOT, { snapshot, records: records.slice(from) }).divergences, [], `from revision ${String(from)}`);
  }
  t.end();
});

test("H2. a state that every turn agrees with and that is wrong all the same is reported once, with its revision and both hashes", (t) => {
  const type = typeOf(actor(1));
  const host = new EntityHost(type);
  for (let n = 0; n < 20; n++) host.send("ADD");
  const snapshot = JSON.parse(JSON.stringify(host.entity.state())) as EntityState;
  for (let n = 0; n < 60; n++) host.send("ADD");
  const records = host.journal().slice(21);
  // Somebody else's label: no turn looks at it, so no turn differs.
  const { divergences, entity } = restoreEntity(type, ROOT, { snapshot: { ...snapshot, labels: { fleet: "other" } }, records });
  t.match(divergences, [{ revision: 32, hashes: { recorded: records.find(({ revision }) => revision === 32)?.hash, computed: { cells: /^[0-9a-f]{16}$/ } } }]);
  t.not(divergences[0]?.hashes?.computed.cells, divergences[0]?.hashes?.recorded.cells);
  t.equal(divergences[0]?.hashes?.computed.rest, divergences[0]?.hashes?.recorded.rest, "and which half of it is wrong");
  t.equal(entity.counters.divergences, 1);
  t.end();
});

test("H2. so is one whose cells are right and whose rest is not: a kept outcome, what is known of a sender, a number that was given out", (t) => {
  const type = typeOf(actor(1));
  const host = new EntityHost(type);
  for (let n = 0; n < 20; n++) host.send("ADD");
  const snapshot = JSON.parse(JSON.stringify(host.entity.state())) as EntityState;
  for (let n = 0; n < 60; n++) host.send("ADD");
  const records = host.journal().slice(21);
  const recorded = records.find(({ revision }) => revision === 32)?.hash;
  const rest = snapshot.rest as { readonly taken: readonly [readonly [string, object]] };
  const [[id, kept]] = rest.taken;
  // No turn looks at any of them again.
  for (const [title, wrong] of [
    ["another outcome of an id", { ...rest, taken: [[id, { ...kept, outcome: { kind: "refused", accepts: [] } }], ...rest.taken.slice(1)] }],
    ["an id that nobody sent", { ...rest, taken: [["never-sent", kept], ...rest.taken] }],
    ["an id that was forgotten", { ...rest, taken: rest.taken.slice(1) }],
    ["a sender that never was", { ...rest, senders: [["acme/thing/two", { incarnation: "i", seq: 4, epoch: 1, past: [], refusals: [] }]] }],
  ] as const) {
    const { divergences } = restoreEntity(type, ROOT, { snapshot: { ...snapshot, rest: wrong }, records });
    t.match(divergences, [{ revision: 32, hashes: { recorded, computed: { cells: recorded?.cells } } }], title);
    t.not(divergences[0]?.hashes?.computed.rest, recorded?.rest, title);
  }
  t.same(restoreEntity(type, ROOT, { snapshot, records }).divergences, [], "and the right one is not told");
  t.end();
});

test("the declared shape of a context: a turn that leaves another is a fault, a stored state of another is refused by its place", (t) => {
  const schema = { contextSchema: T.Object({ n: T.Integer({ maximum: 5 }) }) };
  const host = new EntityHost(typeOf(actor(1, [], schema)));
  for (let n = 0; n < 5; n++) host.send("ADD");
  t.same(host.context(), { n: 5 });
  t.match(host.send("ADD"), { kind: "faulted", error: /shape.*\/n/ });
  t.same(host.context(), { n: 5 });
  const state = new EntityHost(typeOf(actor(1))).entity.state();
  const wrong = { ...state, cells: state.cells.map((cell) => ({ ...cell, context: { n: "many" } })) };
  t.throws(() => restoreEntity(typeOf(actor(1, [], schema)), ROOT, { snapshot: copied(wrong), records: [] }), {
    code: "DROVER_STATE_INVALID",
    message: /acme\/thing\/one.*\/n/,
  });
  t.end();
});

test("H2. a large state is hashed less often, so that a turn does not pay for all of it each time", (t) => {
  const host = new EntityHost(typeOf(actor(1)));
  for (let n = 0; n < 1_100; n++) host.send("ADD");
  const records = host.journal();
  const carrying = records.filter(({ hash }) => hash !== undefined).map(({ revision }) => revision);
  t.same(carrying.slice(-3), [768, 896, 1_024], "each message leaves a row that is kept until it expires");
  t.same(restoreEntity(host.type, ROOT, { snapshot: undefined, records }).divergences, []);
  t.end();
});
