// Walks a located tree along a schema and complains with the place. It knows exactly the keywords that our schemas of files use; a test holds that it accepts and
// refuses what a general validator does. `x-test` is for what only code can hand over.

import type { Located, LocatedMap, LocatedScalar } from "./located.ts";
import { nearestName } from "./nearest-name.ts";
import type { Complaint } from "./problem.ts";

/** The part of JSON Schema in use. */
export interface Shape {
  readonly type?: string;
  readonly title?: string;
  readonly const?: string | number | boolean;
  readonly anyOf?: readonly Shape[];
  readonly properties?: Readonly<Record<string, Shape>>;
  readonly patternProperties?: Readonly<Record<string, Shape>>;
  readonly required?: readonly string[] | undefined;
  readonly maxProperties?: number;
  readonly items?: Shape;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** Whether a value in code is what `title` says; no other keyword counts beside it. */
  readonly "x-test"?: (value: unknown) => boolean;
}

export type Complain = (at: number, path: readonly string[], complaint: Complaint) => void;

/**
 * Returns the value as plain data where it has the shape, `undefined` where it does not; every fault is complained about once. What follows may work on the
 * rest: an entry that does not fit is left out of its map, a map that then lacks a required key or a list with such an entry is left out as a whole. The root
 * is returned as far as it fits.
 */
export function checkShape(node: Located, shape: Shape, path: readonly string[], complain: Complain): unknown {
  if (shape["x-test"] !== undefined) return checkInCode(node, shape["x-test"], shape, path, complain);
  if (shape.anyOf !== undefined) return checkAny(node, shape, shape.anyOf, path, complain);
  if (shape.type === "object") return checkMap(node, shape, Object.keys(shape.properties ?? {}), path, complain);
  if (shape.type === "array") return checkList(node, shape, path, complain);
  return checkScalar(node, shape, path, complain);
}

function checkInCode(node: Located, test: (value: unknown) => boolean, shape: Shape, path: readonly string[], complain: Complain): unknown {
  const value = node.kind === "scalar" ? node.value : node.raw;
  if (test(value)) return value;
  complain(node.at, path, { message: `${describe(node)} stands here`, expected: expectation(shape) });
  return undefined;
}

/** @param names the keys that may have been meant by one that is not known */
function checkMap(node: Located, shape: Shape, names: readonly string[], path: readonly string[], complain: Complain): unknown {
  if (node.kind !== "map") {
    complain(node.at, path, { message: `${describe(node)} stands here`, expected: expectation(shape) });
    return undefined;
  }
  // A null prototype: keys come from a file and may be `__proto__`.
  const result = Object.create(null) as Record<string, unknown>;
  const fixed = shape.properties ?? {};
  const open = Object.entries(shape.patternProperties ?? {});
  let count = 0;
  for (const [key, entry] of node.entries) {
    const inside = [...path, key];
    if (++count > (shape.maxProperties ?? Number.POSITIVE_INFINITY)) {
      complain(entry.keyAt, path, { message: `there are ${String(node.entries.size)} entries`, expected: `at most ${String(shape.maxProperties)}` });
      break;
    }
    const known = Object.hasOwn(fixed, key) ? fixed[key] : open.find(([pattern]) => matches(pattern, key))?.[1];
    if (known === undefined) {
      if (open.length > 0) complain(entry.keyAt, inside, { message: `"${clip(key)}" is not a name that can stand here`, expected: expectedKey(shape) });
      else
        complain(entry.keyAt, inside, {
          message: `the key "${clip(key)}" is not known here`,
          expected: oneOf(names),
          suggestion: nearestName(key, names),
        });
      continue;
    }
    const value = checkShape(entry.value, known, inside, complain);
    if (value !== undefined) result[key] = value;
  }
  for (const key of shape.required ?? []) {
    if (!node.entries.has(key)) complain(node.at, path, { message: `the key "${key}" is missing`, expected: expectation(fixed[key] ?? {}) });
  }
  const isWhole = (shape.required ?? []).every((key) => key in result);
  return isWhole || path.length === 0 ? result : undefined;
}

