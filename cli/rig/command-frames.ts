// Which identifiers are commands (research/trailcurrent.md 2.1), and the bounded record of those that were on the wire.

/** Everything that makes a module act: management 0x00-0x03, Torrent, Switchback, calibration, load, leveling, Therma's requests. */
export const COMMAND_IDS: ReadonlySet<number> = new Set([
  0x00,
  0x01,
  0x02,
  0x03, // update notification, Wi-Fi, discovery trigger and reset
  0x15,
  0x16,
  0x17,
  0x18,
  0x19,
  0x1a,
  0x33,
  0x34,
  0x35, // Torrent brightness, toggle, sequence
  0x25,
  0x26,
  0x27, // Switchback toggle
  0x21, // Borealis calibration
  0x2e, // Solstice load
  0x36, // Plateau configuration
  0x41,
  0x42, // Therma requests
]);

export interface SeenCommand {
  /** Counts from 1 over the life of the process. */
  readonly seq: number;
  /** Wall time in ms when its last bit was on the wire. */
  readonly at: number;
  readonly id: number;
  /** Lower-case hex, e.g. `03ff`. */
  readonly data: string;
  /** `client`, or the module that sent it. */
  readonly from: string;
}

export interface CommandCount {
  readonly id: number;
  readonly data: string;
  readonly count: number;
  /** The newest 32. */
  readonly at: readonly number[];
}

const MAX_KEYS = 8192;
const MAX_TIMES = 32;
const MAX_LOG = 20_000;

/** Counts command frames exactly per (id, data); its log keeps the newest 20,000 in order. */
export class CommandRecord {
  readonly #counts = new Map<string, { id: number; data: string; count: number; at: number[] }>();
  readonly #log: SeenCommand[] = [];
  #seq = 0;
  #uncounted = 0;

  note(id: number, bytes: Uint8Array, at: number, from: string): void {
    const data = Buffer.from(bytes).toString("hex");
    this.#seq++;
    this.#log.push({ seq: this.#seq, at, id, data, from });
    // Trimmed in blocks: an array that loses its head for every push costs its whole length each time.
    if (this.#log.length > MAX_LOG + 1000) this.#log.splice(0, 1000);
    const key = `${String(id)} ${data}`;
    let entry = this.#counts.get(key);
    if (entry === undefined) {
      if (this.#counts.size >= MAX_KEYS) {
        this.#uncounted++;
        return;
      }
      entry = { id, data, count: 0, at: [] };
      this.#counts.set(key, entry);
    }
    entry.count++;
    entry.at.push(at);
    if (entry.at.length > MAX_TIMES) entry.at.shift();
  }

  /** All seen since the start; those that found the table of 8,192 different commands full are `uncounted`. */
  counts(where: { readonly id?: number; readonly data?: string } = {}): { readonly total: number; readonly uncounted: number; readonly counts: readonly CommandCount[] } {
    const counts = [...this.#counts.values()].filter((entry) => (where.id === undefined || entry.id === where.id) && (where.data === undefined || entry.data === where.data));
    return { total: this.#seq, uncounted: this.#uncounted, counts: counts.map((entry) => ({ ...entry, at: [...entry.at] })) };
  }

  /** In order, those with a seq above `since`. */
  log(since = 0, limit = 1000): readonly SeenCommand[] {
    return this.#log.filter((seen) => seen.seq > since).slice(0, limit);
  }
}
