// The door of the vehicle: a word of the vehicle's file becomes the protocol's message, with its times, its output, the value that it reads and its guard's outcome
// (vehicle V3, X1).
//
// D1. The bus's mode is asked first: on a vehicle whose file opens no bus nothing is a command.
// D2. What is not listed is refused with what is. A sender may tighten times, never loosen them.
// D3. The guard's outcome, a bus that is muted or down, a module that is not there and a relay that cannot be toggled go into the input: the machine refuses, and the refusal is kept under the message's id (rules M2).
// D4. A command that may wait is not judged before its module has spoken since the start of the node or its bus, and its actor's state shows it: it waits on, and is neither
//     refused nor executed over what a person has set meanwhile (rules O2).
// D5. What has waited for the vehicle is taken only where the file still lets it wait: it was kept by what the vehicle had told before.
// D6. Time that a command has waited for the vehicle is time that it no longer has to live (vehicle V1).

import { vehicleMessages } from "../actors/index.ts";
import { type ModelTarget, targetProblem, type VehicleModel } from "../actors/vehicle-file/index.ts";
import {
  type Address,
  type AnyActorType,
  type Door,
  type DoorReads,
  type DoorVerdict,
  type EventData,
  type GuardReport,
  idOf,
  kindOf,
  type RemoteMessage,
  type SignalRead,
  type System,
} from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { type Channels, outputNameOf } from "./channels.ts";
import { absentReport, type CommandList, desiredOf, downReport, isMuted, type Listed, mutedReport } from "./commands.ts";
import type { ModuleFacts } from "./module-facts.ts";
import type { Pipeline } from "./pipeline.ts";

export interface CommandDoorOptions {
  readonly commands: CommandList;
  readonly channels: Channels;
  readonly pipeline: Pick<Pipeline, "conditions" | "presence" | "hearing" | "condition">;
  readonly clock: Clock;
  readonly read: System["read"];
  readonly isPresenceKnown: ModuleFacts["isPresenceKnown"];
}

type Found = { readonly kind: "found"; readonly listed: Listed } | { readonly kind: "refused"; readonly reason: string; readonly accepts: readonly string[] };

