// What a demo does not start on.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import tap, { test } from "tap";
import { lockFolder } from "../../../cli/demo/folder-lock.ts";
import { drover, scratch } from "../captured.ts";
import { aDemo, processesOf } from "./a-demo.ts";

tap.setTimeout(240_000);

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
