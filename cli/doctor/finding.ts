// What a look at the machine finds: what, why it matters, what to do.

export interface Finding {
  /** Stable name of what was looked at, e.g. `disk`. */
  readonly check: string;
  /** `note`: worth knowing, and no reason to fail. */
  readonly status: "ok" | "note" | "problem";
  /** What was found. */
  readonly what: string;
  /** Why it matters; absent where all is well. */
  readonly why?: string;
  /** What to do. */
  readonly fix?: string;
  /** Numbers behind it. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

export function ok(check: string, what: string, facts?: Finding["facts"]): Finding {
  return { check, status: "ok", what, ...(facts === undefined ? {} : { facts }) };
}

export function note(check: string, what: string, why: string, fix: string, facts?: Finding["facts"]): Finding {
  return { check, status: "note", what, why, fix, ...(facts === undefined ? {} : { facts }) };
}

export function problem(check: string, what: string, why: string, fix: string, facts?: Finding["facts"]): Finding {
  return { check, status: "problem", what, why, fix, ...(facts === undefined ? {} : { facts }) };
}
