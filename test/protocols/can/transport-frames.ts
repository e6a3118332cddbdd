// Frames for tests of transport protocols: a reassembler that is fed one frame after the other, and what a J1939 sender and receiver put on the bus.

import { appendFrame, type CanFrame, createFrameBatch, j1939Id, type Reassembler, type TransportMessage } from "../../../protocols/can/index.ts";

export interface TimedFrame {
  readonly timeS: number;
  readonly frame: CanFrame;
  readonly bus?: number;
}

/** Every message that the frames complete, in order. */
export function heard<M extends TransportMessage>(reassembler: Reassembler<M>, frames: readonly TimedFrame[]): readonly M[] {
  const batch = createFrameBatch(1);
  return frames.flatMap(({ timeS, frame, bus = 0 }) => {
    batch.count = 0;
    appendFrame(batch, frame, { timeS, bus });
    const message = reassembler.take(batch, 0);
    return message === undefined ? [] : [message];
  });
}

/** The counters that are not 0. */
export function counted(reassembler: Reassembler): Readonly<Record<string, number>> {
  return Object.fromEntries(Object.entries(reassembler.counters).filter(([, count]) => count !== 0));
}

export function bytes(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 7) & 0xff);
}

export interface Ends {
  readonly source: number;
  readonly destination: number;
  readonly pgn: number;
}

const little = (value: number, count: number): readonly number[] => Array.from({ length: count }, (_, at) => Math.floor(value / 2 ** (8 * at)) & 0xff);

function frameOf(pgn: number, source: number, destination: number, data: readonly number[]): CanFrame {
  return { id: j1939Id({ priority: 7, pgn, source, destination }), extended: true, data: Uint8Array.from(data) };
}

/** One connection management frame. CTS and acknowledgement are sent by the destination. */
export const manage = {
  bam: ({ source, pgn }: Ends, size: number, packets = Math.ceil(size / 7)): CanFrame => frameOf(0xec00, source, 255, [32, ...little(size, 2), packets, 255, ...little(pgn, 3)]),
  rts: ({ source, destination, pgn }: Ends, size: number, packets = Math.ceil(size / 7)): CanFrame =>
    frameOf(0xec00, source, destination, [16, ...little(size, 2), packets, 255, ...little(pgn, 3)]),
  cts: ({ source, destination, pgn }: Ends, count: number, next: number): CanFrame => frameOf(0xec00, destination, source, [17, count, next, 255, 255, ...little(pgn, 3)]),
  acknowledged: ({ source, destination, pgn }: Ends, size: number): CanFrame =>
    frameOf(0xec00, destination, source, [19, ...little(size, 2), Math.ceil(size / 7), 255, ...little(pgn, 3)]),
  abort: ({ source, destination, pgn }: Ends, by: "sender" | "receiver" = "sender"): CanFrame =>
    frameOf(0xec00, by === "sender" ? source : destination, by === "sender" ? destination : source, [255, 3, 255, 255, 255, ...little(pgn, 3)]),
  etpRts: ({ source, destination, pgn }: Ends, size: number): CanFrame => frameOf(0xc800, source, destination, [20, ...little(size, 4), ...little(pgn, 3)]),
  etpCts: ({ source, destination, pgn }: Ends, count: number, next: number): CanFrame => frameOf(0xc800, destination, source, [21, count, ...little(next, 3), ...little(pgn, 3)]),
  etpOffset: ({ source, destination, pgn }: Ends, count: number, offset: number): CanFrame =>
    frameOf(0xc800, source, destination, [22, count, ...little(offset, 3), ...little(pgn, 3)]),
  etpAcknowledged: ({ source, destination, pgn }: Ends, size: number): CanFrame => frameOf(0xc800, destination, source, [23, ...little(size, 4), ...little(pgn, 3)]),
};

/** The data frame with sequence number `sequence`, counted from `offset` packets on. */
export function packet({ source, destination }: Ends, payload: Uint8Array, sequence: number, offset = 0, pgn = 0xeb00): CanFrame {
  const at = (offset + sequence - 1) * 7;
  const part = [...payload.subarray(at, at + 7)];
  return frameOf(pgn, source, destination, [sequence, ...part, ...Array.from({ length: 7 - part.length }, () => 0xff)]);
}

export function everyMs(frames: readonly CanFrame[], stepMs: number, fromS = 0): readonly TimedFrame[] {
  return frames.map((frame, at) => ({ frame, timeS: fromS + (at * stepMs) / 1_000 }));
}

/** A whole BAM. */
export function broadcast(ends: Ends, payload: Uint8Array): readonly CanFrame[] {
  const everyone = { ...ends, destination: 255 };
  return [manage.bam(everyone, payload.length), ...Array.from({ length: Math.ceil(payload.length / 7) }, (_, at) => packet(everyone, payload, at + 1))];
}

/** A whole session between two parties, `window` packets a CTS. */
export function connection(ends: Ends, payload: Uint8Array, window = 8): readonly CanFrame[] {
  const packets = Math.ceil(payload.length / 7);
  const frames = [manage.rts(ends, payload.length)];
  for (let next = 1; next <= packets; next += window) {
    const count = Math.min(window, packets - next + 1);
    frames.push(manage.cts(ends, count, next), ...Array.from({ length: count }, (_, at) => packet(ends, payload, next + at)));
  }
  return [...frames, manage.acknowledged(ends, payload.length)];
}
