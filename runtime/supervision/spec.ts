// A supervision tree as frozen data: what runs, in which order, and what happens when it ends. Nothing runs until a tree is started from it.

import { DroverError } from "../errors.ts";
import type { KeptChildren } from "../ports/index.ts";
import { aFunction, aNumber, anObject, anything, aText, demandShape, keysOf, listOf, oneOf, recordOf, type Shape, withMethods, yesOrNo } from "../shape/index.ts";
import type { Startable, WorkerOptions, WorkerType } from "../workers/index.ts";

export type Strategy = "one-for-one" | "rest-for-one" | "one-for-all";
/** permanent: always restarted; transient: only after an abnormal exit; temporary: never, and forgotten when it ended. */
export type RestartType = "permanent" | "transient" | "temporary";
/** When the end of its significant children ends a supervisor, with reason `shutdown`: never, at the first that ends, or when the last one has ended. */
export type AutoShutdown = "never" | "any-significant" | "all-significant";

/** OTP's rule: more than `intensity` restarts within the last `periodMs` and the supervisor gives up. */
export interface IntensityFlags {
  /** Integer >= 0, default 3 (OTP: 1). */
  readonly intensity?: number;
  /** Sliding window in ms, > 0, default 30 s (OTP: 5 s). */
  readonly periodMs?: number;
  readonly backoff?: never;
  readonly startFailure?: never;
}

/** Attempts are not counted; they become rarer (hosting H14). */
export interface BackoffFlags {
  readonly backoff: BackoffOptions;
  readonly intensity?: never;
  readonly periodMs?: never;
  /** A child that cannot start while the supervisor starts: `escalate` fails that start (OTP, default), `retry` goes on and treats it as a failed restart. */
  readonly startFailure?: "escalate" | "retry";
}

export interface BackoffOptions {
  /** Upper bound of the second attempt's delay, ms, default 200; the first restart is immediate. */
  readonly initialMs?: number;
  /** Upper bound of every delay, ms, default 30 s. */
  readonly maxMs?: number;
  /** A run of so many ms makes the next restart immediate again, default 60 s. */
  readonly resetAfterMs?: number;
  /** Failing for so many ms without such a run is enough; default never. */
  readonly giveUpAfterMs?: number;
  /** Then: `escalate` (default) ends the supervisor, `degrade` marks it and goes on trying: the top of a vehicle. */
  readonly onGiveUp?: "escalate" | "degrade";
}

/** How children that were added at run time outlive the process. */
export interface Keeping {
  readonly store: KeptChildren;
  /** A child of that id. Throws where the data make none. */
  readonly make: (id: string, data: unknown) => ChildSpec;
}

interface CommonFlags {
  readonly strategy: Strategy;
  /** Its own restart type below another supervisor, default permanent. */
  readonly restart?: RestartType;
  /** Whether its own end counts for the auto-shutdown of the supervisor above, default false; not with `permanent`. */
  readonly significant?: boolean;
  /** From the request to stop until whatever still runs below is killed, ms, default unlimited (OTP: infinity): its children's own deadlines bound it. */
  readonly shutdownMs?: number;
  /** Default never. */
  readonly autoShutdown?: AutoShutdown;
  /** Of a one-for-one supervisor: where children that are added with `keepChild` are kept, and what makes them again. */
  readonly kept?: Keeping;
}

export type SupervisorFlags = CommonFlags & (IntensityFlags | BackoffFlags);

export interface CommonChildOptions {
  /** Default permanent. */
  readonly restart?: RestartType;
  /** Whether its end counts for its supervisor's auto-shutdown, default false; not with `permanent` and not below `never` (OTP). */
  readonly significant?: boolean;
  /** From the request to stop to the kill, ms, default 5 s; 0: killed without being asked (OTP: `brutal_kill`). */
  readonly shutdownMs?: number;
  /** From the start to ready, ms, default 10 s. */
  readonly startMs?: number;
}

export type ChildOptions<E, R> = CommonChildOptions & WorkerOptions<E, R>;

export interface HostedOptions extends CommonChildOptions {
  /** What the tree shows it as, default `entity`. */
  readonly kind?: string;
}

export interface SupervisorSpec {
  readonly kind: "supervisor";
  readonly id: string;
  readonly flags: SupervisorFlags;
  readonly children: readonly ChildSpec[];
}

export interface WorkerSpec {
  readonly kind: "worker";
  readonly id: string;
  readonly type: WorkerType;
  readonly config: unknown;
  readonly options: ChildOptions<unknown, unknown>;
}

