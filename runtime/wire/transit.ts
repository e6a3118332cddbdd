// How much later than the fastest message of its session did this one come?
//
// A command that sat in a stalled TCP buffer still says how many ms it had left when it was sent. Two monotonic clocks have no common zero, but their difference is
// constant but for drift: the smallest (received - sent) of a session is the fastest transit, and what a message took beyond it is time that its deadline has lost (rules O3, vehicle X4).
// The fastest transit itself stays unknown and is not subtracted; a session's first message counts as not late.

export interface TransitOptions {
  /** Sessions remembered, the least recently heard forgotten first. Default 4,096. */
  readonly maxSessions?: number;
  /** How fast two monotonic clocks may run apart, parts per million. Default 500, the rate at which NTP may slew. */
  readonly driftPpm?: number;
}

interface Fastest {
  /** Smallest received - sent, ms. */
  readonly differenceMs: number;
  /** Receiver's clock when that was. */
  readonly at: number;
}

export class TransitEstimator {
  readonly #maxSessions: number;
  readonly #driftPerMs: number;
  readonly #fastest = new Map<string, Fastest>();

  constructor(options: TransitOptions = {}) {
    this.#maxSessions = options.maxSessions ?? 4_096;
    this.#driftPerMs = (options.driftPpm ?? 500) / 1_000_000;
  }

  /**
   * Extra transit of one message, ms, >= 0.
   * @param session names the peer's run and link session: a new one whenever its clock may have another zero or the link was opened again
   * @param sentAt sender's monotonic ms
   * @param receivedAt receiver's monotonic ms
   */
  extraMs(peer: string, session: string, sentAt: number, receivedAt: number): number {
    const name = `${peer}\n${session}`;
    const differenceMs = receivedAt - sentAt;
    const known = this.#fastest.get(name);
    const floorMs = known === undefined ? differenceMs : known.differenceMs + (receivedAt - known.at) * this.#driftPerMs;
    const next = known !== undefined && differenceMs > floorMs ? known : { differenceMs, at: receivedAt };
    this.#fastest.delete(name);
    this.#fastest.set(name, next);
    if (this.#fastest.size > this.#maxSessions) {
      const oldest = this.#fastest.keys().next();
      if (oldest.done !== true) this.#fastest.delete(oldest.value);
    }
    return Math.max(0, differenceMs - floorMs);
  }

  get sessions(): number {
    return this.#fastest.size;
  }
}
