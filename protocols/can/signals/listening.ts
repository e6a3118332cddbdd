// How long one has listened: time in which this process was stopped, or kept from running, is no silence of anybody else.

export interface Listening {
  /** Nothing could be heard between the two; call in order of time. */
  deaf(fromMs: number, toMs: number): void;
  /** What of the time between the two was listened. */
  listenedMs(fromMs: number, nowMs: number): number;
  /** When one will have listened for `lengthMs` since `fromMs`, if one goes on listening. */
  reachedMs(fromMs: number, lengthMs: number): number;
}

/** Older pauses are forgotten, and with them what they excuse. */
const MOST_PAUSES = 64;

export function createListening(): Listening {
  const pauses: { readonly fromMs: number; readonly toMs: number }[] = [];

  function reachedMs(fromMs: number, lengthMs: number): number {
    let atMs = fromMs + lengthMs;
    for (const pause of pauses) {
      const beginMs = Math.max(pause.fromMs, fromMs);
      if (pause.toMs > beginMs && beginMs < atMs) atMs += pause.toMs - beginMs;
    }
    return atMs;
  }

  return {
    deaf: (fromMs, toMs) => {
      pauses.push({ fromMs, toMs });
      if (pauses.length > MOST_PAUSES) pauses.shift();
    },
    listenedMs: (fromMs, nowMs) => {
      let deafMs = 0;
      for (const pause of pauses) deafMs += Math.max(0, Math.min(pause.toMs, nowMs) - Math.max(pause.fromMs, fromMs));
      return nowMs - fromMs - deafMs;
    },
    reachedMs,
  };
}