function checkList(node: Located, shape: Shape, path: readonly string[], complain: Complain): unknown {
  if (node.kind !== "list") {
    complain(node.at, path, { message: `${describe(node)} stands here`, expected: "a list" });
    return undefined;
  }
  if (node.items.length < (shape.minItems ?? 0)) complain(node.at, path, { message: "the list is empty", expected: `at least ${String(shape.minItems)} entries` });
  if (node.items.length > (shape.maxItems ?? Number.POSITIVE_INFINITY))
    complain(node.at, path, { message: `the list has ${String(node.items.length)} entries`, expected: `at most ${String(shape.maxItems)}` });
  const values = node.items.map((item, index) => checkShape(item, shape.items ?? {}, [...path, String(index)], complain));
  return values.includes(undefined) ? undefined : values;
}

/** The alternatives of these schemas differ by kind (text or list), by their keys (maps), or are words: complain as the one that was most likely meant would. */
function checkAny(node: Located, shape: Shape, shapes: readonly Shape[], path: readonly string[], complain: Complain): unknown {
  const words = shapes.map((shape) => shape.const);
  if (words.every((word) => typeof word === "string")) {
    if (node.kind === "scalar" && words.includes(node.value as string)) return node.value;
    const suggestion = node.kind === "scalar" && typeof node.value === "string" ? nearestName(node.value, words) : undefined;
    complain(node.at, path, { message: `${describe(node)} stands here`, expected: oneOf(words), suggestion });
    return undefined;
  }
  const ofThisKind = shapes.filter(({ type }) => (type === "array") === (node.kind === "list") && (type === "object") === (node.kind === "map"));
  const alike = mostAlike(node, ofThisKind);
  if (alike === undefined) {
    complain(node.at, path, { message: `${describe(node)} stands here`, expected: expectation(shape) });
    return undefined;
  }
  return node.kind === "map" ? checkMapOf(node, alike, ofThisKind, path, complain) : checkShape(node, alike, path, complain);
}

/** Where no key that is written decides between several maps, any key of all of them may have been meant. */
function checkMapOf(node: LocatedMap, alike: Shape, shapes: readonly Shape[], path: readonly string[], complain: Complain): unknown {
  const knows = (shape: Shape, key: string): boolean => Object.hasOwn(shape.properties ?? {}, key);
  const isDecided = [...node.entries.keys()].some((key) => knows(alike, key) && !shapes.every((shape) => shape === alike || knows(shape, key)));
  if (isDecided || shapes.length === 1) return checkMap(node, alike, Object.keys(alike.properties ?? {}), path, complain);
  const names = new Set(shapes.flatMap((shape) => Object.keys(shape.properties ?? {})));
  if (lacksNothing(node, alike)) return checkMap(node, alike, [...names], path, complain);
  complain(node.at, path, { message: "the key that says what is meant is missing", expected: oneOf([...new Set(shapes.flatMap(({ required }) => required ?? []))]) });
  checkMap(node, { ...alike, required: undefined }, [...names], path, complain);
  return undefined;
}

function lacksNothing(node: LocatedMap, { required = [] }: Shape): boolean {
  return required.every((key) => node.entries.has(key));
}

/** Of several maps the one that knows most of the keys that are written, of equals one that lacks none; of several scalars the one of the value's type; the first of equals. */
function mostAlike(node: Located, shapes: readonly Shape[]): Shape | undefined {
  const [first, ...others] = shapes;
  if (first === undefined || node.kind === "list" || node.kind === "other") return first;
  if (node.kind === "scalar") return shapes.find(({ type }) => (type === "integer" ? "number" : type) === typeof node.value) ?? first;
  const keys = [...node.entries.keys()];
  const known = (shape: Shape): number => keys.filter((key) => Object.hasOwn(shape.properties ?? {}, key)).length + (lacksNothing(node, shape) ? 0.5 : 0);
  return others.reduce((best, shape) => (known(shape) > known(best) ? shape : best), first);
}

