// Frames of chosen messages, one by one: for what a latest value cannot tell, such as another sender's command or the echo of our own (vehicle.md V2). Meant for commands and statuses,
// not for streams: each frame becomes an object.

import { DroverError } from "../../runtime/index.ts";
import { findMessage } from "./database.ts";
import { EXTENDED_FRAME, type FrameBatch, FrameFlag } from "./frame.ts";
import { createObjectDecoder, type DecodedObject, type ObjectDecoder } from "./object-decoder.ts";
import type { TableBus } from "./signal-table.ts";

export interface TapDefinition {
  readonly bus: string;
  readonly message: string;
  /** J1939: only from this sender. */
  readonly sourceAddress?: number;
}

export interface TappedFrame {
  /** Index of its definition. */
  readonly tap: number;
  readonly timeMs: number;
  /** It is the echo of a frame of ours. */
  readonly sentByUs: boolean;
  /** Physical values of the signals that the frame holds. */
  readonly values: DecodedObject;
}

export interface MessageTaps {
  /** Takes a batch; `buses` are the names behind its bus indices. */
  feed(batch: FrameBatch, buses: readonly string[]): void;
}

interface TappedBus {
  readonly decoder: ObjectDecoder;
  /** By index of the message. */
  readonly taps: readonly (readonly number[])[];
}

/** @throws DROVER_CAN_USE when a tap names a bus or message that does not exist */
export function createMessageTaps(buses: readonly TableBus[], definitions: readonly TapDefinition[], onFrame: (frame: TappedFrame) => void): MessageTaps {
  const tapped = new Map(
    buses.map(
      (bus) =>
        [bus.name, { database: bus.database, decoder: createObjectDecoder(bus.database, { match: bus.match }), taps: bus.database.messages.map((): number[] => []) }] as const,
    ),
  );
  for (const [index, { bus: name, message: messageName }] of definitions.entries()) {
    const bus = tapped.get(name);
    const message = bus === undefined ? undefined : findMessage(bus.database, messageName);
    if (bus === undefined || message === undefined) throw new DroverError("DROVER_CAN_USE", `there is no message ${name}.${messageName}`);
    bus.taps[message.index]?.push(index);
  }

  function take(bus: TappedBus, batch: FrameBatch, slot: number): void {
    const canId = batch.ids[slot] ?? 0;
    const wanted = bus.taps[bus.decoder.match(canId)];
    if (wanted === undefined || wanted.length === 0) return;
    let values: DecodedObject | undefined;
    for (const tap of wanted) {
      const sender = definitions[tap]?.sourceAddress;
      if (sender !== undefined && (canId < EXTENDED_FRAME || (canId & 0xff) !== sender)) continue;
      values ??= bus.decoder.decode(batch, slot) ?? {};
      onFrame({ tap, timeMs: (batch.timesS[slot] ?? 0) * 1_000, sentByUs: ((batch.flags[slot] ?? 0) & FrameFlag.sentByUs) !== 0, values });
    }
  }

  return {
    feed: (batch, names) => {
      const busOf = names.map((name) => tapped.get(name));
      for (let slot = 0; slot < batch.count; slot++) {
        const bus = busOf[batch.buses[slot] ?? 0];
        if (bus !== undefined) take(bus, batch, slot);
      }
    },
  };
}
