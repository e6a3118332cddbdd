import { join } from "node:path";
import { test } from "tap";
import { watchStore } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock } from "../../../runtime/simulation/index.ts";
import { aCommit, kinds } from "../../contracts/store.ts";
import { openStore } from "./_stored.ts";

test("C2. on a full disk a commit is refused, for certain not written; what is there stays readable, and commits go on when there is room", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const store = await openStore(t, path, { maxPages: 64 });
  t.strictSame(kinds(await store.commit([aCommit("a", 1)])), ["committed"]);
  let revision = 1;
  for (;;) {
    const [outcome] = await store.commit([aCommit("a", revision + 1, { record: new Uint8Array(20_000) })]);
    if (outcome?.kind !== "committed") {
      t.match(outcome, { kind: "refused", reason: /full/ });
      break;
    }
    revision++;
  }
  t.ok(revision > 5);
  t.strictSame(await store.revisionOf("acme/vehicle/a"), { incarnation: "i1", revision });
  t.strictSame(
    kinds(await store.commit([aCommit("b", 1), aCommit("a", revision + 1, { record: new Uint8Array(20_000) })])),
    ["refused", "refused"],
    "the batch is one transaction",
  );
  await t.rejects(store.values.set("big", new Uint8Array(100_000)), { code: "DROVER_STORE_FAILED" });
  await t.rejects(
    store.values.write([
      { key: "small", value: new Uint8Array(1) },
      { key: "big", value: new Uint8Array(100_000) },
    ]),
    { code: "DROVER_STORE_FAILED" },
  );
  t.equal(await store.values.get("small"), undefined, "all of them or none");
  t.match(
    store.metrics().find(({ name }) => name === "drover_store_reopened_total"),
    { value: 0 },
    "the connection goes on",
  );
  await store.close();
  const roomier = await openStore(t, path);
  t.strictSame(kinds(await roomier.commit([aCommit("b", 1), aCommit("a", revision + 1, { record: new Uint8Array(20_000) })])), ["committed", "committed"]);
  t.equal((await roomier.load("acme/vehicle/a"))?.records.length, revision + 1);
});

test("W1. a full file is told as the store's trouble until there is room in it", async (t) => {
  const clock = new ManualClock();
  const store = watchStore(await openStore(t, join(t.testdir(), "journal.db"), { maxPages: 64 }), { clock, log: silentLog });
  await store.values.set("other", new Uint8Array(150_000));
  const record = new Uint8Array(100_000);
  t.match(await store.commit([aCommit("a", 1, { record })]), [{ kind: "refused", passing: true }]);
  t.match(store.trouble, /^commits are refused since .*: nothing was written: .*full/);
  await store.values.delete("other");
  t.strictSame(kinds(await store.commit([aCommit("a", 1, { record })])), ["committed"]);
  t.equal(store.trouble, undefined);
});
