// What a demo does not start on, and what is left of one that is killed: nothing.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import tap, { test } from "tap";
import { lockFolder } from "../../../cli/demo/folder-lock.ts";
import { until } from "../a-fleet.ts";
import { drover, scratch } from "../captured.ts";
import { aDemo, kill, processesOf } from "./a-demo.ts";

tap.setTimeout(240_000);

test("a second demo on one folder, and a demo that is killed", async (t) => {
  const data = scratch(t);
  const demo = aDemo(t, data);
  await demo.online();

  await t.test("the second is refused with exit code 5 and says who runs there; the first goes on", async (tt) => {
    const second = aDemo(tt, data, { isGuest: true });
    tt.same(await second.ended, { code: 5, signal: null });
    tt.match(JSON.parse(second.said.err), { error: { code: "DROVER_STORE_LOCKED", detail: new RegExp(`process id ${String(demo.child.pid)} .*DROVER_DATA`), exit: 5 } });
    tt.equal((await drover(["tree"], { env: { DROVER_DATA: data } })).code, 0);
  });

  await t.test("S4. when the demo itself is killed, no process of it outlives it", async (tt) => {
    tt.ok(processesOf(data).length >= 6, "six processes run");
    kill(demo.child.pid ?? 0, "SIGKILL");
    await demo.ended;
    await until("no process is left", () => processesOf(data).length === 0, 30_000);
  });

  await t.test("and the next start takes the folder over", async (tt) => {
    const next = aDemo(tt, data);
    await next.online();
    next.interrupt();
    tt.same(await next.ended, { code: 0, signal: null }, next.said.err);
  });
});

test("a port in use: which port, which key changes it, exit code 1, nothing left", async (t) => {
  const data = scratch(t);
  const holder = createServer();
  const port = await new Promise<number>((resolve) => {
    holder.listen(0, "127.0.0.1", () => {
      resolve((holder.address() as { readonly port: number }).port);
    });
  });
  t.teardown(() => holder.close());
  const demo = aDemo(t, data, { port });
  t.same(await demo.ended, { code: 1, signal: null }, demo.said.out);
  t.match(JSON.parse(demo.said.err), { error: { code: "DROVER_PORT_IN_USE", detail: new RegExp(`port ${String(port)} .*DROVER_HTTP_PORT`), exit: 1 } });
  t.same(processesOf(data), []);
  t.notOk(existsSync(join(data, "demo.lock")), "the folder is free again");
  t.notOk(existsSync(join(data, "endpoint.json")));
});

test("a port that is no port is told by its variable", async (t) => {
  t.match(await drover(["demo"], { env: { DROVER_DATA: scratch(t), DROVER_HTTP_PORT: "http" } }), { code: 3, err: /DROVER_HTTP_PORT: "http" is no port/ });
});

test("a data folder that cannot be written is told", async (t) => {
  const folder = scratch(t);
  writeFileSync(join(folder, "file"), "");
  t.match(await drover(["demo"], { env: { DROVER_DATA: join(folder, "file", "data") } }), { code: 3, err: /DROVER_DATA: the folder .* cannot be made or used: ENOTDIR\n/ });
});

test("the lock of a folder is taken over from the dead, and from nobody else", (t) => {
  const folder = join(scratch(t), "data");
  const release = lockFolder(folder);
  t.throws(() => lockFolder(folder), { code: "DROVER_STORE_LOCKED" });
  release();
  lockFolder(folder)();
  for (const left of ["", "{", '{"pid":0,"began":""}', '{"pid":999999999,"began":"1"}', JSON.stringify({ pid: process.pid, began: "another time" })]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "demo.lock"), left);
    lockFolder(folder)();
    t.notOk(existsSync(join(folder, "demo.lock")), `taken over from ${left}, and given back`);
  }
  t.end();
});
