// How many alarms a vehicle may have at the cloud.

import { test } from "tap";
import { alarmEntity } from "../../actors/index.ts";
import { vehicleDoor } from "../../cloud-node/vehicle-door.ts";
import { createSystem, parseAddress, type RemoteMessage, vehicleNames } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";

test("S5. a vehicle has at most 64 alarms, however many it raises at once and over restarts; those of a vehicle whose name begins alike are not its", async (t) => {
  const clock = new ManualClock();
  const store = memoryStore({ delay: () => new Promise((resolve) => setImmediate(resolve)) });
  await store.open();
  const system = createSystem({ node: "cloud-1", types: [alarmEntity], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  let door = vehicleDoor(system, store);
  let ids = 0;
  const raise = async (vehicle: string, alarm: string, type = "alarm.raise"): Promise<string> => {
    const message: RemoteMessage = {
      to: parseAddress(`acme/alarm/${vehicle}.${alarm}`),
      event: { type, ...(type === "alarm.raise" ? { title: "hot", severity: "warning", about: "the oil" } : {}) },
      sender: { kind: "outside", id: `m${String(ids++)}`, author: "anybody", expiresAt: clock.now() + 60_000 },
      ask: false,
      withinMs: 60_000,
    };
    return (await door.receive(message, vehicleNames("acme", vehicle).up("in"))).kind;
  };
  const many = (vehicle: string, count: number, from = 0): Promise<readonly string[]> =>
    Promise.all(Array.from({ length: count }, (_, n) => raise(vehicle, `a${String(from + n)}`)));
  const kept = async (vehicle: string): Promise<number> =>
    (await store.entities(undefined, 1_000)).filter(({ entity }) => new RegExp(`^acme/alarm/${vehicle}[.][^.]+$`).test(entity)).length;

  t.same([...new Set(await many("v.b", 10))], ["accepted"]);
  const told = await many("v", 200);
  t.same([told.filter((kind) => kind === "accepted").length, told.filter((kind) => kind === "full").length, await kept("v")], [64, 136, 64]);
  t.same([...new Set(await many("v", 64))], ["accepted"], "what it has is raised again");
  door = vehicleDoor(system, store);
  t.same([await raise("v", "new"), await raise("v", "a3"), await raise("v.b", "new")], ["full", "accepted", "accepted"], "after a restart too");
  t.equal(await kept("v"), 64);

  t.same(await Promise.all([raise("w", "new"), raise("w", "new", "alarm.clear")]), ["accepted", "accepted"], "what comes behind a new one does not overtake it");
  t.match(system.read(parseAddress("acme/alarm/w.new")), { state: "cleared" });

  let isFull = true;
  door = vehicleDoor({ ...system, activate: (address, options) => (isFull ? Promise.reject(new Error("the disk is full")) : system.activate(address, options)) }, store);
  for (let n = 0; n < 60; n++) await t.rejects(raise("v.b", `b${String(n)}`), { message: "the disk is full" });
  isFull = false;
  t.equal(await raise("v.b", "c"), "accepted", "what came to nothing takes no place");
  await system.stop();
});
