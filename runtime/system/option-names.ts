// The names that the options of a call may have: one that means nothing was meant to mean something, and is refused with the name that was perhaps meant.

import { formatComplaint, nearestName } from "../shape/index.ts";

const MAX_SHOWN_CHARACTERS = 64;

export interface UnknownOption {
  /** As a JSON Pointer names it. */
  readonly path: string;
  readonly message: string;
}

/** Each of them, so that a new one cannot be forgotten. */
export function optionNames<T>(names: Readonly<Record<keyof T, true>>): ReadonlySet<string> {
  return new Set(Object.keys(names));
}

/** The first that is not known; one that is `undefined` counts as not given. Cheap where there is none: it is asked for each message. */
export function unknownOption(given: object, known: ReadonlySet<string>): UnknownOption | undefined {
  // What is inherited is read as well.
  try {
    for (const name in given) if (!known.has(name) && (given as Readonly<Record<string, unknown>>)[name] !== undefined) return complaint(name, known);
    return undefined;
  } catch {
    return { path: "", message: "the options throw when they are read" };
  }
}

function complaint(name: string, known: ReadonlySet<string>): UnknownOption {
  const shown = name.slice(0, MAX_SHOWN_CHARACTERS);
  return {
    path: `/${shown.replaceAll("~", "~0").replaceAll("/", "~1")}`,
    message: formatComplaint("", { message: `the option "${shown}" is not known here`, expected: `one of ${[...known].join(", ")}`, suggestion: nearestName(name, known) }),
  };
}
