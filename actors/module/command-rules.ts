// When a command is taken, what it makes of the output, and how its end is told. Pure functions over the module's context (vehicle V1, V2; rules O2).

import { decline, type EventOf, type GuardReport, reply, type ReadValue } from "../../runtime/index.ts";
import type { ownerMessages } from "./messages.ts";
import type { CommandReply, Desired, ModuleContext, OutputState, Transmission, WhenAway } from "./module-context.ts";

export type ModuleEvent = EventOf<typeof ownerMessages>;
type CommandEvent = Extract<ModuleEvent, { type: "light.set" | "relay.set" | "output.identify" | "climate.setpoint.request" }>;

/** The set point of an owner is its only output and has no name in the file. */
export const SETPOINT = "setpoint";
const DEFAULT_DEADLINE_MS = 500;
const DEFAULT_TTL_MS = 10_000;
/** What arithmetic leaves between two readings of one value: the finest step of a signal is far above it. */
export const SAME_VALUE = 1e-6;

/** A command, whatever its words. */
export interface Wanted {
  readonly as: string;
  readonly command: string;
  readonly output: string;
  readonly value: number;
  readonly deadlineMs: number;
  readonly ttlMs: number;
  readonly against: number | undefined;
  readonly guard: GuardReport | undefined;
  readonly reported: ReadValue;
  readonly replyTo: Desired["replyTo"];
  /** A toggle may only follow a fresh status, one at a time. */
  readonly toggles: boolean;
}

/** undefined for an event that is no command. */
export function wantedOf(event: ModuleEvent): Wanted | undefined {
  switch (event.type) {
    case "light.set":
      return wanted(event, event.output, event.level, false);
    case "relay.set":
      return wanted(event, event.output, event.on ? 1 : 0, true);
    case "output.identify":
      return wanted(event, event.output, 0, false);
    case "climate.setpoint.request":
      return wanted(event, SETPOINT, event.value, false);
    default:
      return undefined;
  }
}

function wanted(event: CommandEvent, output: string | undefined, value: number, toggles: boolean): Wanted {
  return {
    as: event.type,
    command: event.command ?? event.type,
    output: output ?? "",
    value,
    deadlineMs: event.deadlineMs ?? DEFAULT_DEADLINE_MS,
    ttlMs: event.ttlMs ?? DEFAULT_TTL_MS,
    against: event.against,
    guard: event.guard,
    reported: event.read.reported,
    replyTo: event.replyTo,
    toggles,
  };
}

/**
 * How long a command may wait for its module, ms, by what its sender asks and the vehicle's file allows; undefined where neither says. The file may list a word more than once:
 * then the longest, since the vehicle itself knows which was meant and counts what the command has waited (vehicle V1).
 */
export function timeToLiveOf({ offers = {}, ttlMs = {} }: Partial<ModuleContext>, event: { readonly type: string; readonly [field: string]: unknown }): number | undefined {
  const names = Object.hasOwn(offers, event.type) ? [event.type] : Object.keys(offers).filter((name) => offers[name] === event.type);
  const allowed = names.map((name) => ttlMs[name]).filter((each) => each !== undefined);
  const asked = event["ttlMs"];
  const all = [...(allowed.length === 0 ? [] : [Math.max(...allowed)]), ...(typeof asked === "number" ? [asked] : [])];
  return all.length === 0 ? undefined : Math.min(...all);
}

/** What a word means for a module, as its vehicle has told last. */
export interface MeantWord {
  /** Its name in the vehicle's file, and the command of the type that it runs as. */
  readonly name: string;
  readonly as: string;
  readonly whenAway: WhenAway | undefined;
  /** The output that is meant, where it is known. */
  readonly output: string | undefined;
}

