// Texts with units: durations, rates, budgets. The schema has checked their form and size; these give the number.

const MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES: Readonly<Record<string, number>> = { kB: 1_000, MB: 1_000_000, GB: 1_000_000_000 };
/** A timer can wait 2^31 - 1 ms at most; longer waits are chained, and nothing in a vehicle waits longer than ten years. */
const MAX_DURATION_MS = 10 * 366 * 86_400_000;

/** `500ms` → 500, `5s` → 5000, `2m`, `1h`, `7d`; at least 1 of what is more than nothing. undefined when it is not a duration or longer than ten years. */
export function durationMs(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d)$/.exec(text);
  if (match === null) return undefined;
  const exact = Number(match[1]) * (MS[match[2] ?? ""] ?? Number.NaN);
  const ms = exact > 0 ? Math.max(1, Math.round(exact)) : 0;
  return ms <= MAX_DURATION_MS ? ms : undefined;
}

/** `50/s` → 50. */
export function ratePerSecond(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)\/s$/.exec(text);
  return match === null ? undefined : Number(match[1]);
}

/** `1GB/month` → bytes a month; a day counts thirtyfold. */
export function budgetBytesPerMonth(text: string): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)(kB|MB|GB)\/(day|month)$/.exec(text);
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (BYTES[match[2] ?? ""] ?? Number.NaN) * (match[3] === "day" ? 30 : 1));
}
