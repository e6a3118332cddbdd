// The board under a module's firmware: power, transceiver, timers with jitter, memory that survives and outputs that are seen from outside.
// Neighbours: modules/*.ts (the programs that run on it), simulated-bus.ts, physical-world.ts.
//
// R1. A program lives from boot to power loss; all it knew in RAM is gone then, its timers with it, its outputs off. Only `nvs` stays.
// R2. Every boot ends with a version report (0x04), before any other frame.
// R3. Where there are firmware slots (updates/), what boots says who the board is: type, address and version are the image's, only the MAC is the part's.
// R4. The CAN task as in the ESP-IDF modules: after 3 frames that found the queue full it only probes, one frame per 2 s; the first frame sent or
//     heard brings it back, with a version report (research/trailcurrent.md section 3).

import type { Clock, Random, TimeoutHandle } from "../../runtime/ports/index.ts";
import { COMMAND_IDS } from "./command-frames.ts";
import type { ImageIdentity } from "./updates/image.ts";
import type { PhysicalWorld } from "./physical-world.ts";
import type { RigFrame } from "./rig-frame.ts";
import type { BusPlug, SimulatedBus } from "./simulated-bus.ts";

/** A program of a module: made anew at each boot. */
export interface Program {
  receive(id: number, data: Uint8Array): void;
  /** What a look into its RAM shows; for the state query. */
  state(): Readonly<Record<string, unknown>>;
}

export type Firmware = (board: Board) => Program;

/** Why an output changed: a frame, a person at a switch wired to the module, loss of power, or the program's own doing. */
export type ActCause = "frame" | "wall" | "power" | "program";

export interface BoardSpec extends ImageIdentity {
  /** Place in the vehicle, e.g. `torrent-0`. */
  readonly name: string;
  /** Last three bytes. */
  readonly mac: readonly [number, number, number];
  readonly firmware: Firmware;
  /** Its update task holds up the CAN task (Solstice): nothing is sent while its upload port is awaited and open. */
  readonly updateBlocksCan?: boolean;
}

/** What the bootloader has started. */
export interface Booted {
  readonly address: number;
  /** What it reports of itself. */
  readonly version: readonly [number, number, number];
  readonly firmware: Firmware;
  /** Its program ends as soon as it has reported itself. */
  readonly hangs?: boolean;
}

/** The board's firmware slots and update task. */
export interface BoardUpdates {
  /** Undefined: nothing that boots and speaks; the board stays dark. */
  boot(): Booted | undefined;
  /** The running program was told to update (0x00 with its MAC). */
  triggered(): void;
  /** Power is gone, or is taken away for a restart. */
  powerLost(): void;
}

export interface BoardPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly bus: SimulatedBus;
  readonly world: PhysicalWorld;
  /** This module's memory that survives power loss. */
  readonly nvs: { get(key: string): number | undefined; set(key: string, value: number): void };
  /** Without slots the spec is what boots, for ever. */
  readonly updates?: BoardUpdates;
  /** How often faster than real it boots; default 1. */
  readonly clockFactor?: number;
  readonly onAct: (act: { readonly module: string; readonly channel: number; readonly from: number; readonly to: number; readonly cause: ActCause }) => void;
}

/** Faults of one module that a person or a test sets. */
export type BoardFault = "muted" | "ignores-commands" | "toggles-twice" | "heater-stuck" | "cooler-stuck";

/** Mean time from power to the first frame; real ones take 0.2 to 0.5 s. */
const BOOT_MS = 250;
/** Length of the driver's transmit and receive queues. */
const CONTROLLER_QUEUE = 5;
const FAILURES_BEFORE_PROBING = 3;
const PROBE_EVERY_MS = 2000;
const JITTER = 0.1;
const UPDATE_TRIGGER_ID = 0x00;
const VERSION_REPORT_ID = 0x04;

