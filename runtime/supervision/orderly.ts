// What a start gave, held to the rules of what runs (workers/running.ts R1, R2): hosted children come from everywhere.
//
// N1. Its `exited` settles with an Exit whatever theirs does: what is none, a rejection too, is a failed end that says what was expected.
// N2. Asking it to end never throws.

import { DroverError } from "../errors.ts";
import { asError, type Exit, type Isolation, type Running } from "../workers/index.ts";

const EXPECTED = '{ kind: "normal" }, { kind: "shutdown", cause?: Error }, { kind: "failed", error: Error } or { kind: "killed", error: Error }';
const MAX_SHOWN = 200;

/** @throws DROVER_WORKER_FAILED for what is nothing that runs */
export function orderly(given: unknown): Running {
  const isThing = (typeof given === "object" && given !== null) || typeof given === "function";
  if (!isThing) throw new DroverError("DROVER_WORKER_FAILED", `its start gave ${shown(given)}; expected is what runs: { exited, stop, kill }`);
  const running = given as Partial<Record<keyof Running, unknown>>;
  const ask = (how: "stop" | "kill") => (): void => {
    try {
      (running as Running)[how]();
    } catch {
      // The deadline of the stop, and of the kill after it, say what became of it.
    }
  };
  return {
    exited: Promise.resolve(running.exited).then(exitOf, (error: unknown): Exit => ({ kind: "failed", error: asError(error) })),
    stop: ask("stop"),
    kill: ask("kill"),
    pid: running.pid as number | undefined,
    isolation: running.isolation as Isolation | undefined,
  };
}

function exitOf(value: unknown): Exit {
  return (
    readExit(value) ?? { kind: "failed", error: new DroverError("DROVER_WORKER_FAILED", `its end, what its exited resolved to, was ${shown(value)}; expected is ${EXPECTED}`) }
  );
}

/** Each part is read once: what a getter gave then is what counts. */
function readExit(value: unknown): Exit | undefined {
  try {
    const { kind } = value as { readonly kind: unknown };
    if (kind === "normal") return { kind };
    if (kind === "shutdown") {
      const { cause } = value as { readonly cause?: unknown };
      return cause === undefined ? { kind } : isSound(cause) ? { kind, cause } : undefined;
    }
    if (kind !== "failed" && kind !== "killed") return undefined;
    const { error } = value as { readonly error?: unknown };
    return isSound(error) ? { kind, error } : undefined;
  } catch {
    return undefined;
  }
}

/** An Error that can be told as it is. */
function isSound(value: unknown): value is Error {
  return asError(value) === value;
}

function shown(value: unknown): string {
  if (value === undefined) return "undefined";
  if (typeof value === "function") return "a function";
  try {
    return (typeof value === "object" || typeof value === "string" ? JSON.stringify(value) : (value as symbol).toString()).slice(0, MAX_SHOWN);
  } catch {
    return "a value that cannot be shown";
  }
}
