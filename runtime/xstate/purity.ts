// Time, chance and the outside world are out of reach while a machine is stepped, in production too (hosting H11).
//
// U1. The stand-ins are in place only between `enterPureCode` and its counterpart; both are synchronous, so no other code ever sees them.
// U2. A reach is a fault even where the author's code swallows what the stand-in throws.

import { DroverError } from "../errors.ts";

type Globals = Record<string, unknown>;

const scope = globalThis as unknown as Globals;
const RealDate = Date;
const realMath = Math;
let realRandom = Math.random;

let depth = 0;
let reached: DroverError | undefined;
let accessorsReplaced = false;
const saved: unknown[] = [];

function standIn(name: string, advice: string): () => never {
  return () => {
    reached = new DroverError("DROVER_IMPURE_STEP", `${name} was called while a machine was stepped; ${advice}`);
    throw reached;
  };
}

const TIME = "use now(self), or let the sender put the time into the event";
const LATER = "use `after`, or raise and sendTo with a delay";
const WORK = "move it into an effect or a task";

const noDate = standIn("Date", TIME);
const DateStandIn = new Proxy(RealDate, {
  construct: (target, args: unknown[], newTarget) => (args.length === 0 ? noDate() : (Reflect.construct(target, args, newTarget) as object)),
  apply: () => noDate(),
  get: (target, key, receiver): unknown => (key === "now" ? noDate : Reflect.get(target, key, receiver === DateStandIn ? target : receiver)),
});

const standIns: Readonly<Record<string, unknown>> = {
  Date: DateStandIn,
  setTimeout: standIn("setTimeout", LATER),
  setInterval: standIn("setInterval", LATER),
  setImmediate: standIn("setImmediate", LATER),
  queueMicrotask: standIn("queueMicrotask", WORK),
  fetch: standIn("fetch", WORK),
};
/** Accessors of the global object: replaced once, by accessors that ask whether a step is under way. */
const accessors: Readonly<Record<string, object>> = {
  performance: new Proxy({}, { get: standIn("performance", TIME) }),
  crypto: new Proxy({}, { get: standIn("crypto", "use random(self)") }),
};
const NAMES = Object.keys(standIns);
const noRandom = standIn("Math.random", "use random(self)");

/** True while author's code is stepped. */
export function isStepping(): boolean {
  return depth > 0;
}

export function enterPureCode(): void {
  if (depth++ > 0) return;
  reached = undefined;
  if (!accessorsReplaced) replaceAccessors();
  for (let at = 0; at < NAMES.length; at++) {
    const name = NAMES[at] as string;
    saved[at] = scope[name];
    scope[name] = standIns[name];
  }
  realRandom = realMath.random;
  realMath.random = noRandom;
}

export function leavePureCode(): void {
  if (--depth > 0) return;
  for (let at = 0; at < NAMES.length; at++) scope[NAMES[at] as string] = saved[at];
  realMath.random = realRandom;
}

/** Notes a reach for something outside that is not a global, e.g. a foreign ref. */
export function impure(detail: string): never {
  reached = new DroverError("DROVER_IMPURE_STEP", detail);
  throw reached;
}

/** What was reached for since the last call, if anything. */
export function takeReach(): DroverError | undefined {
  const found = reached;
  reached = undefined;
  return found;
}

function replaceAccessors(): void {
  accessorsReplaced = true;
  for (const [name, replacement] of Object.entries(accessors)) {
    const real = Object.getOwnPropertyDescriptor(globalThis, name);
    if (real?.get === undefined || real.configurable !== true) continue;
    const read = real.get;
    Object.defineProperty(globalThis, name, { ...real, get: () => (depth > 0 ? replacement : (read.call(globalThis) as unknown)) });
  }
}
