// YAML 1.2 (core schema) read into a tree in which every key and value knows its place. Never throws, on any text.
//
// Y1. Bounded: text, number of nodes, depth. Aliases, anchors, merge keys and tags are refused: a vehicle's file is written out, so that a line can be blamed.
// Y2. Keys `on`, `off`, `yes`, `no` are refused in any case of letters: other readers of YAML take them for true and false.
// Y3. A key occurs once.

import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, Scalar } from "yaml";
import type { Complaint, Located, LocatedEntry, LocatedMap, LocatedScalar } from "../../runtime/index.ts";

export interface YamlComplaint extends Complaint {
  readonly at: number;
}

export interface LocatedText {
  /** undefined when the text is no YAML at all; otherwise what could be read beside the complaints. */
  readonly root: Located | undefined;
  readonly complaints: readonly YamlComplaint[];
  /** Line and column of an offset, from 1. */
  readonly place: (at: number) => { readonly line: number; readonly column: number };
}

const MAX_TEXT = 512_000;
const MAX_NODES = 50_000;
const MAX_DEPTH = 16;
/** Brackets deeper than this would exhaust the parser's stack before the depth of the tree is known. */
const MAX_OPEN_BRACKETS = 200;
const AMBIGUOUS_KEY = /^(on|off|yes|no)$/i;

export function readLocatedYaml(text: string): LocatedText {
  const lines = new LineCounter();
  const place = (at: number): { line: number; column: number } => {
    const { line, col } = lines.linePos(at);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const refuse = (message: string, expected?: string, at = 0): LocatedText => ({ root: undefined, complaints: [{ at, message, expected }], place });
  if (text.length > MAX_TEXT) return refuse(`the file has ${String(text.length)} characters`, `at most ${String(MAX_TEXT)}`);
  const tooDeep = firstTooDeepBracket(text);
  if (tooDeep !== undefined) return refuse("brackets are nested too deeply", `at most ${String(MAX_OPEN_BRACKETS)} open at once`, tooDeep);

  let document: ReturnType<typeof parseDocument>;
  try {
    document = parseDocument(text, {
      version: "1.2",
      schema: "core",
      lineCounter: lines,
      prettyErrors: false,
      uniqueKeys: false,
      merge: false,
      stringKeys: false,
      logLevel: "error",
    });
  } catch (error) {
    // Not reached by any text we know of; the parser's stack is its own.
    return refuse(`the text cannot be read as YAML: ${error instanceof Error ? error.message : String(error)}`);
  }
  const complaints: YamlComplaint[] = [...document.errors, ...document.warnings].map((error) => ({
    at: error.pos[0],
    message: error.code === "MULTIPLE_DOCS" ? "a second document begins here (expected one document in the file)" : firstLine(error.message),
  }));
  const walk = { text, complaints, nodes: 0 };
  const root = document.contents === null ? undefined : locate(document.contents, walk, 0);
  if (root === undefined && complaints.length === 0) complaints.push({ at: 0, message: "the file is empty" });
  return { root, complaints, place };
}

interface Walk {
  readonly text: string;
  readonly complaints: YamlComplaint[];
  nodes: number;
}

function locate(node: Node, walk: Walk, depth: number): Located | undefined {
  const at = node.range?.[0] ?? 0;
  walk.nodes++;
  if (walk.nodes > MAX_NODES) {
    if (walk.nodes === MAX_NODES + 1) walk.complaints.push({ at, message: "the file has too many values", expected: `at most ${String(MAX_NODES)}` });
    return undefined;
  }
  if (depth > MAX_DEPTH) {
    walk.complaints.push({ at, message: "values are nested too deeply", expected: `at most ${String(MAX_DEPTH)} levels` });
    return undefined;
  }
  if (isAlias(node)) {
    walk.complaints.push({ at, message: `alias *${node.source}: aliases are not used in these files`, expected: "the value written out" });
    return undefined;
  }
  if (node.anchor !== undefined) walk.complaints.push({ at, message: `anchor &${node.anchor}: anchors are not used in these files` });
  if (node.tag !== undefined && !node.tag.startsWith("tag:yaml.org,2002:")) walk.complaints.push({ at, message: `tag ${node.tag} is not of the core schema` });
  if (isMap(node)) return locateMap(node, at, walk, depth);
  if (isSeq(node)) {
    const items = node.items.map((item) => locate(item as Node, walk, depth + 1)).filter((item) => item !== undefined);
    return { kind: "list", at, items };
  }
  if (isScalar(node)) return locateScalar(node, at, walk);
  return undefined;
}

function locateMap(node: { readonly items: readonly unknown[] }, at: number, walk: Walk, depth: number): LocatedMap {
  const entries = new Map<string, LocatedEntry>();
  const seen = new Set<string>();
  for (const pair of node.items as readonly { readonly key: unknown; readonly value: unknown }[]) {
    const keyNode = pair.key as Node | null;
    const keyAt = keyNode?.range?.[0] ?? at;
    if (!isScalar(keyNode)) {
      walk.complaints.push({ at: keyAt, message: "a key is not a plain text", expected: "a name" });
      continue;
    }
    const key = typeof keyNode.value === "string" ? keyNode.value : (keyNode.source ?? "");
    if (keyNode.value === null || typeof keyNode.value === "boolean" || key === "") {
      walk.complaints.push({ at: keyAt, message: `"${key}" cannot be a key`, expected: "a name; quote it if it is meant as a text" });
      continue;
    }
    if (AMBIGUOUS_KEY.test(key)) {
      walk.complaints.push({
        at: keyAt,
        message: `"${key}" cannot be a key: other readers of YAML take it for ${/^(on|yes)$/i.test(key) ? "true" : "false"}`,
        expected: "another name",
      });
      continue;
    }
    if (seen.has(key)) {
      walk.complaints.push({ at: keyAt, message: `the key "${key}" occurs twice`, expected: "each key once" });
      continue;
    }
    seen.add(key);
    const valueNode = pair.value as Node | null;
    const value: Located | undefined = valueNode === null ? { kind: "scalar", at: keyAt, value: null, textAt: undefined } : locate(valueNode, walk, depth + 1);
    if (value !== undefined) entries.set(key, { keyAt, value });
  }
  return { kind: "map", at, entries };
}

function locateScalar(node: Scalar, at: number, walk: Walk): LocatedScalar {
  const raw: unknown = node.value;
  const value = typeof raw === "string" || typeof raw === "number" || typeof raw === "boolean" || raw === null ? raw : (node.source ?? null);
  if (typeof value !== "string") return { kind: "scalar", at, value, textAt: undefined };
  const start = at + (node.type === Scalar.QUOTE_SINGLE || node.type === Scalar.QUOTE_DOUBLE ? 1 : 0);
  return { kind: "scalar", at, value, textAt: walk.text.startsWith(value, start) ? start : undefined };
}

function firstTooDeepBracket(text: string): number | undefined {
  let open = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x5b || code === 0x7b) {
      open++;
      if (open > MAX_OPEN_BRACKETS) return at;
    } else if ((code === 0x5d || code === 0x7d) && open > 0) open--;
  }
  return undefined;
}

function firstLine(message: string): string {
  return message.split("\n", 1)[0] ?? message;
}
