// What the context of a volatile actor counts when it is no plain data, or is changed in place: held at its limit all the same (hosting H13; promise S5).

import { test } from "tap";

import type { Address } from "../../../runtime/address.ts";
import { actorType, entityType, reducer } from "../../../runtime/actor/index.ts";
import { contextGain } from "../../../runtime/entity/context-gain.ts";
import { createEntity } from "../../../runtime/entity/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { encodeData, encodedSize, heldBy } from "../../../runtime/xstate/index.ts";
import { form } from "../../forms.ts";
import { anyMessages, thingType } from "../entity-host.ts";
import { assign, machine } from "../xstate/loose.ts";

const MIB = 1_048_576;
const KIB = 1_024;
const THING = "acme/thing/one" as Address;

class Box {
  readonly list: unknown[] = [];
}

const trap = (): never => {
  throw new Error("trap");
};
const piece = (n: number): string => String(n).padEnd(100 * KIB, "x");

type Step = (state: never, n: number) => unknown;
/** First state, and what a step adds: about 100 KiB. */
const growing: Readonly<Record<string, readonly [() => unknown, Step]>> = {
  "a Map made anew": [() => new Map(), (map: Map<unknown, unknown>, n) => new Map(map).set(n, piece(n))],
  "keys of a Map": [() => ({ map: new Map() }), ({ map }: { map: Map<unknown, unknown> }, n) => ({ map: new Map(map).set(piece(n), n) })],
  "a Set made anew": [() => ({ set: new Set() }), ({ set }: { set: Set<unknown> }, n) => ({ set: new Set(set).add(piece(n)) })],
  "a typed array": [() => ({ list: new Float64Array(1) }), ({ list }: { list: Float64Array }) => ({ list: new Float64Array(list.length + 12_800) })],
  "small views on large buffers": [() => [], (list: unknown[]) => [...list, new Uint8Array(new ArrayBuffer(100 * KIB), 0, 1)]],
  "a buffer": [() => ({ bytes: new ArrayBuffer(1) }), ({ bytes }: { bytes: ArrayBuffer }) => ({ bytes: new ArrayBuffer(bytes.byteLength + 100 * KIB) })],
  "a bigint": [() => ({ n: 1n }), ({ n }: { n: bigint }) => ({ n: (n << 819_200n) + 1n })],
  "a symbol for a key": [() => ({ [Symbol.for("k")]: [] }), (state: Record<symbol, unknown[]>, n) => ({ [Symbol.for("k")]: [...(state[Symbol.for("k")] ?? []), piece(n)] })],
  "a symbol's text": [() => [], (list: unknown[], n) => [...list, Symbol(piece(n))]],
  "errors and their causes": [() => [], (list: unknown[], n) => [...list, new Error("e", { cause: piece(n) })]],
  "texts of patterns": [() => [], (list: unknown[], n) => [...list, new RegExp(piece(n))]],
  "what a function has": [() => [], (list: unknown[], n) => [...list, Object.assign(() => 1, { text: piece(n) })]],
  "a long chain": [() => ({}), (before: unknown, n) => ({ before, text: piece(n).slice(0, 30 * KIB) })],
  "copies of a shared part": [
    () => ({ at: 0, list: Array.from({ length: 100 }, () => SHARED) }),
    ({ at, list }: { at: number; list: string[][] }) => ({ at: at + 1, list: list.with(at % 100, [...(list[at % 100] as string[])]) }),
  ],
  "a Map in place": [
    () => ({ map: new Map() }),
    (state: { map: Map<unknown, unknown> }, n) => {
      state.map.set(n, piece(n));
      return { ...state };
    },
  ],
  "a Map in place, the state the same": [
    () => new Map(),
    (map: Map<unknown, unknown>, n) => {
      map.set(n, piece(n));
      return map;
    },
  ],
  "a Set in place, then a throw": [
    () => ({ set: new Set() }),
    ({ set }: { set: Set<unknown> }, n) => {
      set.add(piece(n));
      throw new Error("no");
    },
  ],
  "an instance of a class": [
    () => new Box(),
    (box: Box, n) => {
      box.list.push(piece(n));
      return box;
    },
  ],
};
const SHARED = Array.from({ length: 25 }, (_, at) => String(at).padEnd(4 * KIB, "x"));

