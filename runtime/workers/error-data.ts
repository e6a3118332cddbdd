// An error as plain data, so that message, stack, code and causes survive the way out of a thread or a process.

import { DroverError, errorCatalogue, type ErrorCode, type TextPosition } from "../errors.ts";
import { asError } from "./running.ts";

export interface ErrorData {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: ErrorData;
  readonly retryable?: boolean;
  readonly position?: TextPosition;
}

export const MAX_CAUSES = 5;
/** Of each text of it, and of a line of a log. */
export const MAX_TEXT = 16_384;

export function errorToData(thrown: unknown, depth = 0): ErrorData {
  const error = asError(thrown);
  const [name, message, stack, code] = [textOf(error, "name"), textOf(error, "message"), textOf(error, "stack"), textOf(error, "code")];
  const cause = depth < MAX_CAUSES ? fieldOf(error, "cause") : undefined;
  return {
    name: name ?? "Error",
    message: message ?? "(its message cannot be shown)",
    ...(stack === undefined ? {} : { stack }),
    ...(code === undefined ? {} : { code }),
    ...(cause === undefined ? {} : { cause: errorToData(cause, depth + 1) }),
    ...(error instanceof DroverError ? { retryable: error.retryable, ...(error.position === undefined ? {} : { position: error.position }) } : {}),
  };
}

/** Whoever threw it may have put anything there, also a getter that throws. */
function fieldOf(error: Error, name: string): unknown {
  try {
    return (error as unknown as Readonly<Record<string, unknown>>)[name];
  } catch {
    return undefined;
  }
}

function textOf(error: Error, name: string): string | undefined {
  const value = fieldOf(error, name);
  return typeof value === "string" ? value.slice(0, MAX_TEXT) : undefined;
}

/** An Error with the same name, message, stack, code and causes; one of ours is one of ours again, of other classes only the name is left. */
export function errorFromData(data: ErrorData): Error {
  const cause = data.cause === undefined ? {} : { cause: errorFromData(data.cause) };
  if (data.name === "DroverError" && isOurs(data.code)) {
    const { retryable, position } = data;
    const ours = new DroverError(data.code, data.message, { ...cause, ...(retryable === undefined ? {} : { retryable }), ...(position === undefined ? {} : { position }) });
    return withStack(ours, data.stack);
  }
  const error = withStack(new Error(data.message, cause), data.stack);
  error.name = data.name;
  return data.code === undefined ? error : Object.assign(error, { code: data.code });
}

function isOurs(code: string | undefined): code is ErrorCode {
  return code !== undefined && Object.hasOwn(errorCatalogue, code);
}

function withStack<E extends Error>(error: E, stack: string | undefined): E {
  if (stack !== undefined) error.stack = stack;
  return error;
}
