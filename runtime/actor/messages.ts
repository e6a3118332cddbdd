// A protocol: the messages of an actor type as schemas. One source for event types, the check at every door, OpenAPI, typed tell and ask (hosting A1).
//
// P1. What a protocol does not list is refused at every door, and so are types that begin with `xstate.` (hosting H10).
// P2. Every problem names its path, so that a sender can mend the message without reading the schema.
// P3. Internal messages (`internal: true`) are what the host itself says, and actors of the same entity; no door takes them.
// P4. Messages of actors (`from: "actors"`) are taken from actors of other entities too. Nobody outside can say them, whatever right he has. Such an event names its sender, as the host knows it.

import { Type as T, type Static, type TObject, type TProperties, type TSchema } from "typebox";
import { Compile } from "typebox/compile";
import type { ActorRef, Snapshot } from "xstate";

import { parseAddress } from "../address.ts";
import { DroverError } from "../errors.ts";
import type { GuardReport, Refusal } from "../outcome.ts";
import { foreignRef } from "../xstate/index.ts";
import { isBounded } from "./bounded-schema.ts";
import { anObject, aText, demandShape, keysOf, listOf, oneOf, recordOf } from "../shape/index.ts";

export { T };

export interface MessageSpec {
  /** Fields of the message beside `type`. */
  readonly body: TProperties;
  /** What an ask of it is answered with; without it the message cannot be asked. */
  readonly reply?: TSchema;
  /** What a forwarding node does while the owner cannot be reached. Default `refuse`. */
  readonly whenAway?: "refuse" | "wait" | "run-at-owner";
  /** Names of values that the door copies into the event with their ages (vehicle V3). */
  readonly reads?: readonly string[];
  /** `control` overtakes other mail: for a few, short ones (stop, cancel). */
  readonly lane?: "control";
  /**
   * A body field: of waiting messages of this type with the same value of it only the newest is taken, in its own place among its sender's; the others are told `refused`.
   * Messages of other entities, whose numbers leave no gaps, are all taken.
   */
  readonly coalesceBy?: string;
  /**
   * A state that does not take it keeps it instead of refusing it: it is offered again when the state has changed, before all that waits. Its sender is told `accepted`, and a
   * reply comes when there is one. So many wait at most: `mailbox.postponed`. For machines; a reducer says `turn.postpone()`.
   */
  readonly postpone?: true;
  /** Said by the host and within the entity only (P3). */
  readonly internal?: true;
  /** `actors`: said by actors only, of this entity or another (P4); the event's `sender` is the address of the entity that says it. Without it anybody may say it who is let in at a door. */
  readonly from?: "actors";
}

export type MessageSpecs = Readonly<Record<string, MessageSpec>>;

export interface MessageProblem {
  /** JSON pointer into the message; empty for the message itself. */
  readonly path: string;
  readonly message: string;
}

/** Who speaks: whoever is not of the runtime, an actor of another entity, or the host and the actors of the same entity. */
export type Speaker = "outside" | "entity" | "host";

export type Checked = { readonly ok: true } | { readonly ok: false; readonly problems: readonly MessageProblem[] };

