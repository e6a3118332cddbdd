import { join } from "node:path";
import { test } from "tap";
import { sqliteStore } from "../../../protocols/sqlite/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { storeContract } from "../../contracts/store.ts";
import { realClock } from "./_real-clock.ts";

test("the SQLite store keeps the store contract", async (t) => {
  let runs = 0;
  await storeContract(t, async () => {
    const path = join(t.testdir(), `journal-${String(runs++)}.db`);
    const open = sqliteStore({ path, log: silentLog, clock: realClock });
    await open.open();
    return {
      store: open,
      reopen: async () => {
        await open.close();
        const again = sqliteStore({ path, log: silentLog, clock: realClock });
        await again.open();
        return again;
      },
      teardown: () => open.close(),
    };
  });
});
