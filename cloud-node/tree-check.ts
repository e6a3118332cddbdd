// The tree that another node announces, checked whole: it is shown beside all others, and one that does not fit must not hide them.

import { type DataLimits, isRecord, isText, isWallTime, plainDataProblem } from "../runtime/wire/index.ts";

const MAX_DEPTH = 20;
const MAX_NODES = 10_000;
const MAX_WORD_CHARACTERS = 256;
/** Of an error with its causes, or a stack. */
const MAX_TEXT_CHARACTERS = 262_144;
/** What the cause of an exit, and fields that a later version adds, may hold. */
const MORE: DataLimits = { depth: 16, items: 1_000, characters: MAX_TEXT_CHARACTERS };
const KNOWN: ReadonlySet<string> = new Set(["id", "kind", "strategy", "state", "restarts", "since", "lastExit", "note", "pid", "isolation", "children"]);

/** Why an unchecked value is no supervision tree, or undefined. States and kinds are words: a later version may have others. */
export function treeProblem(value: unknown): string | undefined {
  let left = MAX_NODES;
  return nodeProblem(value, "", 0);

  function nodeProblem(node: unknown, path: string, depth: number): string | undefined {
    if (depth > MAX_DEPTH) return `nested deeper than ${String(MAX_DEPTH)}`;
    if (--left < 0) return `more than ${String(MAX_NODES)} nodes`;
    if (!isRecord(node)) return `${path}: an object is expected`;
    const bad = fieldProblem(node);
    if (bad !== undefined) return `${path}/${bad}`;
    const children = node["children"];
    if (!Array.isArray(children)) return `${path}/children: a list is expected`;
    for (const [at, child] of children.entries()) {
      const problem = nodeProblem(child, `${path}/children/${String(at)}`, depth + 1);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
}

function fieldProblem(node: Readonly<Record<string, unknown>>): string | undefined {
  for (const field of ["id", "kind", "state"]) if (!isText(node[field], MAX_WORD_CHARACTERS)) return `${field}: a text is expected`;
  for (const field of ["strategy", "isolation"]) if (node[field] !== undefined && !isText(node[field], MAX_WORD_CHARACTERS)) return `${field}: a text is expected`;
  if (node["note"] !== undefined && !isText(node["note"], MAX_TEXT_CHARACTERS)) return "note: a text is expected";
  if (!isCount(node["restarts"])) return "restarts: a whole number from 0 is expected";
  if (node["pid"] !== undefined && !isCount(node["pid"])) return "pid: a whole number from 0 is expected";
  if (!isWallTime(node["since"])) return "since: a time in ms is expected";
  if (node["lastExit"] !== undefined && !isExit(node["lastExit"])) return "lastExit: reason, time, and texts are expected";
  const more = Object.fromEntries(Object.entries(node).filter(([field]) => !KNOWN.has(field)));
  const problem = plainDataProblem(more, MORE);
  return problem === undefined ? undefined : `: ${problem}`;
}

function isExit(exit: unknown): boolean {
  if (!isRecord(exit)) return false;
  const { reason, error, stack, at, ...more } = exit;
  const isTextOrAbsent = (text: unknown): boolean => text === undefined || isText(text, MAX_TEXT_CHARACTERS);
  return isText(reason, MAX_WORD_CHARACTERS) && isTextOrAbsent(error) && isTextOrAbsent(stack) && isWallTime(at) && plainDataProblem(more, MORE) === undefined;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
