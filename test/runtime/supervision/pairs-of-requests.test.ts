// Every request and every event with every other, in each phase of the other: what is told agrees with what runs, nothing is left over, nobody waits for ever.
//
// A scene: the tree is brought into a phase, one thing is done, the other so many ms later, and then all is left alone. In a pool of "a", "z" and, as the phase says, "x", each child
// takes 50 ms to start and 50 ms to stop, so that the delays meet starting, running, stopping and backing off of each.

import { test } from "tap";

import { silentLog, type KeptChild } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, supervisor, type ChildSpec, type SupervisorHandle, type SupervisorSpec, type Tree, type TreeNode } from "../../../runtime/supervision/index.ts";
import type { Exit, Startable } from "../../../runtime/workers/index.ts";
import { form } from "../../forms.ts";

const STEP_MS = 50;
const DISK_MS = 10;
/** Within a step and across all that a pool of three takes to stop, start and back off. */
const DELAYS_MS = form([0, 25, 125, 230], [0, 5, 25, 75, 125, 180, 230, 290]);
const LONG_MS = 30_000;

interface Phase {
  readonly name: string;
  readonly x: "absent" | "written" | "kept";
  /** The pool tries on with a child that fails, instead of giving up at the first failure. */
  readonly isPatient?: true;
  /** How many starts of x fail. */
  readonly failures?: number;
  /** Brings a tree that was told to start into the phase. */
  readonly reach: (scene: Scene) => Promise<void>;
}

const up = (scene: Scene): Promise<void> => scene.clock.advance(1_000);

const PHASES: readonly Phase[] = [
  { name: "x is not there", x: "absent", reach: up },
  { name: "x runs", x: "written", reach: up },
  { name: "x runs and is kept", x: "kept", reach: up },
  { name: "the tree starts, x written", x: "written", reach: () => settle() },
  { name: "the tree starts, x kept", x: "kept", reach: () => settle() },
  {
    name: "x backs off",
    x: "written",
    isPatient: true,
    reach: async (scene) => {
      await up(scene);
      scene.crash("x");
      await scene.clock.advance(200);
      scene.crash("x");
      await settle();
    },
  },
  {
    name: "the pool backs off, x kept",
    x: "kept",
    reach: async (scene) => {
      await up(scene);
      scene.crash("z");
      await scene.clock.advance(400);
      scene.crash("z");
      await scene.clock.advance(160);
    },
  },
  { name: "x cannot start", x: "absent", failures: Number.POSITIVE_INFINITY, reach: up },
  { name: "x starts at the second attempt", x: "absent", isPatient: true, failures: 1, reach: up },
];

interface Operation {
  readonly name: string;
  readonly run: (scene: Scene) => Promise<unknown>;
  /** x may be absent after it. */
  readonly removes?: true;
  /** x may be there after it although it was not. */
  readonly adds?: true;
  /** The pool ends by it, for good or to start again. */
  readonly endsPool?: true;
}

const nothing = Promise.resolve(undefined);

const OPERATIONS: readonly Operation[] = [
  { name: "add x", adds: true, run: (scene) => scene.pool.addChild(scene.child("x")) },
  { name: "keep x", adds: true, run: (scene) => scene.pool.keepChild("x", {}) },
  { name: "remove x", removes: true, run: (scene) => scene.pool.removeChild("x") },
  { name: "restart x", run: (scene) => scene.pool.restartChild("x") },
  { name: "restart the pool", endsPool: true, run: (scene) => scene.root.restartChild("pool") },
  { name: "remove the pool", endsPool: true, removes: true, run: (scene) => scene.root.removeChild("pool") },
  { name: "x crashes", endsPool: true, run: (scene) => (scene.crash("x"), nothing) },
  { name: "z crashes: the pool gives up", endsPool: true, run: (scene) => (scene.crash("z"), nothing) },
  { name: "z ends: the pool ends with it", endsPool: true, run: (scene) => (scene.end("z", { kind: "normal" }), nothing) },
  { name: "the tree stops", endsPool: true, removes: true, run: (scene) => scene.tree.stop() },
];

class Scene {
  readonly clock = new ManualClock();
  readonly problems: string[] = [];
  readonly phase: Phase;
  readonly tree: Tree;
  readonly root: SupervisorHandle;
  readonly pool: SupervisorHandle;
  stored: readonly KeptChild[];
  readonly #ends = new Map<string, (exit: Exit) => void>();
  #failures: number;

