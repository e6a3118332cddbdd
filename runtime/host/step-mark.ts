// The name of what is under way, in a file beside the crash file: what a process that ends at once (by native code, an exit, a full heap) leaves to the next one (rules M4).
//
// K1. The file is there while a process runs, and a stop in order removes it. What a start finds is of a process that ended otherwise; a name in it is what it was in.
// K2. It is written and never synced: the kernel keeps it when a process ends, at the price of a call. A power cut may leave an older moment: what that names is stepped alone, and forgiven.
// K3. After an end in order at most 100 names a second are written, which costs nothing that could be measured; after any other end all of them for ten minutes, in which
//     what was pending comes again. What is not written has no name: the file is empty meanwhile, and never names somebody else.
// K4. Behind the names the file tells in which run of the machine it was written: whether the machine went down too.
// K5. A process that is ended because of what is under way says so in the place of the name: what it was is written down elsewhere.

import { closeSync, fstatSync, openSync, readFileSync, unlinkSync, writeSync } from "node:fs";

import type { StepMemory } from "./step-memory.ts";

/** Looks of the watchdog, ten a second. */
const WARY_LOOKS = 6_000;
/** So that no name needs room on the disk. */
const ROOM = Buffer.alloc(4_096, "\n");
const EMPTY = Buffer.from("\n");
/** K5. */
const TOLD = Buffer.from("-\n");
/** One for each start of the machine; Linux has it. */
const BOOT_ID = "/proc/sys/kernel/random/boot_id";

/** What a process left that did not end in order. */
export interface LeftMark {
  /** Wall time at which it was last written, ms. */
  readonly at: number;
  /** One JSON object; empty when nothing was under way; `-`: K5. */
  readonly name: string;
  /** K4. */
  readonly isOfAnotherBoot: boolean;
}

export class StepMark {
  readonly #file: string;
  readonly #memory: StepMemory;
  /** undefined: nothing is written any more. */
  #descriptor: number | undefined;
  #isEmpty = true;

  /** @param isWary the process before did not end in order. @throws when the file cannot be written */
  constructor(file: string, memory: StepMemory, isWary: boolean) {
    this.#file = file;
    this.#memory = memory;
    this.#descriptor = openSync(file, "w");
    try {
      writeSync(this.#descriptor, ROOM, 0, ROOM.byteLength, 0);
      writeSync(this.#descriptor, thisBoot(), ROOM.byteLength);
    } catch (cause) {
      closeSync(this.#descriptor);
      throw cause;
    }
    if (isWary) memory.beWary(WARY_LOOKS);
    else memory.grantNames();
  }

  /** What the memory says is under way. */
  name(): void {
    if (this.#memory.takeName()) this.#try((descriptor) => this.#memory.writeTo(descriptor), false);
    else this.empty();
  }

  empty(): void {
    if (!this.#isEmpty) this.#try(clear, true);
  }

  /** K1. */
  remove(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = undefined;
    if (descriptor === undefined) return;
    closeSync(descriptor);
    unlinkSync(this.#file);
  }

  /** A step fails by no disk: where the file cannot be written nothing is named any more. */
  #try(write: (descriptor: number) => void, isEmpty: boolean): void {
    if (this.#descriptor === undefined) return;
    try {
      write(this.#descriptor);
      this.#isEmpty = isEmpty;
    } catch {
      closeSync(this.#descriptor);
      this.#descriptor = undefined;
    }
  }
}

/** undefined: the process before ended in order, or there was none. */
export function leftMark(file: string): LeftMark | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, "r");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
  try {
    const bytes = readFileSync(descriptor);
    const boot = bytes.toString("utf8", ROOM.byteLength);
    const name = bytes.toString("utf8", 0, ROOM.byteLength).split("\n", 1)[0] ?? "";
    return { at: Math.floor(fstatSync(descriptor).mtimeMs), name, isOfAnotherBoot: boot !== "" && boot !== thisBoot() };
  } finally {
    closeSync(descriptor);
  }
}

/** Empty where the machine does not tell. */
function thisBoot(): string {
  try {
    return readFileSync(BOOT_ID, "utf8");
  } catch {
    return "";
  }
}

/** K5. */
export function markAsTold(file: string): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, TOLD, 0, TOLD.byteLength, 0);
  closeSync(descriptor);
}

function clear(descriptor: number): void {
  writeSync(descriptor, EMPTY, 0, EMPTY.byteLength, 0);
}
