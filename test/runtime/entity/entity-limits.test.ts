// What an entity may hold with all its actors together: bytes and number, and what becomes of more (promise S5; rules C1; hosting H13).

import { test } from "tap";

import type { Address } from "../../../runtime/address.ts";
import { actorType, type AnyActorType, type Durability, type EntityType, entityType, type EventOf, messages, reducer, reply, T } from "../../../runtime/actor/index.ts";
import type { CellRecord, ChildSpec, EntityState, InputResult } from "../../../runtime/entity/contract.ts";
import { createEntity, encodeState, restoreEntity } from "../../../runtime/entity/index.ts";
import { HostedEntity } from "../../../runtime/entity/entity.ts";
import { MAX_CHILDREN } from "../../../runtime/entity/index.ts";
import { anyMessages, EntityHost, ROOT, thingType } from "../entity-host.ts";
import { assign, enqueueActions, fromPromise, machine, sendTo, spawnChild, stopChild } from "../xstate/loose.ts";

const MIB = 1_048_576;
const STATE_BYTES = 32 * MIB;

const words = messages({
  keep: { body: { text: T.String() } },
  drop: { body: {} },
  arm: { body: { name: T.String(), bytes: T.Integer() } },
  say: { body: { bytes: T.Integer() }, reply: T.Object({ text: T.String() }) },
});
const keeping = reducer<readonly string[], EventOf<typeof words>>({
  initial: () => [],
  step: (state, event, turn) => {
    if (event.type === "say") turn.send(event.replyTo, { ...reply({ text: "x".repeat(event.bytes) }) });
    if (event.type === "arm") turn.arm(event.name, 3_600_000, { type: "drop", text: "x".repeat(event.bytes) });
    return event.type === "keep" ? [...state, event.text] : event.type === "drop" ? state.slice(1) : state;
  },
});
const root = actorType({ name: "thing", version: 1, messages: words, behaviour: keeping });
const partOf = (version: number): AnyActorType =>
  actorType({
    name: "part",
    version,
    messages: words,
    behaviour: keeping,
    migrate: { 1: ({ value, context }) => ({ value, context: [...(context as readonly string[]), "one more"] }) },
  });
const part = partOf(1);
const ofParts = (durability: Durability, version = 1): EntityType =>
  entityType({ root, durability, placement: "cloud", children: { part: { types: [partOf(version)], strategy: "one-for-one" } } });
const specs = (count: number): readonly ChildSpec[] => Array.from({ length: count }, (_, at) => ({ kind: "part", id: `p${String(at)}`, type: "part", input: null }));
const partAt = (at: number): Address => `${ROOT}/part/p${String(at % 10)}` as Address;

function hostOfParts(durability: Durability): EntityHost {
  const host = new EntityHost(ofParts(durability));
  host.take({ kind: "children", specs: specs(10) });
  return host;
}

/** Until one is not accepted. @returns how many were, and what became of the next */
function fill(one: (at: number) => InputResult): { readonly accepted: number; readonly last: InputResult } {
  for (let at = 0; at < 5_000; at++) {
    const last = one(at);
    if (last.kind !== "accepted") return { accepted: at, last };
  }
  return { accepted: 5_000, last: { kind: "accepted" } };
}

function interiorOf(host: EntityHost): HostedEntity["interior"] {
  if (!(host.entity instanceof HostedEntity)) throw new Error("no entity of ours");
  return host.entity.interior;
}

