// What a tree says about its own failure handling before it ever runs: reads a spec and starts nothing. Pure.
//
// G1. Budgets multiply down the tree: each permanent supervisor on the way restarts what gave up below it. One that is transient or temporary is not restarted
//     after it gave up, since that is an orderly end; but a transient one begins anew with every restart of its group, and each of them with every life of the supervisor above. More than `maxStarts` starts of one child before the root gives up is a crash loop with a long breath.
// G2. Every child that is no supervisor says how long its stop may take; nobody holds up a stop for more than a minute, or for longer than a supervisor above has.
//     The stops below a supervisor come one after the other.
// G3. A permanent child below a temporary supervisor is as temporary as that, with transient ones between too: who wrote it meant something else.
// G4. A budget that can never be used up protects nobody. That is so where intensity x (start deadline of a child) is longer than the period, for a child that hangs at
//     every start, and where a child is a supervisor with backoff that takes longer to give up. What starts before it each time, of a one-for-all group or within a supervisor, may be
//     quick: where the budget is out of reach only if these take all of the startMs that they state, that is a note.

import { WORKER_DEFAULTS } from "../workers/index.ts";
import { checkedTree } from "./checked-tree.ts";
import { RULE_DEFAULTS } from "./restart-rule.ts";
import { restartTypeOf, type ChildSpec, type SupervisorFlags, type SupervisorSpec } from "./spec.ts";

export interface TreeFinding {
  readonly rule: "restart-product" | "shutdown-missing" | "shutdown-too-long" | "permanent-under-temporary" | "budget-unreachable";
  /** A note is worth knowing, a warning worth mending. */
  readonly severity: "warning" | "note";
  /** Ids joined by `/`, from the root. */
  readonly path: string;
  readonly detail: string;
  readonly advice: string;
}

export type StartFactor = number | "by-time" | "unlimited";

/** How often a child may be started before the root gives up. */
export interface StartBudget {
  readonly path: string;
  /** `by-time`: a backoff on the way gives up after a time, not after a number; `unlimited`: it never does. */
  readonly starts: StartFactor;
  /** From the root down, of each supervisor that counts: intensity + 1; with backoff `by-time` or `unlimited`. */
  readonly factors: readonly StartFactor[];
}

export interface TreeReport {
  readonly root: string;
  readonly budgets: readonly StartBudget[];
  /** In tree order, parents first. */
  readonly findings: readonly TreeFinding[];
}

export interface LintLimits {
  /** What the whole tree has for its stop, ms; default unlimited. */
  readonly stopWithinMs?: number;
  /** Default 100: OTP's documentation warns of 10 x 10. */
  readonly maxStarts?: number;
}

const LONG_SHUTDOWN_MS = 60_000;

interface Above {
  readonly path: string;
  readonly spec: SupervisorSpec;
  readonly factors: readonly StartFactor[];
  /** Without its own: how often it may be started itself. */
  readonly inherited: readonly StartFactor[];
  /** G3. The temporary supervisor with whose end this one is gone too: itself, or one above. */
  readonly goneWith: string | undefined;
  /** The tightest stop of a supervisor above, and whose it is. */
  readonly stop: { readonly ms: number; readonly of: string };
}

/** @throws DROVER_TREE_INVALID for what `createTree` does not take */
export function lintTree(written: SupervisorSpec, limits: LintLimits = {}): TreeReport {
  const spec = checkedTree(written);
  const budgets: StartBudget[] = [];
  const findings: TreeFinding[] = [];
  visit(spec, spec.id, undefined, { ms: limits.stopWithinMs ?? Number.POSITIVE_INFINITY, of: "the whole tree" }, { budgets, findings, maxStarts: limits.maxStarts ?? 100 });
  return { root: spec.id, budgets, findings };
}

interface Found {
  readonly budgets: StartBudget[];
  readonly findings: TreeFinding[];
  readonly maxStarts: number;
}

