import { join } from "node:path";
import { test } from "tap";
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
