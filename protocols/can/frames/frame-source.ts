// The ports through which frames come in and go out. Implemented by protocols/virtual-can, protocols/can-log and the adapters of real interfaces; whoever composes a node connects them.

import type { CanFrame, FrameBatch } from "./frame.ts";

/**
 * `down`: no frame comes or goes. With a `cause` it is a fault: it will not come up by itself, and whoever supervises the source starts another. `isExpected`: nothing is wrong,
 * a recording has come to its end or is not begun yet; nobody is alarmed for it.
 */
export type BusState = { readonly kind: "down"; readonly reason: string; readonly cause?: Error; readonly isExpected?: true } | { readonly kind: "up" };

export interface FrameListener {
  /** Called with at least one frame, in order of arrival. The batch belongs to the source and is reused: read or copy it before returning; never block. */
  readonly onFrames: (batch: FrameBatch) => void;
  readonly onState?: (state: BusState) => void;
}

/** Running totals since the source was made. */
export interface FrameCounters {
  /** Frames handed to the listener. */
  readonly received: number;
  /** Frames that were on the bus (or in the recording) and never reached the listener. */
  readonly dropped: number;
  /** Frames of ours that were on the bus. */
  readonly sent: number;
  /** Frames of ours that were refused, or whose fate is unknown. */
  readonly sendFailed: number;
}

export interface FrameSource {
  /** Names of the buses, by the index in `FrameBatch.buses`. May grow while a recording is read. */
  readonly buses: readonly string[];
  readonly state: BusState;
  readonly counters: FrameCounters;
  /** True where the bus stands for a real one (vehicle.md, the simulated rig): whatever is made from its frames says so. Absent is false. */
  readonly simulated?: boolean;
  /** Begins to deliver, to one listener. Resolves when it is ready to. Starting twice is a broken contract. */
  start(listener: FrameListener): Promise<void>;
  /** Ends prompt and for good: nothing is delivered any more, waiting sends end as `unknown` or `refused`. */
  stop(): Promise<void>;
}

/** What became of a frame of ours. */
export type SendOutcome =
  /** It was on the bus at `timeS` (the source's clock): its echo came back. */
  | { readonly kind: "sent"; readonly timeS: number }
  /** It never was and never will be on the bus. */
  | { readonly kind: "refused"; readonly reason: "down" | "queue-full" | "listen-only" | "invalid" | "deadline"; readonly detail: string }
  /** It was handed over and no echo came by the deadline: it may have been, or may yet be, on the bus. */
  | { readonly kind: "unknown"; readonly reason: string };

/** Frames of ours that were on the bus also come in through the FrameSource of the same bus, with `FrameFlag.sentByUs`. */
export interface FrameSink {
  /** Settles by `withinMs` (> 0) whatever the bus does. */
  send(frame: CanFrame, options: { readonly withinMs: number; readonly bus?: number }): Promise<SendOutcome>;
}
