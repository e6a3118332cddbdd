// An error as plain data, so that message, stack, code and causes survive the way out of a thread or a process.

import { asError } from "./running.ts";

export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: ErrorData;
}

const MAX_CAUSES = 5;
const MAX_TEXT = 16_384;

export function errorToData(thrown: unknown, depth = 0): ErrorData {
  const error = asError(thrown);
  const code: unknown = (error as { readonly code?: unknown }).code;
  return {
    name: error.name,
    message: error.message.slice(0, MAX_TEXT),
    ...(typeof error.stack === "string" ? { stack: error.stack.slice(0, MAX_TEXT) } : {}),
    ...(typeof code === "string" ? { code } : {}),
    ...(error.cause !== undefined && depth < MAX_CAUSES ? { cause: errorToData(error.cause, depth + 1) } : {}),
  };
}

/** An Error with the same name, message, stack, code and causes; its class is not restored. */
export function errorFromData(data: ErrorData): Error {
  const error = new Error(data.message, data.cause === undefined ? undefined : { cause: errorFromData(data.cause) });
  error.name = data.name;
  if (data.stack !== undefined) error.stack = data.stack;
  return data.code === undefined ? error : Object.assign(error, { code: data.code });
}
