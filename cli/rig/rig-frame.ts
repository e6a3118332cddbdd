// A frame on the simulated bus, and how long it occupies the wire. Hand-made from the CAN 2.0 specification: nothing of the decoder's is used here.

/** Classic CAN data frame. The rig knows no remote frames and no CAN FD. */
export interface RigFrame {
  /** 11 bits, or 29 where `extended`. */
  readonly id: number;
  readonly extended: boolean;
  /** 0 to 8 bytes. */
  readonly data: Uint8Array;
}

/** CRC delimiter 1, ACK slot 1, ACK delimiter 1, end of frame 7, interframe space 3: never stuffed. */
const UNSTUFFED_TAIL_BITS = 13;
const CRC15_POLYNOMIAL = 0x4599;

/** Lower wins: dominant (0) bits beat recessive ones, identifier first; a base frame beats the extended frame that shares its first 11 bits. */
export function arbitrationKey(frame: RigFrame): number {
  if (!frame.extended) return frame.id * 2 ** 19;
  const base = frame.id >>> 18;
  return base * 2 ** 19 + 2 ** 18 + (frame.id & 0x3ffff);
}

/**
 * Bits the frame takes on the wire, stuff bits and interframe space included.
 * Start of frame to the end of the CRC is stuffed: after five equal bits one of the other value follows, and it counts for the next run.
 */
export function frameBits(frame: RigFrame): number {
  const bits: number[] = [];
  const put = (value: number, width: number): void => {
    for (let bit = width - 1; bit >= 0; bit--) bits.push((value >>> bit) & 1);
  };
  put(0, 1); // start of frame
  if (frame.extended) {
    put(frame.id >>> 18, 11);
    put(0b11, 2); // substitute remote request, identifier extension: both recessive
    put(frame.id & 0x3ffff, 18);
    put(0, 3); // data frame, two reserved bits
  } else {
    put(frame.id, 11);
    put(0, 3); // data frame, base format, one reserved bit
  }
  put(frame.data.length, 4);
  for (const byte of frame.data) put(byte, 8);
  put(crc15(bits), 15);
  return bits.length + stuffBits(bits) + UNSTUFFED_TAIL_BITS;
}

function crc15(bits: readonly number[]): number {
  let crc = 0;
  for (const bit of bits) {
    const invert = bit ^ ((crc >>> 14) & 1);
    crc = (crc << 1) & 0x7fff;
    if (invert === 1) crc ^= CRC15_POLYNOMIAL;
  }
  return crc;
}

function stuffBits(bits: readonly number[]): number {
  let stuffed = 0;
  let last = -1;
  let run = 0;
  for (const bit of bits) {
    run = bit === last ? run + 1 : 1;
    last = bit;
    if (run === 5) {
      stuffed++;
      last = bit ^ 1;
      run = 1;
    }
  }
  return stuffed;
}
