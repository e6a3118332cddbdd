// Which node has a store in its hands, and whether it let go of it in order: what ends processes of several nodes one after the other is named in no crash file but theirs (rules M4).
//
// H1. The mark of a node is in the store before it steps anything that was there before: it is written with the start where the store is another's, or was let go of, and with the first commit
//     where it is empty.
// H2. Who finds the mark of another node that has not let go has taken the store over. For ten minutes of hosted time what may have ended that one's process is stepped with care (suspects.ts),
//     over restarts of the successor too, and by whoever comes next.
// H3. Only who is named there lets go: one whose store was taken over does not speak for its successor.

import type { NamedValue } from "../ports/index.ts";

export const HOLDER_KEY = "hosted-by";
/** H2. As long as every name is written down after an end that was not in order (host/step-mark.ts). */
const CAREFUL_MS = 600_000;

export interface HolderMark {
  readonly node: string;
  readonly hasLetGo?: true;
  /** Hosted ms at which it was last taken over from a node that had not let go. */
  readonly takenOverAt?: number;
}

export class Holder {
  /** Who had not let go; undefined: nobody. */
  readonly takenOverFrom: string | undefined;
  readonly #mark: HolderMark;
  #isToBeWritten: boolean;

  /** @param left what the store has of the one before. @param now hosted ms */
  constructor(node: string, left: HolderMark | undefined, now: number) {
    const isOwn = left?.node === node;
    this.takenOverFrom = left === undefined || isOwn || left.hasLetGo === true ? undefined : left.node;
    const takenOverAt = this.takenOverFrom === undefined ? left?.takenOverAt : now;
    this.#mark = takenOverAt === undefined ? { node } : { node, takenOverAt };
    this.#isToBeWritten = !isOwn || left.hasLetGo === true;
  }

  /** H2. @param now hosted ms */
  isCareful(now: number): boolean {
    const { takenOverAt } = this.#mark;
    return takenOverAt !== undefined && now - takenOverAt < CAREFUL_MS;
  }

  /** What is to be written with the next thing that is; undefined: it is there. */
  get mark(): NamedValue | undefined {
    return this.#isToBeWritten ? valueOf(this.#mark) : undefined;
  }

  written(): void {
    this.#isToBeWritten = false;
  }

  /** H3. @param there what the store has now */
  letGo(there: HolderMark | undefined): NamedValue | undefined {
    return there === undefined || there.node === this.#mark.node ? valueOf({ ...this.#mark, hasLetGo: true }) : undefined;
  }
}

function valueOf(mark: HolderMark): NamedValue {
  return { key: HOLDER_KEY, value: new TextEncoder().encode(JSON.stringify(mark)) };
}

/** undefined: there is none that can be read. */
export function holderMark(text: string | undefined): HolderMark | undefined {
  if (text === undefined) return undefined;
  try {
    const { node, hasLetGo, takenOverAt } = JSON.parse(text) as Record<keyof HolderMark, unknown>;
    if (typeof node !== "string") return undefined;
    return { node, ...(hasLetGo === true ? { hasLetGo } : {}), ...(typeof takenOverAt === "number" ? { takenOverAt } : {}) };
  } catch {
    return undefined;
  }
}
