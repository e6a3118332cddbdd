// Live data to plain data and back (hosting H8). Plain data is what JSON and msgpackr carry alike.
//
// D1. What plain JSON lacks is written as an object with one key that begins with `$`: {"$ref"}, {"$undefined"}, {"$number"}, {"$text"}, {"$bare"} (an object without
//     a prototype: `in` finds no `constructor` there), {"$error"}, {"$snapshot"}, {"$lost"}. A text with half a character (a lone surrogate) is one that UTF-8 lacks.
// D2. A key of the author's that begins with `$` gets another `$`, so that no message can forge a ref.
// D3. What is not carried (functions, class instances, Map, bigint, symbols, cycles, holes and names of a list) is refused with its path.
// D4. Both directions return the same object where nothing in it needs a change.
// D5. What throws when it is read (a getter, a proxy) is not carried either. A proxy that can be read is carried as the copy of what it showed: what it does later is not known.
// D6. Promises in what is refused are quiet: a rejection that nobody waits for would end the process.
// D7. An error of the language is carried: its class, name, message, `cause` and own enumerable properties, without its stack. One of any other class would come back as another one:
//     what a step keeps of it is refused (D3); what is told to an actor (thrown, rejected, said by a source) is taken as one of the nearest class of the language, with as much of it as
//     is carried (named difference N21).

import { types } from "node:util";

import type { AnyStateMachine, AnyStateNode } from "xstate";

import { isA } from "../is-a.ts";
import { withPartsOf } from "./context-parts.ts";
import { DOUBLE, ERROR, HEADER, REF, SNAPSHOT, TAG, textBytes } from "./data-weight.ts";
import { COPY_NAMED, NAMED, nameOnList } from "./list-items.ts";
import { nodesById } from "./logic.ts";
import { isPromise, quietPromises } from "./promises.ts";
import { type CellFace, CellRef, type Destination, ForeignRef } from "./ref.ts";
import type { LogicSnapshot } from "./step-cell.ts";

const MAX_DEPTH = 200;
/** In one value: what shares parts again and again would grow without end when it is written out. */
const MAX_OBJECTS = 1_000_000;

let objects = 0;
let size = 0;

/** Of the last value that was encoded: about its bytes in MessagePack, and never fewer. */
export function encodedSize(): number {
  return size;
}

/** Whether UTF-8 carries a text: no half of a surrogate pair stands alone. */
export function isWellFormed(text: string): boolean {
  return (text as string & { isWellFormed(): boolean }).isWellFormed();
}

export class NotCarried extends Error {
  readonly path: string;

  constructor(path: string, what: string, advice?: string) {
    super(`${path === "" ? "the value" : path} is ${what}, which a durable actor cannot keep${advice === undefined ? "" : `: ${advice}`}`);
    this.name = "NotCarried";
    this.path = path;
  }
}

/** What decoding needs to know of the entity. */
export interface CodecHost {
  /** A volatile actor may hold anything: what is not carried is shown as `{"$lost"}` and comes back as undefined. */
  readonly isLenient: boolean;
  /** The ref of an incarnation of a cell, living or gone; equal arguments give the same ref. */
  refOf(address: string, incarnation: number, parentIncarnation: number): CellRef;
  /** The machine that a type path means. */
  machineOf(type: string): AnyStateMachine | undefined;
  typeOf(machine: AnyStateMachine): string | undefined;
}

function notCarried(host: CodecHost, path: string, what: string, advice?: string): { readonly $lost: string } {
  if (!host.isLenient) throw new NotCarried(path, what, advice);
  return { $lost: what };
}

let isToldNow = false;

/** As `encodeData`, of what no step has made: D7. */
export function encodeTold(value: unknown, host: CodecHost, path = ""): unknown {
  isToldNow = true;
  try {
    return encodeData(value, host, path);
  } finally {
    isToldNow = false;
  }
}

/** @throws NotCarried unless the host is lenient */
export function encodeData(value: unknown, host: CodecHost, path = "", depth = 0): unknown {
  if (depth === 0) size = 0;
  if (isLeaf(value)) return encodeLeaf(value);
  size += HEADER;
  switch (typeof value) {
    case "undefined":
      size += TAG;
      return { $undefined: true };
    case "object":
      return value === null ? null : encodeObject(value, host, path, depth);
    default:
      return notCarried(host, path, `a ${typeof value}`);
  }
}

