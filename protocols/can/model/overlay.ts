// Corrections laid over a database: `message.signal: { factor, offset, unit, signed, source }`. The file stays as its maker wrote it (its defects included); what we know better stands
// beside it, with where it is known from.

import type { TextPosition } from "../../../runtime/ports/index.ts";
import { type CanMessage, type CanSignal, type Database, isFloat } from "./database.ts";

/** What is absent stays as the database says. */
export interface OverlayEntry {
  readonly message: string;
  readonly signal: string;
  readonly factor?: number;
  readonly offset?: number;
  readonly unit?: string;
  /** Whether the raw value is in two's complement. */
  readonly signed?: boolean;
  /** Where it is known from. */
  readonly source: string;
  /** Where the entry stands. */
  readonly position?: TextPosition;
}

export interface OverlayProblem {
  readonly entry: OverlayEntry;
  readonly message: string;
}

export type OverlayOutcome = { readonly kind: "laid"; readonly database: Database } | { readonly kind: "refused"; readonly problems: readonly OverlayProblem[] };

/** Every entry fits, or none is applied. An entry reaches each message of its name. Of two entries for one signal the later counts. */
export function applyOverlay(database: Database, entries: readonly OverlayEntry[]): OverlayOutcome {
  const bySignal = new Map<CanSignal, OverlayEntry>();
  const problems: OverlayProblem[] = [];
  for (const entry of entries) {
    const messages = database.messages.filter((message) => message.name === entry.message);
    const signals = messages.flatMap((message) => message.signals.filter((signal) => signal.name === entry.signal));
    const problem = overlayProblem(entry, messages, signals);
    if (problem === undefined) for (const signal of signals) bySignal.set(signal, entry);
    else problems.push({ entry, message: problem });
  }
  if (problems.length > 0) return { kind: "refused", problems };
  if (bySignal.size === 0) return { kind: "laid", database };
  const messages = database.messages.map((message): CanMessage => {
    if (!message.signals.some((signal) => bySignal.has(signal))) return message;
    return { ...message, signals: message.signals.map((signal) => laidOver(signal, bySignal.get(signal))) };
  });
  return { kind: "laid", database: { ...database, messages } };
}

function overlayProblem(entry: OverlayEntry, messages: readonly CanMessage[], signals: readonly CanSignal[]): string | undefined {
  if (messages.length === 0) return `there is no message "${entry.message}"`;
  if (signals.length === 0) return `message "${entry.message}" has no signal "${entry.signal}"`;
  if (signals.some((signal) => signal.sharesName)) return `message "${entry.message}" has several signals "${entry.signal}"`;
  if (entry.factor !== undefined && (!Number.isFinite(entry.factor) || entry.factor === 0)) return `factor ${String(entry.factor)}, expected a finite number other than 0`;
  if (entry.offset !== undefined && !Number.isFinite(entry.offset)) return `offset ${String(entry.offset)}, expected a finite number`;
  if (entry.signed !== undefined && signals.some(isFloat)) return `"${entry.signal}" is a floating point number, which has a sign of its own`;
  return undefined;
}

function laidOver(signal: CanSignal, entry: OverlayEntry | undefined): CanSignal {
  if (entry === undefined) return signal;
  return {
    ...signal,
    factor: entry.factor ?? signal.factor,
    offset: entry.offset ?? signal.offset,
    wholeScale: entry.factor === undefined && entry.offset === undefined ? signal.wholeScale : undefined,
    unit: entry.unit ?? signal.unit,
    type: entry.signed === undefined ? signal.type : entry.signed ? "signed" : "unsigned",
  };
}
