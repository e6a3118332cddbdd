import { test } from "tap";
import { memoryLog } from "../../../runtime/simulation/memory-log.ts";
import { appendLogContract, LOG_CONTRACT_BUDGET_BYTES } from "../../contracts/append-log.ts";

test("the memory log keeps the append log contract", async (t) => {
  await appendLogContract(t, async () => {
    const log = memoryLog({ maxBytes: LOG_CONTRACT_BUDGET_BYTES });
    await log.open();
    return {
      log,
      reopen: async () => {
        await log.close();
        await log.open();
        return log;
      },
      teardown: () => log.close(),
    };
  });
});