for (const [text, what] of [
  ["x", "ASCII"],
  ["\u20ac", "three bytes a character"],
] as const) {
  test(`S5, H13. contexts that are each within their limit are bounded together (${what}): what goes beyond is the fault of the actor that grew, and the state always fits a store`, (t) => {
    const host = hostOfParts("events");
    const { accepted, last } = fill((at) => host.send({ type: "keep", text: text.repeat(900_000 / Buffer.byteLength(text)) }, { to: partAt(at) }));
    t.equal(accepted, 24, "24 times 0.9 MB are less than 21 MiB");
    t.match(last, {
      kind: "faulted",
      code: "DROVER_ENTITY_TOO_LARGE",
      error: /the 11 actors of acme\/thing\/one would hold about 225\d{5} bytes together, the limit is 22020096; this one grew by 900\d{3}/,
      place: partAt(24),
    });
    t.match(host.effects.at(-1), { kind: "supervision", report: { context: "child_restarted", offender: partAt(24) } }, "its supervisor hears of it");
    t.ok(encodeState(host.entity.state()).byteLength < STATE_BYTES);
    const again = (): InputResult => host.send({ type: "keep", text: text.repeat(900_000 / Buffer.byteLength(text)) }, { to: partAt(7), id: "own" });
    for (let at = 0; at < 2; at++) again();
    t.match(again(), { kind: "faulted", attempt: 3, parked: true });
    t.equal(host.send({ type: "keep", text: "small" }).kind, "accepted", "everyone else goes on");
    const before = interiorOf(host).cells.bytes;
    t.same(host.restart({ by: "journal" }).divergences, [], "a replay comes to the same faults");
    t.equal(interiorOf(host).cells.bytes, before);
    host.restart({ by: "bytes" });
    t.equal(interiorOf(host).cells.bytes, before, "what a restored entity holds is known");
    t.equal(host.send({ type: "keep", text: text.repeat(900_000 / Buffer.byteLength(text)) }, { to: partAt(3) }).kind, "faulted");
    t.equal(host.send("drop", { to: partAt(4) }).kind, "accepted");
    t.equal(host.send({ type: "keep", text: text.repeat(900_000 / Buffer.byteLength(text)) }, { to: partAt(3) }).kind, "accepted", "what one has given up another may take");
    host.take({ kind: "children", specs: specs(5) });
    t.ok(interiorOf(host).cells.bytes < 13 * MIB, "those that have gone hold nothing");
    t.end();
  });
}

test("S5. actors and tables share what a store takes, and neither takes what the other must have", (t) => {
  const host = hostOfParts("events");
  fill((at) => host.send({ type: "keep", text: "x".repeat(900_000) }, { to: partAt(at) }));
  const replies = fill(() => host.send({ type: "say", bytes: 900_000 }));
  t.ok(replies.accepted >= 6, `${String(replies.accepted)} replies of 0.9 MB have room beside them`);
  t.equal(replies.last.kind, "full");
  const armed = fill((at) => host.send({ type: "arm", name: `t${String(at)}`, bytes: 900_000 }));
  t.match(armed.last, { kind: "faulted" }, `${String(armed.accepted)} timers have room too`);
  t.ok(interiorOf(host).rest.bytes <= 10 * MIB, `tables of ${String(interiorOf(host).rest.bytes)} bytes`);
  t.ok(encodeState(host.entity.state()).byteLength < STATE_BYTES);
  t.equal(host.send("drop", { to: partAt(0) }).kind, "accepted", "what makes it shrink is taken");
  t.end();
});

test("S5. actors of a volatile entity are bounded together too, at the rhythm in which they are measured", (t) => {
  const host = hostOfParts("volatile");
  for (let at = 0; at < 250; at++) host.send({ type: "keep", text: "x".repeat(200_000) }, { to: partAt(at) });
  const kept = Array.from({ length: 10 }, (_, at) => (host.context(partAt(at)) as readonly string[]).length).reduce((sum, one) => sum + one, 0);
  t.ok(kept > 100 && kept < 112, `${String(kept)} texts of 0.2 MB are kept`);
  t.match(host.results.at(-1), { kind: "faulted", code: "DROVER_ENTITY_TOO_LARGE" });
  t.equal(host.send("drop", { to: partAt(0) }).kind, "accepted");

  const small = new EntityHost(ofParts("volatile"));
  small.take({ kind: "children", specs: specs(200) });
  const grown = fill((at) => small.send({ type: "keep", text: "x".repeat(220_000) }, { to: `${ROOT}/part/p${String(at % 200)}` as Address }));
  t.match(grown.last, { kind: "faulted", code: "DROVER_ENTITY_TOO_LARGE" });
  t.ok(grown.accepted < 100 + 64, `${String(grown.accepted)} actors have 0.2 MB each, none of them large`);
  for (let at = 0; at < 50; at++) small.send({ type: "keep", text: "x".repeat(220_000) }, { to: `${ROOT}/part/p${String(100 + at)}` as Address });
  t.match(new Set(small.results.slice(-50).map(({ kind }) => kind)), new Set(["faulted"]), "from then on each turn is measured");
  t.end();
});

