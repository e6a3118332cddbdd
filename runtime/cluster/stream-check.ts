// What another node says of its entity is checked before any of it is kept or shown: a vehicle with faulty or foreign software must not break the fleet's view.
//
// K1. The bytes are walked before anything is made of them (wire/message-pack-check.ts): no classes, no 64-bit integers, no records of the decoder's own.
// K2. Everything that is shown of an entity is of its form and within bounds: actors, their states, contexts and events, labels, times, and what its history tells.
// K3. What only the owner's machine needs (`inner`, `rest`) is kept as it came and never looked at, but for the timers in it, which the history tells.

import { type Address, addressProblem } from "../address.ts";
import type { EntityState, JournalRecord } from "../entity/contract.ts";
import { decodeRecord, decodeState } from "../entity/index.ts";
import { isPastHistories } from "./stream.ts";
import { type DataLimits, isRecord, isText, isWallTime, messagePackProblem, plainDataProblem } from "../wire/index.ts";

/** Of one entity: 1,000 children (rules C1) and what their machines make. */
export const MAX_CELLS = 10_000;
const MAX_INNER_ADDRESS_CHARACTERS = 4_096;
/** A timer's or an effect's name: an inner address and what follows it. */
const MAX_KEY_CHARACTERS = 8_192;
const MAX_WORD_CHARACTERS = 256;
const MAX_TEXT_CHARACTERS = 4_096;
const MAX_LINK_CHARACTERS = 128;
const MAX_ACCEPTED = 1_000;
const MAX_LABELS = 256;
const STATUSES: ReadonlySet<unknown> = new Set(["active", "done", "error", "stopped"]);
/** A state stands in every list. */
const STATE: DataLimits = { depth: 32, items: 1_000, characters: MAX_WORD_CHARACTERS };
/** Bounded by the envelope that carries it. */
const DATA: DataLimits = { depth: 64, items: 1_048_576, characters: 1_048_576 };
/** What stands in the id of an event stream and in the name of a stored history. */
const INCARNATION = /^[A-Za-z0-9_.-]{1,100}$/;

type Fields = Readonly<Record<string, unknown>>;

export type Checked<X> = { readonly ok: true; readonly value: X } | { readonly ok: false; readonly problem: string };

/** A full state from its bytes. `expected`: what it must be of; revision and incarnation where they are known beforehand. */
export function readState(
  bytes: Uint8Array,
  expected: { readonly entity: Address; readonly type: string; readonly incarnation?: string; readonly revision?: number },
): Checked<EntityState> {
  const walked = messagePackProblem(bytes, 0);
  if (walked !== undefined) return { ok: false, problem: `a full state: ${walked}` };
  let state: EntityState;
  try {
    state = decodeState(bytes);
  } catch (cause) {
    return { ok: false, problem: wordOf(cause) };
  }
  const problem = stateProblem(state, expected);
  return problem === undefined ? { ok: true, value: state } : { ok: false, problem };
}

/** A journal record from its bytes. `incarnation` undefined: whichever it names. */
export function readRecord(bytes: Uint8Array, entity: Address, incarnation: string | undefined): Checked<JournalRecord> {
  const walked = messagePackProblem(bytes, 0);
  if (walked !== undefined) return { ok: false, problem: `a record: ${walked}` };
  let record: JournalRecord;
  try {
    record = decodeRecord(bytes);
  } catch (cause) {
    return { ok: false, problem: wordOf(cause) };
  }
  const problem = recordProblem(record, entity, incarnation);
  return problem === undefined ? { ok: true, value: record } : { ok: false, problem };
}

function wordOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function stateProblem(given: unknown, expected: Readonly<Partial<Record<"entity" | "type" | "incarnation" | "revision", unknown>>>): string | undefined {
  if (!isRecord(given)) return "a full state is an object";
  for (const key of ["entity", "type", "incarnation", "revision"] as const)
    if (expected[key] !== undefined && given[key] !== expected[key]) return `the full state is of another ${key}`;
  if (typeof given["incarnation"] !== "string" || !INCARNATION.test(given["incarnation"])) return "the full state names no incarnation";
  if (!isCount(given["revision"])) return "the full state has no revision";
  if (!isRecord(given["stamp"]) || !isWallTime(given["stamp"]["now"])) return "the full state has no time";
  if (!isLink(given["head"])) return "the hash of the full state's last record is not well formed";
  if (given["fork"] !== undefined && !(isRecord(given["fork"]) && isFork(given["fork"]))) return "where the full state's history comes from is not well formed";
  if (given["past"] !== undefined && !isPastHistories(given["past"])) return "the histories that the full state's one has replaced are not well formed";
  return labelsProblem(given["labels"]) ?? cellsProblem(given["cells"], String(given["entity"]));
}

