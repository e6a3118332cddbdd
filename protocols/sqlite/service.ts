// What a thread does with the file that it owns: one kind for the journal, one for the log.

/** What a kind of file does with the calls of its facade. */
export interface Service {
  /** @throws what the facade is to be told */
  handle(call: string, argument: unknown): Handled;
  /** Told to the facade once the file is open. */
  readonly opened?: unknown;
}

export interface Handled {
  readonly value: unknown;
  /** The call was answered, but the connection must not be used again. */
  readonly failure?: unknown;
  /** Done once the call was answered; what it throws is a failure. */
  readonly afterwards?: () => void;
}