export function commandDoor(options: CommandDoorOptions): Door {
  const { commands } = options;
  const { vehicle, model } = commands;
  const allListenOnly = model.buses.every(({ name }) => commands.isListenOnly(name));

  return (message, type): DoorVerdict => {
    options.pipeline.hearing.attend(options.clock.monotonic());
    if (message.to === vehicle) return toVehicle(message);
    if (!message.to.startsWith(`${vehicle}/`) || kindOf(message.to) !== "module") return { kind: "pass" };
    return toModule(message, idOf(message.to), type);
  };

  function toVehicle(message: RemoteMessage): DoorVerdict {
    const { event } = message;
    if (event.type === "bus.mute" || event.type === "bus.unmute") return aboutBus(event["bus"]);
    if (vehicleMessages.specOf(event.type) !== undefined) return { kind: "pass" };
    if (allListenOnly) return listenOnly(model.buses.map(({ name }) => name).join(", "), vehicleMessages.types, unknownWord(event.type));
    if (!commands.words.has(event.type)) return { kind: "pass" };
    const found = oneOf(commands.forVehicle(event.type), event, message.to);
    return found.kind === "refused"
      ? refuse(found.reason, [...vehicleMessages.types, ...found.accepts])
      : pass(message, found.listed, commands.moduleAddress(found.listed.target.module));
  }

  function toModule(message: RemoteMessage, name: string, type: AnyActorType): DoorVerdict {
    const { event } = message;
    const spec = type.messages.specOf(event.type);
    const module = model.modules.find((each) => each.name === name);
    if (module === undefined || spec?.internal === true) return { kind: "pass" };
    if (commands.isListenOnly(module.bus)) return listenOnly(module.bus, [], spec === undefined ? unknownWord(event.type) : "");
    if (spec === undefined && !commands.words.has(event.type)) return { kind: "pass" };
    const found = oneOf(commands.forModule(event.type, name), event, message.to);
    return found.kind === "refused" ? refuse(found.reason, found.accepts) : pass(message, found.listed, message.to);
  }

  /** Who mistyped a word is not sent to open a bus for it. */
  function unknownWord(type: string): string {
    return commands.words.has(type) ? "" : `; "${type.slice(0, 64)}" is no command of any module either`;
  }

  function aboutBus(bus: unknown): DoorVerdict {
    const names = model.buses.map(({ name }) => name);
    if (typeof bus !== "string" || names.includes(bus)) return { kind: "pass" };
    return refuse(`the vehicle's file has no bus "${bus.slice(0, 64)}"; it has ${names.join(", ")}`, vehicleMessages.types);
  }

  /** D2. */
  function oneOf(listed: readonly Listed[], event: EventData, to: Address): Found {
    const [first] = listed;
    const module = to === vehicle ? undefined : idOf(to);
    if (first === undefined) {
      const accepts = module === undefined ? model.commands.map(({ name }) => name) : Object.keys(commands.offersOf(module));
      const of = module === undefined ? "" : ` for ${module}`;
      const names = accepts.length === 0 ? "it lists none" : `it lists ${accepts.join(", ")}`;
      return { kind: "refused", reason: `the vehicle's file does not list "${event.type}"${of}; ${names}`, accepts };
    }
    // The best name decides; the word of the type reaches what other names list only where its own lists nothing.
    const output = event["output"];
    const fitting = listed.filter(({ target }) => output === undefined || target.output === undefined || target.output.name === output);
    const [best] = fitting;
    const same = fitting.filter(({ command }) => command === best?.command);
    if (best !== undefined && same.length === 1) return { kind: "found", listed: best };
    const outputs = [
      ...new Set(listed.map(({ target }) => (module === undefined ? `${target.module}${target.output === undefined ? "" : `.${target.output.name}`}` : outputNameOf(target)))),
    ];
    const accepts = [...new Set(listed.map(({ command }) => command.name))];
    const asked = typeof output === "string" ? `the output "${output.slice(0, 64)}"` : "no output";
    return { kind: "refused", reason: `"${event.type}" names ${asked}; the vehicle's file lists it for ${outputs.join(", ")}`, accepts };
  }

  function pass(message: RemoteMessage, { command, target }: Listed, to: Address): DoorVerdict {
    const { event } = message;
    const { output } = target;
    const against = event["against"] ?? message.against;
    const problem = rangeProblem(model, event, target);
    if (problem !== undefined) return { kind: "refuse", refusal: { kind: "invalid", problems: [problem], accepts: Object.keys(commands.offersOf(target.module)) } };
    const ttlMs = remaining(tightened(event["ttlMs"], command.ttlMs), message.waitedMs);
    if (ttlMs === "over") return { kind: "refuse", refusal: { kind: "too-old" } };
    // D5.
    if (message.waitedMs !== undefined && command.whenAway !== "wait")
      return refuse(
        `the vehicle's file says when_away: ${command.whenAway} for "${command.name}": what has waited for the vehicle is not carried out`,
        Object.keys(commands.offersOf(target.module)),
      );
    if (command.whenAway === "wait" && !isKnown(target)) return { kind: "refuse", refusal: { kind: "owner-away" } };
    const mapped: EventData = {
      ...event,
      type: command.as,
      command: command.name,
      ...(output === undefined ? {} : { output: output.name }),
      deadlineMs: tightened(event["deadlineMs"], command.deadlineMs),
      ttlMs,
      ...(against === undefined ? {} : { against }),
    };
    return { kind: "pass", event: mapped, reads: readsOf({ command, target }), ...(to === message.to ? {} : { to }) };
  }

  /** D4. */
  function isKnown(target: ModelTarget): boolean {
    const nowMs = options.clock.monotonic();
    if (!options.isPresenceKnown(target.module, nowMs)) return false;
    return presenceOf(target.module) === "silent" || target.confirm === undefined || options.channels.read(target, nowMs).value !== undefined;
  }

  function presenceOf(module: string): string | undefined {
    return (options.read(commands.moduleAddress(module))?.state as { readonly presence?: string } | undefined)?.presence;
  }

  /** One that has just been heard is about to be shown as present. */
  function absent(module: string, nowMs: number): GuardReport | undefined {
    const presence = presenceOf(module);
    const heard = options.pipeline.presence.stateOf(module, nowMs);
    if (presence === "present" || heard?.state === "present") return undefined;
    return absentReport(module, presence, heard?.lastHeardMs === undefined ? undefined : Math.max(0, nowMs - heard.lastHeardMs));
  }

  function readsOf({ command, target }: Listed): DoorReads {
    const nowMs = options.clock.monotonic();
    const bus = options.pipeline.condition(target.bus);
    const guard = isMuted(options.read(vehicle)?.context, target.bus)
      ? mutedReport(target.bus)
      : bus.kind === "down"
        ? downReport(target.bus, bus)
        : (absent(target.module, nowMs) ?? (command.guard === undefined ? undefined : options.pipeline.conditions.evaluate(command.guard, nowMs)));
    const reported = options.channels.read(target, nowMs);
    const told = (guard === undefined || guard.open === true) && command.as === "relay.set" ? (notToggled(target, reported) ?? guard) : guard;
    return { signals: { reported }, ...(told === undefined ? {} : { guard: told }) };
  }

  /** Why a relay cannot be toggled now: another switch of it is open, or nothing fresh says how it stands (vehicle V2). */
  function notToggled(target: ModelTarget, reported: SignalRead): GuardReport | undefined {
    const output = outputNameOf(target);
    const isOpen = desiredOf(options.read(commands.moduleAddress(target.module))?.context, output) !== undefined;
    if (isOpen) return { condition: `no other switch of ${output} open`, open: false, reads: [] };
    return reported.value === undefined ? { condition: `status of ${output} fresh`, open: undefined, reads: [reported] } : undefined;
  }
}

/** The file and the module's type may allow less than the protocol does. A field of the wrong kind is the protocol's to refuse. */
function rangeProblem(model: VehicleModel, event: EventData, target: ModelTarget): { readonly path: string; readonly message: string } | undefined {
  const { kind } = target.value;
  const field = kind === "level" ? "level" : "value";
  const value = event[field];
  const message = (kind === "level" || kind === "number") && typeof value === "number" ? targetProblem(model, target, value) : undefined;
  return message === undefined ? undefined : { path: `/${field}`, message };
}

function listenOnly(buses: string, accepts: readonly string[], besides: string): DoorVerdict {
  return refuse(`listen-only: nothing can be sent on ${buses}; the vehicle's file opens a bus with mode: normal${besides}`, accepts);
}

function refuse(reason: string, accepts: readonly string[]): DoorVerdict {
  return { kind: "refuse", refusal: { kind: "refused", accepts, reason } };
}

/** What is no number is left for the protocol's check to refuse. */
function tightened(asked: unknown, allowed: number): unknown {
  return asked === undefined ? allowed : typeof asked === "number" ? Math.min(asked, allowed) : asked;
}

/** D6. */
function remaining(ttlMs: unknown, waitedMs = 0): unknown {
  if (typeof ttlMs !== "number" || waitedMs === 0) return ttlMs;
  return ttlMs - waitedMs < 1 ? "over" : Math.floor(ttlMs - waitedMs);
}
