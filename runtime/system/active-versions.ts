// Which version of each actor type runs and writes here (rules T4). Known is what is registered, with `earlier`; active is what the store says.
//
// A1. A new version is first known, then written: entities begin, run and write with the active one until another is raised, so that a release is taken back by starting the former one.
// A2. The record of a type, `active-version/NAME`, is kept from its second version on. Where a store has none, the newest version that its entities name is the active one. With no such entity a former
//     release may have known the type all the same, and would be refused its entities by a newer version: the oldest that is known is active, and the newest only where nothing was hosted before. A type
//     that is new with its second version is not told apart from one that nobody has used, and waits for its raise too. Where an entity could not be read nothing is recorded yet: the next start looks again.
// A3. What is raised together is one write. A crash before it has raised nothing; after it the next start brings the entities over, each as it comes into memory (upgrading.ts, sleepers.ts).
// A4. A version is never lowered. Where the active one is not registered the newest is raised, since there is nothing else to run; where it is newer than all that are registered, entities with such
//     actors are refused, as a newer state is.
// A5. A version is raised when every live node knows it. Of one node that is what is registered here; with many nodes, whoever raises asks the membership in this place (design section 7).
// A6. Entity types that keep nothing have nothing to take back: they run the newest.

import type { AnyActorType, EntityType } from "../actor/index.ts";
import { decodeRecord, decodeState, typeAt } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import type { Clock, Log, Store, StoredEntity } from "../ports/index.ts";
import { unsupplied } from "../supplied-versions.ts";
import type { TypeVersions } from "./contract.ts";
import { hasHosted } from "./hosted-clock.ts";
import { inTime, STORE_WITHIN_MS } from "./in-time.ts";

const PREFIX = "active-version/";
const PAGE = 500;
/** Of one write. */
const MAX_CHANGES = 256;

/** What a start makes of a newer version than the active one. */
export type VersionsAtStart = "raised-by-hand" | "raised-at-start";

/** As a node's configuration has it: a schema's keywords. */
export const VERSIONS_AT_START = {
  pattern: "^raised-(by-hand|at-start)$",
  title: "raised-by-hand or raised-at-start",
  description: "what a start makes of newer versions of actor types; default raised-by-hand: by `drover versions raise`",
} as const;

export interface ActiveVersionsPorts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}

export class ActiveVersions {
  /** The newest of each actor type whose actors are kept, by name. */
  readonly #newest = new Map<string, AnyActorType>();
  readonly #entityTypes: ReadonlyMap<string, EntityType>;
  readonly #ports: ActiveVersionsPorts;
  readonly #active = new Map<string, number>();

