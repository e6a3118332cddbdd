// The two firmware slots of one module, in a folder: `slot-0.bin`, `slot-1.bin`, and `boot.json`, which says where the bootloader looks first.
//
// F1. What runs is never written to. The other slot is erased before the first byte, and half an image in it is never chosen.
// F2. The choice changes in one step, after the image was found sound and built for this chip: power may be lost, and this process killed, at any moment.
// F3. A chosen slot that is not sound does not end a part: the bootloader takes the other one.

import { closeSync, mkdirSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type ImageIdentity, makeImage, readImage, type ReadImage } from "./image.ts";

/** As in the family's partition tables: 1.5 MiB. */
export const SLOT_BYTES = 1_572_864;
/** An image that came with the part need not be as long as one that is uploaded. */
const FACTORY_BODY_BYTES = 4_096;

export interface SlotWriter {
  /** False: the slot is full. */
  write(chunk: Uint8Array): boolean;
  close(): void;
}

type Slot = 0 | 1;

export class Slots {
  readonly #folder: string;
  #running: Slot = 0;

  /** A folder without slots becomes that of a new part, with this image in its first one. */
  constructor(folder: string, factory: ImageIdentity) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (this.#bytes(0) !== undefined || this.#bytes(1) !== undefined) return;
    writeFileSync(this.#path(0), makeImage(factory, FACTORY_BODY_BYTES));
    this.#choose(0);
  }

  /** F3. Undefined: neither slot boots. */
  boot(): ImageIdentity | undefined {
    const chosen = this.chosen;
    for (const slot of [chosen, other(chosen)]) {
      const found = this.look(slot);
      if (found.kind === "unsound") continue;
      this.#running = slot;
      return found.identity;
    }
    return undefined;
  }

  get chosen(): Slot {
    try {
      const stored: unknown = JSON.parse(readFileSync(join(this.#folder, "boot.json"), "utf8"));
      return (stored as { readonly slot?: unknown }).slot === 1 ? 1 : 0;
    } catch {
      return 0;
    }
  }

  get running(): Slot {
    return this.#running;
  }

  look(slot: Slot): ReadImage {
    const bytes = this.#bytes(slot);
    return bytes === undefined ? { kind: "unsound", reason: "it is empty" } : readImage(bytes);
  }

  /** F1. Erases the slot that does not run. */
  begin(): SlotWriter {
    const file = openSync(this.#path(other(this.#running)), "w", 0o600);
    let written = 0;
    let isOpen = true;
    return {
      write: (chunk) => {
        if (written + chunk.byteLength > SLOT_BYTES) return false;
        for (let at = 0; at < chunk.byteLength; ) at += writeSync(file, chunk, at);
        written += chunk.byteLength;
        return true;
      },
      close: () => {
        if (isOpen) closeSync(file);
        isOpen = false;
      },
    };
  }

  /** F2. What was written is to run from the next boot on, unless `isChosen` is false: then it only is there. Tells what is wrong with it. */
  finish(hardware: string, isChosen: boolean): ReadImage {
    const slot = other(this.#running);
    const found = this.look(slot);
    if (found.kind === "unsound") return found;
    if (found.identity.hardware !== hardware) return { kind: "unsound", reason: `it is built for ${found.identity.hardware}, this is ${hardware}` };
    if (isChosen) this.#choose(slot);
    return found;
  }

  /** Over the cable: into the slot that is chosen, whatever runs. */
  flash(image: Uint8Array): void {
    writeFileSync(this.#path(this.chosen), image);
  }

  #choose(slot: Slot): void {
    const path = join(this.#folder, "boot.json");
    writeFileSync(`${path}.new`, JSON.stringify({ slot }));
    renameSync(`${path}.new`, path);
  }

  #bytes(slot: Slot): Uint8Array | undefined {
    try {
      return readFileSync(this.#path(slot));
    } catch {
      return undefined;
    }
  }

  #path(slot: Slot): string {
    return join(this.#folder, `slot-${String(slot)}.bin`);
  }
}

function other(slot: Slot): Slot {
  return slot === 0 ? 1 : 0;
}
