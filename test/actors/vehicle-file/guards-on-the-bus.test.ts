// A guard over real frames: from the bytes on the bus through the signal table to open or shut, with the values that decided.

import { test } from "tap";
import { conditionsOver } from "../../../actors/vehicle-file/index.ts";
import { appendFrame, createFrameBatch, createPresenceTracker, createSignalTable } from "../../../protocols/can/index.ts";
import { checkModel, HEAD, validModel } from "./small-world.ts";

function world(conditions: string) {
  const model = validModel(checkModel(`${HEAD}  Tow.Connected: { from: can0.TrailerStatus.Connected }\nconditions: { ${conditions} }\n`));
  const presence = createPresenceTracker(
    model.modules.map(({ name, bus, presence: { messages, silentAfterMs }, sourceAddress }) => ({ name, bus, messages, silentAfterMs, sourceAddress })),
  );
  const table = createSignalTable({ buses: model.buses, signals: model.signals, presence });
  const over = conditionsOver(model, table, presence, 0);
  const feed = (timeMs: number, id: number, ...bytes: readonly number[]): void => {
    const batch = createFrameBatch(1);
    appendFrame(batch, { id, data: Uint8Array.from(bytes) }, { timeS: timeMs / 1000 });
    table.feed(batch, ["can0"]);
    over.listen(timeMs);
  };
  return { feed, over, table };
}

test("X1. A guard opens on fresh frames and shuts by itself when they stop", (t) => {
  const { feed, over } = world("parked: Vehicle.Speed < 3 for 2s and Tow.Connected = 0");
  t.equal(over.evaluate("parked", 0).open, undefined);
  for (let now = 0; now <= 2500; now += 500) feed(now, 7, 0, 0, 100, 0, 0, 1);
  t.match(over.evaluate("parked", 2500), { open: undefined, reads: [{ signal: "Tow.Connected", value: undefined }] });
  feed(2500, 58, 0x00, 0x30, 0x39);
  t.match(over.evaluate("parked", 2600), {
    open: true,
    reads: [
      { signal: "Vehicle.Speed", value: 1.852, ageMs: 100 },
      { signal: "Tow.Connected", value: 0, ageMs: 100 },
    ],
  });
  t.equal(over.nextChangeMs(), 4000, "three periods after the last speed");
  t.match(over.evaluate("parked", 4000), { open: undefined, reads: [{ signal: "Vehicle.Speed", ageMs: 1500 }] });
  feed(4100, 58, 0x80, 0x30, 0x39);
  t.match(over.evaluate("parked", 4100), { open: false, reads: [{ signal: "Tow.Connected", value: 1, ageMs: 0 }] });
  t.end();
});

test("X1, V1. A bus that was down shuts its guards until the window is full again", (t) => {
  const { feed, over, table } = world("parked: Vehicle.Speed < 3 for 1s");
  for (let now = 0; now <= 1500; now += 500) feed(now, 7, 0, 0, 100, 0, 0, 1);
  t.equal(over.evaluate("parked", 1500).open, true);
  table.forget(1600, "can0");
  t.equal(over.evaluate("parked", 1600).open, undefined);
  feed(1700, 7, 0, 0, 100, 0, 0, 1);
  feed(2200, 7, 0, 0, 100, 0, 0, 1);
  t.equal(over.evaluate("parked", 2600).open, undefined);
  feed(2700, 7, 0, 0, 100, 0, 0, 1);
  t.equal(over.evaluate("parked", 2700).open, true);
  t.end();
});

test("D3. silent for follows every frame of a bus and of a module", (t) => {
  const { feed, over } = world("quiet: can0 silent for 3s, dark: torrent-0 silent for 2s, awake: not can0 silent for 3s for 4s");
  for (let now = 0; now <= 5000; now += 250) feed(now, now < 2000 ? 27 : 7, 0, 0, 0, 0, 0, 0, 0, 0);
  t.equal(over.evaluate("quiet", 5000).open, false);
  t.match(over.evaluate("dark", 5000), { open: true, reads: [{ signal: "torrent-0", ageMs: 3250 }] });
  t.equal(over.evaluate("awake", 5000).open, true);
  t.equal(over.evaluate("quiet", 8000).open, true);
  t.end();
});

test("a guard that is stopped takes no more samples", (t) => {
  const { feed, over } = world("parked: Vehicle.Speed < 3");
  feed(0, 7, 0, 0, 100, 0, 0, 1);
  over.stop();
  feed(1000, 7, 0, 0xff, 0xff, 0, 0, 1);
  t.equal(over.evaluate("parked", 1000).open, true);
  over.forget(1000);
  t.equal(over.evaluate("parked", 1000).open, undefined);
  t.end();
});
