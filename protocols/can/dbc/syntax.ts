// What the statements of a DBC file say, before anything refers to anything else: references (comments, labels, attributes) may stand before what they refer to.

import type { AttributeOwner, AttributeType, AttributeValue, MuxRange } from "../model/index.ts";

export interface At {
  readonly line: number;
  readonly column: number;
}

export interface SignalSyntax {
  readonly at: At;
  readonly name: string;
  /** `M`, `m3`, `m3M`, a lone `m`, or nothing. */
  readonly muxMark: { readonly isSwitch: boolean; readonly isChild: boolean; readonly value: number | undefined };
  readonly start: number;
  readonly size: number;
  readonly motorola: boolean;
  readonly signed: boolean;
  /** A bigint beyond 2^53, where it is a whole number. */
  readonly factor: number | bigint;
  readonly offset: number | bigint;
  readonly min: number | bigint;
  readonly max: number | bigint;
  readonly unit: string;
  readonly receivers: readonly string[];
}

/** A signal of which no use can be made: its line cannot be read, or its bits cannot be. */
export interface LostSignal {
  readonly at: At;
  /** Empty where not even that can be read. */
  readonly name: string;
  /** Whether other signals may have been selected by it; undefined where its line broke off before its mark. */
  readonly isSwitch: boolean | undefined;
}

export interface MessageSyntax {
  readonly at: At;
  /** As written: bit 31 marks an extended id. */
  readonly fileId: number;
  readonly name: string;
  readonly length: number;
  readonly sender: string;
  readonly signals: SignalSyntax[];
  readonly lost: LostSignal[];
}

/** What a comment, a set of labels or an attribute belongs to. */
export type Target =
  | { readonly kind: "network" }
  | { readonly kind: "node"; readonly name: string }
  | { readonly kind: "message"; readonly fileId: number }
  | { readonly kind: "signal"; readonly fileId: number; readonly signal: string }
  | { readonly kind: "environment"; readonly name: string };

export interface LabelsSyntax {
  readonly at: At;
  readonly target: Target;
  /** Name of a VAL_TABLE_, or the entries themselves. */
  readonly labels: string | ReadonlyMap<number | bigint, string>;
}

export interface AttributeSyntax {
  readonly at: At;
  readonly name: string;
  readonly target: Target;
  readonly value: AttributeValue;
}

export interface DbcSyntax {
  /** Statements with a known keyword, readable or not. */
  statements: number;
  version: string;
  readonly nodes: string[];
  readonly messages: MessageSyntax[];
  readonly valueTables: Map<string, ReadonlyMap<number | bigint, string>>;
  readonly labels: LabelsSyntax[];
  readonly comments: { readonly at: At; readonly target: Target; readonly text: string }[];
  readonly attributeTypes: Map<string, { readonly owner: AttributeOwner | "environment"; readonly type: AttributeType }>;
  readonly attributeDefaults: Map<string, AttributeValue>;
  readonly attributes: AttributeSyntax[];
  readonly senders: { readonly at: At; readonly fileId: number; readonly names: readonly string[] }[];
  readonly valueTypes: { readonly at: At; readonly fileId: number; readonly signal: string; readonly type: number }[];
  readonly muxRanges: { readonly at: At; readonly fileId: number; readonly signal: string; readonly switchName: string; readonly ranges: readonly MuxRange[] }[];
  end: At;
}
