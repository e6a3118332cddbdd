// Scenes that nobody thought of: random trees up to three supervisors deep, children that end and fail to start at random. The same seed gives the same scenes.
// No step holds a start or a stop, so that none of the named differences can show.

import type { AutoShutdown, RestartType, Strategy } from "../../../../runtime/supervision/index.ts";
import { SeededRandom } from "../../../../runtime/simulation/seeded-random.ts";
import { a, below, type How, type Scene, type SceneChild, type SceneSupervisor, type Step } from "./scene.ts";

const STRATEGIES: readonly [Strategy, ...Strategy[]] = ["one-for-one", "rest-for-one", "one-for-all"];
const RESTARTS: readonly [RestartType, ...RestartType[]] = ["permanent", "permanent", "transient", "temporary"];
const HOWS: readonly [How, ...How[]] = ["normal", "shutdown", "stopped", "failed", "killed"];
const AUTO: readonly [AutoShutdown, ...AutoShutdown[]] = ["never", "never", "any-significant", "all-significant"];
const MAX_DEPTH = 2;

export function generatedScenes(seed: number, count: number): readonly Scene[] {
  const random = new SeededRandom(seed);
  const upTo = (limit: number): number => Math.floor(random.next() * limit);
  const pick = <T>(list: readonly [T, ...T[]]): T => list[upTo(list.length)] ?? list[0];

  function tree(id: string, ids: string[], depth: number): SceneSupervisor {
    const autoShutdown = pick(AUTO);
    const children: (SceneChild | SceneSupervisor)[] = [];
    for (let left = 1 + upTo(4); left > 0; left--) {
      if (depth < MAX_DEPTH && random.next() < 0.25) children.push(tree(`${id}${String(left)}`, ids, depth + 1));
      else {
        ids.push(`c${String(ids.length)}`);
        children.push(a(ids.at(-1) ?? "", pick(RESTARTS), random.next() < 0.25 ? { shutdownMs: 0 } : {}));
      }
    }
    const marked = children.map((child) => ({ ...child, significant: child.restart !== "permanent" && autoShutdown !== "never" && random.next() < 0.6 }));
    const finite = random.next() < 0.25 ? { shutdownMs: 60_000 } : {};
    return below(id, { ...finite, restart: depth === 0 ? "permanent" : pick(RESTARTS), strategy: pick(STRATEGIES), intensity: upTo(4), autoShutdown }, marked);
  }

  return Array.from({ length: count }, (_, index) => {
    const ids: string[] = [];
    const root = tree("root", ids, 0);
    const anyOf = (): string => ids[upTo(ids.length)] ?? "c0";
    const steps: Step[] = random.next() < 0.08 ? [["fail-starts", anyOf(), 1], ["start"]] : [["start"]];
    for (let left = 2 + upTo(8); left > 0; left--) {
      if (random.next() < 0.25) steps.push(["fail-starts", anyOf(), 1 + upTo(2)]);
      steps.push(["end", anyOf(), pick(HOWS)]);
    }
    if (random.next() < 0.4) steps.push(["stop"]);
    return { name: `generated ${String(seed)}.${String(index)}`, root, steps };
  });
}
