// How a request's parts are checked: query and path by their schemas, converted from text first; a message's body at its actor's door.

import { TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import type { FastifyInstance } from "fastify";
import type { TSchema } from "typebox";

/** Set in the schema of a body that stands for the reader only. */
export const CHECKED_ELSEWHERE = "x-checked-by-the-actor";

/** Set in the schema of a body that may be left out. */
export const OPTIONAL_BODY = "x-optional";

export function checkBySchema(app: FastifyInstance): void {
  app.setValidatorCompiler<TSchema>((part) => {
    // Headers that a route reads are checked where they are read, since each failure has words of its own.
    if (part.httpPart === "headers" || CHECKED_ELSEWHERE in part.schema) return (value: unknown) => ({ value });
    const check = TypeBoxValidatorCompiler(part) as (value: unknown) => { value: unknown };
    return OPTIONAL_BODY in part.schema ? (value: unknown) => (value === undefined ? { value } : check(value)) : check;
  });
}
