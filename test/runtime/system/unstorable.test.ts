// A turn that comes to no record, whatever the reason: the failure of the input it is due to, never an endless recovery.

import { setup, emit } from "xstate";
import { test } from "tap";

import { actorType, entityType, messages, parseAddress } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { hosting } from "./hosting.ts";

const T1 = parseAddress("acme/thing/t1");
const protocol = messages({ "thing.bad": { body: {} }, "thing.good": { body: {} } });

/** Can be read once: the codec finds nothing wrong with it, and then it cannot be written. */
const oncePlain = (): { readonly type: string } => {
  let reads = 0;
  return {
    type: "seen",
    get at() {
      if (reads++ > 0) throw new Error("read twice");
      return 5;
    },
  } as { readonly type: string };
};

const thing = entityType({
  root: actorType({
    name: "thing",
    version: 1,
    messages: protocol,
    behaviour: setup({}).createMachine({ id: "thing", on: { "thing.bad": { actions: emit(oncePlain) }, "thing.good": { actions: emit({ type: "fine" }) } } }),
  }),
  durability: "events",
  placement: "cloud",
});

test("H13, A4. a turn that cannot be stored is its input's failure: tried three times, then parked with its code; what came with it is taken, and nothing is recovered", async (t) => {
  const logged: string[] = [];
  const log: Log = { ...silentLog, error: (_fields, message) => void logged.push(message), child: () => log };
  const { system, clock, disk } = await hosting({ types: [thing], log });
  await system.activate(T1, { input: undefined });
  const told = ["thing.good", "thing.bad", "thing.good"].map((type) => system.tell(T1, { type }, { id: `${type} ${String(Math.random())}` }));
  for (let at = 0; at < 5; at++) await clock.advance(100);
  t.match(await Promise.all(told), [
    { kind: "accepted", durable: "local" },
    { kind: "refused", reason: "set aside after 3 failures: its turn cannot be stored: read twice" },
    { kind: "accepted", durable: "local" },
  ]);
  t.match(system.describeEntities()[0], { restarts: 3, lastExit: { reason: "failed", error: "its turn cannot be stored: read twice" } });
  t.match(await system.inspection.inspect(T1), { restarts: { last: { code: "DROVER_DATA_NOT_KEPT", place: "acme/thing/t1: its message" } } });
  t.equal(new Set(logged).size, 1);
  await system.stop();

  const again = await hosting({ types: [thing], disk, clock });
  await again.system.activate(T1, { input: undefined });
  t.equal(again.system.metrics().find(({ name }) => name.includes("diverg"))?.value, 0, "its journal comes to the same");
  t.match(again.system.describeEntities()[0], { restarts: 3 });
  await again.system.stop();
});
