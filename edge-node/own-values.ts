// Values that commands of ours were to give an output: a change to one of them is nobody else's doing, whether it was confirmed or not.
//
// A module may show a value after the next command was handed over already, or leave one out that the next command replaced: they are met in order, and the ones before go with it.

import { SAME_VALUE } from "../actors/module/index.ts";
import type { Clock } from "../runtime/ports/index.ts";

/** A change to the wanted value within this time after the hand-over is ours, ms. */
const OURS_MS = 10_000;
const MOST_VALUES = 64;

interface Expected {
  /** Names the command. */
  readonly key: string;
  readonly value: number;
  readonly tolerance: number;
  readonly untilMs: number;
}

export class OwnValues {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #expected = new Map<string, readonly Expected[]>();

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** A frame that is to give `channel` this value is about to leave. @param tolerance with which the module's status shows it, in the signal's unit, default 0 */
  expect(channel: string, key: string, value: number, tolerance = 0): void {
    const next: Expected = { key, value, tolerance, untilMs: this.#clock.monotonic() + OURS_MS };
    this.#expected.set(channel, [...this.#standing(channel), next].slice(-MOST_VALUES));
  }

  /** The command's frame never left. */
  withdraw(channel: string, key: string): void {
    this.#keep(
      channel,
      this.#standing(channel).filter((each) => each.key !== key),
    );
  }

  /** The newest value of the command never left; those before it did. */
  withdrawLast(channel: string, key: string): void {
    const standing = this.#standing(channel);
    const last = standing.findLastIndex((each) => each.key === key);
    this.#keep(
      channel,
      standing.filter((_each, index) => index !== last),
    );
  }

  /** Whether a command of ours wanted it so; a later change to the same value is somebody else's. */
  take(channel: string, value: number): boolean {
    const standing = this.#standing(channel);
    const index = standing.findIndex((each) => Math.abs(each.value - value) <= each.tolerance + SAME_VALUE);
    this.#keep(channel, standing.slice(index + 1));
    return index >= 0;
  }

  #standing(channel: string): readonly Expected[] {
    const nowMs = this.#clock.monotonic();
    return (this.#expected.get(channel) ?? []).filter(({ untilMs }) => nowMs <= untilMs);
  }

  #keep(channel: string, expected: readonly Expected[]): void {
    if (expected.length === 0) this.#expected.delete(channel);
    else this.#expected.set(channel, expected);
  }
}
