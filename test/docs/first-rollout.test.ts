// The README's first rollout, its commands run as they are printed: the demo as it is, the time of its processes three times as fast. What is in the README's folder is linked into a scratch one, so that its `.drover` is nobody's.

import { spawn } from "node:child_process";
import { symlinkSync } from "node:fs";
import { extname, join } from "node:path";
import tap, { test, type Test } from "tap";
import { kill, processesOf } from "../cli/demo/a-demo.ts";
import { until } from "../cli/a-fleet.ts";
import { cleanEnvironment, scratch } from "../cli/captured.ts";
import { built, root, textOf } from "../project/checkout.ts";

const FILE_MS = 400_000;
const ONLINE_MS = 120_000;
const FACTOR = 3;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

interface Ran {
  readonly code: number | null;
  readonly out: string;
}

test("the README's first rollout is five commands, and each of them does what is said", { timeout: FILE_MS }, async (t) => {
  const [demo = "", ...commands] = blockBelow("## The first rollout");
  t.equal(commands.length, 4);
  const folder = scratch(t);
  symlinkSync(join(root, "package.json"), join(folder, "package.json"));
  symlinkSync(built, join(folder, "dist"));
  const data = join(folder, ".drover");
  const fast = {
    NODE_OPTIONS: `--import ${new URL(`./_fast-children${extname(import.meta.url)}`, import.meta.url).href}`,
    FAST_CLOCK_FACTOR: String(FACTOR),
    FAST_CLOCK_BASE: String(Date.now()),
  };
  const said = inTerminal(t, folder, demo, { ...fast, DROVER_DATA: data });
  await until("three trailers are online", () => ["01", "02", "03"].every((n) => said().includes(`demo/vehicle/trailer-${n} is online`)), ONLINE_MS);
  const alias = blockBelow("In a second terminal").find((line) => line.startsWith("alias drover=")) ?? "";
  const ran: Ran[] = [];
  for (const command of commands) {
    ran.push(await inShell(folder, `${alias}\n${command}`));
    t.equal(ran.at(-1)?.code, 0, `${command}\n${ran.at(-1)?.out ?? ""}`);
  }
  const [planned, started, watched, shown] = ran;
  t.match(planned?.out, /^demo\/rollout\/reservoir-1\.1: 3 vehicles in 2 groups\n {2}image .* to be brought from reservoir-1\.1\.0\.bin\n/);
  t.match(started?.out, /demo\/rollout\/reservoir-1\.1 is approved: 3 vehicles in 2 groups\n/);
  t.match(watched?.out, / 3 of 3 committed\n/);
  const targets = shown?.out ?? "";
  t.same(targets.match(/^demo\/vehicle\/trailer-0\d +(?:first|rest) +committed +reservoir +committed 100 % +1 *$/gm)?.length, 3, targets);
});

/** Lines of the first shell block below a line that begins so. */
function blockBelow(heading: string): readonly string[] {
  const lines = textOf("README.md").split("\n");
  const at = lines.findIndex((line) => line.startsWith(heading));
  const from = lines.indexOf("```sh", at) + 1;
  return lines.slice(from, lines.indexOf("```", from));
}

/** A command that goes on until the test ends. @returns what it said so far */
function inTerminal(t: Test, folder: string, command: string, env: Readonly<Record<string, string>>): () => string {
  const child = spawn("bash", ["-c", command], { cwd: folder, detached: true, stdio: ["ignore", "pipe", "pipe"], env: cleanEnvironment({ ...env, DROVER_HTTP_PORT: "0" }) });
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  const ended = new Promise((resolve) => child.once("close", resolve));
  t.teardown(async () => {
    kill(-(child.pid ?? 0), "SIGINT");
    const timer = setTimeout(() => {
      for (const pid of processesOf(env["DROVER_DATA"] ?? "")) kill(pid, "SIGKILL");
    }, 10_000);
    await ended;
    clearTimeout(timer);
  });
  return () => said.join("");
}

function inShell(folder: string, script: string): Promise<Ran> {
  const child = spawn("bash", ["-O", "expand_aliases", "-c", script], { cwd: folder, stdio: ["ignore", "pipe", "inherit"], env: cleanEnvironment({}) });
  const said: string[] = [];
  child.stdout.on("data", (chunk: Buffer) => said.push(chunk.toString()));
  return new Promise((resolve) => {
    child.once("close", (code) => {
      resolve({ code, out: said.join("") });
    });
  });
}