export class Board {
  readonly spec: BoardSpec;
  readonly faults = new Set<BoardFault>();
  readonly #ports: BoardPorts;
  readonly #timers = new Set<TimeoutHandle>();
  readonly #outputs = new Map<number, number>();
  readonly #backlog: { readonly id: number; readonly data: Uint8Array }[] = [];
  #plug: BusPlug | undefined;
  #program: Program | undefined;
  #booted: Booted;
  #cause: ActCause = "program";
  #busyUntil = 0;
  #failures = 0;
  #lastProbeAt = 0;
  #owesVersion = false;
  #boots = 0;
  #framesLost = 0;

  constructor(spec: BoardSpec, ports: BoardPorts) {
    this.spec = spec;
    this.#ports = ports;
    this.#booted = spec;
  }

  /** Of the image that runs; ids are base + address. */
  get address(): number {
    return this.#booted.address;
  }

  /** As it reports it. */
  get version(): readonly [number, number, number] {
    return this.#booted.version;
  }

  get random(): Random {
    return this.#ports.random;
  }

  get world(): PhysicalWorld {
    return this.#ports.world;
  }

  get nvs(): BoardPorts["nvs"] {
    return this.#ports.nvs;
  }

  /** Monotonic ms. */
  get now(): number {
    return this.#ports.clock.monotonic();
  }

  /** Wall time in ms since 1970: what a GNSS receiver knows. */
  get utc(): number {
    return this.#ports.clock.now();
  }

  get power(): "off" | "booting" | "running" {
    if (this.#plug === undefined) return "off";
    return this.#program === undefined ? "booting" : "running";
  }

  powerOn(): void {
    if (this.#plug !== undefined) return;
    this.#plug = this.#ports.bus.attach({
      name: this.spec.name,
      kind: "module",
      queueLimit: CONTROLLER_QUEUE,
      receive: (frame) => {
        this.#heard(frame);
      },
      sent: () => {
        this.#transmitted();
      },
    });
    this.after(this.#jittered(BOOT_MS / (this.#ports.clockFactor ?? 1)), () => {
      this.#boots++;
      const { updates } = this.#ports;
      const booted: Booted | undefined = updates === undefined ? this.spec : updates.boot();
      if (booted === undefined) return;
      this.#booted = booted;
      this.send(VERSION_REPORT_ID, this.#versionBytes());
      if (booted.hangs === true) return;
      this.#program = booted.firmware(this);
    });
  }

  /** Power off and on again. */
  restart(): void {
    this.powerOff();
    this.powerOn();
  }

  /** R1. */
  powerOff(): void {
    this.#ports.updates?.powerLost();
    for (const timer of this.#timers) this.#ports.clock.clearTimeout(timer);
    this.#timers.clear();
    this.#plug?.flush();
    this.#plug?.detach();
    this.#plug = undefined;
    this.#program = undefined;
    this.#backlog.length = 0;
    this.#busyUntil = 0;
    this.#failures = 0;
    this.#owesVersion = false;
    this.#because("power", () => {
      for (const channel of this.#outputs.keys()) this.drive(channel, 0);
    });
  }

