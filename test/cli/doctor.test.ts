// `drover doctor`: what, why, how to mend it; it changes nothing.

import { chmodSync, mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { createServer as createHttpServer } from "node:http";
import { createServer } from "node:net";
import { join } from "node:path";
import tap, { test, type Test } from "tap";
import { checkClock } from "../../cli/doctor/check-clock.ts";
import { checkNode } from "../../cli/doctor/check-node.ts";
import { loadIdentity, saveIdentity, sqliteStore } from "../../protocols/sqlite/index.ts";
import { systemClock } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";
import { drover, scratch } from "./captured.ts";

/** Real processes and disks, on a machine that may be busy with other tests. */
tap.setTimeout(150_000);

interface Told {
  readonly problems: number;
  readonly findings: readonly { readonly check: string; readonly status: string; readonly what: string; readonly why?: string; readonly fix?: string }[];
}

async function doctor(data: string, env: Readonly<Record<string, string>> = {}, ...argv: readonly string[]): Promise<{ readonly code: number; readonly told: Told }> {
  const { code, out } = await drover(["doctor", "--data", data, "--json", ...argv], { env: { DROVER_HTTP_PORT: "0", ...env } });
  return { code, told: JSON.parse(out) as Told };
}

async function taken(t: Test): Promise<number> {
  const server = createServer();
  t.teardown(() => server.close());
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      resolve((server.address() as { readonly port: number }).port);
    });
  });
}

test("a sound machine: exit code 0, nothing is left behind", async (t) => {
  const data = scratch(t);
  const { code, told } = await doctor(data);
  t.equal(code, 0, JSON.stringify(told.findings.filter(({ status }) => status === "problem")));
  t.same(
    told.findings.map(({ check }) => check),
    ["node", "data-folder", "flush", "room", "stores", "http-port", "clock"],
  );
  t.match(told.findings.find(({ check }) => check === "flush")?.what, /a flush takes .* ms .* a second/);
  t.same(readdirSync(data), []);
  t.match(await drover(["doctor", "--data", join(data, "not", "yet")], { env: { DROVER_HTTP_PORT: "0" } }), {
    code: 0,
    out: /is not there yet and can be made/,
    err: "no problems\n",
  });
});

test("a port in use is told with who holds it and which key changes it; exit code 1", async (t) => {
  const port = await taken(t);
  const { code, told } = await doctor(scratch(t), { DROVER_HTTP_PORT: String(port) });
  t.equal(code, 1);
  t.equal(told.problems, 1);
  t.match(
    told.findings.find(({ check }) => check === "http-port"),
    { status: "problem", what: new RegExp(`port ${String(port)} is in use by`), why: String, fix: /DROVER_HTTP_PORT/ },
  );
});

test("without a port of its own it looks where the node of the data folder listens; --port says another", async (t) => {
  const data = scratch(t);
  const port = await taken(t);
  writeFileSync(join(data, "endpoint.json"), JSON.stringify({ url: `http://127.0.0.1:${String(port)}` }));
  const whatOf = async (env: Readonly<Record<string, string>>, ...argv: readonly string[]): Promise<string | undefined> =>
    (await doctor(data, env, ...argv)).told.findings.find(({ check }) => check === "http-port")?.what;
  t.match(await whatOf({ DROVER_HTTP_PORT: "" }), new RegExp(`^port ${String(port)} is in use by`));
  t.match(await whatOf({}), "any free port will be used", "what is configured goes first");
  t.match(await whatOf({}, "--port", String(port)), new RegExp(`^port ${String(port)} is in use by`), "and what is said before that");
  const node = createHttpServer((_request, response) => response.setHeader("content-type", "application/json").end('{"items":[]}'));
  t.teardown(() => node.close());
  await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
  const { port: own } = node.address() as { readonly port: number };
  writeFileSync(join(data, "endpoint.json"), JSON.stringify({ url: `http://127.0.0.1:${String(own)}` }));
  t.equal(await whatOf({ DROVER_HTTP_PORT: "" }), `port ${String(own)} is in use by the node of this data folder`);
  writeFileSync(join(data, "endpoint.json"), "{");
  t.match(await whatOf({ DROVER_HTTP_PORT: "" }), /^port 8080 /, "an unreadable note is none");
});

