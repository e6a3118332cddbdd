import { test } from "tap";
import { MemoryDisk, memoryStore } from "../../../runtime/simulation/memory-store.ts";
import { storeContract } from "../../contracts/store.ts";

test("the memory store keeps the store contract", async (t) => {
  await storeContract(t, async () => {
    const disk = new MemoryDisk();
    const store = memoryStore({ disk });
    await store.open();
    let current = store;
    return {
      store,
      reopen: async () => {
        await current.close();
        current = memoryStore({ disk });
        await current.open();
        return current;
      },
      damage: (entity, part) => {
        current.damage(entity, part);
        return Promise.resolve(current);
      },
      putBack: async () => {
        await current.close();
        disk.putBack();
        current = memoryStore({ disk });
        return current;
      },
      teardown: () => current.close(),
    };
  });
});
