// How a failure is told: title, detail, advice for a person; one JSON object for a program. Always on standard error.

import type { Writable } from "node:stream";
import { DroverError, errorCatalogue } from "../../runtime/ports/index.ts";
import { paint } from "./colour.ts";
import { EXIT, type ExitCode } from "./exit-code.ts";
import { oneLine } from "./table.ts";

/** What a reader of a failure learns. */
export interface Failure {
  /** Stable name: an error code, or the type of an HTTP problem. */
  readonly code: string;
  /** What happened, one sentence. */
  readonly title: string;
  /** Particulars; may have several lines. */
  readonly detail?: string | undefined;
  /** What to do. */
  readonly advice?: string | undefined;
  readonly exit: ExitCode;
  /** Further members, e.g. the events that would be accepted. */
  readonly more?: Readonly<Record<string, unknown>> | undefined;
}

/** Thrown by a verb to end with this failure. */
export class CommandFailure extends Error {
  readonly failure: Failure;

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.title, options);
    this.name = "CommandFailure";
    this.failure = failure;
  }
}

/** Whatever a verb threw. A bug of ours keeps its stack. */
export function failureOf(thrown: unknown): Failure {
  if (thrown instanceof CommandFailure) return thrown.failure;
  if (thrown instanceof DroverError) {
    const { title, advice, exit } = errorCatalogue[thrown.code];
    return { code: thrown.code, title, detail: detailOf(thrown), advice, exit };
  }
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  return {
    code: "unexpected",
    title: "The command failed in a way that it does not know.",
    detail: error.stack ?? error.message,
    advice: "Report it with the text above.",
    exit: EXIT.failure,
  };
}

/** With its causes, each once. */
function detailOf(error: Error): string {
  const { cause } = error;
  return cause instanceof Error && !error.message.includes(cause.message) ? `${error.message}: ${detailOf(cause)}` : error.message;
}

export function tellFailure(err: Writable, failure: Failure, how: { readonly json: boolean; readonly hasColour: boolean }): void {
  const { code, title, detail, advice, exit, more } = failure;
  if (how.json) {
    err.write(`${JSON.stringify({ error: { code, title, ...(detail === undefined ? {} : { detail }), ...(advice === undefined ? {} : { advice }), exit, ...more } })}\n`);
    return;
  }
  const { bad, dim } = paint(how.hasColour);
  const lines = [`${bad("error:")} ${title}`];
  for (const line of (detail ?? "").split("\n")) if (line.trim() !== "") lines.push(`  ${oneLine(line)}`);
  for (const [name, value] of Object.entries(more ?? {})) lines.push(`  ${name}: ${oneLine(typeof value === "string" ? value : JSON.stringify(value))}`);
  if (advice !== undefined) lines.push(`  ${dim("→")} ${advice}`);
  err.write(`${lines.join("\n")}\n`);
}
