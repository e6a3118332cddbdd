// The undo log of a turn: a savepoint is a place in it (hosting H1; rules C3).

type UndoStep = () => void;

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
    while (steps.length > mark) (steps.pop() as UndoStep)();
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
