// One worker, three isolations: what holds for all of them, and what only a thread or a process can take.

import { test } from "tap";

import { systemClock, systemRandom } from "../../../runtime/host/index.ts";
import { reasonOf, startWorker, stopWithin, type Exit, type Isolation, type RunningWorker, type WorkerOptions } from "../../../runtime/workers/index.ts";
import { echo, type EchoConfig, type EchoItem } from "./echo.worker.ts";
import { heard, listeningLog, type Heard, type LogLine } from "./listening.ts";

const everywhere = ["inline", "thread", "process"] as const;
const isolated = ["thread", "process"] as const;

interface Started {
  readonly running: RunningWorker<unknown>;
  readonly items: Heard<EchoItem>;
  readonly lines: Heard<LogLine>;
}

async function start(isolation: Isolation, config: EchoConfig, options: WorkerOptions<EchoItem, unknown> = {}): Promise<Started> {
  const items = heard<EchoItem>();
  const lines = heard<LogLine>();
  const running = await startWorker(echo, config, { isolation, into: items.take, ...options }, { clock: systemClock, random: systemRandom, log: listeningLog(lines) });
  return { running, items, lines };
}

const up = (item: EchoItem): boolean => "said" in item && item.said === "up";

function errorOf(exit: Exit): Error | undefined {
  return exit.kind === "normal" ? undefined : exit.kind === "shutdown" ? exit.cause : exit.error;
}

test("A5. a worker's file runs inline, in a thread and in a process: items both ways, logs, and an end when asked", async (t) => {
  for (const isolation of everywhere) {
    const { running, items, lines } = await start(isolation, {});
    const first = await items.first(up);
    t.equal("pid" in first && first.pid === process.pid, isolation !== "process", `${isolation}: its process`);
    t.equal(running.pid !== undefined, isolation === "process", `${isolation}: pid`);
    t.ok(running.send({ hello: [1, "two"] }));
    t.strictSame(await items.first((item) => "said" in item && typeof item.said === "object"), { said: { hello: [1, "two"] } });
    running.send(Uint8Array.of(1, 2, 255));
    t.strictSame(await items.first((item) => "bytes" in item), { bytes: Uint8Array.of(1, 2, 255) }, `${isolation}: bytes stay bytes`);
    t.match(await lines.first((line) => line.message === "it runs"), { level: "info", fields: { from: "worker" } });
    t.strictSame(await stopWithin(running, systemClock, { shutdownMs: 5_000 }), { kind: "shutdown" }, `${isolation}: stopped in order`);
    t.notOk(running.send("too late"), `${isolation}: nobody is there any more`);
  }
});

test("A5. its life is its promise: resolved is a normal end, rejected an abnormal one with message, stack and causes", async (t) => {
  for (const isolation of everywhere) {
    const ended = await start(isolation, { after: "end" });
    t.strictSame(await ended.running.exited, { kind: "normal" }, `${isolation}: resolved`);
    const rejected = await start(isolation, { after: "reject" });
    const exit = await rejected.running.exited;
    t.match(exit, { kind: "failed", error: { name: "TypeError", message: "it cannot go on", cause: { message: "the cable is out" } } }, `${isolation}: rejected`);
    t.match(errorOf(exit)?.stack, /echo\.worker/, `${isolation}: the stack says where`);
  }
});

test("S4. a throw outside of its promise is the end of a thread or process, with the cause, and of nobody else", async (t) => {
  for (const isolation of isolated) {
    const { running } = await start(isolation, { after: "throw-later" });
    const exit = await running.exited;
    t.match(exit, { kind: "failed", error: { name: "RangeError", message: "thrown in a timer" } }, isolation);
    t.match(errorOf(exit)?.stack, /echo\.worker/, isolation);
  }
});

test("a throw of its receive handler ends it with that cause", async (t) => {
  for (const isolation of everywhere) {
    const { running } = await start(isolation, {});
    running.send("throw");
    t.match(await running.exited, { kind: "failed", error: { name: "RangeError", message: "the handler threw" } }, isolation);
  }
});

test("a throw of what takes its items ends it, not the parent", async (t) => {
  for (const isolation of everywhere) {
    const { running } = await start(
      isolation,
      {},
      {
        into: () => {
          throw new Error("the taker broke");
        },
      },
    );
    t.match(await running.exited, { kind: "failed", error: { code: "DROVER_WORKER_FAILED", cause: { message: "the taker broke" } } }, isolation);
  }
});

test("S4. a worker that leaves without a word is an abnormal exit, whatever its code", async (t) => {
  for (const isolation of isolated) {
    const { running } = await start(isolation, { after: "exit" });
    t.match(await running.exited, { kind: "failed", error: { code: "DROVER_WORKER_FAILED", message: /ended with code 3/ } }, isolation);
  }
});