/** What is always carried, so that nobody asks where it stands. */
type Leaf = string | number | boolean;

function isLeaf(value: unknown): value is Leaf {
  return typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

function encodeLeaf(value: Leaf): unknown {
  size += HEADER;
  if (typeof value === "string") return encodeText(value);
  if (typeof value === "boolean") return value;
  if (Number.isFinite(value) && !Object.is(value, -0)) {
    if ((value | 0) !== value) size += DOUBLE;
    return value;
  }
  size += TAG;
  return { $number: Object.is(value, -0) ? "-0" : String(value) };
}

function encodeText(text: string): unknown {
  const bytes = textBytes(text);
  size += bytes;
  if (bytes === text.length || isWellFormed(text)) return text;
  const written = JSON.stringify(text);
  size += TAG + written.length;
  return { $text: written };
}

function encodeObject(value: object, host: CodecHost, path: string, depth: number): unknown {
  try {
    return encodeReadable(value, host, path, depth);
  } catch (error) {
    if (!isA(error, NotCarried)) return notCarried(host, path, "something that throws when it is read");
    if (depth === 0) quietPromises(value);
    throw error;
  }
}

function encodeReadable(value: object, host: CodecHost, path: string, depth: number): unknown {
  if (CellRef.is(value)) {
    const cell = encodeCell(CellRef.cellOf(value));
    size += REF + cell.cell.length;
    return { $ref: cell };
  }
  if (value instanceof ForeignRef) {
    weigh(value.destination, host, depth);
    return { $ref: value.destination };
  }
  if (depth > MAX_DEPTH) return notCarried(host, path, `nested deeper than ${String(MAX_DEPTH)} levels, or contains itself`);
  if (depth === 0) objects = 0;
  if (++objects > MAX_OBJECTS) return notCarried(host, path, `one of more than ${String(MAX_OBJECTS)} objects`);
  if (Array.isArray(value) && Object.getPrototypeOf(value) === Array.prototype) return encodeList(value, host, path, depth);
  if (value instanceof Error) return encodeError(value, host, path, depth);
  if ("_nodes" in value && "machine" in value) {
    const snapshot = value as unknown as MachineSnapshot;
    const type = host.typeOf(snapshot.machine);
    return type === undefined ? notCarried(host, path, "a snapshot of a machine that is not registered") : { $snapshot: encodeSnapshot(snapshot, type, host, path, depth) };
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if ((prototype !== Object.prototype && prototype !== null) || Array.isArray(value)) {
    isPromise(value);
    return notCarried(host, path, `an instance of ${classOf(value)}`);
  }
  const plain = encodePlain(value as Readonly<Record<string, unknown>>, host, path, depth);
  if (prototype !== null) return plain;
  size += TAG;
  return { $bare: plain };
}

function encodeList(value: readonly unknown[], host: CodecHost, path: string, depth: number): unknown {
  const name = nameOnList(value);
  if (name !== undefined) return notCarried(host, `${path}/${name}`, NAMED, COPY_NAMED);
  let copy: unknown[] | undefined = types.isProxy(value) ? [] : undefined;
  for (let at = 0; at < value.length; at++) {
    // A hole would read back as undefined: not the same to forEach, map and in.
    const before = value[at];
    if (before === undefined && !(at in value)) return notCarried(host, `${path}/${String(at)}`, "a hole in a list");
    const plain = isLeaf(before) ? encodeLeaf(before) : encodeData(before, host, `${path}/${String(at)}`, depth + 1);
    if (copy === undefined && plain !== before) copy = value.slice(0, at);
    copy?.push(plain);
  }
  return copy ?? value;
}

function encodePlain(value: Readonly<Record<string, unknown>>, host: CodecHost, path: string, depth: number): unknown {
  const keys = Object.keys(value);
  if (Object.getOwnPropertySymbols(value).length > 0) return notCarried(host, path, "an object with a symbol for a key");
  let copy: Record<string, unknown> | undefined = types.isProxy(value) ? {} : undefined;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    if (key === "__proto__") return notCarried(host, `${path}/__proto__`, "a key with a meaning of its own");
    const bytes = textBytes(key);
    if (bytes !== key.length && !isWellFormed(key)) return notCarried(host, `${path}/${JSON.stringify(key)}`, "a key with half a character");
    const before = value[key];
    size += HEADER + bytes;
    const plain = isLeaf(before) ? encodeLeaf(before) : encodeData(before, host, `${path}/${key}`, depth + 1);
    const escaped = key.charCodeAt(0) === 36;
    if (copy === undefined && (plain !== before || escaped)) {
      copy = {};
      for (let prior = 0; prior < at; prior++) copy[keys[prior] as string] = value[keys[prior] as string];
    }
    if (copy !== undefined) copy[escaped ? `$${key}` : key] = plain;
  }
  return copy ?? value;
}

/** Counts the bytes of what is written as it is. */
function weigh(value: unknown, host: CodecHost, depth: number): void {
  size += TAG;
  encodeData(value, host, "", depth + 1);
}

function encodeCell(cell: CellFace): { readonly cell: string; readonly incarnation: number; readonly parent: number } {
  return { cell: cell.address, incarnation: cell.incarnation, parent: cell.parent?.incarnation ?? 0 };
}

/** D7. */
function encodeError(error: Error, host: CodecHost, path: string, depth: number): unknown {
  const { name, message } = error as { readonly name: unknown; readonly message: unknown };
  if (typeof name !== "string" || typeof message !== "string") return notCarried(host, path, "an error whose name or message is no text");
  if (underWay.has(error)) return notCarried(host, path, "an error that contains itself");
  const isExact = !isToldNow && !host.isLenient;
  if (isExact && !isOfTheLanguage(error)) return notCarried(host, path, `an instance of ${classOf(error)}`, "keep an Error with its name and message, or those as plain data");
  size += ERROR;
  const plain: Record<string, unknown> = { name: encodeText(name), message: encodeText(message) };
  const base = baseOf(error);
  if (base !== (ERRORS.get(name) ?? Error)) {
    size += TAG + base.name.length;
    plain["class"] = base.name;
  }
  const listed = Object.keys(error);
  const shown = SHOWABLE.filter((key) => listed.includes(key));
  if (shown.length > 0) {
    size += SHOWABLE.length * TAG;
    plain["shown"] = shown;
  }
  underWay.add(error);
  try {
    const extra = (keys: readonly string[]): Record<string, unknown> => encodeExtras(error, keys, host, path, depth);
    const own = listed.filter((key) => !DESCRIBED.has(key));
    const more = extra(isExact || own.includes("code") || !("code" in error) ? own : [...own, "code"]);
    if (Object.keys(more).length > 0) plain["more"] = more;
    const hidden = extra(HIDDEN.filter((key) => Object.hasOwn(error, key) && !own.includes(key)));
    if (Object.keys(hidden).length > 0) {
      size += TAG;
      plain["hidden"] = hidden;
    }
  } finally {
    underWay.delete(error);
  }
  return { $error: plain };
}

function encodeExtras(error: Error, keys: readonly string[], host: CodecHost, path: string, depth: number): Record<string, unknown> {
  const extras: Record<string, unknown> = {};
  for (const key of keys) {
    size += HEADER + textBytes(key);
    try {
      extras[key] = encodeData((error as unknown as Record<string, unknown>)[key], host, `${path}/${key}`, depth + 1);
    } catch (problem) {
      // Of what was told, extras are helpful, not promised: what is not carried is left out.
      if (!isToldNow) throw problem;
    }
  }
  return extras;
}

/** What an error is described by; a stack would differ from host to host. */
const DESCRIBED: ReadonlySet<string> = new Set(["name", "message", "stack", "__proto__"]);
/** Among its own enumerable properties where somebody has set them. */
const SHOWABLE: readonly string[] = ["name", "message"];
/** Set by the language as what no list of keys shows. */
const HIDDEN: readonly string[] = ["cause", "errors"];
/** They come back as what they were. */
const ERRORS: ReadonlyMap<string, ErrorConstructor> = new Map([Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((one) => [one.name, one]));
const underWay = new Set<Error>();

function baseOf(error: Error): ErrorConstructor {
  for (let prototype: unknown = Object.getPrototypeOf(error); ; prototype = Object.getPrototypeOf(prototype))
    for (const one of ERRORS.values()) if (one.prototype === prototype) return one;
}

function isOfTheLanguage(error: Error): boolean {
  return baseOf(error).prototype === Object.getPrototypeOf(error);
}

function classOf(value: object): string {
  return (value.constructor as { readonly name?: string } | undefined)?.name ?? "a class";
}

/** @throws Error when it was not written by `encodeData` */
export function decodeData(plain: unknown, host: CodecHost): unknown {
  if (typeof plain !== "object" || plain === null) return plain;
  if (Array.isArray(plain)) {
    let copy: unknown[] | undefined;
    for (let at = 0; at < plain.length; at++) {
      const value = decodeData(plain[at], host);
      if (value !== plain[at]) {
        copy ??= plain.slice() as unknown[];
        copy[at] = value;
      }
    }
    return copy ?? plain;
  }
  const record = plain as Readonly<Record<string, unknown>>;
  const keys = Object.keys(record);
  const only = keys.length === 1 ? (keys[0] as string) : "";
  if (only.charCodeAt(0) === 36 && only.charCodeAt(1) !== 36) return decodeTagged(only, record[only], host);
  let copy: Record<string, unknown> | undefined;
  for (let at = 0; at < keys.length; at++) {
    const key = keys[at] as string;
    const value = decodeData(record[key], host);
    const escaped = key.charCodeAt(0) === 36;
    if (copy === undefined && (value !== record[key] || escaped)) {
      copy = {};
      for (let prior = 0; prior < at; prior++) copy[keys[prior] as string] = record[keys[prior] as string];
    }
    if (copy !== undefined) copy[escaped ? key.slice(1) : key] = value;
  }
  return copy ?? plain;
}

function decodeTagged(tag: string, value: unknown, host: CodecHost): unknown {
  switch (tag) {
    case "$undefined":
    case "$lost":
      return undefined;
    case "$number":
      return Number(value);
    case "$text":
      return JSON.parse(String(value)) as string;
    case "$ref": {
      const ref = value as { readonly cell: string; readonly incarnation: number; readonly parent: number } | Destination;
      return "cell" in ref ? host.refOf(ref.cell, ref.incarnation, ref.parent) : new ForeignRef(ref);
    }
    case "$bare":
      return Object.assign(Object.create(null) as object, decodeData(value, host));
    case "$error":
      return decodeError(value as EncodedError, host);
    case "$snapshot":
      return decodeSnapshot(value as EncodedSnapshot, host);
    default:
      throw new Error(`unknown tag ${tag} in stored data`);
  }
}

interface EncodedError {
  readonly name: unknown;
  readonly message: unknown;
  /** Where its name does not tell it. */
  readonly class?: string;
  /** Of name and message: those that a list of its keys shows. */
  readonly shown?: readonly string[];
  readonly more?: Readonly<Record<string, unknown>>;
  readonly hidden?: Readonly<Record<string, unknown>>;
}

function decodeError(plain: EncodedError, host: CodecHost): Error {
  const name = decodeData(plain.name, host) as string;
  const message = decodeData(plain.message, host) as string;
  const error = new (ERRORS.get(plain.class ?? name) ?? Error)(message);
  hide(error, "name", name);
  for (const key of plain.shown ?? []) Object.defineProperty(error, key, { enumerable: true });
  hide(error, "stack", `${name}: ${message}`);
  for (const [key, value] of Object.entries(plain.more ?? {})) (error as unknown as Record<string, unknown>)[key] = decodeData(value, host);
  for (const [key, value] of Object.entries(plain.hidden ?? {})) hide(error, key, decodeData(value, host));
  return error;
}

function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: false });
}

