// What software with a defect, or with bad intent, puts where something else is expected; and every place of a sample to put it.

import { Packr } from "msgpackr";
import { WIRE_MAGIC, WIRE_MAJOR, WIRE_MINOR, wireFields, type WireKind, wireKinds } from "../../runtime/wire/wire-kinds.ts";

function nested(depth: number): unknown {
  return depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { in: nested(depth - 1) };
}

class Foreign {
  readonly own = 1;
}

const BAD_VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ["undefined", undefined],
  ["null", null],
  ["true", true],
  ["-1", -1],
  ["-0", -0],
  ["1.5", 1.5],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["1e300", 1e300],
  ["a time past the last", 8.7e15],
  ["a BigInt", 2n ** 60n],
  ["a small BigInt", { n: 2n ** 53n }],
  ["an empty text", ""],
  ["many", "many"],
  ["lines", "a\r\n\r\nevent: b\ndata: c"],
  ["half a character", "\ud800x"],
  ["a key of every object", "__proto__"],
  ["a huge text", "h".repeat(70_000)],
  ["an empty list", []],
  ["a list of null", [null]],
  ["a long list", Array.from({ length: 20_000 }, (_, at) => at)],
  ["an empty object", {}],
  ["an object that is no primitive", { toString: 1, valueOf: null, toJSON: 5, length: -1 }],
  ["prototype keys", JSON.parse('{"__proto__":{"type":"x"},"constructor":{"prototype":1}}')],
  ["marks of the codec", { $ref: null }],
  ["another mark", { $lost: { toString: 1 } }],
  ["a nesting of 50", nested(50)],
  ["a nesting of 500", nested(500)],
  ["a Date", new Date(5)],
  ["an invalid Date", new Date(Number.NaN)],
  ["a Map", new Map<unknown, unknown>([[1, new Map()]])],
  ["a Set", new Set([1])],
  ["a regular expression", /(a+)+$/],
  ["an error", new RangeError("x")],
  ["bytes", new Uint8Array([1, 2])],
  ["an object of a class", new Foreign()],
];

/** Another value where one was expected: `path` names the place. */
export interface Mutation {
  readonly path: string;
  readonly name: string;
  readonly value: unknown;
}

const MOST_LEVELS = 7;

/** Every place of `sample` with every bad value, the sample itself included. Of a list the first item stands for the others. */
function* mutations(sample: unknown, level = 0): Generator<Mutation> {
  for (const [name, value] of BAD_VALUES) yield { path: "", name, value };
  if (typeof sample !== "object" || sample === null || sample instanceof Uint8Array || level >= MOST_LEVELS) return;
  const keys = Array.isArray(sample) ? (sample.length > 0 ? [0] : []) : Object.keys(sample);
  for (const key of keys) {
    const inside = (sample as Readonly<Record<string | number, unknown>>)[key];
    for (const { path, name, value } of mutations(inside, level + 1)) {
      const changed = Array.isArray(sample) ? sample.with(0, value) : { ...sample, [key]: value };
      yield { path: `/${String(key)}${path}`, name, value: changed };
    }
  }
}

/** The same by place, in the order of the places. */
export function mutationsByPlace(sample: unknown): ReadonlyMap<string, readonly Mutation[]> {
  const places = new Map<string, Mutation[]>();
  for (const mutation of mutations(sample)) places.set(mutation.path, [...(places.get(mutation.path) ?? []), mutation]);
  return places;
}

const evil = new Packr({ useRecords: false, moreTypes: true, encodeUndefinedAsNil: false });

/** As a stranger writes it: whatever msgpackr can carry, extensions and all. A Buffer, which it writes as bytes and not as an extension. */
export function evilBytes(value: unknown): Uint8Array {
  return Buffer.from(evil.pack(value));
}

/** An envelope whose fields nobody checked; what is no object stands in the place of all of them. */
export function evilEnvelope(kind: WireKind, fields: unknown): Uint8Array {
  const isObject = typeof fields === "object" && fields !== null;
  const packed = evilBytes(isObject ? wireFields.map(([name]) => (fields as Readonly<Record<string, unknown>>)[name] ?? null) : fields);
  return Buffer.concat([Uint8Array.from([...WIRE_MAGIC, WIRE_MAJOR, WIRE_MINOR, wireKinds[kind]]), packed]);
}
