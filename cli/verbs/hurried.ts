// The end of a command that is asked to end now, whatever it waits for.

import { EXIT, type ExitCode } from "../terminal/index.ts";

export function hurried(signal: AbortSignal): Promise<ExitCode> {
  return new Promise((resolve) => {
    signal.addEventListener(
      "abort",
      () => {
        resolve(EXIT.interrupted);
      },
      { once: true },
    );
  });
}