export interface HostedSpec {
  readonly kind: "hosted";
  readonly id: string;
  readonly startable: Startable;
  readonly options: HostedOptions;
}

/** One child of a supervisor. */
export type ChildSpec = SupervisorSpec | WorkerSpec | HostedSpec;

const RESTARTS = oneOf("permanent", "transient", "temporary");
const FLAGS = keysOf<CommonFlags & Omit<IntensityFlags, "backoff"> & BackoffFlags>(
  {
    strategy: oneOf("one-for-one", "rest-for-one", "one-for-all"),
    restart: RESTARTS,
    significant: yesOrNo,
    shutdownMs: aNumber,
    autoShutdown: oneOf("never", "any-significant", "all-significant"),
    kept: keysOf<Keeping>({ store: anObject, make: aFunction }, ["store", "make"]),
    intensity: aNumber,
    periodMs: aNumber,
    backoff: keysOf<BackoffOptions>({ initialMs: aNumber, maxMs: aNumber, resetAfterMs: aNumber, giveUpAfterMs: aNumber, onGiveUp: oneOf("escalate", "degrade") }, []),
    startFailure: oneOf("escalate", "retry"),
  },
  ["strategy"],
);
const CHILD: Shape = {
  title: "a child: what supervisor(), child() or hosted() gave",
  "x-test": (value) => typeof value === "object" && value !== null && ["supervisor", "worker", "hosted"].includes(String((value as { readonly kind?: unknown }).kind)),
};
const SUPERVISOR: Shape = { type: "object", properties: { id: aText, flags: FLAGS, children: listOf(CHILD) }, required: ["id", "flags", "children"] };
const WORKER: Shape = {
  type: "object",
  properties: {
    id: aText,
    type: withMethods("a worker: what worker() gave", "run"),
    config: anything,
    options: keysOf<ChildOptions<unknown, unknown>>(
      {
        restart: RESTARTS,
        significant: yesOrNo,
        shutdownMs: aNumber,
        startMs: aNumber,
        isolation: oneOf("inline", "thread", "process"),
        into: aFunction,
        linked: aFunction,
        livenessMs: aNumber,
        window: anObject,
        env: recordOf(aText),
        inherit: listOf(aText),
        maxHeapMb: aNumber,
        cwd: aText,
        memoryMb: aNumber,
        niceness: aNumber,
      },
      [],
    ),
  },
  required: ["id", "type"],
};
const HOSTED: Shape = {
  type: "object",
  properties: {
    id: aText,
    startable: withMethods("something that can be started", "start"),
    options: keysOf<HostedOptions>({ restart: RESTARTS, significant: yesOrNo, shutdownMs: aNumber, startMs: aNumber, kind: aText }, []),
  },
  required: ["id", "startable"],
};

/** Whoever calls from plain JavaScript, or with data of a file, is told like one who writes a configuration. */
function demand(value: { readonly id: unknown }, shape: Shape): void {
  demandShape(value, shape, typeof value.id === "string" ? `"${value.id.slice(0, 80)}"` : "a child of a tree", "DROVER_TREE_INVALID", true);
}

/** A supervisor and its children in start order. @throws DROVER_TREE_INVALID */
export function supervisor(id: string, flags: SupervisorFlags, children: readonly ChildSpec[]): SupervisorSpec {
  demand({ id, flags, children } as { readonly id: unknown }, SUPERVISOR);
  checkId(id);
  checkFlags(id, flags);
  const ids = new Set<string>();
  for (const one of children) {
    if (ids.has(one.id)) throw invalid(id, `two children are called "${one.id}"`);
    ids.add(one.id);
    checkSignificance(one, flags);
  }
  return Object.freeze({ kind: "supervisor", id, flags: Object.freeze({ ...flags }), children: Object.freeze([...children]) });
}

/** A worker as a child; its config is JSON. @throws DROVER_TREE_INVALID */
export function child<C, E, R>(id: string, type: WorkerType<C, E, R>, config: NoInfer<C>, options: ChildOptions<NoInfer<E>, NoInfer<R>> = {}): WorkerSpec {
  demand({ id, type, config, options } as { readonly id: unknown }, WORKER);
  checkId(id);
  checkOptions(id, options);
  // The tree keeps workers of all kinds in one list: what fits together was checked here, by the types.
  const untyped = { ...options } as ChildOptions<unknown, unknown>;
  return Object.freeze({ kind: "worker", id, type, config, options: Object.freeze(untyped) });
}

