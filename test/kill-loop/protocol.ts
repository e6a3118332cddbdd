// What passes between the node that is killed and the process that keeps the ledger.

import type { JobState, SinkState, What } from "./job.ts";

export type ToNode =
  | { readonly kind: "command"; readonly id: string; readonly entity: string; readonly what: What; readonly n: number; readonly ms: number }
  | { readonly kind: "confirm"; readonly act: number }
  | { readonly kind: "activate"; readonly entity: string }
  | { readonly kind: "read"; readonly entity: string }
  | { readonly kind: "stop" };

export type FromNode =
  | { readonly kind: "ready" }
  | { readonly kind: "told"; readonly id: string; readonly outcome: string }
  /** An effect happens now; it is over when it is confirmed. */
  | { readonly kind: "act"; readonly act: number; readonly effect: "paint" | "fire"; readonly n: number }
  | { readonly kind: "activated"; readonly entity: string }
  | { readonly kind: "state"; readonly entity: string; readonly job: JobState | undefined; readonly sink: SinkState | undefined };
