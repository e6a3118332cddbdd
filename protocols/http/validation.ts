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
