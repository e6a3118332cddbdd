// Database → DBC file that reads back as the same database.
//
// W1. Names that the format does not allow (over 32 characters, no C identifiers, twice in one message) get one that it does, and stand in the long-name attributes.
// W2. Everything else is data in quotes: `"` becomes `\"`, line breaks stay. The format cannot write a backslash at the end of a text: a blank follows it.
// W3. What cannot be referred to has no long name, and is written as it is: value tables, and of several messages with one id all but the last.
// W4. Where a multiplexer is more than one switch and single values, each selected signal has its SG_MUL_VAL_ as well.

import type { AttributeDefinition, AttributeOwner, AttributeValue, CanMessage, CanNode, CanSignal, Database, MuxCondition } from "../model/index.ts";
import { LONG_NAME } from "./attributes.ts";
import { NEW_SYMBOLS, NO_NODE } from "./keywords.ts";
import { shortNames } from "./short-names.ts";
import { encodeText } from "./text.ts";

export interface DbcWriteOptions {
  /** Default `utf-8`. Older tools read Windows-1252 alone. */
  readonly encoding?: "utf-8" | "cp1252";
}

export type DbcWriting =
  | { readonly kind: "written"; readonly bytes: Uint8Array }
  /** The text holds characters that Windows-1252 does not have. */
  | { readonly kind: "refused"; readonly message: string };

const EXTENDED_BIT = 0x8000_0000;
const UNMATCHABLE = 0xc000_0000;
/** What a reader takes for a name, though not all may. */
const WORD = /^[0-9A-Za-z_\u00A1-\uFEFE\uFF00-\uFFFF]+$/;
const OWNERS: Readonly<Record<AttributeOwner, string>> = { network: "", node: "BU_ ", message: "BO_ ", signal: "SG_ " };

/** What a message and its signals are called in the file. */
interface Written {
  readonly message: CanMessage;
  readonly fileId: number;
  readonly name: string;
  readonly signals: readonly { readonly signal: CanSignal; readonly name: string }[];
}

export function writeDbc(database: Database, { encoding = "utf-8" }: DbcWriteOptions = {}): DbcWriting {
  const bytes = encodeText(linesOf(database).join("\n"), encoding);
  return bytes === undefined ? { kind: "refused", message: "the database holds characters that Windows-1252 does not have; write it as UTF-8" } : { kind: "written", bytes };
}

function linesOf(database: Database): readonly string[] {
  const { nodes, valueTables, attributeDefinitions, version } = database;
  const nodeNames = distinctNames([...nodes.map(({ name }) => name), ...database.messages.flatMap(nodesOf)]);
  const node = (name: string): string => nodeNames.get(name) ?? name;
  const messages = writtenMessages(database.messages);
  const long = longNames(nodeNames, messages);
  const definitions = new Map<string, AttributeDefinition>([...attributeDefinitions, ...long.definitions]);
  const tables = [...valueTables.keys()];
  const shortTables = shortNames(tables);
  const attributes = attributeLines(database, messages, node, definitions);
  return [
    `VERSION ${text(version)}`,
    "",
    "NS_ :",
    ...[...NEW_SYMBOLS].map((symbol) => `\t${symbol}`),
    "",
    "BS_:",
    "",
    `BU_:${nodes.map(({ name }) => ` ${node(name)}`).join("")}`,
    ...[...valueTables.values()].map((labels, at) => `VAL_TABLE_ ${(WORD.test(tables[at] ?? "") ? tables : shortTables)[at] ?? ""} ${labelText(labels)};`),
    "",
    ...messages.flatMap((each) => [...messageLines(each, node), ""]),
    ...messages.flatMap(({ message, fileId }) => (message.senders.length > 1 ? [`BO_TX_BU_ ${String(fileId)} : ${message.senders.map(node).join(",")};`] : [])),
    ...commentLines(database, messages, node),
    ...[...definitions].map(([name, { owner, type }]) => `BA_DEF_ ${OWNERS[owner]} ${text(name)} ${typeText(type)};`),
    ...[...definitions].flatMap(([name, { default: value }]) =>
      value === undefined ? [] : [`BA_DEF_DEF_ ${text(name)} ${typeof value === "number" ? decimal(value) : text(value)};`],
    ),
    ...attributes,
    ...long.lines,
    ...messages.flatMap(({ fileId, signals }) =>
      signals.flatMap(({ signal: { labels }, name }) => (labels === undefined ? [] : [`VAL_ ${String(fileId)} ${name} ${labelText(labels)};`])),
    ),
    ...messages.flatMap(({ fileId, signals }) =>
      signals.flatMap(({ signal: { type }, name }) =>
        type === "float32" || type === "float64" ? [`SIG_VALTYPE_ ${String(fileId)} ${name} : ${type === "float32" ? "1" : "2"};`] : [],
      ),
    ),
    ...messages.flatMap(rangeLines),
    "",
  ];
}

