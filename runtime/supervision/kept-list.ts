// Children that were added at run time and outlive the process: kept as data, made again when their supervisor starts (OTP forgets them).
//
// K1. What is told as started is kept: it is written first. What then cannot be added is taken out again, and is on trial until that is known: a supervisor that restarts meanwhile
//     does not make it.
// K2. One change at a time; each writes the whole list.
// K3. A list that cannot be read keeps nobody from starting: the supervisor starts with what it is written with, and nothing is kept until the list was read. A child whose data
//     make no child any more is told, left out, and stays in the list.
// K4. One list at a time: who has the place of a supervisor that is gone (removed, forgotten, or gone with the one above) may stand over the same disk, and reads when all that was asked
//     of its predecessor's list is over. In one tree no two supervisors have one store (checked-tree.ts).

import { DroverError } from "../errors.ts";
import type { KeptChild, Log } from "../ports/index.ts";
import { asError } from "../workers/index.ts";
import { restartTypeOf, type ChildSpec, type Keeping } from "./spec.ts";

export class KeptList {
  readonly #keeping: Keeping;
  readonly #log: Log;
  readonly #after: Promise<unknown> | undefined;
  #children: readonly KeptChild[] | undefined;
  #reading: Promise<Error | undefined> | undefined;
  /** K1. */
  readonly #onTrial = new Set<string>();
  #turn: Promise<unknown> = Promise.resolve();
  /** K4. */
  readonly #requests = new Set<Promise<unknown>>();
  #late: ((change: Promise<unknown>) => void) | undefined;

  /** @param after K4: what is awaited before it is read */
  constructor(keeping: Keeping, log: Log, after?: Promise<unknown>) {
    this.#keeping = keeping;
    this.#log = log;
    this.#after = after;
  }

  /** K4: a request that may change it, from when it is asked to its end. */
  during<T>(request: Promise<T>): Promise<T> {
    const over = request.then(
      () => undefined,
      () => undefined,
    );
    this.#requests.add(over);
    void over.then(() => this.#requests.delete(over));
    this.#late?.(over);
    return request;
  }

  /** K4. Resolves when the requests so far are over; `late` is given those that come afterwards. Nothing is added by them, since their supervisor does not run. */
  async close(late: (change: Promise<unknown>) => void): Promise<void> {
    this.#late = late;
    await Promise.all(this.#requests);
  }

  has(id: string): boolean {
    return this.#children?.some((child) => child.id === id) === true;
  }

  /** Reads the list where it was not read yet; only then is it known who is kept. Never rejects (K3). */
  async ready(): Promise<void> {
    const problem = await this.#read();
    if (problem !== undefined) this.#log.error({ err: problem }, "the kept children cannot be read; nothing is kept until they can");
  }

  get isRead(): boolean {
    return this.#children !== undefined;
  }

  /** What is to be started beside what is written, in the order of adding: of what was read. */
  specs(): readonly ChildSpec[] {
    const listed = new Set<string>();
    return (this.#children ?? []).flatMap(({ id, data }) => {
      if (this.#onTrial.has(id)) return [];
      if (listed.has(id)) {
        this.#log.error({ child: id }, "a kept child is in its list twice; the later entry is left out");
        return [];
      }
      listed.add(id);
      try {
        return [this.make(id, data)];
      } catch (error) {
        this.#log.error({ err: error, child: id }, "a kept child cannot be made from its data and is left out");
        return [];
      }
    });
  }

  /** @throws DROVER_TREE_INVALID for a temporary one, and for another id than asked for; whatever `make` throws */
  make(id: string, data: unknown): ChildSpec {
    const spec = this.#keeping.make(id, data);
    if (spec.id !== id) throw new DroverError("DROVER_TREE_INVALID", `a kept child "${id}" was made as "${spec.id}"`);
    if (restartTypeOf(spec) === "temporary") throw new DroverError("DROVER_TREE_INVALID", `"${id}": a temporary child is forgotten when it ends, so it cannot be kept`);
    return spec;
  }

  /** K2. */
  inTurn<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#turn.then(run);
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  /** K1: undefined, or why it is not kept. `isThere` adds it and says whether it stays. */
  async put(child: KeptChild, isThere: () => Promise<boolean>): Promise<Error | undefined> {
    this.#onTrial.add(child.id);
    const problem = (await this.#read()) ?? (await this.#write([...(this.#children ?? []).filter(({ id }) => id !== child.id), child]));
    // What cannot be taken out now is made again at the next start: told there, or started.
    if (problem === undefined && !(await isThere())) await this.drop(child.id);
    this.#onTrial.delete(child.id);
    return problem;
  }

  /** Undefined, or why it is still kept. */
  async drop(id: string): Promise<Error | undefined> {
    return this.has(id) ? this.#write((this.#children ?? []).filter((child) => child.id !== id)) : undefined;
  }

  /** One reading at a time: a second one would put back what was written since. */
  #read(): Promise<Error | undefined> {
    if (this.isRead) return Promise.resolve(undefined);
    this.#reading ??= this.#load();
    return this.#reading;
  }

  async #load(): Promise<Error | undefined> {
    try {
      await this.#after;
      this.#children = await this.#keeping.store.load();
      return undefined;
    } catch (error) {
      return asError(error);
    } finally {
      this.#reading = undefined;
    }
  }

  async #write(children: readonly KeptChild[]): Promise<Error | undefined> {
    try {
      await this.#keeping.store.save(children);
      this.#children = children;
      return undefined;
    } catch (error) {
      return asError(error);
    }
  }
}
