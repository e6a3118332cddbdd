// The lists and plain objects that a context is made of: copied, and frozen all through (hosting H11).

/** Those that are frozen all through. */
const frozen = new WeakSet<object>();

/** Has parts: a list or a plain object. Everything else has a way of its own to be what it is. */
export function isParted(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype || prototype === Array.prototype;
}

/** Getters stay what they are. */
export function copyOfParts(value: unknown, copies = new Map<object, unknown>()): unknown {
  if (!isParted(value)) return value;
  const known = copies.get(value);
  if (known !== undefined) return known;
  const copy = (Array.isArray(value) ? [] : Object.create(Object.getPrototypeOf(value) as object | null)) as Record<string, unknown>;
  copies.set(value, copy);
  if (Array.isArray(value)) copy["length"] = value.length;
  for (const key of Object.keys(value)) {
    const own = Object.getOwnPropertyDescriptor(value, key) as PropertyDescriptor;
    if ("value" in own && key !== "__proto__") copy[key] = copyOfParts(own.value, copies);
    else Object.defineProperty(copy, key, own);
  }
  return copy;
}

export function freezeParts(value: unknown): void {
  if (!isParted(value) || frozen.has(value)) return;
  frozen.add(value);
  for (const key of Object.keys(value)) freezeParts(partAt(value, key));
  Object.freeze(value);
}

/** What is worked out when it is read is no part of the state. */
export function partAt(holder: Readonly<Record<string, unknown>>, key: string): unknown {
  return Array.isArray(holder) ? (holder as Readonly<Record<string, unknown>>)[key] : Object.getOwnPropertyDescriptor(holder, key)?.value;
}

/** The same data, in which every part that stands as it does in `given` is that very part. */
export function withPartsOf(given: unknown, value: unknown): unknown {
  if (!isParted(given) || !isParted(value) || Array.isArray(given) !== Array.isArray(value)) return value;
  const known = Object.keys(given);
  const keys = Object.keys(value);
  let isSame = keys.length === known.length;
  let copy: Record<string, unknown> | undefined;
  for (const [at, key] of keys.entries()) {
    const before = partAt(value, key);
    const own = Object.hasOwn(given, key) ? partAt(given, key) : undefined;
    const part = withPartsOf(own, before);
    isSame &&= key === known[at] && Object.is(part, own);
    if (part === before) continue;
    copy ??= (Array.isArray(value) ? value.slice() : { ...value }) as Record<string, unknown>;
    copy[key] = part;
  }
  return isSame ? given : (copy ?? value);
}
