// What refers to messages, signals, nodes and the network, gathered before any of them is built. A reference to nothing is a diagnostic.

import type { AttributeDefinition, AttributeValue } from "../model/index.ts";
import { attributeMeaning, isLongName } from "./attributes.ts";
import { type DiagnosticLog, quote } from "./diagnostics.ts";
import type { MuxRangesOfSignal } from "./mux.ts";
import type { At, AttributeSyntax, DbcSyntax, LabelsSyntax, MessageSyntax, Target } from "./syntax.ts";

/** Everything that refers to one message. */
export interface References {
  readonly senders: string[];
  /** The long one. */
  name: string | undefined;
  comment: string | undefined;
  readonly attributes: Map<string, AttributeValue>;
  /** By the signal's short name, as all below. */
  readonly signalNames: Map<string, string>;
  readonly signalComments: Map<string, string>;
  readonly signalAttributes: Map<string, Map<string, AttributeValue>>;
  readonly labels: Map<string, ReadonlyMap<number | bigint, string>>;
  readonly valueTypes: Map<string, { readonly at: At; readonly type: number }>;
  readonly muxRanges: Map<string, MuxRangesOfSignal[]>;
}

/** Everything that refers to one node, or to the network. */
interface OwnerReferences {
  comment: string | undefined;
  readonly attributes: Map<string, AttributeValue>;
}

export interface AllReferences {
  readonly messages: ReadonlyMap<MessageSyntax, References>;
  /** By short name. */
  readonly nodes: ReadonlyMap<string, OwnerReferences>;
  /** Long names of nodes by their short ones. */
  readonly nodeNames: ReadonlyMap<string, string>;
  readonly network: OwnerReferences;
}

/** References of the message with this id (and signal); a diagnostic about `what` (and its name) and undefined when there is none. */
type Lookup = (fileId: number, signal: string | undefined, at: At, what: string, name?: string) => References | undefined;

export function gatherReferences(syntax: DbcSyntax, definitions: ReadonlyMap<string, AttributeDefinition>, log: DiagnosticLog): AllReferences {
  const known = indexByFileId(syntax.messages);
  const references = new Map<MessageSyntax, References>();
  const nodes = new Map(syntax.nodes.map((name): [string, OwnerReferences] => [name, { comment: undefined, attributes: new Map() }]));
  const nodeNames = new Map<string, string>();
  const network: OwnerReferences = { comment: undefined, attributes: new Map() };
  const of: Lookup = (fileId, signal, at, what, name) => {
    const entry = known.get(fileId);
    const message = signal === undefined ? entry?.last : entry?.bySignal.get(signal);
    if (entry !== undefined && message !== undefined) return remembered(references, message);
    const whose = name === undefined ? what : `${what} ${quote(name)}`;
    if (entry === undefined) log.add("warning", "unknown-message", `${whose} refers to message ${String(fileId)}, which does not exist`, at);
    else log.add("warning", "unknown-signal", `${whose} refers to ${quote(signal ?? "")}, which is no signal of message ${quote(entry.last.name)}`, at);
    return undefined;
  };
  const ofNode = (name: string, at: At, what: string): OwnerReferences | undefined => {
    const found = nodes.get(name);
    if (found === undefined) log.add("warning", "unknown-node", `${what} refers to node ${quote(name)}, which is not in BU_`, at);
    return found;
  };
  const addLongName = (target: Target, longName: string, at: At, name: string): void => {
    if (target.kind === "node") nodeNames.set(target.name, longName);
    else if (target.kind === "signal") of(target.fileId, target.signal, at, "attribute", name)?.signalNames.set(target.signal, longName);
    else if (target.kind === "message") {
      const found = of(target.fileId, undefined, at, "attribute", name);
      if (found !== undefined) found.name = longName;
    }
  };
  const addAttribute = ({ at, name, target, value }: AttributeSyntax): void => {
    if (isLongName(name)) {
      if (typeof value === "string" && value !== "") addLongName(target, value, at, name);
      return;
    }
    const meant = attributeMeaning(value, definitions.get(name));
    if (target.kind === "network") network.attributes.set(name, meant);
    else if (target.kind === "node") ofNode(target.name, at, "an attribute")?.attributes.set(name, meant);
    else if (target.kind === "message") of(target.fileId, undefined, at, "attribute", name)?.attributes.set(name, meant);
    else if (target.kind === "signal") addSignalAttribute(of(target.fileId, target.signal, at, "attribute", name), target.signal, name, meant);
  };

  for (const { at, fileId, names } of syntax.senders) {
    const found = of(fileId, undefined, at, "BO_TX_BU_");
    for (const name of names) found?.senders.push(name);
  }
  for (const { at, target, text } of syntax.comments) {
    if (target.kind === "signal") of(target.fileId, target.signal, at, "a comment")?.signalComments.set(target.signal, text);
    else if (target.kind !== "environment") {
      const found = target.kind === "network" ? network : target.kind === "node" ? ofNode(target.name, at, "a comment") : of(target.fileId, undefined, at, "a comment");
      if (found !== undefined) found.comment = text;
    }
  }
  for (const entry of syntax.labels) addLabels(entry, syntax, log, of);
  for (const { at, fileId, signal, type } of syntax.valueTypes) of(fileId, signal, at, "SIG_VALTYPE_")?.valueTypes.set(signal, { at, type });
  for (const { at, fileId, signal, switchName, ranges } of syntax.muxRanges) {
    const found = of(fileId, signal, at, "SG_MUL_VAL_");
    const entry = { at, switchName, ranges };
    const present = found?.muxRanges.get(signal);
    if (present === undefined) found?.muxRanges.set(signal, [entry]);
    else present.push(entry);
  }
  syntax.attributes.forEach(addAttribute);
  return { messages: references, nodes, nodeNames, network };
}

