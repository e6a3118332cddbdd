// The demo as a person starts it: a process of its own, in a group of its own, on a scratch folder and free ports.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Test } from "tap";
import type { TreeNode } from "../../../runtime/index.ts";
import { until } from "../a-fleet.ts";
import { cleanEnvironment, drover } from "../captured.ts";

export interface ADemo {
  readonly child: ChildProcess;
  /** What it said so far. */
  readonly said: { out: string; err: string };
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  /** Resolves when three vehicles were online, with ms since the start. */
  online(): Promise<number>;
  /** As Ctrl-C: to the whole group. */
  interrupt(): void;
}

const MAIN = fileURLToPath(new URL("../../../cli/main.js", import.meta.url));

/** Whatever is left on the folder is killed after the test, unless another demo owns it. @param port of the API; 0 is any free one */
export function aDemo(t: Test, data: string, { port = 0, isGuest = false } = {}): ADemo {
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, "demo", "--json"], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: cleanEnvironment({ DROVER_DATA: data, DROVER_HTTP_PORT: String(port) }),
  });
  const said = { out: "", err: "" };
  for (const name of ["out", "err"] as const) child[name === "out" ? "stdout" : "stderr"].on("data", (chunk: Buffer) => (said[name] += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.once("close", (code, signal) => {
      resolve({ code, signal });
    });
  });
  t.teardown(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
    await ended;
    if (!isGuest) for (const pid of processesOf(data)) kill(pid, "SIGKILL");
  });
  return {
    child,
    said,
    ended,
    online: async () => {
      await until("three vehicles online", () => vehiclesOnline(said.out) >= 3 || child.exitCode !== null, 90_000);
      if (child.exitCode !== null) throw new Error(`the demo ended with ${String(child.exitCode)}\n${said.out}${said.err}`);
      return performance.now() - began;
    },
    interrupt: () => {
      kill(-(child.pid ?? 0), "SIGINT");
    },
  };
}

function vehiclesOnline(out: string): number {
  const news = out
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as { readonly vehicle?: string; readonly presence?: string });
  return new Set(news.filter(({ presence }) => presence === "online").map(({ vehicle }) => vehicle)).size;
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended.
  }
}

/** Every process of the demo on this folder, told by its environment; empty where there is no /proc. */
export function processesOf(data: string): readonly number[] {
  const names = (() => {
    try {
      return readdirSync("/proc");
    } catch {
      return [];
    }
  })();
  return names
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        const isZombie = readFileSync(`/proc/${String(pid)}/stat`, "utf8").includes(") Z ");
        return (
          !isZombie &&
          readFileSync(`/proc/${String(pid)}/environ`, "utf8")
            .split("\0")
            .includes(`DROVER_DATA=${data}`)
        );
      } catch {
        return false;
      }
    });
}

/** A command on that folder. */
export async function ask(data: string, ...argv: readonly string[]): Promise<{ readonly code: number; readonly json: Readonly<Record<string, unknown>>; readonly err: string }> {
  const { code, out, err } = await drover([...argv, "--json"], { env: { DROVER_DATA: data } });
  return { code, json: out === "" ? {} : (JSON.parse(out) as Record<string, unknown>), err };
}

/** The demo's own children as `/v1/tree` tells them; undefined while the cloud does not answer. */
export async function childrenOf(data: string): Promise<ReadonlyMap<string, TreeNode> | undefined> {
  const { code, json } = await ask(data, "tree", "--node", "demo");
  if (code !== 0) return undefined;
  const [item] = json["items"] as readonly { readonly tree: TreeNode }[];
  return new Map(item?.tree.children.map((child) => [child.id, child]));
}