function visit(spec: SupervisorSpec, path: string, above: Above | undefined, stop: Above["stop"], found: Found): void {
  const ownMs = spec.flags.shutdownMs ?? Number.POSITIVE_INFINITY;
  const tightest = ownMs < stop.ms ? { ms: ownMs, of: `"${path}"` } : stop;
  const inherited = above === undefined ? [] : startsAgain(spec, above.spec) ? above.factors : above.inherited;
  const restarts = restartTypeOf(spec);
  const goneWith = restarts === "temporary" ? path : restarts === "transient" ? above?.goneWith : undefined;
  const here: Above = { path, spec, factors: [...inherited, factorOf(spec.flags)], inherited, goneWith, stop: tightest };
  if (above !== undefined && spec.flags.shutdownMs !== undefined) checkShutdown(spec.flags.shutdownMs, path, stop, found);
  checkSum(here, tightest === stop && above !== undefined ? Number.POSITIVE_INFINITY : tightest.ms, found);
  for (const child of spec.children) {
    const childPath = `${path}/${child.id}`;
    const restart = restartTypeOf(child);
    if (restart === "permanent" && goneWith !== undefined) found.findings.push(permanentUnderTemporary(childPath, goneWith));
    checkBudgetOf(child, childPath, here, found);
    if (child.kind === "supervisor") visit(child, childPath, here, tightest, found);
    else {
      checkShutdown(child.options.shutdownMs, childPath, tightest, found);
      const factors = restart === "temporary" ? inherited : here.factors;
      addBudget(childPath, factors, found);
    }
  }
}

// ---- G1

/** Whether a supervisor may begin anew while the one above it lives: after its own end, or with its group after the end of another. */
function startsAgain(spec: SupervisorSpec, { flags, children }: SupervisorSpec): boolean {
  const restart = restartTypeOf(spec);
  if (restart !== "transient") return restart === "permanent";
  const others = flags.strategy === "one-for-all" ? children : flags.strategy === "rest-for-one" ? children.slice(0, children.indexOf(spec)) : [];
  return others.some((other) => other !== spec && restartTypeOf(other) !== "temporary");
}

function factorOf(flags: SupervisorFlags): StartFactor {
  if (flags.backoff === undefined) return intensityOf(flags) + 1;
  return flags.backoff.giveUpAfterMs === undefined || flags.backoff.onGiveUp === "degrade" ? "unlimited" : "by-time";
}

function intensityOf(flags: SupervisorFlags): number {
  return flags.intensity ?? RULE_DEFAULTS.intensity;
}

function addBudget(path: string, factors: readonly StartFactor[], found: Found): void {
  const starts = factors.reduce<StartFactor>(timesFactor, 1);
  found.budgets.push({ path, starts, factors });
  if (typeof starts !== "number" || starts <= found.maxStarts) return;
  found.findings.push({
    rule: "restart-product",
    severity: "warning",
    path,
    detail: `it may be started ${String(starts)} times (${factors.join(" x ")}) before the root gives up; more than ${String(found.maxStarts)} is a crash loop`,
    advice: "Lower the intensities towards the root, or use backoff.",
  });
}

function timesFactor(product: StartFactor, factor: StartFactor): StartFactor {
  if (product === "unlimited" || factor === "unlimited") return "unlimited";
  return product === "by-time" || factor === "by-time" ? "by-time" : product * factor;
}

// ---- G2

function checkShutdown(shutdownMs: number | undefined, path: string, stop: Above["stop"], { findings }: Found): void {
  const takesMs = shutdownMs ?? WORKER_DEFAULTS.shutdownMs;
  if (shutdownMs === undefined) {
    findings.push({
      rule: "shutdown-missing",
      severity: "note",
      path,
      detail: `it does not say how long its stop may take; the default is ${ms(takesMs)}${takesMs > stop.ms ? `, but ${stop.of} has ${ms(stop.ms)}` : ""}`,
      advice: "Give shutdownMs: as long as it needs to end in order.",
    });
  } else if (takesMs > stop.ms) {
    findings.push({
      rule: "shutdown-too-long",
      severity: "warning",
      path,
      detail: `its stop may take ${ms(takesMs)}, but ${stop.of} has ${ms(stop.ms)} for its own: it is killed before its deadline`,
      advice: "Shorten shutdownMs of the child, or give the supervisor more.",
    });
  } else if (takesMs > LONG_SHUTDOWN_MS) {
    findings.push({
      rule: "shutdown-too-long",
      severity: "warning",
      path,
      detail: `its stop may take ${ms(takesMs)}, and everything that stops after it waits for that`,
      advice: `Give a shutdownMs of at most ${ms(LONG_SHUTDOWN_MS)}.`,
    });
  }
}

/** One after the other, all children of a supervisor may need more than it has. */
function checkSum({ spec, path, stop }: Above, withinMs: number, { findings }: Found): void {
  const sumMs = stopsOf(spec);
  if (!Number.isFinite(withinMs) || sumMs <= withinMs) return;
  findings.push({
    rule: "shutdown-too-long",
    severity: "note",
    path,
    detail: `its children stop one after the other and may take ${ms(sumMs)} together, but ${stop.of} has ${ms(withinMs)}; what still runs then is killed`,
    advice: "Shorten the shutdownMs of the children if that may happen.",
  });
}

