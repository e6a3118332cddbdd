// The cells of an entity by address, and what their records take together. Most entities have one cell, which needs no table.
//
// X1. They stand in the order in which they came in, also after one that was taken out is put back: a turn that is taken back and taken again comes to the same (rules C3).

import type { Cell } from "./cell.ts";

export class CellIndex {
  root: Cell | undefined = undefined;
  #others: Map<string, Cell> | undefined = undefined;
  #bytes = 0;
  #lastPlace = 0;
  /** Some were put back since the table was in order. */
  #isMixed = false;

  get size(): number {
    return (this.root === undefined ? 0 : 1) + (this.#others?.size ?? 0);
  }

  /** About what all records take in a snapshot, each as it was measured last. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Notes what a cell's record takes. */
  weigh(cell: Cell, bytes: number): void {
    if (this.get(cell.address) === cell) this.#bytes += bytes - cell.bytes;
    cell.bytes = bytes;
  }

  get(address: string): Cell | undefined {
    return this.root?.address === address ? this.root : this.#others?.get(address);
  }

  has(address: string): boolean {
    return this.get(address) !== undefined;
  }

  /** A cell takes the place of another with its address. */
  set(cell: Cell): void {
    const before = this.get(cell.address);
    cell.place = before === undefined ? ++this.#lastPlace : before.place;
    this.#hold(cell, before);
  }

  /** X1. @param place that it had */
  putBack(cell: Cell, place: number): void {
    cell.place = place;
    this.#isMixed = true;
    this.#hold(cell, this.get(cell.address));
  }

  #hold(cell: Cell, before: Cell | undefined): void {
    this.#bytes += cell.bytes - (before?.bytes ?? 0);
    if (cell.supervision?.kind === "root") this.root = cell;
    else (this.#others ??= new Map<string, Cell>()).set(cell.address, cell);
  }

  delete(address: string): void {
    this.#bytes -= this.get(address)?.bytes ?? 0;
    if (this.root?.address === address) this.root = undefined;
    else this.#others?.delete(address);
  }

  /** Root first. */
  *values(): Generator<Cell> {
    if (this.#isMixed) this.#order();
    if (this.root !== undefined) yield this.root;
    if (this.#others !== undefined) yield* this.#others.values();
  }

  *keys(): Generator<string> {
    for (const cell of this.values()) yield cell.address;
  }

  #order(): void {
    this.#isMixed = false;
    if (this.#others !== undefined) this.#others = new Map([...this.#others].sort(([, a], [, b]) => a.place - b.place));
  }
}
