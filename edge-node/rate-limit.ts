// At most so many frames in any second on a bus (vehicle X1, the file's max_tx), by the times at which they were on it: a window that slides, with no burst beyond it.

const WINDOW_MS = 1_000;

export interface RateLimit {
  /** Takes a place; undefined: none is free now, or what is free is kept back. @param isReserved for who keeps one back */
  take(nowMs: number, isReserved?: boolean): Place | undefined;
  /** Keeps one back from all others, for what has begun and is to be brought to its end; returns how to let go. */
  reserve(): () => void;
  /** Until a place is free for who keeps one back, ms; 0: now. Of a frame that is with the bus nobody knows yet. */
  freeInMs(nowMs: number): number;
}

/** Of a frame; it counts as one that leaves at any moment until it is left. */
export interface Place {
  /** The frame was on the bus then at the latest, or will never be. */
  left(atMs: number): void;
  /** No frame was handed over for it. */
  release(): void;
}

/** @param perSecond > 0; less than one: so many seconds between two */
export function rateLimit(perSecond: number): RateLimit {
  const places = Math.max(1, Math.floor(perSecond));
  const windowMs = Math.max(WINDOW_MS, (places * 1_000) / perSecond);
  let taken: { atMs: number }[] = [];
  let reserved = 0;
  const free = (nowMs: number): number => {
    taken = taken.filter(({ atMs }) => nowMs - atMs < windowMs);
    return places - taken.length;
  };
  return {
    take: (nowMs, isReserved = false) => {
      if (free(nowMs) < (isReserved ? 1 : 1 + reserved)) return undefined;
      const place = { atMs: Number.POSITIVE_INFINITY };
      taken.push(place);
      return {
        left: (atMs) => {
          place.atMs = atMs;
        },
        release: () => {
          taken = taken.filter((each) => each !== place);
        },
      };
    },
    reserve: () => {
      reserved++;
      return () => {
        reserved--;
      };
    },
    freeInMs: (nowMs) => (free(nowMs) > 0 ? 0 : Math.max(1, Math.min(...taken.map(({ atMs }) => atMs), nowMs) + windowMs - nowMs)),
  };
}
