// How workers fail by themselves, and what is known of it afterwards.

import { test } from "tap";

import { type EndCause, errorOf, isByOthers, type WorkerPorts } from "../../../runtime/workers/index.ts";
import { everywhere, isolated, start, up } from "./echoing.ts";

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

test("a thread or process that is gone before it was ready is a start failure with its cause", async (t) => {
  for (const isolation of isolated)
    for (const [before, code] of [
      ["exit-0", 0],
      ["exit-3", 3],
    ] as const)
      await t.rejects(
        start(isolation, { before }),
        { code: "DROVER_WORKER_FAILED", message: /before its promise did/, end: { kind: "exit-code", code } },
        `${isolation}: ${before}`,
      );
  await t.rejects(start("process", { before: "segv" }), { code: "DROVER_WORKER_FAILED", end: { kind: "signal", signal: "SIGSEGV" } });
});

test("S4. a run is told how the run before ended, as whoever starts it saw it: by itself, by others, or of a bound; not what ended in order", async (t) => {
  const left: WorkerPorts["left"] & object = { runs: 0 };
  const before = async (after: "abort" | "exit" | undefined, end: (running: { readonly pid: number | undefined; stop(): void }) => void): Promise<unknown> => {
    const { running, items } = await start("process", { tellsBefore: true, ...(after === undefined ? {} : { after }) }, {}, left);
    const said = await items.first((item) => "said" in item && typeof item.said === "object");
    if (after === undefined) await items.first(up);
    end(running);
    await running.exited;
    return "said" in said ? (said.said as { readonly endBefore: unknown }).endBefore : undefined;
  };
  const itself = (): void => undefined;
  t.equal(await before("abort", itself), null, "the first of all");
  t.same(await before("exit", itself), { kind: "signal", signal: "SIGABRT" });
  const killed = await before(undefined, ({ pid }) => process.kill(pid as number, "SIGKILL"));
  t.same(killed, { kind: "exit-code", code: 3 });
  t.same(
    await before(undefined, (running) => {
      running.stop();
    }),
    { kind: "signal", signal: "SIGKILL" },
  );
  t.equal(await before("abort", itself), null, "it ended in order");
});

test("S4. a signal that a process does not give itself is by others", (t) => {
  const ends: readonly (readonly [EndCause | undefined, boolean])[] = [
    [undefined, false],
    [{ kind: "signal", signal: "SIGKILL" }, true],
    [{ kind: "signal", signal: "SIGHUP" }, true],
    [{ kind: "signal", signal: "SIGABRT" }, false],
    [{ kind: "signal", signal: "SIGSEGV" }, false],
    [{ kind: "exit-code", code: 137 }, false],
    [{ kind: "out-of-memory", limitMb: 100 }, false],
    [{ kind: "deadline", of: "stop", afterMs: 2_000 }, false],
  ];
  for (const [end, byOthers] of ends) t.equal(isByOthers(end), byOthers, JSON.stringify(end));
  t.end();
});
