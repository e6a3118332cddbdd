// A node's store, watched: why it takes no commits, for as long as that lasts, for whoever asks whether the node should get work (promises S3, S5).
//
// W1. A commit refused for want of room (`passing`) is trouble until as many bytes have found room: those of a later batch, or of a trial once a second. Nobody commits on a node that gets no work, so no later commit is waited for.
// W2. A store whose files were removed from under it is looked for every two seconds, and takes nothing until they are back: what it acknowledged would be gone at the next start. Its entities wait, as for room.

import { DroverError } from "./errors.ts";
import type { Clock, CommitOutcome, EntityCommit, Log, MetricsSource, Store, TimeoutHandle } from "./ports/index.ts";

const TRY_EVERY_MS = 1_000;
const TRIAL_KEY = "node/room";
/** A trial is no larger than this: what was refused may be a state of 32 MiB. */
const MAX_TRIAL_BYTES = 262_144;
const LOOK_EVERY_MS = 2_000;
const SAY_EVERY_MS = 600_000;

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

interface Gone {
  /** Wall ms. */
  readonly since: number;
  readonly reason: string;
  /** Monotonic ms. */
  readonly sayMs: number;
}

export function watchStore(store: Store & { readonly metrics?: MetricsSource }, { clock, log }: { readonly clock: Clock; readonly log: Log }): WatchedStore {
  let noRoom: NoRoom | undefined;
  let gone: Gone | undefined;
  let trying: TimeoutHandle | undefined;
  let looking: TimeoutHandle | undefined;
  /** Of the opening that is the present one; undefined while there is none. */
  let session: object | undefined;

  // ---- W1

  function told(batch: readonly EntityCommit[], outcomes: readonly CommitOutcome[]): void {
    const bytes = Math.min(
      MAX_TRIAL_BYTES,
      batch.reduce((sum, commit) => sum + bytesOf(commit), 0),
    );
    const refused = outcomes.find((outcome) => outcome.kind === "refused" && outcome.passing === true);
    if (refused?.kind === "refused") {
      noRoom = { since: noRoom?.since ?? clock.now(), reason: refused.reason, bytes };
      tryLater();
    } else if (noRoom !== undefined && bytes >= noRoom.bytes && outcomes.some(({ kind }) => kind === "committed")) hasRoom();
  }

  function hasRoom(): void {
    noRoom = undefined;
    clock.clearTimeout(trying);
    trying = undefined;
  }

  function tryLater(): void {
    if (session === undefined) return;
    trying ??= clock.setTimeout(() => void trial(), TRY_EVERY_MS, { unref: true });
  }

  async function trial(): Promise<void> {
    const tried = noRoom;
    if (tried === undefined) return;
    const found = await store.values.set(TRIAL_KEY, new Uint8Array(tried.bytes)).then(() => store.values.delete(TRIAL_KEY).then(yes, no), no);
    trying = undefined;
    // Refused once more meanwhile: that one has to find room.
    if (found && noRoom === tried) hasRoom();
    else if (noRoom !== undefined) tryLater();
  }

  // ---- W2

  function lookLater(of: object): void {
    if (store.missing === undefined || session !== of) return;
    looking = clock.setTimeout(() => void look(of), LOOK_EVERY_MS, { unref: true });
  }

  async function look(of: object): Promise<void> {
    // A store that does not answer says so where it is asked for more.
    const reason = await store.missing?.().catch(() => gone?.reason);
    if (session !== of) return;
    if (reason !== undefined) isGone(reason);
    else if (gone !== undefined) {
      log.info({ since: new Date(gone.since).toISOString() }, "the node's data is in its place again; commits are taken");
      gone = undefined;
    }
    lookLater(of);
  }

  function isGone(reason: string): void {
    const nowMs = clock.monotonic();
    const isSaid = gone !== undefined && nowMs < gone.sayMs;
    gone = { since: gone?.since ?? clock.now(), reason, sayMs: isSaid ? (gone?.sayMs ?? 0) : nowMs + SAY_EVERY_MS };
    if (isSaid) return;
    log.error(
      { reason, since: new Date(gone.since).toISOString() },
      "the node's data was removed while it runs, and nothing is committed: put back the same files (moved, not copied) and it goes on; or start the node anew, and it begins with what is in the folder then",
    );
  }

  const troubleOf = ({ since, reason }: NoRoom | Gone): string => `commits are refused since ${new Date(since).toISOString()}: ${reason}`;
  /** @throws DROVER_STORE_FAILED */
  async function write(work: () => Promise<void>): Promise<void> {
    if (gone !== undefined) throw new DroverError("DROVER_STORE_FAILED", gone.reason, { retryable: true });
    await work();
  }

  return {
    get trouble() {
      const found = gone ?? noRoom;
      return found === undefined ? undefined : troubleOf(found);
    },
    metrics: () => [
      ...(store.metrics?.() ?? []),
      { name: "drover_store_failing", help: "1 while commits are refused: there is no room, or the files are gone.", kind: "gauge", value: (gone ?? noRoom) === undefined ? 0 : 1 },
    ],
    open: async () => {
      const opened = await store.open();
      session = {};
      lookLater(session);
      return opened;
    },
    commit: (batch) => {
      if (gone !== undefined) {
        const { reason } = gone;
        return Promise.resolve(batch.map(() => ({ kind: "refused", reason, passing: true })));
      }
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
    values: {
      get: (key) => store.values.get(key),
      entries: (prefix, page) => store.values.entries(prefix, page),
      set: (key, value) => write(() => store.values.set(key, value)),
      delete: (key) => write(() => store.values.delete(key)),
      write: (changes) => write(() => store.values.write(changes)),
    },
    close: () => {
      session = undefined;
      gone = undefined;
      hasRoom();
      clock.clearTimeout(looking);
      return store.close();
    },
  };
}

function bytesOf({ record, snapshot, value }: EntityCommit): number {
  return record.byteLength + (snapshot?.byteLength ?? 0) + (value?.value.byteLength ?? 0);
}

const yes = (): boolean => true;
const no = (): boolean => false;