/** As the vehicle's door reads it: its best name decides. undefined where the vehicle's file does not list it for the module, or not for the output that it names. */
export function meantWord(
  { offers = {}, whenAway = {}, reaches = {} }: Partial<ModuleContext>,
  event: { readonly type: string; readonly [field: string]: unknown },
): MeantWord | undefined {
  const { output } = event;
  const outputsOf = (name: string): readonly string[] => (Object.hasOwn(reaches, name) ? (reaches[name] ?? []) : []);
  const fits = (name: string): boolean => output === undefined || outputsOf(name).length === 0 || outputsOf(name).some((each) => each === output);
  const names = Object.keys(offers).filter((name) => (name === event.type || offers[name] === event.type) && fits(name));
  const name = names.find((each) => each === event.type) ?? names[0];
  if (name === undefined) return undefined;
  const only = outputsOf(name).length === 1 ? outputsOf(name)[0] : undefined;
  return {
    name,
    as: offers[name] ?? name,
    whenAway: Object.hasOwn(whenAway, name) ? whenAway[name] : undefined,
    output: typeof output === "string" ? output : outputsOf(name).length === 0 ? SETPOINT : only,
  };
}

function outputOf(context: ModuleContext, name: string): OutputState | undefined {
  return Object.hasOwn(context.outputs, name) ? context.outputs[name] : undefined;
}

/** X1: a guard that is unknown is not open. */
function guardOpen(command: Wanted): boolean {
  return command.guard === undefined || command.guard.open === true;
}

/** O2: somebody else's value took over after the sender had looked. */
export function isSuperseded(context: ModuleContext, command: Wanted): boolean {
  const output = outputOf(context, command.output);
  if (output === undefined || command.against === undefined) return false;
  if (command.against < output.turn) return true;
  // Turned by hand, and not told yet.
  return output.stands !== undefined && output.desired === undefined && command.reported !== null && Math.abs(command.reported.value - output.stands) >= SAME_VALUE;
}

export function isAlreadySo(context: ModuleContext, command: Wanted): boolean {
  const output = outputOf(context, command.output);
  if (output === undefined || output.state === "pending" || command.as === "output.identify" || !guardOpen(command)) return false;
  return command.reported !== null && Math.abs(command.reported.value - command.value) < SAME_VALUE;
}

export function mayBegin(context: ModuleContext, command: Wanted): boolean {
  const output = outputOf(context, command.output);
  if (output === undefined || !guardOpen(command)) return false;
  // V2: a toggle is decided on a fresh status and is alone on its channel; the door leaves `reported` null when the status is too old.
  return !command.toggles || (command.reported !== null && output.desired === undefined);
}

function nextKey(context: ModuleContext): string {
  return String(context.commands + 1);
}

/** O2: made at the vehicle, by somebody who sees it as it is: what was asked for before that from afar does not undo it. Commands from afar say what they had seen, and follow each other in their order; a show leaves all as it was. */
export function isMadeHere({ against, as }: Wanted): boolean {
  return against === undefined && as !== "output.identify";
}

/** The context with the command in force. */
export function begun(context: ModuleContext, command: Wanted, now: number): ModuleContext {
  const { as, value, deadlineMs, replyTo, output } = command;
  const desired: Desired = { key: nextKey(context), as, command: command.command, value, since: now, deadlineMs, replyTo };
  const before = outputOf(context, output);
  return {
    ...withOutput(context, output, { ...before, turn: (before?.turn ?? 0) + (isMadeHere(command) ? 1 : 0), state: "pending", desired }),
    commands: context.commands + 1,
  };
}

export function transmissionOf(context: ModuleContext, output: string): Transmission {
  const desired = outputOf(context, output)?.desired;
  if (desired === undefined) return { key: "", as: "", command: "", output, value: 0, since: 0, deadlineMs: 0 };
  const { key, as, command, value, since, deadlineMs } = desired;
  return { key, as, command, output, value, since, deadlineMs };
}

/** What the module reports, in the sender's words where both name one value: 199 tenths are 19.9. `reported` undefined: no status says it. */
export function shownValue(reported: number | undefined, wanted: number): number {
  return reported === undefined || Math.abs(reported - wanted) < SAME_VALUE ? wanted : reported;
}

