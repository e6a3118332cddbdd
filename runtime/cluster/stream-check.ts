// What another node says of its entity is checked before any of it is kept or shown: a vehicle with faulty or foreign software must not break the fleet's view.

import { type Address, addressProblem } from "../address.ts";
import type { EntityState, JournalRecord } from "../entity/contract.ts";

/** Of one entity: 1,000 children (rules C1) and what their machines make. */
export const MAX_CELLS = 10_000;
const MAX_INNER_ADDRESS_CHARACTERS = 4_096;
const STATUSES: ReadonlySet<unknown> = new Set(["active", "done", "error", "stopped"]);

type Fields = Readonly<Record<string, unknown>>;

/** Why a decoded full state cannot be that of `entity` at this place of its history, or undefined. */
export function stateProblem(
  state: EntityState,
  expected: { readonly entity: Address; readonly type: string; readonly incarnation: string; readonly revision: number },
): string | undefined {
  const given: unknown = state;
  if (!isObject(given)) return "a full state is an object";
  for (const key of ["entity", "type", "incarnation", "revision"] as const) if (given[key] !== expected[key]) return `the full state is of another ${key}`;
  if (!isObject(given["stamp"]) || !isTime(given["stamp"]["now"])) return "the full state has no time";
  return labelsProblem(given["labels"]) ?? cellsProblem(given["cells"], expected.entity);
}

/** Why a decoded journal record cannot be one of `entity`, or undefined. */
export function recordProblem(record: JournalRecord, entity: Address, incarnation: string): string | undefined {
  const given: unknown = record;
  if (!isObject(given)) return "a record is an object";
  if (given["entity"] !== entity || given["incarnation"] !== incarnation) return "a record is of another entity or incarnation";
  if (!Number.isSafeInteger(given["revision"])) return "a record has no revision";
  if (!isObject(given["stamp"]) || !isTime(given["stamp"]["now"])) return "a record has no time";
  const { inputs, results, outcome } = given;
  if (!Array.isArray(inputs) || !inputs.every(isInput) || !Array.isArray(results)) return "a record's inputs are not well formed";
  if (!isObject(outcome) || !Array.isArray(outcome["ended"]) || !Array.isArray(outcome["emitted"]) || !outcome["emitted"].every(isObject))
    return "a record's outcome is not well formed";
  const start = inputs.find((input: Fields) => input["kind"] === "start") as Fields | undefined;
  return (start === undefined ? undefined : labelsProblem(start["labels"])) ?? cellsProblem(outcome["cells"], entity);
}

function cellsProblem(cells: unknown, entity: Address): string | undefined {
  if (!Array.isArray(cells) || cells.length > MAX_CELLS) return `its actors are no list of at most ${String(MAX_CELLS)}`;
  for (const cell of cells as readonly unknown[]) {
    if (!isObject(cell) || typeof cell["address"] !== "string") return "an actor has no address";
    const { address, accepts } = cell;
    if (address !== entity && !address.startsWith(`${entity}/`)) return `the actor ${address.slice(0, 128)} is not under ${entity}`;
    if (address.length > MAX_INNER_ADDRESS_CHARACTERS || (accepts !== undefined && addressProblem(address) !== undefined))
      return `the actor ${address.slice(0, 128)} has no well-formed address`;
    if (accepts !== undefined && !(Array.isArray(accepts) && accepts.every((type) => typeof type === "string"))) return `what ${address} accepts is no list of types`;
    if (typeof cell["type"] !== "string" || !Number.isSafeInteger(cell["version"]) || !STATUSES.has(cell["status"]))
      return `the type, version or status of ${address} is not well formed`;
  }
  return undefined;
}

function labelsProblem(labels: unknown): string | undefined {
  return isObject(labels) && Object.values(labels).every((label) => typeof label === "string") ? undefined : "its labels are no texts";
}

/** What its history shows of it is there. */
function isInput(input: unknown): boolean {
  if (!isObject(input)) return false;
  switch (input["kind"]) {
    case "message":
      return isObject(input["event"]) && typeof input["event"]["type"] === "string" && isObject(input["sender"]) && typeof input["to"] === "string";
    case "timer":
      return typeof input["timer"] === "string";
    case "performed":
      return typeof input["key"] === "string" && isObject(input["outcome"]);
    default:
      return typeof input["kind"] === "string";
  }
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && Number.isFinite(value);
}
