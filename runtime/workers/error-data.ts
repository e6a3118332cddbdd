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
    ...(error instanceof DroverError ? { retryable: error.retryable, ...(error.position === undefined ? {} : { position: error.position }) } : {}),
  };
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
