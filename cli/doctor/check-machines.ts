// What would new versions of machines do to the actors that live in the stores here? (`drover doctor --machine new.js`, rules T4)

import { basename, relative } from "node:path";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import {
  activeVersionsIn,
  type ActorUpgrade,
  type AnyActorType,
  decodeRecord,
  decodeState,
  type EntityState,
  type JournalRecord,
  kindOf,
  parseAddress,
  systemClock,
  upgradeOf,
} from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { journalsIn } from "./check-stores.ts";
import { type LoadedTypes, typesIn } from "./module-types.ts";
import { startFindings, type StoredStart } from "./entity-starts.ts";
import { type Finding, note, ok, problem } from "./finding.ts";
import { failureOfReading } from "./found-files.ts";
import { MAX_LISTED, some } from "./some.ts";
import { onCopy } from "./store-copy.ts";

const MAX_FACTS = 1_000;
const COPY_ATTEMPTS = 5;
const PAGE = 500;
/** So many turns a `snapshot` entity keeps at most: from the older of its two snapshots on. */
const OF_A_SNAPSHOT = 2;

/** Told before code of the module runs what it is for, and afterwards that none does. */
type Running = (what: string | undefined) => void;

/** @throws DROVER_FILE_UNREADABLE when there is no such module */
export async function checkMachines(module: string, folder: string, running: Running): Promise<readonly Finding[]> {
  running("loading it");
  const types = await typesIn(module);
  running(undefined);
  if (types.actors.size === 0)
    return [
      problem("machine", `${module} exports no actor type and no entity type`, "There is nothing to compare with.", "Export what `actorType(…)` or `entityType(…)` returns."),
    ];
  const failure = failureOfReading(folder);
  if (failure !== undefined)
    return [
      problem("machine", `${folder} cannot be read: ${failure.message}`, "Nothing was looked at.", "Name the data folder of the node with --data, and run this as its user.", {
        folder,
      }),
    ];
  const stores = journalsIn(folder);
  if (stores.length === 0)
    return [note("machine", `there is no journal in ${folder} and the folders below it`, "Nothing was looked at.", "Name the data folder of the node with --data.", { folder })];
  const findings: Finding[] = [];
  const actors: ActorUpgrade[] = [];
  const starts: StoredStart[] = [];
  const unreplayable = new Map<string, Set<number>>();
  const active: Active[] = [];
  const unrecorded: Active[] = [];
  for (const path of stores) findings.push(...(await lookInto(path, relative(folder, path), types, { actors, starts, unreplayable, active, unrecorded }, running)));
  const isWhole = findings.length === 0;
  for (const one of active) findings.push(...activeFindings(one));
  findings.push(...startFindings(starts));
  for (const type of types.actors.values())
    findings.push(
      ...told(
        type,
        actors.filter((actor) => actor.type === type.name),
        isWhole,
      ),
    );
  for (const [name, versions] of unreplayable) {
    findings.push(
      note(
        "machine",
        `journals name ${listed(versions)} of ${name}, which the module does not register`,
        "Their turns are taken as they were committed and not run again at a recovery.",
        `Register them as \`earlier\` of ${name} for as long as journals name them.`,
        { type: name, versions: [...versions] },
      ),
    );
  }
  for (const one of unrecorded) findings.push(...unrecordedFindings(one));
  return findings;
}

/** What a store says of an actor type of the module. */
interface Active {
  readonly store: string;
  readonly type: AnyActorType;
  readonly version: number;
}

interface Looked {
  readonly active: Active[];
  /** Of those that it has no record of, what a start takes. */
  readonly unrecorded: Active[];
  readonly actors: ActorUpgrade[];
  readonly starts: StoredStart[];
  readonly unreplayable: Map<string, Set<number>>;
}

