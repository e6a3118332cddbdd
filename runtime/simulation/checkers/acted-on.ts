// S3. What was accepted is acted on: its actor took it in a step of that turn, or a row of its entity keeps it until it does, and no row goes without an input that says what became of it.
//
// A1. Told by the steps themselves (offered-messages.ts) beside the rows that were committed: an `accepted` alone is no evidence. Where nobody watches steps the rows alone are compared.
// A2. What was postponed is on its way when the state of its actor has changed: with that turn, and taken up within the time that an entity has for what it found at its recovery.
// A3. It comes back in the order of postponing. One that made its actor fail has its place behind those that came meanwhile, and so has one that ended a process (rules M4).
// A4. An answer is matched by its ask, and takes no step. Node-local words are acknowledged to nobody.
// A5. What has expired is refused as too old, never acted on (rules M2), however it has waited.

import { isDeepStrictEqual } from "node:util";
import { messageKey, type ShelfRow, type StashRow } from "../../entity/index.ts";
import type { CellRecord, Input, InputResult } from "../../entity/contract.ts";
import type { Live } from "../history.ts";
import { rowsOf } from "../open-work.ts";
import type { Checker, CommittedTurn, Evidence, Violation } from "./evidence.ts";
import { OwnerPresence } from "./owner-presence.ts";
import { standingTurns } from "./standing-turns.ts";

type Found = Omit<Violation, "checker" | "promise">;
type Message = Extract<Input, { kind: "message" }>;
type Waiting = Extract<Input, { kind: "postponed" | "shelved" }>;

/** A2. Its owner there and undisturbed. */
const WITHIN_MS = 5_000;
const STORE_WAYS = 8;

interface Postponed {
  readonly row: StashRow;
  /** Its actor as it was when it was postponed last; undefined: not known. */
  state: CellRecord | undefined;
  /** The turn from which on it is on its way. */
  readonly released: CommittedTurn | undefined;
  /** A3. */
  hasFailed: boolean;
}

/** What an entity keeps for its actors, as of a turn. */
class Kept {
  readonly incarnation: string;
  readonly stash = new Map<string, Postponed>();
  readonly shelf = new Map<string, ShelfRow>();
  readonly cells = new Map<string, CellRecord>();

  constructor(incarnation: string) {
    this.incarnation = incarnation;
  }
}

export const actedOn: Checker = {
  name: "what was accepted is acted on",
  promise: "S3",
  check: (evidence) => {
    const found: Found[] = [];
    const entities = new Map<string, Kept>();
    for (const turn of standingTurns(evidence)) {
      const { store, entity, incarnation } = turn;
      const name = `${store} ${entity}`;
      let kept = entities.get(name);
      if (kept?.incarnation !== incarnation) entities.set(name, (kept = new Kept(incarnation)));
      new TurnJudge(turn, kept, found).judge();
    }
    found.push(...leftLying(evidence, entities));
    return found;
  },
};

class TurnJudge {
  readonly #turn: CommittedTurn;
  readonly #kept: Kept;
  readonly #found: Found[];
  readonly #stash: ReadonlyMap<string, StashRow | undefined>;
  readonly #shelf: ReadonlyMap<string, ShelfRow | undefined>;
  /** Keys of what was postponed, so far. */
  readonly #offeredAgain = new Set<string>();

  constructor(turn: CommittedTurn, kept: Kept, found: Found[]) {
    this.#turn = turn;
    this.#kept = kept;
    this.#found = found;
    this.#stash = new Map(rowsOf(turn.record, "stash").map(([key, row]) => [key, row as StashRow | undefined]));
    this.#shelf = new Map(rowsOf(turn.record, "shelf").map(([key, row]) => [key, row as ShelfRow | undefined]));
  }

  judge(): void {
    const { record } = this.#turn;
    /** Rows of which an input tells what became of them. */
    const named = new Set<string>();
    record.inputs.forEach((input, index) => {
      const meant = input.kind === "attempt" ? input.of : input;
      const result = record.results[index];
      if (meant.kind === "postponed" || meant.kind === "shelved") {
        named.add(nameOf(meant));
        this.#judgeWaiting(meant, input, result);
      } else if (input.kind === "message" && result?.kind === "accepted") this.#judgeMessage(input);
    });
    this.#judgeRows(named);
    this.#note();
  }

  #judgeMessage(input: Message): void {
    const { sender, shelve } = input;
    if (sender.kind === "local" || input.answers !== undefined) return;
    this.#judgeAge(input);
    if (shelve !== undefined) {
      if (![...this.#shelf.values()].some((row) => row !== undefined && isSame(row.input, input)))
        this.#say(`${this.#textOf(input)} was accepted to wait on the shelf, and lies on none`);
      return;
    }
    this.#judgeStep(messageKey(sender, input.to, input.event), input);
  }

  /** A5. */
  #judgeAge(message: Message): void {
    const { sender } = message;
    const { now } = this.#turn.record.stamp;
    if (sender.kind !== "local" && sender.expiresAt !== undefined && sender.expiresAt <= now)
      this.#say(`${this.#textOf(message)} was taken ${String(Math.round(now - sender.expiresAt))} ms after it had expired`);
  }

