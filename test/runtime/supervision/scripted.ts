// A child that does what a test tells it, and writes down what was done to it. Asserts nothing.

import type { Exit, Running, Startable, StartContext } from "../../../runtime/workers/index.ts";

export interface Scripted extends Startable {
  /** Ends the present run as told. */
  end(exit: Exit): void;
  crash(message?: string): void;
  /** The next starts fail so, one after the other. */
  readonly failStarts: Error[];
  /** Starts wait until `release` is called. */
  holdStarts: boolean;
  release(): void;
  /** Ignores stop; only a kill ends it. */
  stubborn: boolean;
  starts: number;
}

/** @param journal takes "start a", "up a", "stop a", "kill a", "aborted a" */
export function scripted(id: string, journal: string[]): Scripted {
  let exit: ((exit: Exit) => void) | undefined;
  let release: (() => void) | undefined;
  const child: Scripted = {
    failStarts: [],
    holdStarts: false,
    stubborn: false,
    starts: 0,
    end: (how) => exit?.(how),
    crash: (message = `${id} crashed`) => exit?.({ kind: "failed", error: new Error(message) }),
    release: () => release?.(),
    async start({ signal }: StartContext): Promise<Running> {
      child.starts++;
      journal.push(`start ${id}`);
      if (child.holdStarts) {
        await new Promise<void>((resolve, reject) => {
          release = resolve;
          signal.addEventListener("abort", () => {
            journal.push(`aborted ${id}`);
            reject(new Error("aborted"));
          });
        });
      }
      const failure = child.failStarts.shift();
      if (failure !== undefined) throw failure;
      journal.push(`up ${id}`);
      const exited = new Promise<Exit>((resolve) => {
        exit = resolve;
      });
      return {
        exited,
        stop: () => {
          journal.push(`stop ${id}`);
          if (!child.stubborn) exit?.({ kind: "shutdown" });
        },
        kill: () => {
          journal.push(`kill ${id}`);
          exit?.({ kind: "killed", error: new Error(`${id} was killed`) });
        },
      };
    },
  };
  return child;
}
