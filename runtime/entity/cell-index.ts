// The cells of an entity by address. Most entities have one cell, which needs no table.

import type { Cell } from "./cell.ts";

export class CellIndex {
  root: Cell | undefined = undefined;
  #others: Map<string, Cell> | undefined = undefined;

  get size(): number {
    return (this.root === undefined ? 0 : 1) + (this.#others?.size ?? 0);
  }

  get(address: string): Cell | undefined {
    return this.root?.address === address ? this.root : this.#others?.get(address);
  }

  has(address: string): boolean {
    return this.get(address) !== undefined;
  }

  /** A cell takes the place of another with its address. */
  set(cell: Cell): void {
    if (cell.supervision?.kind === "root") this.root = cell;
    else (this.#others ??= new Map<string, Cell>()).set(cell.address, cell);
  }

  delete(address: string): void {
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
