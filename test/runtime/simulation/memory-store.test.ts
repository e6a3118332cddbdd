import { test } from "tap";
import { MemoryDisk, memoryStore } from "../../../runtime/simulation/memory-store.ts";
import { storeContract } from "../../contracts/store.ts";

test("the memory store keeps the store contract", async (t) => {
  await storeContract(t, async () => {
    const disk = new MemoryDisk();
    const store = memoryStore({ disk });
    await store.open();
    return {
      store,
      reopen: async () => {
        await store.close();
        const again = memoryStore({ disk });
        await again.open();
        return again;
      },
      teardown: () => store.close(),
    };
  });
});
