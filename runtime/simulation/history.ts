// What happened in a simulated run, as data: what checkers judge and what a trace shows.

import type { JournalRecord } from "../entity/contract.ts";
import type { CommitOutcome } from "../ports/index.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Steps } from "./offered-messages.ts";

/** When, ms since the beginning of the run. */
interface At {
  readonly atMs: number;
}

/** In which run of which node. */
interface InRun extends At {
  readonly node: string;
  readonly run: number;
}

export interface NodeFact extends InRun {
  readonly kind: "node";
  /** `gone`: it has stopped in order and holds nothing any more but what a `left` names. */
  readonly what: "starting" | "started" | "failed-to-start" | "exited" | "stopping" | "gone" | "killed" | "paused" | "resumed" | "replaced";
  readonly epoch: number;
  /** What its machine's wall clock shows, ms since 1970. */
  readonly wallMs: number;
  /** The store that it stands on: runs that name the same one share it. */
  readonly store: string;
  readonly reason?: string;
}

/** A turn handed to the store by a system. */
export interface Asked extends InRun {
  readonly kind: "asked";
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
  /** 0: a replica, whose owner is elsewhere. */
  readonly epoch: number;
  /** undefined where there is none: the opening of a replica. */
  readonly record: JournalRecord | undefined;
  /** Of its bytes as the system handed them over. */
  readonly sums: CommitSums;
  /** What its steps came to; undefined where nobody watches them. */
  readonly steps?: Steps;
}

/** By these what a store gives back is compared with what was committed. */
export interface CommitSums {
  readonly record: string;
  /** Of the state that came with it. */
  readonly snapshot?: string;
}

/** The store has it now, whatever it will answer. */
export interface Written extends InRun {
  readonly kind: "written";
  readonly store: string;
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
}

/** What the system was told about it. */
export interface Answered extends InRun {
  readonly kind: "answered";
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly outcome: CommitOutcome;
}

/** What a store gave a system for the recovery of an entity. */
export interface Loaded extends InRun {
  readonly kind: "loaded";
  readonly store: string;
  /** When it was asked for it. */
  readonly sinceMs: number;
  readonly entity: string;
  /** undefined: nothing. */
  readonly head: { readonly incarnation: string; readonly revision: number } | undefined;
  /** By revision: the state from which the recovery starts, and the records after it. */
  readonly snapshot: readonly [revision: number, sum: string] | undefined;
  readonly records: readonly (readonly [revision: number, sum: string])[];
}

/** A change as watchers on the node saw it. */
export interface Shown extends InRun {
  readonly kind: "shown";
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
  /** No store keeps it: that it is shown is all that is known of this turn. */
  readonly isVolatile?: true;
}

/** A declared effect at its implementation. */
export interface EffectFact extends InRun {
  readonly kind: "effect";
  readonly what: "attempt" | "confirmed" | "failed" | "left";
  readonly key: string;
  readonly name: string;
  readonly actor: string;
}

/** A message from outside, and the sender's last word on it. */
export interface Sent extends At {
  readonly kind: "sent";
  readonly node: string;
  readonly id: string;
  readonly to: string;
  readonly type: string;
  /** Where its entity does not exist it begins with this message. */
  readonly creates?: true;
}
export interface ToldFact extends At {
  readonly kind: "told";
  readonly node: string;
  readonly id: string;
  readonly to: string;
  readonly outcome: Told | Answer;
  /** The node said nothing by the deadline, nor shortly after it. */
  readonly isUnheard?: true;
}

/** A fault that the simulator brought about. */
export interface Fault extends At {
  readonly kind: "fault";
  readonly what: string;
  readonly where: string;
  readonly forMs?: number;
}

/** Told to be slow, its store takes so long from now on until it has got what it is handed, or its answer is back; told where that ends later than any before. */
export interface Slow extends InRun {
  readonly kind: "slow";
  readonly forMs: number;
}

/** What a store holds of an entity at the end. */
export interface Kept extends At {
  readonly kind: "kept";
  readonly store: string;
  readonly entity: string;
  readonly type: string;
  readonly incarnation: string;
  readonly revision: number;
  /** All that are still there, ascending. */
  readonly records: readonly JournalRecord[];
  /** Hash of each of them (rules T1). */
  readonly links: readonly string[];
}

/** An older copy was put in the place of what a store held. */
export interface RestoredStore extends At {
  readonly kind: "restored";
  readonly store: string;
}

/** Committed state of an entity hosted at the end. */
export interface Live extends InRun {
  readonly kind: "live";
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly state: Uint8Array;
}