/** Anything else that can be started as a child: a program, an entity, a server. Its own deadlines hold where `options` give none. @throws DROVER_TREE_INVALID */
export function hosted(id: string, startable: Startable, options: HostedOptions = {}): HostedSpec {
  demand({ id, startable, options } as { readonly id: unknown }, HOSTED);
  checkId(id);
  const { startMs, shutdownMs } = startable;
  const all = { ...(startMs === undefined ? {} : { startMs }), ...(shutdownMs === undefined ? {} : { shutdownMs }), ...options };
  checkOptions(id, all);
  return Object.freeze({ kind: "hosted", id, startable, options: Object.freeze(all) });
}

export function restartTypeOf(spec: ChildSpec): RestartType {
  return (spec.kind === "supervisor" ? spec.flags.restart : spec.options.restart) ?? "permanent";
}

export function isSignificant(spec: ChildSpec): boolean {
  return (spec.kind === "supervisor" ? spec.flags.significant : spec.options.significant) ?? false;
}

/** OTP: a significant child below a supervisor that never shuts down by itself is a mistake of whoever wrote it. @throws DROVER_TREE_INVALID */
export function checkSignificance(spec: ChildSpec, above: SupervisorFlags): void {
  if (isSignificant(spec) && (above.autoShutdown ?? "never") === "never") throw invalid(spec.id, "significant needs a supervisor whose autoShutdown is not never");
}

const ID = /^[A-Za-z0-9_.~@:-]+(\/[A-Za-z0-9_.~@:-]+)*$/;

/** An address may be an id, so `/` is allowed inside. */
function checkId(id: string): void {
  if (!ID.test(id)) throw new DroverError("DROVER_TREE_INVALID", `an id is [A-Za-z0-9_.~@:-]+, also several joined by "/", got "${id.slice(0, 80)}"`);
}

function checkFlags(id: string, flags: SupervisorFlags): void {
  checkEnd(id, flags);
  if (flags.kept !== undefined && flags.strategy !== "one-for-one") throw invalid(id, "only a one-for-one supervisor keeps children");
  if (flags.backoff === undefined) {
    if (flags.intensity !== undefined && !(Number.isInteger(flags.intensity) && flags.intensity >= 0))
      throw invalid(id, `intensity is an integer >= 0, got ${String(flags.intensity)}`);
    checkMs(id, "periodMs", flags.periodMs);
    return;
  }
  // A file or plain JavaScript can say both, whatever the types allow.
  const both: { readonly intensity?: unknown; readonly periodMs?: unknown } = flags;
  if (both.intensity !== undefined || both.periodMs !== undefined) throw invalid(id, "intensity or backoff, not both");
  const { initialMs, maxMs, resetAfterMs, giveUpAfterMs } = flags.backoff;
  for (const [name, value] of Object.entries({ initialMs, maxMs, resetAfterMs, giveUpAfterMs })) checkMs(id, name, value);
}

function checkOptions(id: string, options: ChildOptions<never, never>): void {
  checkEnd(id, options);
  checkMs(id, "startMs", options.startMs);
  checkMs(id, "livenessMs", options.livenessMs);
  checkMs(id, "memoryMb", options.memoryMb);
  checkMs(id, "maxHeapMb", options.maxHeapMb);
  const { niceness } = options;
  if (niceness !== undefined && !(Number.isInteger(niceness) && niceness >= -20 && niceness <= 19))
    throw invalid(id, `niceness is an integer from -20 to 19, got ${String(niceness)}`);
}

/** What a child of either kind says about its end. */
function checkEnd(id: string, one: { readonly restart?: RestartType; readonly significant?: boolean; readonly shutdownMs?: number }): void {
  if (one.shutdownMs !== undefined && !(one.shutdownMs >= 0)) throw invalid(id, `shutdownMs is >= 0, got ${String(one.shutdownMs)}`);
  if (one.significant === true && (one.restart ?? "permanent") === "permanent") throw invalid(id, "a permanent child cannot be significant: it never ends for good");
}

function checkMs(id: string, name: string, value: number | undefined): void {
  if (value !== undefined && !(value > 0)) throw invalid(id, `${name} is > 0, got ${String(value)}`);
}

function invalid(id: string, detail: string): DroverError {
  return new DroverError("DROVER_TREE_INVALID", `"${id}": ${detail}`);
}
