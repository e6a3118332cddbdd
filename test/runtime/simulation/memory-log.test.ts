import { test } from "tap";
import { memoryLog } from "../../../runtime/simulation/memory-log.ts";
import { anEntry, appendLogContract, fullDiskContract, LOG_CONTRACT_BUDGET_BYTES } from "../../contracts/append-log.ts";

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

test("S5. the memory log keeps the contract on a disk that is full for a while", async (t) => {
  await fullDiskContract(t, async () => {
    let isFull = false;
    const log = memoryLog({ maxBytes: LOG_CONTRACT_BUDGET_BYTES, isDiskFull: () => isFull });
    await log.open();
    return {
      log,
      fill: async () => {
        isFull = true;
        await t.rejects(log.append([anEntry("B", 1)]), { code: "DROVER_STORE_FAILED", message: /full/ });
        await t.rejects(log.acknowledge(0), { code: "DROVER_STORE_FAILED" });
        return 1;
      },
      free: async () => {
        isFull = false;
      },
      reopen: async () => {
        await log.close();
        await log.open();
        return log;
      },
      teardown: () => log.close(),
    };
  });
});