/** @returns what could not be read */
async function lookInto(
  path: string,
  shown: string,
  types: LoadedTypes,
  { actors, starts, unreplayable, active, unrecorded }: Looked,
  running: Running,
): Promise<readonly Finding[]> {
  const unread: string[] = [];
  let damage: string | undefined;
  const read = async (copy: string): Promise<void> => {
    for (const list of [active, unrecorded]) list.splice(0, list.length, ...list.filter(({ store: of }) => of !== shown));
    const named = new Map<string, number>();
    const kinds = new Set<string>();
    // Of a copy nothing is acknowledged: that it cannot be flushed is what its reads throw.
    const store = sqliteStore({ path: copy, clock: systemClock, log: silentLog, onFlushFailed: () => undefined });
    try {
      const { movedAside } = await store.open();
      // What is read from here on would be a new store in its place.
      if (movedAside !== undefined) {
        damage = movedAside.reason;
        return;
      }
      for (const [name, version] of await activeVersionsIn(store)) {
        const type = types.actors.get(name);
        if (type !== undefined) active.push({ store: shown, type, version });
      }
      for (let after: string | undefined; ; ) {
        const page = await store.entities(after, PAGE);
        for (const { entity, type: kind } of page) {
          try {
            const stored = await store.load(entity);
            if (stored === undefined) continue;
            const snapshot = stored.snapshot === undefined ? undefined : decodeState(stored.snapshot.state);
            const records = stored.records.filter(({ record }) => record.byteLength > 0).map(({ record }) => decodeRecord(record));
            if (snapshot?.rest !== null) {
              kinds.add(kind);
              noteVersions(named, snapshot, records);
            }
            const address = parseAddress(entity);
            running(`the replay and the upgrade of ${entity}`);
            const upgrade = upgradeOf(types.actors, { entity: address, snapshot, records }, types.entities);
            actors.push(...upgrade.actors);
            const type = types.entities.get(kindOf(address));
            if (type !== undefined && upgrade.start !== undefined)
              starts.push({
                entity,
                type,
                start: upgrade.start,
                actors: upgrade.actors,
                hasHistory: (await store.journal({ entity, limit: OF_A_SNAPSHOT + 1, order: "newest-first" })).length > OF_A_SNAPSHOT,
              });
            for (const [name, versions] of Object.entries(upgrade.unreplayable)) unreplayable.set(name, new Set([...(unreplayable.get(name) ?? []), ...versions]));
          } catch (error) {
            unread.push(`${entity}: ${(error as Error).message}`);
          } finally {
            running(undefined);
          }
        }
        after = page.at(-1)?.entity;
        if (page.length < PAGE) break;
      }
      const recorded = new Set(active.filter(({ store: of }) => of === shown).map(({ type }) => type.name));
      for (const type of types.actors.values()) {
        const isHosted = named.has(type.name) || [...kinds].some((kind) => types.entities.get(kind)?.types.has(type.name) === true);
        if (!isHosted || recorded.has(type.name)) continue;
        // As a start does (runtime/system/active-versions.ts A2): no entity may name it, and the former release knows it all the same.
        unrecorded.push({ store: shown, type, version: named.get(type.name) ?? Math.min(type.version, ...type.earlier.map(({ version }) => version)) });
      }
    } finally {
      await store.close();
    }
  };
  for (let attempt = 0; ; attempt++) {
    try {
      if ((await onCopy(path, read)) !== "changed") break;
    } catch (error) {
      return [problem("machine", `${shown} cannot be opened: ${(error as Error).message}`, "Its actors were not looked at.", "See `drover doctor` without --machine.", { path })];
    }
    if (attempt === COPY_ATTEMPTS)
      return [
        problem("machine", `${shown} could not be copied: a running node writes to it all the time`, "Its actors were not looked at.", "Stop the node, or look at a backup.", {
          path,
        }),
      ];
  }
  if (damage !== undefined)
    return [
      problem(
        "machine",
        `${shown} is damaged: ${damage}`,
        "Its actors were not looked at.",
        `Put it back from a backup, together with its -wal file, and remove ${basename(path)}.mark; then look again.`,
        { path },
      ),
    ];
  if (unread.length === 0) return [];
  return [
    problem("machine", `${shown}: ${String(unread.length)} entities cannot be read\n${some(unread)}`, "They were not looked at.", "See `drover doctor` without --machine.", {
      path,
    }),
  ];
}

/** The newest by actor type; those that an entity was written by are added. */
function noteVersions(named: Map<string, number>, state: EntityState | undefined, records: readonly JournalRecord[]): void {
  const cells = (state?.cells ?? []).map(({ type, version }): readonly [string, number] => [type.split("/")[0] ?? "", version]);
  for (const [name, version] of [...cells, ...records.flatMap((record) => Object.entries(record.versions))]) named.set(name, Math.max(named.get(name) ?? 0, version));
}

/** Whether a start would run the module's version (rules T4). */
function activeFindings({ store, type, version }: Active): readonly Finding[] {
  const { name, version: newest } = type;
  const facts = { type: name, active: version, version: newest };
  const what = `${store}: version ${String(version)} of ${name} is active, the module's is ${String(newest)}`;
  if (version > newest)
    return [
      problem(
        "machine",
        what,
        "A start refuses every entity with such actors.",
        `Run a release with version ${String(version)} of ${name}, or a newer one: a version is never lowered.`,
        facts,
      ),
    ];
  if (version === newest) return [];
  return notActive({ store, type, version }, what);
}

/** As above, where the store has no record yet. That an entity was made by a newer version is told with its actors. */
function unrecordedFindings(one: Active): readonly Finding[] {
  const { store, type, version } = one;
  if (version >= type.version) return [];
  return notActive(one, `${store}: no version of ${type.name} is recorded as active; a start takes ${String(version)}, the module's is ${String(type.version)}`);
}

