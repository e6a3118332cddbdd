// What the stepping thread tells the watchdog's, in memory that both see: a number that changes with every step (0: none), and what is stepped.

const HEADER_BYTES = 8;
const TEXT_BYTES = 4_096;
const NUMBER = 0;
const LENGTH = 1;

export class StepMemory {
  readonly buffer: SharedArrayBuffer;
  readonly #header: Int32Array;
  readonly #text: Uint8Array;
  readonly #encoder = new TextEncoder();

  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + TEXT_BYTES)) {
    this.buffer = buffer;
    this.#header = new Int32Array(buffer, 0, 2);
    this.#text = new Uint8Array(buffer, HEADER_BYTES);
  }

  /** Text that does not fit is cut. */
  write(text: string): void {
    this.#header[LENGTH] = this.#encoder.encodeInto(text, this.#text).written;
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