test("S5. an entity that an earlier version let grow beyond its bound comes up, goes on, and may shrink; it does not grow", (t) => {
  const begun = hostOfParts("events");
  const state = begun.entity.state();
  const large = (cell: CellRecord): CellRecord => (cell.type === "part" ? { ...cell, context: ["x".repeat(MIB), "x".repeat(MIB), "x".repeat(MIB)] } : cell);
  const host = new EntityHost(ofParts("events"), { bare: true });
  host.entity = restoreEntity(host.type, ROOT, { snapshot: { ...state, cells: state.cells.map(large) }, records: [] }).entity;
  t.ok(interiorOf(host).cells.bytes > 30 * MIB);
  t.equal(host.send("drop", { to: partAt(0) }).kind, "accepted");
  t.match(host.send({ type: "keep", text: "x" }), { kind: "faulted", code: "DROVER_ENTITY_TOO_LARGE" });
  for (let at = 0; at < 10; at++) t.equal(host.send("drop", { to: partAt(at) }).kind, "accepted");
  t.equal(host.send({ type: "keep", text: "x" }).kind, "accepted");

  const upgraded = restoreEntity(ofParts("events", 2), ROOT, { snapshot: { ...state, cells: state.cells.map(large) }, records: [] });
  t.equal(upgraded.upgrade?.revision, state.revision + 1, "an upgrade that makes it grow is no hindrance");
  t.end();
});

test("S5. what an actor is reckoned at is never less than what its record takes, whatever it holds, and not much more where that is large", (t) => {
  const values: Readonly<Record<string, () => unknown>> = {
    doubles: () => Array.from({ length: 5_000 }, (_, at) => at + 0.5),
    "large whole numbers": () => Array.from({ length: 5_000 }, (_, at) => at + 2 ** 40),
    "numbers that JSON has not": () => Array.from({ length: 500 }, (_, at) => [Number.NaN, -0, Number.NEGATIVE_INFINITY][at % 3]),
    "texts of every width": () => Array.from({ length: 2_000 }, (_, at) => ["a", "\u00e9", "\u20ac", "\u{1f600}", "\ud800"][at % 5]?.repeat(at % 70)),
    keys: () => Object.fromEntries(Array.from({ length: 3_000 }, (_, at) => [`$\u20ac\u00e9${String(at)}`, at % 2 === 0])),
    nothing: () => Array.from({ length: 1_000 }, () => undefined),
    errors: () => Array.from({ length: 300 }, (_, at) => Object.assign(new RangeError("\u20ac".repeat(at)), { code: "E", at })),
    "small lists": () => Array.from({ length: 3_000 }, (_, at) => [at % 3, null, {}]),
  };
  const kid = machine({ id: "kid", initial: "\u20ac", states: { "\u20ac": { on: { X: "b" } }, b: {} } });
  for (const [what, value] of Object.entries(values)) {
    const behaviour = machine(
      {
        id: "m",
        context: { kept: null, refs: [] },
        type: "parallel",
        states: { one: { initial: "a", states: { a: { on: { GO: "b" } }, b: {} } }, two: {} },
        on: {
          GO: {
            actions: [
              spawnChild("kid", { id: "k\u20ac", systemId: "s\u20ac" }),
              assign({ kept: value, refs: ({ self }: { self: unknown }) => Array.from({ length: 50 }, () => self) }),
            ],
          },
        },
      },
      { actors: { kid } },
    );
    const host = new EntityHost(thingType(behaviour, anyMessages()));
    t.equal(host.send("GO").kind, "accepted", what);
    const { cells } = interiorOf(host);
    const written = encodeState({ ...host.entity.state(), rest: {} }).byteLength - encodeState({ ...host.entity.state(), rest: {}, cells: [] }).byteLength;
    t.ok(cells.bytes >= written, `${what}: reckoned at ${String(cells.bytes)}, written as ${String(written)}`);
    t.ok(cells.bytes < 6 * written + 2_048, `${what}: reckoned at ${String(cells.bytes)}, written as ${String(written)}`);
  }
  t.end();
});