/** Without the harness that takes every step twice: what is changed in place would grow twice as fast. */
function hosted([initial, step]: readonly [() => unknown, Step]) {
  let n = 0;
  let state: unknown;
  const behaviour = reducer<unknown, { readonly type: string }>({
    initial,
    step: (before, event) => {
      state = before;
      return event.type === "LESS" ? initial() : step(before as never, ++n);
    },
  });
  const root = actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour });
  const entity = createEntity(entityType({ root, durability: "volatile", placement: "cloud" }), THING, "history-1");
  const told: string[] = [];
  let at = 0;
  const take = (input: Parameters<typeof entity.turn>[0][number]) => {
    const { results, effects } = entity.turn([input], { now: at, elapsed: at, seed: ++at });
    entity.commit();
    for (const effect of effects) if (effect.kind === "supervision") told.push(effect.report.context);
    return results[0];
  };
  take({ kind: "start", input: undefined, labels: {} });
  return {
    told,
    send: (type: string) => take({ kind: "message", to: THING, event: { type }, sender: { kind: "local", name: "test" }, wantsReply: false }),
    /** Before its newest step; and since then, where that was changed in place. */
    state: () => state,
  };
}

/** It is full after 42 of them, and begins anew; the chain, whose links are smaller, after 140. */
const stepsOf = (name: string): number => (name === "a long chain" ? 200 : form(90, 200));

for (const [name, shape] of Object.entries(growing))
  test(`H13. the context of a volatile actor is held at its limit, whatever it is made of: ${name}`, (t) => {
    const host = hosted(shape);
    const codes = new Set<unknown>();
    let most = 0;
    for (let at = 0; at < stepsOf(name); at++) {
      const result = host.send("MORE");
      if (result?.kind === "faulted") codes.add(result.code);
      most = Math.max(most, heldBy(host.state()).bytes);
    }
    t.ok(most > 3 * MIB && most < (name.includes("in place") ? 4.7 : 4.3) * MIB, String(most));
    t.ok(host.told.includes("child_terminated") && (host.told.includes("context_large") || name.includes("throw")), "its supervisor hears of it");
    t.ok(codes.has(name.includes("throw") ? "DROVER_ACTOR_FAILED" : "DROVER_CONTEXT_TOO_LARGE"));
    t.equal(host.send("LESS")?.kind, "accepted");
    t.end();
  });

test("H13. a machine's context that grows in place in its inline actions is held too", (t) => {
  const box = new Map<number, string>();
  const behaviour = machine({ context: () => ({ box, n: 0 }), on: { MORE: { actions: assign({ n: ({ context }) => context.n + 1 }) } } });
  const entity = createEntity(thingType(behaviour, anyMessages(), { durability: "volatile" }), THING, "history-1");
  let codes = "";
  for (let at = 0; at < 100; at++) {
    const input = { kind: "message", to: THING, event: { type: "MORE" }, sender: { kind: "local", name: "test" }, wantsReply: false } as const;
    const [result] = entity.turn([at === 0 ? { kind: "start", input: undefined, labels: {} } : input], { now: at, elapsed: at, seed: at }).results;
    entity.commit();
    if (result?.kind === "faulted") codes += `${result.code} `;
    if (codes !== "") break;
    box.set(at, piece(at));
  }
  t.equal(codes, "DROVER_CONTEXT_TOO_LARGE ");
  t.ok(box.size >= 40 && box.size < 44, String(box.size));
  t.end();
});

test("W1. what is plain counts as the codec counts it; what is not, by what it holds", (t) => {
  const host = { isLenient: true, refOf: trap, machineOf: trap, typeOf: () => undefined } as const;
  for (const plain of [undefined, null, true, 7, 1e9, 0.5, Number.NaN, -0, "text", "ünï", [], {}, [1, "a", [undefined]], { a: { b: [1.5, { c: "x".repeat(99) }] } }]) {
    encodeData(plain, host);
    t.equal(heldBy(plain).bytes, encodedSize(), JSON.stringify(plain));
  }
  const text = "x".repeat(10_000);
  const throws = Object.defineProperties([1, 2, text], { 0: { get: trap, enumerable: true } });
  const sparse: unknown[] = Object.assign([], { 7: text, 3_999_999_999: text });
  const whole = new ArrayBuffer(10_000);
  for (const [name, value, least, most] of [
    ["a Date", new Date(0), 8, 50],
    ["a resizable view", new Uint8Array(new (ArrayBuffer as new (n: number, o: object) => ArrayBuffer)(10_000, { maxByteLength: 20_000 })), 10_000, 10_100],
    ["shared memory", new SharedArrayBuffer(10_000), 10_000, 10_100],
    ["views on one buffer", [new Uint8Array(whole), new DataView(whole), new Uint16Array(whole, 10, 5)], 10_000, 10_200],
    ["an AggregateError", new AggregateError([new Error(text)]), 10_000, 10_300],
    ["a boxed text", new String(text), 10_000, 10_100],
    [
      "a getter that throws",
      {
        text,
        get n() {
          return trap();
        },
      },
      10_000,
      10_100,
    ],
    ["an item that throws", throws, 10_000, 10_100],
    ["a list with holes", sparse, 20_000, 20_200],
    ["a proxy", new Proxy({ text }, {}), 10_000, 10_100],
    ["a proxy that throws", new Proxy({}, { get: trap, getPrototypeOf: trap, ownKeys: trap, has: trap }), 0, 100],
    [
      "a Map that overrides what reads it",
      Object.defineProperties(new Map([[1, text]]), { forEach: { value: trap }, entries: { value: trap }, size: { get: trap } }),
      10_000,
      11_000,
    ],
    ["a WeakMap", new WeakMap([[whole, text]]), 0, 100],
    ["a timer", setTimeout(() => undefined, 0).unref(), 0, 100],
    ["a machine", machine({ description: text }), 0, 100],
  ] as const) {
    const { bytes } = heldBy(value);
    t.ok(bytes >= least && bytes <= most, `${name}: ${String(bytes)}`);
  }
  t.end();
});

