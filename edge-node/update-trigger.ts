// The frame that opens a module's upload port: once for an attempt, and only while all that must be so is (vehicle X1, V3; rules F1).
//
// T1. Judged at the hand-over, as a command is. A no says that no frame left.
// T2. Where no echo came nobody knows whether it left: that is thrown, and nothing is sent a second time.
// T3. It waits for a place in its bus's rate as long as its own deadline, and is judged after that wait.

import type { ModuleTrigger, ModuleTriggered, VehicleContext } from "../actors/index.ts";
import type { ModelUpdate, VehicleModel } from "../actors/vehicle-file/index.ts";
import { type CanFrame, encodeFrame, findMessage } from "../protocols/can/index.ts";
import { type System, untilAborted, type WorkContext } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { CommandList } from "./commands.ts";
import type { FrameSender, ReadyBus } from "./frame-sender.ts";
import type { Pipeline } from "./pipeline.ts";
import type { Place } from "./rate-limit.ts";
import { notListed, type UpdateSafety } from "./update-safety.ts";

const COMMAND = "update.start";
const MAC = /^mac:((?:[0-9a-f]{2})+)$/i;

export interface UpdateTriggerOptions {
  readonly commands: CommandList;
  readonly pipeline: Pick<Pipeline, "hearing">;
  readonly sender: FrameSender;
  readonly safety: UpdateSafety;
  readonly clock: Clock;
  readonly read: System["read"];
}

export type UpdateTrigger = (input: ModuleTrigger, work: WorkContext) => Promise<ModuleTriggered>;

export function createUpdateTrigger({ commands, pipeline, sender, safety, clock, read }: UpdateTriggerOptions): UpdateTrigger {
  /** T1. */
  function objection({ module, attempt }: ModuleTrigger, work: WorkContext): string | undefined {
    if (work.signal.aborted) return "the node is stopping";
    const nowMs = clock.monotonic();
    pipeline.hearing.attend(nowMs);
    const updates = (read(commands.vehicle)?.context as VehicleContext | undefined)?.updates;
    const wanted = updates?.campaign?.updates.find((update) => update.module === module);
    if (wanted?.state !== "triggering" || wanted.attempt > attempt) return "it is no longer wanted";
    const found = safety.judge(module, nowMs);
    return found.open ? undefined : found.why;
  }

  return async (input, work) => {
    const { module, part } = input;
    const update = safety.listed(module);
    if (update === undefined) return refused(notListed(module));
    const frame = triggerFrame(commands.model, update, part);
    if (typeof frame === "string") return refused(frame);
    const place = await placeOn(update, work.signal);
    const objected = place === undefined ? "the node is stopping, or its bus is full" : objection(input, work);
    const ready: ReadyBus = objected === undefined ? sender.ready(update.bus, place) : { kind: "not", why: objected };
    if (ready.kind === "not") {
      place?.release();
      return refused(ready.why);
    }
    const rollout = (read(commands.vehicle)?.context as VehicleContext | undefined)?.updates?.campaign?.rollout;
    const outcome = await sender.send(ready, frame, update.deadlineMs, {
      actor: commands.moduleAddress(module),
      command: COMMAND,
      output: undefined,
      key: work.key,
      author: rollout === undefined ? undefined : `rollout ${rollout}`,
      cause: undefined,
    });
    // T2.
    if (outcome.kind === "unknown") throw new Error(`whether its trigger left is not known: ${outcome.reason}`);
    return outcome.kind === "sent" ? { kind: "sent" } : refused(outcome.reason === "deadline" ? "its frame was not on the bus in time" : `${outcome.reason}: ${outcome.detail}`);
  };

  /** T3. */
  async function placeOn({ bus, deadlineMs }: ModelUpdate, signal: AbortSignal): Promise<Place | undefined> {
    const limit = sender.limit(bus);
    if (limit === undefined) return undefined;
    const untilMs = clock.monotonic() + deadlineMs;
    const release = limit.reserve();
    try {
      while (!signal.aborted && clock.monotonic() < untilMs) {
        const place = limit.take(clock.monotonic(), true);
        if (place !== undefined) return place;
        await passed(Math.max(1, Math.min(limit.freeInMs(clock.monotonic()), untilMs - clock.monotonic())), signal);
      }
    } finally {
      release();
    }
    return undefined;
  }

  async function passed(ms: number, signal: AbortSignal): Promise<void> {
    const over = new AbortController();
    const timer = clock.setTimeout(() => {
      over.abort();
    }, ms);
    await untilAborted(AbortSignal.any([over.signal, signal]));
    clock.clearTimeout(timer);
  }
}

/** Or why there is none. */
function triggerFrame(model: VehicleModel, { bus, how }: ModelUpdate, part: string): CanFrame | string {
  const [, digits] = MAC.exec(part) ?? [];
  const bytes = digits === undefined ? [] : [...Buffer.from(digits, "hex")];
  const { message: name, part: signals } = how.trigger;
  if (bytes.length !== signals.length) return `its part ${part} cannot be named in a frame of ${String(signals.length)} bytes`;
  const database = model.buses.find((each) => each.name === bus)?.database;
  const message = database === undefined ? undefined : findMessage(database, name);
  if (message === undefined) return `the database of ${bus} has no message ${name}`;
  const outcome = encodeFrame(message, new Map(signals.map((signal, at) => [signal, bytes[at] ?? 0])));
  return outcome.kind === "encoded" ? outcome.frame : outcome.problems.map((problem) => `${String(problem.signal)}: ${problem.message}`).join("; ");
}

function refused(why: string): ModuleTriggered {
  return { kind: "refused", why };
}
