// What the cloud node brings back from its store, and what stops it.

import { test } from "tap";
import { activateStored } from "../../cloud-node/stored-entities.ts";
import { DroverError } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";

const head = (entity: string): { readonly entity: string; readonly type: string; readonly incarnation: string; readonly revision: number } => ({
  entity,
  type: "alarm",
  incarnation: "one",
  revision: 1,
});

test("M4. a stored entity that is kept out, or cannot be read, stops none of the others; a store that fails does", async (t) => {
  const activated: string[] = [];
  const failing = (code: "DROVER_ACTOR_HUNG" | "DROVER_STATE_INVALID" | "DROVER_STORE_FAILED"): Promise<readonly string[]> =>
    activateStored({
      system: {
        activate: async (entity) => {
          if (entity.endsWith("/a")) throw new DroverError(code, "for a reason");
          activated.push(entity);
        },
      },
      store: { entities: async () => [head("t/alarm/a"), head("t/alarm/b")] },
      types: ["alarm"],
      log: silentLog,
    });
  t.same(await failing("DROVER_ACTOR_HUNG"), ["t/alarm/a: for a reason"]);
  t.same(await failing("DROVER_STATE_INVALID"), ["t/alarm/a: for a reason"]);
  t.same(activated, ["t/alarm/b", "t/alarm/b"]);
  await t.rejects(failing("DROVER_STORE_FAILED"), { code: "DROVER_STORE_FAILED" });
});
