// An actor type: name, version, protocol, behaviour. Declared once, the same on edge and cloud (design section 3).

import type { TSchema } from "typebox";
import type { AnyStateMachine, ContextFrom, EventFrom, StateMachine, StateValue } from "xstate";

import type { TimerPolicy } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import { declaredWork, isMachine, isMachineOfAnotherCopy, type TaskLogic, type TypeProblem, walkMachine } from "../xstate/index.ts";
import { aFunction, aNumber, anObject, anything, demandShape, keysOf, listOf, recordOf, withMethods } from "../shape/index.ts";
import { ownOf } from "../own-of.ts";
import type { AnyMessages, EventOf, Messages, MessageSpecs } from "./messages.ts";
import { type AnyReducer, isReducer, type Reducer } from "./reducer.ts";
import { policyProblem } from "../timer-policies.ts";
import type { EffectWord, WorkContext } from "./work-context.ts";

export type AnyBehaviour = AnyStateMachine | AnyReducer;

/** Of an entity: those of its root's type. Nothing that was taken is lost (promise S5). */
export interface MailboxLimits {
  /** Waiting messages. Default 1000. */
  readonly messages?: number;
  /** Of waiting messages: the encoded length of one that came over a wire, 256 for any other. Default 1 MiB, or 256 for each of `messages` if that is more. */
  readonly bytes?: number;
  /** Messages that its actors have postponed. Default 100. */
  readonly postponed?: number;
  /**
   * What becomes of a message that finds the mailbox full. `refuse`, the default: it is told `full`. `shelve`: it is kept in the entity's journal until there is room, and told
   * `accepted` after that commit; whatever comes later queues behind it, messages of the control lane excepted. It is acted on until its `keepMs` is over, an ask until its asker
   * waits no longer. Only for entity types with `durability: "events"`. A message that names values to be read at the door is refused all the same: they would be old by then.
   */
  readonly overflow?: "refuse" | "shelve";
  /** Shelved messages; what is more is told `full`. Default 10 000. */
  readonly shelved?: number;
  /** Of shelved messages, counted as `bytes`. They stay in memory too, and in the node's budget. Default 8 MiB, or 256 for each of `shelved` if that is more. */
  readonly shelvedBytes?: number;
}

/** Counted in bytes as the context is stored, or somewhat more. The contexts of an entity's actors have a bound together too, whatever these say (runtime/README.md). Held for any size of step; what is changed in place in a volatile one is seen at every 64th turn. */
export interface ContextLimits {
  /** From here on the supervisor says so, once for each start. Default 256 KiB. */
  readonly warnBytes?: number;
  /** What makes it larger is a fault, and the context stays as it was before. Default 4 MiB. */
  readonly maxBytes?: number;
}

/** Turns a state of version n into one of version n + 1. Loosely typed on purpose: the old types are gone (hosting A3). */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
export type Migration = (old: { readonly value: any; readonly context: any }) => { readonly value: StateValue | undefined; readonly context: unknown };

export type EffectImplementation = (params: never, work: WorkContext) => EffectWord | void | Promise<EffectWord | void>;
export type TaskImplementation = (input: never, work: WorkContext) => unknown;

/** What a node keeps of a type, whatever its messages. */
export interface AnyActorType {
  readonly kind: "actor";
  readonly name: string;
  readonly version: number;
  readonly messages: AnyMessages;
  readonly behaviour: AnyBehaviour;
  readonly mailbox: Required<MailboxLimits>;
  readonly contextLimits: Required<ContextLimits>;
  readonly migrate: Readonly<Record<number, Migration>>;
  /** Older versions that journals may still name, which replay runs (rules T4). */
  readonly earlier: readonly AnyActorType[];
  /** Shape of the context (machine) or the state (reducer); undefined: any. */
  readonly contextSchema: TSchema | undefined;
  /** By the names of delays; the others are `remaining` (rules K1). */
  readonly timers: Readonly<Record<string, TimerPolicy>>;
  /** Supplied by `with`; empty on a type as declared. */
  readonly effects: Readonly<Record<string, EffectImplementation>>;
  /** How long an attempt of each has to answer, ms. */
  readonly effectWithinMs: Readonly<Record<string, number>>;
  readonly tasks: Readonly<Record<string, TaskImplementation>>;
  readonly offers: ((words: readonly string[], context: never) => readonly string[]) | undefined;
  /** Found at registration; `durableOnly` ones are refused by an entity type that is not volatile. */
  readonly problems: readonly TypeProblem[];
}