test("a broker that is configured is tried", async (t) => {
  const port = await taken(t);
  const reachable = await doctor(scratch(t), { DROVER_BROKER_URL: `mqtt://127.0.0.1:${String(port)}` });
  t.match(
    reachable.told.findings.find(({ check }) => check === "broker"),
    { status: "ok" },
  );
  const away = await doctor(scratch(t), { DROVER_BROKER_URL: "mqtt://127.0.0.1:1" });
  t.equal(away.code, 1);
  t.match(
    away.told.findings.find(({ check }) => check === "broker"),
    { status: "problem", what: /127\.0\.0\.1:1 cannot be reached/, fix: /broker\.url/ },
  );
});

test("a damaged store is told and left as it is: moving it aside is for its node to do and to tell", async (t) => {
  const data = scratch(t);
  const path = join(data, "rav4-01", "journal.db");
  const store = sqliteStore({ path, clock: systemClock, log: silentLog });
  await store.open();
  await store.values.set("key", new Uint8Array(20_000));
  await store.close();
  t.match(
    (await doctor(data)).told.findings.find(({ check }) => check === "store"),
    { status: "ok", what: "rav4-01/journal.db is whole" },
  );
  const bytes = readFileSync(path);
  bytes.fill(0x55, 4_096, 12_288);
  writeFileSync(path, bytes);
  const before = readdirSync(join(data, "rav4-01"));
  const { code, told } = await doctor(data);
  t.equal(code, 1);
  t.match(
    told.findings.find(({ check }) => check === "store"),
    { status: "problem", what: /rav4-01\/journal\.db is damaged/, fix: /backup/ },
  );
  t.same(readdirSync(join(data, "rav4-01")), before);
  t.ok(readFileSync(path).equals(bytes));
  truncateSync(path, 100);
  t.equal((await doctor(data)).code, 1, "cut short");
});

test("L1. an identity that its node would refuse is told for each node below the folder; one copy that does not count is a note; nothing is changed", async (t) => {
  const data = scratch(t);
  const files = ["identity-1.json", "identity-2.json"];
  const folderOf = async (node: string): Promise<string> => {
    const folder = join(data, node);
    for (const epoch of [1, 2]) await saveIdentity(folder, { node, epoch, incarnation: "i" });
    return folder;
  };
  await folderOf("whole");
  const [newer, damaged, behind] = [await folderOf("newer"), await folderOf("damaged"), await folderOf("behind")];
  const change = (folder: string, file: string, to: (text: string) => string): void => {
    writeFileSync(join(folder, file), to(readFileSync(join(folder, file), "utf8")));
  };
  for (const file of files) change(newer, file, (text) => text.replace('"version": 1', '"version": 999'));
  for (const file of files) change(damaged, file, (text) => text.slice(0, 9));
  change(behind, "identity-2.json", () => "");
  const left = readFileSync(join(behind, "identity-2.json"), "utf8");
  const { code, told } = await doctor(data);
  t.equal(code, 1);
  const [ofBehind, ofDamaged, ofNewer, ofWhole] = told.findings.filter(({ check }) => check === "identity");
  t.match(ofWhole, { status: "ok", what: "the identity in whole is whole" });
  t.match(ofNewer, {
    status: "problem",
    what: /newer has version 999, this version of Drover knows up to 1/,
    why: "Its node does not start.",
    fix: /^Run the newer version of Drover again/,
  });
  t.match(ofDamaged, {
    status: "problem",
    what: /no copy of the identity in .*damaged can be read: .*it is not JSON/,
    fix: "Put identity-1.json and identity-2.json back from a backup.",
  });
  t.match(ofBehind, { status: "note", what: "of the two copies of the identity in behind one does not count: identity-2.json: it is empty" });
  t.equal(readFileSync(join(behind, "identity-2.json"), "utf8"), left, "its node mends it");
  await t.rejects(loadIdentity(newer), { code: "DROVER_STORE_NEWER" }, "as the node says it");
});

