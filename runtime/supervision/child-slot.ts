// The place of one child below its supervisor: what fills it now, how often it was filled, how the last one ended.
// It starts and stops when told (lane.ts tells it) and reports an end that nobody asked for. It decides nothing.

import { DroverError } from "../errors.ts";
import { guardedSignal } from "../guarded-signal.ts";
import type { Clock, Log, Random } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import {
  asError,
  errorOf,
  isAbnormal,
  lateStart,
  reasonOf,
  startWorker,
  stopWithin,
  WORKER_DEFAULTS,
  type Exit,
  type Isolation,
  type Running,
  type Startable,
} from "../workers/index.ts";
import { runEndOf, WatchedRun } from "./monitor.ts";
import { orderly } from "./orderly.ts";
import type { ReportContext, Reports } from "./report.ts";
import { restartTypeOf, type ChildSpec, type RestartType } from "./spec.ts";
import { copyOf, lastExitOf } from "./last-exit.ts";
import type { LastExit, NodeState, TreeNode } from "./tree-node.ts";

type Phase =
  /** `broken`: it ended abnormally and nobody restarts it. */
  | { readonly kind: "down"; readonly broken?: true }
  | { readonly kind: "starting"; readonly abort: AbortController; readonly done: Promise<unknown> }
  | { readonly kind: "running"; readonly running: Running; readonly readyAt: number }
  /** About to be asked, or asked, to stop: its end is expected. */
  | { readonly kind: "stopping"; readonly running: Running };

export type StartOutcome = { readonly kind: "started" } | { readonly kind: "failed"; readonly error: Error } | { readonly kind: "aborted" };

/** What all slots of a tree share. */
export interface TreePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly reports: Reports;
  /** Overrides the isolation of every worker (the simulator runs them all inline). */
  readonly isolation?: Isolation | undefined;
}

/** A nested supervisor seen from its slot: it is started again and again, and keeps its children's history. */
export interface NestedSupervisor extends Startable {
  readonly isDegraded: boolean;
  /** Kills what runs below it as it is stopped, also where it still starts. */
  hurry(): void;
  /** It is not started again. Resolves when no list of it, or below it, is changed any more; `late` is given what changes one afterwards (kept-list.ts K4). */
  retire(late: (change: Promise<unknown>) => void): Promise<void>;
  describeChildren(): readonly TreeNode[];
}

/** A start that is broken off stops, kills and waits for the kill by itself; only then it is let go of. */
const ABORT_MARGIN_MS = 3_000;

export class ChildSlot {
  readonly spec: ChildSpec;
  readonly restartType: RestartType;
  /** Whether its supervisor wants it to run. */
  wanted = false;
  /** Not started before this monotonic time. */
  dueAt = 0;
  /** It was ready at least once since its supervisor started. */
  startedOnce = false;
  readonly nested: NestedSupervisor | undefined;
  readonly #supervisor: string;
  readonly #ports: TreePorts;
  readonly #startable: Startable;
  readonly #onExit: (slot: ChildSlot, exit: Exit, ranMs: number) => void;
  #phase: Phase = { kind: "down" };
  /** The present run, or the last one. */
  #run: WatchedRun | undefined;
  #starts = 0;
  #shown: NodeState = "stopped";
  #since: number;
  #lastExit: LastExit | undefined;

  /** @param onExit called when it ended without being asked to, already down */
  constructor(spec: ChildSpec, supervisor: string, nested: NestedSupervisor | undefined, ports: TreePorts, onExit: (slot: ChildSlot, exit: Exit, ranMs: number) => void) {
    this.spec = spec;
    this.restartType = restartTypeOf(spec);
    this.nested = nested;
    this.#supervisor = supervisor;
    this.#ports = ports;
    this.#startable = startableOf(spec, nested, ports);
    this.#onExit = onExit;
    this.#since = ports.clock.now();
  }

  get id(): string {
    return this.spec.id;
  }

  get isUp(): boolean {
    return this.#phase.kind === "running";
  }

  /** It has started, and nobody has seen it end. */
  get stands(): boolean {
    return this.#phase.kind === "running" || this.#phase.kind === "stopping";
  }