test("W2. circles, shared parts and long chains count once, and quickly; as a tree, as often as they are met", (t) => {
  const text = "x".repeat(1_000);
  const part = { text };
  const shared = heldBy([part, part, part]);
  t.ok(shared.bytes < 1_100 && shared.asTree > 3_000 && shared.asTree < 3_300, JSON.stringify(shared));
  const circle: { list: unknown[] } = { list: [] };
  circle.list.push(circle, part);
  t.ok(heldBy(circle).bytes < 1_100);
  t.equal(heldBy(circle).asTree, Number.POSITIVE_INFINITY);
  const all = Array.from({ length: 300 }, () => ({ all: [] as unknown }));
  for (const one of all) one.all = all;
  t.ok(heldBy(all).parts < 300_000);
  let doubled: unknown = part;
  for (let depth = 0; depth < 60; depth++) doubled = [doubled, doubled];
  t.ok(heldBy(doubled).bytes < 2_000);
  t.equal(heldBy(doubled).asTree, Number.POSITIVE_INFINITY);
  let chain: object = part;
  for (let depth = 0; depth < 50_000; depth++) chain = { chain };
  t.ok(heldBy(chain).bytes > 50_000 * 10);
  const endless: object = new Proxy(
    {},
    { ownKeys: () => ["a", "b"], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }), get: () => new Proxy({}, { ownKeys: () => ["a"] }) },
  );
  t.ok(heldBy(endless).bytes > 0);
  t.end();
});

test("A1. no change makes a context hold more than was told, each part as often as it is met", (t) => {
  const random = new SeededRandom(7);
  const draw = (below: number): number => Math.floor(random.next() * below);
  const kept: unknown[] = [];
  const value = (depth: number): unknown => {
    const kinds = [
      () => draw(100),
      () => random.next(),
      () => Number.NaN,
      () => "x".repeat(draw(60)),
      () => "ü".repeat(draw(60)),
      () => undefined,
      () => null,
      () => kept[draw(kept.length)],
    ];
    const deeper = [
      () => Array.from({ length: draw(5) }, () => value(depth + 1)),
      () => Object.fromEntries(Array.from({ length: draw(5) }, () => [["a", "b", "toString", "constructor", "é"][draw(5)], value(depth + 1)])),
      () => ({ [Symbol.for("s")]: value(depth + 1) }),
      () => new Map([[value(depth + 1), value(depth + 1)]]),
      () => Object.assign(new Box(), { more: value(depth + 1) }),
      () => Object.assign([], { [draw(4)]: value(depth + 1) }),
    ];
    const made = draw(3) === 0 || depth > 4 ? (kinds[draw(kinds.length)] as () => unknown)() : (deeper[draw(deeper.length)] as () => unknown)();
    if (draw(3) === 0) kept[draw(40)] = made;
    return made;
  };
  const changed = (before: unknown, depth: number): unknown => {
    if (draw(6) === 0 || typeof before !== "object" || before === null || depth > 5) return value(depth);
    if (Array.isArray(before)) return draw(3) === 0 ? [value(depth), ...(before as unknown[])] : before.map((item: unknown) => (draw(2) === 0 ? changed(item, depth + 1) : item));
    if (Object.getPrototypeOf(before) !== Object.prototype) return value(depth);
    const copy: Record<string | symbol, unknown> = { ...before };
    for (const key of [...Object.keys(copy), Symbol.for("s")]) if (draw(2) === 0) copy[key] = changed(copy[key], depth + 1);
    if (draw(3) === 0) copy[`k${String(draw(9))}`] = value(depth);
    return copy;
  };
  let before = value(0);
  let told = 0;
  let failures = 0;
  for (let round = 0; round < 20_000; round++) {
    const after = round % 50 === 0 ? value(0) : changed(before, 0);
    const gain = contextGain(before, after, true);
    const [was, is] = [heldBy(before).asTree, heldBy(after).asTree];
    if (Number.isFinite(gain) && gain > 0) told++;
    if (is > was + gain && failures++ < 5) t.fail(`${String(was)} + ${String(gain)} < ${String(is)}`);
    before = after;
  }
  t.ok(told > 1_000, String(told));
  t.end();
});
