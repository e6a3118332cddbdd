// Where children that were added to a supervisor at run time are kept, so that they come back with the process.

export interface KeptChild {
  readonly id: string;
  /** JSON; what it is made of. */
  readonly data: unknown;
}

/** The added children of one supervisor: a whole list at a time, all or nothing. Both may reject. */
export interface KeptChildren {
  load(): Promise<readonly KeptChild[]>;
  /** Resolves when it is durable. */
  save(children: readonly KeptChild[]): Promise<void>;
}
