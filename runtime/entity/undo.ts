// The undo log of a turn: a savepoint is a place in it (hosting H1; rules C3).

/** A change that can be asked what was before it. */
export interface Undoable {
  undo(): void;
}

type UndoStep = (() => void) | Undoable;

/** Lists of entities whose turns have ended: an idle entity holds none. */
const spare: UndoStep[][] = [];
const MAX_SPARE = 64;

export class UndoLog {
  #steps: UndoStep[] | undefined = undefined;

  /** Grows with every change: equal marks mean that nothing changed in between. */
  mark(): number {
    return this.#steps === undefined ? 0 : this.#steps.length;
  }

  push(step: UndoStep): void {
    (this.#steps ??= spare.pop() ?? []).push(step);
  }

  /** Undoes everything since the mark, newest first. */
  backTo(mark: number): void {
    const steps = this.#steps;
    if (steps === undefined) return;
    while (steps.length > mark) {
      const step = steps.pop() as UndoStep;
      if (typeof step === "function") step();
      else step.undo();
    }
  }

  /** The oldest change of a kind. */
  first<S extends UndoStep>(isMeant: (step: UndoStep) => step is S): S | undefined {
    return this.#steps?.find(isMeant);
  }

  /** The changes of a kind since the mark, oldest first. */
  *since<S extends UndoStep>(mark: number, isMeant: (step: UndoStep) => step is S): Iterable<S> {
    const steps = this.#steps;
    if (steps !== undefined) for (let at = mark; at < steps.length; at++) if (isMeant(steps[at] as UndoStep)) yield steps[at] as S;
  }

  clear(): void {
    const steps = this.#steps;
    if (steps === undefined) return;
    this.#steps = undefined;
    if (spare.length >= MAX_SPARE || steps.length > 1_024) return;
    steps.length = 0;
    spare.push(steps);
  }
}
