// What was thrown may be anything: a proxy that was revoked throws where `instanceof` asks it, and what looks at a failure must not fail of it.

/** As `value instanceof kind`; of what throws when it is asked false. */
export function isA<T>(value: unknown, kind: abstract new (...given: never[]) => T): value is T {
  try {
    return value instanceof kind;
  } catch {
    return false;
  }
}
