// Single fields of frames that are not signals of the vehicle: what a toggle touches, who a module says it is.

import { type CanMessage, canIdOf, findSignal, type FrameBatch, readRawExact, scale, signalReader, SLOT_BYTES } from "../protocols/can/index.ts";

/** Reads a field as a physical value; undefined when the frame is too short for it. */
export type FieldReader = (batch: FrameBatch, slot: number) => number | undefined;

/** undefined: the message has no such signal. */
export function fieldReader(message: CanMessage, signalName: string): FieldReader | undefined {
  const signal = findSignal(message, signalName);
  if (signal === undefined) return undefined;
  const reader = signalReader(signal);
  return (batch, slot) => ((batch.lengths[slot] ?? 0) < signal.needsBytes ? undefined : scale(signal, Number(readRawExact(reader, batch.data, slot * SLOT_BYTES))));
}

/** As it stands in a batch. */
export function frameIdOf(message: CanMessage): number {
  return canIdOf({ id: message.id, extended: message.kind === "extended" });
}