export interface ActorType<S extends MessageSpecs, B extends AnyBehaviour> extends AnyActorType {
  readonly messages: Messages<S>;
  readonly behaviour: B;
  /** Another actor by address, for `sendTo(torrent.at(address), …)`. @throws DROVER_ADDRESS_INVALID */
  readonly at: Messages<S>["at"];
  /** The same type with what this node supplies. @throws DROVER_TYPE_INVALID when a declared effect or task is not supplied */
  with(parts: Parts<B>): ActorType<S, B>;
}

type Accepts<B extends AnyBehaviour, S extends MessageSpecs> = B extends AnyStateMachine
  ? [EventOf<Messages<S>>] extends [EventFrom<B>]
    ? unknown
    : { readonly "the machine does not accept": Exclude<EventOf<Messages<S>>["type"], EventFrom<B>["type"]> }
  : unknown;

/* eslint-disable @typescript-eslint/no-explicit-any -- the places of XState's parameters that are not asked about */
type ActionsOf<B> = B extends StateMachine<any, any, any, any, infer A, any, any, any, any, any, any, any, any, any, any> ? A : never;
type ActorsOf<B> = B extends StateMachine<any, any, any, infer A, any, any, any, any, any, any, any, any, any, any, any> ? A : never;
/* eslint-enable @typescript-eslint/no-explicit-any */

/** By the machine's action names; which of them are declared effects is known at run time only, so `with` checks that. */
export type Effects<B> = B extends AnyReducer
  ? Readonly<Record<string, EffectImplementation>>
  : {
      readonly [A in ActionsOf<B> as A extends { type: infer N extends string } ? N : never]?: (
        params: A extends { params: infer P } ? P : never,
        work: WorkContext,
      ) => EffectWord | void | Promise<EffectWord | void>;
    };

export type Tasks<B> = {
  readonly [A in ActorsOf<B> as A extends { src: infer N extends string; logic: TaskLogic<infer _I, infer _O> } ? N : never]: A extends { logic: TaskLogic<infer I, infer O> }
    ? (input: I, work: WorkContext) => Promise<O> | O
    : never;
};

export type Parts<B> = {
  readonly effects?: Effects<B>;
  /** For machines that this one invokes: by name, over all of them. */
  readonly inner?: { readonly effects?: Readonly<Record<string, EffectImplementation>>; readonly tasks?: Readonly<Record<string, TaskImplementation>> };
} & (keyof Tasks<B> extends never ? { readonly tasks?: Tasks<B> } : { readonly tasks: Tasks<B> });

const TYPE_NAME = /^[a-z][A-Za-z0-9_.-]{0,63}$/;
const DEFAULT_CONTEXT: Required<ContextLimits> = { warnBytes: 262_144, maxBytes: 4_194_304 };
const DEFAULT_MAILBOX: Required<MailboxLimits> = { messages: 1_000, bytes: 1_048_576, postponed: 100, overflow: "refuse", shelved: 10_000, shelvedBytes: 8_388_608 };
const OVERFLOWS: readonly unknown[] = ["refuse", "shelve"];
const LEAST_MESSAGE_BYTES = 256;

const ACTOR_TYPE = keysOf<Parameters<typeof actorType>[0]>(
  {
    name: anything,
    version: anything,
    messages: withMethods("a protocol: what messages() gave", "check", "describe"),
    behaviour: {
      title: "a machine of XState, or what reducer() gave",
      "x-test": (value) => typeof value === "object" && value !== null && (isMachine(value) || isReducer(value)),
    },
    mailbox: keysOf<MailboxLimits>({ messages: anything, bytes: anything, postponed: anything, overflow: anything, shelved: anything, shelvedBytes: anything }, []),
    contextLimits: keysOf<ContextLimits>({ warnBytes: aNumber, maxBytes: aNumber }, []),
    migrate: recordOf(aFunction),
    earlier: listOf(anObject),
    contextSchema: anObject,
    timers: recordOf(anything),
    offers: aFunction,
  },
  ["name", "version", "messages", "behaviour"],
);

const SUPPLIED = keysOf<{ readonly effects: unknown; readonly tasks: unknown; readonly inner: unknown }>(
  {
    effects: recordOf(anything),
    tasks: recordOf(anything),
    inner: keysOf<NonNullable<Parts<AnyBehaviour>["inner"]>>({ effects: recordOf(anything), tasks: recordOf(anything) }, []),
  },
  [],
);