export interface Messages<S extends MessageSpecs> {
  readonly specs: S;
  /** Types that a door takes, in order of declaration. */
  readonly types: readonly string[];
  /** Some message has a lane or a key. */
  readonly isSorted: boolean;
  /** Another actor by address, for `sendTo(torrentMessages.at(address), …)`. @throws DROVER_ADDRESS_INVALID */
  at(address: string): ActorRef<Snapshot<unknown>, SaidByActors<S>>;
  /** The check at the door. Never throws. What is taken depends on the speaker (P3, P4); default `outside`. */
  check(event: unknown, speaker?: Speaker): Checked;
  /** The check of what an actor answers to a message of this type. Never throws. */
  checkReply(type: string, value: unknown): Checked;
  /** Whether the check of a message takes no longer than the message is long: its schema has no pattern, and nothing of its author's. */
  isBounded(type: string): boolean;
  specOf(type: string): MessageSpec | undefined;
  /** Types with their JSON Schemas, for OpenAPI and for errors. */
  describe(): readonly { readonly type: string; readonly schema: object; readonly reply: object | undefined }[];
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- the specs of any actor type; narrower bounds make the generic invariant
export type AnyMessages = Messages<any>;

type Simplify<X> = { [K in keyof X]: X[K] } & {};
type BodyOf<M extends MessageSpec> = Static<TObject<M["body"]>>;

export interface Replied<R> {
  readonly type: "reply";
  readonly value: R;
}

/** An answer that says why there is none. */
export interface Declined {
  readonly type: "decline";
  readonly refusal: Refusal;
}

/** Where an answer goes. It may be kept in context: it is an address and survives a restart. */
export type ReplyTo<R> = ActorRef<Snapshot<unknown>, Replied<R> | Declined>;

export type ReplyOf<M extends MessageSpec> = M extends { reply: infer R extends TSchema } ? Static<R> : never;

/** A value that the door copied; null when there is none. */
export type ReadValue = { readonly value: number; readonly ageMs: number } | null;

type ReadsOf<M extends MessageSpec> = M extends { reads: readonly (infer N extends string)[] }
  ? { readonly read: Readonly<Record<N, ReadValue>>; readonly guard?: GuardReport }
  : unknown;

/** What a machine sees. */
export type EventOf<M> =
  M extends Messages<infer S>
    ? {
        [K in keyof S & string]: Simplify<
          { readonly type: K } & BodyOf<S[K]> &
            (S[K] extends { reply: TSchema } ? { readonly replyTo: ReplyTo<ReplyOf<S[K]>> } : unknown) &
            (S[K] extends { from: "actors" } ? { readonly sender: string } : unknown) &
            ReadsOf<S[K]>
        >;
      }[keyof S & string]
    : never;

type ActorTypes<S extends MessageSpecs> = { [K in keyof S & string]: S[K] extends { internal: true } ? never : K }[keyof S & string];

/** What an actor may say to another one; what is internal is taken from within the same entity alone. */
export type SaidByActors<S extends MessageSpecs> = { [P in keyof S & string]: Simplify<{ readonly type: P } & BodyOf<S[P]>> }[keyof S & string];

/** Types that have a reply: what an actor may ask. */
export type Askable<S extends MessageSpecs> = { [K in ActorTypes<S>]: S[K] extends { reply: TSchema } ? K : never }[ActorTypes<S>];

/** The body of a message without its type. */
export type Body<M extends MessageSpec> = BodyOf<M>;

/** The answer to a message, for `sendTo(({ event }) => event.replyTo, reply(value))`. */
export function reply<R>(value: R): Replied<R> {
  return { type: "reply", value };
}

/** The answer that there is none, and why: `sendTo(({ context }) => context.replyTo, decline({ kind: "unknown", reason }))`. */
export function decline(refusal: Refusal): Declined {
  return { type: "decline", refusal };
}

/** How a declared effect ended when it did not succeed; spread it into `messages({ ...effectOutcomes, … })` to hear of it (rules F1, F2). */
export const effectOutcomes = {
  "effect.unknown": { body: { effect: T.String(), key: T.String(), params: T.Any(), reason: T.String() }, internal: true },
  "effect.refused": { body: { effect: T.String(), key: T.String(), params: T.Any(), reason: T.String(), guard: T.Optional(T.Any()) }, internal: true },
  "effect.failed": { body: { effect: T.String(), key: T.String(), params: T.Any(), reason: T.String() }, internal: true },
} as const satisfies MessageSpecs;

const MESSAGE_TYPE = /^[A-Za-z][A-Za-z0-9_.-]{0,127}$/;
/** Problems that one check tells at most. */
const MAX_PROBLEMS = 20;
const OK: Checked = { ok: true };
const OWN_FIELDS = new Set(["type", "replyTo", "read", "guard", "sender"]);

const SPECS = recordOf(
  keysOf<MessageSpec>(
    {
      body: recordOf(anObject),
      reply: anObject,
      whenAway: oneOf("refuse", "wait", "run-at-owner"),
      reads: listOf(aText),
      lane: oneOf("control"),
      coalesceBy: aText,
      postpone: { const: true },
      internal: { const: true },
      from: oneOf("actors"),
    },
    ["body"],
  ),
);

/** @throws DROVER_TYPE_INVALID for a type name or body field that the host needs itself, and for a key that no message has */
export function messages<const S extends MessageSpecs>(specs: S): Messages<S> {
  demandShape(specs, SPECS, "messages", "DROVER_TYPE_INVALID", true);
  for (const [type, spec] of Object.entries(specs)) {
    if (!MESSAGE_TYPE.test(type) || type.startsWith("xstate.")) {
      throw new DroverError("DROVER_TYPE_INVALID", `message "${type}": a type begins with a letter, has at most 128 of [A-Za-z0-9_.-], and does not begin with "xstate."`);
    }
    for (const field of Object.keys(spec.body)) {
      if (OWN_FIELDS.has(field) && !(field === "guard" && spec.internal === true) && !(field === "sender" && spec.from !== "actors"))
        throw new DroverError("DROVER_TYPE_INVALID", `message "${type}": the field "${field}" is set by the host; give it another name`);
    }
    if (spec.coalesceBy !== undefined && !Object.hasOwn(spec.body, spec.coalesceBy))
      throw new DroverError("DROVER_TYPE_INVALID", `message "${type}": coalesceBy names "${spec.coalesceBy}", which its body does not have`);
  }
  return new Protocol(specs);
}

export interface Compiled {
  readonly schema: TSchema;
  readonly isBounded: boolean;
  check(event: unknown): boolean;
  problems(event: unknown): readonly MessageProblem[];
}

class Protocol<S extends MessageSpecs> implements Messages<S> {
  readonly specs: S;
  readonly types: readonly string[];
  readonly isSorted: boolean;
  readonly #compiled = new Map<string, Compiled>();
  readonly #replies = new Map<string, Compiled>();

