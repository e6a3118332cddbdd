// The only source of randomness (ids, jitter, turn seeds), so that a simulation can be repeated from one seed.

export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform unsigned 32-bit integer. */
  uint32(): number;
  /** A fresh 128-bit id: 32 lower-case hex digits. */
  id(): string;
}