function stopsOf(spec: SupervisorSpec): number {
  return sumOf(spec.children, longestStopMs);
}

function longestStopMs(spec: ChildSpec): number {
  if (spec.kind !== "supervisor") return spec.options.shutdownMs ?? WORKER_DEFAULTS.shutdownMs;
  return Math.min(stopsOf(spec), spec.flags.shutdownMs ?? Number.POSITIVE_INFINITY);
}

// ---- G3

function permanentUnderTemporary(path: string, above: string): TreeFinding {
  return {
    rule: "permanent-under-temporary",
    severity: "warning",
    path,
    detail: `it is permanent, but "${above}" above it is temporary: once that has ended nobody starts either again`,
    advice: "Make the supervisor permanent or transient, or the child transient or temporary.",
  };
}

// ---- G4

function checkBudgetOf(child: ChildSpec, path: string, { spec, path: above }: Above, { findings }: Found): void {
  const { flags } = spec;
  if (flags.backoff !== undefined || restartTypeOf(child) === "temporary") return;
  const intensity = intensityOf(flags);
  const periodMs = flags.periodMs ?? RULE_DEFAULTS.periodMs;
  const budget = `${String(intensity)} in ${ms(periodMs)} of "${above}"`;
  const alone = slowestStartMs(child);
  const startMs = intensity * alone > periodMs ? alone : alone === 0 ? 0 : longestStartMs(child) + startsBeforeMs(child, spec);
  if (intensity * startMs > periodMs) {
    findings.push({
      rule: "budget-unreachable",
      severity: startMs === alone ? "warning" : "note",
      path,
      detail: `where it hangs at every start${startMs === alone ? "" : " and all that starts before it takes its whole startMs"}, each restart takes ${ms(startMs)}: ${budget} is never used up, and it is tried for ever`,
      advice: `Give startMs of at most ${ms(Math.floor(periodMs / intensity))}${startMs === alone ? "" : " together"}, a longer period, or backoff.`,
    });
  }
  if (child.kind !== "supervisor" || restartTypeOf(child) !== "permanent" || child.flags.backoff === undefined || child.flags.backoff.onGiveUp === "degrade") return;
  const { giveUpAfterMs } = child.flags.backoff;
  // Without a limit it never ends by itself, and means so.
  if (giveUpAfterMs === undefined || intensity * giveUpAfterMs <= periodMs) return;
  findings.push({
    rule: "budget-unreachable",
    severity: "warning",
    path,
    detail: `it gives up after ${ms(giveUpAfterMs)} of failing: ${budget} is never used up, and it is tried for ever`,
    advice: "Lengthen the period, shorten giveUpAfterMs, or leave giveUpAfterMs out.",
  });
}

/** How long one failing start may take: the supervisor's own start fails with the first child that cannot start, unless it retries. */
function slowestStartMs(spec: ChildSpec): number {
  if (spec.kind !== "supervisor") return spec.options.startMs ?? WORKER_DEFAULTS.startMs;
  if (spec.flags.startFailure === "retry") return 0;
  return Math.max(0, ...spec.children.map(slowestStartMs));
}

/** As `slowestStartMs`, where what it starts before the one that hangs takes its whole time too. */
function longestStartMs(spec: ChildSpec): number {
  if (spec.kind !== "supervisor") return slowestStartMs(spec);
  if (spec.flags.startFailure === "retry") return 0;
  return Math.max(0, ...spec.children.map((child, at) => sumOf(spec.children.slice(0, at), statedStartMs) + longestStartMs(child)));
}

/** What each try to start the child again starts before it: a one-for-all group begins anew, whichever of it could not start. */
function startsBeforeMs(child: ChildSpec, { flags, children }: SupervisorSpec): number {
  if (flags.strategy !== "one-for-all") return 0;
  const before = children.slice(0, children.indexOf(child));
  return sumOf(
    before.filter((each) => restartTypeOf(each) !== "temporary"),
    statedStartMs,
  );
}

/** A default is no statement: nobody said that it takes so long. */
function statedStartMs(spec: ChildSpec): number {
  if (spec.kind !== "supervisor") return spec.options.startMs ?? 0;
  return spec.flags.startFailure === "retry" ? 0 : sumOf(spec.children, statedStartMs);
}

function sumOf(specs: readonly ChildSpec[], each: (spec: ChildSpec) => number): number {
  return specs.reduce((sum, spec) => sum + each(spec), 0);
}

function ms(value: number): string {
  if (!Number.isFinite(value)) return "for ever";
  return value >= 1_000 ? `${String(value / 1_000)} s` : `${String(value)} ms`;
}
