// The chunks of a stream, until it ends or is not to be read any further: what has come by then still comes out.

export type ByteStream = NodeJS.ReadableStream & { destroy(error?: Error): unknown };

/** Destroys the stream at its end. @throws what the stream fails with, unless it is not to be read any more */
export async function* chunksOf(stream: ByteStream, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, undefined> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  let last: Uint8Array | undefined;
  const stop = (): void => {
    const held = stream.read() as Uint8Array | null;
    last = held ?? undefined;
    stream.destroy();
  };
  if (signal?.aborted === true) stop();
  signal?.addEventListener("abort", stop, { once: true });
  try {
    for (;;) {
      const next = await chunks.next().catch((error: unknown) => {
        if (signal?.aborted === true) return { done: true } as const;
        throw error;
      });
      if (next.done === true) break;
      yield next.value;
    }
    if (last !== undefined) yield last;
    return undefined;
  } finally {
    signal?.removeEventListener("abort", stop);
    await chunks.return?.();
  }
}
