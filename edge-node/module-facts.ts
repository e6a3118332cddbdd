// What the bus shows of the modules, told to their actors: presence, identity, faults, outputs (vehicle.md, States). Compared with the committed state, at a bounded rate.
//
// M1. Silence counts only while its bus is awake; a bus that is down makes its modules not expected.
// M2. A module that was never heard since the bus came up is silent once it had the time to speak: its quiet time, at least 3 s.
// M3. An output of which nothing is known any more is unknown; a change that no command of ours wanted is somebody else's.
// M4. A set point that the module itself keeps, found otherwise after a start or a gap than it stood before, was set by somebody meanwhile (rules O2).

import { isDeepStrictEqual } from "node:util";
import { SAME_VALUE, SETPOINT } from "../actors/module/index.ts";
import type { ModuleContext } from "../actors/index.ts";
import { watchClock } from "./clock-steps.ts";
import type { ModelModule } from "../actors/vehicle-file/index.ts";
import type { Address, System } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { type Channel, channelKey, type Channels } from "./channels.ts";
import type { CommandList, Terms } from "./commands.ts";
import type { Confirmations } from "./confirmations.ts";
import { watchIdentities } from "./identities.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Teller } from "./teller.ts";

const LEAST_GRACE_MS = 3_000;
const PRESENCE = "presence";
/** State of the region that each fact leads to. */
const LEADS_TO: ReadonlyMap<string, string> = new Map([
  ["module.seen", "present"],
  ["module.silenced", "silent"],
  ["module.excused", "not expected"],
  ["module.expected", "unseen"],
]);
/** Reports of one output, at most one in this time. */
const REPORT_EVERY_MS = 200;

export interface ModuleFactsOptions {
  readonly commands: CommandList;
  readonly pipeline: Pipeline;
  readonly channels: Channels;
  readonly confirmations: Confirmations;
  readonly teller: Teller;
  readonly system: Pick<System, "read" | "notify">;
  readonly clock: Clock;
}

export interface ModuleFacts {
  beat(nowMs: number): void;
  /** The module was heard, or had the time to speak, since its bus came up; its actor's state shows it, and no other word on it is on its way. */
  isPresenceKnown(module: string, nowMs: number): boolean;
}

interface OutputSeen {
  value: number | undefined;
  /** A change that was not told yet. */
  foreign: boolean;
  /** Its first value since nothing was known of it: whether that is a change, only what stood before can say. */
  isFirst: boolean;
  toldMs: number;
}

interface Description extends Terms {
  readonly hardware: string | null;
  readonly address: number | null;
  readonly bus: string;
  readonly moduleType: string | null;
  readonly outputs: readonly string[];
  readonly offers: Readonly<Record<string, string>>;
}

/** Names of a module's outputs as its actor keeps them. */
export function outputsOf(channels: Channels, module: string): readonly string[] {
  return channels.all.filter((channel) => channel.module === module && channel.output !== "").map(({ output }) => output);
}

function isDescribed(context: ModuleContext, { bus, moduleType, outputs, offers, ttlMs, whenAway, reaches, hardware, address }: Description): boolean {
  const known = Object.entries(context.outputs).filter(([, output]) => output.desired === undefined);
  return (
    context.bus === bus &&
    context.moduleType === moduleType &&
    context.hardware === hardware &&
    context.address === address &&
    isDeepStrictEqual(context.offers, offers) &&
    isDeepStrictEqual(context.ttlMs, ttlMs) &&
    isDeepStrictEqual(context.whenAway, whenAway) &&
    isDeepStrictEqual(context.reaches, reaches) &&
    outputs.every((name) => Object.hasOwn(context.outputs, name)) &&
    known.every(([name]) => outputs.includes(name))
  );
}

interface ModuleState {
  readonly presence?: string;
}

