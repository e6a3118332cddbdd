import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { type SqliteStore, sqliteStore } from "../../../protocols/sqlite/index.ts";
import { systemClock } from "../../../runtime/host/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { storeContract } from "../../contracts/store.ts";
import { damageRow } from "./_stored.ts";

test("the SQLite store keeps the store contract", async (t) => {
  let runs = 0;
  await storeContract(t, async () => {
    const path = join(t.testdir(), `journal-${String(runs++)}.db`);
    const opened: SqliteStore[] = [];
    const make = (): SqliteStore => {
      const store = sqliteStore({ path, log: silentLog, clock: systemClock });
      opened.push(store);
      return store;
    };
    const open = async (): Promise<SqliteStore> => {
      const store = make();
      await store.open();
      return store;
    };
    const store = await open();
    return {
      store,
      reopen: async () => {
        await opened.at(-1)?.close();
        return open();
      },
      damage: async (entity, part) => {
        await opened.at(-1)?.close();
        await damageRow(path, entity, part);
        return open();
      },
      putBack: async () => {
        await opened.at(-1)?.close();
        rmSync(`${path}.mark`, { force: true });
        return make();
      },
      teardown: async () => {
        for (const store of opened) await store.close();
      },
    };
  });
});
