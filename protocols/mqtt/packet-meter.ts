// Reads nothing of MQTT but the fixed headers, to know how long each packet says it is before anybody buffers it.
//
//   byte 0   type 4 bits | flags 4 bits
//   byte 1.. remaining length, 7 bits a byte, least significant first, bit 7 set: one more follows; at most 4 bytes

export type MeterViolation =
  | { readonly kind: "packet-too-large"; readonly bytes: number }
  /** A remaining length of more than 4 bytes: not MQTT. */
  | { readonly kind: "malformed-length" }
  /** The first packet of a connection is not a CONNECT. */
  | { readonly kind: "not-a-connect" }
  | { readonly kind: "too-much-before-connect"; readonly bytes: number };

export interface MeterLimits {
  /** Largest packet, bytes, fixed header included. */
  readonly maxPacketBytes: number;
  /** Bytes taken before `accepted` was called; undefined: no such phase (the client's side). */
  readonly maxEarlyBytes?: number;
}

const CONNECT = 0x10;

export class PacketMeter {
  readonly #limits: MeterLimits;
  #early: boolean;
  #earlyBytes = 0;
  /** Bytes of the present packet still to come; while its header is read, undefined. */
  #left: number | undefined;
  #headerBytes = 0;
  #length = 0;
  #first = true;

  constructor(limits: MeterLimits) {
    this.#limits = limits;
    this.#early = limits.maxEarlyBytes !== undefined;
  }

  /** The broker has accepted the connection. */
  accepted(): void {
    this.#early = false;
  }

  /** What is wrong with the stream once `chunk` is added; after that nothing may be passed on. */
  feed(chunk: Uint8Array): MeterViolation | undefined {
    const { maxEarlyBytes } = this.#limits;
    if (this.#early && maxEarlyBytes !== undefined) {
      this.#earlyBytes += chunk.length;
      if (this.#earlyBytes > maxEarlyBytes) return { kind: "too-much-before-connect", bytes: this.#earlyBytes };
    }
    let at = 0;
    while (at < chunk.length) {
      if (this.#left !== undefined) {
        const step = Math.min(this.#left, chunk.length - at);
        at += step;
        this.#left -= step;
        if (this.#left === 0) this.#left = undefined;
        continue;
      }
      const violation = this.#header(chunk[at++] ?? 0);
      if (violation !== undefined) return violation;
    }
    return undefined;
  }

  #header(byte: number): MeterViolation | undefined {
    if (this.#headerBytes === 0) {
      this.#headerBytes = 1;
      this.#length = 0;
      const wrong = this.#early && this.#first && byte !== CONNECT;
      this.#first = false;
      return wrong ? { kind: "not-a-connect" } : undefined;
    }
    this.#length += (byte & 0x7f) * 128 ** (this.#headerBytes - 1);
    this.#headerBytes++;
    if ((byte & 0x80) !== 0) return this.#headerBytes > 4 ? { kind: "malformed-length" } : undefined;
    const bytes = this.#headerBytes + this.#length;
    if (bytes > this.#limits.maxPacketBytes) return { kind: "packet-too-large", bytes };
    if (this.#early && bytes > (this.#limits.maxEarlyBytes ?? bytes)) return { kind: "too-much-before-connect", bytes };
    this.#headerBytes = 0;
    this.#left = this.#length === 0 ? undefined : this.#length;
    return undefined;
  }
}
