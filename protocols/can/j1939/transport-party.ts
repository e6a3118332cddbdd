// What both parties of a TP session (transport-frames.ts) need to take part: frames to send, and the connection management that is meant for them.

import type { CanFrame } from "../frames/index.ts";
import { j1939Id, parseJ1939Id } from "./id.ts";
import { PACKET_BYTES, TP_DATA, TP_MANAGEMENT } from "./transport-frames.ts";

/** Why a session is called off, as an abort says it. */
export const AbortReason = { alreadyInSession: 1, noResources: 2, timeout: 3, tooManyRepeats: 5 } as const;

/** Of TP frames; the message's own priority is not on the bus. */
const PRIORITY = 7;

export interface Route {
  readonly source: number;
  readonly destination: number;
}

/** @param head the bytes 0 to 4 */
export function managementFrame({ source, destination }: Route, pgn: number, head: readonly [number, number, number, number, number]): CanFrame {
  const data = Uint8Array.of(...head, pgn & 0xff, (pgn >> 8) & 0xff, pgn >> 16);
  return { id: j1939Id({ priority: PRIORITY, pgn: TP_MANAGEMENT, source, destination }), extended: true, data };
}

/** @param packet from 1 */
export function dataFrame({ source, destination }: Route, payload: Uint8Array, packet: number): CanFrame {
  const data = new Uint8Array(1 + PACKET_BYTES).fill(0xff);
  data[0] = packet;
  data.set(payload.subarray((packet - 1) * PACKET_BYTES, packet * PACKET_BYTES), 1);
  return { id: j1939Id({ priority: PRIORITY, pgn: TP_DATA, source, destination }), extended: true, data };
}

/** A TP frame with 8 bytes that is meant for `address`. */
export interface HeardFrame {
  readonly kind: "management" | "data";
  readonly source: number;
  readonly data: Uint8Array;
  /** The group that connection management speaks of. */
  readonly group: number;
}

export function heardBy(address: number, frame: CanFrame): HeardFrame | undefined {
  const { data } = frame;
  if (frame.extended !== true || frame.remote === true || data.length !== 8) return undefined;
  const { pgn, source, destination } = parseJ1939Id(frame.id);
  if (destination !== address || (pgn !== TP_MANAGEMENT && pgn !== TP_DATA)) return undefined;
  return { kind: pgn === TP_DATA ? "data" : "management", source, data, group: (data[5] ?? 0) | ((data[6] ?? 0) << 8) | ((data[7] ?? 0) << 16) };
}
