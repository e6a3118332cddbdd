// Conditions: parsed, their names resolved, put in the order in which each comes after those it refers to. Guards written out in a command join them.

import type { CheckedFile } from "./checked-file.ts";
import type { Condition } from "./condition.ts";
import { type ConditionNames, conditionKeywords, parseCondition } from "./condition-parser.ts";
import type { ModelFile } from "./file-schemas.ts";
import type { CheckedBuses } from "./resolve-buses.ts";
import type { CheckedModules } from "./resolve-modules.ts";
import type { CheckedSignals } from "./resolve-signals.ts";
import type { ModelCondition } from "./vehicle-model.ts";

export interface CheckedConditions {
  /** In order of reference; guards written out come last. */
  readonly list: () => readonly ModelCondition[];
  /** The condition that a text at `path` means: the named one where it is a bare name, else one of its own. undefined where it was complained about. */
  readonly use: (path: readonly string[], text: string) => string | undefined;
  /** Parsed and resolved, but kept nowhere: for sections that are not acted on. */
  readonly check: (path: readonly string[], text: string) => void;
}

export function resolveConditions(file: CheckedFile, data: Partial<ModelFile>, buses: CheckedBuses, modules: CheckedModules, signals: CheckedSignals): CheckedConditions {
  const declared = new Set(file.keysAt(["conditions"]));
  const parsed = new Map<string, ModelCondition>();
  const broken = new Set(declared);
  const candidates = { signal: () => [...signals.keys()], condition: () => [...declared], bus: () => [...buses.keys()], module: () => [...modules.keys()] };
  const names: ConditionNames = {
    isSignal: (name) => signals.has(name),
    isCondition: (name) => declared.has(name),
    silentOf: (name) => (buses.has(name) ? "bus" : modules.has(name) ? "module" : signals.has(name) ? "signal" : undefined),
    label: (signal, word) => signals.get(signal)?.labels.find(([, label]) => label === word)?.[0],
    labelsOf: (signal) => signals.get(signal)?.labels.map(([, label]) => label) ?? [],
    nearest: (name, kinds) =>
      file.suggest(
        name,
        kinds.flatMap((kind) => candidates[kind]()),
      ),
  };
  const parse = (path: readonly string[], text: string): Condition | undefined => {
    const result = parseCondition(text, names);
    if (result.kind === "parsed") return result.condition;
    for (const complaint of result.complaints) file.complain(path, complaint, { within: complaint.at });
    return undefined;
  };

  for (const name of declared) {
    const path = ["conditions", name];
    if (conditionKeywords.includes(name)) file.complain(path, { message: `"${name}" is a word of conditions`, expected: "another name" }, { key: true });
    else if (signals.has(name) || buses.has(name) || modules.has(name))
      file.complain(
        path,
        { message: `"${name}" is already the name of a ${signals.has(name) ? "signal" : buses.has(name) ? "bus" : "module"}`, expected: "another name" },
        { key: true },
      );
    const text = data.conditions?.[name];
    const condition = text === undefined ? undefined : parse(path, text);
    if (text === undefined || condition === undefined) continue;
    parsed.set(name, { name, text, condition });
    broken.delete(name);
  }
  const ordered = inOrder(file, parsed);
  const written: ModelCondition[] = [];

  return {
    list: () => [...ordered, ...written],
    use: (path, text) => {
      const name = text.trim();
      if (declared.has(name)) return broken.has(name) ? undefined : name;
      const condition = parse(path, text);
      if (condition === undefined) return undefined;
      if (!written.some((known) => known.name === name)) written.push({ name, text: name, condition });
      return name;
    },
    check: (path, text) => {
      parse(path, text);
    },
  };
}

/** So deep may conditions refer to each other: the evaluator's stack grows with it. */
const MAX_DEPTH = 32;

/** Depth first; a circle is complained about at the condition that closes it. */
function inOrder(file: CheckedFile, parsed: ReadonlyMap<string, ModelCondition>): readonly ModelCondition[] {
  const done = new Set<string>();
  const ordered: ModelCondition[] = [];
  for (const start of parsed.keys()) {
    const open: { readonly name: string; readonly rest: string[] }[] = [{ name: start, rest: referredTo(parsed.get(start)?.condition) }];
    if (done.has(start)) continue;
    for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
      const next = top.rest.pop();
      if (next === undefined) {
        open.pop();
        const condition = parsed.get(top.name);
        if (condition !== undefined && !done.has(top.name)) ordered.push(condition);
        done.add(top.name);
      } else if (open.some((step) => step.name === next)) {
        const circle = [...open.slice(open.findIndex((step) => step.name === next)).map((step) => step.name), next];
        file.complain(["conditions", top.name], { message: `the conditions go in a circle: ${circle.join(" → ")}`, expected: "a condition that does not refer to itself" });
      } else if (open.length >= MAX_DEPTH) {
        file.complain(["conditions", top.name], { message: "conditions refer to each other too deeply", expected: `at most ${String(MAX_DEPTH)} deep` });
        return ordered;
      } else if (!done.has(next) && parsed.has(next)) open.push({ name: next, rest: referredTo(parsed.get(next)?.condition) });
    }
  }
  return ordered;
}

function referredTo(condition: Condition | undefined): string[] {
  if (condition === undefined) return [];
  if (condition.kind === "named") return [condition.name];
  if (condition.kind === "all" || condition.kind === "any") return condition.conditions.flatMap(referredTo);
  if (condition.kind === "held" || condition.kind === "not") return referredTo(condition.condition);
  return [];
}
