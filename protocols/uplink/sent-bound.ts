// Up to where an entity's stream may have been sent out of this store: what tells a fork where the record at the cloud's position is not kept any more (rules T1).
//
// N1. Before anything is sent the bound is lifted, durably. When the link is lost, and at each start before the entity takes a turn, it is the history's head: one write at each of these, none for a
//     turn (rules L4). One that stands at a start stays: nothing was sent since.
// N2. So a position beyond it is another store's doing: this one came back from an older copy. One up to it is of the history as it was when the bound was written: a copy that is put back begins
//     with a start, and writes it before a turn of its own.
// N3. A store that takes no write keeps nobody from sending. A process that is killed before a later write finds a bound that is too low, which counts only where the record is not kept either:
//     a history that has not forked may be taken for one then, never the other way round.

import type { Address } from "../../runtime/index.ts";
import type { Log, Store } from "../../runtime/ports/index.ts";

interface Bound {
  readonly incarnation: string;
  readonly revision: number;
}

export interface SentBoundOptions {
  readonly entity: Address;
  readonly store: Pick<Store, "values" | "revisionOf">;
  readonly log: Log;
}

/** Of one entity; as long as its node lives, over each opening of its store. */
export class SentBound {
  readonly #options: SentBoundOptions;
  /** undefined: it is lifted. */
  #bound: Bound | undefined;
  /** As the store has it. */
  #isStored = false;
  #isLifted = true;
  /** The last of those that take turns; never rejects. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: SentBoundOptions) {
    this.#options = options;
  }

  /** Once the store is open, before the entity takes a turn (N1). @throws DROVER_STORE_FAILED: the store cannot be read */
  async open(): Promise<void> {
    return this.#inTurn(async () => {
      this.#isLifted = false;
      this.#bound = boundOf(await this.#options.store.values.get(this.#key));
      this.#isStored = true;
      if (this.#bound === undefined) await this.#keepHead();
    });
  }

  /** Whether what others hold of the history can be nothing that was sent from here (N2). */
  async isExceededBy({ incarnation, revision }: Bound): Promise<boolean> {
    await this.#last;
    if (this.#bound === undefined) return false;
    return revision > (this.#bound.incarnation === incarnation ? this.#bound.revision : 0);
  }

  /** Before anything is sent that was read before. Never rejects (N3). */
  async lift(): Promise<void> {
    if (this.#isLifted && this.#isStored) return;
    return this.#inTurn(async () => {
      this.#isLifted = true;
      this.#bound = undefined;
      await this.#write(() => this.#options.store.values.delete(this.#key));
    });
  }

  /** The link is lost: what is sent from here on waits for `lift`. */
  lower(): void {
    if (!this.#isLifted) return;
    this.#isLifted = false;
    void this.#inTurn(() => this.#keepHead()).catch((cause: unknown) => {
      this.#tell(cause);
    });
  }

  get #key(): string {
    return `stream-sent/${this.#options.entity}`;
  }

  /** What was handed over before is in the store by now, and not beyond its head. */
  async #keepHead(): Promise<void> {
    const { incarnation, revision } = (await this.#options.store.revisionOf(this.#options.entity)) ?? { incarnation: "", revision: 0 };
    this.#bound = { incarnation, revision };
    await this.#write(() => this.#options.store.values.set(this.#key, Buffer.from(JSON.stringify({ incarnation, revision }))));
  }

  async #write(write: () => Promise<void>): Promise<void> {
    this.#isStored = false;
    try {
      await write();
      this.#isStored = true;
    } catch (cause) {
      this.#tell(cause);
    }
  }

  #tell(cause: unknown): void {
    this.#options.log.warn({ err: cause, entity: this.#options.entity }, "how far the stream may have been sent could not be written down");
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** undefined: there is none, or it cannot be read. */
function boundOf(value: Uint8Array | undefined): Bound | undefined {
  if (value === undefined) return undefined;
  try {
    const { incarnation, revision } = JSON.parse(Buffer.from(value).toString()) as Partial<Bound>;
    return typeof incarnation === "string" && Number.isSafeInteger(revision) ? { incarnation, revision: revision as number } : undefined;
  } catch {
    return undefined;
  }
}