test("a record whose bytes are not what was written is told by entity and revision", async (t) => {
  const data = scratch(t);
  const path = join(data, "journal.db");
  const store = sqliteStore({ path, clock: systemClock, log: silentLog });
  await store.open();
  for (let revision = 1; revision <= 3; revision++)
    await store.commit([{ entity: "demo/requests/van", type: "requests", incarnation: "i", revision, epoch: 1, at: 1, record: Buffer.from(`reply ${String(revision)}: 120`) }]);
  await store.close();
  writeFileSync(path, readFileSync(path, "latin1").replace("reply 2: 120", "reply 2: 150"), "latin1");
  const { code, told } = await doctor(data);
  t.equal(code, 1);
  t.match(
    told.findings.find(({ check }) => check === "store"),
    { status: "problem", what: /journal\.db is damaged: revision 2 of demo\/requests\/van does not match its checksum/ },
  );
});

test("what was moved aside, a token that others can read, a wrong configuration: each its own finding", async (t) => {
  const data = scratch(t);
  mkdirSync(join(data, "rav4-01", "journal.db.damaged-2026-01-01"), { recursive: true });
  writeFileSync(join(data, "api-token"), "x");
  chmodSync(join(data, "api-token"), 0o644);
  const config = join(data, "node.yaml");
  writeFileSync(config, "data: d\nhttp: { prt: 1 }\n");
  const { code, told } = await doctor(data, {}, "--config", config);
  t.equal(code, 1);
  t.match(
    told.findings.find(({ check }) => check === "store-aside"),
    { status: "note", what: /moved aside/ },
  );
  t.match(
    told.findings.find(({ check }) => check === "token"),
    { status: "problem", fix: /chmod 600/ },
  );
  t.match(
    told.findings.find(({ check }) => check === "configuration"),
    { status: "problem", what: new RegExp(`${config}:2:9: http\\.prt`) },
  );
  const plain = await drover(["doctor", "--data", data], { env: { DROVER_HTTP_PORT: "0" } });
  t.match(plain.out, /problem {2}token: .*\n {9}why: .*\n {9}fix: chmod 600/);
  t.match(plain.err, "1 problem\n");
});

test("a token file that is gone while there are tokens: how to come by another one", async (t) => {
  const data = scratch(t);
  const found = async (): Promise<unknown> => (await doctor(data)).told.findings.find(({ check }) => check === "token");
  t.equal(await found(), undefined, "no node has run here");
  writeFileSync(join(data, "tokens.json"), '{"v":1,"tokens":[]}');
  t.match(await found(), { status: "note", what: `${data}/api-token is gone`, fix: `delete ${data}/tokens.json (all its tokens end), and start it again` });
});

test("a clock that is before what it cannot precede", (t) => {
  const data = scratch(t);
  writeFileSync(join(data, "x"), "");
  const year2000 = new ManualClock(946_684_800_000);
  t.match(checkClock(data, year2000), { status: "problem", what: /2000-01-01.*was installed/ });
  const ahead = new Date(systemClock.now() + 86_400_000 * 400);
  utimesSync(join(data, "x"), ahead, ahead);
  t.match(checkClock(data, systemClock), { status: "problem", what: /the data folder was written/ });
  t.end();
});

test("a Node that is too old", (t) => {
  t.equal(checkNode("20.20.0", "20.20.0").status, "ok");
  t.equal(checkNode("22.1.0", "20.20.0").status, "ok");
  t.equal(checkNode("20.19.9", "20.20.0").status, "problem");
  t.equal(checkNode("18.99.0", "20.20.0").status, "problem");
  t.end();
});
