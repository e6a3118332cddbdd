// The door of the parent's side: whatever comes out of a thread or a process is looked at whole before anything is done with it.
//
// D1. Nothing that comes can throw past this: it is a message of the protocol, or it is the worker's failure (parent-side P2).
// D2. Texts, causes and counts are as bounded as our own side sends them.

import { type ErrorData, MAX_CAUSES, MAX_TEXT } from "./error-data.ts";
import { weigh } from "./weigh.ts";
import { MAX_FIELDS_BYTES, type ToParent } from "./wire.ts";

/** The message as it came, or undefined: nothing that a worker says. */
export function readToParent(message: unknown): ToParent | undefined {
  return isObject(message) && isToParent(message) ? (message as unknown as ToParent) : undefined;
}

/** A few words about what could not be read. */
export function shownMessage(message: unknown): string {
  if (!isObject(message)) return message === null ? "null" : typeof message;
  const { kind } = message;
  return typeof kind === "string" ? `kind "${kind.slice(0, 40)}"` : "an object without a kind";
}

type Fields = Readonly<Record<string, unknown>>;

function isToParent(message: Fields): boolean {
  switch (message["kind"]) {
    case "loaded":
    case "ready":
    case "alive":
      return true;
    case "item":
      return "item" in message && isCount(message["weight"], 0);
    case "taken":
    case "dropped":
      return isCount(message["items"], 1);
    case "log":
      return isLevel(message["level"]) && isObject(message["fields"]) && weigh(message["fields"]) <= MAX_FIELDS_BYTES && isText(message["message"]);
    case "end":
      return message["error"] === undefined || isErrorData(message["error"], 0);
    default:
      return false;
  }
}

function isErrorData(data: unknown, depth: number): data is ErrorData {
  if (!isObject(data) || depth > MAX_CAUSES) return false;
  const { name, message, stack, code, cause, retryable, position } = data;
  return (
    isText(name) &&
    isText(message) &&
    isOptional(stack, isText) &&
    isOptional(code, isText) &&
    isOptional(retryable, (value) => typeof value === "boolean") &&
    isOptional(position, (value) => isObject(value) && isOptional(value["file"], isText) && isCount(value["line"], 0) && isCount(value["column"], 0)) &&
    isOptional(cause, (value) => isErrorData(value, depth + 1))
  );
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function isOptional(value: unknown, fits: (value: unknown) => boolean): boolean {
  return value === undefined || fits(value);
}

function isCount(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_TEXT;
}

function isLevel(value: unknown): boolean {
  return value === "debug" || value === "info" || value === "warn" || value === "error";
}
