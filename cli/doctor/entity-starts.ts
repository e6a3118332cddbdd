// What a start with the new types would make of stored entities as a whole: refused, begun anew, with children that have no place any more, or without their history.

import type { ActorUpgrade, EntityStart, EntityType } from "../../runtime/index.ts";
import { type Finding, note, problem } from "./finding.ts";
import { some } from "./some.ts";

const MAX_FACTS = 1_000;

export interface StoredStart {
  readonly entity: string;
  readonly type: EntityType;
  readonly start: EntityStart;
  readonly actors: readonly ActorUpgrade[];
  /** Its journal holds more than `snapshot` would keep. */
  readonly hasHistory: boolean;
}

export function startFindings(starts: readonly StoredStart[]): readonly Finding[] {
  const types = new Map(starts.map(({ type }) => [type.name, type]));
  return [...types.values()].flatMap((type) =>
    ofType(
      type,
      starts.filter((one) => one.type.name === type.name),
    ),
  );
}

function ofType(type: EntityType, starts: readonly StoredStart[]): readonly Finding[] {
  const findings: Finding[] = [];
  const tell = (make: typeof problem, entities: readonly string[], what: string, lines: readonly string[], why: string, fix: string): void => {
    if (entities.length > 0)
      findings.push(make("machine", `${what}\n${some(lines)}`, why, fix, { type: type.name, durability: type.durability, entities: entities.slice(0, MAX_FACTS) }));
  };
  const count = (entities: readonly unknown[]): string => `${String(entities.length)} of ${String(starts.length)} stored entities`;

  const refused = starts.flatMap(({ entity, start, actors }) => (start.kind === "refused" && !isToldOf(start, actors) ? [{ entity, reason: start.reason }] : []));
  tell(
    problem,
    refused.map(({ entity }) => entity),
    `${type.name}: a start would refuse ${count(refused)}`,
    refused.map(({ entity, reason }) => `${entity}: ${reason}`),
    "An entity that is refused stays away as a whole, until a version that reads it runs.",
    "Register every actor type that it holds, under its old name, and give steps of migrate for what no longer fits.",
  );

  const anew = starts.filter(({ start }) => start.kind === "anew");
  tell(
    problem,
    anew.map(({ entity }) => entity),
    `${type.name} is volatile now: ${count(anew)} would begin anew, in silence`,
    anew.map(({ entity, actors }) => `${entity}: ${String(actors.length)} live actors lose their states, their timers and their children`),
    "A volatile entity does not read what is stored of it: states, timers, children, messages on their way and answered ids are as if they had never been.",
    `Keep the durability that they were stored under, or give the volatile one another name than ${type.name}.`,
  );

  const misplaced = starts.flatMap(({ entity, start }) => (start.kind === "restored" && start.misplaced.length > 0 ? [{ entity, lines: start.misplaced }] : []));
  tell(
    problem,
    misplaced.map(({ entity }) => entity),
    `${type.name} has no place any more for children of ${count(misplaced)}`,
    misplaced.flatMap(({ lines }) => lines),
    "An activation that lists such a child again is refused, and one that does not list it stops it: its state is lost.",
    "Keep the kind, with this actor type among its types, for as long as such children live.",
  );

  const forgetting = type.durability === "snapshot" ? starts.filter(({ start, hasHistory }) => start.kind === "restored" && hasHistory) : [];
  tell(
    note,
    forgetting.map(({ entity }) => entity),
    `${type.name} keeps no history now: ${count(forgetting)} would forget theirs with their next turn`,
    forgetting.map(({ entity }) => entity),
    "States, timers and children go on; the turns before the last two cannot be read or run again any more.",
    "Keep durability events where somebody asks for the past.",
  );
  return findings;
}

/** One of its actors says it. */
function isToldOf({ reason, isNewer }: Extract<EntityStart, { readonly kind: "refused" }>, actors: readonly ActorUpgrade[]): boolean {
  return actors.some((actor) => (actor.verdict === "newer" && isNewer) || (actor.verdict === "stranded" && actor.reason === reason));
}
