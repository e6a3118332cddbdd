// The rig: one bus, the trailer's modules on it, the world around them, and everything a person or a fault can do to them.
// It stands for hardware: it knows nothing of our decoder, its machines or its actors. Reached over sockets (start-rig.ts) or directly in tests.

import { type Clock, DroverError, type Log, type Random, silentLog, type TimeoutHandle } from "../../runtime/ports/index.ts";
import { ActRecord } from "./act-record.ts";
import { Board, type BoardFault, type BoardSpec } from "./board.ts";
import { COMMAND_IDS, CommandRecord } from "./command-frames.ts";
import { FIRMWARE, OLD_PLATEAU, TRAILER_MODULES } from "./modules/index.ts";
import type { NonVolatile } from "./non-volatile.ts";
import { PhysicalWorld, type WorldState } from "./physical-world.ts";
import { SimulatedBus, type NoAcknowledgement } from "./simulated-bus.ts";
import type { ImageIdentity } from "./updates/image.ts";
import type { UpdateFaults } from "./updates/module-updates.ts";
import { RigUpdates, type RigUpdatesOptions } from "./updates/rig-updates.ts";

export interface RigPorts {
  readonly clock: Clock;
  /** One seed, one run: jitter, noise and phases come from here. */
  readonly random: Random;
  readonly nonVolatile: NonVolatile;
  readonly log?: Log;
}

export interface RigOptions {
  /** Default 500000. */
  readonly bitrate?: number;
  /** Default: the whole trailer. */
  readonly modules?: readonly BoardSpec[];
  /** Firmware slots and upload ports; without it modules hear no trigger. */
  readonly updates?: RigUpdatesOptions;
}

export type WorldChange = { readonly [K in keyof WorldState]?: WorldState[K] };

const UPDATE_TRIGGER_ID = 0x00;
const WORLD_STEP_MS = 250;
/** A brown-out does not release all regulators at once. */
const BROWN_OUT_SPREAD_MS = 40;
const LOAD_WINDOW_MS = 1000;
/** Wall clocks tick in whole ms and are slewed; more than this is a step. */
const WALL_STEP_MS = 20;

export class SimulatedRig {
  readonly bus: SimulatedBus;
  readonly world: PhysicalWorld;
  readonly acts = new ActRecord();
  readonly frames = new CommandRecord();
  readonly #ports: RigPorts;
  readonly #boards = new Map<string, Board>();
  readonly #modules: readonly BoardSpec[];
  readonly #timers = new Set<TimeoutHandle>();
  readonly #updates: RigUpdates | undefined;
  #load = 0;
  #wallOffset: number | undefined;

  constructor(ports: RigPorts, options: RigOptions = {}) {
    this.#ports = ports;
    this.#modules = options.modules ?? TRAILER_MODULES;
    this.world = new PhysicalWorld(ports.random);
    this.#updates = options.updates === undefined ? undefined : new RigUpdates(options.updates, (type) => FIRMWARE.get(type), ports.clock, ports.log ?? silentLog);
    this.bus = new SimulatedBus(ports.clock, options.bitrate ?? 500_000, (frame, at, sender) => {
      if (frame.extended || !COMMAND_IDS.has(frame.id)) return;
      if (frame.id === UPDATE_TRIGGER_ID) this.#updates?.seen(frame.data);
      this.frames.note(frame.id, frame.data, this.wallAt(at), sender.kind === "client" ? "client" : sender.name);
    });
  }

