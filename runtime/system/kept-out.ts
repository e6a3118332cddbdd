// Entities whose code ended two processes of this node by different work: the node goes on without them (rules M4). One message that hangs again and again has its three attempts
// (suspects.ts), and what is parked counts no more; this is for an entity that hangs on what is new each time.
//
// K1. It is kept out of memory when two deaths with its name in the crash file, of different work under the code that it has now, lie within an hour. Its store stays as it is. Where the
//     machine went down too nobody is held answerable: a vehicle's ignition may be turned off twice in an hour. Nor where its supervisor saw that somebody else ended the process
//     (a kill, the kernel), nor where of the deaths of that hour as many met no code of an actor: one in ten meets a busy entity, whoever ends the processes.
// K2. It may come when an hour has passed since the later one, by itself; at once under another version, or another `migrate`, of its types, or when the lines leave the crash file, at
//     the next start.
// K3. Who has run for ten minutes and 1,000 turns since has a clean slate: a kill names an innocent one too. What has hung twice itself is not run for that.

import type { Address } from "../address.ts";
import type { EntityType } from "../actor/index.ts";
import { upgradeCode } from "../entity/index.ts";
import type { HungStep, StepWatch } from "../ports/index.ts";
import { endedWell } from "./watched.ts";

/** Two poison messages that are further apart are two accidents; and a vehicle that nobody looks after is not out for longer. */
const WITHIN_MS = 3_600_000;
/** K3: so that a busy entity does not earn it between two deaths of a series. */
const CLEAN_AFTER_MS = 600_000;
const CLEAN_AFTER_TURNS = 1_000;
/** What is done with an input before it is stepped is not other work. */
const BEFORE_ITS_STEP = /^(?:attempt at |shelving )+/;

export interface KeptOut {
  /** The cause, and what to do. */
  readonly reason: string;
  /** Until it may come by itself, ms; at most an hour, also where the wall clock went back. */
  readonly leftMs: number;
}

export interface KeptOutEntity {
  readonly entity: Address;
  readonly out: KeptOut;
}

/** undefined: it may come. @param now wall time, ms */
export function keptOut(watch: StepWatch, entity: Address, type: EntityType, now: number): KeptOut | undefined {
  if (watch.hung.length === 0) return undefined;
  const code = upgradeCode(type);
  const deaths = watch.hung.filter((each) => each.entity === entity && each.code === code && each.withMachine !== true && each.byOthers !== true);
  const last = deaths.at(-1);
  if (last === undefined || now - last.at >= WITHIN_MS) return undefined;
  const other = deaths.findLast((each) => each !== last && last.at - each.at < WITHIN_MS && isOther(each, last));
  if (other === undefined) return undefined;
  const isOfThatHour = (at: number): boolean => last.at - at < WITHIN_MS;
  if ((watch.idleDeaths ?? []).filter(isOfThatHour).length >= deaths.filter(({ at }) => isOfThatHour(at)).length) return undefined;
  const leftMs = Math.min(WITHIN_MS, last.at + WITHIN_MS - now);
  const minutes = Math.ceil(leftMs / 60_000);
  return {
    leftMs,
    reason: `two processes of this node ended within an hour in code of ${entity}, at ${shown(other)} and at ${shown(last)}: the node runs without it for another ${String(minutes)} min, what is stored and sent waits; mend its code and raise the version of its type, or take its lines out of the node's crash file, and start the node again`,
  };
}

/** All that are kept out now. */
export function allKeptOut(watch: StepWatch, typeOf: (entity: Address) => EntityType | undefined, now: number): readonly KeptOutEntity[] {
  return [...new Set(watch.hung.map(({ entity }) => entity as Address))].flatMap((entity) => {
    const type = typeOf(entity);
    const out = type === undefined ? undefined : keptOut(watch, entity, type, now);
    return out === undefined ? [] : [{ entity, out }];
  });
}

/** K3. */
export class CleanSlate {
  readonly #watch: StepWatch;
  readonly #entity: Address;
  readonly #earnedAt: number;
  #turns = 0;

  /** @param now monotonic time, ms */
  constructor(watch: StepWatch, entity: Address, now: number) {
    this.#watch = watch;
    this.#entity = entity;
    this.#earnedAt = now + CLEAN_AFTER_MS;
  }

  /** A turn ended well. @returns true: nothing speaks against it any more */
  turned(now: number): boolean {
    if (++this.#turns < CLEAN_AFTER_TURNS || now < this.#earnedAt) return false;
    for (const { entity, key } of this.#watch.hung) if (entity === this.#entity) endedWell(this.#watch, { entity: this.#entity, key });
    return true;
  }
}

/** What nobody brings again has no key: each is one of its own. */
function isOther(one: HungStep, { key }: HungStep): boolean {
  return key === "" || one.key.replace(BEFORE_ITS_STEP, "") !== key.replace(BEFORE_ITS_STEP, "");
}

function shown({ what, cell, how }: HungStep): string {
  return `${what} in ${cell} (${how === "ended" ? "ended the process at once" : "hung"})`;
}
