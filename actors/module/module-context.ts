// What a module's actor remembers: what was wanted, by whom, and how it ended. Never a value that the bus reported (vehicle V1, V3).

import type { Static } from "typebox";
import type { ReplyTo } from "../../runtime/index.ts";
import type { commandReply } from "./messages.ts";

export type CommandReply = Static<typeof commandReply>;

/** Policy of a command, by the vehicle's file (vehicle D4). */
export type WhenAway = "refuse" | "wait" | "run-at-owner";

/** A desired value in force: one command with author, deadline and end (vehicle V1). */
export interface Desired {
  /** Names the command, for the effect and for its confirmation. */
  readonly key: string;
  /** As the module's type knows it, e.g. `relay.set`. */
  readonly as: string;
  /** As the vehicle's file calls it. */
  readonly command: string;
  /** Level, 0 or 1, or set point. */
  readonly value: number;
  /** Wall time it was taken, ms. */
  readonly since: number;
  readonly deadlineMs: number;
  readonly replyTo: ReplyTo<CommandReply> | undefined;
}

export interface OutputState {
  /** `unknown` after a start, and from the hand-over of a toggle until its answer (vehicle V2). */
  readonly state: "unknown" | "settled" | "pending" | "contended";
  /** Grows whenever another hand took over, on the bus or by a command that was made at the vehicle: a request made against an older count is superseded (rules O2). */
  readonly turn: number;
  readonly desired?: Desired;
  /** Of a set point that the module itself keeps (vehicle V1): what it was known to be last. Another one found after a gap was set by somebody meanwhile (rules O2). */
  readonly stands?: number;
  /** How the last command on it ended. */
  readonly last?: {
    readonly command: string;
    readonly outcome: "confirmed" | "unknown" | "contended" | "refused" | "expired" | "replaced";
    readonly at: number;
    readonly reason?: string;
  };
}

export interface ModuleContext {
  /** Its row, e.g. `trailcurrent/torrent`; null for a module that is only watched for presence. */
  readonly moduleType: string | null;
  readonly bus: string;
  readonly outputs: Readonly<Record<string, OutputState>>;
  /** Commands that the vehicle's file lists for it, by their name there, with the word of its type; none on a bus that is listen-only. */
  readonly offers: Readonly<Record<string, string>>;
  /** Time to live of each, ms; absent until a node that tells it has described the module. */
  readonly ttlMs?: Readonly<Record<string, number>>;
  /** What happens to each while the vehicle cannot be reached, and the outputs that it may name, none for the module as a whole; absent until a node that tells it has described the module. */
  readonly whenAway?: Readonly<Record<string, WhenAway>>;
  readonly reaches?: Readonly<Record<string, readonly string[]>>;
  /** What an image for it must be made for: its hardware and its number, by the vehicle's file; null where that says none, absent until a node that tells it has described the module. */
  readonly hardware?: string | null;
  readonly address?: number | null;
  /** Commands taken so far: names the next one. */
  readonly commands: number;
  /** Faults that stand, by code. */
  readonly faults: Readonly<Record<string, { readonly health: "degraded" | "faulted"; readonly title: string; readonly since: number }>>;
  /** The part in this place, once it has told. */
  readonly part: string | null;
  readonly firmware: string | null;
  /** When it said that on the bus, wall ms; absent until a node dates it. */
  readonly identifiedAt?: number;
  /** Why its silence does not count. */
  readonly excuse: string | null;
}

export interface ModuleInput {
  readonly moduleType: string | null;
  readonly bus: string;
  readonly outputs: readonly string[];
  readonly offers: Readonly<Record<string, string>>;
  readonly ttlMs?: Readonly<Record<string, number>>;
  readonly whenAway?: Readonly<Record<string, WhenAway>>;
  readonly reaches?: Readonly<Record<string, readonly string[]>>;
  readonly hardware?: string | null;
  readonly address?: number | null;
}

/** Parameters of the effect that hands a command's frame over. */
export interface Transmission {
  readonly key: string;
  readonly as: string;
  readonly command: string;
  readonly output: string | undefined;
  readonly value: number;
  /** Wall time from which the deadline counts, ms. */
  readonly since: number;
  readonly deadlineMs: number;
}

export function initialContext(input: ModuleInput): ModuleContext {
  const outputs: Record<string, OutputState> = {};
  for (const name of input.outputs) outputs[name] = { state: "unknown", turn: 0 };
  const { moduleType, bus, offers } = input;
  return { moduleType, bus, outputs, offers, ...termsOf(input), commands: 0, faults: {}, part: null, firmware: null, excuse: null };
}

type Told = "ttlMs" | "whenAway" | "reaches" | "hardware" | "address";

/** What the vehicle's file says of the commands and of the place, as far as it is told. */
export function termsOf({ ttlMs, whenAway, reaches, hardware, address }: Pick<ModuleInput, Told>): Pick<ModuleContext, Told> {
  return {
    ...(ttlMs === undefined ? {} : { ttlMs }),
    ...(whenAway === undefined ? {} : { whenAway }),
    ...(reaches === undefined ? {} : { reaches }),
    ...(hardware === undefined ? {} : { hardware }),
    ...(address === undefined ? {} : { address }),
  };
}
