// Children that were added at run time: they come back with their supervisor and with the process.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { test } from "tap";

import { keptFile } from "../../../runtime/host/index.ts";
import { type KeptChild, type KeptChildren, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { createTree, hosted, services, startTree, supervisor, type ChildSpec, type SupervisorSpec, type Tree } from "../../../runtime/supervision/index.ts";
import { heard, listeningLog, type LogLine } from "../workers/listening.ts";
import { scripted } from "./scripted.ts";

interface Disk extends KeptChildren {
  kept: readonly KeptChild[];
  fails: boolean;
}

function disk(): Disk {
  const self: Disk = {
    kept: [],
    fails: false,
    load: () => (self.fails ? Promise.reject(new Error("the disk is away")) : Promise.resolve(self.kept)),
    save: (children) => {
      if (self.fails) return Promise.reject(new Error("the disk is full"));
      self.kept = JSON.parse(JSON.stringify(children)) as readonly KeptChild[];
      return Promise.resolve();
    },
  };
  return self;
}

const journal: string[] = [];
function make(id: string, data: unknown): ChildSpec {
  if (data === "bad") throw new Error("no such device");
  if (data === "temporary") return hosted(id, scripted(id, journal), { restart: "temporary" });
  if (data === "other") return hosted("other", scripted(id, journal));
  const child = scripted(id, journal);
  if (data === "fails") child.failStarts.push(new Error("not now"));
  return hosted(id, child);
}
const ports = (log = silentLog) => ({ clock: new ManualClock(), random: new SeededRandom(1), log });
const spec = (store: KeptChildren, first = scripted("first", journal)): SupervisorSpec =>
  supervisor("root", { strategy: "one-for-one" }, [supervisor("dynamic", { strategy: "one-for-one", intensity: 0, kept: { store, make } }, [hosted("first", first)])]);
/** For what is expected to reject. */
const outcomeless = async (outcome: Promise<unknown> | undefined): Promise<void> => {
  await outcome;
};
const ids = (tree: Tree): readonly string[] =>
  tree
    .at("dynamic")
    ?.describe()
    .map(({ id }) => id) ?? [];

test("S4. kept children come back when their supervisor restarts and when the process does, in their order, after what is written", async (t) => {
  const store = disk();
  const first = scripted("first", journal);
  const before = await startTree(spec(store, first), ports());
  const handle = before.at("dynamic");
  t.strictSame(await Promise.all(["b", "a", "c"].map(async (id) => handle?.keepChild(id, { id }))), [{ kind: "started" }, { kind: "started" }, { kind: "started" }]);
  t.strictSame(await handle?.keepChild("a", 1), { kind: "id-taken" });
  first.crash();
  await settle();
  t.strictSame(ids(before), ["first", "b", "a", "c"], "after a restart of the supervisor, once each");
  t.strictSame(await handle?.removeChild("a"), { kind: "removed" });
  // The process ends without a word.
  const after = await startTree(spec(store), ports());
  t.strictSame(ids(after), ["first", "b", "c"]);
  t.match(after.at("dynamic")?.describe(), [{}, { state: "running" }, { state: "running" }]);
  await before.stop();
  t.strictSame(await handle?.keepChild("late", 1), { kind: "not-running" });
  t.strictSame(
    store.kept.map(({ id }) => id),
    ["b", "c"],
    "a stop forgets nobody, and nobody new is kept",
  );
  await after.stop();
});

test("what is not started is not kept, what cannot be written is not started, what cannot be taken out goes on", async (t) => {
  const store = disk();
  const tree = await startTree(spec(store), ports());
  const handle = tree.at("dynamic");
  t.match(await handle?.keepChild("a", "fails"), { kind: "start-failed", kept: false });
  t.strictSame(store.kept, []);
  for (const data of ["bad", "temporary", "other"])
    await t.rejects(outcomeless(handle?.keepChild("a", data)), { message: /no such device|temporary child|was made as "other"/ }, data);
  await t.rejects(outcomeless(tree.at("")?.keepChild("a", 1)), { code: "DROVER_TREE_INVALID", message: /"root" keeps no children/ });
  await handle?.keepChild("b", 1);
  store.fails = true;
  t.match(await handle?.keepChild("a", 1), { kind: "not-kept", error: { message: "the disk is full" } });
  t.match(await handle?.removeChild("b"), { kind: "still-kept" });
  t.strictSame(ids(tree), ["first", "b"]);
  store.fails = false;
  t.strictSame(await handle?.removeChild("b"), { kind: "removed" });
  t.strictSame(await handle?.removeChild("b"), { kind: "no-such-child" });
  t.strictSame([ids(tree), store.kept], [["first"], []]);
  t.throws(() => supervisor("x", { strategy: "rest-for-one", kept: { store, make } }, []), { code: "DROVER_TREE_INVALID" });
  await tree.stop();
});

test("a list that cannot be read keeps nobody from starting and is not written over; a child that cannot be made stays in it", async (t) => {
  const store = disk();
  store.kept = [
    { id: "a", data: 1 },
    { id: "b", data: "bad" },
  ];
  const lines = heard<LogLine>();
  store.fails = true;
  const away = await startTree(spec(store), ports(listeningLog(lines)));
  t.strictSame(ids(away), ["first"]);
  t.match(await away.at("dynamic")?.keepChild("c", 1), { kind: "not-kept" });
  store.fails = false;
  t.strictSame(await away.at("dynamic")?.keepChild("c", 1), { kind: "started" });
  t.strictSame(
    store.kept.map(({ id }) => id),
    ["a", "b", "c"],
  );
  await away.stop();
  const back = createTree(spec(store), ports(listeningLog(lines)));
  await back.start();
  t.strictSame(ids(back), ["first", "a", "c"]);
  t.match(
    lines.items.filter(({ level }) => level === "error").map(({ message }) => message),
    [/cannot be read/, /cannot be made from its data/],
  );
  await back.stop();
});

test("K1. a child that must not be added is not kept either", async (t) => {
  const store = disk();
  const significant = (id: string): ChildSpec => hosted(id, scripted(id, journal), { restart: "transient", significant: true });
  const dynamic = supervisor("dynamic", { strategy: "one-for-one", kept: { store, make: significant } }, []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [dynamic]), ports());
  await t.rejects(outcomeless(tree.at("dynamic")?.keepChild("a", 1)), { code: "DROVER_TREE_INVALID" });
  t.strictSame(store.kept, []);
  await tree.stop();
});