export function createModuleFacts(options: ModuleFactsOptions): ModuleFacts {
  const { commands, pipeline, channels, confirmations, teller, system } = options;
  const { table, presence, model } = pipeline;
  const identities = watchIdentities(model, pipeline, options.clock);
  const steps = watchClock(options.clock, (byMs) => {
    const isTold = system.notify(commands.vehicle, { type: "clock.corrected", byMs });
    if (isTold) identities.shift(byMs);
    return isTold;
  });
  const modules = model.modules.map((module) => ({
    module,
    address: commands.moduleAddress(module.name),
    described: descriptionOf(module),
    own: channels.all.filter((channel) => channel.module === module.name),
  }));
  const outputs = new Map<string, OutputSeen>();
  for (const channel of channels.all) {
    const seen: OutputSeen = { value: undefined, foreign: false, isFirst: false, toldMs: Number.NEGATIVE_INFINITY };
    outputs.set(channelKey(channel.module, channel.output), seen);
    table.onSamples([channel.signal], (_index, value) => {
      if (value === seen.value) return;
      const before = seen.value;
      seen.value = value;
      const isSomebodys = value !== undefined && !confirmations.isOurs(channel.module, channel.output, value);
      seen.isFirst = isSomebodys && before === undefined;
      if (!isSomebodys || before === undefined) return;
      seen.foreign = true;
      confirmations.switched(channel.module, channel.output);
    });
  }

  function beat(nowMs: number): void {
    // Before anything that is dated by the clock as it is now.
    steps.look();
    for (const { module, address, described, own } of modules) {
      const view = system.read(address);
      if (view === undefined) continue;
      const context = view.context as ModuleContext;
      if (!isDescribed(context, described)) teller.say(address, "description", { type: "module.described", ...described });
      tellPresence(module, address, (view.state as ModuleState | undefined)?.presence, nowMs);
      tellFaults(module, address, context, nowMs);
      const identity = identities.of(module.name);
      if (identity !== undefined && identity.at !== context.identifiedAt) teller.say(address, "identity", { type: "module.identified", ...identity });
      for (const channel of own) tellOutput(channel, address, context, nowMs);
    }
  }

  function descriptionOf(module: ModelModule): Description {
    const { name } = module;
    const place = { hardware: module.hardware ?? null, address: module.address ?? null };
    return { bus: module.bus, moduleType: module.type ?? null, ...place, outputs: outputsOf(channels, name), offers: commands.offersOf(name), ...commands.termsOf(name) };
  }

  /** What the bus shows and the committed state does not, or will not once it has taken the word that is on its way to it. */
  function presenceFact(module: ModelModule, committed: string | undefined, nowMs: number): { readonly type: string; readonly why?: string } | undefined {
    const told = teller.last(commands.moduleAddress(module.name), PRESENCE);
    const isShown = (state: string): boolean => committed === state && (told === undefined || LEADS_TO.get(told) === state);
    const bus = pipeline.condition(module.bus);
    if (bus.kind === "down") return isShown("not expected") ? undefined : { type: "module.excused", why: `the bus ${module.bus} is down` };
    const observed = observedOf(module, nowMs);
    if (observed === "present") return isShown("present") ? undefined : { type: "module.seen" };
    if (observed === "silent") return isShown("silent") ? undefined : { type: "module.silenced" };
    if (committed === "not expected") return { type: "module.expected" };
    // Present by the journal, and not heard since: that was another run of the bus.
    return committed === "present" ? { type: "module.excused", why: "not heard since the node or the bus started" } : undefined;
  }

  /** What this run of its bus says of it: nothing, until it was heard or had the time to speak (M2). */
  function observedOf({ name, bus }: ModelModule, nowMs: number): "present" | "silent" | undefined {
    const condition = pipeline.condition(bus);
    const heard = presence.stateOf(name, nowMs);
    if (condition.kind === "down" || heard === undefined) return undefined;
    if (heard.state !== "unseen") return heard.state;
    const { silentAfterMs } = heard;
    return silentAfterMs !== undefined && pipeline.listening.listenedMs(condition.sinceMs, nowMs) >= Math.max(silentAfterMs, LEAST_GRACE_MS) ? "silent" : undefined;
  }

  function tellPresence(module: ModelModule, address: Address, committed: string | undefined, nowMs: number): void {
    const fact = presenceFact(module, committed, nowMs);
    if (fact !== undefined) teller.say(address, PRESENCE, fact);
  }

  function isPresenceKnown(name: string, nowMs: number): boolean {
    const module = model.modules.find((each) => each.name === name);
    const committed = (system.read(commands.moduleAddress(name))?.state as ModuleState | undefined)?.presence;
    // By the journal it may be silent: that was another run of the bus.
    return module !== undefined && committed === observedOf(module, nowMs) && presenceFact(module, committed, nowMs) === undefined;
  }

  function tellFaults(module: ModelModule, address: Address, context: ModuleContext, nowMs: number): void {
    const known = new Set<string>();
    for (const rule of module.health) {
      const reading = table.read(rule.signal, nowMs);
      const value = reading?.quality === "good" ? reading.value : undefined;
      const faults =
        rule.kind === "bits"
          ? rule.bits.map((bit) => ({ ...bit, stands: value === undefined ? undefined : Math.floor(value / 2 ** bit.bit) % 2 === 1 }))
          : [{ ...rule, stands: value === undefined ? undefined : value === rule.value }];
      for (const { code, health, title, stands } of faults) {
        known.add(code);
        const committed = Object.hasOwn(context.faults, code);
        if (stands === true && !committed) teller.say(address, `fault ${code}`, { type: "fault.raised", code, health, title });
        if (stands === false && committed) teller.say(address, `fault ${code}`, { type: "fault.cleared", code });
      }
    }
    // Faults of a rule that the vehicle's file no longer has.
    for (const code of Object.keys(context.faults)) if (!known.has(code)) teller.say(address, `fault ${code}`, { type: "fault.cleared", code });
  }

  function tellOutput({ module, output }: Channel, address: Address, context: ModuleContext, nowMs: number): void {
    const seen = outputs.get(channelKey(module, output));
    const committed = Object.hasOwn(context.outputs, output) ? context.outputs[output] : undefined;
    if (seen === undefined || committed === undefined) return;
    if (seen.value === undefined) {
      if (committed.state === "settled" || committed.state === "contended") teller.say(address, `output ${output}`, { type: "output.forgotten", output });
      return;
    }
    if (nowMs - seen.toldMs < REPORT_EVERY_MS) return;
    const stands = output === SETPOINT ? seen.value : undefined;
    const isNew = stands !== undefined && committed.desired === undefined && (committed.stands === undefined || Math.abs(committed.stands - stands) >= SAME_VALUE);
    // M4.
    const foreign = seen.foreign || (isNew && seen.isFirst && committed.stands !== undefined);
    if (foreign || isNew) {
      if (!system.notify(address, { type: "output.reported", output, ...(foreign ? { foreign } : {}), ...(stands === undefined ? {} : { stands }) })) return;
      seen.foreign = false;
      seen.isFirst = false;
      seen.toldMs = nowMs;
    } else if (committed.state === "unknown" && committed.desired === undefined && !confirmations.isOpen(module, output))
      teller.say(address, `output ${output}`, { type: "output.reported", output });
  }

  return { beat, isPresenceKnown };
}
