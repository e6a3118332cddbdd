// Data that crosses the border between an actor and other code: lists and objects of its own, and everything else as it is.

import { test } from "tap";
import { asItIsNow, foreignRef } from "../../../runtime/xstate/index.ts";

class Meter {
  readonly volts = 12;
}

test("H9, C4. lists and objects are copied all through, with what they say at that moment", (t) => {
  const given = { type: "a", list: [1, { deep: [2] }], empty: {}, none: null, gone: undefined, bare: Object.assign(Object.create(null) as object, { x: [1] }) };
  const copy = asItIsNow(given);
  t.strictSame(copy, given);
  t.equal(Object.getPrototypeOf(copy.bare), null);
  t.same(Object.keys(copy), Object.keys(given), "in their order");
  (given.list[1] as { deep: number[] }).deep.push(3);
  given.list.pop();
  given.bare.x.pop();
  t.same(copy, { type: "a", list: [1, { deep: [2] }], empty: {}, none: null, gone: undefined, bare: { x: [1] } });
  t.end();
});

test("H9. what is worked out when it is read is worked out once", (t) => {
  let at = 0;
  const copy = asItIsNow({
    type: "a",
    get first() {
      return ++at;
    },
    inner: {
      get second() {
        return [++at];
      },
    },
  });
  t.same([copy.first, copy.inner.second, copy.first, copy.inner.second], [1, [2], 1, [2]]);
  t.end();
});

test("H9. functions, instances of classes, refs, maps and what cannot be read stay what they are", (t) => {
  const hostile = new Proxy({}, { getPrototypeOf: () => fail(), ownKeys: () => fail() });
  const unreadable = { a: 1, get b() { return fail(); } }; // biome-ignore format: one line
  const parts = {
    run: () => 1,
    meter: new Meter(),
    ref: foreignRef("t/thing/y"),
    map: new Map(),
    when: new Date(0),
    bytes: new Uint8Array(2),
    of: Symbol("s"),
    [Symbol.for("key")]: 1,
  };
  const copy = asItIsNow({ type: "a", parts });
  t.not(copy.parts, parts);
  for (const key of Reflect.ownKeys(parts) as (keyof typeof parts)[]) t.equal(copy.parts[key], parts[key], String(key));
  for (const whole of [undefined, null, 1, "text", parts.run, parts.meter, hostile, unreadable]) t.equal(asItIsNow(whole), whole);
  t.end();
});

test("H9. what is shared is shared, what holds itself holds itself", (t) => {
  const shared = { n: 1 };
  const given: Record<string, unknown> = { one: shared, two: [shared] };
  given["self"] = given;
  const copy = asItIsNow(given);
  t.not(copy["one"], shared);
  t.equal((copy["two"] as unknown[])[0], copy["one"]);
  t.equal(copy["self"], copy);
  t.end();
});

test("R2. a list keeps its holes and names, and a key its meaning: they are refused where data is judged", (t) => {
  const list = [{ a: 1 }, , { b: 2 }];
  const named = Object.assign([{ a: 1 }], { index: { at: 0 } });
  const copy = asItIsNow({ list, named, odd: JSON.parse('{"__proto__":{"x":1}}') as object });
  t.same([copy.list.length, 1 in copy.list, Object.keys(copy.named)], [3, false, ["0", "index"]]);
  t.same([copy.list[2], copy.named[0], copy.named.index], [{ b: 2 }, { a: 1 }, { at: 0 }]);
  t.not(copy.list[2], list[2]);
  t.not(copy.named.index, named.index);
  t.same([Object.keys(copy.odd), Object.getPrototypeOf(copy.odd)], [["__proto__"], Object.prototype]);
  t.end();
});

function fail(): never {
  throw new Error("failed on purpose");
}
