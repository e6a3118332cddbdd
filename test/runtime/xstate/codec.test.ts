// Live data to plain data and back (hosting H8).

import { test } from "tap";

import { decodeState, encodeState, readBackProblem, restoreEntity } from "../../../runtime/entity/index.ts";
import type { Address } from "../../../runtime/address.ts";
import { type CodecHost, CellRef, decodeData, encodeData, encodeTold, ForeignRef, NotCarried, shownData } from "../../../runtime/xstate/index.ts";
import { anyMessages, EntityHost, ROOT, thingType, words } from "../entity-host.ts";
import { hostOf, rootOf } from "./differential.ts";
import { assign, machine, sendTo, stopChild } from "./loose.ts";

const host: CodecHost = {
  isLenient: false,
  refOf: () => {
    throw new Error("no cells here");
  },
  machineOf: () => undefined,
  typeOf: () => undefined,
};
const lenient: CodecHost = { ...host, isLenient: true };
const wire = (value: unknown): unknown => decodeData(JSON.parse(JSON.stringify(encodeData(value, host))), host);

test("H8. what JSON lacks is carried: undefined, infinities, NaN, minus zero, errors", (t) => {
  const back = wire({ u: undefined, list: [undefined, null], i: Number.POSITIVE_INFINITY, j: Number.NEGATIVE_INFINITY, n: Number.NaN, z: -0, zero: 0 }) as Record<string, unknown>;
  t.ok("u" in back && back["u"] === undefined);
  t.same(back["list"], [undefined, null]);
  t.equal(back["i"], Number.POSITIVE_INFINITY);
  t.equal(back["j"], Number.NEGATIVE_INFINITY);
  t.ok(Number.isNaN(back["n"]) && Object.is(back["z"], -0) && Object.is(back["zero"], 0));
  const error = wire(Object.assign(new RangeError("far"), { code: "E_FAR" })) as Error & { code: string };
  t.match(error, { name: "RangeError", message: "far", code: "E_FAR", stack: "RangeError: far" });
  t.ok(error instanceof RangeError);
  const told = decodeData(encodeTold(Object.assign(new RangeError("far"), { code: "E_FAR", run: () => 1 }), host), host) as Error;
  t.match(told, { name: "RangeError", message: "far", code: "E_FAR" });
  t.ok(!("run" in told));
  t.end();
});

test("H8, R2. an object without a prototype comes back as one, empty or not, also in what else is carried by a mark", (t) => {
  const bare = (fields: object): object => Object.assign(Object.create(null) as object, fields);
  const isBare = (value: unknown): boolean => Object.getPrototypeOf(value) === null;
  const back = wire({ empty: bare({}), full: bare({ a: 1, $bare: bare({ list: [bare({ z: -0 })] }) }), plain: {} }) as Record<string, Record<string, unknown>>;
  t.same([back["empty"], back["full"], back["plain"]].map(isBare), [true, true, false]);
  const inside = back["full"]?.["$bare"] as { readonly list: readonly { readonly z: number }[] };
  t.ok(isBare(inside) && isBare(inside.list[0]) && Object.is(inside.list[0]?.z, -0));
  t.same(Object.keys(back["full"] ?? {}), ["a", "$bare"]);
  t.same(shownData(encodeData({ dictionary: bare({ a: bare({ b: undefined }) }) }, host)), { dictionary: { a: {} } });
  t.throws(() => encodeData({ a: bare({ b: new Map() }) }, host), { name: "NotCarried", path: "/a/b" });

  const seen = assign(({ context, event }) =>
    ((event as { key?: string }).key ?? "") in context.dictionary ? {} : { dictionary: bare({ ...context.dictionary, [event.key]: 1 }), fresh: context.fresh + 1 },
  );
  const one = new EntityHost(thingType(machine({ context: () => ({ dictionary: bare({}), fresh: 0 }), on: { see: { actions: seen } } }), anyMessages()));
  one.send({ type: "see", key: "kiwi" });
  t.equal(readBackProblem(one.entity), undefined);
  one.restart();
  for (const key of ["kiwi", "constructor"]) one.send({ type: "see", key });
  t.equal((rootOf(one).context as { fresh: number }).fresh, 2, "as without a restart");
  t.end();
});

