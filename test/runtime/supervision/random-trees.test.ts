// Trees, requests, ends and stops that nobody thought of, at random delays of virtual time. Whatever happens: a child runs at most once and only while it is in the tree, everybody who
// asked is answered and whoever watches hears of one end, and after the stop nothing runs and no timer is left. The same seed gives the same life.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, supervisor, type ChildSpec, type SupervisorSpec, type Tree, type TreeNode } from "../../../runtime/supervision/index.ts";
import type { Exit, Startable } from "../../../runtime/workers/index.ts";
import { form } from "../../forms.ts";

const SEEDS = form(120, 1_500);
const STEPS = 25;
const STRATEGIES = ["one-for-one", "one-for-one", "rest-for-one", "one-for-all"] as const;
const RESTARTS = ["permanent", "permanent", "transient", "temporary"] as const;
const EXITS: readonly Exit[] = [{ kind: "normal" }, { kind: "shutdown" }, { kind: "failed", error: new Error("broke") }, { kind: "killed", error: new Error("killed") }];

class Life {
  readonly clock = new ManualClock();
  readonly problems: string[] = [];
  readonly tree: Tree;
  readonly #random: SeededRandom;
  readonly #ends = new Map<string, (exit: Exit) => void>();
  readonly #ids: string[] = [];
  #open = 0;
  #isOver = false;

