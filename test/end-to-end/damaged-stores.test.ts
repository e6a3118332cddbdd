// A store that is damaged, from a newer version, or a port that is taken: what a node does at its start, and what is seen of it through the API.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import tap, { test } from "tap";
import { createCloudNode } from "../../cloud-node/index.ts";
import { createEdgeNode, realPorts } from "../../edge-node/index.ts";
import { loadDriver } from "../../protocols/sqlite/driver.ts";
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { parseAddress, systemClock } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { busesOf, demoFile, fleet, GALLEY, lamp, lampFrames, scratchFolder, TORRENT, TRAILER } from "./fleet.ts";
import { until } from "./until.ts";

/** Real nodes and disks, on a machine that may be busy with other tests. */
tap.setTimeout(200_000);

const ON = (level: number): { readonly type: string; readonly output: string; readonly level: number } => ({ type: "light.set", output: "galley", level });

/** What a bad card does: pages in the middle are not what was written. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0xa5, 0, Math.min(8_192, bytes.length));
  writeFileSync(path, bytes);
  if (existsSync(`${path}-wal`)) writeFileSync(`${path}-wal`, Buffer.alloc(4_096, 0x5a));
}

/** Bytes within a value: every table stays sound, and SQLite finds nothing. */
function rewrite(path: string, from: string, to: string): void {
  const text = readFileSync(path, "latin1");
  if (!text.includes(from) || from.length !== to.length) throw new Error(`${path} does not hold ${from}`);
  writeFileSync(path, text.replaceAll(from, to), "latin1");
}

function movedAside(folder: string): readonly string[] {
  return readdirSync(folder).filter((name) => name.includes("damaged"));
}

async function pretendNewer(path: string): Promise<void> {
  const database = (await loadDriver()).open(path, { busyTimeoutMs: 0 });
  database.exec("PRAGMA user_version = 99");
  database.close();
}

test("L2. The cloud's damaged store is moved aside whole; the node starts, raises an alarm, and knows its vehicles again", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const { api, rig, data } = all;
  t.match(await api.ask(TORRENT, ON(40), { key: "before" }), { status: 200 });
  await all.stopCloud();
  damage(join(data, "journal.db"));
  await all.startCloud();
  t.equal(movedAside(data).length, 1);
  const alarm = await until("the alarm", 5_000, async () => {
    const { body } = await api.get("/v1/actors?kind=alarm");
    return body.items.find((item: { readonly address: string }) => item.address.includes("store-moved-aside"));
  });
  t.match(alarm, { state: "raised" });
  t.match((await api.actor(alarm.address)).body.context, { severity: "critical", about: "@node/cloud-1" });
  await all.ready();
  t.match(await api.ask(TORRENT, ON(40), { key: "before" }), { status: 200 }, "M2: outcomes live with the vehicle");
  t.match(await api.ask(TORRENT, ON(41), { key: "after" }), { status: 200 });
  t.equal(lampFrames(rig, GALLEY).length, 2);
});

test("L2. A vehicle's damaged telemetry log is moved aside whole; the vehicle knows what it knew, and the cloud shows the alarm", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const { api, data } = all;
  const folder = join(data, "..", "trailer-01");
  t.match(await api.ask(TORRENT, ON(40), { key: "before" }), { status: 200 });
  const before = (await api.actor(TRAILER)).body;
  await all.stopEdge();
  damage(join(folder, "telemetry.db"));
  await all.startEdge();
  t.match(movedAside(folder), [/^telemetry\.db\.damaged/]);
  const alarm = await until("the alarm", 10_000, async () => {
    const { body } = await api.get("/v1/actors?kind=alarm");
    return body.items.find(
      (item: { readonly address: string; readonly state: unknown }) => item.address === "demo/alarm/trailer-01.telemetry-moved-aside" && item.state === "raised",
    );
  });
  t.match((await api.actor(alarm.address)).body.context, { severity: "critical", about: TRAILER });
  await all.ready();
  const after = (await api.actor(TRAILER)).body;
  t.equal(after.incarnation, before.incarnation, "its journal is untouched");
  t.equal(after.context.storeLoss, null);
});

test("L2. A vehicle's damaged store is moved aside whole; it runs, nothing acts for that, and the cloud shows the alarm and the new history", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const { api, rig, data } = all;
  const folder = join(data, "..", "trailer-01");
  t.match(await api.ask(TORRENT, ON(40), { key: "before" }), { status: 200 });
  const before = (await api.actor(TRAILER)).body;
  await all.stopEdge();
  const identity = readdirSync(folder).filter((name) => name.startsWith("identity"));
  rewrite(join(folder, "journal.db"), "confirmed", "rejected!");
  await all.startEdge();
  await all.ready();
  t.equal(movedAside(folder).length, 1);
  t.same(
    readdirSync(folder).filter((name) => name.startsWith("identity")),
    identity,
    "its identity stays",
  );
  const alarm = await until("the alarm", 15_000, async () => {
    const found = await api.actor("demo/alarm/trailer-01.store-moved-aside");
    return found.status === 200 ? found.body : undefined;
  });
  t.match(alarm, { state: "raised", context: { severity: "critical", about: TRAILER, count: 1 } });
  const after = await until("the replica has the new history", 10_000, async () => {
    const { body } = await api.actor(TRAILER);
    return body.incarnation !== before.incarnation ? body : undefined;
  });
  t.match(after.context.storeLoss, { reason: /demo\/vehicle\/trailer-01 does not match its checksum/ });
  t.equal(lamp(rig, GALLEY), 40);
  t.equal(lampFrames(rig, GALLEY).length, 1, "nothing was sent for it");
  t.match(await api.ask(TORRENT, ON(42), { key: "after" }), { status: 200 });
  await all.stopEdge();
  await all.startEdge();
  await all.ready();
  t.equal((await api.actor("demo/alarm/trailer-01.store-moved-aside")).body.context.count, 1, "it is told once");
});

