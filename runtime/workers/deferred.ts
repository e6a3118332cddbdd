// A promise with its resolver beside it (Promise.withResolvers is not in Node 20).

export interface Deferred<T> {
  readonly promise: Promise<T>;
  /** The first call counts. */
  readonly resolve: (value: T) => void;
}

export function deferred<T>(): Deferred<T> {
  let settle: ((value: T) => void) | undefined;
  const promise = new Promise<T>((resolve) => {
    settle = resolve;
  });
  return { promise, resolve: (value) => settle?.(value) };
}
