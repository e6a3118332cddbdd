// What is asked of a supervisor while it runs or starts: children come, go and start again. Outcomes agree with what runs (child-outcomes.ts).
//
// V5. Of two requests for one child the later one begins when the earlier one is over (OTP serves all calls so, one by one); only a removal breaks off a start, and a restart joins
//     one (lane.ts L7). Requests for other children go on meanwhile.
// V6. A child whose addition is under way when its supervisor ends is forgotten, and whoever added it is told so: it does not come back with the supervisor.
// V7. A request that comes while the supervisor starts waits until it runs (start-gate.ts); a removal waits only behind what was asked for its child before.

import { DroverError } from "../errors.ts";
import type { AddOutcome, KeepOutcome, RemoveOutcome, RestartOutcome } from "./child-outcomes.ts";
import type { KeptList } from "./kept-list.ts";
import type { Lane } from "./lane.ts";
import type { Places } from "./places.ts";
import { checkSignificance, restartTypeOf, type ChildSpec, type SupervisorSpec } from "./spec.ts";
import type { StartGate, Word } from "./start-gate.ts";

/** One run of a supervisor, from start to end. */
export interface Life {
  readonly hurry: AbortController;
  readonly ending: Promise<void> | undefined;
}

/** The supervisor that is asked. */
export interface Asked {
  readonly spec: SupervisorSpec;
  readonly path: string;
  readonly places: Places;
  readonly gate: StartGate;
  readonly kept: KeptList | undefined;
  /** It has started, and no end of it is under way. */
  readonly isUp: boolean;
  /** Its present run, or the last one. */
  readonly life: Life | undefined;
  /** Failures of that child so far count no more. */
  forgive(id: string): void;
}

export class ChildRequests {
  readonly #asked: Asked;
  /** V5: requests that have not begun; additions and removals under way. All by child. */
  readonly #inLine = new Map<string, Promise<void>>();
  readonly #coming = new Map<string, Promise<AddOutcome>>();
  readonly #going = new Map<string, Promise<void>>();

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  async add(spec: ChildSpec): Promise<AddOutcome> {
    checkSignificance(spec, this.#asked.spec.flags);
    if (!this.#asked.places.isOneForOne) return { kind: "not-one-for-one" };
    return this.#inTurn(spec.id, async (begun, before) => {
      const passed = this.#passed(before);
      const word = typeof passed === "string" ? passed : await passed;
      return word === "go" ? this.#add(spec, begun) : { kind: word };
    });
  }

  async #add(spec: ChildSpec, begun: () => void): Promise<AddOutcome> {
    const { places } = this.#asked;
    // V5
    for (let other = this.#underWay(spec.id); other !== undefined; other = this.#underWay(spec.id)) await other;
    if (!this.#asked.isUp) return { kind: "not-running" };
    if (places.laneOf(spec.id) !== undefined) return { kind: "id-taken" };
    const added = this.#begin(spec);
    this.#coming.set(spec.id, added);
    begun();
    return added;
  }

  async #begin(spec: ChildSpec): Promise<AddOutcome> {
    const { places } = this.#asked;
    const lane = places.add(spec);
    // A temporary one has one start: whoever adds it is told, and it never counts as a significant child that ended.
    const outcome = await lane.begin(restartTypeOf(spec) === "temporary" ? "escalate" : (this.#asked.spec.flags.startFailure ?? "escalate"));
    // V6
    const isExpected = this.#coming.delete(spec.id);
    if (outcome.kind !== "failed") return { kind: outcome.kind === "up" && isExpected ? "started" : "not-running" };
    if (!outcome.retrying) {
      places.drop(lane);
      places.forget((other) => other === spec);
    }
    return { kind: "start-failed", error: outcome.error, kept: outcome.retrying && isExpected && places.lanes.includes(lane) };
  }

  /** As `add`, of what these data make, and it comes back with the process. @throws DROVER_TREE_INVALID where no children are kept, and for data that make none */
  async keep(id: string, data: unknown): Promise<KeepOutcome> {
    const { kept, places, spec: above, path } = this.#asked;
    if (kept === undefined) throw new DroverError("DROVER_TREE_INVALID", `"${path}" keeps no children`);
    const spec = kept.make(id, data);
    checkSignificance(spec, above.flags);
    const added = this.#inTurn<KeepOutcome>(id, async (begun, before) => {
      const passed = this.#passed(before);
      const word = typeof passed === "string" ? passed : await passed;
      if (word !== "go") return { kind: word };
      return kept.inTurn(async () => {
        // V5
        for (let other = this.#underWay(id); other !== undefined; other = this.#underWay(id)) await other;
        if (!this.#asked.isUp) return { kind: "not-running" };
        if (places.laneOf(id) !== undefined || kept.has(id)) return { kind: "id-taken" };
        let outcome: KeepOutcome = { kind: "not-running" };
        const error = await kept.put({ id, data }, async () => {
          outcome = await this.#add(spec, begun);
          return outcome.kind === "started" || (outcome.kind === "start-failed" && outcome.kept);
        });
        return error === undefined ? outcome : { kind: "not-kept", error };
      });
    });
    return kept.during(added);
  }

  async remove(id: string): Promise<RemoveOutcome> {
    const { kept } = this.#asked;
    const removed = this.#inTurn<RemoveOutcome>(id, async (begun, before) => {
      // V7
      if (before !== undefined) await before;
      if (kept?.isRead === false) await kept.ready();
      if (kept?.has(id) !== true) return this.#remove(id, begun);
      return kept.inTurn(async () => {
        const error = await kept.drop(id);
        if (error !== undefined) return { kind: "still-kept", error };
        const outcome = await this.#remove(id, begun);
        return outcome.kind === "no-such-child" ? { kind: "removed" } : outcome;
      });
    });
    return kept === undefined ? removed : kept.during(removed);
  }

