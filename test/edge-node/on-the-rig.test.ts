// The whole node in real time: SQLite on disk, the rig behind its socket, the worker in a process of its own.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Test, test } from "tap";
import { startRig, type StartedRig } from "../../cli/rig/index.ts";
import { createEdgeNode, type EdgeNode, type EdgeStats, edgeWorker, realPorts } from "../../edge-node/index.ts";
import { startWorker, systemClock, systemRandom } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { commandFrames, VEHICLES, viewOf } from "./desk.ts";

const VEHICLE = "demo/vehicle/trailer-01";
const TORRENT = `${VEHICLE}/module/torrent-0`;

interface Place {
  readonly folder: string;
  readonly data: string;
  readonly rig: StartedRig;
}

async function place(t: Test): Promise<Place> {
  const folder = mkdtempSync(join(tmpdir(), "drover-edge-"));
  const rig = await startRig({ socketDir: join(folder, "rig"), clock: systemClock, random: systemRandom });
  t.teardown(async () => {
    await rig.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  return { folder, data: join(folder, "data"), rig };
}

function edgeAt({ folder, data }: Place): EdgeNode {
  return createEdgeNode({ vehicle: `${VEHICLES}trailer-01.yaml`, data, buses: { can0: `rig:${join(folder, "rig")}` } }, realPorts);
}

async function until(what: string, isSo: () => boolean, withinMs = 5_000): Promise<void> {
  for (let waited = 0; waited < withinMs; waited += 20) {
    if (isSo()) return;
    await sleep(20);
  }
  throw new Error(`not within ${withinMs} ms: ${what}`);
}

const isPresent =
  (node: EdgeNode, module = "torrent-0") =>
  (): boolean =>
    (node.system.read(`${VEHICLE}/module/${module}` as never)?.state as { presence?: string } | undefined)?.presence === "present";

/** ms from ask to answer of 100 commands, ascending. */
async function hundredCommands(node: EdgeNode, levelOf: (n: number) => number): Promise<readonly number[]> {
  const took: number[] = [];
  for (let n = 1; n <= 100; n++) {
    const began = systemClock.monotonic();
    const answer = await node.system.ask(TORRENT, { type: "light.set", output: "galley", level: levelOf(n) }, { withinMs: 5_000 });
    took.push(systemClock.monotonic() - began);
    if (answer.kind !== "replied") throw new Error(JSON.stringify(answer));
    await sleep(30);
  }
  return took.sort((one, other) => one - other);
}

test("light.set to confirmed takes at most 250 ms in 99 of 100 cases", async (t) => {
  const at = await place(t);
  const node = edgeAt(at);
  await node.start();
  await until("the module is present", isPresent(node));
  // The machine may be busy with other tests: of three rounds one must hold.
  let best = Number.POSITIVE_INFINITY;
  let rounds = 0;
  while (best > 250 && rounds < 3) {
    rounds++;
    const took = await hundredCommands(node, (n) => (rounds % 2 === 1 ? n : 200 - n));
    t.comment(`p50 ${(took[49] ?? 0).toFixed(0)} ms, p99 ${(took[98] ?? 0).toFixed(0)} ms`);
    best = Math.min(best, took[98] ?? Number.NaN);
  }
  t.ok(best <= 250, `p99 ${best.toFixed(0)} ms`);
  t.equal(commandFrames(at.rig.rig).length, 100 * rounds);
  await node.stop();
});

test("a relay is toggled over the socket, or truly refused where no status was fresh enough", async (t) => {
  const at = await place(t);
  const node = edgeAt(at);
  await node.start();
  await until("the module is present", isPresent(node, "switchback-0"));
  let answer: { readonly kind: string } = { kind: "none" };
  for (let attempt = 0; attempt < 20 && answer.kind !== "replied"; attempt++) {
    answer = await node.system.ask(`${VEHICLE}/module/switchback-0`, { type: "relay.set", output: "pump", on: true }, { withinMs: 5_000 });
    await sleep(50);
  }
  t.match(answer, { kind: "replied", value: { outcome: "confirmed", value: 1 } });
  t.same(commandFrames(at.rig.rig), ["25:0000"], "a refusal sends nothing");
  await node.stop();
});

test("S1. A second process for the same data folder is refused, and the first goes on", async (t) => {
  const at = await place(t);
  const node = edgeAt(at);
  await node.start();
  await t.rejects(edgeAt(at).start(), { message: /journal\.db is held by this process, by its node edge-trailer-01$/ });
  await until("the module is present", isPresent(node));
  t.match(await node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 5 }, { withinMs: 5_000 }), { kind: "replied" });
  await node.stop();
  const again = edgeAt(at);
  await again.start();
  t.match(viewOf(again, TORRENT).context, { outputs: { galley: { last: { outcome: "confirmed" } } } }, "what it knew is there");
  await again.stop();
});

test("L2. A damaged journal is moved aside whole; the node starts, keeps its name and says what it lost", async (t) => {
  const at = await place(t);
  let node = edgeAt(at);
  await node.start();
  await until("the module is present", isPresent(node));
  await node.stop();
  const journal = join(at.data, "journal.db");
  const bytes = readFileSync(journal);
  writeFileSync(journal, Buffer.concat([bytes.subarray(0, 100), Buffer.alloc(bytes.length - 100, 0x5a)]));
  node = edgeAt(at);
  await node.start();
  t.ok(readdirSync(at.data).some((name) => name.startsWith("journal.db.damaged")));
  t.match(viewOf(node, VEHICLE).context, { storeLoss: { reason: String } });
  await until("the module is present", isPresent(node));
  t.match(await node.system.ask(TORRENT, { type: "light.set", output: "galley", level: 6 }, { withinMs: 5_000 }), { kind: "replied" });
  await node.stop();
});

test("S4, S6. A node in a process of its own runs, is killed, and comes back with what it knew", async (t) => {
  const at = await place(t);
  const config = { vehicle: `${VEHICLES}trailer-01.yaml`, data: at.data, buses: { can0: `rig:${join(at.folder, "rig")}` } };
  let stats: EdgeStats | undefined;
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  const start = (): ReturnType<typeof startWorker<typeof config, EdgeStats, never>> =>
    startWorker(edgeWorker, config, { isolation: "process", startMs: 30_000, into: (item: EdgeStats) => void (stats = item) }, ports);
  const first = await start();
  await until("it tells how it is", () => (stats?.framesPerSecond ?? 0) > 100, 15_000);
  t.match(stats, { kind: "stats", vehicle: VEHICLE, actors: 10, restarts: 0, signals: { all: Number } });
  if (first.pid !== undefined) process.kill(first.pid, "SIGKILL");
  t.match(await first.exited, { kind: "failed" });
  stats = undefined;
  const second = await start();
  await until("it tells again", () => stats?.frames !== undefined, 15_000);
  second.stop();
  t.match(await second.exited, { kind: "shutdown" });
  const node = edgeAt(at);
  await node.start();
  t.ok((node.system.read(VEHICLE as never)?.revision ?? 0) > 3, "one history over all of them");
  await node.stop();
});