function nodesOf({ senders, signals }: CanMessage): readonly string[] {
  return [...senders, ...signals.flatMap(({ receivers }) => receivers)];
}

/** Names in the file by names of the model. */
function distinctNames(names: readonly string[]): ReadonlyMap<string, string> {
  const distinct = [...new Set(names)];
  const short = shortNames(distinct);
  return new Map(distinct.map((name, at) => [name, short[at] ?? name] as const));
}

function writtenMessages(messages: readonly CanMessage[]): readonly Written[] {
  const names = distinctNames(messages.map(({ name }) => name));
  const lastOf = new Map(messages.map((message) => [fileIdOf(message), message] as const));
  return messages.map((message): Written => {
    const fileId = fileIdOf(message);
    const hidden = lastOf.get(fileId) !== message;
    const short = shortNames(message.signals.map(({ name }) => name));
    const asItIs = (name: string, other: string | undefined): string => (hidden && WORD.test(name) ? name : (other ?? name));
    return {
      message,
      fileId,
      name: asItIs(message.name, names.get(message.name)),
      signals: message.signals.map((signal, at) => ({ signal, name: asItIs(signal.name, short[at]) })),
    };
  });
}

/** A message that no frame can match stays one: its id is beyond 29 bits. */
function fileIdOf({ id, kind, matchable }: CanMessage): number {
  if (!matchable) return UNMATCHABLE + id;
  return kind === "extended" ? EXTENDED_BIT + id : id;
}

function messageLines({ message, fileId, name, signals }: Written, node: (name: string) => string): readonly string[] {
  const sender = message.senders[0];
  return [
    `BO_ ${String(fileId)} ${name}: ${String(message.length)} ${sender === undefined ? NO_NODE : node(sender)}`,
    ...signals.map(({ signal, name: signalName }) => {
      const { start, size, byteOrder, type, range, unit, receivers } = signal;
      const factor = decimal(signal.wholeScale?.factor ?? signal.factor);
      const offset = decimal(signal.wholeScale?.offset ?? signal.offset);
      const place = `${String(start)}|${String(size)}@${byteOrder === "intel" ? "1" : "0"}${type === "unsigned" ? "+" : "-"}`;
      const limits = `[${decimal(range?.min ?? 0)}|${decimal(range?.max ?? 0)}]`;
      return ` SG_ ${signalName}${muxMark(signal)} : ${place} (${factor},${offset}) ${limits} ${text(unit)} ${receivers.length === 0 ? NO_NODE : receivers.map(node).join(",")}`;
    }),
  ];
}

function muxMark({ isSwitch, mux }: CanSignal): string {
  if (mux === undefined) return isSwitch ? " M" : "";
  return ` m${whole(mux.ranges[0]?.low ?? 0)}${isSwitch ? "M" : ""}`;
}

function rangeLines({ message, fileId, signals }: Written): readonly string[] {
  const children = signals.flatMap(({ signal: { mux }, name }) => (mux === undefined ? [] : [{ mux, name }]));
  const roots = message.signals.filter(({ isSwitch, mux }) => isSwitch && mux === undefined);
  const isPlain = ({ switchIndex, ranges }: MuxCondition): boolean =>
    roots.length === 1 && roots[0]?.index === switchIndex && ranges.length === 1 && ranges[0]?.low === ranges[0]?.high;
  if (children.every(({ mux }) => isPlain(mux))) return [];
  return children.map(({ mux, name }) => {
    const ranges = mux.ranges.map(({ low, high }) => `${whole(low)}-${whole(high)}`).join(", ");
    return `SG_MUL_VAL_ ${String(fileId)} ${name} ${signals[mux.switchIndex]?.name ?? ""} ${ranges};`;
  });
}

