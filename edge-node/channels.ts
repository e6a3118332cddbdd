// What each output is known to do, as far as a command may rely on it (vehicle V1, V2): the bus's last word, how old, and whether something has touched the output since.

import { SETPOINT } from "../actors/module/index.ts";
import type { ModelTarget, VehicleModel } from "../actors/vehicle-file/index.ts";
import { findMessage, FrameFlag } from "../protocols/can/index.ts";
import type { SignalRead } from "../runtime/index.ts";
import { fieldReader, frameIdOf } from "./frame-fields.ts";
import type { Pipeline } from "./pipeline.ts";

/** An output, or the set point of a module that owns one. */
export interface Channel {
  readonly module: string;
  readonly output: string;
  /** Its name in the signal table. */
  readonly signal: string;
}

export interface Channels {
  readonly all: readonly Channel[];
  of(module: string, output: string): Channel | undefined;
  /** What may be relied on for `target`; `value` undefined: nothing. Toggles need a status that is fresh and came after the last toggle (V2). */
  read(target: ModelTarget, nowMs: number): SignalRead;
  /** Period of the status that confirms `target`, ms; undefined until it is known. */
  periodMs(target: ModelTarget): number | undefined;
  /** A toggle of ours was handed over or seen on the bus at `atMs`. */
  touched(target: ModelTarget, atMs: number): void;
  /** Somebody else's toggle of an output was on the bus. */
  onForeignToggle(listener: (channel: Channel, atMs: number) => void): void;
}

export function channelKey(module: string, output: string): string {
  return `${module}/${output}`;
}

/** Name of the output that a command of `target` is about, as the module's machine calls it. */
export function outputNameOf(target: ModelTarget): string {
  return target.output?.name ?? (target.confirm === undefined ? "" : SETPOINT);
}

/** The signal that tells what the output does. */
export function signalOf(target: ModelTarget): string | undefined {
  return target.output?.signal ?? target.confirm?.signal ?? target.reads[0];
}

export function createChannels(model: VehicleModel, pipeline: Pipeline): Channels {
  const { table, presence } = pipeline;
  const channels = new Map<string, Channel>();
  const add = (module: string, output: string, signal: string): void => {
    const key = channelKey(module, output);
    if (!channels.has(key)) channels.set(key, { module, output, signal });
  };
  for (const module of model.modules) for (const output of module.outputs) add(module.name, output.name, output.signal);
  const targets = model.commands.flatMap((command) => command.targets);
  for (const target of targets) {
    const signal = signalOf(target);
    if (signal !== undefined) add(target.module, outputNameOf(target), signal);
  }
  const touchedMs = new Map<string, number>();
  const listeners: ((channel: Channel, atMs: number) => void)[] = [];
  for (const tap of foreignTaps(model, targets)) {
    pipeline.tap(tap.bus, tap.canId, (batch, slot) => {
      if (((batch.flags[slot] ?? 0) & FrameFlag.sentByUs) !== 0) return;
      const field = tap.field(batch, slot);
      const atMs = (batch.timesS[slot] ?? 0) * 1_000;
      for (const { channel, value, everyChannel } of tap.outputs) {
        if (field !== value && (field === undefined || !everyChannel.includes(field))) continue;
        touchedMs.set(channelKey(channel.module, channel.output), atMs);
        for (const listener of listeners) listener(channel, atMs);
      }
    });
  }

  function foreignTaps(described: VehicleModel, all: readonly ModelTarget[]): readonly ForeignTap[] {
    const taps = new Map<string, ForeignTap>();
    for (const target of all) {
      const channel = channels.get(channelKey(target.module, outputNameOf(target)));
      const { method } = target;
      if (method.kind !== "toggle" || target.output === undefined || channel === undefined) continue;
      const bus = described.buses.find(({ name }) => name === target.bus);
      const message = bus === undefined ? undefined : findMessage(bus.database, method.foreign.message);
      const field = message === undefined ? undefined : fieldReader(message, method.foreign.channelField);
      const named = Object.values(method.frame.fields).find((value) => value.kind === "channel");
      if (message === undefined || field === undefined || named?.kind !== "channel") continue;
      const key = `${target.bus} ${message.name} ${method.foreign.channelField}`;
      const tap = taps.get(key) ?? { bus: target.bus, canId: frameIdOf(message), field, outputs: [] };
      taps.set(key, tap);
      const value = named.first + target.output.channel - target.firstChannel;
      if (!tap.outputs.some((each) => each.channel === channel)) tap.outputs.push({ channel, value, everyChannel: method.foreign.everyChannel });
    }
    return [...taps.values()];
  }

  function periodMs(target: ModelTarget): number | undefined {
    return target.status?.periodMs ?? presence.stateOf(target.module, Number.POSITIVE_INFINITY)?.learntPeriodMs;
  }

  return {
    all: [...channels.values()],
    of: (module, output) => channels.get(channelKey(module, output)),
    periodMs,
    read: (target, nowMs) => {
      const signal = signalOf(target) ?? "";
      const reading = table.read(signal, nowMs);
      const ageMs = reading?.timeMs === undefined ? undefined : Math.max(0, nowMs - reading.timeMs);
      const known = reading?.quality === "good" && reading.timeMs !== undefined && isAnswer(target, reading.timeMs, nowMs);
      return { signal, value: known ? reading.value : undefined, ageMs };
    },
    touched: (target, atMs) => {
      const key = channelKey(target.module, outputNameOf(target));
      touchedMs.set(key, Math.max(atMs, touchedMs.get(key) ?? Number.NEGATIVE_INFINITY));
    },
    onForeignToggle: (listener) => {
      listeners.push(listener);
    },
  };

  /** V2: a toggle relies on a status that is young, and that the module sent after it had done what was asked of it last. */
  function isAnswer(target: ModelTarget, timeMs: number, nowMs: number): boolean {
    if (target.method.kind !== "toggle") return true;
    const period = periodMs(target);
    if (period === undefined || nowMs - timeMs > target.method.statusAtMostPeriods * period) return false;
    const touched = touchedMs.get(channelKey(target.module, outputNameOf(target)));
    return touched === undefined || timeMs >= touched + target.method.answerAfterPeriods * period;
  }
}

interface ForeignTap {
  readonly bus: string;
  readonly canId: number;
  readonly field: NonNullable<ReturnType<typeof fieldReader>>;
  readonly outputs: { readonly channel: Channel; readonly value: number; readonly everyChannel: readonly number[] }[];
}
