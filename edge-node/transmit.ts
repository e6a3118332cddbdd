// Hands the frame of a committed command over, and says what became of it (vehicle X1, V2, V3; rules F1).
//
// X1. Checked again here, outside of the machine: still wanted, bus mode, mute, deadline, guard on fresh values, freshness of the status that a toggle stands on, rate.
//     A no comes back as an input with its reason and the guard's report.
// X2. One frame per output is outstanding; nothing is ever sent a second time.
// X3. Every frame that left, or may have, is recorded with author and cause.
// X4. A show that is stopped half way, as by a mute, ends there and says why. What it showed before is not put back later: by then its time has ended (vehicle V1), and nothing says that it is still wanted.

import type { Transmission } from "../actors/index.ts";
import { commandFrame } from "../actors/vehicle-file/index.ts";
import type { CanFrame, SendOutcome } from "../protocols/can/index.ts";
import { type Address, type EffectWord, idOf, type System, type WorkContext } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { Channels } from "./channels.ts";
import { type CommandList, desiredOf, isMuted, type Listed, mutedReport } from "./commands.ts";
import type { Awaited, Confirmations } from "./confirmations.ts";
import type { FrameSender, ReadyBus } from "./frame-sender.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Place } from "./rate-limit.ts";

/** A frame of a blink has this long to be on the bus. */
const BLINK_FRAME_MS = 500;

export interface TransmitOptions {
  readonly commands: CommandList;
  readonly channels: Channels;
  readonly confirmations: Confirmations;
  readonly pipeline: Pipeline;
  readonly sender: FrameSender;
  readonly clock: Clock;
  readonly read: System["read"];
}

export interface Transmit {
  /** The implementation of the module's effects. */
  perform(transmission: Transmission, work: WorkContext): Promise<EffectWord>;
  readonly counters: Readonly<Record<"refused" | "unknown", number>>;
}

interface Job extends Listed {
  readonly transmission: Transmission;
  readonly work: WorkContext;
  readonly awaited: Awaited;
}

/** `isHanded`: the bus was given the frame. */
type Leave = { readonly kind: "sent"; readonly atMs: number } | { readonly kind: "not"; readonly word: NonNullable<EffectWord>; readonly isHanded?: true };

type Ready = Extract<ReadyBus, { readonly kind: "ready" }> & { readonly frame: CanFrame };

