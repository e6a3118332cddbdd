import { test } from "tap";
import { bindProblem, loadDriver } from "../../../protocols/sqlite/driver.ts";

test("only what SQLite stores as it is can be bound", async (t) => {
  for (const value of [null, 0, -1.5, Number.POSITIVE_INFINITY, 9_223_372_036_854_775_807n, "", "text \u{1f69a}", new Uint8Array(), Buffer.from("a")])
    t.equal(bindProblem(value), undefined);
  for (const value of [undefined, Number.NaN, true, new Date(0), [], {}, 9_223_372_036_854_775_808n, "half \ud800", new ArrayBuffer(1), Symbol("s"), () => 1])
    t.type(bindProblem(value), "string");

  const database = (await loadDriver()).open(":memory:", { busyTimeoutMs: 0 });
  const statement = database.prepare("SELECT ? AS value");
  t.throws(() => statement.get(undefined as never), TypeError);
  t.throws(() => statement.all(Number.NaN), TypeError);
  t.throws(() => statement.run(new Date(0) as never), TypeError);
  t.equal(statement.get("text \u{1f69a}")?.["value"], "text \u{1f69a}");
  t.strictSame(database.ask("value + 1", "(SELECT 1 AS value UNION SELECT 2)"), [2, 3]);
  database.close();
});

test("Node's own SQLite is taken from 22.13 on, the other library before and where it is missing", async (t) => {
  t.equal((await loadDriver("20.20.2")).name, "@photostructure/sqlite");
  t.equal((await loadDriver("22.12.0")).name, "@photostructure/sqlite");
  t.match((await loadDriver("22.13.0")).name, /sqlite/);
  t.match((await loadDriver()).name, /sqlite/);
});
