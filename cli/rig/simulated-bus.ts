// One CAN bus in time: every frame occupies the wire for its bits, waiting frames arbitrate by identifier, every other node hears what was sent.
// Neighbours: board.ts (a module's transceiver), bus-server.ts (clients on the Unix socket).
//
// B1. One frame at a time; a frame starts when the wire is free and ends frameBits / bitrate later; its receivers hear it at its end, never before.
// B2. Of the frames that wait when the wire becomes free, the one with the lowest arbitration key goes first; one node's own frames keep their order.
// B3. While nobody acknowledges, a frame stays with its node (a controller repeats it for ever); it leaves late, when acknowledgement returns, unless flushed.

import type { Clock, TimeoutHandle } from "../../runtime/ports/index.ts";
import { arbitrationKey, frameBits, type RigFrame } from "./rig-frame.ts";

/** Whose frames find no acknowledgement: nobody's do, those of all nodes, or those of clients only (a broken transmit path of the host). */
export type NoAcknowledgement = "none" | "bus" | "clients";

export interface BusNode {
  readonly name: string;
  readonly kind: "module" | "client";
  /** Frames that may wait in its controller. */
  readonly queueLimit: number;
  /** A frame of another node ended on the wire. @param at monotonic ms of its last bit */
  receive(frame: RigFrame, at: number, sender: string): void;
  /** Its own frame ended on the wire, acknowledged. */
  sent(frame: RigFrame, at: number, token: number): void;
}

export interface BusPlug {
  /** False when the controller's queue is full: nothing was taken. */
  send(frame: RigFrame, token?: number): boolean;
  /** Throws away what waits and is not on the wire; returns the tokens. */
  flush(): readonly number[];
  detach(): void;
}

/** Sums of fractions of ms differ in their last bits; without this a timer could fire a hair early for ever. */
const ROUNDING_MS = 1e-6;

export interface BusCounters {
  /** Frames that ended on the wire, acknowledged. */
  frames: number;
  bits: number;
  /** Frames that found their node's queue full. */
  refused: number;
  flushed: number;
}

interface Waiting {
  readonly frame: RigFrame;
  readonly key: number;
  readonly token: number;
  readonly since: number;
}

interface Plugged {
  readonly node: BusNode;
  readonly waiting: Waiting[];
}

export class SimulatedBus {
  readonly bitrate: number;
  readonly counters: BusCounters = { frames: 0, bits: 0, refused: 0, flushed: 0 };
  readonly #clock: Clock;
  readonly #plugged: Plugged[] = [];
  readonly #onFrame: (frame: RigFrame, at: number, sender: BusNode) => void;
  #wire: { readonly by: Plugged; readonly waiting: Waiting; readonly endsAt: number } | undefined;
  #freeAt: number;
  #timer: TimeoutHandle | undefined;
  #running = false;
  #closed = false;
  #noAcknowledgement: NoAcknowledgement = "none";

  /** @param onFrame called for every frame at its end, before the nodes hear it */
  constructor(clock: Clock, bitrate: number, onFrame: (frame: RigFrame, at: number, sender: BusNode) => void = () => undefined) {
    this.#clock = clock;
    this.bitrate = bitrate;
    this.#onFrame = onFrame;
    this.#freeAt = clock.monotonic();
  }

  get noAcknowledgement(): NoAcknowledgement {
    return this.#noAcknowledgement;
  }

  set noAcknowledgement(scope: NoAcknowledgement) {
    this.#noAcknowledgement = scope;
    // The repeats have kept the wire busy up to this moment.
    this.#freeAt = Math.max(this.#freeAt, this.#clock.monotonic());
    this.#run();
  }

  attach(node: BusNode): BusPlug {
    const plugged: Plugged = { node, waiting: [] };
    this.#plugged.push(plugged);
    return {
      send: (frame, token = 0) => this.#send(plugged, frame, token),
      flush: () => this.#flush(plugged),
      detach: () => {
        this.#flush(plugged);
        const at = this.#plugged.indexOf(plugged);
        if (at !== -1) this.#plugged.splice(at, 1);
      },
    };
  }

  /** Frames that wait or are on the wire. */
  get waiting(): number {
    return this.#plugged.reduce((sum, plugged) => sum + plugged.waiting.length, 0);
  }

