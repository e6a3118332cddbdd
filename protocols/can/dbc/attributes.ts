// Attributes: what is defined with which default, what a written value means, and which attributes are the format's own way to write long names.

import type { AttributeDefinition, AttributeValue } from "../model/index.ts";
import type { DbcSyntax } from "./syntax.ts";

/** The attributes that carry a name which is longer than the 32 characters of the format. They are read as the name, and are no attribute of the model. */
export const LONG_NAME = { node: "SystemNodeLongSymbol", message: "SystemMessageLongSymbol", signal: "SystemSignalLongSymbol" } as const;
const LONG_NAMES: ReadonlySet<string> = new Set(Object.values(LONG_NAME));

export function isLongName(attribute: string): boolean {
  return LONG_NAMES.has(attribute);
}

export function attributeDefinitions(syntax: DbcSyntax): ReadonlyMap<string, AttributeDefinition> {
  const definitions = new Map<string, AttributeDefinition>();
  for (const [name, { owner, type }] of syntax.attributeTypes) {
    if (owner === "environment" || isLongName(name)) continue;
    const value = syntax.attributeDefaults.get(name);
    definitions.set(name, { owner, type, default: value === undefined ? undefined : attributeMeaning(value, { type }) });
  }
  return definitions;
}

/** An enumeration's value is written as its index or as its label; here it is always the label, where the index has one. */
export function attributeMeaning(value: AttributeValue, definition: Pick<AttributeDefinition, "type"> | undefined): AttributeValue {
  const type = definition?.type;
  return type?.kind === "enum" && typeof value === "number" ? (type.labels[value] ?? value) : value;
}
