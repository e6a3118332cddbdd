// Frames written as candump -L and read again.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { test } from "tap";
import { appendFrame, createFrameBatch, ERROR_FRAME, type FrameBatch, FrameFlag } from "../../../protocols/can/index.ts";
import { createCandumpWriter, openLog, readLogStream } from "../../../protocols/can-log/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { needs } from "../../needs.ts";
import { canData } from "../can/decoded-files.ts";

const BUSES = ["can0", "vcan-long_name0", "kühler", "1"];
const FD_LENGTHS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64];

/** Any frame that a bus can carry, at any microsecond. */
function appendAny(batch: FrameBatch, random: SeededRandom): void {
  const below = (bound: number): number => random.uint32() % bound;
  const extended = below(2) === 1;
  const fd = below(3) === 0;
  const remote = !fd && below(4) === 0;
  const error = !fd && !remote && below(6) === 0;
  const length = fd ? (FD_LENGTHS[below(16)] ?? 0) : below(9);
  const data = Uint8Array.from({ length }, () => (remote ? 0 : below(256)));
  const micros = below(2) === 0 ? below(10) : Math.floor(random.next() * 2 ** 51);
  const flags = [0, FrameFlag.received, FrameFlag.sentByUs][below(3)] ?? 0;
  const slot = batch.count;
  appendFrame(
    batch,
    { id: below(extended ? 2 ** 29 : 2_048), extended, data, fd, remote, bitRateSwitch: fd && below(2) === 1 },
    { timeS: (below(8) === 0 ? -1 : 1) * (micros / 1e6) || 0, bus: below(BUSES.length), line: slot + 1, flags: flags | (fd && below(2) === 1 ? FrameFlag.errorState : 0) },
  );
  if (error) batch.ids[slot] = ERROR_FRAME + below(2 ** 29);
  if (!fd && length === 8 && below(2) === 0) batch.dlcs[slot] = 9 + below(7);
}

function rows(batch: FrameBatch, buses: readonly string[]): readonly unknown[] {
  return Array.from({ length: batch.count }, (_, slot) => [
    batch.ids[slot],
    batch.timesS[slot],
    batch.lengths[slot],
    batch.flags[slot],
    batch.dlcs[slot],
    buses[batch.buses[slot] ?? 0],
    batch.lines[slot],
    Buffer.from(batch.data.subarray(slot * 64, slot * 64 + 64)).toString("hex"),
  ]);
}

test("W1. Whatever a bus can carry is read back equal, in every column", async (t) => {
  const writer = createCandumpWriter({ directions: true });
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const batch = createFrameBatch(500);
    while (batch.count < batch.capacity) appendAny(batch, random);
    const text = Array.from({ length: batch.count }, (_, slot) => writer.line(batch, slot, BUSES)).join("");
    const reader = await readLogStream(Readable.from([Buffer.from(text)]), "written");
    const read = createFrameBatch(501);
    await reader.fill(read);
    t.strictSame(reader.summary, { lines: 500, frames: 500, unreadable: 0, problems: [], cutShort: undefined }, `seed ${String(seed)}`);
    t.strictSame(rows(read, reader.buses), rows(batch, BUSES), `seed ${String(seed)}`);
  }
});

test("each kind of frame as a line; W2. The direction only on request; W3. Names without blanks", (t) => {
  const batch = createFrameBatch(10);
  const data = Uint8Array.of(0x0a, 0xbc);
  const flags = FrameFlag.sentByUs;
  appendFrame(batch, { id: 1, data }, { timeS: 1_700_000_000.000001, flags });
  appendFrame(batch, { id: 1, extended: true, data: new Uint8Array(0) }, { timeS: 0, flags: FrameFlag.received });
  appendFrame(batch, { id: 0x7ff, remote: true, data: new Uint8Array(3) }, { timeS: 59.9999996, bus: 1 });
  appendFrame(batch, { id: 0x12, fd: true, bitRateSwitch: true, data }, { timeS: -0.5, bus: 2 });
  appendFrame(batch, { id: 0x7ff, remote: true, data: new Uint8Array(0) }, { timeS: 99_999_999_999.5 });
  const buses = ["can0", "PCAN USB\t1", ""];
  const all = (writer: ReturnType<typeof createCandumpWriter>): readonly string[] => Array.from({ length: batch.count }, (_, slot) => writer.line(batch, slot, buses));
  const plain = [
    "(1700000000.000001) can0 001#0ABC\n",
    "(0.000000) can0 00000001#\n",
    "(60.000000) PCAN_USB_1 7FF#R3\n",
    "(-0.500000) can0 012##10ABC\n",
    "(99999999999.500000) can0 7FF#R\n",
  ];
  t.strictSame(all(createCandumpWriter()), plain);
  t.strictSame(all(createCandumpWriter({ directions: true })), [plain[0]?.replace("\n", " T\n"), plain[1]?.replace("\n", " R\n"), ...plain.slice(2)]);
  t.end();
});

test("recordings of candump come out as they went in, byte for byte", needs("shared", canData !== undefined), async (t) => {
  const folder = join(canData ?? "", "logs");
  for (const name of ["comma2k19_rav4_60s.log", "j1939_truck.log", "j1939_truck_gnss.log", "uds_isotp.log", "subaru_vab_revrev.log"]) {
    const writer = createCandumpWriter();
    const reader = await openLog(join(folder, name));
    const batch = createFrameBatch(4_096);
    const lines: string[] = [];
    while ((await reader.fill(batch)) > 0) {
      for (let slot = 0; slot < batch.count; slot++) lines.push(writer.line(batch, slot, reader.buses));
      batch.count = 0;
    }
    await reader.close();
    t.ok(lines.join("") === readFileSync(join(folder, name), "utf8"), name);
  }
});
