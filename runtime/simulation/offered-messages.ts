// What the actors of a world were offered, whether their steps took it, and what these asked for: from the steps themselves, so that an `accepted` that no step stands behind is seen, and a
// wish that nobody carries out.
//
// O1. An input is named by the watch over steps (rules M4). The first step of the actor that it names, until the next input is named, is the one that is offered its message.
// O2. What is replayed is not offered. What was noted of a turn that came to nothing is overwritten when its inputs come again.
// O3. Wishes are those of actors that the supervisor keeps, of the newest turn. Of one in which such an actor began they are not known: what a beginning comes to may be taken back alone.

import { entityOf, parseAddress } from "../address.ts";
import type { RehearsedStep } from "../entity/index.ts";
import type { StepWatch } from "../ports/index.ts";
import { ForeignRef } from "../xstate/index.ts";

/** By what names the input over all its attempts: whether its actor took it. What was never offered is not there. */
export type Offered = ReadonlyMap<string, boolean>;

/** What a step asked for, in the words of the rows that it comes to. */
export type Wish =
  | { readonly kind: "send"; readonly receiver: string; readonly type: string }
  | { readonly kind: "perform"; readonly name: string }
  | { readonly kind: "arm" | "cancel"; readonly timer: string; readonly actor: string; readonly incarnation: number };

/** Of one turn. */
export interface Steps {
  readonly offered: Offered;
  /** In order; undefined: not known (O3). */
  readonly wishes: readonly Wish[] | undefined;
}

/** What waits in a table, and what comes for the first time; the names of replays and upgrades are others. */
const NAMES = /^(?:outside|entity|postponed|shelved) /;
const OTHERS = /^(?:replay|upgrade|context|recovery) /;
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
  wishes: Wish[];
  /** O3. */
  hasBegun: boolean;
}

export class OfferedMessages {
  readonly #noted = new Map<string, Noted>();
  #next: { readonly noted: Noted; readonly actor: string; readonly key: string } | undefined;
  /** Whose turn is under way. */
  #turn: { readonly noted: Noted; readonly entity: string } | undefined;

  /** The same watch; what it is told is noted. */
  noting(run: Run, watch: StepWatch): StepWatch {
    return {
      begin: (codeOf) => watch.begin(codeOf),
      stepping: (entity, cell, what, key) => {
        this.#named(run, entity, cell, key);
        watch.stepping(entity, cell, what, key);
      },
      idle: () => {
        this.#next = undefined;
        this.#turn = undefined;
        watch.idle();
      },
      within: (entity, cell, what, key, work) => {
        this.#next = undefined;
        this.#turn = undefined;
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

  readonly stepped = (step: RehearsedStep): void => {
    const { actor, isTaken } = step;
    if (step.isSupervised) this.#wished(step);
    const next = this.#next;
    if (next?.actor !== actor) return;
    this.#next = undefined;
    next.noted.offered.set(next.key, isTaken);
  };

  /** Of the turn that is about to be committed; undefined where nobody names inputs. */
  of(run: Run, entity: string): Steps | undefined {
    const noted = this.#noted.get(placeOf(run, entity));
    if (noted === undefined) return undefined;
    noted.isAsked = true;
    return { offered: new Map(noted.offered), wishes: noted.hasBegun ? undefined : noted.wishes };
  }

  /** O3. */
  #wished({ actor, incarnation, isTaken, isBeginning, actions }: RehearsedStep): void {
    const turn = this.#turn;
    if (turn === undefined || !isTaken) return;
    if (isBeginning) turn.noted.hasBegun = true;
    for (const action of actions) {
      if (action.kind === "act" && action.effectClass !== undefined) turn.noted.wishes.push({ kind: "perform", name: action.name });
      else if (action.kind === "cancel") turn.noted.wishes.push({ kind: "cancel", timer: action.timer, actor, incarnation });
      else if (action.kind === "send" && action.delay !== undefined) {
        if (action.timer !== undefined) turn.noted.wishes.push({ kind: "arm", timer: action.timer, actor, incarnation });
      } else if (action.kind === "send") {
        const receiver = receiverOf(action.to);
        if (receiver !== undefined && receiver !== turn.entity) turn.noted.wishes.push({ kind: "send", receiver, type: action.event.type });
      }
    }
  }

  /** O1, O2. */
  #named(run: Run, entity: string, actor: string, key: string): void {
    this.#next = undefined;
    if (OTHERS.test(key)) {
      this.#turn = undefined;
      return;
    }
    const place = placeOf(run, entity);
    let noted = this.#noted.get(place);
    if (noted === undefined) this.#noted.set(place, (noted = { offered: new Map(), isAsked: false, wishes: [], hasBegun: false }));
    if (this.#turn?.noted !== noted) {
      this.#turn = { noted, entity };
      noted.wishes = [];
      noted.hasBegun = false;
    }
    if (!NAMES.test(key)) return;
    const { offered } = noted;
    if (noted.isAsked || offered.size >= MOST) offered.clear();
    noted.isAsked = false;
    this.#next = { noted, actor, key };
  }
}

/** The entity that a message leaves for; undefined: it stays, or goes to somebody outside. */
function receiverOf(to: unknown): string | undefined {
  if (!(to instanceof ForeignRef)) return undefined;
  const { destination } = to;
  if (destination.kind === "actor") return entityOf(parseAddress(destination.address));
  return destination.kind === "entity-reply" ? destination.entity : undefined;
}

function placeOf({ node, run }: Run, entity: string): string {
  return `${node} ${String(run)} ${entity}`;
}
