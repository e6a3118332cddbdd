// Waiting for a module's upload port, at real sockets.

import { createServer } from "node:net";
import { test } from "tap";
import { awaitPort } from "../../../protocols/module-upload/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { closedPort, listening, rawModule } from "./small-module.ts";

const ports = { clock: systemClock };
const urlOf = (port: number): string => `http://127.0.0.1:${String(port)}/ota`;

test("a port that is there is found by the first try, which says nothing and hangs up (P2)", async (t) => {
  let heard = 0;
  const module = await rawModule(t, (socket) => socket.on("data", (chunk: Buffer) => (heard += chunk.byteLength)));
  t.match(await awaitPort(module.url, { withinMs: 5_000 }, ports), { kind: "open", tries: 1 });
  await module.quiet();
  t.equal(heard, 0);
});

test("a port that opens later is found by a later try", async (t) => {
  const port = await closedPort(t);
  const waiting = awaitPort(urlOf(port), { withinMs: 10_000, betweenTriesMs: 20 }, ports);
  await new Promise((resolve) => setTimeout(resolve, 100));
  const openedAt = systemClock.monotonic();
  await listening(t, createServer(), port);
  const outcome = await waiting;
  t.equal(outcome.kind, "open");
  t.ok(outcome.tries > 1, `${String(outcome.tries)} tries`);
  t.ok(systemClock.monotonic() - openedAt < 5_000);
});

test("a port that never opens ends the wait when its time has passed, with what was met (P1)", async (t) => {
  const clock = new ManualClock();
  const waiting = awaitPort(urlOf(await closedPort(t)), { withinMs: 1_000 }, { clock });
  let isOver = false;
  const ended = (): boolean => isOver;
  void waiting.then(() => (isOver = true));
  for (let turn = 0; turn < 500 && !ended(); turn++) {
    await clock.advance(5);
    await settle(2);
  }
  const outcome = await waiting;
  t.match(outcome, { kind: "no-port", afterMs: 1_000, cause: "ECONNREFUSED" });
  t.ok(outcome.tries >= 2 && outcome.tries <= 4, `${String(outcome.tries)} tries, 250 ms between two`);
  t.equal(clock.pending, 0, "nothing stays armed");
});

test("a name that nobody has is no port", async (t) => {
  const outcome = await awaitPort("http://esp32-000000.invalid/ota", { withinMs: 400, tryMs: 300, betweenTriesMs: 50 }, ports);
  t.match(outcome, { kind: "no-port", cause: /ENOTFOUND|EAI_AGAIN|name was not found in time/ });
});

test("a signal ends the wait at once, also one that came before (P1)", async (t) => {
  const clock = new ManualClock();
  const port = await closedPort(t);
  const stop = new AbortController();
  const waiting = awaitPort(urlOf(port), { withinMs: 180_000, signal: stop.signal }, { clock });
  await settle();
  stop.abort();
  t.match(await waiting, { kind: "aborted", afterMs: 0 });
  t.match(await awaitPort(urlOf(port), { withinMs: 180_000, signal: stop.signal }, { clock }), { kind: "aborted", tries: 0 });
  t.equal(clock.pending, 0);
});

test("an address that is no plain http URL is refused before anything is tried", async (t) => {
  for (const url of ["", "esp32-0A1E05.local", "https://esp32-0A1E05.local/ota", "ftp://10.0.0.1/ota"])
    await t.rejects(awaitPort(url, { withinMs: 10 }, ports), { code: "DROVER_CONFIG_INVALID", message: /no http URL/ }, url);
  await t.rejects(awaitPort("http://root:secret@10.0.0.1/ota", { withinMs: 10 }, ports), { code: "DROVER_CONFIG_INVALID", message: /no user and password/ });
});
