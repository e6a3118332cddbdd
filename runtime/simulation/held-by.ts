// A port as one process holds it: when the process has ended nothing comes through any more, in either direction; while it is paused everything waits.

import type { SimulatedProcess } from "./simulated-process.ts";

type Work = (...given: unknown[]) => unknown;

/**
 * @param port something outside of the process: methods with data and callbacks in, data and promises out
 * @param plain methods whose callbacks are asked for a value at once, and are therefore handed on as they are
 */
export function heldBy<T extends object>(process: SimulatedProcess, port: T, plain: readonly string[] = []): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value === "function") return method(process, target, value as Work, !plain.includes(String(name)));
      return isGroup(value) ? heldBy(process, value, plain) : value;
    },
  });
}

function method(process: SimulatedProcess, target: object, work: Work, guarded: boolean): Work {
  return (...given) => {
    if (!process.isAlive) return new Promise(() => undefined);
    return outward(
      process,
      work.apply(target, guarded ? given.map((value) => (typeof value === "function" ? inward(process, value as Work) : withInward(process, value))) : given),
    );
  };
}

/** What the process hears of a call: when it is there to hear it. */
function outward(process: SimulatedProcess, result: unknown): unknown {
  if (result instanceof Promise) {
    return new Promise((resolve, reject) => {
      result.then(
        (value: unknown) => {
          process.enter(() => {
            resolve(outward(process, value));
          });
        },
        (cause: unknown) => {
          process.enter(() => {
            // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- a rejection of the port, handed on as it is
            reject(cause);
          });
        },
      );
    });
  }
  return isGroup(result) ? heldBy(process, result) : result;
}

/** A callback of the process: whoever calls it gets a promise of its answer, if it gives one. */
function inward(process: SimulatedProcess, callback: Work): Work {
  return (...given) => {
    let answer: unknown;
    if (process.isAlive && !process.isPaused) answer = callback(...given);
    else
      answer = new Promise((resolve, reject) => {
        process.enter(() => {
          Promise.resolve(callback(...given)).then(resolve, reject);
        });
      });
    return answer;
  };
}

function withInward(process: SimulatedProcess, options: unknown): unknown {
  if (!isGroup(options)) return options;
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, typeof value === "function" ? inward(process, value as Work) : (value as unknown)]));
}

/** An object that carries methods: part of a port. */
function isGroup(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).some((member) => typeof member === "function");
}
