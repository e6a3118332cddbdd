// What a DBC reader has to say about a file: bounded, with positions.

import type { TextPosition } from "../../../runtime/ports/index.ts";
import type { Diagnostic } from "../model/index.ts";

/** Of each severity, so that no number of warnings hides an error. */
const MAX_KEPT = 1_000;
const MAX_QUOTED = 60;
/** Most names: shown as they are. */
const PLAIN = /^[ -~]{0,60}$/;

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

  add(severity: Diagnostic["severity"], message: string, at: { readonly line: number; readonly column: number }): void {
    const diagnostic: Diagnostic = { severity, message, position: this.position(at), ...(this.about === undefined ? {} : { about: this.position(this.about) }) };
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