function recordProblem(given: unknown, entity: Address, incarnation: string | undefined): string | undefined {
  if (!isRecord(given)) return "a record is an object";
  if (given["entity"] !== entity || (incarnation !== undefined && given["incarnation"] !== incarnation)) return "a record is of another entity or incarnation";
  if (!isCount(given["revision"])) return "a record has no revision";
  if (!isRecord(given["stamp"]) || !isWallTime(given["stamp"]["now"])) return "a record has no time";
  if (!isLink(given["prev"])) return "a record's hash of the one before it is not well formed";
  const { inputs, results, outcome, owners } = given;
  if (!Array.isArray(inputs) || !inputs.every(isInput)) return "a record's inputs are not well formed";
  if (!Array.isArray(results) || !results.every((result) => isRecord(result) && isText(result["kind"], MAX_WORD_CHARACTERS))) return "a record's results are not well formed";
  if (!isRecord(outcome) || !isListOf(outcome["ended"], (address) => isText(address, MAX_INNER_ADDRESS_CHARACTERS)) || !isListOf(outcome["emitted"], isEmitted))
    return "a record's outcome is not well formed";
  if (!isListOf(isRecord(outcome["rest"]) ? (outcome["rest"]["timers"] ?? []) : [], isTimerRow) || !isListOf(owners ?? [], Array.isArray))
    return "a record's timers are not well formed";
  const start = inputs.find((input: Fields) => input["kind"] === "start") as Fields | undefined;
  return (start === undefined ? undefined : labelsProblem(start["labels"])) ?? cellsProblem(outcome["cells"], entity);
}

function cellsProblem(cells: unknown, entity: string): string | undefined {
  if (!Array.isArray(cells) || cells.length > MAX_CELLS) return `its actors are no list of at most ${String(MAX_CELLS)}`;
  for (const cell of cells as readonly unknown[]) {
    const problem = cellProblem(cell, entity);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function cellProblem(cell: unknown, entity: string): string | undefined {
  if (!isRecord(cell) || typeof cell["address"] !== "string") return "an actor has no address";
  const { address, accepts, value, context, output, error } = cell;
  const name = address.slice(0, 128);
  if (address !== entity && !address.startsWith(`${entity}/`)) return `the actor ${name} is not under ${entity}`;
  if (address.length > MAX_INNER_ADDRESS_CHARACTERS || (accepts !== undefined && addressProblem(address) !== undefined)) return `the actor ${name} has no well-formed address`;
  if (accepts !== undefined && !(isListOf(accepts, (type) => isText(type, MAX_WORD_CHARACTERS)) && (accepts as unknown[]).length <= MAX_ACCEPTED))
    return `what ${name} accepts is no list of types`;
  if (!isText(cell["type"], MAX_TEXT_CHARACTERS) || !isCount(cell["version"]) || !isCount(cell["incarnation"]) || !STATUSES.has(cell["status"]))
    return `the type, version, incarnation or status of ${name} is not well formed`;
  const state = plainDataProblem(value, STATE);
  if (state !== undefined) return `the state of ${name} has ${state}`;
  for (const [what, data] of Object.entries({ context, output, error })) {
    const problem = plainDataProblem(data, DATA);
    if (problem !== undefined) return `the ${what} of ${name} has ${problem}`;
  }
  return undefined;
}

function labelsProblem(labels: unknown): string | undefined {
  const isWell =
    isRecord(labels) &&
    Object.keys(labels).length <= MAX_LABELS &&
    Object.entries(labels).every(([key, label]) => key.length <= MAX_WORD_CHARACTERS && isText(label, MAX_TEXT_CHARACTERS));
  return isWell ? undefined : `its labels are no ${String(MAX_LABELS)} texts at most`;
}

/** What its history shows of it is there. */
function isInput(input: unknown): boolean {
  if (!isRecord(input)) return false;
  switch (input["kind"]) {
    case "message":
      return isEvent(input["event"]) && isSender(input["sender"]) && isText(input["to"], MAX_INNER_ADDRESS_CHARACTERS);
    case "timer":
      return isText(input["timer"], MAX_KEY_CHARACTERS);
    case "ring":
      return isText(input["timer"], MAX_KEY_CHARACTERS) && isText(input["author"], MAX_WORD_CHARACTERS);
    case "performed":
      return isText(input["key"], MAX_KEY_CHARACTERS) && isRecord(input["outcome"]) && isText(input["outcome"]["kind"], MAX_WORD_CHARACTERS);
    default:
      return isText(input["kind"], MAX_WORD_CHARACTERS);
  }
}

/** Its key, and its row unless it is gone. */
function isTimerRow(row: unknown): boolean {
  return Array.isArray(row) && isText(row[0], MAX_KEY_CHARACTERS) && (row[1] === undefined || isRecord(row[1]));
}

function isSender(sender: unknown): boolean {
  if (!isRecord(sender)) return false;
  switch (sender["kind"]) {
    case "outside":
      return isText(sender["id"], MAX_WORD_CHARACTERS) && isText(sender["author"], MAX_WORD_CHARACTERS);
    case "entity":
      return isText(sender["entity"], MAX_INNER_ADDRESS_CHARACTERS);
    default:
      return isText(sender["name"], MAX_WORD_CHARACTERS);
  }
}

function isEvent(event: unknown): boolean {
  return isRecord(event) && isText(event["type"], MAX_TEXT_CHARACTERS) && plainDataProblem(event, DATA) === undefined;
}

function isEmitted(item: unknown): boolean {
  return isRecord(item) && isText(item["cell"], MAX_INNER_ADDRESS_CHARACTERS) && isRecord(item["event"]) && plainDataProblem(item["event"], DATA) === undefined;
}

function isListOf(list: unknown, isOne: (item: unknown) => boolean): boolean {
  return Array.isArray(list) && list.every(isOne);
}

function isLink(value: unknown): boolean {
  return value === undefined || isText(value, MAX_LINK_CHARACTERS);
}

function isFork({ left, known, at, nth }: Fields): boolean {
  return isRecord(left) && typeof left["incarnation"] === "string" && INCARNATION.test(left["incarnation"]) && [left["revision"], known, nth].every(isCount) && isWallTime(at);
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
