// Frames in batches: columns of typed arrays, one slot a frame, so that a batch can be handed on, or shared between threads, without one object a frame.
//
//   ids      u32   bits 0..28 id, 29 error frame, 30 remote request, 31 extended (the kernel's can_id)
//   timesS   f64   seconds on the source's clock; live sources and replays count on Clock.monotonic()
//   lengths  u8    payload bytes, 0 to 64 (for a remote request: the length it asks for)
//   flags    u8    FrameFlag
//   dlcs     u8    raw data length code (9..15 occur with 8 bytes)
//   buses    u8    index into the source's bus names
//   lines    f64   line of the recording, or running number of a live source, from 1
//   data     u8    64 bytes a slot; what lies behind the payload is zero

export const EXTENDED_FRAME = 0x8000_0000;
export const REMOTE_REQUEST = 0x4000_0000;
export const ERROR_FRAME = 0x2000_0000;
export const ID_MASK = 0x1fff_ffff;
/** Bytes of payload a slot holds: the most a CAN FD frame carries. */
export const SLOT_BYTES = 64;

/** Bits of `flags`; the first three are the kernel's canfd flags. */
export const FrameFlag = { bitRateSwitch: 0x01, errorState: 0x02, fd: 0x04, sentByUs: 0x40, received: 0x20 } as const;

/** One frame as an object: for commands, tests and scripts. Streams of frames travel in batches. */
export interface CanFrame {
  /** 11 or 29 bits. */
  readonly id: number;
  /** Default false. */
  readonly extended?: boolean;
  /** 0 to 8 bytes, to 64 with `fd`. */
  readonly data: Uint8Array;
  readonly fd?: boolean;
  readonly bitRateSwitch?: boolean;
  readonly remote?: boolean;
}

export interface FrameBatch {
  readonly capacity: number;
  /** Slots in use, from 0. */
  count: number;
  readonly ids: Uint32Array;
  readonly timesS: Float64Array;
  readonly lengths: Uint8Array;
  readonly flags: Uint8Array;
  readonly dlcs: Uint8Array;
  readonly buses: Uint8Array;
  readonly lines: Float64Array;
  readonly data: Uint8Array;
}

const BYTES_PER_SLOT = 8 + 8 + 4 + 4 + SLOT_BYTES;

/** @param shared columns lie in one SharedArrayBuffer, readable by other threads; default false */
export function createFrameBatch(capacity: number, shared = false): FrameBatch {
  const bytes = capacity * BYTES_PER_SLOT;
  const buffer = shared ? new SharedArrayBuffer(bytes) : new ArrayBuffer(bytes);
  let at = 0;
  const take = (size: number): number => {
    const start = at;
    at += capacity * size;
    return start;
  };
  return {
    capacity,
    count: 0,
    timesS: new Float64Array(buffer, take(8), capacity),
    lines: new Float64Array(buffer, take(8), capacity),
    ids: new Uint32Array(buffer, take(4), capacity),
    lengths: new Uint8Array(buffer, take(1), capacity),
    flags: new Uint8Array(buffer, take(1), capacity),
    dlcs: new Uint8Array(buffer, take(1), capacity),
    buses: new Uint8Array(buffer, take(1), capacity),
    data: new Uint8Array(buffer, take(SLOT_BYTES), capacity * SLOT_BYTES),
  };
}

/** The kernel's can_id of a frame. */
export function canIdOf(frame: Pick<CanFrame, "id" | "extended" | "remote">): number {
  return ((frame.id & ID_MASK) | (frame.extended === true ? EXTENDED_FRAME : 0) | (frame.remote === true ? REMOTE_REQUEST : 0)) >>> 0;
}

