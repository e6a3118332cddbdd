// What the process outside of the node has seen, and what must be true of it at the end (promises S3 and S7; rules F1, F2, M1, M2, K1).

import type { JobState, SinkState, What } from "./job.ts";

export interface Order {
  readonly id: string;
  readonly entity: string;
  readonly what: What;
  readonly n: number;
  readonly ms: number;
  /** Was told `accepted`, perhaps at a repetition with the same id. */
  isAccepted: boolean;
}

export class Ledger {
  readonly orders: Order[] = [];
  /** By number: how often it happened here, and whether the node was told so. */
  readonly #acts = new Map<string, { times: number; isConfirmed: boolean }>();

  happened(effect: "paint" | "fire", n: number): void {
    const act = this.#acts.get(`${effect} ${String(n)}`);
    if (act === undefined) this.#acts.set(`${effect} ${String(n)}`, { times: 1, isConfirmed: false });
    else act.times++;
  }

  confirmed(effect: "paint" | "fire", n: number): void {
    const act = this.#acts.get(`${effect} ${String(n)}`);
    if (act !== undefined) act.isConfirmed = true;
  }

  /** What is wrong with an entity that took these orders; empty when nothing is, now. */
  judge(entity: string, job: JobState | undefined, sink: SinkState | undefined): readonly string[] {
    if (job === undefined || sink === undefined) return [`${entity} is not there`];
    const wrong: string[] = [];
    for (const { what, n, isAccepted } of this.orders.filter((order) => order.entity === entity)) {
      const say = (problem: string): void => void wrong.push(`${entity} ${what} ${String(n)}: ${problem}`);
      const taken = job.taken[n] ?? 0;
      if (taken > 1) say(`taken ${String(taken)} times`);
      if (isAccepted && taken === 0) say("an acknowledged command was lost");
      if (taken === 0) continue;
      const paint = this.#acts.get(`paint ${String(n)}`);
      const fire = this.#acts.get(`fire ${String(n)}`);
      switch (what) {
        case "paint":
          if (paint === undefined) say("an idempotent effect was lost");
          break;
        case "fire":
          if ((fire?.times ?? 0) > 1) say(`a once effect happened ${String(fire?.times)} times`);
          if (fire?.isConfirmed !== true && job.unknown[n] === undefined)
            say(`a once effect that happened ${String(fire?.times ?? 0)} times and was not confirmed was not reported unknown`);
          if ((job.unknown[n] ?? 0) > 1) say("reported unknown twice");
          break;
        case "arm":
          if ((job.rung[n] ?? 0) !== 1) say(`a timer fired ${String(job.rung[n] ?? 0)} times`);
          else if (paint === undefined) say("the effect of a timer was lost");
          break;
        case "pass":
          if ((sink.got[n] ?? 0) !== 1) say(`its message was taken ${String(sink.got[n] ?? 0)} times`);
      }
      if (job.failed[n] !== undefined) say("an effect failed");
    }
    return wrong;
  }

  totals(): Readonly<Record<string, number>> {
    const acts = (effect: string): readonly { times: number; isConfirmed: boolean }[] => [...this.#acts].filter(([key]) => key.startsWith(effect)).map(([, act]) => act);
    return {
      orders: this.orders.length,
      acknowledged: this.orders.filter(({ isAccepted }) => isAccepted).length,
      timers: this.orders.filter(({ what }) => what === "arm").length,
      idempotent: acts("paint").length,
      idempotentRepeated: acts("paint").filter(({ times }) => times > 1).length,
      once: acts("fire").length,
      onceTwice: acts("fire").filter(({ times }) => times > 1).length,
    };
  }
}