  constructor(specs: S) {
    this.specs = specs;
    this.types = Object.keys(specs).filter((type) => hears(specs[type], "outside"));
    this.isSorted = Object.values(specs).some(({ lane, coalesceBy }) => lane !== undefined || coalesceBy !== undefined);
  }

  specOf(type: string): MessageSpec | undefined {
    return Object.hasOwn(this.specs, type) ? this.specs[type] : undefined;
  }

  at(address: string): ActorRef<Snapshot<unknown>, SaidByActors<S>> {
    return foreignRef(parseAddress(address)) as unknown as ActorRef<Snapshot<unknown>, SaidByActors<S>>;
  }

  check(event: unknown, speaker: Speaker = "outside"): Checked {
    if (typeof event !== "object" || event === null || Array.isArray(event)) return { ok: false, problems: [{ path: "", message: "a message is an object with a type" }] };
    const type = (event as { readonly type?: unknown }).type;
    if (typeof type !== "string") return { ok: false, problems: [{ path: "/type", message: "the type is missing or no text" }] };
    if (type.startsWith("xstate.")) return { ok: false, problems: [{ path: "/type", message: `types that begin with "xstate." come from the host alone` }] };
    const compiled = hears(this.specOf(type), speaker) ? this.#compiledOf(type) : undefined;
    if (compiled === undefined) return { ok: false, problems: [{ path: "/type", message: `"${type.slice(0, 128)}" is not in the actor's protocol` }] };
    return compiled.check(event) ? OK : { ok: false, problems: compiled.problems(event) };
  }

  checkReply(type: string, value: unknown): Checked {
    const schema = this.specOf(type)?.reply;
    if (schema === undefined) return OK;
    const compiled = this.#replies.get(type) ?? compile(schema);
    this.#replies.set(type, compiled);
    return compiled.check(value) ? OK : { ok: false, problems: compiled.problems(value) };
  }

  isBounded(type: string): boolean {
    return this.#compiledOf(type)?.isBounded !== false;
  }

  describe(): readonly { readonly type: string; readonly schema: object; readonly reply: object | undefined }[] {
    return this.types.map((type) => ({ type, schema: schemaOf(type, this.specs[type] as MessageSpec), reply: this.specs[type]?.reply }));
  }

  #compiledOf(type: string): Compiled | undefined {
    const known = this.#compiled.get(type);
    if (known !== undefined) return known;
    const spec = this.specOf(type);
    if (spec === undefined) return undefined;
    const compiled = compile(schemaOf(type, spec));
    this.#compiled.set(type, compiled);
    return compiled;
  }
}

/** P3, P4. */
function hears(spec: MessageSpec | undefined, speaker: Speaker): boolean {
  return speaker === "host" || (spec?.internal !== true && (speaker === "entity" || spec?.from !== "actors"));
}

function schemaOf(type: string, spec: MessageSpec): TObject {
  return T.Object({ type: T.Literal(type), ...spec.body }, { additionalProperties: false });
}

export function compile(schema: TSchema): Compiled {
  const validator = Compile(schema);
  return {
    schema,
    isBounded: isBounded(schema),
    check: (event) => validator.Check(event),
    problems: (event) => {
      const byPath = new Map<string, MessageProblem>();
      for (const problem of validator.Errors(event).flatMap((error) => problemsOf(error))) if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
      return byPath.size > 0 ? [...byPath.values()].slice(0, MAX_PROBLEMS) : [{ path: "", message: "does not match the schema" }];
    },
  };
}

function problemsOf(error: { readonly keyword: string; readonly instancePath: string; readonly message: string; readonly params: object }): readonly MessageProblem[] {
  if (error.keyword === "additionalProperties") {
    const names = (error.params as { readonly additionalProperties?: readonly string[] }).additionalProperties ?? [];
    return names.map((name) => ({ path: `${error.instancePath}/${escapePointer(name)}`, message: "is not a field of this message" }));
  }
  if (error.keyword === "required") {
    const names = (error.params as { readonly requiredProperties?: readonly string[] }).requiredProperties ?? [];
    return names.map((name) => ({ path: `${error.instancePath}/${escapePointer(name)}`, message: "is missing" }));
  }
  // The same field once more: the schema of what may stand there is `false`.
  if (error.keyword === "boolean") return [{ path: error.instancePath, message: "is not a field of this message" }];
  return [{ path: error.instancePath, message: error.message }];
}

/** @see RFC 6901 section 3 */
function escapePointer(name: string): string {
  return name.slice(0, 128).replaceAll("~", "~0").replaceAll("/", "~1");
}
