// How a command ends (design section 10). Stable: scripts depend on these.

export const EXIT = {
  ok: 0,
  /** It did not work, and no other code says why. */
  failure: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** A file or value that was given is not valid. */
  invalid: 3,
  notFound: 4,
  conflict: 5,
  /** No token, a wrong one, or one that may not do this. */
  auth: 6,
  /** The node, or the owner of the actor, cannot be reached. */
  unreachable: 7,
  timeout: 8,
  /** Some of it worked; the output says what. */
  partial: 9,
  /** Ended by Ctrl-C before it was done. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];
