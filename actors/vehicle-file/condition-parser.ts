// Reads the text of a condition (grammar in condition.ts) with positions. Names are resolved through `names`, so that a wrong one is blamed at its letter.
//
// Bounded: at most 200 words and 32 open parentheses; never throws.

import type { Comparison, Condition } from "./condition.ts";
import type { Complaint } from "../../runtime/index.ts";
import { durationMs } from "./quantities.ts";

/** What a name stands for; the parser knows only these questions. */
export interface ConditionNames {
  /** Number for a comparison with this signal: from a label of it, or undefined when it has no such label. */
  readonly label: (signal: string, word: string) => number | undefined;
  readonly isSignal: (name: string) => boolean;
  readonly isCondition: (name: string) => boolean;
  readonly silentOf: (name: string) => "bus" | "module" | "signal" | undefined;
  readonly nearest: (name: string, kinds: readonly ("signal" | "condition" | "bus" | "module")[]) => string | undefined;
  /** Labels of a signal, for the message. */
  readonly labelsOf: (signal: string) => readonly string[];
}

export interface ConditionComplaint extends Complaint {
  /** Offset in the condition's text, in UTF-16 code units. */
  readonly at: number;
}

export type ParsedCondition = { readonly kind: "parsed"; readonly condition: Condition } | { readonly kind: "refused"; readonly complaints: readonly ConditionComplaint[] };

const MAX_WORDS = 200;
const MAX_OPEN = 32;
const COMPARISONS: readonly string[] = ["=", "!=", "<", "<=", ">", ">="] satisfies readonly Comparison[];
export const conditionKeywords: readonly string[] = ["and", "or", "not", "for", "silent"];

/** @param text the condition; `names` answers what its names stand for */
export function parseCondition(text: string, names: ConditionNames): ParsedCondition {
  const complaints: ConditionComplaint[] = [];
  const words = split(text, complaints);
  if (complaints.length > 0) return { kind: "refused", complaints };
  const reader: Reader = { words, next: 0, open: 0, names, complaints, end: text.length };
  const condition = either(reader);
  const rest = reader.words[reader.next];
  if (condition !== undefined && rest !== undefined) {
    reader.complaints.push(
      rest.kind === "name" && rest.text === "silent"
        ? { at: rest.at, message: `"silent" must follow a name`, expected: "NAME silent for DURATION" }
        : { at: rest.at, message: `"${rest.text}" cannot follow here`, expected: "and, or, for, or the end" },
    );
  }
  return condition === undefined || complaints.length > 0 ? { kind: "refused", complaints } : { kind: "parsed", condition };
}

interface Word {
  readonly kind: "name" | "number" | "duration" | "operator" | "label";
  readonly text: string;
  readonly at: number;
}

interface Reader {
  readonly words: readonly Word[];
  next: number;
  open: number;
  readonly names: ConditionNames;
  readonly complaints: ConditionComplaint[];
  readonly end: number;
}

