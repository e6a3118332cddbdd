// At most so many frames a second on a bus (vehicle X1, the file's max_tx): a bucket that holds one second's worth.

export interface RateLimit {
  /** Takes one; false: none is left now, or what is left is kept back. @param isReserved for who keeps one back */
  take(nowMs: number, isReserved?: boolean): boolean;
  /** Keeps one back from all others, for what has begun and is to be brought to its end; returns how to let go. */
  reserve(): () => void;
}

/** @param perSecond > 0 */
export function rateLimit(perSecond: number): RateLimit {
  const capacity = Math.max(1, perSecond);
  let left = capacity;
  let reserved = 0;
  let lastMs: number | undefined;
  return {
    take: (nowMs, isReserved = false) => {
      if (lastMs !== undefined) left = Math.min(capacity, left + ((nowMs - lastMs) * perSecond) / 1_000);
      lastMs = nowMs;
      if (left < (isReserved ? 1 : 1 + reserved)) return false;
      left -= 1;
      return true;
    },
    reserve: () => {
      reserved++;
      return () => {
        reserved--;
      };
    },
  };
}
