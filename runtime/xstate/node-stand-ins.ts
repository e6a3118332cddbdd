// The functions of Node's modules that are also globals, or do what globals do: out of reach while a machine is stepped, as those are (hosting H11; purity.ts).
//
// D1. Each is replaced once for a process or thread by a function that asks whether a step is under way, and the names that files have imported are told (`syncBuiltinESMExports`),
//     whenever they did. Outside of steps that is one comparison more in a call; a function that came from a module earlier by other ways (`require` and destructuring) stays as it is.
// D2. They stay plain properties, so that a test's fake clock or mock can take their place and give it back.
// D3. Copies of Drover in one process share them: whoever steps is asked, and nothing is wrapped twice or kept of a copy that is gone.

import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import { performance } from "node:perf_hooks";
import timers from "node:timers";
import promised from "node:timers/promises";

/** Notes a reach and throws. */
type Refuse = (name: string, advice: string) => never;

export interface Guarded {
  /** Set while a machine is stepped. */
  refuse: Refuse | undefined;
}

export interface StandInAdvice {
  readonly time: string;
  readonly later: string;
  readonly chance: string;
}

const SHARED = Symbol.for("drover.node-stand-ins.1");
type Call = (this: unknown, ...args: unknown[]) => unknown;

/** @returns what to set while a machine is stepped */
export function guardNodeModules({ time, later, chance }: StandInAdvice): Guarded {
  const found = Reflect.get(timers, SHARED) as Guarded | undefined;
  if (found !== undefined) return found;
  const guarded: Guarded = { refuse: undefined };
  const guard = (holder: object, module: string, names: readonly string[], advice: string): void => {
    for (const name of names) standIn(holder, name, `${name} of node:${module}`, advice, guarded);
  };
  Object.defineProperty(timers, SHARED, { value: guarded });
  guard(timers, "timers", ["setTimeout", "setInterval", "setImmediate"], later);
  guard(promised, "timers/promises", ["setTimeout", "setInterval", "setImmediate"], later);
  guard(Object.getPrototypeOf(promised.scheduler) as object, "timers/promises", ["wait", "yield"], later);
  guard(Object.getPrototypeOf(performance) as object, "perf_hooks", ["now", "timeOrigin", "mark", "measure", "toJSON", "eventLoopUtilization"], time);
  guard(crypto, "crypto", ["randomUUID", "randomInt", "randomBytes", "randomFill", "randomFillSync"], chance);
  guard(crypto, "crypto", ["generateKey", "generateKeySync", "generateKeyPair", "generateKeyPairSync", "generatePrime", "generatePrimeSync"], chance);
  guard(Object.getPrototypeOf(crypto.webcrypto) as object, "crypto", ["getRandomValues", "randomUUID"], chance);
  guard(process, "process", ["hrtime", "uptime"], time);
  guard(process.hrtime, "process", ["bigint"], time);
  syncBuiltinESMExports();
  return guarded;
}

function standIn(holder: object, name: string, what: string, advice: string, guarded: Guarded): void {
  const real = Object.getOwnPropertyDescriptor(holder, name);
  if (real?.configurable !== true) return;
  const asking = (call: Call): Call => {
    const called: Call = function (...args) {
      guarded.refuse?.(what, advice);
      return Reflect.apply(call, this, args);
    };
    // Its name, its length and what hangs on it, e.g. `util.promisify.custom`.
    return Object.defineProperties(called, Object.getOwnPropertyDescriptors(call));
  };
  if (typeof real.value === "function") Object.defineProperty(holder, name, { ...real, value: asking(real.value as Call) });
  else if ("get" in real) Object.defineProperty(holder, name, { ...real, get: asking(Reflect.get(real, "get") as Call) });
}