function commentLines(database: Database, messages: readonly Written[], node: (name: string) => string): readonly string[] {
  const line = (target: string, comment: string | undefined): readonly string[] => (comment === undefined ? [] : [`CM_ ${target}${text(comment)};`]);
  return [
    ...line("", database.comment),
    ...database.nodes.flatMap(({ name, comment }) => line(`BU_ ${node(name)} `, comment)),
    ...messages.flatMap(({ message, fileId, signals }) => [
      ...line(`BO_ ${String(fileId)} `, message.comment),
      ...signals.flatMap(({ signal: { comment }, name }) => line(`SG_ ${String(fileId)} ${name} `, comment)),
    ]),
  ];
}

function attributeLines(
  database: Database,
  messages: readonly Written[],
  node: (name: string) => string,
  definitions: ReadonlyMap<string, AttributeDefinition>,
): readonly string[] {
  const lines = (target: string, { attributes }: Pick<CanNode, "attributes">): readonly string[] =>
    [...attributes].map(([name, value]) => `BA_ ${text(name)} ${target}${attributeText(value, definitions.get(name))};`);
  return [
    ...lines("", database),
    ...database.nodes.flatMap((each) => lines(`BU_ ${node(each.name)} `, each)),
    ...messages.flatMap(({ message, fileId, signals }) => [
      ...lines(`BO_ ${String(fileId)} `, message),
      ...signals.flatMap(({ signal, name }) => lines(`SG_ ${String(fileId)} ${name} `, signal)),
    ]),
  ];
}

/** The real names of what is called otherwise in the file, and the definitions of the attributes that hold them. */
function longNames(
  nodeNames: ReadonlyMap<string, string>,
  messages: readonly Written[],
): { readonly lines: readonly string[]; readonly definitions: ReadonlyMap<string, AttributeDefinition> } {
  const definitions = new Map<string, AttributeDefinition>();
  const line = (owner: keyof typeof LONG_NAME, target: string, short: string, name: string): readonly string[] => {
    if (short === name) return [];
    definitions.set(LONG_NAME[owner], { owner, type: { kind: "string" }, default: "" });
    return [`BA_ ${text(LONG_NAME[owner])} ${OWNERS[owner]}${target} ${text(name)};`];
  };
  const lines = [
    ...[...nodeNames].flatMap(([name, short]) => line("node", short, short, name)),
    ...messages.flatMap(({ message, fileId, name, signals }) => [
      ...line("message", String(fileId), name, message.name),
      ...signals.flatMap(({ signal, name: short }) => line("signal", `${String(fileId)} ${short}`, short, signal.name)),
    ]),
  ];
  return { lines, definitions };
}

function typeText(type: AttributeDefinition["type"]): string {
  switch (type.kind) {
    case "string":
      return "STRING ";
    case "enum":
      return `ENUM  ${type.labels.map(text).join(",")}`;
    case "integer":
    case "hex":
    case "float": {
      const keyword = { integer: "INT", hex: "HEX", float: "FLOAT" }[type.kind];
      return [keyword, ...[type.min, type.max].flatMap((end) => (end === undefined ? [] : [decimal(end)]))].join(" ");
    }
  }
}

/** An enumeration's value as its index, as most tools write it. */
function attributeText(value: AttributeValue, definition: AttributeDefinition | undefined): string {
  if (typeof value === "number") return decimal(value);
  const index = definition?.type.kind === "enum" ? definition.type.labels.indexOf(value) : -1;
  return index < 0 ? text(value) : String(index);
}

function labelText(labels: ReadonlyMap<number | bigint, string>): string {
  return [...labels].map(([raw, label]) => `${decimal(raw)} ${text(label)} `).join("");
}

function text(content: string): string {
  return `"${content.replaceAll('"', '\\"')}${content.endsWith("\\") ? " " : ""}"`;
}

/** Shortest text that reads as the same number, and as the same kind: a bigint alone is written as a whole number beyond 2^53. */
function decimal(value: number | bigint): string {
  if (typeof value === "bigint") return String(value);
  if (Object.is(value, -0)) return "-0";
  if (!Number.isFinite(value)) return value > 0 ? "1e999" : "-1e999";
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

function whole(value: number): string {
  return String(BigInt(value));
}
