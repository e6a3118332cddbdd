// What the actors of a world were offered, and whether their steps took it: from the steps themselves, so that an `accepted` that no step stands behind is seen.
//
// O1. An input is named by the watch over steps (rules M4). The first step of the actor that it names, until the next input is named, is the one that is offered its message.
// O2. What is replayed is not offered. What was noted of a turn that came to nothing is overwritten when its inputs come again.

import type { RehearsedStep } from "../entity/index.ts";
import type { StepWatch } from "../ports/index.ts";

/** By what names the input over all its attempts: whether its actor took it. What was never offered is not there. */
export type Offered = ReadonlyMap<string, boolean>;

/** What waits in a table, and what comes for the first time; the names of replays and upgrades are others. */
const NAMES = /^(?:outside|entity|postponed|shelved) /;
/** Of one entity; a turn has 64 inputs at most, and what keeps no journal is asked about by nobody. */
const MOST = 256;

interface Run {
  readonly node: string;
  readonly run: number;
}

interface Noted {
  readonly offered: Map<string, boolean>;
  /** Somebody has asked since: the next one begins another turn. */
  isAsked: boolean;
}

export class OfferedMessages {
  readonly #noted = new Map<string, Noted>();
  #next: { readonly noted: Noted; readonly actor: string; readonly key: string } | undefined;

  /** The same watch; what it is told is noted. */
  noting(run: Run, watch: StepWatch): StepWatch {
    return {
      begin: (codeOf) => watch.begin(codeOf),
      stepping: (entity, cell, what, key) => {
        this.#named(placeOf(run, entity), cell, key);
        watch.stepping(entity, cell, what, key);
      },
      idle: () => {
        this.#next = undefined;
        watch.idle();
      },
      within: (entity, cell, what, key, work) => {
        this.#next = undefined;
        return watch.within(entity, cell, what, key, work);
      },
      get hung() {
        return watch.hung;
      },
      settled: (entity, key) => {
        watch.settled(entity, key);
      },
    };
  }

  readonly stepped = ({ actor, isTaken }: RehearsedStep): void => {
    const next = this.#next;
    if (next?.actor !== actor) return;
    this.#next = undefined;
    next.noted.offered.set(next.key, isTaken);
  };

  /** Of the turn that is about to be committed; undefined where nobody names inputs. */
  of(run: Run, entity: string): Offered | undefined {
    const noted = this.#noted.get(placeOf(run, entity));
    if (noted === undefined) return undefined;
    noted.isAsked = true;
    return new Map(noted.offered);
  }

  /** O1, O2. */
  #named(place: string, actor: string, key: string): void {
    this.#next = undefined;
    if (!NAMES.test(key)) return;
    let noted = this.#noted.get(place);
    if (noted === undefined) this.#noted.set(place, (noted = { offered: new Map(), isAsked: false }));
    const { offered } = noted;
    if (noted.isAsked || offered.size >= MOST) offered.clear();
    noted.isAsked = false;
    this.#next = { noted, actor, key };
  }
}

function placeOf({ node, run }: Run, entity: string): string {
  return `${node} ${String(run)} ${entity}`;
}
