// What must hold of a rollout whatever happens, judged by the history and by a ledger outside of the actors: the frames that boards have seen, and what they run in the end.

import { BAD, endingOf, holdsSlot, type PartContext, phasesIn, type Phase, type RolloutContext } from "../../../actors/index.ts";
import type { Checker, Evidence } from "../../../runtime/simulation/index.ts";
import { NEW } from "./board.ts";
import { type FleetOf200, ROLLOUT } from "./fleet-of-200.ts";
import { type ToldTurn, toldTurns } from "./told-turns.ts";

type Found = ReturnType<Checker["check"]>[number];
type Counts = Readonly<Record<string, number>>;

/** Ended by a word of its vehicle or by the time of its target. */
const ENDINGS: readonly Phase[] = ["committed", ...BAD, "excused"];

export function invariantsOf(fleet: FleetOf200): readonly Checker[] {
  const checker = (name: string, promise: string, check: (evidence: Evidence, found: Found[]) => void): Checker => ({
    name,
    promise,
    check: (evidence) => {
      const found: Found[] = [];
      check(evidence, found);
      return found;
    },
  });
  return [
    checker("no more targets than the concurrency hold a slot", "S5", (evidence, found) => {
      slotsHeld(evidence, fleet, found);
    }),
    checker("no more vehicles than the concurrency are at work", "S5", (evidence, found) => {
      vehiclesAtWork(evidence, fleet, found);
    }),
    checker("no target is offered twice", "M1", (evidence, found) => {
      offers(evidence, found);
    }),
    checker("one trigger for an attempt", "F1", (_, found) => {
      triggers(fleet, found);
    }),
    checker("paused, nothing begins", "C1", (evidence, found) => {
      pauses(evidence, fleet, found);
    }),
    checker("counts are the ledger's", "S3, S8", (evidence, found) => {
      counts(evidence, fleet, found);
    }),
  ];
}

/** By the messages between the rollout and its parts: what was granted and not returned; and by the parts' own books. */
function slotsHeld(evidence: Evidence, { concurrency, parts }: FleetOf200, found: Found[]): void {
  let granted = 0;
  const held = new Map<string, number>();
  for (const { atMs, entity, cells, taken } of toldTurns(evidence, (each) => each === ROLLOUT || parts.has(each))) {
    for (const event of taken) {
      if (event.type === "group.granted") granted += event["slots"] as number;
      if (event.type === "group.progressed") granted -= event["returned"] as number;
    }
    if (granted > concurrency) found.push({ atMs, what: `${String(granted)} slots are granted and not returned, ${String(concurrency)} are allowed` });
    const phases = phasesOf(cells.get(entity));
    if (phases === undefined) continue;
    held.set(entity, phases.filter(holdsSlot).length);
    const all = [...held.values()].reduce((sum, each) => sum + each, 0);
    if (all > concurrency) found.push({ atMs, what: `${String(all)} targets hold a slot, ${String(concurrency)} may` });
  }
}

/** From a vehicle's first frame until its campaign has ended or waits again, or the time of its target said that it has. */
function vehiclesAtWork(evidence: Evidence, fleet: FleetOf200, found: Found[]): void {
  const { concurrency, parts, boards } = fleet;
  const atWork = new Set<string>();
  /** Believed to have ended: it may be at work all the same. */
  const believed = new Set<string>();
  const frames = [...boards.values()].flatMap((board) => board.frames).sort((one, other) => one.atMs - other.atMs);
  const begin = (untilMs: number): void => {
    for (let frame = frames[0]; frame !== undefined && frame.atMs < untilMs; frame = frames[0]) {
      frames.shift();
      if (believed.has(frame.vehicle)) continue;
      atWork.add(frame.vehicle);
      if (atWork.size > concurrency) found.push({ atMs: frame.atMs, what: `${[...atWork].join(", ")} are at work, ${String(concurrency)} may be` });
    }
  };
  for (const turn of toldTurns(evidence, (entity) => parts.has(entity) || boards.has(entity))) {
    begin(turn.atMs);
    const vehicles = parts.get(turn.entity);
    if (vehicles === undefined) {
      const campaign = turn.cells.get(`${turn.entity}/~/campaign`);
      if (campaign !== undefined && campaign.value !== "activating" && !["between", "soaking", "concluding"].includes(topOf(campaign.value))) atWork.delete(turn.entity);
      continue;
    }
    for (const { actor } of turn.fired) {
      const place = Number(actor.split("/")[4] ?? Number.NaN);
      const vehicle = vehicles[place];
      // One that is overdue keeps its slot.
      if (vehicle === undefined || phasesOf(turn.cells.get(turn.entity))?.[place] === "overdue") continue;
      believed.add(vehicle);
      atWork.delete(vehicle);
    }
    for (const place of begunIn(turn, undefined)) believed.delete(vehicles[place] ?? "");
  }
  begin(Number.POSITIVE_INFINITY);
}

