// Two ends of a transport protocol, joined by a bus in virtual time that keeps the order of what each end sends.

import type { CanFrame } from "../../../protocols/can/index.ts";
import type { TimedFrame } from "./transport-frames.ts";

export interface End<S> {
  readonly hear: (frame: CanFrame, nowMs: number) => readonly S[];
  readonly due: (nowMs: number) => readonly S[];
  readonly nextDueMs: () => number | undefined;
}

/** What becomes of a frame: its delay in ms, or undefined where it is lost. */
export type Fate = (frame: CanFrame) => number | undefined;

export interface Joined<S> {
  readonly onBus: readonly TimedFrame[];
  /** What the ends told that is no frame, in order. */
  readonly told: readonly { readonly by: "sender" | "receiver"; readonly step: S }[];
  readonly endedMs: number;
}

type Step = { readonly kind: "frame"; readonly frame: CanFrame } | { readonly kind: "sent" | "received" | "failed" };

/** Runs until nothing is due any more. @param meanwhile called at each moment, before anything else */
export function join<A extends Step, B extends Step>(sender: End<A>, receiver: End<B>, fate: Fate = () => 1, meanwhile: (nowMs: number) => void = () => undefined): Joined<A | B> {
  const onBus: TimedFrame[] = [];
  const told: { readonly by: "sender" | "receiver"; readonly step: A | B }[] = [];
  const underWay: { readonly atMs: number; readonly frame: CanFrame; readonly by: "sender" | "receiver" }[] = [];
  const freeMs = { sender: 0, receiver: 0 };
  let nowMs = 0;
  const perform = (steps: readonly (A | B)[], by: "sender" | "receiver"): void => {
    for (const step of steps) {
      if (step.kind !== "frame") {
        told.push({ by, step });
        continue;
      }
      onBus.push({ frame: step.frame, timeS: nowMs / 1_000 });
      const delayMs = fate(step.frame);
      if (delayMs === undefined) continue;
      freeMs[by] = Math.max(freeMs[by], nowMs + delayMs);
      underWay.push({ atMs: freeMs[by], frame: step.frame, by });
    }
  };
  for (let moments = 0; ; moments++) {
    if (moments > 100_000) throw new Error(`no end after ${moments} moments, ${nowMs} ms`);
    meanwhile(nowMs);
    perform(sender.due(nowMs), "sender");
    perform(receiver.due(nowMs), "receiver");
    const next = Math.min(sender.nextDueMs() ?? Infinity, receiver.nextDueMs() ?? Infinity, ...underWay.map(({ atMs }) => atMs));
    if (next === Infinity) return { onBus, told, endedMs: nowMs };
    nowMs = Math.max(nowMs, next);
    for (const each of underWay.filter(({ atMs }) => atMs <= nowMs)) {
      underWay.splice(underWay.indexOf(each), 1);
      if (each.by === "sender") perform(receiver.hear(each.frame, nowMs), "receiver");
      else perform(sender.hear(each.frame, nowMs), "sender");
    }
  }
}