  constructor(seed: number) {
    this.#random = new SeededRandom(seed);
    this.tree = createTree(this.#supervisor("root", 0), { clock: this.clock, random: new SeededRandom(seed), log: silentLog });
  }

  async play(): Promise<readonly string[]> {
    this.#await("start", this.tree.start());
    for (let step = 0; step < STEPS; step++) {
      await this.clock.advance(this.#pick([0, 1, 7, 20, 60, 200, 1_000]));
      this.#act();
      this.#look(`step ${String(step)}`);
    }
    await this.clock.advance(this.#pick([0, 7, 60]));
    const stopped = this.tree.stop().then(() => {
      if (this.#ends.size > 0) this.problems.push(`the tree has stopped and there runs: ${[...this.#ends.keys()].join()}`);
      this.#isOver = true;
    });
    this.#await("stop", stopped);
    await this.clock.advance(120_000);
    if (this.#open > 0) this.problems.push(`${String(this.#open)} are not answered`);
    if (this.clock.pending > 0) this.problems.push(`${String(this.clock.pending)} timers are left`);
    return this.problems;
  }

  #upTo(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  #pick<T>(list: readonly T[]): T {
    return list[this.#upTo(list.length)] as T;
  }

  #await(what: string, answer: Promise<unknown>): void {
    this.#open++;
    answer.then(
      () => this.#open--,
      (error: unknown) => {
        this.#open--;
        if (what !== "start") this.problems.push(`${what} threw ${String(error)}`);
      },
    );
  }

  #act(): void {
    const paths = pathsOf(this.tree.describe(), "");
    const chance = this.#random.next();
    const handle = this.tree.at(this.#pick(paths.supervisors));
    const id = this.#pick(this.#ids);
    if (chance < 0.4) this.#pick<(exit: Exit) => void>([...this.#ends.values(), () => undefined])(this.#pick(EXITS));
    else if (handle === undefined) return;
    else if (chance < 0.55) this.#await("restart", handle.restartChild(this.#pick([id, ...handle.describe().map((node) => node.id)])));
    else if (chance < 0.65) this.#await("remove", handle.removeChild(this.#pick([id, ...handle.describe().map((node) => node.id)])));
    else if (chance < 0.8) this.#await("add", handle.addChild(this.#random.next() < 0.3 ? this.#supervisor(`s${String(this.#ids.length)}`, 2) : this.#child()));
    else this.#watch(this.#pick(paths.all));
  }

  #watch(path: string): void {
    let heard = 0;
    this.#open++;
    this.tree.monitor(path, () => {
      heard++;
      this.#open--;
      if (heard > 1) this.problems.push(`of the end of ${path} was told ${String(heard)} times`);
    });
  }

  #look(when: string): void {
    const { ids } = pathsOf(this.tree.describe(), "");
    for (const id of this.#ends.keys()) if (!ids.has(id)) this.problems.push(`${when}: ${id} runs and is not described`);
  }

  #supervisor(id: string, depth: number): SupervisorSpec {
    const children: ChildSpec[] = [];
    for (let left = 1 + this.#upTo(3); left > 0; left--)
      children.push(depth < 2 && this.#random.next() < 0.35 ? this.#supervisor(`${id}-${String(left)}`, depth + 1) : this.#child());
    const rule =
      this.#random.next() < 0.4 ? ({ backoff: { initialMs: 50, maxMs: 400 }, startFailure: this.#pick(["escalate", "retry"] as const) } as const) : { intensity: this.#upTo(4) };
    const deadline = this.#random.next() < 0.3 ? { shutdownMs: this.#pick([0, 30, 500]) } : {};
    return supervisor(id, { strategy: this.#pick(STRATEGIES), restart: depth === 0 ? "permanent" : this.#pick(RESTARTS), ...rule, ...deadline }, children);
  }

  #child(): ChildSpec {
    const id = `c${String(this.#ids.length)}`;
    this.#ids.push(id);
    const startMs = this.#pick([0, 0, 5, 50, 300]);
    const stopMs = this.#pick([0, 0, 5, 50, 5_000]);
    const failing = this.#pick([0, 0, 0, 0.2, 0.5]);
    return hosted(id, this.#startable(id, startMs, stopMs, failing), { restart: this.#pick(RESTARTS), shutdownMs: this.#pick([0, 20, 1_000]), startMs: this.#pick([100, 1_000]) });
  }

  #startable(id: string, startMs: number, stopMs: number, failing: number): Startable {
    const heeds = this.#random.next() < 0.5;
    return {
      start: async ({ signal }) => {
        if (this.#isOver) this.problems.push(`${id} is started after the tree has stopped`);
        await new Promise<void>((resolve, reject) => {
          const timer = this.clock.setTimeout(resolve, startMs);
          const give = (): void => {
            if (!heeds) return;
            this.clock.clearTimeout(timer);
            reject(new Error("aborted"));
          };
          signal.addEventListener("abort", give);
        });
        if (this.#random.next() < failing) throw new Error("cannot start");
        if (this.#ends.has(id)) this.problems.push(`${id} runs twice`);
        return this.#run(id, stopMs);
      },
    };
  }

  #run(id: string, stopMs: number) {
    let settle: ((exit: Exit) => void) | undefined;
    const exited = new Promise<Exit>((resolve) => {
      settle = resolve;
    });
    let timer: ReturnType<ManualClock["setTimeout"]> | undefined;
    const over = (exit: Exit): void => {
      this.clock.clearTimeout(timer);
      if (this.#ends.get(id) === over) this.#ends.delete(id);
      settle?.(exit);
    };
    this.#ends.set(id, over);
    return {
      exited,
      stop: () => {
        timer = this.clock.setTimeout(() => {
          over({ kind: "shutdown" });
        }, stopMs);
      },
      kill: () => {
        over({ kind: "killed", error: new Error("killed") });
      },
    };
  }
}

interface Paths {
  readonly supervisors: readonly string[];
  readonly all: readonly string[];
  readonly ids: ReadonlySet<string>;
}

function pathsOf(node: TreeNode, path: string): Paths {
  const below = node.children.map((child) => pathsOf(child, path === "" ? child.id : `${path}/${child.id}`));
  return {
    supervisors: [...(node.kind === "supervisor" ? [path] : []), ...below.flatMap(({ supervisors }) => supervisors)],
    all: [path, ...below.flatMap(({ all }) => all)],
    ids: new Set([node.id, ...below.flatMap(({ ids }) => [...ids])]),
  };
}

test("S4. in random trees with random requests, ends and stops nothing runs twice or outside of the tree, everybody is answered, and a stop leaves nothing", async (t) => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= SEEDS; seed++) for (const problem of new Set(await new Life(seed).play())) wrong.push(`seed ${String(seed)}: ${problem}`);
  t.strictSame(wrong, []);
});