test("a start fails with the worker's own error, with its early end, and by its deadline", async (t) => {
  for (const isolation of everywhere) {
    await t.rejects(start(isolation, { before: "throw" }), { code: "DROVER_WORKER_FAILED", message: /no such device/, cause: { name: "RangeError" } }, isolation);
    await t.rejects(start(isolation, { before: "end" }), { code: "DROVER_WORKER_FAILED", message: /ended before it was ready \(normal\)/ }, isolation);
    await t.rejects(start(isolation, { before: "never-ready" }, { startMs: 300 }), { code: "DROVER_WORKER_START_TIMEOUT", message: /not ready within 300 ms/ }, isolation);
  }
});

test("S4, S5. a thread or process that loops is killed when its time to stop is over", async (t) => {
  for (const isolation of isolated) {
    const { running, items } = await start(isolation, { after: "loop" });
    await items.first((item) => "said" in item && item.said === "looping");
    t.match(await stopWithin(running, systemClock, { shutdownMs: 200 }), { kind: "killed", error: { code: "DROVER_WORKER_KILLED" } }, isolation);
  }
});

test("an inline worker that does not stop is let go of: nothing it says is heard any more", async (t) => {
  const { running, items } = await start("inline", { after: "ignore-stop" });
  t.match(await stopWithin(running, systemClock, { shutdownMs: 50 }), { kind: "killed" });
  const before = items.items.length;
  t.notOk(running.send("hello"));
  t.equal(items.items.length, before);
});

test("S4. silence after the first sign of life is a failure, in a loop too", async (t) => {
  for (const isolation of everywhere) {
    const { running } = await start(isolation, { after: isolation === "inline" ? "silent" : "loop" }, { livenessMs: 200 });
    t.match(await running.exited, { kind: "failed", error: { message: /no sign of life for \d+ ms, allowed are 200 ms/ } }, isolation);
  }
});

test("S4. a heap that runs over its limit is the end of its thread or process only", async (t) => {
  for (const isolation of isolated) {
    const { running } = await start(isolation, { after: "fill-heap" }, { maxHeapMb: 64 });
    const exit = await running.exited;
    t.equal(exit.kind, "failed", `${isolation}: ${reasonOf(exit)}`);
  }
});

test("DROVER_ variables reach a child only by name; the rest is inherited", async (t) => {
  process.env["DROVER_SECRET"] = "of the parent";
  t.teardown(() => {
    delete process.env["DROVER_SECRET"];
  });
  for (const isolation of isolated) {
    const hidden = await start(isolation, { env: "DROVER_SECRET" });
    t.match(await hidden.items.first((item) => "said" in item), { said: "(not set)" }, isolation);
    hidden.running.kill();
    const given = await start(isolation, { env: "DROVER_DATA" }, { env: { DROVER_DATA: "its own folder" } });
    t.match(await given.items.first((item) => "said" in item), { said: "its own folder" }, isolation);
    given.running.kill();
    const inherited = await start(isolation, { env: "PATH" });
    t.match(await inherited.items.first((item) => "said" in item), { said: process.env["PATH"] }, isolation);
    inherited.running.kill();
    await Promise.all([hidden.running.exited, given.running.exited, inherited.running.exited]);
  }
});

test("S5. what it writes goes to the log as lines, bounded in rate", async (t) => {
  for (const isolation of isolated) {
    const { running, items, lines } = await start(isolation, { after: "chatter" });
    await items.first(up);
    await stopWithin(running, systemClock, { shutdownMs: 5_000 });
    await lines.first((line) => line.message === "a complaint");
    const written = lines.items.filter((line) => line.fields["stream"] === "stdout");
    t.match(written[0], { level: "info", message: /^line 0 x+$/ }, isolation);
    t.ok(written.length >= 200 && written.length < 400, `${isolation}: ${String(written.length)} of 1000 lines passed`);
  }
});

test("S5. items beyond the window are refused to their sender, counted and told", async (t) => {
  for (const isolation of isolated) {
    const { running, items, lines } = await start(isolation, { after: "flood" }, { window: { items: 100, bytes: 1_048_576 } });
    const last = await items.first((item) => "refused" in item);
    const refused = "refused" in last ? (last.refused ?? 0) : 0;
    const arrived = items.items.filter((item) => "said" in item && typeof item.said === "number").length;
    t.equal(arrived + refused, 3_000, `${isolation}: ${String(arrived)} arrived`);
    t.equal(arrived, 100, `${isolation}: one window while it did not let anyone speak`);
    t.match(await lines.first((line) => line.message.includes("found no room")), { level: "warn" }, isolation);
    running.kill();
    await running.exited;
  }
});

test("what cannot be cloned is refused with a throw at its sender", async (t) => {
  for (const isolation of isolated) {
    const { running } = await start(isolation, {});
    t.throws(() => running.send({ run: () => undefined }), { name: /DataCloneError|Error/ }, isolation);
    t.ok(running.send("still there"));
    await stopWithin(running, systemClock, { shutdownMs: 5_000 });
  }
});
