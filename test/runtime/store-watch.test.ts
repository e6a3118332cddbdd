// A node's store that takes nothing for a while, as it is told to whoever asks whether the node should get work.

import { test } from "tap";
import { watchStore } from "../../runtime/index.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";
import { aCommit, kinds } from "../contracts/store.ts";
import { storeOnDisk } from "../store-on-disk.ts";

test("W1. what is refused for want of room is told until as much finds room, also when nobody commits", async (t) => {
  const clock = new ManualClock();
  const disk = { room: 10_000 };
  const store = watchStore(storeOnDisk(disk), clock);
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
  const store = watchStore(storeOnDisk(disk), clock);
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