function offers(evidence: Evidence, found: Found[]): void {
  const offered = new Set<string>();
  for (const { atMs, entity, taken } of toldTurns(evidence, (each) => each.includes("/vehicle/")))
    for (const { type } of taken) {
      if (type !== "campaign.offer") continue;
      if (offered.has(entity)) found.push({ atMs, what: `${entity} is offered it again` });
      offered.add(entity);
    }
}

function triggers({ boards }: FleetOf200, found: Found[]): void {
  for (const { vehicle, frames } of boards.values()) {
    const seen = new Set<number>();
    for (const { atMs, attempt } of frames) {
      if (seen.has(attempt)) found.push({ atMs, what: `${vehicle} has had a second trigger of attempt ${String(attempt)}` });
      seen.add(attempt);
    }
  }
}

/** By the books of the parts: nobody gets a slot or the word to begin while its part holds, nor while the rollout says that all of them do. No board has a frame without such a word. */
function pauses(evidence: Evidence, { parts, boards }: FleetOf200, found: Found[]): void {
  const before = new Map<string, readonly Phase[]>();
  const holding = new Set<string>();
  const told = new Map<string, number>();
  let isSettled = false;
  for (const turn of toldTurns(evidence, (each) => each === ROLLOUT || parts.has(each))) {
    const { atMs, entity, cells, taken } = turn;
    if (entity === ROLLOUT) {
      const rollout = cells.get(ROLLOUT);
      if (rollout !== undefined) isSettled = JSON.stringify(rollout.value).includes('"settled"');
      continue;
    }
    for (const { type } of taken) {
      if (type === "group.hold" || type === "group.cancel") holding.add(entity);
      // What comes with it may be in the same turn.
      if (type === "group.go-on") holding.delete(entity);
    }
    for (const place of begunIn(turn, before.get(entity))) {
      const vehicle = parts.get(entity)?.[place] ?? "";
      if (!told.has(vehicle)) told.set(vehicle, atMs);
      if (isSettled) found.push({ atMs, what: `${vehicle} is begun while the rollout is paused or aborted` });
      else if (holding.has(entity)) found.push({ atMs, what: `${vehicle} is begun while its part ${entity} holds` });
    }
    const phases = phasesOf(cells.get(entity));
    if (phases !== undefined) before.set(entity, phases);
  }
  for (const { vehicle, frames } of boards.values()) {
    const [first] = frames;
    if (first !== undefined && first.atMs < (told.get(vehicle) ?? Number.POSITIVE_INFINITY)) found.push({ atMs: first.atMs, what: `${vehicle} is begun without a word` });
  }
}

function counts({ history }: Evidence, { parts, boards }: FleetOf200, found: Found[]): void {
  const atMs = history.at(-1)?.atMs ?? 0;
  const shown = new Map(history.flatMap((fact) => (fact.kind === "view" && !fact.isReplica ? [[fact.address, fact.context] as const] : [])));
  const rollout = shown.get(ROLLOUT) as RolloutContext | undefined;
  if (rollout === undefined) return void found.push({ atMs, what: "the rollout is not there in the end" });
  for (const [part, vehicles] of parts) {
    const phases = phasesIn((shown.get(part) as PartContext | undefined)?.phases ?? "");
    const tally = rollout.parts[part]?.tally as Counts | undefined;
    // A group that has not been opened has nothing to report.
    for (const ending of ENDINGS) {
      const is = phases.filter((phase) => endingOf(phase) === ending).length;
      if (is !== tally?.[ending]) found.push({ atMs, what: `${part}: the rollout counts ${String(tally?.[ending])} ${ending}, ${String(is)} are` });
    }
    for (const [place, vehicle] of vehicles.entries()) {
      const board = boards.get(vehicle);
      const phase = phases[place];
      if (board === undefined || phase === undefined) continue;
      const runsIt = board.firmware === NEW && board.isOn;
      const hasBegun = board.frames.length > 0;
      if (phase === "committed" && !runsIt) found.push({ atMs, what: `${vehicle} counts as committed and ${board.isOn ? "runs" : "is off with"} ${board.firmware}` });
      if (phase !== "committed" && runsIt) found.push({ atMs, what: `${vehicle} runs ${NEW} and counts as ${phase}` });
      if (["failed", "rolledBack", "committed"].includes(phase) && !hasBegun) found.push({ atMs, what: `${vehicle} counts as ${phase} and was never begun` });
    }
  }
}

/** Places of the targets that have a slot or their word to begin from this turn on. @param before phases; undefined: of words alone */
function begunIn({ entity, cells }: ToldTurn, before: readonly Phase[] | undefined): readonly number[] {
  const phases = phasesOf(cells.get(entity)) ?? [];
  return phases.flatMap((phase, place) => {
    const was = before?.[place];
    return (phase === "under way" && was !== "under way") || (before !== undefined && phase === "offered" && was === "waiting") ? [place] : [];
  });
}

function phasesOf(cell: { readonly context: unknown } | undefined): readonly Phase[] | undefined {
  const phases = (cell?.context as Partial<PartContext> | undefined)?.phases;
  return phases === undefined ? undefined : phasesIn(phases);
}

function topOf(value: unknown): string {
  return typeof value === "string" ? value : (Object.keys(value as object)[0] ?? "");
}
