// Names of the model → names of a DBC file, which are C identifiers of at most 32 characters. What is none gets one of its own, and its real name in an attribute beside it.

import { KEYWORDS, NO_NODE } from "./keywords.ts";

const MAX_CHARACTERS = 32;
const NO_NAMES: ReadonlySet<string> = new Set([...KEYWORDS, NO_NODE]);
const IDENTIFIER = /^[A-Za-z_][0-9A-Za-z_]*$/;

/** Names by place, no two alike: a name that is an identifier and stands for the first time stays. */
export function shortNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>();
  const kept = names.map((name) => {
    const stays = name.length <= MAX_CHARACTERS && IDENTIFIER.test(name) && !NO_NAMES.has(name) && !taken.has(name);
    if (stays) taken.add(name);
    return stays;
  });
  /** By the first choice: the number to try next. */
  const next = new Map<string, number>();
  return names.map((name, at) => {
    if (kept[at] === true) return name;
    const words = name.slice(0, MAX_CHARACTERS).replace(/[^0-9A-Za-z_]/g, "_");
    const wanted = (/^[A-Za-z_]/.test(words) ? words : `_${words}`).slice(0, MAX_CHARACTERS);
    let short = wanted;
    let number = next.get(wanted) ?? 1;
    for (; taken.has(short) || NO_NAMES.has(short); number++) short = `${wanted.slice(0, MAX_CHARACTERS - 1 - String(number).length)}_${String(number)}`;
    next.set(wanted, number);
    taken.add(short);
    return short;
  });
}
