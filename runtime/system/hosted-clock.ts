// The node's hosted time: it grows only while the node runs and is kept across restarts, so that an `elapsed` timer saves what remains (rules K1).
//
// H1. It rides with commits: where it has grown by 250 ms since it was last kept, the next batch carries it in its transaction. After any end a start is at most 250 ms behind
//     the newest turn that is committed, whosever it is; an entity that is recovered lifts it to its own last turn.
// H2. Time that passes without turns is kept by a beat: 250 ms after the start, then when that time has doubled (0.5 s, 1 s, … 16 s), then every 15 s, and at a clean stop. What is lost
//     with a kill is at most half of what the node ran, and at most 15 s, and 250 ms: a timer comes so much later, and comes however often a node is killed that runs for 250 ms.
//     A beat is a write of its own: seven after a start, then four a minute, and none where commits have just carried it.
// H3. A beat never puts it back: one whose store was taken over may not know yet.
// H4. A store that is out keeps nothing: then a beat is tried again each second, and what passed meanwhile is lost with a kill.
// H5. Beside it stands who hosts (holder.ts): it is read, and where it is to be written as a rule written, with it.

import type { Clock, Store, TimeoutHandle } from "../ports/index.ts";
import type { Rider } from "./committer.ts";
import { Holder, HOLDER_KEY, type HolderMark, holderMark } from "./holder.ts";
import { inTime, STORE_WITHIN_MS } from "./in-time.ts";

/** H5. */
const PREFIX = "hosted-";
const KEY = `${PREFIX}ms`;
/** H1, H2. */
const STEP_MS = 250;
const SAVE_EVERY_MS = 15_000;
const AGAIN_MS = 1_000;
/** A clean stop waits this long for its own write. */
const SAVED_AT_STOP_WITHIN_MS = 3_000;
/** What a clock that is corrected in small steps does not do between two looks. */
const JUMP_MS = 2_000;

export interface HostedClock {
  /** Hosted ms. */
  now(): number;
  /**
   * Wall time from which on the wall clock was watched without a break: since the start, since it has been trusted, since its last jump.
   * @param isTrusted whether it is now
   */
  watchedSince(isTrusted: boolean): number;
  /** Called with the stamps of recovered state, before any timer is armed. */
  atLeast(elapsed: number): void;
  /** The store was taken over, not long ago, from a node that had not let go of it: what may have ended that one's process is stepped with care. */
  isCareful(): boolean;
  /** Whom this start has taken it over from so. */
  readonly takenOverFrom: string | undefined;
  /** H1. For the next batch of commits; undefined: what the store has is near enough. */
  ride(): Rider | undefined;
  stop(): Promise<void>;
}

/** Whether a system has run on a store. Of one that was killed within its first 250 ms and has committed nothing there may be no trace (H1, H2). */
export async function hasHosted({ values }: Pick<Store, "values">): Promise<boolean> {
  return (await values.get(KEY)) !== undefined;
}

interface Kept {
  readonly ms: number;
  readonly mark: HolderMark | undefined;
  readonly isEmpty: boolean;
}

/** @param node who hosts; undefined: nobody cares (H5) */
export async function openHostedClock(clock: Clock, store: Store, node?: string): Promise<HostedClock> {
  const kept = async (): Promise<Kept> => {
    const texts = new Map((await store.values.entries(PREFIX)).map(({ key, value }) => [key, new TextDecoder().decode(value)]));
    const ms = Number(texts.get(KEY) ?? 0);
    return { ms: Number.isFinite(ms) && ms >= 0 ? ms : 0, mark: holderMark(texts.get(HOLDER_KEY)), isEmpty: texts.size === 0 };
  };
  const { ms: left, mark, isEmpty } = await inTime(kept(), clock, STORE_WITHIN_MS, "the hosted time could not be read");
  const holder = node === undefined ? undefined : new Holder(node, mark, left);
  const own = holder?.mark;
  if (holder !== undefined && own !== undefined && !isEmpty) {
    await inTime(store.values.set(own.key, own.value), clock, STORE_WITHIN_MS, "who hosts could not be written").then(
      () => {
        holder.written();
      },
      // A store that takes nothing now lets nothing be stepped that commits: it goes with what it takes first.
      () => undefined,
    );
  }
  let base = left;
  /** What the store has at least. */
  let saved = base;
  /** The newest that commits have carried. */
  let carried = base;
  const began = clock.monotonic();
  const now = (): number => base + (clock.monotonic() - began);
  const bytesOf = (ms: number): Uint8Array => new TextEncoder().encode(String(ms));
  const save = async (isLast = false): Promise<void> => {
    const there = await kept();
    // H3.
    const ms = Math.max(there.ms, Math.floor(now()));
    const value = bytesOf(ms);
    // Holder H3.
    const said = isLast ? holder?.letGo(there.mark) : there.mark?.node === mark?.node ? holder?.mark : undefined;
    await (said === undefined ? store.values.set(KEY, value) : store.values.write([{ key: KEY, value }, said]));
    holder?.written();
    // A commit that was carried out before it, although it was asked for later, is put back.
    saved = ms;
  };

  let watched = clock.now();
  let wasTrusted = true;
  let ahead = clock.now() - clock.monotonic();
  const watchedSince = (isTrusted: boolean): number => {
    const drift = clock.now() - clock.monotonic();
    if (Math.abs(drift - ahead) > JUMP_MS || (isTrusted && !wasTrusted)) watched = clock.now();
    ahead = drift;
    wasTrusted = isTrusted;
    return watched;
  };

  let handle: TimeoutHandle | undefined;
  let stopped = false;
  const arm = (waitMs: number): void => {
    if (stopped) return;
    handle = clock.setTimeout(
      () => {
        beat().then(arm, () => {
          // What else needs the store tells of it.
          arm(AGAIN_MS);
        });
      },
      waitMs,
      { unref: true },
    );
  };
  /** H2. Gives when the next one is due. */
  const beat = async (): Promise<number> => {
    if (now() - saved >= STEP_MS) await save();
    if (carried > saved) return STEP_MS;
    return Math.min(SAVE_EVERY_MS, clock.monotonic() - began);
  };
  arm(STEP_MS);

  return {
    now,
    watchedSince,
    atLeast: (elapsed) => {
      if (elapsed > now()) base += elapsed - now();
    },
    isCareful: () => holder?.isCareful(now()) === true,
    takenOverFrom: holder?.takenOverFrom,
    ride: () => {
      const ms = Math.floor(now());
      if (ms - saved < STEP_MS) return markOf(holder);
      return {
        value: { key: KEY, value: bytesOf(ms) },
        kept: () => {
          carried = ms;
          saved = Math.max(saved, ms);
        },
      };
    },
    stop: async () => {
      stopped = true;
      clock.clearTimeout(handle);
      await inTime(save(true), clock, SAVED_AT_STOP_WITHIN_MS, "the hosted time could not be kept").catch(() => undefined);
    },
  };
}

/** H5. */
function markOf(holder: Holder | undefined): Rider | undefined {
  const value = holder?.mark;
  return value === undefined ? undefined : { value, kept: () => holder?.written() };
}