/** What a durable actor sees of something thrown: the same as after a restart. Values that are not carried become an error that says so. */
export function carried(value: unknown, host: CodecHost): unknown {
  try {
    return decodeData(encodeTold(value, host), host);
  } catch (problem) {
    return decodeError({ name: "Error", message: `a value that cannot be kept: ${problem instanceof Error ? problem.message : "unknown"}` }, host);
  }
}

// ---- snapshots of machines

export interface MachineSnapshot extends LogicSnapshot {
  readonly machine: AnyStateMachine;
  readonly value: unknown;
  readonly _nodes: readonly AnyStateNode[];
  readonly historyValue: Readonly<Record<string, readonly AnyStateNode[]>>;
  readonly children: Readonly<Record<string, unknown>>;
}

/** What restoring a machine's configuration needs beside value and context. */
export interface EncodedConfiguration {
  /** Ids of the active nodes in their order, which decides between conflicting transitions; left out where one atomic node is active. */
  readonly nodes?: readonly string[];
  readonly history?: readonly (readonly [string, readonly string[]])[];
}

interface EncodedSnapshot extends EncodedConfiguration {
  readonly type: string;
  readonly status: LogicSnapshot["status"];
  readonly value: unknown;
  readonly context: unknown;
  readonly output: unknown;
  readonly error: unknown;
  readonly children: readonly (readonly [string, unknown])[];
}

