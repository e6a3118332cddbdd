// One frame of ISO 15765-2 (ISO-TP). With extended or mixed addressing an address byte comes first; all below moves by one. Numbers are big-endian.
//
//                          0          1           2          3 .. 5
//   single frame           0x0L       data ··················          L 1 to 7 (6 behind an address byte); frames of at most 8 bytes
//   single frame, FD       0x00       length      data ······          longer frames
//   first frame            0x1L       LL          data ······          LLL: 12 bits
//   first frame, long      0x10       0x00        length, 32 bits      data; only for more than 4,095 bytes
//   consecutive frame      0x2N       data ··················          N counts 1 to 15, 0, 1, …
//   flow control           0x3S       block size  STmin                S 0 go on, 1 wait, 2 overflow

/** Extended: a target address comes first; mixed: an extension of the address. `normal` is `normal fixed` too. */
export type IsoTpAddressing = "normal" | "extended" | "mixed";

/** Whoever sends waits so long for a flow control. */
export const N_BS_MS = 1_000;
/** Whoever receives waits so long for a consecutive frame. */
export const N_CR_MS = 1_000;

export type ProtocolFrame =
  | { readonly kind: "single" | "first"; readonly size: number /** Bytes before the payload. */; readonly header: number }
  | { readonly kind: "consecutive"; readonly sequence: number; readonly header: number }
  | { readonly kind: "flow"; readonly status: FlowStatus /** Frames until the next one; 0: all. */; readonly blockSize: number; readonly stMinMs: number }
  | { readonly kind: "invalid" };

export type FlowStatus = "continue" | "wait" | "overflow";

/** Longest message whose length fits 12 bits. */
export const MAX_SHORT_BYTES = 4_095;
const CLASSIC_BYTES = 8;
const INVALID: ProtocolFrame = { kind: "invalid" };
/** By their code. */
export const STATUSES: readonly FlowStatus[] = ["continue", "wait", "overflow"];

export function addressBytesOf(addressing: IsoTpAddressing): 0 | 1 {
  return addressing === "normal" ? 0 : 1;
}

/** Payload bytes that a single frame of `length` bytes can carry. */
export function singleFrameBytes(length: number, addressBytes: number): number {
  return length - addressBytes - (length > CLASSIC_BYTES ? 2 : 1);
}

/** @param addressBytes 0 with normal addressing, 1 with extended and mixed */
export function parseProtocolFrame(data: Uint8Array, start: number, length: number, addressBytes: number): ProtocolFrame {
  const from = start + addressBytes;
  const left = length - addressBytes;
  if (left < 1) return INVALID;
  const first = data[from] ?? 0;
  const low = first & 0xf;
  const second = data[from + 1] ?? 0;
  switch (first >> 4) {
    case 0: {
      const isLong = length > CLASSIC_BYTES;
      const size = isLong ? second : low;
      const isSound = size > 0 && size <= singleFrameBytes(length, addressBytes) && (!isLong || low === 0);
      return isSound ? { kind: "single", size, header: addressBytes + (isLong ? 2 : 1) } : INVALID;
    }
    case 1: {
      if (length < CLASSIC_BYTES) return INVALID;
      const short = (low << 8) | second;
      if (short > 0) return short > singleFrameBytes(length, addressBytes) ? { kind: "first", size: short, header: addressBytes + 2 } : INVALID;
      const long = new DataView(data.buffer, data.byteOffset).getUint32(from + 2);
      return long > MAX_SHORT_BYTES ? { kind: "first", size: long, header: addressBytes + 6 } : INVALID;
    }
    case 2:
      return left < 2 ? INVALID : { kind: "consecutive", sequence: low, header: addressBytes + 1 };
    case 3: {
      const status = STATUSES[low];
      return status === undefined || left < 3 ? INVALID : { kind: "flow", status, blockSize: second, stMinMs: separationMs(data[from + 2] ?? 0) };
    }
    default:
      return INVALID;
  }
}

/** The least time between consecutive frames: 0 to 127 ms, 0xF1 to 0xF9 100 to 900 µs; other codes are reserved and mean the longest. */
function separationMs(code: number): number {
  if (code <= 0x7f) return code;
  return code >= 0xf1 && code <= 0xf9 ? (code - 0xf0) / 10 : 0x7f;
}
