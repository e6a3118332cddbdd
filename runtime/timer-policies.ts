// What becomes of a timer whose time passes unwatched (rules K1), as whoever writes an actor says it.

import type { TimerPolicy } from "./entity/contract.ts";
import { describe, formatComplaint, locatedValue, nearestName } from "./shape/index.ts";

const WORDS: readonly TimerPolicy[] = ["remaining", "absolute", "skip"];
const EXPECTED = "remaining, absolute, skip, or { each: n } with a whole number n from 1";

/** What is wrong with it, in words; undefined: nothing. @param where the keys that lead to it, joined by dots */
export function policyProblem(where: string, given: unknown): string | undefined {
  if ((WORDS as readonly unknown[]).includes(given)) return undefined;
  if (typeof given !== "object" || given === null || Array.isArray(given))
    return formatComplaint(where, { message: `${shown(given)} stands here`, expected: EXPECTED, suggestion: meant(given) });
  const wrong = Object.keys(given).find((key) => key !== "each");
  if (wrong !== undefined)
    return formatComplaint(`${where}.${wrong}`, { message: `the key "${wrong}" is not known here`, expected: '"each"', suggestion: nearestName(wrong, ["each"]) });
  const { each } = given as { readonly each?: unknown };
  return Number.isSafeInteger(each) && (each as number) >= 1
    ? undefined
    : formatComplaint(`${where}.each`, { message: `${shown(each)} stands here`, expected: "a whole number of at least 1" });
}

function meant(given: unknown): string | undefined {
  return typeof given === "string" ? nearestName(given, WORDS as readonly string[]) : undefined;
}

function shown(given: unknown): string {
  return describe(locatedValue(given));
}