/** @throws DROVER_TYPE_INVALID naming the place in the machine and what to do, or the key that is unknown, missing or of another kind */
export function actorType<S extends MessageSpecs, B extends AnyBehaviour>(type: {
  readonly name: string;
  /** From 1, raised with every change of the machine's states, delays and invokes: a stored actor gets what its state waits for in the new version by the upgrade alone. */
  readonly version: number;
  readonly messages: Messages<S>;
  readonly behaviour: B & Accepts<B, S>;
  readonly mailbox?: MailboxLimits;
  /** Of each actor of this type, and of each actor that its machine makes. */
  readonly contextLimits?: ContextLimits;
  /**
   * By the version that it starts from: a state of version 1 goes through 1, 2 … to this one. Needed where an old state does not fit. Pure, as a step is: time, chance, promises and what
   * cannot be kept are refused (DROVER_IMPURE_STEP, DROVER_STEP_PROMISE, DROVER_STATE_INVALID), and the entity stays away. It says which state follows which; timers, invokes and histories
   * follow from that (runtime/README.md).
   */
  readonly migrate?: Readonly<Record<number, Migration>>;
  /**
   * The same actor type in its older versions, for as long as journals name them: replay runs the version that made a record (rules T4). Where it is not registered any more,
   * what was committed is taken as it stands, and an upgrade does not know what the old state waited for. Which of the registered versions runs and writes is the active one, until another
   * is raised (`System.raiseVersions`). What an older one declares and `with` did not supply is what this one has under the same name.
   */
  readonly earlier?: readonly AnyActorType[];
  /** Shape of the machine's context or the reducer's state. A turn that leaves another one is its input's fault; a stored state of another one is DROVER_STATE_INVALID. */
  readonly contextSchema?: TSchema;
  /** What becomes of the machine's delays whose time passes unwatched, by their names (rules K1). Default `remaining`: hosted time, so that what remains is waited out. */
  readonly timers?: Readonly<Record<string, TimerPolicy>>;
  /**
   * What senders are shown as accepted, of the words that the present state takes; default all of them. For an actor whose surroundings let through less or under other names.
   * Pure. It only tells: what is refused is the door's and the machine's to decide.
   */
  readonly offers?: (words: readonly string[], context: B extends AnyStateMachine ? ContextFrom<B> : unknown) => readonly string[];
}): ActorType<S, B> {
  if (isMachineOfAnotherCopy((type as Partial<typeof type> | undefined)?.behaviour)) {
    const advice = "install the version that Drover depends on, so that there is one copy (`npm ls xstate` shows them)";
    throw new DroverError("DROVER_TYPE_INVALID", `actor type "${type.name}": its machine was made by another copy of XState than Drover's; ${advice}`);
  }
  demandShape(type, ACTOR_TYPE, "actorType", "DROVER_TYPE_INVALID", true);
  const behaviour: AnyBehaviour = type.behaviour;
  if (!TYPE_NAME.test(type.name))
    throw new DroverError("DROVER_TYPE_INVALID", `actor type "${type.name}": a name begins with a lower-case letter and has at most 64 of [A-Za-z0-9_.-]`);
  if (!Number.isInteger(type.version) || type.version < 1)
    throw new DroverError("DROVER_TYPE_INVALID", `actor type "${type.name}": the version is an integer from 1, this is ${String(type.version)}`);
  const problems = isMachine(behaviour) ? walkMachine(behaviour) : [];
  refuse(
    type.name,
    problems.filter((problem) => !problem.durableOnly),
  );
  return build({
    kind: "actor",
    name: type.name,
    version: type.version,
    messages: type.messages,
    behaviour: type.behaviour,
    mailbox: mailboxOf(type.name, type.mailbox),
    contextLimits: contextLimitsOf(type.name, type.contextLimits),
    migrate: type.migrate ?? {},
    earlier: earlierOf(type.name, type.version, type.earlier ?? []),
    contextSchema: type.contextSchema,
    timers: timersOf(type.name, behaviour, type.timers ?? {}),
    effects: {},
    effectWithinMs: {},
    tasks: {},
    offers: type.offers,
    problems,
  });
}

function timersOf(name: string, behaviour: AnyBehaviour, timers: Readonly<Record<string, TimerPolicy>>): Readonly<Record<string, TimerPolicy>> {
  for (const [delay, policy] of Object.entries(timers)) {
    if (!isMachine(behaviour)) throw new DroverError("DROVER_TYPE_INVALID", `actor type "${name}": timers are of machines; a reducer gives the policy when it arms`);
    if (!Object.hasOwn(behaviour.implementations.delays, delay))
      throw new DroverError("DROVER_TYPE_INVALID", `actor type "${name}": timers names "${delay}", which the machine's delays do not have`);
    const problem = policyProblem(`timers.${delay}`, policy);
    if (problem !== undefined) throw new DroverError("DROVER_TYPE_INVALID", `actor type "${name}": ${problem}`);
  }
  return timers;
}

function earlierOf(name: string, version: number, earlier: readonly AnyActorType[]): readonly AnyActorType[] {
  const versions = new Set<number>();
  for (const type of earlier) {
    if (type.name !== name || type.version >= version || versions.has(type.version))
      throw new DroverError(
        "DROVER_TYPE_INVALID",
        `actor type "${name}": earlier has "${type.name}" of version ${String(type.version)}; each is "${name}" in another version below ${String(version)}`,
      );
    versions.add(type.version);
  }
  return earlier;
}

