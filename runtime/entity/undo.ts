// The undo log of a turn: a savepoint is a place in it (hosting H1; rules C3).

export class UndoLog {
  readonly #steps: (() => void)[] = [];

  /** Grows with every change: equal marks mean that nothing changed in between. */
  mark(): number {
    return this.#steps.length;
  }

  push(step: () => void): void {
    this.#steps.push(step);
  }

  /** Undoes everything since the mark, newest first. */
  backTo(mark: number): void {
    while (this.#steps.length > mark) (this.#steps.pop() as () => void)();
  }

  clear(): void {
    this.#steps.length = 0;
  }
}