function checkScalar(node: Located, shape: Shape, path: readonly string[], complain: Complain): unknown {
  const fault = node.kind === "scalar" ? scalarFault(node, shape) : `${describe(node)} stands here`;
  if (fault === undefined) return (node as LocatedScalar).value;
  complain(node.at, path, { message: fault, expected: expectation(shape) });
  return undefined;
}

function scalarFault(node: LocatedScalar, shape: Shape): string | undefined {
  const { value } = node;
  if (shape.const !== undefined) return value === shape.const ? undefined : `${describe(node)} stands here`;
  if (shape.type === "string") {
    if (typeof value !== "string") return `${describe(node)} stands here`;
    if (value.length < (shape.minLength ?? 0)) return "the text is empty";
    if (value.length > (shape.maxLength ?? Number.POSITIVE_INFINITY)) return `the text has ${String(value.length)} characters`;
    return shape.pattern === undefined || matches(shape.pattern, value) ? undefined : `"${clip(value)}" stands here`;
  }
  if (shape.type === "boolean") return typeof value === "boolean" ? undefined : `${describe(node)} stands here`;
  if (typeof value !== "number" || !Number.isFinite(value)) return `${describe(node)} stands here`;
  if (shape.type === "integer" && !Number.isSafeInteger(value)) return `${String(value)} stands here`;
  if (value < (shape.minimum ?? Number.NEGATIVE_INFINITY) || value > (shape.maximum ?? Number.POSITIVE_INFINITY)) return `${String(value)} is out of range`;
  if (value <= (shape.exclusiveMinimum ?? Number.NEGATIVE_INFINITY)) return `${String(value)} is out of range`;
  return undefined;
}

/** What should stand there, for a reader. */
function expectation(shape: Shape): string {
  if (shape["x-test"] !== undefined) return shape.title ?? "another value";
  if (shape.anyOf !== undefined) return shape.title ?? shape.anyOf.map(expectation).join(", or ");
  if (shape.const !== undefined) return `"${String(shape.const)}"`;
  if (shape.type === "object") return shape.required === undefined || shape.required.length === 0 ? "keys and values" : `keys and values, at least ${shape.required.join(", ")}`;
  if (shape.type === "array") return `a list of ${expectation(shape.items ?? {})}`;
  if (shape.type === "string") return shape.title ?? aTextOf(shape);
  if (shape.type === "boolean") return "true or false";
  const kind = shape.type === "integer" ? "a whole number" : "a number";
  if (shape.exclusiveMinimum !== undefined) return shape.title ?? `${kind} above ${String(shape.exclusiveMinimum)}`;
  if (shape.minimum !== undefined && shape.maximum !== undefined) return `${kind} from ${String(shape.minimum)} to ${String(shape.maximum)}`;
  return shape.minimum === undefined ? kind : `${kind} of at least ${String(shape.minimum)}`;
}

/** A pattern cannot be told in words: a shape that has one has a title. */
function aTextOf({ minLength = 0, maxLength }: Shape): string {
  if (maxLength === undefined) return minLength === 0 ? "a text" : "a text that is not empty";
  return minLength === 0 ? `a text of at most ${String(maxLength)} characters` : `a text of ${String(minLength)} to ${String(maxLength)} characters`;
}

function expectedKey(shape: Shape): string {
  return shape.title ?? Object.keys(shape.patternProperties ?? {}).join(" or ");
}

function oneOf(words: readonly unknown[]): string {
  return words.length === 1 ? `"${String(words[0])}"` : `one of ${words.map(String).join(", ")}`;
}

/** What stands somewhere, in words. */
export function describe(node: Located): string {
  if (node.kind === "map") return "a map";
  if (node.kind === "list") return "a list";
  if (node.kind === "other") return node.words;
  if (node.value === null) return "nothing";
  return typeof node.value === "string" ? `the text "${clip(node.value)}"` : `the ${typeof node.value === "number" ? "number" : "value"} ${String(node.value)}`;
}

function clip(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function matches(pattern: string, text: string): boolean {
  return new RegExp(pattern, "u").test(text);
}