let begun = 0;
const kidLogic = machine({ id: "kid", context: () => ({ at: ++begun }), on: { END: "#kid.end" }, initial: "on", states: { on: {}, end: { type: "final" } } });
const spawning = machine(
  {
    id: "m",
    context: { made: 0 },
    on: {
      SPAWN: {
        actions: enqueueActions(({ enqueue, event, context }) => {
          for (let at = 0; at < event.count; at++) enqueue(spawnChild("kid", { id: `k${String(context.made + at)}` }));
          enqueue(assign({ made: context.made + (event.count as number) }));
        }),
      },
      STOP: { actions: stopChild(({ event }) => event.id as string) },
      END: { actions: sendTo("k0", { type: "END" }) },
      OK: { actions: assign({ made: ({ context }) => context.made as number }) },
    },
  },
  { actors: { kid: kidLogic } },
);

for (const durability of ["events", "volatile"] as const) {
  test(`C1. an entity has at most 1,000 children, those that machines make with those of its configuration (${durability}): one more is the fault of who asked for it, at once`, (t) => {
    const type = entityType({
      root: actorType({ name: "thing", version: 1, messages: anyMessages() as never, behaviour: spawning as never }),
      durability,
      placement: "cloud",
      children: { part: { types: [part], strategy: "one-for-one" } },
    });
    const host = new EntityHost(type);
    const fault = { kind: "faulted", code: "DROVER_ENTITY_TOO_LARGE", error: /acme\/thing\/one has \d+ children, and at most 1000/, place: `${ROOT} in {} on "SPAWN"` };
    begun = 0;
    t.match(host.send({ type: "SPAWN", count: 20_000 }), fault);
    t.ok(begun <= 2 * MAX_CHILDREN, `${String(begun)} were begun, each at most twice`);
    t.match(host.send({ type: "SPAWN", count: MAX_CHILDREN + 1 }), fault);
    host.take({ kind: "children", specs: specs(10) });
    t.match(host.send({ type: "SPAWN", count: MAX_CHILDREN - 9 }), fault);
    t.equal(host.send({ type: "SPAWN", count: MAX_CHILDREN - 10 }).kind, "accepted");
    t.match(host.send({ type: "SPAWN", count: 1 }), fault);
    t.match(host.take({ kind: "children", specs: specs(11) }), [
      { kind: "invalid", problems: [{ path: "", message: /11 children are wanted beside 990 that its actors have made, an entity has at most 1000/ }] },
    ]);
    t.equal(host.send("OK").kind, "accepted");
    host.send("END");
    t.match(host.send({ type: "SPAWN", count: 1 }), fault, "one that is done counts while it is listed");
    t.equal(host.send({ type: "STOP", id: "k0" }).kind, "accepted");
    t.equal(host.send({ type: "SPAWN", count: 1 }).kind, "accepted", "one that was stopped makes room");
    t.equal(host.take({ kind: "children", specs: specs(9) })[0]?.kind, "accepted");
    t.equal(host.send({ type: "SPAWN", count: 1 }).kind, "accepted");
    t.match(host.send({ type: "SPAWN", count: 1 }), fault);
    t.end();
  });
}

test("C1. a child that makes children in its first step has no other bound than its entity", (t) => {
  begun = 0;
  const nest = machine({ id: "nest", entry: Array.from({ length: 600 }, (_, at) => spawnChild("kid", { id: `k${String(at)}` })) }, { actors: { kid: kidLogic } });
  const many = machine(
    { id: "m", on: { GO: { actions: Array.from({ length: 50 }, (_, at) => spawnChild("nest", { id: `n${String(at)}` })) }, OK: { actions: assign({}) } } },
    { actors: { nest } },
  );
  const host = new EntityHost(thingType(many, anyMessages()));
  host.send("GO");
  t.ok(interiorOf(host).cells.size <= MAX_CHILDREN + 1, `${String(interiorOf(host).cells.size)} actors`);
  t.ok(begun <= 2 * 2 * 5 * MAX_CHILDREN, `${String(begun)} were begun`);
  t.equal(host.send("OK").kind, "accepted");
  t.end();
});

