// What a DBC reader has to say about a file: bounded, with positions, each with a code that programs may go by.

import type { TextPosition } from "../../../runtime/ports/index.ts";
import type { Diagnostic } from "../model/index.ts";

/** Of each severity, so that no number of warnings hides an error. */
const MAX_KEPT = 1_000;
const MAX_QUOTED = 60;
/** Most names: shown as they are. */
const PLAIN = /^[ -~]{0,60}$/;

/** Stable: never renamed, never used for something else. */
export const DBC_CODES = [
  // Of the file as a whole.
  "too-large",
  "no-message",
  "nothing-to-match",
  // Of its text.
  "syntax",
  "unknown-statement",
  "semicolon-missing",
  "text-not-closed",
  "text-runs-on",
  "odd-name",
  // Of messages and where signals lie.
  "id-impossible",
  "id-not-marked-extended",
  "duplicate-id",
  "duplicate-name",
  "too-many-signals",
  "signal-without-message",
  "size-impossible",
  "start-impossible",
  "byte-order",
  "float-size",
  "beyond-length",
  "shared-bits",
  "shared-name",
  // Of multiplexers.
  "switch-missing",
  "switch-unknown",
  "switch-ambiguous",
  "switch-contradicted",
  "switch-circle",
  "switch-too-deep",
  "switch-inexact",
  "switch-lost",
  // Of what refers to something.
  "unknown-message",
  "unknown-signal",
  "unknown-node",
  "unknown-value-table",
  "comment-target",
  "attribute-type",
] as const;
export type DbcCode = (typeof DBC_CODES)[number];

export class DiagnosticLog {
  readonly #file: string | undefined;
  readonly #kept: Diagnostic[] = [];
  readonly #counts = { error: 0, warning: 0 };
  /** Where the message stands that everything from here on is about. */
  about: { readonly line: number; readonly column: number } | undefined;
  #suppressed = 0;
  #firstError: Diagnostic | undefined;

  constructor(file: string | undefined) {
    this.#file = file;
  }

  add(severity: Diagnostic["severity"], code: DbcCode, message: string, at: { readonly line: number; readonly column: number }): void {
    const diagnostic: Diagnostic = { severity, code, message, position: this.position(at), ...(this.about === undefined ? {} : { about: this.position(this.about) }) };
    if (severity === "error" && (this.#firstError === undefined || isBefore(diagnostic, this.#firstError))) this.#firstError = diagnostic;
    if (++this.#counts[severity] <= MAX_KEPT) this.#kept.push(diagnostic);
    else this.#suppressed++;
  }

  position(at: { readonly line: number; readonly column: number }): TextPosition {
    return this.#file === undefined ? { line: at.line, column: at.column } : { file: this.#file, line: at.line, column: at.column };
  }

  /** The error nearest to the top of the file, kept or not. */
  get firstError(): Diagnostic | undefined {
    return this.#firstError;
  }

  get suppressed(): number {
    return this.#suppressed;
  }

  inOrder(): readonly Diagnostic[] {
    return this.#kept.toSorted((a, b) => a.position.line - b.position.line || a.position.column - b.position.column);
  }
}

/** A piece of the file as it can be shown in one line of a message. */
export function quote(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  const line = text.slice(0, 2 * MAX_QUOTED).replace(/[\p{Cc}\p{Cf}]+/gu, " ");
  return `"${line.length > MAX_QUOTED ? `${line.slice(0, MAX_QUOTED)}…` : line}"`;
}

function isBefore(a: Diagnostic, b: Diagnostic): boolean {
  return a.position.line < b.position.line || (a.position.line === b.position.line && a.position.column < b.position.column);
}