test("H8. keys of authors' data that look like the codec's are escaped, so that no message forges a ref", (t) => {
  const forged = { $ref: { cell: ROOT, incarnation: 1, parent: 0 }, $$ref: 1, $undefined: true, $: 2, nested: [{ $number: "NaN" }, { $error: { name: "x", message: "y" } }] };
  t.same(wire(forged), forged);
  t.equal(typeof (wire({ $undefined: true }) as { $undefined: boolean }).$undefined, "boolean");
  const one = new EntityHost(thingType(machine({ context: { kept: null }, on: { put: { actions: assign({ kept: ({ event }) => event }) } } }), anyMessages()));
  one.send({ type: "put", $ref: { cell: ROOT, incarnation: 1, parent: 0 } });
  one.restart();
  const { kept } = rootOf(one).context as { kept: { $ref: unknown } };
  t.notOk(CellRef.is(kept.$ref as object));
  t.same(kept, { type: "put", $ref: { cell: ROOT, incarnation: 1, parent: 0 } });
  t.end();
});

test("H8. the same object comes back where nothing needs a change", (t) => {
  const plain = { a: [1, { b: "x" }], c: null };
  t.equal(encodeData(plain, host), plain);
  t.equal(decodeData(plain, host), plain);
  const mixed = { same: { a: 1 }, odd: undefined };
  t.equal((encodeData(mixed, host) as typeof mixed).same, mixed.same);
  t.end();
});

test("H8. what is not carried is refused with its path; a volatile actor's is shown as lost", (t) => {
  const circular: Record<string, unknown> = {};
  circular["self"] = [circular, circular];
  for (const [bad, path] of [
    [{ a: [1, () => 2] }, "/a/1"],
    [{ a: new Map() }, "/a"],
    [{ a: { b: 1n } }, "/a/b"],
    [{ a: Symbol("x") }, "/a"],
    [{ a: new Date(0) }, "/a"],
    [JSON.parse('{"a":{"__proto__":{"x":1}}}'), "/a/__proto__"],
  ] as const) {
    t.throws(() => encodeData(bad, host), { name: "NotCarried", path });
    t.doesNotThrow(() => JSON.stringify(encodeData(bad, lenient)));
  }
  t.throws(() => encodeData(circular, host), { message: /contains itself/ });
  t.ok(encodeData({ m: new Map() }, lenient));
  t.equal(decodeData({ $lost: "an instance of Map" }, host), undefined);
  t.throws(() => decodeData({ $what: 1 }, host), /unknown tag/);
  t.ok(new NotCarried("/a", "x").message.startsWith("/a is x"));
  t.end();
});

test("H8. data that cannot be kept faults the input that made it, with the path", (t) => {
  const one = new EntityHost(
    thingType(
      machine({ context: { a: { b: 0 } as never }, on: { bad: { actions: assign({ a: () => ({ b: new Map() }) }) }, good: { actions: assign({ a: { b: 1 } as never }) } } }),
      words("bad", "good"),
    ),
  );
  t.match(one.send("bad"), { kind: "faulted", error: /^context\/a\/b is an instance of Map/ });
  t.same(one.context(), { a: { b: 0 } });
  t.same(one.send("good"), { kind: "accepted" });
  t.end();
});

test("H8. refs of other actors and of who wants an answer survive", (t) => {
  for (const destination of [
    { kind: "actor", address: "a/b/c" },
    { kind: "outside-reply", id: "m1" },
    { kind: "entity-reply", entity: "a/b/c", key: "k" },
    { kind: "nobody" },
  ] as const) {
    const back = wire({ to: new ForeignRef(destination) }) as { to: ForeignRef };
    t.ok(back.to instanceof ForeignRef);
    t.same(back.to.destination, destination);
  }
  t.end();
});

const choosy = machine({
  type: "parallel",
  context: { log: [] },
  states: {
    10: { initial: "a", states: { a: { on: { GO: "b" } }, b: { always: { guard: ({ context }) => context.log.length > 0, target: "#c1" } } } },
    x: { initial: "a", states: { a: { on: { SWAP: { target: "a", reenter: true } } } } },
    2: { initial: "a", states: { a: { id: "c1" }, z: {} } },
  },
  on: { LOG: { actions: assign({ log: ({ context, event }) => [...context.log, event.type] }) } },
});

