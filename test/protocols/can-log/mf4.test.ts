// ASAM MDF 4 bus logs. The oracle is the large set: three logs of real vehicles, each with a candump file that was made of it by other means.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { createFrameBatch } from "../../../protocols/can/index.ts";
import { createCandumpWriter, openLog } from "../../../protocols/can-log/index.ts";
import { needs } from "../../needs.ts";
import { canData } from "../can/decoded-files.ts";
import { dataFrames, fields, KINDS, KINDS_INLINE, mf4File, smallMf4 } from "./mf4-files.ts";
import { readFile, recording } from "./recording.ts";

const START_NS = 1_700_000_000_000_000_000;

test("M1. Data frames, remote requests and error frames are read, with the bytes that stand in records of their own", async (t) => {
  const { frames, summary } = await readFile(recording(t.testdir(), "a.mf4", smallMf4()), 2);
  t.match(summary, { frames: 6, unreadable: 0, cutShort: undefined }, JSON.stringify(summary));
  t.match(frames, [
    { t: 1_700_000_001, bus: "can1", id: 0x123, data: "0102", dir: "rx" },
    { t: 1_700_000_002, bus: "can2", id: 0x1234_5678, ext: 1, fd: 1, flags: 3, data: "0102030405060708090A0B0C", dir: "tx" },
    { id: 0x7ff, dlc: 13, data: "0102030405060708" },
    { id: 0x7ff, data: "" },
    { t: 1_700_000_003, id: 0x100, rtr: 1, len: 4 },
    { t: 1_700_000_004, bus: "can3", err: 1, id: 0x80 },
  ]);
});

test("bytes may stand in the record itself", async (t) => {
  const record = Buffer.concat([Buffer.from([1]), fields({ ns: 1e9, id: 0x123, bus: 1, length: 3, dlc: 3 }), Buffer.from([7, 8, 9, 0, 0, 0, 0, 0])]);
  const { frames } = await readFile(recording(t.testdir(), "a.mf4", mf4File(START_NS, KINDS_INLINE, Buffer.concat([record, record]))));
  t.match(frames, [{ id: 0x123, data: "070809" }, { data: "070809" }]);
});

test("M2. A log that breaks off or is damaged gives all before that, and says from where on", async (t) => {
  const folder = t.testdir();
  const whole = smallMf4();
  const cut = await readFile(recording(folder, "a.mf4", whole.subarray(0, whole.length - 4)));
  t.match(cut.summary, { frames: 5, unreadable: 0, cutShort: `it breaks off in the middle of record 11, at byte ${String(whole.length - 4)}` });
  const damaged = await readFile(recording(folder, "b.mf4", Buffer.concat([whole, Buffer.from([99, 0, 0, 0, 0, 0])])));
  t.match(damaged.summary, { frames: 6, cutShort: `a record of a kind that is not described at byte ${String(whole.length)}; what lies behind it cannot be read` });
  const frames = dataFrames([
    [{ ns: 1, id: 1, bus: 1, length: 2, dlc: 2 }, [1, 2]],
    [{ ns: 2, id: 2, bus: 1, length: 2, dlc: 2 }, [3, 4]],
  ]);
  const lost = await readFile(recording(folder, "c.mf4", mf4File(START_NS, KINDS, Buffer.concat([frames.subarray(0, 23), frames.subarray(30)]))));
  t.match(lost.summary, { frames: 1, unreadable: 1, problems: [{ problem: "the bytes of the frame before are missing" }] });
});

test("what is no bus log as its logger wrote it is refused by what it is", async (t) => {
  const folder = t.testdir();
  const refused = async (bytes: Buffer, message: RegExp): Promise<void> => {
    await t.rejects(openLog(recording(folder, "a.mf4", bytes)), { code: "DROVER_CAN_LOG_INVALID", message });
  };
  await refused(mf4File(START_NS, KINDS, Buffer.alloc(0), { dataId: "DZ" }), /packed or in pieces \(##DZ\)/);
  await refused(mf4File(START_NS, KINDS, Buffer.alloc(0), { idBytes: 0 }), /sorted by kinds/);
  await refused(smallMf4().subarray(0, 300), /breaks off in its description/);
  await refused(Buffer.from("MDF     3.30    "), /another version than 4/);
});

test("the logs of the large set have the frames of the candump files beside them, to the microsecond", needs("shared", canData !== undefined), async (t) => {
  const folder = join(canData ?? "", "logs");
  for (const [name, bus] of [
    // One bus, which the file beside it calls otherwise than by its channel.
    ["j1939_truck", "can0"],
    ["uds_isotp", "can0"],
    ["j1939_truck_gnss", undefined],
  ] as const) {
    const reader = await openLog(join(folder, `${name}.MF4`));
    const writer = createCandumpWriter();
    const batch = createFrameBatch(1_000);
    const lines: string[] = [];
    while ((await reader.fill(batch)) > 0) {
      const buses = bus === undefined ? reader.buses : reader.buses.map(() => bus);
      for (let slot = 0; slot < batch.count; slot++) lines.push(writer.line(batch, slot, buses));
      batch.count = 0;
    }
    await reader.close();
    t.match(reader.summary, { unreadable: 0, cutShort: undefined }, name);
    t.ok(lines.join("") === readFileSync(join(folder, `${name}.log`), "utf8"), name);
  }
});
