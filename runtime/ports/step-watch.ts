// Who notices that code of an actor hangs or ends its process, and what is known of what did before (rules M4).

/** A step, or other code of an actor, whose process was ended because of it, or by it. */
export interface HungStep {
  /** Wall time at which the process was ended, ms. */
  readonly at: number;
  readonly entity: string;
  readonly cell: string;
  /** What was stepped: a message's type, or the kind of input; or which other code it was, e.g. `effect "print"`. */
  readonly what: string;
  /** Names the input, or the work, over restarts; empty where nothing brings it again. */
  readonly key: string;
  /** `ended`: it ended the process at once. Default: it hung. */
  readonly how?: "ended";
  /** The machine went down with the process: a power cut as a rule, in which what was under way had no part. */
  readonly withMachine?: true;
  /** Whoever supervises the process saw that somebody else ended it. */
  readonly byOthers?: true;
  /** Which code it was, as `begin` was told; none where nobody had told it. */
  readonly code?: string;
}

/** Another text for other code of this entity; undefined where it is not known. */
export type CodeOf = (entity: string) => string | undefined;

export interface Beginning {
  /** What the process before was in when it ended, if it did not end in order and was in anything. */
  readonly ended?: HungStep;
  /** Why it was not read, or will not be written. */
  readonly problem?: string;
}

export interface StepWatch {
  /**
   * The node's store is its own: from now on the name of what is under way outlives a process that ends at once. Once in a process; later calls do nothing.
   * Never throws: a node runs without it too.
   * @param codeOf is noted with what is under way from now on
   */
  begin(codeOf?: CodeOf): Beginning;
  /** An input is about to be stepped; it is over with the next one, or with `idle`. Cheap: called for every input. */
  stepping(entity: string, cell: string, what: string, key: string): void;
  /** No turn is under way. */
  idle(): void;
  /** Runs code of an actor outside of a turn, under its name; what was under way before has its own name again afterwards. As cheap as `stepping`. */
  within<V>(entity: string, cell: string, what: string, key: string, run: () => V): V;
  /** What ended this node's processes and is not settled; what ended the one before is in it after `begin`. */
  readonly hung: readonly HungStep[];
  /** Wall times of the deaths of an hour, ms, in which nothing of an actor was under way: what ends processes like that has nothing to do with actors. Default: none. */
  readonly idleDeaths?: readonly number[];
  /** It was taken, or went well, or was set aside for good: forgets it. */
  settled(entity: string, key: string): void;
}
