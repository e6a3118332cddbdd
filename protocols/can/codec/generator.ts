// Database → TypeScript module, ahead of time: for processes that forbid code made at run time, and for programs that want the types of their messages. Its decoders give exactly what the
// compiled ones of this room give. A module stands by itself: it imports nothing.
//
// G2. A message has a type, a function `decode<Type>`, and for each signal with labels a const object of its labels. `decode` finds the message of an id.
// G3. A field is undefined where the frame is too short for it or its multiplexer selects something else. Its value is a double, as everywhere in this room; nothing is clamped.
// G4. What no frame can carry has no code, nor has a message whose code would be too large (C2): that is told.

import { type CanMessage, type CanSignal, type Database } from "../model/index.ts";
import { isThere, isTooLarge, literal, type PayloadNames, physicalExpression, rawExpression, switchesAbove } from "./expressions.ts";
import { commented, createIdentifiers, distinct, property, quoted } from "./generated-names.ts";
import { scale } from "./interpreter.ts";

export interface GeneratedModule {
  readonly text: string;
  readonly messages: number;
  /** Messages whose code would be too large. */
  readonly leftOut: readonly CanMessage[];
}

interface NamedSignal {
  readonly signal: CanSignal;
  /** As it is called in the file; numbered where several of the message have its name. */
  readonly name: string;
  /** The const object of its labels. */
  readonly labels: string | undefined;
}

interface NamedMessage {
  readonly message: CanMessage;
  /** Of its type; `decode` stands before that of its function. */
  readonly name: string;
  readonly signals: readonly NamedSignal[];
}

const EXTENDED_BIT = 0x8000_0000;
const PAYLOAD: PayloadNames = {
  byte: (at) => `d[${literal(at)}]!`,
  word: "words[0]",
  lowWord: "words[LOW]",
  highWord: "words[HIGH]",
  single: "singles[0]!",
  double: "doubles[0]!",
};
const WORDS = "const words = new Uint32Array(2);\n";
const SINGLES = "const singles = new Float32Array(words.buffer);\n";
const DOUBLES = `const doubles = new Float64Array(words.buffer);
doubles[0] = 1;
/** Which of the two words of a double is the high one, on this machine. */
const HIGH = words[1] === 0 ? 0 : 1;
const LOW = 1 - HIGH;
`;
const LABEL_OF = `/** The label of a value; undefined where it has none. */
export function labelOf<Label extends string>(labels: Readonly<Record<Label, number>>, value: number | undefined): Label | undefined {
  for (const label of Object.keys(labels) as Label[]) if (labels[label] === value) return label;
  return undefined;
}
`;

/** @param source what the database is called at the top of the module */
export function generateModule(database: Database, source: string): GeneratedModule {
  const possible = database.messages.filter(({ matchable }) => matchable);
  const leftOut = possible.filter((message) => isTooLarge(message, [message.signals]));
  const lacking = new Set(leftOut);
  const named = namedMessages(possible.filter((message) => !lacking.has(message)));
  const signals = named.flatMap((each) => each.signals);
  const parts = [
    `// Made by \`drover can generate\` from ${commented(source)}. Changes are lost when it is made again.
//
// A field is a physical value as a double, in the unit beside it; undefined where the frame is too short for it or the multiplexer selects something else.
`,
    ...floats(signals),
    ...(signals.some(({ labels }) => labels !== undefined) ? [LABEL_OF] : []),
    ...named.flatMap((each) => [messageType(each), ...each.signals.flatMap((signal) => labelsOf(each, signal)), messageDecoder(each)]),
    dispatch(named),
  ];
  return { text: parts.join("\n"), messages: named.length, leftOut };
}

function floats(signals: readonly NamedSignal[]): readonly string[] {
  const types = new Set(signals.map(({ signal }) => signal.type));
  const used = [...(types.has("float32") ? [SINGLES] : []), ...(types.has("float64") ? [DOUBLES] : [])];
  return used.length === 0 ? [] : [`${WORDS}${used.join("")}`];
}

function namedMessages(messages: readonly CanMessage[]): readonly NamedMessage[] {
  const identifier = createIdentifiers(["decode"]);
  const types = messages.map(({ name }) => identifier(name));
  return messages.map((message, at) => {
    const name = types[at] ?? "";
    const names = distinct(message.signals.map((signal) => signal.name));
    const signals = message.signals.map((signal, index): NamedSignal => {
      const signalName = names[index] ?? "";
      return { signal, name: signalName, labels: signal.labels === undefined || signal.labels.size === 0 ? undefined : identifier(`${name}_${signalName}`) };
    });
    return { message, name, signals };
  });
}

