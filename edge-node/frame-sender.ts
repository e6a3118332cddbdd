// One frame onto a bus: its place in the bus's rate, the sink of its source, and the record of it, whoever sends it (vehicle X1). What may be sent, and when, is the sender's to judge.

import type { CanFrame, FrameSink, SendOutcome } from "../protocols/can/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { Pipeline } from "./pipeline.ts";
import { type Place, type RateLimit, rateLimit } from "./rate-limit.ts";
import type { SentFrame, SentFrames } from "./sent-frames.ts";

/** A bus that takes a frame now. Who has one sends it, or lets its place go. */
export type ReadyBus = { readonly kind: "ready"; readonly bus: string; readonly sink: FrameSink; readonly place: Place } | { readonly kind: "not"; readonly why: string };

export interface FrameSender {
  limit(bus: string): RateLimit | undefined;
  /** @param place in the bus's rate, where there is one already; it stays its holder's where the answer is no */
  ready(bus: string, place?: Place): ReadyBus;
  send(ready: Extract<ReadyBus, { readonly kind: "ready" }>, frame: CanFrame, withinMs: number, by: Omit<SentFrame, "bus" | "frame" | "outcome">): Promise<SendOutcome>;
  readonly counters: { readonly sent: number };
}

export function createFrameSender({ pipeline, sent, clock }: { readonly pipeline: Pipeline; readonly sent: SentFrames; readonly clock: Clock }): FrameSender {
  const rates = new Map(pipeline.model.buses.map((bus) => [bus.name, bus.maxTxPerSecond]));
  const limits = new Map([...rates].map(([bus, perSecond]) => [bus, rateLimit(perSecond)]));
  const counters = { sent: 0 };
  return {
    counters,
    limit: (bus) => limits.get(bus),
    ready: (bus, kept) => {
      const sink = pipeline.sink(bus);
      if (sink === undefined) return { kind: "not", why: `the bus ${bus} is down` };
      const place = kept ?? limits.get(bus)?.take(clock.monotonic());
      return place === undefined ? { kind: "not", why: `more than ${String(rates.get(bus) ?? 0)} frames a second are not sent on ${bus}` } : { kind: "ready", bus, sink, place };
    },
    send: async ({ bus, sink, place }, frame, withinMs, by) => {
      const outcome = await sink.send(frame, { withinMs }).finally(() => {
        place.left(clock.monotonic());
      });
      if (outcome.kind === "sent") counters.sent++;
      if (outcome.kind !== "refused") sent.record({ bus, frame, ...by, outcome: outcome.kind });
      return outcome;
    },
  };
}
