// What passes between a worker and its parent, whatever lies between them: a function call, a message port or a pipe.

import type { EndCause } from "./end-cause.ts";
import type { ErrorData } from "./error-data.ts";

/** Descriptor of a process's pipe to its parent. */
export const CHANNEL = 3;

/** What the far side needs to begin. */
export interface RunOrder {
  /** URL of the worker's file. */
  readonly module: string;
  readonly config: unknown;
  readonly window: ChannelWindow;
  /** undefined: alive() is not passed on. */
  readonly livenessMs: number | undefined;
  /** How long the worker may take to end when its parent is gone. */
  readonly shutdownMs: number;
  readonly endBefore?: EndCause;
}

/** How much may be under way in one direction. */
export interface ChannelWindow {
  readonly items: number;
  readonly bytes: number;
}

/** Of the fields of one line of a worker's log, as weigh.ts estimates. */
export const MAX_FIELDS_BYTES = 262_144;

export type LogLevel = "debug" | "info" | "warn" | "error";

/** Items and the acknowledgements of the other direction. `weight` is the sender's estimate in bytes. */
export type ChannelMessage =
  | { readonly kind: "item"; readonly item: unknown; readonly weight: number }
  | { readonly kind: "taken"; readonly items: number }
  /** Items that found no room since the last word of it. */
  | { readonly kind: "dropped"; readonly items: number };

export type ToParent =
  | ChannelMessage
  /** The far side can be given its order. */
  | { readonly kind: "loaded" }
  | { readonly kind: "ready" }
  | { readonly kind: "alive" }
  | { readonly kind: "log"; readonly level: LogLevel; readonly fields: object; readonly message: string }
  /** The promise of the worker settled, or something outside of it threw. The last message. */
  | { readonly kind: "end"; readonly error?: ErrorData };

export type ToWorker = ChannelMessage | { readonly kind: "run"; readonly order: RunOrder } | { readonly kind: "stop" };

export type Transfer = readonly ArrayBuffer[];