test("C1, R1. an entity with more children than that, of an earlier version, comes up, goes on, and may lose them", (t) => {
  const first = new EntityHost(thingType(spawning, anyMessages()));
  first.send({ type: "SPAWN", count: 2 });
  const state = first.entity.state();
  const kids = state.cells.filter(({ address }) => address !== ROOT);
  const model = kids[0] as CellRecord;
  const more = Array.from({ length: 1_400 }, (_, at) => ({
    ...model,
    address: `${ROOT}/~/m${String(at)}` as Address,
    incarnation: 10 + at,
    inner: { ...(model.inner as object), id: `m${String(at)}` },
  }));
  const cells = state.cells.map((cell) => {
    if (cell.address !== ROOT) return cell;
    const inner = cell.inner as { readonly children: readonly unknown[] };
    const refs = more.map(({ address, incarnation }) => [address.slice(address.lastIndexOf("/") + 1), { $ref: { cell: address, incarnation, parent: cell.incarnation } }]);
    return { ...cell, inner: { ...inner, children: [...inner.children, ...refs] } };
  });
  const tables = state.rest as Readonly<Record<string, readonly (readonly [string, unknown])[]>>;
  const counters = (tables["counters"] ?? []).map(([name, count]) => (name === "incarnation" ? [name, 10_000] : [name, count]));
  const old: EntityState = { ...state, cells: [...cells, ...more] as readonly CellRecord[], rest: { ...tables, counters } };
  const host = new EntityHost(thingType(spawning, anyMessages()), { bare: true });
  host.entity = restoreEntity(host.type, ROOT, { snapshot: old, records: [] }).entity;
  t.equal(interiorOf(host).cells.size, 1_403);
  t.equal(host.send("OK", { id: "own1" }).kind, "accepted");
  t.match(host.send({ type: "SPAWN", count: 1 }, { id: "own2" }), { kind: "faulted", code: "DROVER_ENTITY_TOO_LARGE" });
  t.equal(host.send({ type: "STOP", id: "m7" }, { id: "own3" }).kind, "accepted");
  t.equal(interiorOf(host).cells.size, 1_402);
  t.end();
});

test("S5. an input of more than 16 MiB is not taken, and is the failure of the source that said it; inputs of children are bounded together", async (t) => {
  const said = fromPromise(() => Promise.resolve("x".repeat(17 * MIB)));
  const asking = machine(
    {
      id: "m",
      context: { heard: null },
      invoke: { src: "said", onDone: { actions: assign({ heard: "all" }) }, onError: { actions: assign({ heard: ({ event }) => event.error.message as string }) } },
    },
    { actors: { said } },
  );
  const host = new EntityHost(thingType(asking, anyMessages()));
  await host.tick(2);
  t.match(host.context(), { heard: /what the source said cannot be kept: about 178\d+ bytes are more than the 16777216 that an input may have/ });
  const parts = hostOfParts("events");
  t.match(parts.send({ type: "keep", text: "\u20ac".repeat(6 * MIB) }), { kind: "invalid", problems: [{ path: "/text", message: /beyond the 16777216 bytes/ }] });
  const heavy = (count: number, bytes: number): readonly ChildSpec[] => specs(count).map((spec) => ({ ...spec, input: "x".repeat(bytes) }));
  t.match(parts.take({ kind: "children", specs: heavy(5, MIB) }), [
    { kind: "invalid", problems: [{ message: /their inputs have about 5242\d+ bytes together, at most 4194304 are kept/ }] },
  ]);
  t.equal(parts.take({ kind: "children", specs: heavy(4, 1_000_000) })[0]?.kind, "accepted");
  const bare = createEntity(ofParts("events"), ROOT, "history-1");
  t.match(bare.turn([{ kind: "start", input: "x".repeat(17 * MIB), labels: {} }], { now: 0, elapsed: 0, seed: 1 }).results, [{ kind: "invalid" }]);
  t.end();
});
