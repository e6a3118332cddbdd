// The hardware of a simulated vehicle: a lamp board and a thermostat. It outlives the node's processes; what a process holds of it is a bus (cabin-bus.ts).

/** Frames of the lamp board and of the thermostat, by hand as their firmware has them: see cli/rig. */
const LAMP_COMMAND = 0x15;
const LAMP_STATUS = 0x1b;
const WISH = 0x41;
const SETPOINT = 0x3f;
const CLIMATE_STATUS = 0x40;

export interface CabinFrame {
  readonly id: number;
  readonly data: Uint8Array;
}

export class Cabin {
  readonly #levels = new Uint8Array(8);
  /** 0.1 °C. */
  #setpoint = 200;
  /** Frames that were put on the bus by a node, oldest first. */
  readonly heard: CabinFrame[] = [];

  /** Takes a frame; what it makes the modules say at once. */
  take(frame: CabinFrame): readonly CabinFrame[] {
    const { id, data } = frame;
    this.heard.push({ id, data: data.slice() });
    if (id === LAMP_COMMAND && data.length >= 2) {
      this.#levels[(data[0] ?? 0) & 7] = data[1] ?? 0;
      return [this.#lamps()];
    }
    if (id !== WISH || data.length < 2) return [];
    const wish = ((data[0] ?? 0) << 8) | (data[1] ?? 0);
    if (wish >= 50 && wish <= 350) this.#setpoint = wish;
    return [this.#climate()];
  }

  /** What the modules say from time to time. */
  status(): readonly CabinFrame[] {
    return [this.#lamps(), this.#climate(), { id: CLIMATE_STATUS, data: Uint8Array.of(0, 0, 215, 0, 0, 0) }];
  }

  #lamps(): CabinFrame {
    return { id: LAMP_STATUS, data: this.#levels.slice() };
  }

  #climate(): CabinFrame {
    return { id: SETPOINT, data: Uint8Array.of(this.#setpoint >> 8, this.#setpoint & 0xff, 10) };
  }
}
