// Who notices that a step hangs, and what is known of the steps that hung before (rules M4).

/** A step of a process that was ended because of it. */
export interface HungStep {
  /** Wall time at which the process was ended, ms. */
  readonly at: number;
  readonly entity: string;
  readonly cell: string;
  /** What was stepped: a message's type, or the kind of input. */
  readonly what: string;
  /** Names the input over restarts; empty where nothing delivers it again. */
  readonly key: string;
}

export interface StepWatch {
  /** An input is about to be stepped; it is over with the next one, or with `idle`. Cheap: called for every input. */
  stepping(entity: string, cell: string, what: string, key: string): void;
  /** No turn is under way. */
  idle(): void;
  /** Steps that ended this node's processes and are not settled. */
  readonly hung: readonly HungStep[];
  /** The input was taken, or set aside for good: forgets it. */
  settled(entity: string, key: string): void;
}