test("a store from a newer version is refused with both versions and stays as it is, on either side", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const edgeFolder = join(all.data, "..", "trailer-01");
  await all.stopEdge();
  await all.stopCloud();
  for (const folder of [all.data, edgeFolder]) await pretendNewer(join(folder, "journal.db"));
  await t.rejects(all.startCloud(), { code: "DROVER_STORE_NEWER", message: /99.*up to \d/ });
  await t.rejects(all.startEdge(), { code: "DROVER_STORE_NEWER", message: /99.*up to \d/ });
  for (const folder of [all.data, edgeFolder]) t.same(movedAside(folder), []);
});

test("L2. a stored entity that this version cannot read stops nobody else: the cloud node starts without it and raises an alarm", async (t) => {
  const data = scratchFolder(t);
  const store = sqliteStore({ path: join(data, "journal.db"), clock: systemClock, log: silentLog });
  await store.open();
  await store.commit([{ entity: "demo/alarm/strange", type: "alarm", incarnation: "i", revision: 1, epoch: 1, at: 1, record: Uint8Array.of(0xc1) }]);
  await store.close();
  const node = createCloudNode({ data, http: { port: 0 }, broker: { port: 0 } });
  t.teardown(() => node.stop());
  await node.start();
  const alarm = node.system.read(parseAddress("drover/alarm/cloud-1.unreadable-entities"));
  t.match(alarm, { state: "raised", context: { cause: /demo\/alarm\/strange/ } });
  t.match(await node.system.tell("demo/alarm/strange", { type: "alarm.clear" }), { kind: "owner-away" }, "it is away, not gone");
});

test("a port in use is named, with the key that changes it", async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", resolve));
  t.teardown(() => taken.close());
  const { port } = taken.address() as AddressInfo;
  for (const [key, config] of [
    ["http.port", { http: { port }, broker: { port: 0 } }],
    ["broker.port", { http: { port: 0 }, broker: { port } }],
  ] as const) {
    const node = createCloudNode({ data: scratchFolder(t), ...config });
    t.teardown(() => node.stop());
    await t.rejects(node.start(), { code: "DROVER_PORT_IN_USE", message: new RegExp(`${String(port)}.*${key.replace(".", "\\.")}`) }, key);
  }
});

test("S6. A vehicle without any cloud starts and runs alone", async (t) => {
  const folder = scratchFolder(t);
  const node = createEdgeNode({
    vehicle: demoFile("vehicles", "rav4-01.yaml"),
    data: folder,
    buses: busesOf("rav4-01", folder),
    uplink: { url: "mqtt://127.0.0.1:1", username: "edge-rav4-01", password: "no broker listens there" },
  });
  t.teardown(() => node.stop());
  await node.start();
  await until("its values come", 5_000, () => node.counters().signals.fresh > 3);
});

test("S6, S10. A vehicle whose API tokens cannot be read runs with its API closed, and says so; nothing is put in their place", async (t) => {
  for (const bad of ["", "{", '{"v":2,"tokens":[]}']) {
    const folder = scratchFolder(t);
    writeFileSync(join(folder, "tokens.json"), bad);
    const errors: string[] = [];
    const log: typeof silentLog = { ...silentLog, error: (fields, message) => errors.push(`${message}: ${(fields as { err?: Error }).err?.message ?? ""}`), child: () => log };
    const node = createEdgeNode({ vehicle: demoFile("vehicles", "rav4-01.yaml"), data: folder, buses: busesOf("rav4-01", folder), http: { port: 0 } }, { ...realPorts, log });
    t.teardown(() => node.stop());
    await node.start();
    await until("its values come", 5_000, () => node.counters().signals.fresh > 3);
    const get = (path: string): Promise<Response> => fetch(`${node.apiUrl ?? ""}${path}`, { headers: { authorization: `Bearer drover_${"0".repeat(16)}_${"A".repeat(43)}` } });
    t.equal((await get("/v1/actors")).status, 401);
    const ready = await get("/health/ready");
    t.equal(ready.status, 503);
    t.match(await ready.json(), { reasons: [/lets nobody in: .*tokens\.json/] });
    t.equal((await get("/health/live")).status, 200);
    t.equal((await get("/health/startup")).status, 200, "nobody restarts the vehicle for it");
    t.match(errors, [/lets nobody in.*tokens\.json/]);
    t.equal(readFileSync(join(folder, "tokens.json"), "utf8"), bad);
    t.notOk(existsSync(join(folder, "api-token")), "no new admin");
  }
});
