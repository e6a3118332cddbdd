// How a verb joins the command line: its commander command, examples before the reference, a body that is loaded when it is called.

import { type Command, InvalidArgumentError } from "commander";
import type { Verb } from "../terminal/index.ts";

export interface RunOptions {
  /** It hears the interrupt itself and ends what it began. Default false: an interrupt ends the command where it stands. */
  readonly endsInOrder?: boolean;
}

/** Runs the body of `command` and keeps its exit code; whatever it throws is told. */
export type Run = (command: Command, body: Verb, options?: RunOptions) => Promise<void>;

/** Adds a verb to its parent. */
export type AddVerb = (parent: Command, run: Run) => void;

type Examples = readonly (readonly [typed: string, purpose: string])[];

/** A command that only has others below it. Its help is had by --help, as everywhere; a `help` among its commands would be one more thing to read. */
export function group(parent: Command, name: string, description: string, typed: Examples): Command {
  const command = parent.command(name).description(description).helpCommand(false);
  examples(command, typed);
  return command;
}

/** Shown first in `--help`: what to type, and what for. */
export function examples(command: Command, lines: Examples): void {
  const width = Math.max(...lines.map(([typed]) => typed.length));
  const shown = lines.map(([typed, purpose]) => `  ${typed.padEnd(width)}  ${purpose}`.trimEnd());
  command.addHelpText("before", `Examples:\n${shown.join("\n")}\n`);
}

/** `500`, `500ms`, `10s`, `2m`: milliseconds. */
export function durationMs(text: string): number {
  const [, digits = "", unit = "ms"] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text.trim()) ?? [];
  const ms = Number(digits) * (unit === "m" ? 60_000 : unit === "s" ? 1_000 : 1);
  if (digits === "" || !(ms > 0) || ms > 86_400_000) throw new InvalidArgumentError("Expected a time such as 500ms, 10s or 2m, at most a day.");
  return Math.round(ms);
}

/** A whole number in a range. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw new InvalidArgumentError(`Expected a whole number from ${String(least)} to ${String(most)}.`);
    return value;
  };
}

/** For options that may be given several times. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}
