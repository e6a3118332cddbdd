// What a supervisor has below it: who should be there, as written, then what was added and not removed, and the lanes of those who are.

import type { ChildSlot } from "./child-slot.ts";
import type { Lane } from "./lane.ts";
import type { ChildSpec, SupervisorSpec } from "./spec.ts";

export interface PlaceMaker {
  slot(spec: ChildSpec): ChildSlot;
  lane(slots: readonly ChildSlot[]): Lane;
  /** A child has lost its place. */
  left(slot: ChildSlot): void;
}

export class Places {
  readonly #spec: SupervisorSpec;
  readonly #maker: PlaceMaker;
  #specs: readonly ChildSpec[];
  #lanes: readonly Lane[] = [];

  constructor(spec: SupervisorSpec, maker: PlaceMaker) {
    this.#spec = spec;
    this.#maker = maker;
    this.#specs = spec.children;
    this.fill();
  }

  get lanes(): readonly Lane[] {
    return this.#lanes;
  }

  get slots(): readonly ChildSlot[] {
    return this.#lanes.flatMap((lane) => lane.slots);
  }

  /** Each child is a lane of its own. */
  get isOneForOne(): boolean {
    return this.#spec.flags.strategy === "one-for-one";
  }

  laneOf(id: string): Lane | undefined {
    return this.#lanes.find((lane) => lane.slots.some((slot) => slot.id === id));
  }

  /** A place for each child, with the history it has; temporary ones that had ended begin anew with their supervisor. */
  fill(): void {
    const known = new Map(this.slots.map((slot) => [slot.id, slot] as const));
    const wanted = new Set(this.#specs.map(({ id }) => id));
    for (const slot of known.values()) if (!wanted.has(slot.id)) this.#maker.left(slot);
    const slots = this.#specs.map((spec) => known.get(spec.id) ?? this.#maker.slot(spec));
    this.#lanes = this.isOneForOne ? slots.map((slot) => this.#maker.lane([slot])) : [this.#maker.lane(slots)];
  }

  /** Comes last. */
  add(spec: ChildSpec): Lane {
    const lane = this.#maker.lane([this.#maker.slot(spec)]);
    this.#specs = [...this.#specs, spec];
    this.#lanes = [...this.#lanes, lane];
    return lane;
  }

  /** What is not here yet comes with the next `fill`. */
  recall(specs: readonly ChildSpec[]): void {
    const known = new Set(this.#specs.map(({ id }) => id));
    this.#specs = [...this.#specs, ...specs.filter(({ id }) => !known.has(id))];
  }

  /** They do not come back with the supervisor. */
  forget(isGone: (spec: ChildSpec) => boolean): void {
    this.#specs = this.#specs.filter((spec) => !isGone(spec));
  }

  drop(lane: Lane): void {
    if (!this.#lanes.includes(lane)) return;
    this.#lanes = this.#lanes.filter((other) => other !== lane);
    for (const slot of lane.slots) this.#maker.left(slot);
  }
}
