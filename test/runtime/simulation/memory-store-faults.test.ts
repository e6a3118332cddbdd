import { test } from "tap";
import { MemoryDisk, memoryStore } from "../../../runtime/simulation/memory-store.ts";
import { aCommit, kinds } from "../../contracts/store.ts";

test("C2. a scripted refusal takes out its entity once, the others of the batch are committed", async (t) => {
  const store = memoryStore();
  await store.open();
  store.refuseNext("acme/vehicle/a", "its shard is fenced");
  t.match(await store.commit([aCommit("a", 1), aCommit("b", 1)]), [{ kind: "refused", reason: "its shard is fenced" }, { kind: "committed" }]);
  t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
});

test("C2. a scripted unknown outcome was written or not, and revisionOf says which", async (t) => {
  const store = memoryStore();
  await store.open();
  store.unknownNext({ entity: "acme/vehicle/a", written: true });
  t.strictSame(kinds(await store.commit([aCommit("a", 1), aCommit("b", 1)])), ["unknown", "committed"]);
  t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 1 });
  store.unknownNext({ written: false, reason: "the connection was lost" });
  t.match(await store.commit([aCommit("a", 2), aCommit("b", 2)]), [{ kind: "unknown", reason: "the connection was lost" }, { kind: "unknown" }]);
  t.strictSame(await store.revisionOf("acme/vehicle/b"), { incarnation: "i1", revision: 1 });
  t.strictSame(kinds(await store.commit([aCommit("a", 2), aCommit("b", 2)])), ["committed", "committed"]);
});

test("S3. a crash keeps what was answered; what is under way is unknown, kept or lost by the moment of the crash", async (t) => {
  for (const written of [false, true]) {
    const disk = new MemoryDisk();
    const steps: (() => void)[] = [];
    const store = memoryStore({ disk, delay: () => new Promise((resolve) => void steps.push(resolve)) });
    await store.open();
    const first = store.commit([aCommit("a", 1)]);
    steps.shift()?.();
    await Promise.resolve();
    await new Promise((resolve) => setImmediate(resolve));
    steps.shift()?.();
    t.strictSame(kinds(await first), ["committed"]);
    const second = store.commit([aCommit("a", 2)]);
    if (written) {
      steps.shift()?.();
      await new Promise((resolve) => setImmediate(resolve));
    }
    store.crash();
    for (const step of steps.splice(0)) step();
    t.strictSame(kinds(await second), ["unknown"]);
    await t.rejects(store.revisionOf("acme/vehicle/a"), { code: "DROVER_STORE_FAILED", retryable: true });
    await store.open();
    t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: written ? 2 : 1 });
    await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(await memoryStore({ disk }).open(), { created: false });
  }
});

test("a disk that lies loses at a crash what it confirmed since the last sync, and nothing else", async (t) => {
  const store = memoryStore({ lies: true });
  t.strictSame(await store.open(), { created: true });
  await store.commit([aCommit("a", 1), aCommit("b", 1)]);
  await store.values.set("offset", new Uint8Array([1]));
  store.sync();
  t.strictSame(kinds(await store.commit([aCommit("a", 2)])), ["committed"]);
  await store.values.set("offset", new Uint8Array([2]));
  store.crash();
  t.strictSame(await store.open(), { created: false });
  t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision: 1 });
  t.strictSame(await store.values.get("offset"), new Uint8Array([1]));
  t.strictSame(kinds(await store.commit([aCommit("a", 2, { incarnation: "i2" }), aCommit("b", 2)])), ["refused", "committed"]);
  t.strictSame((await store.load("acme/vehicle/a"))?.records.length, 1, "the lost record is not seen through the one that took its place");
  t.strictSame(kinds(await store.commit([aCommit("a", 2)])), ["committed"]);
  t.strictSame(
    (await store.load("acme/vehicle/a"))?.records.map(({ revision }) => revision),
    [1, 2],
  );
});

test("a store that fails rejects every question and answers commits with unknown, until it is mended", async (t) => {
  const store = memoryStore();
  await store.open();
  await store.commit([aCommit("a", 1)]);
  store.failWith(new Error("the card is gone"));
  t.match(await store.commit([aCommit("a", 2)]), [{ kind: "unknown", reason: "the card is gone" }]);
  await t.rejects(store.load("acme/vehicle/a"), { message: "the card is gone" });
  await t.rejects(store.open(), { message: "the card is gone" });
  store.failWith(undefined);
  t.strictSame(kinds(await store.commit([aCommit("a", 2)])), ["committed"]);
});
