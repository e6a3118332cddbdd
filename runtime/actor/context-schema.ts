// Whether a context has the shape that its actor type declares.

import type { AnyActorType } from "./actor-type.ts";
import { type Compiled, compile } from "./messages.ts";

const compiled = new WeakMap<object, Compiled>();

/** The first places where a context differs from its type's schema, or undefined; also where the type declares none. */
export function contextProblem({ contextSchema }: AnyActorType, context: unknown): string | undefined {
  if (contextSchema === undefined) return undefined;
  let schema = compiled.get(contextSchema);
  if (schema === undefined) compiled.set(contextSchema, (schema = compile(contextSchema)));
  if (schema.check(context)) return undefined;
  return schema
    .problems(context)
    .slice(0, 3)
    .map(({ path, message }) => `${path === "" ? "/" : path} ${message}`)
    .join("; ");
}
