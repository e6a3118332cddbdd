// At most so many frames a second on a bus (vehicle X1, the file's max_tx): a bucket that holds one second's worth.

export interface RateLimit {
  /** Takes one; false: none is left now. */
  take(nowMs: number): boolean;
}

/** @param perSecond > 0 */
export function rateLimit(perSecond: number): RateLimit {
  const capacity = Math.max(1, perSecond);
  let left = capacity;
  let lastMs: number | undefined;
  return {
    take: (nowMs) => {
      if (lastMs !== undefined) left = Math.min(capacity, left + ((nowMs - lastMs) * perSecond) / 1_000);
      lastMs = nowMs;
      if (left < 1) return false;
      left -= 1;
      return true;
    },
  };
}
