// How a request's parts are checked: query and path by their schemas, a message's body at its actor's door.
//
// V1. A query is text: only where its schema says integer, and the text is one, is it taken for a number. Nothing is rounded, trimmed or guessed, and a body is taken as it is.

import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";
import { Compile } from "typebox/compile";

/** Set in the schema of a body that stands for the reader only. */
export const CHECKED_ELSEWHERE = "x-checked-by-the-actor";
/** Set in the schema of a body that may be left out. */
export const OPTIONAL_BODY = "x-optional";

const MOST_PROBLEMS = 20;
const INTEGER = /^-?\d{1,15}$/;

export function checkBySchema(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>(({ schema, httpPart }) => {
    // Headers that a route reads are checked where they are read, since each failure has words of its own.
    if (httpPart === "headers" || CHECKED_ELSEWHERE in schema) return (value: unknown) => ({ value });
    let compiled: ReturnType<typeof Compile<TSchema>> | undefined;
    return (given: unknown) => {
      // A request without a body has null for one.
      if ((given === undefined || given === null) && OPTIONAL_BODY in schema) return { value: undefined };
      const value = httpPart === "querystring" ? fromText(given, schema) : given;
      compiled ??= Compile(schema);
      return compiled.Check(value) ? { value } : { error: compiled.Errors(value) };
    };
  });
}

export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** For a body whose problems have kinds of their own: its route says CHECKED_ELSEWHERE, and asks this. Compiled when it is first asked. */
export function bodyCheck(schema: TSchema): (given: unknown) => readonly FieldProblem[] {
  let compiled: ReturnType<typeof Compile<TSchema>> | undefined;
  return (given) => {
    compiled ??= Compile(schema);
    return compiled.Check(given) ? [] : fieldProblems(compiled.Errors(given));
  };
}

/** As few as say what is wrong. */
export function fieldProblems(
  errors: readonly { readonly keyword?: unknown; readonly instancePath: string; readonly message?: string; readonly params: unknown }[],
): readonly FieldProblem[] {
  return errors.slice(0, MOST_PROBLEMS).flatMap(({ keyword, instancePath, message, params }) => {
    const { additionalProperties, requiredProperties } = params as { readonly additionalProperties?: unknown; readonly requiredProperties?: unknown };
    if (keyword === "additionalProperties" && Array.isArray(additionalProperties))
      return additionalProperties.map((name) => ({ path: `${instancePath}/${String(name)}`, message: "is not known here" }));
    // The same one once more: the schema of what may stand there is `false`.
    if (keyword === "boolean") return [];
    if (keyword === "required" && Array.isArray(requiredProperties)) return requiredProperties.map((name) => ({ path: `${instancePath}/${String(name)}`, message: "is missing" }));
    const { allowedValues } = params as { readonly allowedValues?: unknown };
    if (keyword === "enum" && Array.isArray(allowedValues)) return [{ path: instancePath, message: `must be one of ${allowedValues.map(String).join(", ")}` }];
    return [{ path: instancePath, message: message ?? "is not valid" }];
  });
}

/** V1. A parameter that may be repeated is a list, however often it stands there. */
function fromText(query: unknown, schema: TSchema): unknown {
  const { properties } = schema as { readonly properties?: Readonly<Record<string, { readonly type?: string }>> };
  if (properties === undefined || typeof query !== "object" || query === null) return query;
  const entries = Object.entries(query).map(([name, text]: [string, unknown]) => {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (type === "integer" && typeof text === "string" && INTEGER.test(text)) return [name, Number(text)];
    return [name, type === "array" && !Array.isArray(text) ? [text] : text];
  });
  return Object.fromEntries(entries) as unknown;
}
