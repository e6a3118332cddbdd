// State is what the codec reads back (rules R2): what it carries comes back equal, everything else is refused with its path.

import { test } from "tap";

import { anyMessages, EntityHost, ROOT, thingType } from "../entity-host.ts";
import { assign, machine } from "./loose.ts";

/** Takes a value into the context, under `list/0/kept`. */
function keeping(value: unknown, durability: "events" | "volatile" = "events"): EntityHost {
  return new EntityHost(
    thingType(machine({ context: { list: [] }, on: { KEEP: { actions: assign({ list: () => [{ kept: value }] as never }) } } }), anyMessages(), { durability }),
  );
}

class Speed {
  readonly kph = 5;
}

class Speeds extends Array<number> {}

class OwnError extends Error {}
class OwnTypeError extends TypeError {}

const round = new Error("round");
let readings = 0;

const shared = { n: 1 };
const circle: { self?: unknown } = {};
circle.self = circle;

test("R2. what the codec carries is read back equal: after JSON, after bytes, and by replay", (t) => {
  const carried: readonly unknown[] = [
    null,
    0,
    -0,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Number.MIN_VALUE,
    2 ** 53,
    "",
    "\u0000\ud800 lone",
    true,
    undefined,
    [],
    [undefined, null],
    {},
    { a: undefined },
    { $ref: "forged" },
    { $$ref: { $undefined: true } },
    { "": 1, "a/b": 2 },
    [shared, shared],
    Object.assign(new RangeError("too far"), { by: 3 }),
    new Error("of an error", { cause: new TypeError("none", { cause: { n: -0 } }) }),
    Object.assign(new TypeError("by another name"), { name: "Mine" }),
    Object.assign(new Error("by a name of the language"), { name: "SyntaxError" }),
    Object.assign(new Error(), { name: "Mine", message: "set" }),
    Object.assign(new Error("listed"), { cause: undefined, errors: [new URIError("one")] }),
    Object.freeze({ deep: Object.freeze([1]) }),
  ];
  for (const value of carried) {
    for (const by of ["json", "bytes", "journal"] as const) {
      const host = keeping(value);
      t.equal(host.send("KEEP").kind, "accepted", String(value));
      const before = kept(host);
      host.restart({ by });
      t.strictSame(kept(host), before, `${String(value)} by ${by}`);
      t.ok(Object.is(kept(host), before) || typeof before === "object", `${String(value)} by ${by}`);
    }
  }
  t.end();
});

