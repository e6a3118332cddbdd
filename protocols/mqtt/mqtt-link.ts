// The link of one node to its broker over many sessions: makes them one after another, restores on each what the node wants, and tells how it stands.
//
// Y1. Sessions are clean: no command ever waits in a broker's session (rules O3).
// Y2. A session is announced last: filters first, so that who sees the node can reach it; then its presence; then `ready`.
// Y3. Attempts go on for ever, after waits with full jitter under a bound that doubles; a session that stood for a while makes it small again.

import { type Clock, type LinkState, type Log, settledWithin, silentLog, type TimeoutHandle } from "../../runtime/ports/index.ts";
import { LinkWatch } from "../../runtime/wire/index.ts";
import { type Endpoint, endpointOf } from "./endpoint.ts";
import type { MqttTransportOptions } from "./mqtt-options.ts";
import { MqttSession } from "./mqtt-session.ts";

/** A session that stood this long was a good one. */
const STABLE_MS = 10_000;
/** A broker that has not confirmed filters and presence by then is given up. */
const ESTABLISH_WITHIN_MS = 10_000;
const FILTERS_PER_SUBSCRIBE = 64;
const CLOSE_WITHIN_MS = 500;

export interface LinkOwner {
  /** A session stands; its filters are about to be set. */
  restoring(): void;
  message(topic: string, payload: Buffer, present: boolean): void;
  /** Before listeners hear of it. */
  lost(reason: string): void;
  /** After listeners have heard of it. */
  ready(epoch: number): void;
}

export interface Announced {
  readonly key: string;
  readonly payload: () => Uint8Array;
}

type Phase =
  | { readonly kind: "stopped" }
  | { readonly kind: "waiting"; readonly retry: TimeoutHandle }
  /** `connected`: the broker has accepted it, filters and presence are under way. */
  | { readonly kind: "opening"; readonly session: MqttSession; readonly connected: boolean }
  | { readonly kind: "ready"; readonly session: MqttSession; readonly since: number };

export class MqttLink {
  readonly #options: MqttTransportOptions;
  readonly #endpoint: Endpoint;
  readonly #owner: LinkOwner;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watch: LinkWatch;
  /** How many receivers need each filter. */
  readonly #filters = new Map<string, number>();
  #announced: Announced | undefined;
  #phase: Phase = { kind: "stopped" };
  #epoch = 0;
  #failures = 0;
  readonly counts = { attempts: 0, reconnects: 0, refusedFilters: 0 };

  constructor(options: MqttTransportOptions, owner: LinkOwner) {
    this.#options = options;
    this.#endpoint = endpointOf(options.url, options.setting);
    this.#owner = owner;
    this.#clock = options.clock;
    this.#log = (options.log ?? silentLog).child({ link: options.channel ?? "mqtt", broker: `${this.#endpoint.host}:${String(this.#endpoint.port)}` });
    this.#watch = new LinkWatch(this.#log);
  }

  get log(): Log {
    return this.#log;
  }

  get state(): LinkState {
    return this.#watch.state;
  }

  get isReady(): boolean {
    return this.#phase.kind === "ready";
  }

  /** The session with a broker behind it, ready or nearly so. */
  get session(): MqttSession | undefined {
    const phase = this.#phase;
    return phase.kind === "ready" || (phase.kind === "opening" && phase.connected) ? phase.session : undefined;
  }

  /** Of what arrives now: a session that is being made has the epoch that it will have. */
  get epoch(): number {
    return this.#phase.kind === "opening" ? this.#epoch + 1 : this.#epoch;
  }

  onState(listener: (state: LinkState) => void): () => void {
    return this.#watch.on(listener);
  }

  announce(announced: Announced): void {
    this.#announced = announced;
  }