export function createTransmit(options: TransmitOptions): Transmit {
  const { commands, channels, confirmations, pipeline, sender, clock, read } = options;
  const counters = { refused: 0, unknown: 0 };

  /** X1. undefined: it may leave now. */
  function objection(job: Job): NonNullable<EffectWord> | undefined {
    const { command, target, transmission, work } = job;
    const nowMs = clock.monotonic();
    pipeline.hearing.attend(nowMs);
    if (commands.isListenOnly(target.bus)) return no(`listen-only: nothing can be sent on ${target.bus}`);
    if (work.signal.aborted) return no("the node is stopping");
    if (desiredOf(read(work.actor as Address)?.context, transmission.output ?? "")?.key !== transmission.key)
      return no("it is no longer wanted: another command took its place, or its time ended");
    if (isMuted(read(commands.vehicle)?.context, target.bus)) return { ...no(`sending on ${target.bus} is muted`), guard: mutedReport(target.bus) };
    if (command.guard !== undefined) {
      const guard = pipeline.conditions.evaluate(command.guard, nowMs);
      if (guard.open !== true) return { ...no(`its guard ${command.guard} is ${guard.open === false ? "not true" : "unknown"} now`), guard };
    }
    if (target.method.kind === "toggle") {
      const { value, ageMs } = channels.read(target, nowMs);
      if (value === undefined)
        return no(`no fresh status of ${target.module} says how the output stands (the last is ${ageMs === undefined ? "missing" : `${String(Math.round(ageMs))} ms old`})`);
      if (value === transmission.value) return no("somebody else has switched it so in the meantime");
      if (confirmations.isOpen(target.module, transmission.output ?? "")) return no("a toggle of this output waits for its answer");
    }
    return undefined;
  }

  async function perform(transmission: Transmission, work: WorkContext): Promise<EffectWord> {
    const listed = commands.committed(transmission.command, idOf(work.actor as Address), transmission.output ?? "");
    // The file may have changed since the command was committed.
    if (listed === undefined) return counted(no(`the vehicle's file does not list "${transmission.command}" for it`));
    const awaited: Awaited = { actor: work.actor as Address, key: transmission.key, target: listed.target, value: transmission.value };
    const job: Job = { ...listed, transmission, work, awaited };
    return counted(listed.target.method.kind === "blink" ? await blink(job, listed.target.method) : await once(job));
  }

  function counted(word: EffectWord): EffectWord {
    if (word?.kind === "refused" || word?.kind === "deadline") counters.refused++;
    else if (word?.kind === "unknown") counters.unknown++;
    return word;
  }

  async function once(job: Job): Promise<EffectWord> {
    const left = await leave(job, { value: job.transmission.value, withinMs: remainingMs(job.transmission) }, () => {
      confirmations.handing(job.awaited);
    });
    if (left.kind === "sent") {
      confirmations.seen(job.awaited, left.atMs);
      if (job.target.confirm === undefined) confirmations.done(job.awaited);
      return { kind: "done" };
    }
    if (left.word.kind === "unknown") confirmations.seen(job.awaited, clock.monotonic());
    else confirmations.dropped(job.awaited);
    return left.word;
  }

  /** What has begun is to reach its end: its frames find room where others use up the bus's rate. */
  async function blink(job: Job, method: { readonly values: readonly number[]; readonly holdMs: number }): Promise<EffectWord> {
    const release = sender.limit(job.target.bus)?.reserve();
    try {
      return await show(job, method);
    } finally {
      release?.();
    }
  }

  /** Shows the output to a person, then puts back what it showed before; where somebody switches it meanwhile, what they set stays (rules O2). */
  async function show(job: Job, { values, holdMs }: { readonly values: readonly number[]; readonly holdMs: number }): Promise<EffectWord> {
    const before = channels.read(job.target, clock.monotonic()).value;
    if (before === undefined) return no("what the output shows now is not known, so it could not be put back");
    let withinMs = remainingMs(job.transmission);
    let lastMs = 0;
    confirmations.handing(job.awaited);
    for (const [index, value] of [...values, before].entries()) {
      const place = index > 0 ? await placeOf(job) : undefined;
      if (!confirmations.isAwaited(job.awaited)) {
        place?.release();
        return { kind: "unknown", reason: "somebody else switched the output while it was shown: what they set stays" };
      }
      const left = await leave(job, { value, withinMs, place }, () => {
        confirmations.showing(job.awaited, value);
      });
      if (left.kind === "not") {
        const mayHaveLeft = left.word.kind === "unknown";
        if (index === 0 && !mayHaveLeft) confirmations.dropped(job.awaited);
        else confirmations.stopped(job.awaited, mayHaveLeft ? clock.monotonic() : lastMs, left.isHanded === true && !mayHaveLeft);
        return index === 0 ? left.word : halfWay(left.word);
      }
      lastMs = left.atMs;
      withinMs = BLINK_FRAME_MS;
      if (index < values.length) await pause(holdMs, job.work.signal);
    }
    confirmations.done(job.awaited);
    return { kind: "done" };
  }

  /** For the next frame of a show, which keeps one back: in a second at the latest. undefined where the node is stopping. */
  async function placeOf({ target, work }: Job): Promise<Place | undefined> {
    const limit = sender.limit(target.bus);
    if (limit === undefined) return undefined;
    while (!work.signal.aborted) {
      const place = limit.take(clock.monotonic(), true);
      if (place !== undefined) return place;
      await pause(limit.freeInMs(clock.monotonic()), work.signal);
    }
    return undefined;
  }

  /** @param place in the bus's rate, where it has one already */
  async function leave(job: Job, ask: { readonly value: number; readonly withinMs: number; readonly place?: Place | undefined }, handing: () => void): Promise<Leave> {
    const ready = readyToLeave(job, ask);
    if (ready.kind === "not") {
      ask.place?.release();
      return ready;
    }
    const { transmission, work } = job;
    handing();
    const outcome = await sender.send(ready, ready.frame, ask.withinMs, {
      actor: work.actor,
      command: transmission.command,
      output: transmission.output,
      key: transmission.key,
      author: work.cause?.author,
      cause: work.cause?.messageId,
    });
    return leaveOf(outcome);
  }

  function readyToLeave(
    job: Job,
    { value, withinMs, place: kept }: { readonly value: number; readonly withinMs: number; readonly place?: Place | undefined },
  ): Ready | Extract<Leave, { kind: "not" }> {
    const { target } = job;
    if (!(withinMs > 0)) return { kind: "not", word: { kind: "deadline" } };
    const objected = objection(job);
    if (objected !== undefined) return { kind: "not", word: objected };
    const framed = commandFrame(commands.model, target, value);
    if (framed.kind === "refused") return { kind: "not", word: no(framed.reason) };
    const bus = sender.ready(target.bus, kept);
    return bus.kind === "not" ? { kind: "not", word: no(bus.why) } : { ...bus, frame: framed.frame };
  }

  function remainingMs({ since, deadlineMs }: Transmission): number {
    // A wall clock that was set back must not make a deadline longer than it was.
    return Math.min(deadlineMs, since + deadlineMs - clock.now());
  }

  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clock.clearTimeout(timer);
        signal.removeEventListener("abort", end);
        resolve();
      };
      const timer = clock.setTimeout(end, ms);
      signal.addEventListener("abort", end);
    });
  }

  return { perform, counters };
}

function leaveOf(outcome: SendOutcome): Leave {
  switch (outcome.kind) {
    case "sent":
      return { kind: "sent", atMs: outcome.timeS * 1_000 };
    case "unknown":
      return { kind: "not", word: { kind: "unknown", reason: outcome.reason }, isHanded: true };
    case "refused":
      return { kind: "not", word: outcome.reason === "deadline" ? { kind: "deadline" } : no(`${outcome.reason}: ${outcome.detail}`), isHanded: true };
  }
}

/** X4. */
function halfWay(word: NonNullable<EffectWord>): EffectWord {
  const why = word.kind === "deadline" ? "its frame was not on the bus in time" : "reason" in word ? word.reason : undefined;
  return { kind: "unknown", reason: `stopped half way: ${why ?? word.kind}; the output is not put back, and stays as it is until it is set anew` };
}

function no(reason: string): Extract<NonNullable<EffectWord>, { kind: "refused" }> {
  return { kind: "refused", accepts: [], reason };
}
