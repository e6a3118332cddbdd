// A whole tree: its root supervisor, its reports, and the handles by which children come and go.

import { DroverError } from "../errors.ts";
import type { Clock, Log, Random } from "../ports/index.ts";
import { aClock, aLog, aRandom, demandShape, keysOf, oneOf, type Shape } from "../shape/index.ts";
import { sureLog } from "../sure-log.ts";
import { stopWithin, type Exit, type Isolation, type Running } from "../workers/index.ts";
import { checkedTree } from "./checked-tree.ts";
import type { AddOutcome, KeepOutcome, RemoveOutcome, RestartOutcome } from "./child-outcomes.ts";
import type { ChildSlot } from "./child-slot.ts";
import { monitorRun, runEndOf, WatchedRun, type DownNotice, type Monitor, type RunEnd } from "./monitor.ts";
import { Reports, type ReportListener } from "./report.ts";
import type { ChildSpec, SupervisorSpec } from "./spec.ts";
import { SupervisorLife } from "./supervisor-life.ts";
import type { NodeState, TreeNode } from "./tree-node.ts";

export interface TreeOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** Runs every worker so, whatever its spec says: the simulator runs all of them inline. */
  readonly isolation?: Isolation;
}

/** Adds, removes and restarts children of one supervisor while it runs; what is asked while it starts waits for that, at most 5 s. Outcomes are values. */
export interface SupervisorHandle {
  /** Starts it last; it stops first. Only below a one-for-one supervisor that runs. @throws DROVER_TREE_INVALID for a significant child where autoShutdown is never */
  addChild(spec: ChildSpec): Promise<AddOutcome>;
  /** As `addChild`, made from these data, and it comes back after a restart of the process. Only where the supervisor's `kept` says how. @throws DROVER_TREE_INVALID */
  keepChild(id: string, data: unknown): Promise<KeepOutcome>;
  /** Stops and forgets it, also where it is kept. Only below a one-for-one supervisor. */
  removeChild(id: string): Promise<RemoveOutcome>;
  /** By request and not counted as a failure, also where it cannot start; its siblings go with it as the strategy says. */
  restartChild(id: string): Promise<RestartOutcome>;
  describe(): readonly TreeNode[];
}

export interface Tree {
  /** As it was written. */
  readonly spec: SupervisorSpec;
  /** Starts everything in order. Once. @throws the code of what could not start, its path in the message; DROVER_TREE_INVALID on a second call */
  start(): Promise<void>;
  /** Stops in reverse order. Children have their own deadlines; after `withinMs` (default: no bound of its own) whatever still runs is killed. */
  stop(withinMs?: number): Promise<void>;
  /** Resolves when the tree has ended: stopped, or its root gave up (`shutdown` with a cause). */
  readonly exited: Promise<Exit>;
  describe(): TreeNode;
  /** A supervisor by its path: ids below the root joined by `/`; "" is the root. The handle stays that of the path, also where another one is added there. */
  at(path: string): SupervisorHandle | undefined;
  /**
   * Tells once how the child at `path` ends: its present run, also where it is restarted afterwards. Where nothing runs the notice says so at once.
   * @param path as for `at`, of any child; "" is the tree itself
   */
  monitor(path: string, listener: (notice: DownNotice) => void): Monitor;
  /** Returns how to stop listening. */
  onReport(listener: ReportListener): () => void;
}

const TREE: Shape = {
  type: "object",
  properties: {
    spec: { title: "what supervisor() gave", "x-test": (value) => typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "supervisor" },
    options: keysOf<TreeOptions>({ clock: aClock, random: aRandom, log: aLog, isolation: oneOf("inline", "thread", "process") }, ["clock", "random", "log"]),
  },
  required: ["spec", "options"],
};