  /** Queues a frame; what the transceiver does not take is lost, as on the real board. */
  send(id: number, bytes: readonly number[]): void {
    if (this.#plug === undefined || this.faults.has("muted")) return;
    if (this.#failures >= FAILURES_BEFORE_PROBING) {
      if (this.now - this.#lastProbeAt < PROBE_EVERY_MS) return;
      this.#lastProbeAt = this.now;
    }
    if (this.#transmit(id, bytes)) return;
    this.#framesLost++;
    this.#failures++;
    if (this.#failures === FAILURES_BEFORE_PROBING) this.#lastProbeAt = this.now;
  }

  /** Runs at a random phase first, then every `periodMs` with each interval within ±10 %. While the CAN task is busy a turn is skipped. */
  every(periodMs: number, run: () => void): void {
    const turn = (due: number): void => {
      this.after(due - this.now, () => {
        if (this.now >= this.#busyUntil) run();
        // From the due time, not from now: late timers do not add up. A process that slept starts afresh.
        const base = this.now - due > periodMs ? this.now : due;
        turn(base + this.#jittered(periodMs));
      });
    };
    turn(this.now + periodMs * this.random.next());
  }

  /** Once; forgotten at power loss. */
  after(delayMs: number, run: () => void): void {
    const handle = this.#ports.clock.setTimeout(() => {
      this.#timers.delete(handle);
      run();
    }, delayMs);
    this.#timers.add(handle);
  }

  /** The CAN task does something else for so long: no periodic frames, received ones wait (5 at most, the rest is lost). */
  occupy(durationMs: number): void {
    this.#busyUntil = this.now + durationMs;
    this.after(durationMs, () => {
      const waited = this.#backlog.splice(0);
      for (const frame of waited) this.#hand(frame.id, frame.data);
    });
  }

  /** Sets an output that a person could see: a lamp's PWM 0..255, a relay 0 or 1. A change is an act. */
  drive(channel: number, value: number): void {
    const from = this.#outputs.get(channel) ?? 0;
    this.#outputs.set(channel, value);
    if (from === value) return;
    this.world.setOutput(this.spec.name, channel, value);
    this.#ports.onAct({ module: this.spec.name, channel, from, to: value, cause: this.#cause });
  }

  output(channel: number): number {
    return this.#outputs.get(channel) ?? 0;
  }

  /** A person at a switch wired to this module: no frame on the bus. False while it has no program running. */
  press(id: number, data: Uint8Array): boolean {
    const program = this.#program;
    if (program === undefined) return false;
    this.#because("wall", () => {
      program.receive(id, data);
    });
    return true;
  }

  state(): Readonly<Record<string, unknown>> {
    return {
      power: this.power,
      boots: this.#boots,
      mac: this.spec.mac.map((byte) => byte.toString(16).padStart(2, "0").toUpperCase()).join(""),
      version: this.version.join("."),
      faults: [...this.faults],
      framesLost: this.#framesLost,
      probing: this.#failures >= FAILURES_BEFORE_PROBING,
      ...this.#program?.state(),
    };
  }

  #transmit(id: number, bytes: readonly number[]): boolean {
    return this.#plug?.send({ id, extended: false, data: Uint8Array.from(bytes) }) ?? false;
  }

  #versionBytes(): readonly number[] {
    return [...this.spec.mac, ...this.version];
  }

  #heard(frame: RigFrame): void {
    this.#transmitted();
    if (frame.extended || this.#program === undefined) return;
    if (this.faults.has("ignores-commands") && COMMAND_IDS.has(frame.id)) return;
    if (this.now < this.#busyUntil) {
      // The controller's filter passes commands; statuses of others would fill the queue at once.
      if (COMMAND_IDS.has(frame.id) && this.#backlog.length < CONTROLLER_QUEUE) this.#backlog.push({ id: frame.id, data: frame.data });
      return;
    }
    this.#hand(frame.id, frame.data);
  }

  #hand(id: number, data: Uint8Array): void {
    // Three bytes of MAC; Headwaters sends eight, zeros behind them.
    if (id === UPDATE_TRIGGER_ID && data.length >= 3 && this.spec.mac.every((byte, at) => data[at] === byte)) this.#ports.updates?.triggered();
    this.#because("frame", () => this.#program?.receive(id, data));
  }

  /** R4: the bus lives. */
  #transmitted(): void {
    if (this.#failures >= FAILURES_BEFORE_PROBING) this.#owesVersion = true;
    this.#failures = 0;
    // Its queue may still be full of what nobody heard: then after the next frame.
    if (this.#owesVersion && !this.faults.has("muted") && this.#transmit(VERSION_REPORT_ID, this.#versionBytes())) this.#owesVersion = false;
  }

  #because(cause: ActCause, run: () => void): void {
    const before = this.#cause;
    this.#cause = cause;
    try {
      run();
    } finally {
      this.#cause = before;
    }
  }

  #jittered(ms: number): number {
    return ms * (1 + JITTER * (2 * this.random.next() - 1));
  }
}
