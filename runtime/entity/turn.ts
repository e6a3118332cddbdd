// One turn: inputs one after the other, each a savepoint; a fault ends the turn (hosting H1).

import { isA } from "../is-a.ts";
import type { Effect, Input, InputResult, JournalRecord, Turn, TurnStamp } from "./contract.ts";
import { measureVolatile } from "./context-limit.ts";
import type { Interior } from "./interior.ts";
import { failedAt, SupervisedFault } from "./fault.ts";
import { keepable } from "./keepable.ts";
import { recordOf, type Sealed, seal } from "./recording.ts";
import { endAttempt, forgive } from "./parking.ts";
import { handleFault, setAsideAtOnce } from "./supervision.ts";
import { takeInput } from "./take.ts";
import { unheardOf } from "./unheard.ts";

/** Who watches over a turn while it is taken; nothing of what it takes depends on it but how many inputs. */
export interface TurnGuide {
  /** An input is about to be stepped. @param effects of those before it, which stand in the turn's first */
  begins(input: Input, effects: number): void;
  /** The turn has lasted long enough: asked after each input, and what is left stays the caller's. */
  isOver(): boolean;
}

export function takeTurn(interior: Interior, inputs: readonly Input[], stamp: TurnStamp, guide?: TurnGuide): TakenTurn {
  interior.openTurn(stamp);
  const { durable } = interior;
  const results: InputResult[] = [];
  const sealed: Sealed | undefined = durable ? new Map() : undefined;
  let kept: Input[] | undefined;
  let keptResults: InputResult[] = results;
  for (let at = 0; at < inputs.length; at++) {
    const given = inputs[at] as Input;
    const mark = interior.undo.mark();
    const effects = interior.effects.length;
    guide?.begins(given, effects);
    const input = durable ? keepable(given, interior) : given;
    const result = "refusal" in input ? input.refusal : takeOne(interior, input, mark, sealed);
    const leftTrace = interior.undo.mark() > mark || interior.effects.length > effects;
    // As long as every input leaves a trace and is taken as it came, the lists are the caller's.
    if (kept === undefined && (!leftTrace || input !== given)) {
      kept = inputs.slice(0, at);
      keptResults = results.slice();
    }
    results.push(result);
    if (kept !== undefined && leftTrace) {
      kept.push(input as Input);
      keptResults.push(result);
    }
    const unheard = result.kind === "dropped" ? unheardOf(given) : undefined;
    if (unheard !== undefined) interior.drop(unheard);
    // What was postponed comes before what waits, so that the turn ends here.
    if (result.kind === "faulted" || interior.hasReleased || (at + 1 < inputs.length && guide?.isOver() === true)) {
      kept ??= inputs.slice(0, at + 1);
      break;
    }
  }
  return new TakenTurn(interior, results, kept ?? inputs, keptResults, sealed);
}

function takeOne(interior: Interior, input: Input, mark: number, sealed: Sealed | undefined): InputResult {
  const before = interior.savepoint(mark);
  const leave = interior.step();
  interior.takeInput(input);
  interior.resetDeliveries();
  try {
    const result = takeInput(interior, input);
    const isChanged = interior.undo.mark() > mark;
    if (isChanged) forgive(interior, input);
    if (sealed === undefined) {
      if (isChanged || interior.overdue !== undefined) measureVolatile(interior);
    } else if (isChanged) {
      seal(interior, sealed, input.kind === "upgrade" ? Number.POSITIVE_INFINITY : before.cellBytes);
    }
    if (sealed !== undefined) endAttempt(interior, input);
    return result;
  } catch (thrown) {
    // No fault of an actor's: whoever recovers the entity hears of it, and the turn is none.
    if (input.kind === "upgrade") throw isA(thrown, SupervisedFault) ? failedAt(thrown.cell, thrown.reason) : thrown;
    interior.takeBack(before);
    interior.byExpiry = undefined;
    interior.dropMail();
    sealed?.clear();
    interior.resetDeliveries();
    try {
      const result = handleFault(interior, input, thrown);
      endAttempt(interior, input);
      if (sealed !== undefined) seal(interior, sealed, before.cellBytes);
      return result;
    } catch (again) {
      // What the supervisor did failed too: the input alone is set aside, everything else stays as it was.
      interior.takeBack(before);
      interior.byExpiry = undefined;
      interior.dropMail();
      sealed?.clear();
      endAttempt(interior, input);
      return setAsideAtOnce(interior, input, again);
    }
  } finally {
    interior.unstep(leave);
  }
}

export class TakenTurn implements Turn {
  readonly revision: number;
  readonly consumed: number;
  readonly results: readonly InputResult[];
  readonly effects: readonly Effect[];
  readonly hasReleased: boolean;
  readonly #interior: Interior;
  readonly #inputs: readonly Input[];
  readonly #kept: readonly InputResult[];
  #record: JournalRecord | undefined = undefined;

  constructor(interior: Interior, results: readonly InputResult[], inputs: readonly Input[], kept: readonly InputResult[], sealed: Sealed | undefined) {
    this.revision = inputs.length > 0 ? interior.revision + 1 : interior.revision;
    this.consumed = results.length;
    this.results = results;
    this.effects = interior.effects;
    this.hasReleased = interior.hasReleased;
    this.#interior = interior;
    this.#inputs = inputs;
    this.#kept = kept;
    // Of a durable entity it is needed anyway, and its cells change with the next turn.
    if (sealed !== undefined && inputs.length > 0) this.#record = recordOf(interior, inputs, kept, this.revision, sealed);
  }

  /** Of a volatile entity it is made when it is asked for, which must be before its next turn. */
  get record(): JournalRecord | undefined {
    if (this.#inputs.length === 0) return undefined;
    return (this.#record ??= recordOf(this.#interior, this.#inputs, this.#kept, this.revision, undefined));
  }
}
