// Children that wait for nothing of each other begin at the same moment, when the first of them is started; their tree still takes them up one after the other.
// On two cores three vehicles are online about a third sooner than one after the other.
//
// B1. Only the first start is shared: a restart is that child's alone.
// B2. So many begin at once at most; the next one begins when one has been taken up.
// B3. `end` ends what was begun and never taken up: a start that fails before its turn leaves nothing behind.

import type { Clock, Log, Random } from "../../runtime/ports/index.ts";
import { type Running, type Startable, stopWithin } from "../../runtime/workers/index.ts";

export interface Together {
  /** One of those that begin together. All are to be added before the first one starts. */
  readonly add: (startable: Startable) => Startable;
  readonly end: () => Promise<void>;
}

interface Member {
  readonly startable: Startable;
  readonly abort: AbortController;
  /** Begun and not taken up yet. */
  early: Promise<Running> | undefined;
}

/** @param atOnce at least 1; default all */
export function beginTogether(ports: { readonly clock: Clock; readonly random: Random; readonly log: Log }, atOnce = Number.POSITIVE_INFINITY): Together {
  const members: Member[] = [];
  /** Not begun; undefined before the first start. */
  let waiting: Member[] | undefined;

  function beginNext(count: number): void {
    for (const member of waiting?.splice(0, count) ?? []) {
      member.early = member.startable.start({ ...ports, signal: member.abort.signal });
      // Told to whoever takes it up.
      member.early.catch(() => undefined);
    }
  }

  async function takeUp({ abort }: Member, early: Promise<Running>, signal: AbortSignal): Promise<Running> {
    const unwanted = (): void => {
      abort.abort(signal.reason);
    };
    if (signal.aborted) unwanted();
    signal.addEventListener("abort", unwanted, { once: true });
    try {
      return await early;
    } finally {
      signal.removeEventListener("abort", unwanted);
    }
  }

  return {
    add: (startable) => {
      const member: Member = { startable, abort: new AbortController(), early: undefined };
      members.push(member);
      return {
        start: async (context) => {
          const isFirst = waiting === undefined;
          waiting = (waiting ?? members).filter((each) => each !== member);
          if (isFirst) beginNext(atOnce - 1);
          const { early } = member;
          member.early = undefined;
          try {
            return await (early === undefined ? startable.start(context) : takeUp(member, early, context.signal));
          } finally {
            beginNext(1);
          }
        },
      };
    },
    end: async () => {
      waiting = [];
      const left = members.filter(({ early }) => early !== undefined);
      await Promise.all(
        left.map(async ({ abort, early }) => {
          abort.abort();
          const running = await early?.catch(() => undefined);
          if (running !== undefined) await stopWithin(running, ports.clock, { shutdownMs: 0 });
        }),
      );
    },
  };
}
