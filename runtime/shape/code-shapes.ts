// Shapes of what only code can hand over: functions, ports, values whose inside is somebody else's to check.

import type { Shape } from "./check-shape.ts";

/** Whatever it is. */
export const anything: Shape = { "x-test": () => true };

export const aFunction: Shape = { title: "a function", "x-test": (value) => typeof value === "function" };

/** Any object but a list. */
export const anObject: Shape = { title: "an object", "x-test": (value) => typeof value === "object" && value !== null && !Array.isArray(value) };

/** Whose bounds are checked by whoever takes it. */
export const aNumber: Shape = { title: "a number", "x-test": (value) => typeof value === "number" };

/** Finite, as every limit is. */
export function aWholeNumberFrom(minimum: number): Shape {
  return { type: "integer", minimum };
}

export const aText: Shape = { type: "string" };

export const yesOrNo: Shape = { type: "boolean" };

export function oneOf(...words: readonly string[]): Shape {
  return { anyOf: words.map((word) => ({ const: word })) };
}

export function listOf(items: Shape): Shape {
  return { type: "array", items };
}

/** A map with any keys. */
export function recordOf(value: Shape): Shape {
  return { type: "object", patternProperties: { "": value } };
}

/** What can be called by these names; a function may have them too. @param noun for a reader: `a clock` */
export function withMethods(noun: string, ...methods: readonly string[]): Shape {
  return {
    title: `${noun}, with ${methods.join(", ")}`,
    "x-test": (value) =>
      ((typeof value === "object" && value !== null) || typeof value === "function") &&
      methods.every((method) => typeof (value as Readonly<Record<string, unknown>>)[method] === "function"),
  };
}

/** An object with the keys of `T` and no other. */
export function keysOf<T>(shapes: Readonly<Record<keyof T & string, Shape>>, required: readonly (keyof T & string)[]): Shape {
  return { type: "object", properties: shapes, required };
}

export const aClock = withMethods("a clock", "now", "monotonic", "setTimeout", "clearTimeout");
export const aRandom = withMethods("a source of randomness", "next", "uint32", "id");
export const aLog = withMethods("a log", "debug", "info", "warn", "error", "child");
export const aStore = withMethods("a store", "open", "commit", "revisionOf", "load", "entities", "journal", "trim", "close");
