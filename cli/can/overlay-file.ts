// An overlay file for `drover can decode --overlay`: YAML, `MESSAGE.SIGNAL: { factor, offset, unit, signed, source }`, laid over a database.

import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";

import { applyOverlay, type Database, type OverlayEntry } from "../../protocols/can/index.ts";
import { DroverError, type TextPosition } from "../../runtime/ports/index.ts";

const NUMBERS = new Set(["factor", "offset"]);
const TEXTS = new Set(["unit", "source"]);

/** @throws DROVER_CAN_OVERLAY_INVALID with file, line and column */
export function layOverlayFile(database: Database, text: string, file: string): Database {
  const outcome = applyOverlay(database, readEntries(text, file));
  if (outcome.kind === "laid") return outcome.database;
  const first = outcome.problems[0];
  throw invalid(first?.entry.position ?? { file, line: 1, column: 1 }, first?.message ?? "it does not fit");
}

function readEntries(text: string, file: string): readonly OverlayEntry[] {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, version: "1.2", schema: "core" });
  const at = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const broken = document.errors[0];
  if (broken !== undefined) throw invalid(at(broken.pos[0]), broken.message.split("\n")[0] ?? "not YAML");
  const { contents } = document;
  if (contents === null) return [];
  if (!isMap<Node>(contents)) throw invalid(at(offsetOf(contents)), "expected entries such as MESSAGE.SIGNAL: { factor: 0.125 }");
  return contents.items.map(({ key, value }) => {
    const name = isScalar(key) ? String(key.value) : "";
    const position = at(offsetOf(key));
    const dot = name.indexOf(".");
    if (dot < 1 || !isMap<Node>(value)) throw invalid(position, `expected MESSAGE.SIGNAL: { factor: 0.125 }, found "${name.slice(0, 60)}"`);
    const fields: Record<string, number | string | boolean> = {};
    for (const field of value.items) {
      const fieldName = isScalar(field.key) ? String(field.key.value) : "";
      const found = isScalar(field.value) ? field.value.value : undefined;
      const wanted = NUMBERS.has(fieldName) ? "number" : TEXTS.has(fieldName) ? "string" : fieldName === "signed" ? "boolean" : undefined;
      if (wanted === undefined) throw invalid(at(offsetOf(field.key)), `unknown key "${fieldName.slice(0, 60)}", expected factor, offset, unit, signed or source`);
      if (typeof found !== wanted) throw invalid(at(offsetOf(field.value ?? field.key)), `${fieldName}: expected a ${wanted}`);
      fields[fieldName] = found as number | string | boolean;
    }
    return { source: "", ...fields, message: name.slice(0, dot), signal: name.slice(dot + 1), position };
  });
}

function offsetOf(node: Node): number {
  return node.range?.[0] ?? 0;
}

function invalid(position: TextPosition, message: string): DroverError {
  return new DroverError("DROVER_CAN_OVERLAY_INVALID", `${position.file ?? ""}:${String(position.line)}:${String(position.column)}: ${message}`, { position });
}
