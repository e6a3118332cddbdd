// Starts the demo of a clean copy as the README says, waits until its API tells three vehicles online, presses Ctrl-C, and sees everything gone in time; twice,
// because the second start has state to continue from. Usage: node .ci/demo.mjs FOLDER
import { spawn } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

const VEHICLES = 3;
/** A cold start of four processes on two busy cores; the number of the first cut is 10 s. */
const ONLINE_WITHIN_MS = 30_000;
const GONE_WITHIN_MS = 5_000;

const folder = resolve(process.argv[2] ?? ".");
const data = mkdtempSync(join(tmpdir(), "drover-demo-"));
const port = await freePort();
let failed = false;
try {
  for (const start of ["first", "second"]) await round(start);
} catch (error) {
  failed = true;
  console.error(`demo: ${error.message}`);
} finally {
  for (const pid of ours()) signal(pid, "SIGKILL");
  rmSync(data, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);

async function round(name) {
  const said = [];
  const began = performance.now();
  const demo = spawn("npm", ["start"], {
    cwd: folder,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, DROVER_DATA: data, DROVER_HTTP_PORT: String(port) },
  });
  for (const stream of [demo.stdout, demo.stderr]) stream.on("data", (chunk) => said.push(chunk.toString()));
  const tail = () => said.join("").split("\n").slice(-25).join("\n");
  const ended = new Promise((done) => demo.once("exit", (code, by) => done(code ?? by)));

  const online = await until(ONLINE_WITHIN_MS, async () => demo.exitCode !== null || (await vehiclesOnline()) >= VEHICLES);
  if (!online || demo.exitCode !== null) throw new Error(`${name} start: ${VEHICLES} vehicles were not online after ${ONLINE_WITHIN_MS} ms (exit ${demo.exitCode})\n${tail()}`);
  console.log(`demo: ${name} start, ${VEHICLES} vehicles online after ${Math.round(performance.now() - began)} ms`);

  const pressed = performance.now();
  signal(-demo.pid, "SIGINT");
  if (!(await until(GONE_WITHIN_MS, () => ours().length === 0)))
    throw new Error(`${name} start: still running ${GONE_WITHIN_MS} ms after Ctrl-C: ${ours().map(commandOf).join("; ")}\n${tail()}`);
  console.log(`demo: ${name} start, all gone ${Math.round(performance.now() - pressed)} ms after Ctrl-C (exit ${await ended})`);
}

async function vehiclesOnline() {
  try {
    const token = readFileSync(join(data, "api-token"), "utf8").trim();
    const answer = await fetch(`http://127.0.0.1:${port}/v1/actors?kind=vehicle`, { headers: { authorization: `Bearer ${token}` }, signal: AbortSignal.timeout(2_000) });
    const { items } = await answer.json();
    return items.filter(({ presence }) => JSON.stringify(presence ?? null).includes("online")).length;
  } catch {
    return 0; // not listening yet
  }
}

/** Every process of the demo, whatever group or session it is in, told by its data folder. Linux only, as .ci/run is. */
function ours() {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .map(Number)
    .filter((pid) => {
      try {
        return !readFileSync(`/proc/${pid}/stat`, "utf8").includes(") Z ") && readFileSync(`/proc/${pid}/environ`, "utf8").split("\0").includes(`DROVER_DATA=${data}`);
      } catch {
        return false; // it ended meanwhile
      }
    });
}

function commandOf(pid) {
  try {
    return `${pid} ${readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").slice(0, 120)}`;
  } catch {
    return `${pid} (ended)`;
  }
}

async function until(limitMs, holds) {
  const end = performance.now() + limitMs;
  for (;;) {
    if (await holds()) return true;
    if (performance.now() >= end) return false;
    await pause(100);
  }
}

function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

function freePort() {
  return new Promise((done, refuse) => {
    const probe = createServer().once("error", refuse);
    probe.listen(0, "127.0.0.1", () => {
      const { port: free } = probe.address();
      probe.close(() => done(free));
    });
  });
}