  /** A1. */
  #judgeStep(key: string, message: Message): void {
    const isTaken = this.#turn.steps === undefined ? true : this.#turn.steps.offered.get(key);
    if (isTaken === true || [...this.#stash.values()].some((row) => row !== undefined && isSame(row.input, message))) return;
    this.#say(`${this.#textOf(message)} was accepted, its actor ${isTaken === undefined ? "was never offered it" : "did not take it"}, and nothing keeps it`);
  }

  #judgeWaiting(waiting: Waiting, input: Input, result: InputResult | undefined): void {
    const { stash, shelf } = this.#kept;
    const postponed = waiting.kind === "postponed" ? stash.get(waiting.key) : undefined;
    const message = postponed?.row.input ?? (waiting.kind === "shelved" ? shelf.get(waiting.key)?.input : undefined);
    if (message === undefined) return;
    if (postponed !== undefined) {
      if (input.kind === "attempt" || result?.kind === "faulted") postponed.hasFailed = true;
      else this.#judgeOrder(waiting.key, postponed);
    }
    if (waiting.kind === "postponed") this.#offeredAgain.add(waiting.key);
    if (input.kind === "attempt") return;
    const rows = waiting.kind === "postponed" ? this.#stash : this.#shelf;
    if (result?.kind === "faulted" && result.again && rows.has(waiting.key) && rows.get(waiting.key) === undefined)
      this.#say(`${this.#textOf(message)} made its actor fail, was to come again, and is gone`);
    if (result?.kind !== "accepted" || message.answers !== undefined || message.sender.kind === "local") return;
    this.#judgeAge(message);
    this.#judgeStep(waiting.kind === "postponed" ? nameOf(waiting) : messageKey(message.sender, message.to, message.event), message);
  }

  /** A3. */
  #judgeOrder(key: string, { row: { input }, released }: Postponed): void {
    const upTo = released?.revision ?? 0;
    for (const [other, { row, released: since, hasFailed }] of this.#kept.stash) {
      if (other >= key || row.input.to !== input.to || since === undefined || since.revision > upTo || hasFailed) continue;
      if (!this.#offeredAgain.has(other)) this.#say(`${this.#textOf(input)} was offered again before ${this.#textOf(row.input)}, which had been postponed before it`);
    }
  }

  #judgeRows(named: ReadonlySet<string>): void {
    for (const [key, row] of this.#stash) {
      const before = this.#kept.stash.get(key);
      if (row === undefined && before !== undefined && !named.has(`postponed ${key}`))
        this.#say(`${this.#textOf(before.row.input)}, which was postponed, is gone, and no input says what became of it`);
    }
    for (const [key, row] of this.#shelf) {
      const before = this.#kept.shelf.get(key);
      if (row === undefined && before !== undefined && !named.has(`shelved ${key}`))
        this.#say(`${this.#textOf(before.input)}, which was shelved, is gone, and no input says what became of it`);
    }
    // A2.
    for (const cell of this.#turn.record.outcome.cells) {
      for (const [key, kept] of this.#kept.stash) {
        const { row, state, released } = kept;
        if (row.input.to !== cell.address || released !== undefined || this.#stash.has(key) || state === undefined || !isChanged(state, cell)) continue;
        this.#say(`${this.#textOf(row.input)} was postponed until the state of its actor changes; it has changed, and the message is not on its way`);
        kept.state = undefined;
      }
    }
  }

  #note(): void {
    const { stash, shelf, cells } = this.#kept;
    for (const cell of this.#turn.record.outcome.cells) cells.set(cell.address, cell);
    for (const [key, row] of this.#shelf) {
      if (row === undefined) shelf.delete(key);
      else shelf.set(key, row);
    }
    for (const [key, row] of this.#stash) {
      if (row === undefined) stash.delete(key);
      else {
        const before = stash.get(key);
        const released = row.isReleased ? (before?.released ?? this.#turn) : undefined;
        stash.set(key, { row, state: cells.get(row.input.to), released, hasFailed: before?.hasFailed === true && released !== undefined });
      }
    }
  }

  #say(what: string): void {
    this.#found.push({ atMs: this.#turn.atMs, what });
  }

  #textOf({ sender, event, to }: Message): string {
    const from = sender.kind === "outside" ? sender.id : sender.kind === "entity" ? `message ${String(sender.seq)} of ${sender.entity}` : sender.name;
    return `${from} to ${to} (${event.type})`;
  }
}

function nameOf({ kind, key }: Waiting): string {
  return `${kind} ${key}`;
}

function isSame(one: Message, other: Message): boolean {
  if (one.sender.kind === "local" || other.sender.kind === "local") return one.sender.kind === other.sender.kind;
  return messageKey(one.sender, one.to, one.event) === messageKey(other.sender, other.to, other.event);
}

/** A2. Of a machine its state value, of a reducer any state of its own. */
function isChanged(before: CellRecord, after: CellRecord): boolean {
  if (before.incarnation !== after.incarnation || before.status !== after.status) return true;
  return before.value === null || before.value === undefined ? !isDeepStrictEqual(before.context, after.context) : !isDeepStrictEqual(before.value, after.value);
}

/** A2. */
function leftLying({ history, storeMs }: Evidence, entities: ReadonlyMap<string, Kept>): readonly Found[] {
  const lying = [...entities].filter(([, { stash }]) => [...stash.values()].some(({ released }) => released !== undefined));
  if (lying.length === 0) return [];
  const owners = new OwnerPresence(history);
  const live = new Map<string, Live>(history.flatMap((fact) => (fact.kind === "live" ? [[`${fact.node} ${fact.entity}`, fact] as const] : [])));
  return lying.flatMap(([name, { incarnation, stash }]) => {
    const fact = live.get(name);
    if (fact?.incarnation !== incarnation) return [];
    const run = owners.runsOn(fact.node).findLast((each) => each.run === fact.run);
    return [...stash.values()].flatMap(({ row, released }) => {
      if (run === undefined || released === undefined || owners.undisturbedMs(run, released.atMs, fact.atMs) <= WITHIN_MS + STORE_WAYS * storeMs) return [];
      return [
        { atMs: fact.atMs, what: `${row.input.event.type} to ${row.input.to} was postponed, is on its way since r${String(released.revision)}, and was never offered again` },
      ];
    });
  });
}
