// One worker, three isolations: what holds for all of them.

import { test } from "tap";

import { DroverError } from "../../../runtime/errors.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { errorOf, stopWithin } from "../../../runtime/workers/index.ts";
import { everywhere, isolated, start, up } from "./echoing.ts";

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

test("what cannot be cloned is refused with a throw at its sender", async (t) => {
  for (const isolation of isolated) {
    const { running } = await start(isolation, {});
    t.throws(() => running.send({ run: () => undefined }), { name: /DataCloneError|Error/ }, isolation);
    t.ok(running.send("still there"));
    await stopWithin(running, systemClock, { shutdownMs: 5_000 });
  }
});

test("an error of ours is one of ours on this side too: code, position, causes", async (t) => {
  for (const isolation of everywhere) {
    const { running } = await start(isolation, { after: "reject-ours" });
    const error = errorOf(await running.exited);
    t.ok(error instanceof DroverError, isolation);
    t.match(error, { code: "DROVER_CONFIG_INVALID", retryable: true, position: { line: 3, column: 7 }, cause: { code: "ENOENT" } }, isolation);
    await t.rejects(start(isolation, { before: "throw-ours" }), { code: "DROVER_CONFIG_INVALID", message: "no such key" }, isolation);
  }
});
