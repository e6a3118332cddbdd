import { test } from "tap";

import { isBounded } from "../../../runtime/actor/bounded-schema.ts";
import { T } from "../../../runtime/index.ts";

test("M4. a schema is bounded where it is known that a check goes through the value once", (t) => {
  const bounded = {
    text: T.String({ minLength: 1, maxLength: 8, description: "a word" }),
    number: T.Integer({ minimum: 0, multipleOf: 2 }),
    word: T.Union([T.Literal("on"), T.Literal("off"), T.Null()]),
    list: T.Array(T.Tuple([T.Number(), T.Optional(T.Boolean())]), { maxItems: 3 }),
    both: T.Intersect([T.Object({ a: T.Unknown() }), T.Object({ b: T.Readonly(T.Any()) })]),
    record: T.Record(T.String(), T.Integer()),
    closed: T.Object({}, { additionalProperties: false }),
  };
  for (const [name, schema] of Object.entries(bounded)) t.equal(isBounded(T.Object({ [name]: schema })), true, name);
  const pattern = T.String({ pattern: "^(a+)+$" });
  const unbounded = {
    pattern,
    format: T.String({ format: "email" }),
    deep: T.Union([T.Null(), T.Array(T.Object({ x: T.Optional(pattern) }))]),
    names: T.Record(T.String({ pattern: "^(a+)+$" }), T.Null()),
    values: T.Record(T.String(), pattern),
    more: T.Object({}, { additionalProperties: pattern }),
    unique: T.Array(T.Integer(), { uniqueItems: true }),
    refined: T.Refine(T.String(), () => true),
    unknown: T.Unsafe({ whatever: 1 }),
  };
  for (const [name, schema] of Object.entries(unbounded)) t.equal(isBounded(T.Object({ [name]: schema })), false, name);
  t.end();
});
