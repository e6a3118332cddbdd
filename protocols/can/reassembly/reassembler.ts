// The port of whoever listens to a transport protocol and puts its messages together: frames in, whole messages out. It sends nothing and has no clock: all times are those of the frames.

import type { FrameBatch } from "../frames/index.ts";

export interface TransportMessage {
  /** Index into the source's bus names. */
  readonly bus: number;
  /** The can_id under which the message would travel in one frame: it is matched by it. */
  readonly canId: number;
  /** Belongs to whoever is given the message. */
  readonly data: Uint8Array;
  /** Times of its first and its last frame, in seconds on the source's clock. */
  readonly firstS: number;
  readonly lastS: number;
}

/** Running totals. Those from `timedOut` to `pushedOut` count messages that were begun and given up, `refused` to `malformed` announcements and frames that began nothing. */
export interface ReassemblyCounters {
  /** Put together. */
  messages: number;
  /** Nothing more came in the time that the protocol allows. */
  timedOut: number;
  /** A part is missing and will not come again. */
  missing: number;
  /** Its sender or its receiver called it off. */
  aborted: number;
  /** The same sender began another one in its place. */
  replaced: number;
  /** It had shown no progress when its place was needed. */
  pushedOut: number;
  /** There was no place, or no memory, and everything held was making progress. */
  refused: number;
  /** Longer than the limit. */
  tooLong: number;
  /** Frames that contradict the protocol. */
  malformed: number;
  /** Frames of messages whose beginning was not seen, or that were given up. */
  stray: number;
  /** Parts that were already there. */
  repeated: number;
}

export interface Reassembler<M extends TransportMessage = TransportMessage> {
  /** Whether frames with this can_id are its business. */
  readonly wants: (canId: number) => boolean;
  /** The first slot from `from` on whose frame it wants and before `to`; `to` where there is none. Passing over others costs next to nothing. */
  readonly next: (ids: Uint32Array, from: number, to: number) => number;
  /**
   * True where a frame has the id of the message that it is a piece of (ISO-TP, fast packet): decoded by itself it would be nonsense. False where pieces have ids of their own (J1939).
   */
  readonly piecesShareId: boolean;
  /** Takes one frame; frames that are not its business change nothing. Returns the message that it completes. */
  readonly take: (batch: FrameBatch, slot: number) => M | undefined;
  /** Gives up what is overdue at `nowS`, on all buses. For a bus that has fallen silent: as long as frames come it is not needed. */
  readonly expire: (nowS: number) => void;
  readonly counters: Readonly<ReassemblyCounters>;
  /** What is being put together at this moment. `bytes` is the memory kept for payloads. */
  readonly held: { readonly sessions: number; readonly bytes: number };
}

export function createReassemblyCounters(): ReassemblyCounters {
  return { messages: 0, timedOut: 0, missing: 0, aborted: 0, replaced: 0, pushedOut: 0, refused: 0, tooLong: 0, malformed: 0, stray: 0, repeated: 0 };
}

/** `Reassembler.next` by `Reassembler.wants`. */
export function nextBy(wants: (canId: number) => boolean): Reassembler["next"] {
  return (ids, from, to) => {
    let slot = from;
    while (slot < to && !wants(ids[slot] ?? 0)) slot++;
    return slot;
  };
}
