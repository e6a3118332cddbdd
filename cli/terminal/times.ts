// Times for people.

/** `12 ms`, `3.4 s`, `5 min`, `2 h`, `3 d`. */
export function ageText(ms: number): string {
  const age = Math.max(0, ms);
  if (age < 1_000) return `${String(Math.round(age))} ms`;
  if (age < 60_000) return `${(Math.floor(age / 100) / 10).toFixed(1)} s`;
  if (age < 3_600_000) return `${String(Math.floor(age / 60_000))} min`;
  return age < 172_800_000 ? `${String(Math.floor(age / 3_600_000))} h` : `${String(Math.floor(age / 86_400_000))} d`;
}

/** UTC, to the millisecond. */
export function timeText(at: number): string {
  return Number.isFinite(at) && Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : "–";
}