export function encodeConfiguration(snapshot: LogicSnapshot): EncodedConfiguration {
  const { _nodes: nodes, historyValue } = snapshot as MachineSnapshot;
  const history = Object.entries(historyValue);
  const plain: { nodes?: readonly string[]; history?: readonly (readonly [string, readonly string[]])[] } = {};
  if (nodes.filter((node) => node.type === "atomic" || node.type === "final").length > 1) plain.nodes = nodes.map((node) => node.id);
  if (history.length > 0) plain.history = history.map(([id, remembered]) => [id, remembered.map((node) => node.id)]);
  return plain;
}

/** @throws Error when the machine has no such states */
export function restoreConfiguration(
  machine: AnyStateMachine,
  plain: EncodedConfiguration & { readonly status: LogicSnapshot["status"]; readonly value: unknown },
  context: unknown,
  output: unknown,
  error: unknown,
  children: Readonly<Record<string, unknown>>,
): LogicSnapshot {
  const historyValue = Object.fromEntries((plain.history ?? []).map(([id, nodes]) => [id, nodes.map((node) => nodeOf(machine, node))]));
  const snapshot = machine.resolveState({
    value: plain.value as never,
    // As the machine's own steps find it: what it is declared with is frozen (hosting H11).
    context: withPartsOf(machine.config.context, context),
    historyValue: historyValue as never,
  }) as unknown as Record<string, unknown>;
  if (plain.nodes !== undefined) {
    const nodes = plain.nodes.map((id) => nodeOf(machine, id));
    snapshot["_nodes"] = nodes;
    // Rebuilt from the order of the nodes, since a store may have reordered the keys.
    snapshot["value"] = valueOf(machine.root, nodes);
    snapshot["tags"] = new Set(nodes.flatMap((node) => node.tags));
  }
  snapshot["status"] = plain.status;
  snapshot["output"] = output;
  snapshot["error"] = error;
  snapshot["children"] = children;
  return snapshot as unknown as LogicSnapshot;
}