  /** @param isPowered false: the modules are there and have no power until `switchOn` */
  start(isPowered = true): void {
    for (const spec of this.#modules) this.#plugIn(spec, isPowered);
    this.#repeat(WORLD_STEP_MS, () => {
      this.world.step(WORLD_STEP_MS, this.#ports.clock.now());
    });
    let bits = 0;
    this.#repeat(LOAD_WINDOW_MS, () => {
      this.#load = ((this.bus.counters.bits - bits) * 1000) / LOAD_WINDOW_MS / this.bus.bitrate;
      bits = this.bus.counters.bits;
    });
  }

  /** Someone turns the trailer's battery switch: every module boots that has no power yet. */
  switchOn(): void {
    for (const board of this.#boards.values()) board.powerOn();
  }

  stop(): void {
    for (const timer of this.#timers) this.#ports.clock.clearTimeout(timer);
    this.#timers.clear();
    for (const board of this.#boards.values()) board.powerOff();
    this.#updates?.stop();
    this.#boards.clear();
    this.bus.close();
  }

  /** Wall ms of a moment of the monotonic clock. Keeps one offset until wall time is stepped, so that neighbouring frames keep their distance. */
  wallAt(monotonicMs: number): number {
    const offset = this.#ports.clock.now() - this.#ports.clock.monotonic();
    if (this.#wallOffset === undefined || Math.abs(offset - this.#wallOffset) > WALL_STEP_MS) this.#wallOffset = offset;
    return this.#wallOffset + monotonicMs;
  }

  get modules(): readonly string[] {
    return [...this.#boards.keys()];
  }

  /** It sends nothing any more; it still hears and acts. */
  mute(module: string): void {
    this.#board(module).faults.add("muted");
  }

  unmute(module: string): void {
    this.#board(module).faults.delete("muted");
  }

  /** Power off and on again: RAM, outputs and pending frames are gone. */
  reboot(module: string): void {
    this.#board(module).restart();
  }

  /** All modules lose power together. @param offMs how long the supply is away, default 100 */
  brownOut(offMs = 100): void {
    for (const board of this.#boards.values()) {
      board.powerOff();
      this.#later(offMs + BROWN_OUT_SPREAD_MS * this.#ports.random.next(), () => {
        // Unplugged in the meantime: it stays dark.
        if (this.#boards.get(board.spec.name) === board) board.powerOn();
      });
    }
  }

  /** Switches one module off for good (until `reboot`). */
  powerOff(module: string): void {
    this.#board(module).powerOff();
  }

  setFault(module: string, fault: BoardFault, isOn = true): void {
    const { faults } = this.#board(module);
    if (isOn) faults.add(fault);
    else faults.delete(fault);
  }

  /**
   * Someone presses a switch. `bus`: the button panel sends the toggle frame of that module, as a Tapper does.
   * `local`: a switch wired to the module itself; nothing is seen on the bus but the next status.
   */
  wallButton(module: string, channel: number, via: "bus" | "local" = "bus"): void {
    const board = this.#board(module);
    const base = module.startsWith("torrent") ? 0x18 : module.startsWith("switchback") ? 0x25 : undefined;
    if (base === undefined) throw new DroverError("DROVER_RIG_REFUSED", `${module} has no switch; torrent and switchback have`);
    if (!Number.isInteger(channel) || channel < 0 || channel > 7) throw new DroverError("DROVER_RIG_REFUSED", `channel ${String(channel)} is outside 0..7`);
    const id = base + board.address;
    if (via === "bus") this.#board("tapper").send(id, [channel, 0]);
    else if (!board.press(id, Uint8Array.of(channel, 0))) throw new DroverError("DROVER_RIG_REFUSED", `${module} is ${board.power}`);
  }

  /** A second part with the same build-time address (and so the same identifiers) but its own MAC. */
  plugTwin(module: string): string {
    const { spec } = this.#board(module);
    const name = `${module}-twin`;
    if (this.#boards.has(name)) throw new DroverError("DROVER_RIG_REFUSED", `${name} is already plugged in`);
    const [first, second, third] = spec.mac;
    this.#plugIn({ ...spec, name, mac: [first, second, third ^ 0x80] });
    return name;
  }

  plugOldPlateau(): string {
    if (this.#boards.has(OLD_PLATEAU.name)) throw new DroverError("DROVER_RIG_REFUSED", `${OLD_PLATEAU.name} is already plugged in`);
    this.#plugIn(OLD_PLATEAU);
    return OLD_PLATEAU.name;
  }

  /** Takes a module off the bus altogether. */
  unplug(module: string): void {
    this.#board(module).powerOff();
    this.#updates?.unplug(module);
    this.#boards.delete(module);
    this.world.forget(module);
  }

  noAcknowledgement(scope: NoAcknowledgement): void {
    this.bus.noAcknowledgement = scope;
  }

  drive(speedKph: number, courseDegrees?: number): void {
    this.changeWorld({ speedKph, ...(courseDegrees === undefined ? {} : { courseDegrees }) });
  }

  park(): void {
    this.changeWorld({ speedKph: 0 });
  }

  plugTrailer(isConnected: boolean): void {
    this.changeWorld({ plugged: isConnected });
  }

  changeWorld(change: WorldChange): void {
    Object.assign(this.world.state, change);
  }

  /** Faults of a module's update task; `undefined` takes one back. */
  setUpdateFault(module: string, change: { readonly [K in keyof UpdateFaults]?: UpdateFaults[K] | undefined }): void {
    const { faults } = this.#updatesOf(module);
    for (const [name, value] of Object.entries(change)) {
      if (value === undefined) Reflect.deleteProperty(faults, name);
      else Reflect.set(faults, name, value);
    }
  }

  /** It reports this version from its next boot on, or the one that it reports now. */
  lieAboutVersion(module: string, version: readonly [number, number, number] = this.#board(module).version): void {
    this.setUpdateFault(module, { lie: version });
  }

  /** Someone writes an image over the cable, and the module restarts. */
  flash(module: string, change: Partial<ImageIdentity>): void {
    const board = this.#board(module);
    this.#updatesOf(module).flash({ version: board.version, ...change });
    board.restart();
  }

  /** Slots, triggers and windows of all modules. */
  updates(): Readonly<Record<string, unknown>> {
    return this.#anyUpdates().state();
  }

  moduleUpdates(module: string): Readonly<Record<string, unknown>> {
    return this.#updatesOf(module).state();
  }

  /** By place. */
  uploadUrls(): Readonly<Record<string, string>> {
    return this.#updates?.urls() ?? {};
  }

  /** What a look at the hardware shows, without the bus. */
  state(): Readonly<Record<string, unknown>> {
    const { counters, bitrate, noAcknowledgement, waiting } = this.bus;
    return {
      bus: { bitrate, load: this.#load, noAcknowledgement, waiting, ...counters },
      modules: Object.fromEntries([...this.#boards].map(([name, board]) => [name, board.state()])),
      world: { ...this.world.state, loadW: this.world.loadW },
      commandsSeen: this.frames.counts().total,
      acts: this.acts.total,
    };
  }

  /** One module's part of `state`. */
  moduleState(module: string): Readonly<Record<string, unknown>> {
    return this.#board(module).state();
  }

  #plugIn(spec: BoardSpec, isPowered = true): void {
    const { clock, random, nonVolatile } = this.#ports;
    const updates = this.#updates?.plugIn(spec);
    const board = new Board(spec, {
      ...(updates === undefined ? {} : { updates, clockFactor: this.#updates?.clockFactor ?? 1 }),
      clock,
      random,
      bus: this.bus,
      world: this.world,
      nvs: nonVolatile.of(spec.name),
      onAct: (act) => {
        this.acts.note({ at: clock.now(), ...act });
      },
    });
    updates?.attach(board);
    this.#boards.set(spec.name, board);
    if (isPowered) board.powerOn();
  }

  #board(module: string): Board {
    const board = this.#boards.get(module);
    if (board === undefined) throw new DroverError("DROVER_RIG_REFUSED", `no module "${module}"; known: ${this.modules.join(", ")}`);
    return board;
  }

  #updatesOf(module: string): ReturnType<RigUpdates["of"]> {
    this.#board(module);
    return this.#anyUpdates().of(module);
  }

  #anyUpdates(): RigUpdates {
    if (this.#updates === undefined) throw new DroverError("DROVER_RIG_REFUSED", "this rig's modules have no firmware slots: start it with a folder for them");
    return this.#updates;
  }

  #repeat(periodMs: number, run: () => void): void {
    this.#later(periodMs, () => {
      run();
      this.#repeat(periodMs, run);
    });
  }

  #later(delayMs: number, run: () => void): void {
    const handle = this.#ports.clock.setTimeout(() => {
      this.#timers.delete(handle);
      run();
    }, delayMs);
    this.#timers.add(handle);
  }
}