/** @throws DROVER_TREE_INVALID for what is no tree or deeper than 64 supervisors, or options that are unknown, missing or of another kind */
export function createTree(written: SupervisorSpec, options: TreeOptions): Tree {
  demandShape({ spec: written, options }, TREE, "createTree", "DROVER_TREE_INVALID", true);
  const spec = checkedTree(written);
  const { clock } = options;
  const log = sureLog(options.log);
  const reports = new Reports(log, clock);
  const root = new SupervisorLife(spec, spec.id, { ...options, log, reports });
  const abort = new AbortController();
  const hurry = new AbortController();
  const run = new WatchedRun();
  let resolveExited: ((exit: Exit) => void) | undefined;
  const exited = new Promise<Exit>((resolve) => {
    resolveExited = resolve;
  });
  let state: NodeState = "stopped";
  let since = clock.now();
  let running: Running | undefined;
  let starting: Promise<void> | undefined;
  const enter = (next: NodeState): void => {
    state = next;
    since = clock.now();
  };

  const end = (exit: Exit, reason: RunEnd["reason"] = exit.kind): void => {
    run.end({ ...runEndOf(exit, clock.now()), reason });
    resolveExited?.(exit);
  };

  const begin = async (): Promise<void> => {
    enter("starting");
    try {
      running = await root.start({ signal: abort.signal, hurry: hurry.signal });
    } catch (error) {
      enter(abort.signal.aborted ? "stopped" : "failed");
      end({ kind: "shutdown", cause: error as Error }, abort.signal.aborted ? "shutdown" : "start-failed");
      throw error;
    }
    enter("running");
    void running.exited.then((exit) => {
      enter(exit.kind === "shutdown" && exit.cause !== undefined ? "failed" : "stopped");
      end(exit);
    });
  };

  return {
    spec,
    exited,
    async start() {
      if (starting !== undefined) throw new DroverError("DROVER_TREE_INVALID", `the tree "${spec.id}" was started before; make a new one`);
      starting = begin();
      await starting;
    },
    async stop(withinMs = Number.POSITIVE_INFINITY) {
      if (starting === undefined) {
        starting = Promise.resolve();
        end({ kind: "shutdown" });
        return;
      }
      if (state === "starting" || state === "running") enter("stopping");
      abort.abort(new DroverError("DROVER_WORKER_FAILED", "the tree was stopped while it started"));
      const timer = Number.isFinite(withinMs)
        ? clock.setTimeout(() => {
            hurry.abort();
            running?.kill();
          }, withinMs)
        : undefined;
      await starting.catch(() => undefined);
      if (running !== undefined) await stopWithin(running, clock, { shutdownMs: Number.POSITIVE_INFINITY, killWaitMs: Number.POSITIVE_INFINITY, hurry: hurry.signal });
      clock.clearTimeout(timer);
    },
    describe: () => ({
      id: spec.id,
      kind: "supervisor",
      strategy: spec.flags.strategy,
      state: state === "running" && root.isDegraded ? "degraded" : state,
      restarts: 0,
      since,
      children: root.describeChildren(),
    }),
    at: (path) => {
      const found = find(root, path);
      if (found === undefined) return undefined;
      // Who has that place by now: it may have been removed and added again.
      const present = (): SupervisorLife => find(root, path) ?? found;
      return {
        addChild: (child) => present().requests.add(child),
        keepChild: (id, data) => present().requests.keep(id, data),
        removeChild: (id) => present().requests.remove(id),
        restartChild: (id) => present().requests.restart(id),
        describe: () => present().describeChildren(),
      };
    },
    monitor: (path, listener) => {
      const [slot] = slotsAt(root, path);
      const whole = starting === undefined || run.hasEnded ? "not-running" : run;
      return monitorRun(path, path === "" ? whole : slot === undefined ? "no-such-child" : (slot.run ?? "not-running"), listener, { clock, log });
    },
    onReport: (listener) => reports.listen(listener),
  };
}

/** A tree that runs. @throws what `start` throws; everything that had started has ended then */
export async function startTree(spec: SupervisorSpec, options: TreeOptions): Promise<Tree> {
  const tree = createTree(spec, options);
  await tree.start();
  return tree;
}

/** All that a path may mean: an id may contain `/` itself, so ids are matched as prefixes. */
function* slotsAt(supervisor: SupervisorLife, path: string): Generator<ChildSlot> {
  for (const slot of supervisor.places.slots) {
    if (path === slot.id) yield slot;
    else if (path.startsWith(`${slot.id}/`) && slot.nested instanceof SupervisorLife) yield* slotsAt(slot.nested, path.slice(slot.id.length + 1));
  }
}

function find(root: SupervisorLife, path: string): SupervisorLife | undefined {
  if (path === "") return root;
  for (const { nested } of slotsAt(root, path)) if (nested instanceof SupervisorLife) return nested;
  return undefined;
}
