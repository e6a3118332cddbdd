// Bytes by hand, most significant first, as every TrailCurrent module writes them (research/trailcurrent.md 2.1).
// Values outside a field are clamped to it: the firmware does so before it stores them.

/** One byte, 0..255. */
export function u8(value: number): number[] {
  return [clamp(value, 0, 0xff)];
}

/** One byte in two's complement, -128..127. */
export function i8(value: number): number[] {
  return [clamp(value, -0x80, 0x7f) & 0xff];
}

export function u16(value: number): number[] {
  const raw = clamp(value, 0, 0xffff);
  return [raw >>> 8, raw & 0xff];
}

/** Two's complement, -32768..32767. */
export function i16(value: number): number[] {
  const raw = clamp(value, -0x8000, 0x7fff) & 0xffff;
  return [raw >>> 8, raw & 0xff];
}

export function u24(value: number): number[] {
  const raw = clamp(value, 0, 0xff_ffff);
  return [raw >>> 16, (raw >>> 8) & 0xff, raw & 0xff];
}

export function u32(value: number): number[] {
  const raw = clamp(value, 0, 0xffff_ffff);
  return [raw >>> 24, (raw >>> 16) & 0xff, (raw >>> 8) & 0xff, raw & 0xff];
}

/** A value >= 0 in two bytes: the whole part (0..255) and the hundredths (0..99). */
export function wholeAndHundredths(value: number): number[] {
  const hundredths = clamp(value * 100, 0, 25_599);
  return [Math.trunc(hundredths / 100), hundredths % 100];
}

/** Two's complement of the two bytes at `at`; bytes past the end read as 0, as in the firmware's receive buffer. */
export function readI16(data: Uint8Array, at: number): number {
  const raw = ((data[at] ?? 0) << 8) | (data[at + 1] ?? 0);
  return raw >= 0x8000 ? raw - 0x1_0000 : raw;
}

function clamp(value: number, low: number, high: number): number {
  return Number.isNaN(value) ? low : Math.min(high, Math.max(low, Math.round(value)));
}
