// W3C trace context: a request's trace is taken over or begun here, passed on with its message, and named in every problem.

import type { Random } from "../../runtime/ports/index.ts";

export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** What travels on: this node's own span in that trace. */
  readonly traceparent: string;
}

/** version 00, trace id, parent id, flags; a later version may have more fields behind, which are ignored. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(-.*)?$/;

/** @param header what the sender wrote; one that is not well formed begins a new trace, as the standard asks */
export function traceOf(header: string | readonly string[] | undefined, random: Random): Trace {
  const found = typeof header === "string" && header.length <= 256 ? TRACEPARENT.exec(header) : null;
  const [, traceId = nonZero(random.id()), flags = "00"] = found ?? [];
  return { traceId, traceparent: `00-${traceId}-${nonZero(random.id().slice(0, 16))}-${flags}` };
}

function nonZero(hex: string): string {
  return /^0+$/.test(hex) ? `${hex.slice(1)}1` : hex;
}