test("H8. the order of the active nodes is kept, however a store orders keys", (t) => {
  const one = hostOf(choosy);
  one.send("SWAP");
  one.send("GO");
  const nodes = (of: EntityHost): readonly string[] => (rootOf(of) as unknown as { _nodes: { id: string }[] })._nodes.map((node) => node.id);
  const before = nodes(one);
  const value = JSON.stringify(one.value());
  const reorder = (plain: unknown): unknown =>
    Array.isArray(plain)
      ? plain.map(reorder)
      : typeof plain === "object" && plain !== null
        ? Object.fromEntries(
            Object.entries(plain)
              .sort(([a], [b]) => (a < b ? 1 : -1))
              .map(([key, item]) => [key, reorder(item)]),
          )
        : plain;
  const { entity } = restoreEntity(one.type, one.address, { snapshot: reorder(JSON.parse(JSON.stringify(one.entity.state()))) as never, records: [] });
  one.entity = entity;
  t.same(nodes(one), before);
  t.equal(JSON.stringify(one.value()), value);
  t.end();
});

test("H8. history is restored, also of states whose ids contain dots", (t) => {
  const one = hostOf(
    machine({
      id: "m.with.dots",
      initial: "on",
      states: {
        on: {
          id: "on.here",
          initial: "p",
          states: {
            p: { on: { N: "q" } },
            q: { id: "deep.er", initial: "q1", states: { q1: { on: { N: "q2" } }, q2: { id: "q.2" } } },
            hist: { type: "history", history: "deep" },
          },
          on: { OUT: "off" },
        },
        off: { on: { IN: "on.hist" } },
      },
    }),
  );
  for (const event of ["N", "N", "OUT"]) one.send(event);
  one.restart();
  one.send("IN");
  t.same(one.value(), { on: { q: "q2" } });
  t.end();
});

test("H8. a snapshot of a child that was kept in context survives", (t) => {
  const kid = machine({ context: { n: 1 }, initial: "a", states: { a: { on: { GO: "b" } }, b: {} } });
  const one = new EntityHost(
    thingType(
      machine(
        {
          context: { last: null },
          invoke: { src: "kid", id: "k", onSnapshot: { actions: assign({ last: ({ event }) => event.snapshot }) } },
          on: { GO: { actions: sendTo("k", { type: "GO" }) } },
        },
        { actors: { kid } },
      ),
      words("GO"),
    ),
  );
  one.send("GO");
  one.restart();
  const { last } = rootOf(one).context as { last: { value: unknown; matches(value: string): boolean } };
  t.equal(last.value, "b");
  t.ok(last.matches("b"));
  t.same(one.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("H8. finished and failed children stay as finished with their last snapshot", (t) => {
  const fin = machine({ context: { n: 5 }, initial: "f", states: { f: { type: "final" } }, output: ({ context }) => context.n });
  const one = new EntityHost(
    thingType(
      machine(
        {
          context: ({ spawn }) => ({ k: spawn("fin", { id: "k" }), got: null }),
          on: { "xstate.done.actor.k": {}, LOOK: { actions: assign({ got: ({ context }) => context.k.getSnapshot().output }) } },
        },
        { actors: { fin } },
      ),
      words("LOOK"),
    ),
  );
  one.restart({ by: "bytes" });
  one.send("LOOK");
  t.match(one.context(), { got: 5 });
  t.match(one.entity.view(`${ROOT}/~/k` as Address), { status: "done", output: 5, context: { n: 5 } });
  t.end();
});

test("H8. what a ref of a stopped child shows is the same before and after a restart", (t) => {
  const kid = machine({ context: { n: 1 } });
  const parent = machine(
    {
      context: { k: null, got: null },
      on: {
        NEW: { actions: assign({ k: ({ spawn }) => spawn("kid", { id: "k" }) }) },
        STOP: { actions: stopChild(({ context }) => context.k) },
        LOOK: { actions: assign({ got: ({ context }) => context.k.getSnapshot() }) },
      },
    },
    { actors: { kid } },
  );
  const one = new EntityHost(thingType(parent, words("NEW", "STOP", "LOOK")));
  for (const event of ["NEW", "STOP", "LOOK"]) one.send(event);
  const before = JSON.stringify(one.context());
  one.restart();
  one.send("LOOK");
  t.equal(JSON.stringify(one.context()), before);
  t.match(one.context(), { got: { status: "stopped" } });
  t.same(one.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("state and records travel as bytes", (t) => {
  const one = new EntityHost(thingType(machine({ context: { big: "x".repeat(10), list: [1, 2.5, null] } }), words()));
  const state = one.entity.state();
  t.same(decodeState(encodeState(state)), state);
  t.throws(() => decodeState(new Uint8Array([1])), /no entity state/);
  t.throws(() => decodeState(new Uint8Array([0xc1])));
  t.end();
});