  get restarts(): number {
    return Math.max(0, this.#starts - 1);
  }

  /** Never rejects. An aborted start has ended whatever it began. */
  async start(hurry: AbortSignal): Promise<StartOutcome> {
    const abort = new AbortController();
    const log = this.#ports.log.child({ child: `${this.#supervisor}/${this.id}` });
    const run = new WatchedRun();
    this.#run = run;
    this.#starts++;
    const { clock, random } = this.#ports;
    const heard = (error: unknown): void => {
      this.#ports.log.warn({ err: error, supervisor: this.#supervisor }, "what listens to the signal of a child's start failed");
    };
    const signals = { signal: guardedSignal(abort.signal, heard), hurry: guardedSignal(hurry, heard) };
    const started = Promise.resolve()
      .then(() => this.#startable.start({ ...signals, clock, random, log }))
      .then(orderly);
    const done = this.#settle(started, abort, hurry);
    this.#enter({ kind: "starting", abort, done });
    const outcome = await done;
    if (outcome.kind === "ready") return this.#filled(outcome.running, run);
    this.#enter({ kind: "down" });
    run.end(outcome.kind === "aborted" ? { reason: "shutdown", at: clock.now() } : { reason: "start-failed", error: outcome.error, at: clock.now() });
    if (outcome.kind === "failed") {
      this.#lastExit = { ...lastExitOf({ kind: "failed", error: outcome.error }, clock.now()), reason: "start-failed" };
      this.tell("start_error", outcome.error.message, outcome.error);
    }
    return outcome;
  }

  /** A start under way ends as `aborted`. */
  abortStart(): void {
    if (this.#phase.kind === "starting") this.#phase.abort.abort(new DroverError("DROVER_WORKER_FAILED", "its start was no longer wanted"));
  }

  /** From now on its end is no surprise. */
  expectStop(): void {
    if (this.#phase.kind === "running") this.#enter({ kind: "stopping", running: this.#phase.running });
  }

  /** Down when it resolves, whatever it was before. Never rejects. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.abortStart();
    if (this.#phase.kind === "starting") await this.#phase.done;
    this.expectStop();
    if (this.#phase.kind !== "stopping") {
      this.#enter({ kind: "down" });
      return;
    }
    const exit = await stopWithin(this.#phase.running, this.#ports.clock, { ...this.#stopLimits(), hurry });
    this.#lastExit = lastExitOf(exit, this.#ports.clock.now());
    // One that was let go of ends here for whoever watches.
    this.#run?.end(runEndOf(exit, this.#ports.clock.now()));
    // Who is killed by intent has done nothing wrong (OTP).
    const isMeant = exit.kind === "killed" && this.#stopLimits().shutdownMs === 0;
    if (isAbnormal(exit) && !isMeant) this.tell("shutdown_error", reasonOf(exit), errorOf(exit));
    this.#enter({ kind: "down" });
  }

  tell(context: ReportContext, reason: string, error?: Error): void {
    this.#ports.reports.tell({ supervisor: this.#supervisor, context, reason, offender: this.id, restarts: this.restarts, ...(error === undefined ? {} : { error }) });
  }

  /** What a monitor that is set now watches: undefined between two runs. */
  get run(): WatchedRun | undefined {
    return this.#run?.hasEnded === false ? this.#run : undefined;
  }

  /** It ended by itself and stays so. */
  retire(): void {
    this.wanted = false;
    const orderly = this.#lastExit === undefined || this.#lastExit.reason === "normal" || this.#lastExit.reason === "shutdown";
    this.#enter(orderly ? { kind: "down" } : { kind: "down", broken: true });
  }

  /** Notes a change of `wanted`, so that `since` is right. */
  show(): void {
    const state = this.#state();
    if (state === this.#shown) return;
    this.#shown = state;
    this.#since = this.#ports.clock.now();
  }

  describe(): TreeNode {
    this.show();
    const { spec } = this;
    const running = this.#phase.kind === "running" || this.#phase.kind === "stopping" ? this.#phase.running : undefined;
    return {
      id: spec.id,
      kind: spec.kind === "hosted" ? (spec.options.kind ?? "entity") : spec.kind,
      ...(spec.kind === "supervisor" ? { strategy: spec.flags.strategy } : {}),
      state: this.#shown,
      restarts: this.restarts,
      since: this.#since,
      ...(this.#lastExit === undefined ? {} : { lastExit: copyOf(this.#lastExit) }),
      ...(running?.pid === undefined ? {} : { pid: running.pid }),
      ...(running?.isolation === undefined ? {} : { isolation: running.isolation }),
      children: this.nested?.describeChildren() ?? [],
    };
  }

  async #settle(
    started: Promise<Running>,
    abort: AbortController,
    hurry: AbortSignal,
  ): Promise<Exclude<StartOutcome, { kind: "started" }> | { readonly kind: "ready"; readonly running: Running }> {
    const { clock } = this.#ports;
    const startMs = this.spec.kind === "hosted" ? (this.spec.options.startMs ?? WORKER_DEFAULTS.startMs) : Number.POSITIVE_INFINITY;
    let late: DroverError | undefined;
    try {
      const running = await settledWithin(started, clock, startMs, abort.signal);
      if (running !== undefined && !abort.signal.aborted) return { kind: "ready", running };
      if (!abort.signal.aborted) {
        late = lateStart(startMs);
        abort.abort(late);
      }
      // It was told; what it began has its shutdown time to end, and whatever comes after that is ended as soon as it comes.
      const limits = this.#stopLimits();
      let leftover = await settledWithin(started, clock, limits.shutdownMs + (this.nested === undefined ? ABORT_MARGIN_MS : 0), hurry);
      if (leftover === undefined && this.nested !== undefined) {
        // A supervisor is never let go of: the kills below it bound its end.
        this.nested.hurry();
        leftover = await started;
      } else if (leftover === undefined && hurry.aborted) leftover = await settledWithin(started, clock, ABORT_MARGIN_MS, undefined);
      if (leftover !== undefined) await stopWithin(leftover, clock, { ...limits, hurry });
      else void started.then((running) => stopWithin(running, clock, limits)).catch(() => undefined);
    } catch (error) {
      if (!abort.signal.aborted) return { kind: "failed", error: asError(error) };
    }
    return late === undefined ? { kind: "aborted" } : { kind: "failed", error: late };
  }

  #filled(running: Running, run: WatchedRun): StartOutcome {
    const { clock } = this.#ports;
    const readyAt = clock.monotonic();
    this.startedOnce = true;
    this.#enter({ kind: "running", running, readyAt });
    this.tell(this.restarts === 0 ? "child_started" : "child_restarted", this.#lastExit === undefined ? "start" : (this.#lastExit.error ?? this.#lastExit.reason));
    void running.exited.then((exit) => {
      run.end(runEndOf(exit, clock.now()));
      if (this.#phase.kind !== "running" || this.#phase.running !== running) return;
      this.#lastExit = lastExitOf(exit, clock.now());
      this.#enter({ kind: "down" });
      this.#onExit(this, exit, clock.monotonic() - readyAt);
    });
    return { kind: "started" };
  }

  #stopLimits(): { readonly shutdownMs: number; readonly killWaitMs?: number } {
    // A supervisor takes as long as its children may: their own deadlines bound it (OTP: infinity), and their kills bound its kill.
    if (this.spec.kind === "supervisor") return { shutdownMs: this.spec.flags.shutdownMs ?? Number.POSITIVE_INFINITY, killWaitMs: Number.POSITIVE_INFINITY };
    return { shutdownMs: this.spec.options.shutdownMs ?? WORKER_DEFAULTS.shutdownMs };
  }

  #enter(phase: Phase): void {
    this.#phase = phase;
    this.show();
  }

  #state(): NodeState {
    switch (this.#phase.kind) {
      case "running":
        return this.nested?.isDegraded === true ? "degraded" : "running";
      case "stopping":
        return "stopping";
      case "starting":
        return this.#starts > 1 ? "restarting" : "starting";
      case "down":
        if (this.wanted) return this.#starts === 0 ? "starting" : "restarting";
        return this.#phase.broken === true ? "failed" : "stopped";
    }
  }
}

function startableOf(spec: ChildSpec, nested: NestedSupervisor | undefined, ports: TreePorts): Startable {
  if (spec.kind === "hosted") return spec.startable;
  if (nested !== undefined) return nested;
  if (spec.kind === "supervisor") throw new DroverError("DROVER_TREE_INVALID", `"${spec.id}" is a supervisor without a life`);
  const options = ports.isolation === undefined ? spec.options : { ...spec.options, isolation: ports.isolation };
  const left = { runs: 0 };
  return { start: (context) => startWorker(spec.type, spec.config, options, { ...context, left }) };
}
