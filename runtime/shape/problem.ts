// A problem in a file, or in what code hands over: where, what, what was expected. All problems are collected; a reader mends them in one go.

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
  return `${problem.file}:${String(problem.line)}:${String(problem.column)}: ${formatComplaint(problem.path, problem)}`;
}

/** The same without the place. @param path keys from the root, joined by dots */
export function formatComplaint(path: string, { message, expected, suggestion }: Complaint): string {
  const particulars = [...(expected === undefined ? [] : [`expected ${expected}`]), ...(suggestion === undefined ? [] : [`did you mean "${suggestion}"?`])];
  return `${path === "" ? "" : `${path}: `}${message}${particulars.length === 0 ? "" : ` (${particulars.join("; ")})`}`;
}