test("R2. what it does not carry is refused with its path, and nothing of the turn stays", (t) => {
  const cases: readonly (readonly [unknown, RegExp])[] = [
    [new Map(), /^context\/list\/0\/kept is an instance of Map, which a durable actor cannot keep$/],
    [new Set(), /kept is an instance of Set/],
    [new Date(0), /kept is an instance of Date/],
    [new Speed(), /kept is an instance of Speed/],
    [Promise.resolve(1), /kept is an instance of Promise/],
    [new Uint8Array(2), /kept is an instance of Uint8Array/],
    [/a/, /kept is an instance of RegExp/],
    [Object(1), /kept is an instance of Number/],
    [() => 1, /kept is a function/],
    [Symbol("s"), /kept is a symbol/],
    [10n, /kept is a bigint/],
    [{ deep: [{ f: () => 1 }] }, /kept\/deep\/0\/f is a function/],
    [{ [Symbol("s")]: 1 }, /kept is an object with a symbol for a key/],
    [[1, , 3], /kept\/1 is a hole in a list/],
    [
      /(?<key>\w+)=/.exec("speed=5"),
      /kept\/index is a named property of a list, which a durable actor cannot keep: copy what is wanted of it, e\.g\. \[\.\.\.match\] or \{ \.\.\.match\.groups \}$/,
    ],
    [Object.assign([1], { x: 2 }), /kept\/x is a named property of a list/],
    [
      Object.assign(
        Array.from({ length: 1_000 }, () => 0),
        { x: 2 },
      ),
      /kept\/x is a named property of a list/,
    ],
    [Object.assign([1], { [Symbol("s")]: 2 }), /kept\/Symbol\(s\) is a named property of a list/],
    [new Proxy(Object.assign([1], { x: 2 }), {}), /kept\/x is a named property of a list/],
    [new Speeds(1, 2), /kept is an instance of Speeds/],
    [
      new OwnError("mine"),
      /^context\/list\/0\/kept is an instance of OwnError, which a durable actor cannot keep: keep an Error with its name and message, or those as plain data$/,
    ],
    [new OwnTypeError("mine"), /kept is an instance of OwnTypeError/],
    [Object.setPrototypeOf(new Error("mine"), Object.create(Error.prototype, { constructor: { value: undefined } })), /kept is an instance of a class/],
    [new AggregateError([], "all"), /kept is an instance of AggregateError/],
    [new DOMException("gone", "AbortError"), /kept is an instance of DOMException/],
    [{ seen: [new Error("of mine", { cause: new OwnError("mine") })] }, /kept\/seen\/0\/cause is an instance of OwnError/],
    [Object.assign(new Error("odd"), { retry: () => 1 }), /kept\/retry is a function/],
    [Object.assign(round, { cause: [round] }), /kept\/cause\/0 is an error that contains itself/],
    [circle, /nested deeper than 200 levels, or contains itself/],
    [JSON.parse('{ "__proto__": 1 }'), /kept\/__proto__ is a key with a meaning of its own/],
  ];
  for (const [value, error] of cases) {
    const host = keeping(value);
    t.match(host.send("KEEP"), { kind: "faulted", code: "DROVER_DATA_NOT_KEPT", error, place: ROOT }, String(error));
    t.same(host.context(), { list: [] }, String(error));
    t.equal(keeping(value, "volatile").send("KEEP").kind, "accepted", `a volatile actor may hold it: ${String(error)}`);
  }
  t.end();
});

test("R2. a message whose text no store and no wire carries is refused at the door with its path", (t) => {
  const host = keeping(0);
  t.match(host.send({ type: "KEEP", a: { b: ["\ud83d"] } }), { kind: "invalid", problems: [{ path: "/a/b/0", message: /half a character/ }] });
  t.match(host.send({ type: "KEEP", "\udead": 1 }), { kind: "invalid", problems: [{ message: /half a character/ }] });
  t.equal(host.send({ type: "KEEP", a: "\ud83d\ude9a" }).kind, "accepted");
  t.end();
});

test("R2. a list with a name beside its items is refused with its path in a message, which carries no more than JSON does", (t) => {
  const match = /(?<key>\w+)=/.exec("speed=5") as RegExpMatchArray;
  const host = keeping(0);
  t.match(host.send({ type: "KEEP", a: [match] }), {
    kind: "invalid",
    problems: [{ path: "/a/0/index", message: /\/a\/0\/index is a named property of a list, which JSON does not carry: copy what is wanted of it/ }],
  });
  t.match(host.send({ type: "KEEP", a: [1, , 2] }), { kind: "invalid", problems: [{ path: "/a/1", message: /is a hole in a list/ }] });
  t.equal(host.send({ type: "KEEP", a: [...match], b: { ...match.groups } }).kind, "accepted");
  t.end();
});

test("R2. tests find what the codec would carry in another shape", (t) => {
  const hidden = Object.defineProperty({}, "n", { value: 1, enumerable: false });
  const computed = {
    get n() {
      return 1;
    },
  };
  for (const [value, problem] of [
    [hidden, /kept\/n: is not read back/],
    [Object.defineProperty(new Error(), "message", { get: () => String(++readings) }), /kept: the error reads back as another/],
    [Object.defineProperty(new Error(), "cause", { get: () => ++readings }), /kept\/cause: \d+ reads back as \d+/],
    [computed, /kept\/n: computed by a getter/],
  ] as const)
    t.throws(() => keeping(value).send("KEEP"), { message: problem });
  t.end();
});

function kept(host: EntityHost): unknown {
  const { root } = (
    host.entity as unknown as { readonly interior: { readonly root: { readonly snapshot: { readonly context: { readonly list: readonly { readonly kept: unknown }[] } } } } }
  ).interior;
  return root.snapshot.context.list[0]?.kept;
}
