// A problem in a file: where, what, what was expected. All problems of a file are collected; a reader mends them in one go.

export interface Problem {
  readonly file: string;
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1, in UTF-16 code units. */
  readonly column: number;
  /** Keys from the root, joined by dots; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  /** A name that exists and is spelled alike. */
  readonly suggestion?: string;
}

/** What a problem says besides its place. */
export interface Complaint {
  readonly message: string;
  readonly expected?: string | undefined;
  readonly suggestion?: string | undefined;
}

/** One line for a person: `trailer.yaml:12:8: signals.Vehicle.Speed: … (expected …; did you mean …?)`. */
export function formatProblem(problem: Problem): string {
  const particulars = [
    ...(problem.expected === undefined ? [] : [`expected ${problem.expected}`]),
    ...(problem.suggestion === undefined ? [] : [`did you mean "${problem.suggestion}"?`]),
  ];
  const path = problem.path === "" ? "" : `${problem.path}: `;
  return `${problem.file}:${String(problem.line)}:${String(problem.column)}: ${path}${problem.message}${particulars.length === 0 ? "" : ` (${particulars.join("; ")})`}`;
}