  /** @param entityTypes as they are registered, by name */
  constructor(entityTypes: ReadonlyMap<string, EntityType>, ports: ActiveVersionsPorts) {
    this.#entityTypes = entityTypes;
    this.#ports = ports;
    for (const { durability, types } of entityTypes.values()) {
      if (durability === "volatile") continue;
      for (const [name, type] of types) if (type.version > (this.#newest.get(name)?.version ?? 0)) this.#newest.set(name, type);
    }
  }

  /** Before anything is hosted. @throws what the store throws; DROVER_TYPE_INVALID where the active version has effects or tasks that nobody supplies */
  async open(atStart: VersionsAtStart): Promise<void> {
    const { log } = this.#ports;
    const raised = await this.#read();
    for (const type of this.#newest.values()) {
      const { name, version: newest } = type;
      const active = this.#activeOf(name);
      const known = versionsOf(type);
      if (active > newest) {
        log.error({ type: name, active, known }, "the active version of an actor type is newer than all that are known here: its entities are refused");
      } else if (!known.includes(active)) {
        raised.set(name, newest);
        log.warn(
          { type: name, active, raised: newest },
          "the active version of an actor type is not registered: the newest one is raised, and the release that wrote it cannot come back",
        );
      } else if (active < newest && atStart === "raised-at-start") {
        raised.set(name, newest);
        log.info({ type: name, active, raised: newest }, "a newer version of an actor type is raised with the start; what it has written no former release can read");
      } else if (active < newest) {
        log.info(
          { type: name, active, known },
          "a newer version of an actor type is known and not active yet: `drover versions raise TYPE`, when no release without it has to come back",
        );
      }
    }
    await this.#write(raised);
    for (const type of this.#newest.values()) this.#demandSupplies(type);
  }

  /** The entity type as it runs here now. */
  typeFor(given: EntityType): EntityType {
    if (given.durability === "volatile") return given;
    const versions: Record<string, number> = {};
    for (const [name, type] of given.types) {
      const active = this.#activeOf(name);
      if (active < type.version && versionsOf(type).includes(active)) versions[name] = active;
    }
    return typeAt(given, versions) ?? given;
  }

  /** Why entities of this type cannot be hosted here (A4). */
  refusal({ name, durability, types }: EntityType): DroverError | undefined {
    if (durability === "volatile") return undefined;
    for (const { name: actor } of types.values()) {
      const active = this.#activeOf(actor);
      const newest = this.#newest.get(actor)?.version ?? active;
      if (active > newest) return new DroverError("DROVER_STATE_NEWER", `active for ${name} is version ${String(active)} of ${actor}; registered is ${String(newest)}`);
    }
    return undefined;
  }

  list(): readonly TypeVersions[] {
    return [...this.#newest.values()].map((type) => ({ type: type.name, known: versionsOf(type), active: this.#activeOf(type.name) })).sort((a, b) => (a.type < b.type ? -1 : 1));
  }

  /** A3. @throws DROVER_TYPE_INVALID for what is not registered, DROVER_STATE_NEWER for what would be lowered, DROVER_STORE_FAILED: it may be raised all the same */
  async raise(to: Readonly<Record<string, number>>): Promise<void> {
    const raised = new Map<string, number>();
    for (const [name, version] of Object.entries(to)) {
      const type = this.#newest.get(name);
      if (type === undefined)
        throw new DroverError("DROVER_TYPE_INVALID", `no actor type "${name}" whose actors are kept is registered on this node; there are ${[...this.#newest.keys()].join(", ")}`);
      const active = this.#activeOf(name);
      if (version < active)
        throw new DroverError(
          "DROVER_STATE_NEWER",
          `version ${String(active)} of ${name} is active and may have written: a version is never lowered, to ${String(version)} neither`,
        );
      if (!versionsOf(type).includes(version) && version !== active)
        throw new DroverError("DROVER_TYPE_INVALID", `version ${String(version)} of ${name} is not registered on this node; there are ${versionsOf(type).join(", ")}`);
      if (version > active) raised.set(name, version);
    }
    for (const [name, version] of raised) this.#demandSupplies(this.#newest.get(name) as AnyActorType, version);
    await this.#write(raised);
    for (const [type, version] of raised) this.#ports.log.info({ type, active: version }, "a version of an actor type was raised: it writes from now on");
  }

  #activeOf(name: string): number {
    return this.#active.get(name) ?? this.#newest.get(name)?.version ?? 0;
  }

  /** A2. @returns what is to be recorded */
  async #read(): Promise<Map<string, number>> {
    this.#active.clear();
    const found = new Map<string, number>();
    for (const [name, version] of await this.#answered(activeVersionsIn(this.#ports.store), "the active versions")) this.#active.set(name, version);
    const open = [...this.#newest.values()].filter(({ name, version }) => version > 1 && !this.#active.has(name));
    if (open.length === 0) return found;
    const isRecorded = this.#active.size > 0;
    const { named, isWhole, isEmpty } = await this.#named(open);
    const isFirst = isEmpty && !isRecorded && !(await this.#answered(hasHosted(this.#ports.store), "the hosted time"));
    for (const type of open) {
      const version = named.get(type.name) ?? (isFirst ? type.version : Math.min(...versionsOf(type)));
      this.#active.set(type.name, version);
      if (isWhole) found.set(type.name, version);
      if (named.has(type.name) || isFirst || version === 1) continue;
      this.#ports.log.info(
        { type: type.name, active: version, known: versionsOf(type) },
        "the oldest version of an actor type that is known is active: a former release that knows only older ones cannot come back",
      );
    }
    return found;
  }

  /** The newest versions that stored entities name. */
  async #named(of: readonly AnyActorType[]): Promise<{ readonly named: ReadonlyMap<string, number>; readonly isWhole: boolean; readonly isEmpty: boolean }> {
    const { store, log } = this.#ports;
    const kinds = new Set(
      [...this.#entityTypes.values()].filter(({ types, durability }) => durability !== "volatile" && of.some(({ name }) => types.has(name))).map(({ name }) => name),
    );
    const named = new Map<string, number>();
    let isWhole = true;
    for (let after: string | undefined; ; ) {
      const page = await this.#answered(store.entities(after, PAGE), "the stored entities");
      const isEmpty = after === undefined && page.length === 0;
      for (const { entity, type } of page) {
        if (!kinds.has(type)) continue;
        try {
          const stored = await this.#answered(store.load(entity), entity);
          if (stored !== undefined) for (const [name, version] of versionsIn(stored)) named.set(name, Math.max(named.get(name) ?? 0, version));
        } catch (cause) {
          isWhole = false;
          log.warn({ err: cause, entity }, "which versions of its actor types an entity was written by could not be read");
        }
      }
      after = page.at(-1)?.entity;
      if (page.length < PAGE) return { named, isWhole, isEmpty };
    }
  }

  /** One write for all, unless they are very many. */
  async #write(raised: ReadonlyMap<string, number>): Promise<void> {
    const { values } = this.#ports.store;
    const changes = [...raised].map(([name, version]) => ({ key: PREFIX + name, value: Buffer.from(String(version)) }));
    for (let at = 0; at < changes.length; at += MAX_CHANGES) {
      const some = changes.slice(at, at + MAX_CHANGES);
      try {
        await this.#answered(values.write(some), "the active versions", "written");
      } catch (cause) {
        // It may be written all the same.
        for (const { key, value } of some) {
          const kept = await this.#answered(values.get(key), "the active versions");
          if (kept === undefined || !value.equals(kept)) throw cause;
        }
      }
    }
    for (const [name, version] of raised) this.#active.set(name, version);
  }

  #answered<T>(asked: Promise<T>, what: string, done = "read"): Promise<T> {
    return inTime(asked, this.#ports.clock, STORE_WITHIN_MS, `${what} could not be ${done}`);
  }

  /** An old version that the newest took the place of may declare what the newest does not. @param version that is to run */
  #demandSupplies(newest: AnyActorType, version = this.#activeOf(newest.name)): void {
    const then = newest.earlier.find((earlier) => earlier.version === version);
    if (then === undefined) return;
    const alsoMissing = unsupplied(newest);
    const missing = unsupplied(then).filter((name) => !alsoMissing.includes(name));
    if (missing.length > 0)
      throw new DroverError(
        "DROVER_TYPE_INVALID",
        `version ${String(version)} of ${newest.name} is active, and nobody supplies its ${missing.join(", ")}: give the node's types that version too, with what \`with\` supplies it with`,
      );
  }
}

/** As they are recorded (A2), by actor type. */
export async function activeVersionsIn({ values }: Pick<Store, "values">): Promise<ReadonlyMap<string, number>> {
  const active = new Map<string, number>();
  for (const { key, value } of await values.entries(PREFIX)) {
    const version = Number(Buffer.from(value).toString());
    if (Number.isInteger(version) && version > 0) active.set(key.slice(PREFIX.length), version);
  }
  return active;
}

/** Known ones, ascending. */
function versionsOf({ version, earlier }: AnyActorType): readonly number[] {
  return [...earlier.map((then) => then.version), version].sort((a, b) => a - b);
}

/** What a stored entity was written by; of a replica nothing, which is its owner's. */
function* versionsIn({ snapshot, records }: StoredEntity): Iterable<readonly [name: string, version: number]> {
  const state = snapshot === undefined ? undefined : decodeState(snapshot.state);
  if (state?.rest === null) return;
  for (const { type, version } of state?.cells ?? []) yield [type.split("/")[0] ?? "", version];
  for (const { record } of records) if (record.byteLength > 0) yield* Object.entries(decodeRecord(record).versions);
}