test("a stop does not wait for a list that is read", async (t) => {
  const store: KeptChildren = { ...disk(), load: () => new Promise(() => undefined) };
  const tree = createTree(spec(store), ports());
  const started = t.rejects(tree.start(), { message: /stopped while it started/ });
  await settle();
  await tree.stop();
  await started;
});

test("in a file the list is whole at every moment; one that is damaged is moved aside and told", async (t) => {
  const folder = t.testdir({});
  const path = join(folder, "services.json");
  const lines = heard<LogLine>();
  const file = keptFile(path, listeningLog(lines));
  t.strictSame(await file.load(), []);
  await file.save([{ id: "a", data: { command: "true" } }]);
  t.strictSame(await keptFile(path, silentLog).load(), [{ id: "a", data: { command: "true" } }]);
  for (const text of ["{", "null", '{"version":2,"children":[]}', '{"version":1,"children":[null]}', '{"version":1,"children":[{"data":1}]}']) {
    writeFileSync(path, text);
    t.strictSame(await file.load(), [], text);
    t.notOk(existsSync(path));
    t.equal(readFileSync(`${path}.damaged`, "utf8"), text);
  }
  t.equal(lines.items.length, 5);
  await t.rejects(keptFile(join(folder, "missing", "x.json"), silentLog).save([]), { code: "ENOENT" });
  await t.rejects(keptFile(folder, silentLog).load(), { code: "EISDIR" });
});

test("services that were added at run time are checked as written ones are, and come back", async (t) => {
  const path = join(t.testdir({}), "services.json");
  const run = (): ReturnType<typeof scripted> => scripted("service", journal);
  const place = (): SupervisorSpec => supervisor("node", { strategy: "rest-for-one" }, [services({}, run, keptFile(path, silentLog))]);
  const before = await startTree(place(), ports());
  const handle = before.at("services");
  t.strictSame(await handle?.keepChild("camera", { command: "camera", ready: { tcp: 80 } }), { kind: "started" });
  for (const data of [{}, { command: 1 }, { command: "x", readi: {} }, { command: "x", ready: { tcp: 80, http: "http://x/" } }, null, "camera"])
    await t.rejects(outcomeless(handle?.keepChild("bad", data)), { code: "DROVER_CONFIG_INVALID", message: /^services\.bad/ }, JSON.stringify(data));
  await before.stop();
  const after = await startTree(place(), ports());
  t.match(after.at("services")?.describe(), [{ id: "camera", kind: "service", state: "running" }]);
  await after.stop();
});