const WORD =
  /(?<space>\s+)|(?<duration>[0-9]+(?:\.[0-9]+)?(?:ms|s|m|h|d)(?![A-Za-z0-9_.]))|(?<number>[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?(?![A-Za-z0-9_.]))|(?<name>[A-Za-z_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?)|(?<operator><=|>=|!=|[<>=()])|(?<label>"[^"]*")/uy;

/** Signs of other languages, and what is written here. */
const FOREIGN: readonly (readonly [string, string])[] = [
  ["==", "="],
  ["&&", "and"],
  ["||", "or"],
  ["<>", "!="],
];

function split(text: string, complaints: ConditionComplaint[]): Word[] {
  const words: Word[] = [];
  let at = 0;
  while (at < text.length) {
    WORD.lastIndex = at;
    const match = WORD.exec(text);
    const foreign = FOREIGN.find(([written]) => text.startsWith(written, at));
    if (match?.groups === undefined || foreign !== undefined) {
      const wrong = foreign?.[0] ?? /^[^\s()<>=]+/u.exec(text.slice(at))?.[0] ?? text.charAt(at);
      complaints.push({ at, message: `"${wrong.slice(0, 60)}" is not understood`, expected: foreign?.[1] ?? "a name, a number, a comparison, and, or, not, for, silent" });
      return words;
    }
    const kind = (["duration", "number", "name", "operator", "label"] as const).find((group) => match.groups?.[group] !== undefined);
    if (kind !== undefined) words.push({ kind, text: kind === "label" ? match[0].slice(1, -1) : match[0], at });
    if (words.length > MAX_WORDS) {
      complaints.push({ at, message: "the condition is too long", expected: `at most ${String(MAX_WORDS)} words` });
      return words;
    }
    at += match[0].length;
  }
  return words;
}

function either(reader: Reader): Condition | undefined {
  return series(reader, "or", "any", both);
}

function both(reader: Reader): Condition | undefined {
  return series(reader, "and", "all", negation);
}

function series(reader: Reader, word: string, kind: "all" | "any", part: (reader: Reader) => Condition | undefined): Condition | undefined {
  const first = part(reader);
  if (first === undefined) return undefined;
  const conditions = [first];
  while (takeName(reader, word)) {
    const next = part(reader);
    if (next === undefined) return undefined;
    conditions.push(next);
  }
  return conditions.length === 1 ? first : { kind, conditions };
}

function negation(reader: Reader): Condition | undefined {
  let negated = false;
  while (takeName(reader, "not")) negated = !negated;
  const condition = held(reader);
  return condition === undefined || !negated ? condition : { kind: "not", condition };
}

function held(reader: Reader): Condition | undefined {
  const condition = atom(reader);
  if (condition === undefined || !takeName(reader, "for")) return condition;
  const forMs = duration(reader);
  return forMs === undefined ? undefined : { kind: "held", condition, forMs };
}

function atom(reader: Reader): Condition | undefined {
  const word = reader.words[reader.next];
  if (word === undefined) return refuse(reader, undefined, "the condition ends too early", "a comparison, a condition's name, or (");
  if (word.kind === "operator" && word.text === "(") return parenthesised(reader, word);
  if (word.kind !== "name" || conditionKeywords.includes(word.text)) return refuse(reader, word, `"${word.text}" cannot stand here`, "a comparison, a condition's name, or (");
  reader.next++;
  const after = reader.words[reader.next];
  if (after?.kind === "name" && after.text === "silent") return silent(reader, word);
  if (after?.kind === "operator" && COMPARISONS.includes(after.text)) return comparison(reader, word, after);
  if (reader.names.isCondition(word.text)) return { kind: "named", name: word.text };
  if (reader.names.isSignal(word.text)) return refuse(reader, after, `the signal "${word.text}" is not compared with anything`, "= != < <= > >=");
  return refuse(reader, word, `there is no condition "${word.text}"`, undefined, reader.names.nearest(word.text, ["condition", "signal"]));
}

function parenthesised(reader: Reader, word: Word): Condition | undefined {
  reader.next++;
  reader.open++;
  if (reader.open > MAX_OPEN) return refuse(reader, word, "too many parentheses", `at most ${String(MAX_OPEN)} open at once`);
  const condition = either(reader);
  reader.open--;
  if (condition === undefined) return undefined;
  const closing = reader.words[reader.next];
  if (closing?.text !== ")" || closing.kind !== "operator") return refuse(reader, closing, "a parenthesis is not closed", ")");
  reader.next++;
  return condition;
}

function silent(reader: Reader, word: Word): Condition | undefined {
  reader.next++;
  if (!takeName(reader, "for")) return refuse(reader, reader.words[reader.next], `"silent" needs a duration`, "for DURATION");
  const forMs = duration(reader);
  if (forMs === undefined) return undefined;
  const of = reader.names.silentOf(word.text);
  if (of === undefined) return refuse(reader, word, `there is no bus, module or signal "${word.text}"`, undefined, reader.names.nearest(word.text, ["bus", "module", "signal"]));
  return { kind: "silent", of, name: word.text, forMs };
}

function comparison(reader: Reader, word: Word, operator: Word): Condition | undefined {
  reader.next++;
  const operand = reader.words[reader.next];
  if (!reader.names.isSignal(word.text)) return refuse(reader, word, `there is no signal "${word.text}"`, undefined, reader.names.nearest(word.text, ["signal"]));
  if (operand === undefined) return refuse(reader, undefined, "the comparison ends too early", "a number");
  reader.next++;
  const sign = operator.text as Comparison;
  if (operand.kind === "number") {
    const value = Number(operand.text);
    if (!Number.isFinite(value)) return refuse(reader, operand, `"${operand.text}" is too large`, "a number");
    return { kind: "compare", signal: word.text, comparison: sign, value };
  }
  const isWord = operand.kind === "label" || (operand.kind === "name" && !conditionKeywords.includes(operand.text));
  const value = isWord ? reader.names.label(word.text, operand.text) : undefined;
  if (value !== undefined) return { kind: "compare", signal: word.text, comparison: sign, value };
  const labels = reader.names.labelsOf(word.text);
  return refuse(
    reader,
    operand,
    isWord ? `"${operand.text}" is not a value of ${word.text}` : `"${operand.text}" cannot be compared with`,
    labels.length === 0 ? "a number" : `a number, or one of ${labels.slice(0, 12).join(", ")}`,
  );
}

function duration(reader: Reader): number | undefined {
  const word = reader.words[reader.next];
  const ms = word?.kind === "duration" ? durationMs(word.text) : undefined;
  if (ms === undefined || ms <= 0)
    return refuse(reader, word, word === undefined ? "the condition ends too early" : `"${word.text}" is not a duration`, "a duration such as 500ms, 5s, 2m");
  reader.next++;
  return ms;
}

function takeName(reader: Reader, text: string): boolean {
  const word = reader.words[reader.next];
  if (word?.kind !== "name" || word.text !== text) return false;
  reader.next++;
  return true;
}

function refuse(reader: Reader, word: Word | undefined, message: string, expected?: string, suggestion?: string): undefined {
  reader.complaints.push({ at: word?.at ?? reader.end, message, expected, suggestion });
  return undefined;
}
