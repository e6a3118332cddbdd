// What is odd about messages that can be read: signals beyond the end, shared bits, shared names, shared ids.

import { type CanMessage, type CanSignal, networkBit } from "../model/index.ts";
import { type DiagnosticLog, quote } from "./diagnostics.ts";
import type { MessageSyntax } from "./syntax.ts";

/** Signals beyond the message's end and signals that share bits are common in good files: worth a word, an error only in strict mode. */
export function reportPlacement(signals: readonly CanSignal[], message: MessageSyntax, log: DiagnosticLog, strict: boolean): void {
  if (signals.length === 0) return;
  const severity = strict ? "error" : "warning";
  /** By network bit: index of the last signal that has it, plus 1. */
  const owners = new Uint16Array(8 * Math.max(0, ...signals.map(({ needsBytes }) => needsBytes)));
  for (const signal of signals) {
    const { name, start, size, byteOrder, needsBytes, mux, position } = signal;
    if (needsBytes > message.length)
      log.add(severity, "beyond-length", `signal ${quote(name)} needs ${String(needsBytes)} bytes, message ${quote(message.name)} has ${String(message.length)}`, position);
    if (mux !== undefined) continue;
    const first = byteOrder === "intel" ? start : networkBit(start);
    let overlapped = 0;
    for (let bit = first; bit < first + size; bit++) {
      const place = byteOrder === "intel" ? networkBit(bit) : bit;
      overlapped ||= owners[place] ?? 0;
      owners[place] = signal.index + 1;
    }
    const other = signals[overlapped - 1];
    if (other !== undefined) log.add(severity, "shared-bits", `signals ${quote(other.name)} and ${quote(name)} of message ${quote(message.name)} share bits`, position);
  }
}

/** What is told by name leaves them out: nobody could say which of them is meant. Each name once, at its second signal. */
export function reportSharedNames(signals: readonly CanSignal[], message: MessageSyntax, log: DiagnosticLog, strict: boolean): void {
  const seen = new Map<string, number>();
  for (const { name, sharesName, position } of signals) {
    if (!sharesName) continue;
    seen.set(name, (seen.get(name) ?? 0) + 1);
    if (seen.get(name) === 2)
      log.add(
        strict ? "error" : "warning",
        "shared-name",
        `message ${quote(message.name)} has several signals ${quote(name)}: none of them is told, since their name does not say which it is`,
        position,
      );
  }
}

/** Common in files that were merged of several. */
export function reportDuplicates(messages: readonly CanMessage[], log: DiagnosticLog): void {
  /** Standard ids as negative numbers. */
  const byId = new Map<number, CanMessage>();
  const byName = new Set<string>();
  for (const message of messages) {
    if (!message.matchable) continue;
    const { kind, id, name, position } = message;
    const key = kind === "standard" ? -1 - id : id;
    const other = byId.get(key);
    if (other !== undefined) log.add("warning", "duplicate-id", `message ${quote(name)} has the ${kind} id ${String(id)} of ${quote(other.name)}; the later counts`, position);
    else if (byName.has(name)) log.add("warning", "duplicate-name", `there are several messages ${quote(name)}; by its name the last is meant`, position);
    byId.set(key, message);
    byName.add(name);
  }
}
