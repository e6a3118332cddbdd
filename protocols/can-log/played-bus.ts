// Which of a recording's interfaces is played as a bus.
//
// B1. The interface that was asked for, else the one of the bus's own name.
// B2. Where nobody asked for one, none has the bus's name, and the recording has only one: that one.
// B3. A recording that names no interfaces (PEAK TRC 1.0, 1.1) has one bus: it is played whatever was asked for.
// B4. Else nothing is played and it is said what there is. Which interfaces a recording has is known at its end only.

import { stat } from "node:fs/promises";
import { DroverError } from "../../runtime/ports/index.ts";

export interface PlayedBus {
  /** Name under which its frames are handed over. */
  readonly name: string;
  /** Interface in the recording (B1). */
  readonly recorded?: string;
  /** Whether B2 holds: not where other buses are played from the same recording, of which one may merely be silent in it. Default false. */
  readonly orTheOnly?: boolean;
}

const MAX_LISTED = 8;
const MAX_NAME = 32;

/** @param interfaces all that the recording has @throws DROVER_CAN_BUS_NOT_RECORDED (B4) */
export function interfaceToPlay(bus: PlayedBus, interfaces: readonly string[], path: string): string {
  const asked = bus.recorded ?? bus.name;
  if (interfaces.includes(asked)) return asked;
  const [only, ...others] = interfaces;
  if (only !== undefined && others.length === 0 && bus.recorded === undefined && bus.orTheOnly === true) return only;
  const advice = only === undefined ? "" : `; choose one with ?bus=, such as ?bus=${shown(only)}`;
  throw new DroverError("DROVER_CAN_BUS_NOT_RECORDED", `${path}: ${noFrameOf(asked, interfaces)}${advice}`);
}

/** `no frame of can0; the recording has vcan0` */
export function noFrameOf(bus: string, interfaces: readonly string[]): string {
  const more = interfaces.length > MAX_LISTED ? ` and ${String(interfaces.length - MAX_LISTED)} more` : "";
  return `no frame of ${shown(bus)}; the recording has ${interfaces.slice(0, MAX_LISTED).map(shown).join(", ") || "none"}${more}`;
}

/** Names come from a file: they go to terminals and logs. */
function shown(name: string): string {
  return name.slice(0, MAX_NAME).replace(/[^\x20-\x7e]/g, "?");
}

/** The interfaces of one recording, once they are known and for as long as its file is the same: a source that is started anew does not search it again. */
export class KnownInterfaces {
  #stamp: string | undefined;
  #names: readonly string[] = [];

  async recall(path: string): Promise<readonly string[] | undefined> {
    return this.#stamp !== undefined && this.#stamp === (await stampOf(path)) ? this.#names : undefined;
  }

  /** @param stamp of the file before it was read */
  keep(stamp: string | undefined, names: readonly string[]): void {
    this.#stamp = stamp;
    this.#names = [...names];
  }
}

/** Differs when the file does; undefined where it cannot be told. */
export async function stampOf(path: string): Promise<string | undefined> {
  try {
    const { ino, size, mtimeMs } = await stat(path);
    return `${String(ino)} ${String(size)} ${String(mtimeMs)}`;
  } catch {
    return undefined;
  }
}
