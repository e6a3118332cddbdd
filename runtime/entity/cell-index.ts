// The cells of an entity by address, and what their records take together. Most entities have one cell, which needs no table.

import type { Cell } from "./cell.ts";

export class CellIndex {
  root: Cell | undefined = undefined;
  #others: Map<string, Cell> | undefined = undefined;
  #bytes = 0;

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
    this.#bytes += cell.bytes - (this.get(cell.address)?.bytes ?? 0);
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
    if (this.root !== undefined) yield this.root;
    if (this.#others !== undefined) yield* this.#others.values();
  }

  *keys(): Generator<string> {
    for (const cell of this.values()) yield cell.address;
  }
}
