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
    { id: "a", data: 2 },
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
    ["a", "b", "a", "c"],
  );
  await away.stop();
  const back = createTree(spec(store), ports(listeningLog(lines)));
  await back.start();
  t.strictSame(ids(back), ["first", "a", "c"]);
  t.match(
    lines.items.filter(({ level }) => level === "error").map(({ message }) => message),
    [/cannot be read/, /cannot be made from its data/, /twice/],
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

/** A list on a slow disk: what is saved is there after 10 ms, what is loaded is what was there before. */
function slowDisk(clock: ManualClock, kept: readonly KeptChild[]): KeptChildren & { kept: readonly KeptChild[] } {
  const self = {
    kept,
    load: async () => {
      const found = self.kept;
      await passed(clock);
      return found;
    },
    save: async (children: readonly KeptChild[]) => {
      await passed(clock);
      self.kept = [...children];
    },
  };
  return self;
}
const passed = (clock: ManualClock): Promise<void> =>
  new Promise((resolve) => {
    clock.setTimeout(resolve, 10);
  });

/** "mid/dynamic" below the root; `again` adds it, or what it is below, anew. */
async function removable(
  stored: readonly KeptChild[],
  make: (id: string, clock: ManualClock) => ChildSpec,
): Promise<{
  readonly clock: ManualClock;
  readonly tree: Tree;
  readonly store: { readonly kept: readonly KeptChild[] };
  readonly dynamic: () => SupervisorSpec;
  readonly mid: () => SupervisorSpec;
}> {
  const clock = new ManualClock();
  const store = slowDisk(clock, stored);
  // Each has a store of its own over the one disk, as two that a program makes of one path.
  const dynamic = (): SupervisorSpec =>
    supervisor("dynamic", { strategy: "one-for-one", kept: { store: { load: () => store.load(), save: (children) => store.save(children) }, make: (id) => make(id, clock) } }, []);
  const mid = (): SupervisorSpec => supervisor("mid", { strategy: "one-for-one" }, [dynamic()]);
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [mid()]), { clock, random: new SeededRandom(1), log: silentLog });
  void tree.start();
  await clock.advance(100);
  return { clock, tree, store, dynamic, mid };
}
const keptIds = (store: { readonly kept: readonly KeptChild[] }): readonly string[] => store.kept.map(({ id }) => id);
const running = (tree: Tree): readonly string[] =>
  tree
    .at("mid/dynamic")
    ?.describe()
    .filter(({ state }) => state === "running")
    .map(({ id }) => id) ?? [];

test("K4. a supervisor that is removed and added again reads its list when its predecessor has written, at any moment of an addition", async (t) => {
  for (const above of [false, true])
    for (let atMs = 0; atMs <= 60; atMs += 5) {
      const what = `${above ? "with what is above it" : "alone"}, after ${String(atMs)} ms`;
      const slow = (id: string, own: ManualClock): ChildSpec => hosted(id, { start: async (context) => (await passed(own), scripted(id, journal).start(context)) });
      const { clock, tree, store, dynamic, mid } = await removable([{ id: "a", data: 1 }], slow);
      const told: string[] = [];
      void tree
        .at("mid/dynamic")
        ?.keepChild("x", 1)
        .then(({ kind }) => told.push(kind));
      await clock.advance(atMs);
      const handle = tree.at(above ? "" : "mid");
      void handle?.removeChild(above ? "mid" : "dynamic").then(() => handle.addChild(above ? mid() : dynamic()));
      await clock.advance(15);
      void tree.at("mid/dynamic")?.keepChild("y", 1);
      await clock.advance(1_000);
      const expected = told[0] === "started" ? ["a", "x", "y"] : ["a", "y"];
      t.strictSame([told.length, keptIds(store), running(tree)], [1, expected, expected], `${what}, told ${String(told[0])}`);
      void tree.stop();
      await clock.advance(1_000);
      t.equal(clock.pending, 0);
    }
});

test("K4. a handle is that of its path: what is asked through an old one does not write over the list of the successor", async (t) => {
  const stored = ["a", "b", "c"].map((id) => ({ id, data: 1 }));
  const { clock, tree, store, dynamic } = await removable(stored, (id) => hosted(id, scripted(id, journal)));
  const old = tree.at("mid/dynamic");
  void tree.at("mid")?.removeChild("dynamic");
  await clock.advance(100);
  const told: unknown[] = [];
  const tell = (outcome: Promise<{ readonly kind: string }> | undefined): void => void outcome?.then(({ kind }) => told.push(kind));
  tell(old?.keepChild("d", 1));
  tell(old?.removeChild("a"));
  await clock.advance(100);
  t.strictSame(
    [told.splice(0), keptIds(store)],
    [
      ["not-running", "removed"],
      ["b", "c"],
    ],
    "of a supervisor that is gone, and will perhaps be added again",
  );
  tell(old?.removeChild("b"));
  tell(tree.at("mid")?.addChild(dynamic()));
  await clock.advance(5);
  tell(tree.at("mid/dynamic")?.keepChild("y", 1));
  await clock.advance(100);
  t.strictSame(
    [told.splice(0), keptIds(store), running(tree)],
    [
      ["removed", "started", "started"],
      ["c", "y"],
      ["c", "y"],
    ],
    "the successor has read what was written",
  );
  tell(old?.removeChild("c"));
  tell(old?.keepChild("z", 1));
  await clock.advance(100);
  t.strictSame(
    [told, keptIds(store), running(tree)],
    [
      ["removed", "started"],
      ["y", "z"],
      ["y", "z"],
    ],
  );
  t.strictSame(
    old?.describe().map(({ id }) => id),
    ["y", "z"],
  );
  void tree.stop();
  await clock.advance(100);
});

test("K4. so it is for a temporary supervisor of a group, which is made anew with it", async (t) => {
  const clock = new ManualClock();
  const store = slowDisk(clock, [
    { id: "a", data: 1 },
    { id: "b", data: 1 },
  ]);
  const make = (id: string): ChildSpec => hosted(id, scripted(id, journal));
  const first = scripted("first", journal);
  const inner = supervisor("inner", { strategy: "rest-for-one", intensity: 1 }, [
    hosted("first", first),
    supervisor("dynamic", { strategy: "one-for-one", restart: "temporary", kept: { store, make } }, []),
  ]);
  const tree = createTree(supervisor("root", { strategy: "one-for-one" }, [inner]), { clock, random: new SeededRandom(1), log: silentLog });
  void tree.start();
  await clock.advance(100);
  void tree.at("inner/dynamic")?.removeChild("a");
  first.crash();
  await settle();
  t.equal(tree.at("inner/dynamic"), undefined, "gone with its group");
  first.crash();
  await clock.advance(100);
  t.strictSame(keptIds(store), ["b"]);
  t.strictSame(
    tree
      .at("inner/dynamic")
      ?.describe()
      .map(({ id, state }) => `${id} ${state}`),
    ["b running"],
  );
  void tree.stop();
  await clock.advance(100);
});

test("two supervisors of a tree cannot keep their children in one list", (t) => {
  const kept = { store: disk(), make };
  const pool = (id: string): SupervisorSpec => supervisor(id, { strategy: "one-for-one", kept: { ...kept } }, []);
  const tree = supervisor("root", { strategy: "one-for-one" }, [pool("one"), supervisor("mid", { strategy: "one-for-one" }, [pool("two")])]);
  t.throws(() => createTree(tree, ports()), { code: "DROVER_TREE_INVALID", message: /"two": .*"one"/ });
  t.end();
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
