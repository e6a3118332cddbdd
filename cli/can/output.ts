// Text to a stream that may be slow or gone: writes wait for room, and a reader that has left (`| head`) is no error.

import type { Writable } from "node:stream";

export interface LineOutput {
  /** False once nobody reads any more. */
  readonly open: boolean;
  add(text: string): void;
  /** Hands over what was added, and waits until the stream has room. */
  flush(): Promise<void>;
  /** Stops listening to the stream. */
  release(): void;
}

/** @throws never; another failure than a closed pipe is rethrown by `flush` */
export function lineOutput(stream: Writable): LineOutput {
  let pending = "";
  let open = true;
  let failure: Error | undefined;
  const onError = (error: NodeJS.ErrnoException): void => {
    open = false;
    if (error.code !== "EPIPE" && error.code !== "ERR_STREAM_DESTROYED") failure = error;
  };
  const onClose = (): void => {
    open = false;
  };
  const rethrow = (): void => {
    if (failure !== undefined) throw failure;
  };
  stream.on("error", onError);
  stream.on("close", onClose);
  return {
    get open() {
      return open;
    },
    add: (text) => {
      pending += text;
    },
    flush: async () => {
      rethrow();
      if (!open || pending === "") return;
      const text = pending;
      pending = "";
      if (!stream.write(text)) await roomIn(stream);
      rethrow();
    },
    release: () => {
      stream.off("error", onError);
      stream.off("close", onClose);
      // A late EPIPE of a write that was handed over must not end the process.
      stream.on("error", () => undefined);
    },
  };
}

async function roomIn(stream: Writable): Promise<void> {
  if (stream.destroyed || !stream.writableNeedDrain) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ["drain", "close", "error"]) stream.off(event, done);
      resolve();
    };
    for (const event of ["drain", "close", "error"]) stream.on(event, done);
  });
}
