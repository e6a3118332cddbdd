// Plays a scene on Drover's supervisor in virtual time, and writes its journal in the words of supervise.escript.

import { silentLog } from "../../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, supervisor, type ChildSpec, type SupervisorSpec, type Tree, type TreeNode } from "../../../../runtime/supervision/index.ts";
import type { Exit, Startable } from "../../../../runtime/workers/index.ts";
import { a, stepName, type How, type Scene, type SceneChild, type SceneSupervisor, type Step } from "./scene.ts";

const EXITS: Readonly<Record<How, Exit>> = {
  normal: { kind: "normal" },
  shutdown: { kind: "shutdown" },
  stopped: { kind: "shutdown", cause: new Error("enough") },
  failed: { kind: "failed", error: new Error("it broke") },
  killed: { kind: "killed", error: new Error("it was killed from outside") },
};

class Stage {
  readonly parts: string[][] = [];
  readonly failing = new Map<string, number>();
  readonly heldStarts = new Set<string>();
  readonly heldStops = new Set<string>();
  readonly releases = new Map<string, () => void>();
  /** How to end what runs now. */
  readonly ends = new Map<string, (exit: Exit) => void>();

  say(what: string): void {
    this.parts.at(-1)?.push(what);
  }
}

export async function playOnDrover({ root, steps }: Scene): Promise<string> {
  const stage = new Stage();
  const clock = new ManualClock();
  const tree = createTree(supervisorOf(root, stage), { clock, random: new SeededRandom(1), log: silentLog });
  for (const step of steps) {
    stage.parts.push([`${stepName(step)}:`]);
    await act(step, stage, tree, clock);
    await settle();
  }
  const { state, children } = tree.describe();
  const journal = stage.parts.map(([step = "", ...said]) => `${step} ${said.length === 0 ? "nothing" : inOrder(said).join(", ")}`);
  const line = [...journal, state === "running" ? shown(children) : "none"].join(" | ");
  for (const id of [...stage.releases.keys()]) release(id, stage);
  const stopped = tree.stop();
  await clock.advance(120_000);
  await stopped;
  return line;
}

/** As the other player: what was answered comes last. */
function inOrder(said: readonly string[]): readonly string[] {
  const isAnswer = (what: string): boolean => what.startsWith("told ");
  return [...said.filter((what) => !isAnswer(what)), ...said.filter(isAnswer).sort()];
}

async function act(step: Step, stage: Stage, tree: Tree, clock: ManualClock): Promise<void> {
  switch (step[0]) {
    case "start":
      void tree.start().then(
        () => void tree.exited.then((exit) => stage.say(`ended ${exit.kind}`)),
        (error: unknown) => stage.say(`refused ${[...String(error).matchAll(/"root\/([^"]+)" could not start/g)].at(-1)?.[1] ?? String(error)}`),
      );
      return;
    case "stop":
      void tree.stop();
      return;
    case "end":
      stage.ends.get(step[1])?.(EXITS[step[2]]);
      return;
    case "end-both":
      stage.ends.get(step[1])?.(EXITS[step[2]]);
      stage.ends.get(step[3])?.(EXITS[step[4]]);
      return;
    case "fail-starts":
      stage.failing.set(step[1], step[2]);
      return;
    case "hold-start":
      stage.heldStarts.add(step[1]);
      return;
    case "hold-stop":
      stage.heldStops.add(step[1]);
      return;
    case "release":
      release(step[1], stage);
      return;
    case "remove":
      void tree.at("")?.removeChild(step[1]);
      return;
    case "restart":
      void tree.at("")?.restartChild(step[1]);
      return;
    case "add": {
      const inner = tree.describe().children.find(({ kind }) => kind === "supervisor");
      void tree.at(inner?.id ?? "")?.addChild(childOf(a(step[1]), stage));
      return;
    }
    case "ask": {
      const [, request, id, of] = step;
      const told = ask(tree, request, id, of, stage);
      void told.then((outcome) => {
        stage.say(`told ${request} ${id} ${outcome?.kind ?? "not-running"}`);
      });
      return;
    }
    case "advance":
      await clock.advance(step[1] * 1_000);
  }
}

async function ask(tree: Tree, request: "add" | "remove" | "restart", id: string, of: string, stage: Stage): Promise<{ readonly kind: string } | undefined> {
  const handle = tree.at(of === tree.spec.id ? "" : of);
  switch (request) {
    case "add":
      return handle?.addChild(childOf(a(id), stage));
    case "remove":
      return handle?.removeChild(id);
    case "restart":
      return handle?.restartChild(id);
  }
}

function release(id: string, stage: Stage): void {
  stage.heldStarts.delete(id);
  stage.heldStops.delete(id);
  stage.releases.get(id)?.();
  stage.releases.delete(id);
}

function supervisorOf({ id, restart, significant, strategy, intensity, periodSeconds, autoShutdown, shutdownMs, children }: SceneSupervisor, stage: Stage): SupervisorSpec {
  const flags = { restart, significant, strategy, intensity, periodMs: periodSeconds * 1_000, autoShutdown, ...(shutdownMs === undefined ? {} : { shutdownMs }) };
  return supervisor(
    id,
    flags,
    children.map((one) => ("children" in one ? supervisorOf(one, stage) : childOf(one, stage))),
  );
}

function childOf({ id, restart, significant, shutdownMs }: SceneChild, stage: Stage): ChildSpec {
  const startable: Startable = {
    async start({ signal }) {
      stage.say(`start ${id}`);
      if (stage.heldStarts.has(id)) await heldStart(id, stage, signal);
      const failures = stage.failing.get(id) ?? 0;
      if (failures > 0) {
        stage.failing.set(id, failures - 1);
        stage.say(`fail ${id}`);
        throw new Error("no such device");
      }
      stage.say(`up ${id}`);
      return run(id, stage);
    },
  };
  return hosted(id, startable, { restart, significant, shutdownMs, startMs: 3_600_000 });
}

function heldStart(id: string, stage: Stage, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    stage.releases.set(id, resolve);
    signal.addEventListener("abort", () => {
      stage.say(`abort ${id}`);
      stage.releases.delete(id);
      reject(new Error("its start was broken off"));
    });
  });
}

/** Says nothing of a request that comes after its end: an Erlang process is not there to hear it. */
function run(id: string, stage: Stage) {
  let isOver = false;
  let settleExit: ((exit: Exit) => void) | undefined;
  const exited = new Promise<Exit>((resolve) => {
    settleExit = resolve;
  });
  const end = (exit: Exit): void => {
    isOver = true;
    stage.ends.delete(id);
    settleExit?.(exit);
  };
  stage.ends.set(id, end);
  return {
    exited,
    stop: () => {
      if (isOver) return;
      stage.say(`stop ${id}`);
      const stopped = (): void => {
        end({ kind: "shutdown" });
      };
      if (stage.heldStops.has(id)) stage.releases.set(id, stopped);
      else stopped();
    },
    kill: () => {
      if (isOver) return;
      stage.say(`kill ${id}`);
      stage.releases.delete(id);
      end({ kind: "killed", error: new Error("it did not stop in time") });
    },
  };
}

function shown(children: readonly TreeNode[]): string {
  return children.map((node) => `${node.id} ${stateOf(node)}`).join(", ");
}

function stateOf({ kind, state, children }: TreeNode): string {
  if (state === "stopped" || state === "failed") return "down";
  if (state !== "running") return "restarting";
  return kind === "supervisor" ? `(${shown(children)})` : "up";
}
