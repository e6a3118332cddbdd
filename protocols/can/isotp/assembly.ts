// A message that grows by consecutive frames: for whoever listens (listener.ts) and whoever takes part (receiver.ts).

export interface Assembly {
  /** Of the message, in bytes. */
  readonly size: number;
  /** Length of its frames, but for the last. */
  readonly frameBytes: number;
  data: Uint8Array;
  received: number;
  /** Sequence number of the next frame. */
  sequence: number;
}

/** What a consecutive frame did. After `wrong-sequence` and `no-memory` the message is lost; `wrong-length` changes nothing. */
export type Growth = "whole" | "more" | "wrong-sequence" | "wrong-length" | "no-memory";

/**
 * @param payload behind the frame's header
 * @param length of the whole frame
 * @param reserve makes `data` at least so many bytes long, or says false
 */
export function grow(assembly: Assembly, sequence: number, payload: Uint8Array, length: number, reserve: (bytes: number) => boolean): Growth {
  const left = assembly.size - assembly.received;
  if (length !== assembly.frameBytes && payload.length < left) return "wrong-length";
  if (sequence !== assembly.sequence) return "wrong-sequence";
  if (!append(assembly, payload.subarray(0, left), reserve)) return "no-memory";
  return assembly.received < assembly.size ? "more" : "whole";
}

/** Puts the payload of the first frame, or of the next, behind what has come. */
export function append(assembly: Assembly, part: Uint8Array, reserve: (bytes: number) => boolean): boolean {
  if (!reserve(assembly.received + part.length)) return false;
  assembly.data.set(part, assembly.received);
  assembly.received += part.length;
  assembly.sequence = (assembly.sequence + 1) & 0xf;
  return true;
}