  /** The same for the nodes of one name. */
  waitingOf(name: string): number {
    return this.#plugged.reduce((sum, { node, waiting }) => (node.name === name ? sum + waiting.length : sum), 0);
  }

  close(): void {
    this.#closed = true;
    this.#clock.clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const plugged of this.#plugged) plugged.waiting.length = 0;
    this.#wire = undefined;
  }

  #send(plugged: Plugged, frame: RigFrame, token: number): boolean {
    if (this.#closed) return false;
    if (plugged.waiting.length >= plugged.node.queueLimit) {
      this.counters.refused++;
      return false;
    }
    plugged.waiting.push({ frame, key: arbitrationKey(frame), token, since: this.#clock.monotonic() });
    this.#run();
    return true;
  }

  #flush(plugged: Plugged): readonly number[] {
    const keep = this.#wire?.by === plugged ? 1 : 0;
    const dropped = plugged.waiting.splice(keep);
    this.counters.flushed += dropped.length;
    return dropped.map((waiting) => waiting.token);
  }

  #run(): void {
    if (this.#running || this.#closed) return;
    this.#running = true;
    try {
      const now = this.#clock.monotonic();
      while (this.#step(now));
    } finally {
      this.#running = false;
    }
    this.#arm();
  }

  /** One end or one start of a frame that is due by `now`; false when nothing is. */
  #step(now: number): boolean {
    const wire = this.#wire;
    if (wire !== undefined) {
      if (this.#closed || wire.endsAt > now + ROUNDING_MS) return false;
      this.#finish(wire);
      return true;
    }
    const winner = this.#arbitrate();
    if (winner === undefined) return false;
    const bits = frameBits(winner.waiting.frame);
    this.counters.bits += bits;
    this.#wire = { by: winner.by, waiting: winner.waiting, endsAt: winner.startsAt + (bits * 1000) / this.bitrate };
    return true;
  }

  /** Among the heads of the queues: who starts next, and when (a late timer must not let a latecomer overtake). */
  #arbitrate(): { readonly by: Plugged; readonly waiting: Waiting; readonly startsAt: number } | undefined {
    let earliest = Infinity;
    for (const { node, waiting } of this.#plugged) {
      const head = waiting[0];
      if (head !== undefined && this.#isHeard(node) && head.since < earliest) earliest = head.since;
    }
    if (earliest === Infinity) return undefined;
    const startsAt = Math.max(this.#freeAt, earliest);
    let best: { readonly by: Plugged; readonly waiting: Waiting } | undefined;
    for (const by of this.#plugged) {
      const head = by.waiting[0];
      if (head === undefined || head.since > startsAt || !this.#isHeard(by.node)) continue;
      if (best === undefined || head.key < best.waiting.key) best = { by, waiting: head };
    }
    return best === undefined ? undefined : { ...best, startsAt };
  }

  #isHeard(node: BusNode): boolean {
    return this.#noAcknowledgement === "none" || (this.#noAcknowledgement === "clients" && node.kind !== "client");
  }

  #finish(wire: { readonly by: Plugged; readonly waiting: Waiting; readonly endsAt: number }): void {
    this.#wire = undefined;
    this.#freeAt = wire.endsAt;
    // Acknowledgement was lost while it was on the wire: it stays at the head and is repeated (B3).
    if (!this.#isHeard(wire.by.node)) return;
    wire.by.waiting.shift();
    this.counters.frames++;
    const { frame, token } = wire.waiting;
    this.#onFrame(frame, wire.endsAt, wire.by.node);
    wire.by.node.sent(frame, wire.endsAt, token);
    for (const plugged of [...this.#plugged]) if (plugged !== wire.by) plugged.node.receive(frame, wire.endsAt, wire.by.node.name);
  }

  #arm(): void {
    if (this.#timer !== undefined) {
      this.#clock.clearTimeout(this.#timer);
      this.#timer = undefined;
    }
    if (this.#wire === undefined || this.#closed) return;
    this.#timer = this.#clock.setTimeout(() => {
      this.#timer = undefined;
      this.#run();
    }, this.#wire.endsAt - this.#clock.monotonic());
  }
}
