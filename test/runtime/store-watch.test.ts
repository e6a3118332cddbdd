// A node's store that takes nothing for a while, as it is told to whoever asks whether the node should get work.

import { test } from "tap";
import { watchStore } from "../../runtime/index.ts";
import { type Log, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, memoryStore } from "../../runtime/simulation/index.ts";
import { aCommit, kinds } from "../contracts/store.ts";
import { storeOnDisk } from "../store-on-disk.ts";

test("W1. what is refused for want of room is told until as much finds room, also when nobody commits", async (t) => {
  const clock = new ManualClock();
  const disk = { room: 10_000 };
  const store = watchStore(storeOnDisk(disk), { clock, log: silentLog });
  await store.open();
  const failing = (): number | undefined => store.metrics().find(({ name }) => name === "drover_store_failing")?.value;
  t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
  t.equal(store.trouble, undefined);
  t.equal(failing(), 0);
  disk.room = 100;
  const since = new Date(clock.now()).toISOString();
  t.strictSame(kinds(await store.commit([aCommit("a", 2, { record: new Uint8Array(1_000) })])), ["refused"]);
  t.equal(store.trouble, `commits are refused since ${since}: the disk is full`);
  t.equal(failing(), 1);
  await clock.advance(60_000);
  t.match(store.trouble, since, "as long as it lasts");
  t.strictSame(kinds(await store.commit([aCommit("b", 1, { record: new Uint8Array(10) })])), ["committed"]);
  t.match(store.trouble, since, "what is smaller shows nothing");
  disk.room = 10_000;
  await clock.advance(1_000);
  t.equal(store.trouble, undefined);
  t.equal(failing(), 0);
  t.strictSame(await store.values.entries("node/"), [], "the trial leaves nothing behind");
  disk.room = 100;
  await store.commit([aCommit("a", 2, { record: new Uint8Array(1_000) })]);
  disk.room = 10_000;
  t.strictSame(kinds(await store.commit([aCommit("a", 2, { record: new Uint8Array(1_000) })])), ["committed"]);
  t.equal(store.trouble, undefined, "a commit of that size needs no trial");
  await store.close();
});

test("W1. a refusal that does not pass is its entity's, and a store that was closed is tried no more", async (t) => {
  const clock = new ManualClock();
  const disk = { room: 10_000 };
  const store = watchStore(storeOnDisk(disk), { clock, log: silentLog });
  await store.open();
  t.strictSame(kinds(await store.commit([aCommit("a", 2)])), ["refused"]);
  t.equal(store.trouble, undefined);
  disk.room = 0;
  await store.commit([aCommit("a", 1)]);
  t.type(store.trouble, "string");
  await store.close();
  t.equal(store.trouble, undefined);
  t.equal(clock.pending, 0);
});

test("W2. while the store's files are gone it takes nothing, and an error says what to do; when they are back it goes on", async (t) => {
  const clock = new ManualClock();
  const lines: { readonly level: string; readonly text: string }[] = [];
  const log: Log = { ...silentLog, error: (_, text) => lines.push({ level: "error", text }), info: (_, text) => lines.push({ level: "info", text }) };
  const inner = memoryStore();
  let missing: string | undefined;
  let answers = true;
  const store = watchStore({ ...inner, missing: async () => (answers ? missing : Promise.reject(new Error("no answer"))) }, { clock, log });
  await store.open();
  await store.commit([aCommit("a", 1)]);
  await clock.advance(10_000);
  t.equal(store.trouble, undefined);
  missing = "/data/journal.db is gone";
  await clock.advance(2_000);
  const since = new Date(clock.now()).toISOString();
  t.equal(store.trouble, `commits are refused since ${since}: ${missing}`);
  t.equal(store.metrics().find(({ name }) => name === "drover_store_failing")?.value, 1);
  t.strictSame(await store.commit([aCommit("a", 2), aCommit("b", 1)]), [
    { kind: "refused", reason: missing, passing: true },
    { kind: "refused", reason: missing, passing: true },
  ]);
  t.strictSame(await inner.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 1 }, "nothing reached it");
  for (const write of [() => store.values.set("k", new Uint8Array(1)), () => store.values.delete("k"), () => store.values.write([{ key: "k", value: new Uint8Array(1) }])])
    await t.rejects(write(), { code: "DROVER_STORE_FAILED", message: missing, retryable: true });
  t.equal((await store.load("acme/vehicle/a"))?.revision, 1, "what it holds is told");
  t.strictSame(
    lines.map(({ level }) => level),
    ["error"],
  );
  t.match(lines[0], { text: /put back the same files/ });
  answers = false;
  await clock.advance(599_000);
  t.match(store.trouble, since, "nor does a store that does not answer take anything");
  t.equal(lines.length, 1);
  await clock.advance(4_000);
  t.equal(lines.length, 2, "again after ten minutes");
  answers = true;
  missing = undefined;
  await clock.advance(2_000);
  t.equal(store.trouble, undefined);
  t.match(lines.slice(2), [{ level: "info" }]);
  t.strictSame(kinds(await store.commit([aCommit("a", 2), aCommit("b", 1)])), ["committed", "committed"]);
  await store.close();
  t.equal(clock.pending, 0);
});