/** Messages by the id as written; of several with one id the last, and for a signal's name the last that has it. */
function indexByFileId(messages: readonly MessageSyntax[]): ReadonlyMap<number, { readonly last: MessageSyntax; readonly bySignal: ReadonlyMap<string, MessageSyntax> }> {
  const known = new Map<number, { last: MessageSyntax; readonly bySignal: Map<string, MessageSyntax> }>();
  for (const message of messages) {
    const entry = known.get(message.fileId) ?? { last: message, bySignal: new Map<string, MessageSyntax>() };
    entry.last = message;
    for (const signal of message.signals) entry.bySignal.set(signal.name, message);
    known.set(message.fileId, entry);
  }
  return known;
}

function remembered(references: Map<MessageSyntax, References>, message: MessageSyntax): References {
  const present = references.get(message);
  if (present !== undefined) return present;
  const fresh: References = {
    senders: [],
    name: undefined,
    comment: undefined,
    attributes: new Map(),
    signalNames: new Map(),
    signalComments: new Map(),
    signalAttributes: new Map(),
    labels: new Map(),
    valueTypes: new Map(),
    muxRanges: new Map(),
  };
  references.set(message, fresh);
  return fresh;
}

function addLabels(entry: LabelsSyntax, syntax: DbcSyntax, log: DiagnosticLog, of: Lookup): void {
  if (entry.target.kind !== "signal") return;
  const labels = typeof entry.labels === "string" ? syntax.valueTables.get(entry.labels) : entry.labels;
  if (labels === undefined)
    log.add("warning", "unknown-value-table", `VAL_ refers to the table ${quote(typeof entry.labels === "string" ? entry.labels : "")}, which does not exist`, entry.at);
  else of(entry.target.fileId, entry.target.signal, entry.at, "VAL_")?.labels.set(entry.target.signal, labels);
}

function addSignalAttribute(found: References | undefined, signal: string, name: string, value: AttributeValue): void {
  if (found === undefined) return;
  const attributes = found.signalAttributes.get(signal) ?? new Map<string, AttributeValue>();
  attributes.set(name, value);
  found.signalAttributes.set(signal, attributes);
}
