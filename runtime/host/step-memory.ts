// What the stepping thread and the watchdog's tell each other, in memory that both see: a number that changes with every step (0: none), what is stepped, and how many names may go into
// the file that outlives the process.

import { writeSync } from "node:fs";

const HEADER_BYTES = 16;
const TEXT_BYTES = 4_096;
const NUMBER = 0;
const LENGTH = 1;
const NAMES = 2;
const WARY_LOOKS = 3;
/** Names that go into the file between two looks of the watchdog, a tenth of a second apart. */
const NAMES_A_LOOK = 10;
const NAMES_A_WARY_LOOK = 1_000_000;
const NEWLINE = 10;

export class StepMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #text: Uint8Array;
  readonly #encoder = new TextEncoder();

  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + TEXT_BYTES)) {
    this.buffer = buffer;
    this.#header = new Int32Array(buffer, 0, 4);
    this.#text = new Uint8Array(buffer, HEADER_BYTES);
  }

  /** Text that does not fit is cut. */
  write(text: string): void {
    const length = this.#encoder.encodeInto(text, this.#text).written;
    this.#header[LENGTH] = length;
    // As a line, for the file.
    if (length < TEXT_BYTES) this.#text[length] = NEWLINE;
  }

  /** The text as a line at the beginning of a file. */
  writeTo(descriptor: number): void {
    writeSync(descriptor, this.#text, 0, Math.min(TEXT_BYTES, (this.#header[LENGTH] as number) + 1), 0);
  }

  /** One more name goes into the file, unless too many went since the last look. */
  takeName(): boolean {
    const left = this.#header[NAMES] as number;
    if (left > 0) this.#header[NAMES] = left - 1;
    return left > 0;
  }

  /** For so many looks all names go into the file. */
  beWary(looks: number): void {
    this.#header[WARY_LOOKS] = looks;
    this.grantNames();
  }

  /** At each look. */
  grantNames(): void {
    const wary = this.#header[WARY_LOOKS] as number;
    if (wary > 0) this.#header[WARY_LOOKS] = wary - 1;
    this.#header[NAMES] = wary > 0 ? NAMES_A_WARY_LOOK : NAMES_A_LOOK;
  }

  /** @param number of the step, from 1; 0 when there is none. Publishes what was written before. */
  set number(number: number) {
    Atomics.store(this.#header, NUMBER, number);
  }

  get number(): number {
    return Atomics.load(this.#header, NUMBER);
  }

  read(): string {
    // A decoder takes no shared memory.
    return new TextDecoder().decode(this.#text.slice(0, this.#header[LENGTH]));
  }
}
