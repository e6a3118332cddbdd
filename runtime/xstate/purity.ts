// Time, chance and the outside world are out of reach while a machine is stepped, in production too (hosting H11).
//
// U1. The names are replaced once, by accessors that ask whether a step is under way: a step pays for a counter, everyone else for a getter.
// U2. A step is synchronous, so no other code ever meets a stand-in.
//     What code has captured before (`const { random } = Math`) is not replaced; lint reports it. Node's own modules: node-stand-ins.ts.
// U3. A reach is a fault even where the author's code swallows what the stand-in throws.

import { DroverError } from "../errors.ts";
import { type Guarded, guardNodeModules } from "./node-stand-ins.ts";

let depth = 0;
let modules: Guarded | undefined;
/** What was refused before, by another copy of Drover whose step is under way. */
let before: Guarded["refuse"];
let reached: DroverError | undefined;

const TIME = "use now(self), or let the sender put the time into the event";
const LATER = "use `after`, or raise and sendTo with a delay";
const WORK = "move it into an effect or a task";
const CHANCE = "use random(self)";

/** True while author's code is stepped. */
export function isStepping(): boolean {
  return depth > 0;
}

export function enterPureCode(): void {
  modules ??= install();
  if (depth++ > 0) return;
  reached = undefined;
  before = modules.refuse;
  modules.refuse = refuse;
}

export function leavePureCode(): void {
  if (--depth === 0) (modules as Guarded).refuse = before;
}

/** Notes a reach for something outside that is not a global, e.g. a foreign ref. */
export function impure(detail: string): never {
  reached = new DroverError("DROVER_IMPURE_STEP", detail);
  throw reached;
}

/** What was reached for since the last call, if anything. */
export function takeReach(): DroverError | undefined {
  const found = reached;
  if (found !== undefined) reached = undefined;
  return found;
}

/**
 * Runs author's code that is no step of a machine under the same guard, synchronously: a migration, or in a test a guard or an assign by itself.
 * @returns what it returns
 * @throws DROVER_IMPURE_STEP with the name and advice where it reached for time, chance, timers or the network, swallowed or not; and what it throws
 */
export function purely<V>(work: () => V): V {
  enterPureCode();
  let result: V;
  try {
    result = work();
  } finally {
    leavePureCode();
  }
  const reach = takeReach();
  if (reach !== undefined) throw reach;
  return result;
}

function refuse(name: string, advice: string): never {
  return impure(`${name} was called while a machine was stepped; ${advice}`);
}

function standIn(name: string, advice: string): () => never {
  return () => refuse(name, advice);
}

function install(): Guarded {
  const guarded = guardNodeModules({ time: TIME, later: LATER, chance: CHANCE });
  for (const name of ["setTimeout", "setInterval", "setImmediate"]) guard(globalThis, name, standIn(name, LATER));
  for (const name of ["queueMicrotask", "fetch"]) guard(globalThis, name, standIn(name, WORK));
  guard(globalThis, "Date", dateStandIn());
  guard(AbortSignal, "timeout", standIn("AbortSignal.timeout", LATER));
  guardNextTick();
  guard(process, "uptime", standIn("process.uptime", TIME));
  guard(process, "hrtime", new Proxy(standIn("process.hrtime", TIME), { get: standIn("process.hrtime", TIME) }));
  guardFormats();
  guard(globalThis, "performance", new Proxy({}, { get: standIn("performance", TIME) }));
  guard(globalThis, "crypto", new Proxy({}, { get: standIn("crypto", CHANCE) }));
  guard(Math, "random", standIn("Math.random", CHANCE));
  return guarded;
}

/** `Date` made from numbers or text is plain arithmetic and stays. */
function dateStandIn(): object {
  const none = standIn("Date", TIME);
  const real = Date;
  const fake: object = new Proxy(real, {
    construct: (target, args: unknown[], newTarget) => (args.length === 0 ? none() : (Reflect.construct(target, args, newTarget === fake ? target : newTarget) as object)),
    apply: none,
    get: (target, key): unknown => (key === "now" ? none : Reflect.get(target, key)),
  });
  return fake;
}

/** Node's own code calls it through the same property, e.g. where the console is written to, and may keep what it found there. */
function guardNextTick(): void {
  const real = Object.getOwnPropertyDescriptor(process, "nextTick")?.value as (...args: unknown[]) => unknown;
  const none = standIn("process.nextTick", WORK);
  const nextTick = (...args: unknown[]): unknown => (depth === 0 || isCalledByNode(nextTick) ? Reflect.apply(real, process, args) : none());
  guard(process, "nextTick", nextTick);
}

/** Whether Node's own code has called `called`. */
function isCalledByNode(called: (...args: never[]) => unknown): boolean {
  const { stackTraceLimit } = Error;
  const prepare = Object.getOwnPropertyDescriptor(Error, "prepareStackTrace");
  const at: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = 1;
    Error.prepareStackTrace = (_error, sites) => sites[0]?.getFileName();
    Error.captureStackTrace(at, called);
    return typeof at.stack === "string" && at.stack.startsWith("node:");
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
    if (prepare === undefined) Reflect.deleteProperty(Error, "prepareStackTrace");
    else Object.defineProperty(Error, "prepareStackTrace", prepare);
  }
}

/** A format of a date that is given none shows the present. */
function guardFormats(): void {
  const none = standIn("Intl.DateTimeFormat without a date", TIME);
  const formats = Intl.DateTimeFormat.prototype;
  const present = (format: (...args: unknown[]) => unknown) =>
    function (this: unknown, ...args: unknown[]): unknown {
      return depth > 0 && args[0] === undefined ? none() : Reflect.apply(format, this, args);
    };
  const { format, formatToParts: parts } = Object.getOwnPropertyDescriptors(formats);
  const read = format.get as (this: unknown) => (...args: unknown[]) => unknown;
  const get = function (this: unknown): unknown {
    const real = Reflect.apply(read, this, []);
    return depth > 0 ? present(real) : real;
  };
  Object.defineProperty(formats, "format", { ...format, get });
  Object.defineProperty(formats, "formatToParts", { ...parts, value: present(parts.value as (...args: unknown[]) => unknown) });
}

function guard(holder: object, name: string, replacement: unknown): void {
  const real = Object.getOwnPropertyDescriptor(holder, name);
  if (real?.configurable !== true) return;
  // Someone else may replace it later, e.g. the fake clock of a test.
  let value: unknown = real.value;
  const read = real.get === undefined ? (): unknown => value : (real.get.bind(holder) as () => unknown);
  const write = real.set?.bind(holder) ?? ((given: unknown): void => void (value = given));
  Object.defineProperty(holder, name, { configurable: true, enumerable: real.enumerable === true, get: () => (depth > 0 ? replacement : read()), set: write });
}