function nodeOf(machine: AnyStateMachine, id: string): AnyStateNode {
  const node = nodesById(machine).get(id);
  if (node === undefined) throw new Error(`machine "${machine.id}" has no state "#${id}"`);
  return node;
}

function valueOf(root: AnyStateNode, nodes: readonly AnyStateNode[]): unknown {
  const below = new Map<AnyStateNode, AnyStateNode[]>();
  for (const node of nodes) {
    if (node.parent === undefined) continue;
    const siblings = below.get(node.parent);
    if (siblings === undefined) below.set(node.parent, [node]);
    else siblings.push(node);
  }
  const value = (node: AnyStateNode): unknown => {
    const active = below.get(node);
    if (active === undefined) return {};
    const first = active[0];
    if (node.type === "compound" && first !== undefined && (first.type === "atomic" || first.type === "final")) return first.key;
    return Object.fromEntries(active.map((child) => [child.key, value(child)]));
  };
  return value(root);
}

function encodeSnapshot(snapshot: MachineSnapshot, type: string, host: CodecHost, path: string, depth: number): EncodedSnapshot {
  const configuration = encodeConfiguration(snapshot);
  size += SNAPSHOT + type.length;
  weigh(snapshot.value, host, depth);
  weigh(configuration, host, depth);
  return {
    type,
    status: snapshot.status,
    value: snapshot.value,
    ...configuration,
    context: encodeData(snapshot.context, host, `${path}/context`, depth + 1),
    output: encodeData(snapshot.output, host, `${path}/output`, depth + 1),
    error: encodeData(snapshot.error, host, `${path}/error`, depth + 1),
    children: Object.entries(snapshot.children).map(([id, child]) => {
      size += 2 * HEADER + textBytes(id);
      return [id, encodeData(child, host, `${path}/children/${id}`, depth + 1)];
    }),
  };
}

function decodeSnapshot(plain: EncodedSnapshot, host: CodecHost): unknown {
  const machine = host.machineOf(plain.type);
  if (machine === undefined) throw new Error(`no machine is registered for "${plain.type}"`);
  const children = Object.fromEntries(plain.children.map(([id, child]) => [id, decodeData(child, host)]));
  return restoreConfiguration(machine, plain, decodeData(plain.context, host), decodeData(plain.output, host), decodeData(plain.error, host), children);
}
