// Whether a check against a schema takes no longer than what is checked is long: then nobody need watch it (rules M4).
//
// What is known to go through the value once is bounded; a pattern may go back for ever, a refinement is an author's function, and of what is not known here nothing is said.

/** Keywords whose values are no schemas, or say nothing of the value. */
const PLAIN: ReadonlySet<string> = new Set([
  ...["type", "const", "enum", "required", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"],
  ...["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"],
  ...["title", "description", "default", "examples", "$id", "$schema", "deprecated", "readOnly", "writeOnly", "~kind", "~optional", "~readonly"],
]);
/** Keywords whose value is a schema, or a list of them. */
const NESTED: ReadonlySet<string> = new Set(["items", "additionalItems", "additionalProperties", "anyOf", "allOf", "oneOf", "not"]);
/** Of a record with any names. */
const ANY_NAME = "^.*$";

export function isBounded(schema: unknown): boolean {
  if (typeof schema === "boolean") return true;
  if (Array.isArray(schema)) return schema.every(isBounded);
  if (typeof schema !== "object" || schema === null) return false;
  return Reflect.ownKeys(schema).every((keyword) => {
    if (typeof keyword === "symbol") return false;
    if (PLAIN.has(keyword)) return true;
    const value = (schema as Readonly<Record<string, unknown>>)[keyword];
    if (NESTED.has(keyword)) return isBounded(value);
    if (keyword === "properties") return Object.values(value as object).every(isBounded);
    if (keyword === "patternProperties") return Object.entries(value as object).every(([pattern, each]) => pattern === ANY_NAME && isBounded(each));
    return false;
  });
}
