// Since when an actor is in its state, from which one it came, and what made it: kept with the actor, so that it is known however long ago that was.
//
// N1. A state is entered with every step that leaves or enters a state node: the same one again (`reenter`), or one of many regions. What begins enters too; a reducer does nothing else.
// N2. An upgrade enters nothing, a fault takes back what its input entered, and a recovery comes to what was recorded: it is a part of the cell and of its record.
// N3. What an earlier version has written does not tell it: it is not known until a state is entered again. Nor is it of what was moved in from bare XState.
// N4. Very many actors are idle. Each has three small integers of its own (a time as one number would take a box); the rest is shared by those of its kind that came the same way.

import type { Address } from "../address.ts";
import { isWellFormed, textBytes } from "../xstate/index.ts";
import type { Input, Sender, TurnOutcome } from "./contract.ts";

/** How an actor came to its state, as its record has it: what is not there is left out at the end, and null before that. */
type How = readonly [from: unknown, event: string, author?: string | null, timer?: string | null, via?: string];

/** Shared by many (N4), and measured once. */
export interface Entering {
  readonly how: How;
  /** About what it takes in a record. */
  readonly bytes: number;
}

/** What a cell has of it. */
export interface Entered {
  /** undefined: it is not known. */
  entering: Entering | undefined;
  /** Wall time of the turn: whole days since 1970, and ms of that day. */
  enteredDay: number;
  enteredMs: number;
  /** Revision of the turn. */
  enteredIn: number;
}

/** As it is told. */
export interface StateEntry {
  readonly revision: number;
  /** Wall time, ms. */
  readonly at: number;
  /** State value before; null: it began. */
  readonly from: unknown;
  /** What it took, e.g. `gate.open`, `xstate.after.5000.gate.open`; `(start)`, `(children)` or `(upgrade)` when it began. */
  readonly event: string;
  /** Who sent the message that led to it. */
  readonly author: string | undefined;
  /** Name of the timer that fired. */
  readonly timer: string | undefined;
  /** Type of that message, where it is another than the event: it was to another actor of the entity, or the event followed from it. */
  readonly via: string | undefined;
}

/** In a cell's record. */
export type EncodedEntry = readonly [at: number, revision: number, how: How];

const DAY_MS = 86_400_000;
const MAX_CHARACTERS = 256;
/** Two numbers, and the head of two lists. */
const FLAT_BYTES = 24;
/** Of one kind of actor: as many states as most have, with who leads to them. */
const MAX_SHARED = 8;

export function entryOf({ entering, enteredDay, enteredMs, enteredIn: revision }: Readonly<Entered>): StateEntry | undefined {
  if (entering === undefined) return undefined;
  const [from, event, author, timer, via] = entering.how;
  return { revision, at: enteredDay * DAY_MS + enteredMs, from, event, author: author ?? undefined, timer: timer ?? undefined, via };
}

/** @param entering undefined: not known  @param at wall time, ms; kept to the whole one */
export function setEntered(cell: Entered, entering: Entering | undefined, at: number, revision: number): void {
  // `| 0` makes them small integers, which need no box.
  const day = Math.floor(at / DAY_MS) | 0;
  cell.entering = entering;
  cell.enteredDay = day;
  cell.enteredMs = (at - day * DAY_MS) | 0;
  cell.enteredIn = revision;
}

export function encodedEntry({ entering, enteredDay, enteredMs, enteredIn }: Readonly<Entered>): EncodedEntry | undefined {
  return entering === undefined ? undefined : [enteredDay * DAY_MS + enteredMs, enteredIn, entering.how];
}

export function placeEntry(cell: Entered, enterings: Enterings, entry: EncodedEntry | undefined): void {
  if (entry === undefined) {
    setEntered(cell, undefined, 0, 0);
    return;
  }
  const [at, revision, [from, event, author, timer, via]] = entry;
  setEntered(cell, enterings.shared(from, event, author ?? undefined, timer ?? undefined, via), at, revision);
}

/** N3. A turn that an earlier version has recorded comes to no more than its record says. */
export function forgetUnrecorded({ cells }: TurnOutcome, cellAt: (address: Address) => (Entered & { readonly incarnation: number }) | undefined): void {
  for (const { address, incarnation, inner } of cells) {
    const cell = cellAt(address);
    if (cell?.incarnation === incarnation && (inner as { readonly entered?: EncodedEntry }).entered === undefined) setEntered(cell, undefined, 0, 0);
  }
}

/** @param input what is taken  @param timer the one that has fired */
export function enteringBy(enterings: Enterings, from: unknown, event: string, input: Input | undefined, timer: string | undefined): Entering {
  const message = input?.kind === "message" ? input : undefined;
  return enterings.shared(
    from,
    event === "xstate.init" ? beginningOf(input) : event,
    message === undefined ? undefined : authorOf(message.sender),
    timer,
    message === undefined || message.event.type === event ? undefined : message.event.type,
  );
}

function beginningOf(input: Input | undefined): string {
  return input?.kind === "children" || input?.kind === "upgrade" ? `(${input.kind})` : "(start)";
}

/** Who sent a message, in a word. */
export function authorOf(sender: Sender): string {
  switch (sender.kind) {
    case "outside":
      return sender.author;
    case "entity":
      return sender.entity;
    case "local":
      return sender.name;
  }
}

/** Of one kind of actor: the last that were made, so that who comes the same way holds none of its own (N4). */
export class Enterings {
  readonly #known: Entering[] = [];
  #next = 0;

  shared(from: unknown, event: string, author: string | undefined, timer: string | undefined, via: string | undefined): Entering {
    for (const known of this.#known) {
      const { how } = known;
      if (how[1] === event && isSameText(how[2], author) && isSameText(how[3], timer) && how[4] === via && isSameState(how[0], from)) return known;
    }
    const how = howOf(from, kept(event), kept(author), kept(timer), kept(via));
    const made = { how, bytes: FLAT_BYTES + textBytes(JSON.stringify(how)) };
    this.#known[this.#next] = made;
    this.#next = (this.#next + 1) % MAX_SHARED;
    return made;
  }
}

function isSameText(known: string | null | undefined, text: string | undefined): boolean {
  return known === text || (known === null && text === undefined);
}

function howOf(from: unknown, event: string, author: string | undefined, timer: string | undefined, via: string | undefined): How {
  if (via !== undefined) return [from, event, author ?? null, timer ?? null, via];
  if (timer !== undefined) return [from, event, author ?? null, timer];
  return author === undefined ? [from, event] : [from, event, author];
}

function isSameState(one: unknown, other: unknown): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  let keys = 0;
  for (const key in one) {
    if (!isSameState((one as Readonly<Record<string, unknown>>)[key], (other as Readonly<Record<string, unknown>>)[key])) return false;
    keys++;
  }
  for (const _ in other) keys--;
  return keys === 0;
}

/** A record holds it: whole characters, and not more of them than tell what it was. */
function kept<T extends string | undefined>(text: T): T {
  if (text === undefined || (text.length <= MAX_CHARACTERS && isWellFormed(text))) return text;
  const short = text.length <= MAX_CHARACTERS ? text : `${text.slice(0, MAX_CHARACTERS - 3)}...`;
  return (short as string & { toWellFormed(): string }).toWellFormed() as T;
}
