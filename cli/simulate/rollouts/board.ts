// A module of a simulated vehicle as hardware: its firmware, a port that opens after its trigger, and what becomes of an image that it takes. It outlives the processes of its vehicle's node.

/** What it does with an update; of several, one for each image that it takes or breaks off, and the last one from then on. */
export const MANNERS = [
  "good",
  /** It says that it took all of it, and comes back as it was. */
  "lies",
  /** It says so, and is never heard of again. */
  "dies",
  /** It says so, and comes back after long. */
  "is late",
  /** It takes all of it, and says nothing. */
  "loses its answer",
  "never opens",
  "cuts the upload",
  /** In mid upload it restarts as it was. */
  "browns out",
  /** It runs the new one, and soon the old one again. */
  "falls back",
  /** It tells that it runs the new one, and nothing ever after. */
  "hangs",
] as const;
export type Manner = (typeof MANNERS)[number];

export const OLD = "1.0.0";
export const NEW = "2.4.0";
/** After its trigger its port is open for so long. */
export const WINDOW_MS = 180_000;
const RESTART_MS = 8_000;
const LATE_MS = 400_000;
const IN_TRIAL_MS = 10_000;

/** A frame on its bus. */
export interface Frame {
  readonly atMs: number;
  readonly vehicle: string;
  readonly attempt: number;
}

/** What it has of the world. */
export interface Surroundings {
  readonly nowMs: () => number;
  /** In the world's time, whatever its node does. */
  readonly later: (ms: number, happens: () => void) => void;
  /** It has fallen silent. */
  readonly silenced: (board: Board) => void;
  /** It has told its version, and speaks where it is on. */
  readonly told: (board: Board) => void;
}

export class Board {
  readonly vehicle: string;
  readonly node: string;
  readonly part: string;
  firmware = OLD;
  isOn = true;
  /** Its vehicle stands. */
  isParked = true;
  /** Triggers, oldest first: the ledger. */
  readonly frames: Frame[] = [];
  /** Images that it took as a whole. */
  taken = 0;
  /** Something will happen to it. */
  pending = 0;
  #manners: readonly Manner[];
  readonly #opensAfterMs: number;
  #opensAt = Number.POSITIVE_INFINITY;
  #closesAt = 0;

  constructor(of: { readonly vehicle: string; readonly node: string; readonly part: string; readonly manners: readonly Manner[]; readonly opensAfterMs: number }) {
    this.vehicle = of.vehicle;
    this.node = of.node;
    this.part = of.part;
    this.#manners = of.manners;
    this.#opensAfterMs = of.opensAfterMs;
  }

  get manner(): Manner {
    return this.#manners[0] ?? "good";
  }

  trigger(attempt: number, { nowMs }: Surroundings): void {
    this.frames.push({ atMs: nowMs(), vehicle: this.vehicle, attempt });
    if (!this.isOn || this.manner === "never opens") return;
    this.#opensAt = nowMs() + this.#opensAfterMs;
    this.#closesAt = nowMs() + WINDOW_MS;
  }

  isOpen(nowMs: number): boolean {
    return this.isOn && nowMs >= this.#opensAt && nowMs < this.#closesAt;
  }

  /** Half of an image is there: whether the rest may come. */
  takesOn(world: Surroundings): boolean {
    const { manner } = this;
    if (!this.isOpen(world.nowMs())) return false;
    if (manner !== "cuts the upload" && manner !== "browns out") return true;
    this.#nextManner();
    if (manner === "browns out") this.#restart(this.firmware, RESTART_MS, world);
    return false;
  }

  /** All of an image is there. @returns whether it says so */
  takes(world: Surroundings): boolean {
    const { manner } = this;
    if (!this.isOpen(world.nowMs())) return false;
    this.taken++;
    this.#nextManner();
    if (manner === "dies") this.#goOff(world);
    else if (manner === "hangs") this.#hang(world);
    else this.#restart(manner === "lies" ? this.firmware : NEW, manner === "is late" ? LATE_MS : RESTART_MS, world);
    if (manner === "falls back") this.#happens(RESTART_MS + IN_TRIAL_MS, () => this.#restart(OLD, RESTART_MS, world), world);
    return manner !== "loses its answer";
  }

  #nextManner(): void {
    if (this.#manners.length > 1) this.#manners = this.#manners.slice(1);
  }

  #restart(firmware: string, ms: number, world: Surroundings): void {
    this.#goOff(world);
    this.#happens(
      ms,
      () => {
        this.isOn = true;
        this.firmware = firmware;
        world.told(this);
      },
      world,
    );
  }

  #hang(world: Surroundings): void {
    this.#goOff(world);
    this.#happens(
      RESTART_MS,
      () => {
        this.firmware = NEW;
        world.told(this);
      },
      world,
    );
  }

  #goOff(world: Surroundings): void {
    this.isOn = false;
    this.#closesAt = 0;
    world.silenced(this);
  }

  #happens(ms: number, what: () => void, { later }: Surroundings): void {
    this.pending++;
    later(ms, () => {
      this.pending--;
      what();
    });
  }
}