function notActive({ type: { name, version: newest, earlier }, version }: Active, what: string): readonly Finding[] {
  const facts = { type: name, active: version, version: newest };
  if (earlier.some((then) => then.version === version))
    return [
      note(
        "machine",
        what,
        `Its actors go on with version ${String(version)}; what is said here of them comes with the raise.`,
        `drover versions raise ${name}, when no release without it has to come back.`,
        facts,
      ),
    ];
  return [
    note(
      "machine",
      what,
      "A start raises it at once, and the former release cannot come back.",
      `List version ${String(version)} as \`earlier\` of ${name} to go on with it until the raise.`,
      facts,
    ),
  ];
}

/** @param isWhole whether everything in the stores could be read */
function told(type: AnyActorType, actors: readonly ActorUpgrade[], isWhole: boolean): readonly Finding[] {
  const name = `${type.name} version ${String(type.version)}`;
  if (actors.length === 0 && !isWhole)
    return [note("machine", `no live actor of ${type.name} was found`, "What could not be read may hold some.", "See the problems above, and look again.", { type: type.name })];
  if (actors.length === 0)
    return [
      note("machine", `no live actor of ${type.name} is in these stores`, "Nothing of it can be stranded here.", "Look at the data of other nodes too.", { type: type.name }),
    ];
  const findings: Finding[] = [];
  const of = (verdict: ActorUpgrade["verdict"]): readonly ActorUpgrade[] => actors.filter((actor) => actor.verdict === verdict);
  const lost = of("lost").length;
  const facts = { type: type.name, version: type.version, fits: of("fits").length, migrates: of("migrates").length, ...(lost === 0 ? {} : { lost }) };
  const bad = [...of("stranded"), ...of("newer")];
  if (bad.length > 0) {
    findings.push(
      problem(
        "machine",
        `${name} would strand ${String(bad.length)} of ${String(actors.length)} live actors, in the states ${statesOf(bad)}\n${some(bad.map(lineOf))}`,
        "A stranded actor cannot be recovered, and its entity stays away until a version that reads it runs; or it stays in its state for ever.",
        of("newer").length > 0 && of("stranded").length === 0
          ? "Run the newer version that made them, or a newer one still."
          : `Give ${type.name} the steps of migrate that lead to a state which it can leave, or give the state a way out again; where it is meant to be the end, make it final.`,
        { ...facts, stranded: bad.map(({ address, from, state, reason }) => ({ address, from, state, reason })) },
      ),
    );
  }
  const changed = actors.filter(({ isChangedInPlace }) => isChangedInPlace === true);
  if (changed.length > 0) {
    findings.push(
      problem(
        "machine",
        `${name} has other states, or another shape of context, than the version ${String(type.version)} that made ${String(changed.length)} live actors`,
        "Turns that the old one took cannot be run again with the new one.",
        "Raise its version.",
        facts,
      ),
    );
  }
  if (findings.length > 0) return findings;
  // Told with their entities.
  if (lost === actors.length) return [];
  const lines = actors.flatMap((actor) => workLine(actor) ?? []);
  const what = `${name}: ${String(actors.length)} live actors, ${String(facts.fits)} as they are and ${String(facts.migrates)} by migrate${lost === 0 ? "" : `, ${String(lost)} lost with their entities`}`;
  return [ok("machine", lines.length === 0 ? what : `${what}\n${some(lines)}`, { ...facts, upgrades: upgradesOf(actors) })];
}

/** Of those that something becomes of. */
function upgradesOf(actors: readonly ActorUpgrade[]): readonly object[] {
  return actors
    .filter((actor) => workLine(actor) !== undefined)
    .slice(0, MAX_FACTS)
    .map(({ address, from, state, work }) => ({ address, from, before: state, ...work }));
}

/** What becomes of an actor beside its version; undefined: nothing. */
function workLine({ address, state, work }: ActorUpgrade): string | undefined {
  if (work === undefined) return undefined;
  const { timers, children } = work;
  const parts = [
    ...(JSON.stringify(state) === JSON.stringify(work.state) ? [] : [`${JSON.stringify(state)} becomes ${JSON.stringify(work.state)}`]),
    ...counted("timers go on", timers.kept),
    ...counted("timers are armed", timers.armed),
    ...counted("timers are cancelled", timers.cancelled),
    ...counted("children go on", children.kept),
    ...counted("children begin", children.begun),
    ...counted("children are stopped", children.stopped),
  ];
  return parts.length === 0 ? undefined : `${address}: ${parts.join("; ")}`;
}

function counted(what: string, names: readonly string[]): readonly string[] {
  return names.length === 0 ? [] : [`${what}: ${names.join(", ")}`];
}

function statesOf(actors: readonly ActorUpgrade[]): string {
  return [...new Set(actors.map(({ state }) => JSON.stringify(state)))].sort().slice(0, MAX_LISTED).join(", ");
}

function lineOf({ address, from, state, reason }: ActorUpgrade): string {
  return `${address} (version ${String(from)}, state ${JSON.stringify(state)}): ${reason ?? ""}`;
}

function listed(versions: ReadonlySet<number>): string {
  return `${versions.size === 1 ? "version" : "versions"} ${[...versions].sort((a, b) => a - b).join(", ")}`;
}
