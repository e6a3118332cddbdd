// Raw values by which a sender says that it has no value. SAE J1939 keeps the top of each field for that: all ones is "not available", and in whole bytes everything above 0xFA is
// an error or reserved (0xFB to 0xFF, 0xFB00 to 0xFFFF, 0xFB000000 to 0xFFFFFFFF). Single bits have no room for it; signed fields and floats do not follow it.

import type { CanSignal } from "../model/index.ts";

export type NotAvailableRule = "none" | "j1939";

/** The lowest raw value that means "no value"; Infinity where every value is one. */
export function notAvailableFrom(signal: CanSignal, rule: NotAvailableRule): number {
  if (rule === "none" || signal.type !== "unsigned" || signal.size < 2) return Number.POSITIVE_INFINITY;
  if (signal.size === 8 || signal.size === 16 || signal.size === 32) return 0xfb * 2 ** (signal.size - 8);
  return 2 ** signal.size - 1;
}
