// Kept outcomes in the order in which they expire by the wall clock (a binary heap), for a full table: what has expired is found without a look through all of them.
//
// X1. It only points to rows: one that is gone, or expires at another time by now, is for its reader to pass over. A turn that is taken back may bring back rows that it lacks: it is made
//     anew then.

/** An outcome's id, and when it expires, wall ms. */
interface Expiry {
  readonly id: string;
  readonly at: number;
}

/** How much it may hold beside what it points to. */
const SPARE = 64;

export class ExpiryOrder {
  /** No parent is later than its children, which stand at twice its place and one or two more. */
  readonly #heap: Expiry[] = [];

  constructor(rows: Iterable<readonly [id: string, row: { readonly expiresAt: number }]>) {
    // An ascending list is a heap.
    for (const [id, { expiresAt: at }] of rows) this.#heap.push({ id, at });
    this.#heap.sort((a, b) => a.at - b.at);
  }

  /** False when more than half of what it holds points to nothing: it is to be made anew. @param rows in the table */
  add(id: string, at: number, rows: number): boolean {
    push(this.#heap, { id, at });
    return this.#heap.length <= 2 * rows + SPARE;
  }

  /** Takes out the first, if its time has come. */
  takeBy(now: number): Expiry | undefined {
    const [first] = this.#heap;
    return first === undefined || first.at > now ? undefined : pop(this.#heap);
  }

  /** All of them, the earliest first. */
  *inOrder(): Iterable<Expiry> {
    const rest = [...this.#heap];
    for (let next = pop(rest); next !== undefined; next = pop(rest)) yield next;
  }
}

function push(heap: Expiry[], added: Expiry): void {
  let place = heap.length;
  for (let up = (place - 1) >> 1; place > 0 && atOf(heap, up) > added.at; up = (place - 1) >> 1) {
    heap[place] = heap[up] as Expiry;
    place = up;
  }
  heap[place] = added;
}

function pop(heap: Expiry[]): Expiry | undefined {
  const [first] = heap;
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let place = 0;
  for (let down = 1; down < heap.length; down = 2 * place + 1) {
    if (atOf(heap, down + 1) < atOf(heap, down)) down++;
    if (atOf(heap, down) >= last.at) break;
    heap[place] = heap[down] as Expiry;
    place = down;
  }
  heap[place] = last;
  return first;
}

function atOf(heap: readonly Expiry[], place: number): number {
  return heap[place]?.at ?? Number.POSITIVE_INFINITY;
}
