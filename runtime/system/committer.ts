// Group commit over entities: what is ready while one batch is being written is the next batch (hosting H1; rules C2, C3).
//
// G1. One batch at a time, at most 256 turns, one turn per entity in it.
// G2. Every turn handed in is settled with what became of it; a store that throws means `unknown`, never "rolled back".

import { messageOf } from "../message-of.ts";
import { type CommitOutcome, type EntityCommit, type Log, MAX_BATCH_COMMITS, type NamedValue, type Store } from "../ports/index.ts";

/** What goes into the store with the turns that go there anyway. */
export interface Rider {
  readonly value: NamedValue;
  /** It is in the store. */
  readonly kept: () => void;
}

interface Waiting {
  readonly commit: EntityCommit;
  readonly settle: (outcome: CommitOutcome) => void;
}

export interface Committer {
  /** Never rejects. */
  commit(commit: EntityCommit): Promise<CommitOutcome>;
  readonly counters: { readonly batches: number; readonly turns: number; readonly refused: number; readonly unknown: number };
}

/** @param ridesWith the next batch, where something does */
export function createCommitter(store: Store, defer: (run: () => void) => void, log: Log, ridesWith: () => Rider | undefined): Committer {
  let waiting: Waiting[] = [];
  let writing = false;
  let scheduled = false;
  const counters = { batches: 0, turns: 0, refused: 0, unknown: 0 };

  function schedule(): void {
    if (scheduled || writing) return;
    scheduled = true;
    defer(() => {
      scheduled = false;
      void write();
    });
  }

  async function write(): Promise<void> {
    if (writing) return;
    writing = true;
    while (waiting.length > 0) {
      const batch = waiting.slice(0, MAX_BATCH_COMMITS);
      waiting = waiting.slice(MAX_BATCH_COMMITS);
      const outcomes = await outcomesOf(batch);
      counters.batches++;
      batch.forEach((entry, index) => {
        const outcome: CommitOutcome = outcomes[index] ?? { kind: "unknown", reason: "the store answered for fewer turns than it was given" };
        if (outcome.kind === "committed") counters.turns++;
        else counters[outcome.kind]++;
        entry.settle(outcome);
      });
      // Turns that follow from these settlements join the next batch instead of waiting behind it.
      await new Promise<void>((resolve) => {
        defer(resolve);
      });
    }
    writing = false;
  }

  async function outcomesOf(batch: readonly Waiting[]): Promise<readonly CommitOutcome[]> {
    try {
      const rider = ridesWith();
      // With each of them: any may be refused.
      const outcomes = await store.commit(batch.map(({ commit }) => (rider === undefined ? commit : { ...commit, value: rider.value })));
      if (outcomes.some(({ kind }) => kind === "committed")) rider?.kept();
      return outcomes;
    } catch (cause) {
      const reason = messageOf(cause);
      log.error({ err: cause, turns: batch.length }, "commit ended without an answer");
      return batch.map(() => ({ kind: "unknown", reason }));
    }
  }

  return {
    counters,
    commit: (commit) =>
      new Promise((settle) => {
        waiting.push({ commit, settle });
        schedule();
      }),
  };
}
