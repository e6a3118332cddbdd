// A node's store, watched: why it takes no commits, for as long as that lasts, for whoever asks whether the node should get work (promise S5).
//
// W1. A commit refused for want of room (`passing`) is trouble until as many bytes have found room: those of a later batch, or of a trial once a second. Nobody commits on a node that gets no work, so no later commit is waited for.

import type { Clock, CommitOutcome, EntityCommit, MetricsSource, Store, TimeoutHandle } from "./ports/index.ts";

const TRY_EVERY_MS = 1_000;
const TRIAL_KEY = "node/room";
/** A trial is no larger than this: what was refused may be a state of 32 MiB. */
const MAX_TRIAL_BYTES = 262_144;

export interface WatchedStore extends Store {
  /** Why commits are refused, in words, for as long as that lasts. */
  readonly trouble: string | undefined;
  readonly metrics: MetricsSource;
}

interface NoRoom {
  /** Wall ms. */
  readonly since: number;
  readonly reason: string;
  /** What has to find room. */
  readonly bytes: number;
}

export function watchStore(store: Store & { readonly metrics?: MetricsSource }, clock: Clock): WatchedStore {
  let noRoom: NoRoom | undefined;
  let timer: TimeoutHandle | undefined;
  let isOpen = false;

  function told(batch: readonly EntityCommit[], outcomes: readonly CommitOutcome[]): void {
    const bytes = Math.min(
      MAX_TRIAL_BYTES,
      batch.reduce((sum, commit) => sum + bytesOf(commit), 0),
    );
    const refused = outcomes.find((outcome) => outcome.kind === "refused" && outcome.passing === true);
    if (refused?.kind === "refused") {
      noRoom = { since: noRoom?.since ?? clock.now(), reason: refused.reason, bytes };
      later();
    } else if (noRoom !== undefined && bytes >= noRoom.bytes && outcomes.some(({ kind }) => kind === "committed")) over();
  }

  function over(): void {
    noRoom = undefined;
    clock.clearTimeout(timer);
    timer = undefined;
  }

  function later(): void {
    if (!isOpen) return;
    timer ??= clock.setTimeout(
      () => {
        void trial();
      },
      TRY_EVERY_MS,
      { unref: true },
    );
  }

  async function trial(): Promise<void> {
    const tried = noRoom;
    if (tried === undefined) return;
    const hasRoom = await store.values.set(TRIAL_KEY, new Uint8Array(tried.bytes)).then(() => store.values.delete(TRIAL_KEY).then(yes, no), no);
    timer = undefined;
    // Refused once more meanwhile: that one has to find room.
    if (hasRoom && noRoom === tried) over();
    else if (noRoom !== undefined) later();
  }

  return {
    get trouble() {
      return noRoom === undefined ? undefined : `commits are refused since ${new Date(noRoom.since).toISOString()}: ${noRoom.reason}`;
    },
    metrics: () => [
      ...(store.metrics?.() ?? []),
      { name: "drover_store_failing", help: "1 while commits are refused for want of room.", kind: "gauge", value: noRoom === undefined ? 0 : 1 },
    ],
    open: async () => {
      const opened = await store.open();
      isOpen = true;
      return opened;
    },
    commit: (batch) => {
      const answer = store.commit(batch);
      answer.then(
        (outcomes) => {
          told(batch, outcomes);
        },
        () => undefined,
      );
      return answer;
    },
    revisionOf: (entity) => store.revisionOf(entity),
    load: (entity) => store.load(entity),
    entities: (after, limit) => store.entities(after, limit),
    journal: (query) => store.journal(query),
    trim: (entity, revision) => store.trim(entity, revision),
    get values() {
      return store.values;
    },
    close: () => {
      isOpen = false;
      over();
      return store.close();
    },
  };
}

function bytesOf({ record, snapshot, value }: EntityCommit): number {
  return record.byteLength + (snapshot?.byteLength ?? 0) + (value?.value.byteLength ?? 0);
}

const yes = (): boolean => true;
const no = (): boolean => false;
