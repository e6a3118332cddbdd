import { join } from "node:path";
import { test } from "tap";
import { loadDriver } from "../../../protocols/sqlite/driver.ts";
import { JournalFile } from "../../../protocols/sqlite/journal-file.ts";
import { openFile } from "../../../protocols/sqlite/open-file.ts";
import { journalContents } from "../../../protocols/sqlite/serve-journal.ts";
import { aCommit } from "../../contracts/store.ts";
import { journalSpec } from "./_stored.ts";

test("C3. an entity that SQLite itself refuses half way is taken back whole, and the others of its batch are committed", async (t) => {
  const path = join(t.testdir(), "journal.db");
  const file = openFile(await loadDriver(), journalSpec(path), journalContents);
  // Stands for whatever a database may refuse in a value: the record is in by then, the snapshot is not.
  file.database.exec("CREATE TEMP TRIGGER refusing BEFORE INSERT ON snapshots WHEN new.state = x'00' BEGIN SELECT RAISE(ABORT, 'not this one'); END");
  const journal = new JournalFile(file.database);
  const refused = new Uint8Array(1);
  t.match(journal.commit([aCommit("a", 1), aCommit("b", 1, { snapshot: refused }), aCommit("c", 1)]), {
    outcomes: [{ kind: "committed" }, { kind: "refused", reason: /not this one/ }, { kind: "committed" }],
    failure: undefined,
  });
  t.equal(journal.revisionOf("acme/vehicle/b"), undefined);
  t.strictSame(
    journal.entities(undefined, 10).map(({ entity }) => entity),
    ["acme/vehicle/a", "acme/vehicle/c"],
  );

  t.match(journal.commit([aCommit("a", 9, { incarnation: "i2", replaces: "i1", snapshot: refused })]), { outcomes: [{ kind: "refused" }] });
  t.match(journal.load("acme/vehicle/a"), { incarnation: "i1", revision: 1, records: [{ revision: 1 }] }, "the history that was to be replaced is untouched");
  t.match(journal.commit([aCommit("a", 2), aCommit("b", 1)]).outcomes, [{ kind: "committed" }, { kind: "committed" }]);
  file.close();
});