export type Ending = "confirmed" | "unknown" | "contended" | "refused" | "expired";

/** Whether `key` names the command that is in force on `output`. */
export function isInForce(context: ModuleContext, output: string, key: string): boolean {
  return outputOf(context, output)?.desired?.key === key;
}

/** Whether a status of the module can show that the command in force on `output` was done: of a show to a person none does. */
export function hasConfirmation(context: ModuleContext, output: string): boolean {
  return outputOf(context, output)?.desired?.as !== "output.identify";
}

/** @param value what the module's status showed, where that confirmed it */
export function ended(
  context: ModuleContext,
  name: string,
  { outcome, now, reason, value }: { readonly outcome: Ending; readonly now: number; readonly reason?: string | undefined; readonly value?: number | undefined },
): ModuleContext {
  const output = outputOf(context, name);
  if (output?.desired === undefined) return context;
  const state = outcome === "confirmed" ? "settled" : outcome === "contended" ? "contended" : "unknown";
  const { desired, stands, turn } = output;
  const last = { command: desired.command, outcome, at: now, ...(reason === undefined ? {} : { reason }) };
  const known = name === SETPOINT && outcome === "confirmed" ? shownValue(value, desired.value) : stands;
  return withOutput(context, name, { state, turn: turn + (outcome === "contended" ? 1 : 0), last, ...(known === undefined ? {} : { stands: known }) });
}

/** Whether the frame left is not known: the output is unknown until a status tells (vehicle V2). */
export function doubted(context: ModuleContext, name: string): ModuleContext {
  const output = outputOf(context, name);
  return output === undefined ? context : withOutput(context, name, { ...output, state: "unknown" });
}

/** Its last status is of another time (vehicle V1). A command in force stays so: its end decides. */
export function forgotten(context: ModuleContext, name: string): ModuleContext {
  const output = outputOf(context, name);
  return output === undefined || output.desired !== undefined ? context : withOutput(context, name, { ...output, state: "unknown" });
}

/** A status came: the output is as its module says. A value that somebody else set is a change of hand. */
export function reported(context: ModuleContext, name: string, foreign: boolean, stands?: number): ModuleContext {
  const output = outputOf(context, name);
  if (output === undefined) return context;
  const state = output.desired === undefined ? "settled" : output.state;
  return withOutput(context, name, { ...output, state, turn: output.turn + (foreign ? 1 : 0), ...(stands === undefined ? {} : { stands }) });
}

/** Outputs that the vehicle's file has now: new ones begin unknown, those that it no longer has go once nothing is wanted of them. */
export function described(context: ModuleContext, names: readonly string[]): ModuleContext {
  const outputs: Record<string, OutputState> = {};
  for (const [name, output] of Object.entries(context.outputs)) if (names.includes(name) || output.desired !== undefined) outputs[name] = output;
  for (const name of names) outputs[name] ??= { state: "unknown", turn: 0 };
  return { ...context, outputs };
}

function withOutput(context: ModuleContext, name: string, output: OutputState): ModuleContext {
  return { ...context, outputs: { ...context.outputs, [name]: output } };
}

/** @param value of a confirmed command what the module itself reports, never what was wished for; of a superseded one what no longer counts */
export function replyOf(command: { readonly as: string }, output: string, outcome: CommandReply["outcome"], value: number | undefined): ReturnType<typeof reply<CommandReply>> {
  return reply<CommandReply>(command.as === "output.identify" ? { outcome: "done", output } : { outcome, output, ...(value === undefined ? {} : { value }) });
}

/** What the asker hears when the module has not confirmed. */
export function declineOf(outcome: Exclude<Ending, "confirmed">, reason: string, guard?: GuardReport): ReturnType<typeof decline> {
  switch (outcome) {
    case "refused":
      return decline({ kind: "refused", accepts: [], reason, ...(guard === undefined ? {} : { guard }) });
    // Its frame left, and may have acted.
    case "contended":
    case "unknown":
    case "expired":
      return decline({ kind: "unknown", reason });
  }
}