function mailboxOf(typeName: string, given: MailboxLimits = {}): Required<MailboxLimits> {
  const { overflow, ...limits } = {
    ...DEFAULT_MAILBOX,
    bytes: Math.max(DEFAULT_MAILBOX.bytes, (given.messages ?? 0) * LEAST_MESSAGE_BYTES),
    shelvedBytes: Math.max(DEFAULT_MAILBOX.shelvedBytes, (given.shelved ?? 0) * LEAST_MESSAGE_BYTES),
    ...given,
  };
  if (!OVERFLOWS.includes(overflow))
    throw new DroverError("DROVER_TYPE_INVALID", `actor type "${typeName}": mailbox.overflow is "refuse" or "shelve", this is ${JSON.stringify(overflow)}`);
  for (const [limit, value] of Object.entries(limits))
    if (!Number.isSafeInteger(value) || value < 1)
      throw new DroverError("DROVER_TYPE_INVALID", `actor type "${typeName}": mailbox.${limit} is a whole number from 1, this is ${String(value)}`);
  return { overflow, ...limits };
}

function contextLimitsOf(name: string, given: ContextLimits | undefined): Required<ContextLimits> {
  const maxBytes = given?.maxBytes ?? DEFAULT_CONTEXT.maxBytes;
  const warnBytes = given?.warnBytes ?? Math.min(DEFAULT_CONTEXT.warnBytes, maxBytes);
  if (!(warnBytes > 0 && warnBytes <= maxBytes))
    throw new DroverError("DROVER_TYPE_INVALID", `actor type "${name}": contextLimits needs 0 < warnBytes <= maxBytes, these are ${String(warnBytes)} and ${String(maxBytes)}`);
  return { warnBytes, maxBytes };
}

/** @throws DROVER_TYPE_INVALID listing every problem with its place and advice */
export function refuse(typeName: string, problems: readonly TypeProblem[]): void {
  if (problems.length === 0) return;
  const lines = problems.slice(0, 10).map((problem) => `${problem.where}: ${problem.what}; ${problem.advice}`);
  const more = problems.length > lines.length ? `\n  and ${String(problems.length - lines.length)} more` : "";
  throw new DroverError("DROVER_TYPE_INVALID", `actor type "${typeName}":\n  ${lines.join("\n  ")}${more}`);
}

interface TypeFields<S extends MessageSpecs, B extends AnyBehaviour> extends AnyActorType {
  readonly messages: Messages<S>;
  readonly behaviour: B;
}

function build<S extends MessageSpecs, B extends AnyBehaviour>(fields: TypeFields<S, B>): ActorType<S, B> {
  return {
    ...fields,
    at: (address) => fields.messages.at(address),
    with: (parts) => build(supplied(fields, parts)),
  };
}

function supplied<S extends MessageSpecs, B extends AnyBehaviour>(fields: TypeFields<S, B>, parts: Parts<B>): TypeFields<S, B> {
  demandShape(parts, SUPPLIED, `actor type "${fields.name}": with()`, "DROVER_TYPE_INVALID", true);
  const effects = { ...fields.effects, ...(parts.effects as Record<string, EffectImplementation> | undefined), ...parts.inner?.effects };
  const tasks = { ...fields.tasks, ...(parts.tasks as Record<string, TaskImplementation> | undefined), ...parts.inner?.tasks };
  const declared = isReducer(fields.behaviour) ? { effects: new Map(Object.entries((fields.behaviour as Reducer).effects)), tasks: [] } : declaredWork(fields.behaviour);
  for (const [kind, names, given] of [
    ["effect", [...declared.effects.keys()], effects],
    ["task", declared.tasks, tasks],
  ] as const) {
    const missing = names.filter((name) => typeof ownOf<unknown>(given, name) !== "function");
    if (missing.length > 0)
      throw new DroverError("DROVER_TYPE_INVALID", `actor type "${fields.name}": with() does not supply the ${kind} ${missing.map((name) => `"${name}"`).join(", ")}`);
    const surplus = Object.keys(given).filter((name) => !names.includes(name));
    if (surplus.length > 0)
      throw new DroverError(
        "DROVER_TYPE_INVALID",
        `actor type "${fields.name}": with() supplies the ${kind} ${surplus.map((name) => `"${name}"`).join(", ")}, which the machine does not declare`,
      );
  }
  return { ...fields, effects, effectWithinMs: Object.fromEntries([...declared.effects].map(([name, { withinMs }]) => [name, withinMs])), tasks };
}