  start(): void {
    if (this.#phase.kind === "stopped") this.#open();
  }

  /** Ends the session with a good-bye, so that the broker drops the will. */
  async stop(withinMs: number): Promise<void> {
    const left = this.#phase;
    if (left.kind === "stopped") return;
    this.#phase = { kind: "stopped" };
    if (left.kind === "waiting") this.#clock.clearTimeout(left.retry);
    else {
      left.session.close("stopped");
      if (left.kind === "ready") await this.atMost(Math.min(withinMs, CLOSE_WITHIN_MS), left.session.gone);
      left.session.destroy("stopped");
    }
    this.#down("stopped");
  }

  /** Gives up a session that does not do its work. */
  abandon(reason: string): void {
    this.session?.destroy(reason);
  }

  /** True when the broker refuses the filter. @param again set it even if it stands, so that the broker gives its last values */
  async need(filter: string, again = false): Promise<boolean> {
    const needed = this.#filters.get(filter) ?? 0;
    this.#filters.set(filter, needed + 1);
    if (this.session === undefined || (needed > 0 && !again)) return false;
    const refused = (await this.session.subscribe([filter]))?.has(filter) ?? false;
    if (refused) this.#refused(filter);
    return refused;
  }

  async release(filter: string): Promise<void> {
    const needed = (this.#filters.get(filter) ?? 1) - 1;
    if (needed > 0) {
      this.#filters.set(filter, needed);
      return;
    }
    this.#filters.delete(filter);
    await this.session?.unsubscribe(filter);
  }

  async atMost(withinMs: number, work: Promise<unknown>): Promise<void> {
    await settledWithin(work, this.#clock, withinMs, undefined);
  }

  #open(): void {
    this.counts.attempts++;
    const isPresent = (): boolean => "session" in this.#phase && this.#phase.session === session;
    const session: MqttSession = new MqttSession(this.#endpoint, this.#options, this.#announced?.key, {
      connected: () => {
        if (isPresent()) void this.#establish(session);
      },
      message: (topic, payload, present) => {
        if (isPresent()) this.#owner.message(topic, payload, present);
      },
      ended: (reason) => {
        if (isPresent()) this.#lost(reason);
      },
    });
    this.#phase = { kind: "opening", session, connected: false };
    this.#watch.change({ kind: "connecting" });
  }

  async #establish(session: MqttSession): Promise<void> {
    this.#phase = { kind: "opening", session, connected: true };
    const deadline = this.#clock.setTimeout(() => {
      session.destroy(`the broker did not confirm filters and presence within ${String(ESTABLISH_WITHIN_MS)} ms`);
    }, ESTABLISH_WITHIN_MS);
    this.#owner.restoring();
    const filters = [...this.#filters.keys()];
    for (let from = 0; from < filters.length; from += FILTERS_PER_SUBSCRIBE) {
      const refused = await session.subscribe(filters.slice(from, from + FILTERS_PER_SUBSCRIBE));
      for (const filter of refused ?? []) this.#refused(filter);
    }
    if (this.#announced !== undefined) await Promise.race([session.gone, session.confirmed(this.#announced.key, this.#announced.payload())]);
    this.#clock.clearTimeout(deadline);
    if (this.session === session) this.#ready(session);
  }

  #ready(session: MqttSession): void {
    const epoch = ++this.#epoch;
    if (epoch > 1) this.counts.reconnects++;
    this.#phase = { kind: "ready", session, since: this.#clock.monotonic() };
    this.#log.info({ epoch }, "the link is ready");
    this.#watch.change({ kind: "ready", epoch });
    this.#owner.ready(epoch);
  }

  #lost(reason: string): void {
    const { random, reconnect = { firstMs: 250, longestMs: 8_000 } } = this.#options;
    const before = this.#phase;
    if (before.kind === "ready" && this.#clock.monotonic() - before.since >= STABLE_MS) this.#failures = 0;
    const waitMs = random.next() * Math.min(reconnect.longestMs, reconnect.firstMs * 2 ** Math.min(this.#failures, 20));
    this.#failures++;
    if (before.kind === "ready" || this.#failures === 1) this.#log.warn({ reason }, "the link is down");
    const retry = this.#clock.setTimeout(() => {
      this.#open();
    }, waitMs);
    this.#phase = { kind: "waiting", retry };
    this.#down(reason);
  }

  /** First everything under way is settled, then listeners hear of it: nobody is told `down` and afterwards `accepted`. */
  #down(reason: string): void {
    this.#owner.lost(reason);
    this.#watch.change({ kind: "down", reason });
  }

  #refused(filter: string): void {
    this.counts.refusedFilters++;
    this.#log.warn({ filter }, "the broker refuses a subscription");
  }
}