/** After this commit what an entity holds and what its recovery would bring are not the same. */
export interface Unlike extends InRun {
  readonly kind: "unlike";
  readonly entity: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly what: string;
}

/** What a node shows of an actor at the end. */
export interface View extends InRun {
  readonly kind: "view";
  readonly address: string;
  readonly isReplica: boolean;
  readonly incarnation: string;
  readonly revision: number;
  readonly state: unknown;
  readonly context: unknown;
}

/** Something that a stopped node still holds. */
export interface Left extends InRun {
  readonly kind: "left";
  readonly what: string;
}

/** A warning or an error that the node logged. */
export interface Logged extends InRun {
  readonly kind: "log";
  readonly level: "warn" | "error";
  readonly message: string;
}

/** A word of the script. */
export interface Note extends At {
  readonly kind: "note";
  readonly text: string;
}

export type Fact =
  | NodeFact
  | Asked
  | Written
  | Answered
  | Loaded
  | Shown
  | EffectFact
  | Sent
  | ToldFact
  | Fault
  | Slow
  | RestoredStore
  | Kept
  | Live
  | Unlike
  | View
  | Left
  | Logged
  | Note;

/** A fact without its time, which the recorder adds. */
export type Said = Fact extends infer F ? (F extends Fact ? Omit<F, "atMs"> : never) : never;

export type History = readonly Fact[];

/** One line, the same on every host for the same fact. */
export function lineOf(fact: Fact): string {
  const at = fact.atMs.toFixed(3).padStart(12);
  const where = "run" in fact ? `${fact.node}#${String(fact.run)}` : "node" in fact ? fact.node : "-";
  return `${at} ${where.padEnd(10)} ${fact.kind.padEnd(8)} ${textOf(fact)}`;
}

function textOf(fact: Fact): string {
  switch (fact.kind) {
    case "node":
      return `${fact.what} (epoch ${String(fact.epoch)})${fact.reason === undefined ? "" : `: ${fact.reason}`}`;
    case "asked":
      return `${fact.entity} r${String(fact.revision)}${inputsOf(fact.record)}`;
    case "written":
      return `${fact.entity} r${String(fact.revision)}`;
    case "answered":
      return `${fact.entity} r${String(fact.revision)} ${fact.outcome.kind}${"reason" in fact.outcome ? `: ${fact.outcome.reason}` : ""}`;
    case "loaded":
      return `${fact.entity} ${fact.head === undefined ? "nothing" : `r${String(fact.head.revision)}`}`;
    case "shown":
      return `${fact.entity} r${String(fact.revision)}`;
    case "effect":
      return `${fact.what} ${fact.name} ${fact.key}`;
    case "sent":
      return `${fact.id} ${fact.type} to ${fact.to}`;
    case "told":
      return `${fact.id} ${JSON.stringify(fact.outcome)}`;
    case "fault":
      return `${fact.what} ${fact.where}${fact.forMs === undefined ? "" : ` for ${fact.forMs.toFixed(0)} ms`}`;
    case "slow":
      return `its store takes ${fact.forMs.toFixed(0)} ms`;
    case "restored":
      return `${fact.store} is an older copy of itself`;
    case "kept":
      return `${fact.store}: ${fact.entity} ${fact.incarnation} r${String(fact.revision)}`;
    case "live":
      return `${fact.entity} r${String(fact.revision)} ${String(fact.state.byteLength)} bytes`;
    case "unlike":
      return `${fact.entity} r${String(fact.revision)} ${fact.what}`;
    case "view":
      return `${fact.address} r${String(fact.revision)} ${fact.isReplica ? "replica " : ""}${JSON.stringify([fact.state, fact.context])}`;
    case "left":
      return fact.what;
    case "log":
      return `${fact.level}: ${fact.message}`;
    case "note":
      return fact.text;
  }
}

/** What went into the turn, and what came of each. */
function inputsOf(record: JournalRecord | undefined): string {
  if (record === undefined) return "";
  const said = record.inputs.map((input, index) => {
    const result = record.results[index]?.kind ?? "?";
    switch (input.kind) {
      case "message": {
        const from = input.sender.kind === "entity" ? `${input.sender.entity}:${String(input.sender.seq)}` : input.sender.kind === "outside" ? input.sender.id : input.sender.name;
        return `${input.event.type}<${from} ${result}`;
      }
      case "timer":
        return `timer ${input.timer} ${result}`;
      case "performed":
        return `performed ${input.key} ${input.outcome.kind}`;
      case "delivered":
        return `delivered ${input.receiver}:${String(input.seq)} ${input.outcome.kind}`;
      default:
        return `${input.kind} ${result}`;
    }
  });
  return ` [${said.join(", ")}]`;
}
