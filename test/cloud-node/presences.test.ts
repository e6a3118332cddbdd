// News of links reach their presence entities however slow the store is for a while (vehicle.md, States).

import { test } from "tap";
import { createPresences } from "../../cloud-node/presences.ts";
import { VehicleLinks } from "../../cloud-node/vehicle-links.ts";
import { parseAddress, type System, type Told } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";

test("S5. a presence that was not told in time is told again, and in bounded tries", async (t) => {
  const said: string[] = [];
  let late = 2;
  const inform: System["inform"] = (to, { type }) => {
    said.push(`${to} ${type}`);
    const told: Told = late-- > 0 ? { kind: "deadline" } : { kind: "accepted", durable: "local" };
    return Promise.resolve(told);
  };
  const presences = createPresences(
    new VehicleLinks(new ManualClock()),
    () => ({ inform }) as unknown as System,
    silentLog,
    () => undefined,
  );
  await presences.expect(parseAddress("acme/vehicle/v1"));
  t.same(
    said,
    Array.from({ length: 3 }, () => "acme/presence/v1 watch.began"),
  );
  late = Number.POSITIVE_INFINITY;
  await presences.expect(parseAddress("acme/vehicle/v2"));
  t.equal(said.length, 3 + 6);
});