  async #remove(id: string, begun: () => void): Promise<RemoveOutcome> {
    const { places } = this.#asked;
    if (!places.isOneForOne) return { kind: "not-one-for-one" };
    const lane = places.laneOf(id);
    if (lane === undefined) return { kind: "no-such-child" };
    const going = this.#going.get(id) ?? this.#take(lane, id);
    this.#going.set(id, going);
    begun();
    await going;
    return { kind: "removed" };
  }

  async #take(lane: Lane, id: string): Promise<void> {
    const { places } = this.#asked;
    places.forget((spec) => spec.id === id);
    this.#coming.delete(id);
    await lane.down((this.#asked.life?.hurry ?? new AbortController()).signal);
    this.#asked.forgive(id);
    places.drop(lane);
    this.#going.delete(id);
  }

  /** Stops and starts it, with the siblings that its strategy names. Not counted as a failure. */
  async restart(id: string): Promise<RestartOutcome> {
    return this.#inTurn(id, async (begun, before) => {
      const passed = this.#passed(before);
      const word = typeof passed === "string" ? passed : await passed;
      return word === "go" ? this.#restart(id, begun) : { kind: word };
    });
  }

  async #restart(id: string, begun: () => void): Promise<RestartOutcome> {
    const { places, spec } = this.#asked;
    // V5
    for (let going = this.#going.get(id); going !== undefined; going = this.#going.get(id)) await going;
    const { life } = this.#asked;
    if (life === undefined || !this.#asked.isUp) return { kind: "not-running" };
    const lane = places.laneOf(id);
    if (lane === undefined) return { kind: "no-such-child" };
    this.#asked.forgive(id);
    const isTemporary = lane.slots.some((slot) => slot.id === id && slot.restartType === "temporary");
    const restarted = lane.restart(id, spec.flags.backoff !== undefined && !isTemporary ? "retry" : "stay-down");
    begun();
    const outcome = await restarted;
    if (outcome.kind === "failed") return { kind: "start-failed", error: outcome.error };
    if (outcome.kind === "stopped") return { kind: life.ending === undefined ? "no-such-child" : "not-running" };
    // A temporary one that went down with a sibling meanwhile is forgotten (L3).
    return { kind: places.laneOf(id) === undefined ? "no-such-child" : "started" };
  }

  /** V6. */
  forgetComing(): void {
    const coming = new Set(this.#coming.keys());
    this.#asked.places.forget(({ id }) => coming.has(id));
    this.#coming.clear();
  }

  /** V7, and behind what was asked for the same child before. */
  #passed(before: Promise<void> | undefined): Word | Promise<Word> {
    const word = this.#asked.gate.pass();
    return before === undefined || word === "full" ? word : wentAfter(word, before);
  }

  /** V5: `run` is told what to await of its predecessors, and tells when it has begun. */
  async #inTurn<T>(id: string, run: (begun: () => void, before: Promise<void> | undefined) => Promise<T>): Promise<T> {
    const before = this.#inLine.get(id);
    let begun = (): void => undefined;
    const mine = new Promise<void>((resolve) => {
      begun = resolve;
    });
    this.#inLine.set(id, mine);
    const over = (): void => {
      begun();
      if (this.#inLine.get(id) === mine) this.#inLine.delete(id);
    };
    try {
      return await run(over, before);
    } finally {
      over();
    }
  }

  #underWay(id: string): Promise<unknown> | undefined {
    return this.#going.get(id) ?? this.#coming.get(id);
  }
}

async function wentAfter(word: Word | Promise<Word>, before: Promise<void>): Promise<Word> {
  const said = await word;
  if (said === "go") await before;
  return said;
}
