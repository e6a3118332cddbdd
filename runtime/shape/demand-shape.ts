// What code hands over is checked before anything is done with it, by the same walk as a file: all that is wrong at once, each with the key that it is about.

import { DroverError, type ErrorCode } from "../errors.ts";
import { checkShape, type Shape } from "./check-shape.ts";
import { locatedValue } from "./located-value.ts";
import { formatComplaint } from "./problem.ts";

/** More than this nobody mends in one go. */
const MAX_PROBLEMS = 20;

/**
 * @param about what the value is, for a reader: `the configuration`
 * @param each every line begins with it; default: only what is about the value as a whole
 * @throws `code` with every problem, a line each
 */
export function demandShape(value: unknown, shape: Shape, about: string, code: ErrorCode, each = false): void {
  const problems: string[] = [];
  checkShape(locatedValue(value), shape, [], (_at, path, complaint) => {
    problems.push(path.length === 0 || each ? `${about}: ${formatComplaint(path.join("."), complaint)}` : formatComplaint(path.join("."), complaint));
  });
  if (problems.length === 0) return;
  const more = problems.length - MAX_PROBLEMS;
  throw new DroverError(code, [...problems.slice(0, MAX_PROBLEMS), ...(more > 0 ? [`${String(more)} further problems are not shown`] : [])].join("\n"));
}

/** What is wrong with one value, for whoever is told so and not thrown at: `-5 is out of range (expected a whole number of at least 0)`. undefined: nothing. */
export function complaintAbout(value: unknown, shape: Shape): string | undefined {
  let first: string | undefined;
  checkShape(locatedValue(value), shape, [], (_at, path, complaint) => (first ??= formatComplaint(path.join("."), complaint)));
  return first;
}