  constructor(phase: Phase, stored: readonly KeptChild[] = phase.x === "kept" ? [{ id: "x", data: {} }] : []) {
    this.phase = phase;
    this.stored = stored;
    this.#failures = phase.failures ?? 0;
    this.tree = createTree(this.#spec(), { clock: this.clock, random: new SeededRandom(1), log: silentLog });
    const [root, pool] = [this.tree.at(""), this.tree.at("pool")];
    if (root === undefined || pool === undefined) throw new Error("no pool");
    [this.root, this.pool] = [root, pool];
  }

  get running(): readonly string[] {
    return [...this.#ends.keys()].sort();
  }

  child(id: string): ChildSpec {
    return hosted(id, this.#startable(id), { shutdownMs: 1_000, startMs: 5_000, ...(id === "z" ? { restart: "transient", significant: true } : {}) });
  }

  end(id: string, exit: Exit): void {
    this.#ends.get(id)?.(exit);
  }

  crash(id: string): void {
    this.end(id, { kind: "failed", error: new Error(`${id} crashed`) });
  }

  /** Whatever runs is in the tree. */
  look(when: string): void {
    const shown = new Set(idsOf(this.tree.describe()));
    for (const id of this.running) if (!shown.has(id)) this.problems.push(`${when}: ${id} runs and is not described`);
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.clock.setTimeout(resolve, ms);
    });
  }

  #startable(id: string): Startable {
    return {
      // x does not heed the end of its start: what it began comes up and has to be stopped.
      start: async ({ signal }) => {
        const isAborted = new Promise<boolean>((resolve) => {
          if (id !== "x")
            signal.addEventListener("abort", () => {
              resolve(true);
            });
        });
        if (await Promise.race([this.#wait(STEP_MS).then(() => false), isAborted])) throw new Error("aborted");
        if (id === "x" && this.#failures-- > 0) throw new Error("x cannot start");
        if (this.#ends.has(id)) this.problems.push(`${id} runs twice`);
        let end: ((exit: Exit) => void) | undefined;
        const exited = new Promise<Exit>((resolve) => {
          end = resolve;
        });
        const over = (exit: Exit): void => {
          if (this.#ends.get(id) === over) this.#ends.delete(id);
          end?.(exit);
        };
        this.#ends.set(id, over);
        return {
          exited,
          stop: () => {
            this.clock.setTimeout(() => {
              over({ kind: "shutdown" });
            }, STEP_MS);
          },
          kill: () => {
            over({ kind: "killed", error: new Error("killed") });
          },
        };
      },
    };
  }

  #spec(): SupervisorSpec {
    const store = {
      load: async () => {
        await this.#wait(DISK_MS);
        return this.stored;
      },
      save: async (children: readonly KeptChild[]) => {
        await this.#wait(DISK_MS);
        this.stored = [...children];
      },
    };
    const flags = { strategy: "one-for-one", autoShutdown: "any-significant", kept: { store, make: (id: string) => this.child(id) } } as const;
    const rule = this.phase.isPatient === true ? ({ backoff: { initialMs: 150, maxMs: 150 }, startFailure: "retry" } as const) : { intensity: 0 };
    const children = (this.phase.x === "written" ? ["a", "x", "z"] : ["a", "z"]).map((id) => this.child(id));
    const pool = supervisor("pool", { ...flags, ...rule }, children);
    return supervisor("root", { strategy: "one-for-one", backoff: { initialMs: 150, maxMs: 150 } }, [pool]);
  }
}

function idsOf(node: TreeNode): readonly string[] {
  return [node.id, ...node.children.flatMap(idsOf)];
}

interface Told {
  readonly operation: Operation;
  readonly kind: string;
  /** A start that failed and goes on being tried. */
  readonly goesOn: boolean;
}

/** What is wrong about the scene. */
async function play(phase: Phase, operations: readonly [Operation, Operation], delayMs: number): Promise<readonly string[]> {
  const scene = new Scene(phase);
  const { problems, clock, tree } = scene;
  // What is heard of a start that is broken off is no matter here.
  tree.start().catch(() => undefined);
  await phase.reach(scene);
  const told: Told[] = [];
  const begin = (operation: Operation): void => {
    operation.run(scene).then(
      (outcome) => {
        const { kind, kept } = (outcome ?? { kind: "done" }) as { readonly kind: string; readonly kept?: boolean };
        if (operation.name === "the tree stops" && scene.running.length > 0) problems.push(`the tree has stopped and ${scene.running.join()} runs`);
        told.push({ operation, kind, goesOn: kept === true });
      },
      (error: unknown) => {
        problems.push(`${operation.name} threw ${String(error)}`);
      },
    );
  };
  begin(operations[0]);
  if (delayMs > 0) await clock.advance(delayMs);
  scene.look("between");
  begin(operations[1]);
  for (let passedMs = 0; passedMs < 600; passedMs += 60) {
    await clock.advance(60);
    scene.look(`${String(passedMs)} ms later`);
  }
  await clock.advance(LONG_MS);
  scene.look("in the end");
  if (told.length < 2) problems.push(`unsettled: ${operations.map(({ name }) => name).join(" or ")}`);
  const runsX = scene.running.includes("x");
  problems.push(
    ...told.flatMap((one) =>
      disagreement(
        one,
        told.find((other) => other !== one),
        phase,
        runsX,
      ),
    ),
  );
  const isRemoved = operations.some(({ removes }) => removes);
  const isThere = phase.x !== "absent" && !isRemoved;
  if (isThere && !runsX) problems.push("x was there, nobody removed it, and it does not run");
  const hasPool = !operations.some(({ name }) => name === "remove the pool" || name === "the tree stops");
  const siblings = scene.running.filter((id) => id !== "x").join();
  if (siblings !== (hasPool ? "a,z" : "")) problems.push(`of a and z there runs: ${siblings}`);
  problems.push(...keptWrongly(told, phase, scene.stored));
  await stopped(scene);
  problems.push(...(await comesBack(phase, scene.stored)));
  return problems;
}

function disagreement({ operation, kind, goesOn }: Told, other: Told | undefined, phase: Phase, runsX: boolean): readonly string[] {
  const what = `${operation.name} was told ${kind}, x ${runsX ? "runs" : "does not run"}`;
  const mayBeGone = other?.operation.removes === true;
  const mayBeAdded = other?.operation.adds === true && (other.kind === "started" || other.goesOn);
  const mayBeDown = other?.operation.endsPool === true || phase.name.startsWith("the pool backs off");
  const isWrong = (): boolean => {
    switch (operation.name) {
      case "add x":
      case "keep x":
        if (kind === "started" || kind === "id-taken" || goesOn) return !runsX && !mayBeGone;
        if (kind === "not-running" && !mayBeDown && !mayBeGone) return true;
        return runsX && !mayBeAdded && phase.x === "absent";
      case "remove x":
        return runsX && !mayBeAdded;
      case "restart x":
        if (kind === "started") return !runsX && !mayBeGone;
        if (kind === "no-such-child") return runsX && !mayBeAdded;
        return kind === "not-running" && !mayBeDown;
      default:
        return false;
    }
  };
  return isWrong() ? [what] : [];
}

/** Kept is what was kept before or told as started, and not removed. */
function keptWrongly(told: readonly Told[], phase: Phase, stored: readonly KeptChild[]): readonly string[] {
  const isKept = stored.some(({ id }) => id === "x");
  const isAdded = told.some(({ operation, kind, goesOn }) => operation.name === "keep x" && (kind === "started" || goesOn));
  const isRemoved = told.some(({ operation }) => operation.name === "remove x");
  if (isKept && !isAdded && (phase.x !== "kept" || isRemoved)) return ["x is kept and should not be"];
  if (!isKept && !isRemoved && (isAdded || phase.x === "kept")) return ["x should be kept and is not"];
  return [];
}

async function stopped(scene: Scene): Promise<void> {
  const ended = scene.tree.stop().then(() => {
    if (scene.running.length > 0) scene.problems.push(`after the stop ${scene.running.join()} runs`);
    return true;
  });
  await scene.clock.advance(LONG_MS);
  if (!(await Promise.race([ended, settle().then(() => false)]))) scene.problems.push("the tree does not stop");
  if (scene.running.length > 0) scene.problems.push(`in the very end ${scene.running.join()} runs`);
  if (scene.clock.pending > 0) scene.problems.push(`${String(scene.clock.pending)} timers are left`);
}

/** The process starts again with what is stored. */
async function comesBack(phase: Phase, stored: readonly KeptChild[]): Promise<readonly string[]> {
  const again = new Scene({ ...phase, failures: 0 }, stored);
  again.tree.start().catch(() => undefined);
  await again.clock.advance(1_000);
  const expected = phase.x === "written" || stored.length > 0 ? "a,x,z" : "a,z";
  if (again.running.join() !== expected) again.problems.push(`after a restart of the process ${again.running.join()} run instead of ${expected}`);
  await stopped(again);
  return again.problems;
}

for (const phase of PHASES) {
  test(`S4, V5, V6. any two of all requests and events, where ${phase.name}`, async (t) => {
    const wrong: string[] = [];
    let scenes = 0;
    for (const first of OPERATIONS)
      for (const second of OPERATIONS)
        for (const delayMs of DELAYS_MS) {
          scenes++;
          const problems = new Set(await play(phase, [first, second], delayMs));
          for (const problem of problems) wrong.push(`${first.name}, ${String(delayMs)} ms later ${second.name}: ${problem}`);
        }
    t.strictSame(wrong, []);
    t.equal(scenes, OPERATIONS.length ** 2 * DELAYS_MS.length);
  });
}