function messageType({ message, name, signals }: NamedMessage): string {
  const { id, kind, length, cycleTimeMs, senders, comment } = message;
  const facts = [
    ...(name === message.name ? [] : [quoted(message.name)]),
    `${kind} id 0x${id.toString(16).toUpperCase()}`,
    `${String(length)} bytes`,
    ...(cycleTimeMs === undefined ? [] : [`every ${String(cycleTimeMs)} ms`]),
    ...(senders.length === 0 ? [] : [`from ${senders.join(", ")}`]),
  ];
  const fields = signals.map((each) => `  ${doc(signalFacts(each), each.signal.comment)}\n  readonly ${property(each.name)}: number | undefined;\n`);
  return `${doc(facts, comment)}\nexport interface ${name} {\n${fields.join("")}}\n`;
}

function signalFacts({ signal: { unit, range, size, type }, labels }: NamedSignal): readonly string[] {
  return [
    unit === "" ? "no unit" : `in ${unit}`,
    ...(range === undefined ? [] : [`${String(range.min)} to ${String(range.max)}`]),
    ...(size > 53 && (type === "unsigned" || type === "signed") ? ["rounded to a double"] : []),
    ...(labels === undefined ? [] : [`labels: ${labels}`]),
  ];
}

function doc(facts: readonly string[], comment: string | undefined): string {
  return `/** ${commented([facts.join("; "), ...(comment === undefined || comment === "" ? [] : [comment])].join(". "))} */`;
}

/** Values as the decoder gives them, so that they can be compared with its fields. Of several values with one label the later have their raw value behind it. */
function labelsOf({ message }: NamedMessage, { signal, name, labels }: NamedSignal): readonly string[] {
  if (labels === undefined) return [];
  const entries = [...(signal.labels ?? [])].map(([raw, label]) => ({ raw, label, value: scale(signal, Number(raw)) })).filter(({ value }) => Number.isFinite(value));
  const seen = new Set<string>();
  const texts = distinct(
    entries.map(({ raw, label }) => {
      const text = seen.has(label) ? `${label} (${String(raw)})` : label;
      seen.add(label);
      return text;
    }),
  );
  const lines = entries.map(({ value }, at) => `  ${property(texts[at] ?? "")}: ${literal(value)},\n`);
  return [
    `${doc([`What ${message.name}.${name} can be, by its label`], undefined)}\nexport const ${labels} = {\n${lines.join("")}} as const;\nexport type ${labels} = keyof typeof ${labels};\n`,
  ];
}

/** Each switch is read and judged once, as in the compiled decoder. */
function messageDecoder({ message, name, signals }: NamedMessage): string {
  if (signals.length === 0) return `export function decode${name}(_data: Uint8Array): ${name} {\n  return {};\n}\n`;
  const above = switchesAbove(message, message.signals);
  const switches = [...above].map((signal) => {
    const at = literal(signal.index);
    return `  const t${at} = ${isThere(signal)};\n  const k${at} = t${at} ? ${rawExpression(signal, PAYLOAD)} : 0;\n`;
  });
  const fields = signals.map(({ signal, name: field }) => {
    const there = above.has(signal) ? `t${literal(signal.index)}` : isThere(signal);
    return `    ${property(field)}: ${there} ? ${physicalExpression(signal, PAYLOAD)} : undefined,\n`;
  });
  return `export function decode${name}(d: Uint8Array): ${name} {\n  const n = d.length;\n${switches.join("")}  return {\n${fields.join("")}  };\n}\n`;
}

/** Of several messages with one id and kind the last. */
function dispatch(messages: readonly NamedMessage[]): string {
  const byId = new Map(messages.map(({ message: { id, kind }, name }) => [kind === "extended" ? EXTENDED_BIT + id : id, name] as const));
  const kinds = [...byId.values()].map((name) => `\n  | { readonly message: ${quoted(name)}; readonly signals: ${name} }`);
  const cases = [...byId].map(([id, name]) => `    case ${literal(id)}:\n      return { message: ${quoted(name)}, signals: decode${name}(data) };\n`);
  return `/** A frame's message and what it says. */
export type Decoded =${kinds.length === 0 ? " never" : kinds.join("")};

/** The message with this id, of 29 bits where \`extended\`; undefined where there is none. */
export function decode(id: number, extended: boolean, data: Uint8Array): Decoded | undefined {
  switch (extended ? id + ${literal(EXTENDED_BIT)} : id) {
${cases.join("")}    default:
      return undefined;
  }
}
`;
}
