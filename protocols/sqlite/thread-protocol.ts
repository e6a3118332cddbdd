// What passes between a node's main thread and the thread that owns one of its SQLite files. Requests are carried out one after the other in the order they were
// posted, so that a question asked after a commit is answered after it, however long that took. What is to be first overtakes what is not and has not begun: a commit is behind
// no reads, trims and values that others ask for meanwhile, none of which it could change the outcome of, since whoever needs theirs before it waits for that.

import { DroverError, type ErrorCode } from "../../runtime/ports/index.ts";

export interface ThreadRequest {
  readonly id: number;
  readonly call: string;
  readonly argument: unknown;
  readonly isFirst: boolean;
}

export interface ThreadAnswer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: ErrorData;
  /** A flush failed with this call: it is the thread's last (rules L3). */
  readonly flushFailed?: string;
}

export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
}

export function errorData(error: unknown): ErrorData {
  if (error instanceof DroverError) return { code: error.code, message: error.message, retryable: error.retryable };
  return { code: "DROVER_STORE_FAILED", message: error instanceof Error ? error.message : String(error), retryable: false };
}

export function errorOf({ code, message, retryable }: ErrorData): DroverError {
  return new DroverError(code, message, { retryable });
}