/** Why no bus can carry this frame, or undefined. */
export function frameProblem(frame: CanFrame): string | undefined {
  const { id, data } = frame;
  if (!Number.isInteger(id) || id < 0 || id > (frame.extended === true ? ID_MASK : 0x7ff)) return `id ${String(id)} does not fit ${frame.extended === true ? "29" : "11"} bits`;
  if (frame.fd !== true) return data.length > 8 ? `${String(data.length)} bytes do not fit a classic frame` : undefined;
  if (frame.remote === true) return "CAN FD has no remote requests";
  return fdLength(data.length) === data.length ? undefined : `${String(data.length)} bytes are no length of a CAN FD frame`;
}

/** The smallest length a CAN FD frame can have for `bytes` bytes of payload; over 64: 64. */
export function fdLength(bytes: number): number {
  return bytes <= 8 ? bytes : (FD_LENGTHS.find((length) => length >= bytes) ?? SLOT_BYTES);
}

const FD_LENGTHS = [12, 16, 20, 24, 32, 48, 64];

/** Payload bytes that a data length code (0 to 15) says. */
export function lengthOfDlc(dlc: number, isFd: boolean): number {
  return dlc <= 8 ? dlc : isFd ? (FD_LENGTHS[dlc - 9] ?? SLOT_BYTES) : 8;
}

/** The data length code that says `bytes`. */
export function rawDlc(bytes: number): number {
  return bytes <= 8 ? bytes : 9 + FD_LENGTHS.findIndex((length) => length >= bytes);
}

/** Appends `frame`; false when the batch is full. The frame is trusted (see `frameProblem`). */
export function appendFrame(batch: FrameBatch, frame: CanFrame, slot: { readonly timeS: number; readonly bus?: number; readonly line?: number; readonly flags?: number }): boolean {
  const at = batch.count;
  if (at >= batch.capacity) return false;
  const { data } = frame;
  batch.ids[at] = canIdOf(frame);
  batch.timesS[at] = slot.timeS;
  batch.lengths[at] = data.length;
  batch.flags[at] = (slot.flags ?? 0) | (frame.fd === true ? FrameFlag.fd : 0) | (frame.bitRateSwitch === true ? FrameFlag.bitRateSwitch : 0);
  batch.dlcs[at] = rawDlc(data.length);
  batch.buses[at] = slot.bus ?? 0;
  batch.lines[at] = slot.line ?? 0;
  const start = at * SLOT_BYTES;
  batch.data.fill(0, start, start + SLOT_BYTES);
  batch.data.set(data, start);
  batch.count = at + 1;
  return true;
}

/** A copy of one slot. */
export function frameAt(batch: FrameBatch, at: number): CanFrame {
  const canId = batch.ids[at] ?? 0;
  const flags = batch.flags[at] ?? 0;
  const start = at * SLOT_BYTES;
  const length = (canId & REMOTE_REQUEST) === 0 ? (batch.lengths[at] ?? 0) : 0;
  return {
    id: canId & ID_MASK,
    extended: canId >= EXTENDED_FRAME,
    data: batch.data.slice(start, start + length),
    ...((flags & FrameFlag.fd) === 0 ? {} : { fd: true, bitRateSwitch: (flags & FrameFlag.bitRateSwitch) !== 0 }),
    ...((canId & REMOTE_REQUEST) === 0 ? {} : { remote: true }),
  };
}

/** Copies slot `from` of `source` to the end of `target`; false when the target is full. */
export function copySlot(source: FrameBatch, from: number, target: FrameBatch): boolean {
  const at = target.count;
  if (at >= target.capacity) return false;
  target.ids[at] = source.ids[from] ?? 0;
  target.timesS[at] = source.timesS[from] ?? 0;
  target.lengths[at] = source.lengths[from] ?? 0;
  target.flags[at] = source.flags[from] ?? 0;
  target.dlcs[at] = source.dlcs[from] ?? 0;
  target.buses[at] = source.buses[from] ?? 0;
  target.lines[at] = source.lines[from] ?? 0;
  target.data.set(source.data.subarray(from * SLOT_BYTES, (from + 1) * SLOT_BYTES), at * SLOT_BYTES);
  target.count = at + 1;
  return true;
}
