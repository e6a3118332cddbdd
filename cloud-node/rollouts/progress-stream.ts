// Progress of a rollout for those who watch it (server-sent events).
//
// P1. While nobody watches nothing is computed, kept or woken: the first watcher of a rollout begins to listen to what changes it, the last one ends it.
// P2. At most one `progress` each EVERY_MS, whatever comes, computed once for all who watch the same rollout. What is told is how it stands, so that nobody has to have heard all of it.

import type { EventStream } from "../../protocols/http/index.ts";
import type { Address } from "../../runtime/index.ts";
import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";

const EVERY_MS = 500;

interface Watched {
  readonly streams: Set<EventStream>;
  readonly unsubscribe: () => void;
  due: TimeoutHandle | undefined;
  /** As it was told last. */
  told: string;
}

export interface ProgressStreams {
  add(rollout: Address, stream: EventStream): void;
  remove(rollout: Address, stream: EventStream): void;
  /** Rollouts that somebody watches. */
  readonly size: number;
}

/** @param listen calls when something that is told of a rollout may have changed, until it is ended  @param tell how it stands now; undefined: it is not there */
export function progressStreams(
  listen: (rollout: Address, changed: () => void) => () => void,
  clock: Clock,
  tell: (rollout: Address) => { readonly id: string; readonly data: object } | undefined,
): ProgressStreams {
  const watched = new Map<Address, Watched>();

  function begin(rollout: Address): Watched {
    const self: Watched = {
      streams: new Set(),
      unsubscribe: listen(rollout, () => {
        self.due ??= clock.setTimeout(
          () => {
            self.due = undefined;
            progress(rollout, self);
          },
          EVERY_MS,
          { unref: true },
        );
      }),
      due: undefined,
      told: "",
    };
    watched.set(rollout, self);
    return self;
  }

  function progress(rollout: Address, self: Watched): void {
    const now = tell(rollout);
    const text = JSON.stringify(now?.data);
    if (now === undefined || text === self.told) return;
    self.told = text;
    for (const stream of [...self.streams]) stream.send({ event: "progress", id: now.id, data: now.data });
  }

  return {
    add: (rollout, stream) => {
      const self = watched.get(rollout) ?? begin(rollout);
      self.streams.add(stream);
      const now = tell(rollout);
      if (now !== undefined) stream.send({ event: "snapshot", id: now.id, data: now.data });
    },
    remove: (rollout, stream) => {
      const self = watched.get(rollout);
      if (self?.streams.delete(stream) !== true || self.streams.size > 0) return;
      self.unsubscribe();
      clock.clearTimeout(self.due);
      watched.delete(rollout);
    },
    get size() {
      return watched.size;
    },
  };
}
