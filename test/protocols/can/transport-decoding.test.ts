// Rows of messages that travel in several frames, in their place among those of plain frames.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { openLog } from "../../../protocols/can-log/index.ts";
import {
  appendFrame,
  type CanSignal,
  type Columns,
  createColumns,
  createDecoder,
  createFastPackets,
  createFrameBatch,
  createIsoTpListener,
  createJ1939Transport,
  createTransportDecoder,
  type Database,
  type FrameBatch,
  parseDbc,
} from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { demoData } from "./decoded-files.ts";
import { broadcast, bytes, connection, everyMs, type TimedFrame } from "./transport-frames.ts";

const EXT = 0x8000_0000;
const canmatrix = (): Database => parseDbc(readFileSync(join(demoData, "canmatrix_j1939.dbc")), { file: "canmatrix_j1939.dbc" });

function batchOf(frames: readonly TimedFrame[]): FrameBatch {
  const batch = createFrameBatch(frames.length);
  for (const { frame, timeS, bus = 0 } of frames) appendFrame(batch, frame, { timeS, bus });
  return batch;
}

/** Bit by bit: `@1` signals only. */
function physical(signal: CanSignal, data: Uint8Array): number | undefined {
  if (signal.byteOrder !== "intel" || signal.type !== "unsigned") throw new Error(`${signal.name} is not of the kind that this test reads`);
  if (signal.start + signal.size > data.length * 8) return undefined;
  let raw = 0;
  for (let bit = 0; bit < signal.size; bit++) raw += (((data[(signal.start + bit) >> 3] ?? 0) >> ((signal.start + bit) & 7)) & 1) * 2 ** bit;
  return raw * signal.factor + signal.offset;
}

interface Row {
  readonly message: number;
  readonly slot: number;
  readonly cells: readonly (number | undefined)[];
}

function rowsOf(database: Database, out: Columns): readonly Row[] {
  return Array.from({ length: out.rows }, (_, row) => {
    const message = out.messageOf[row] ?? 0;
    const first = out.cellOf[row] ?? 0;
    const cells = (database.messages[message]?.signals ?? []).map(({ index }) =>
      out.partial[row] === 1 && out.present[first + index] === 0 ? undefined : out.values[first + index],
    );
    return { message, slot: out.slotOf[row] ?? 0, cells };
  });
}

test("every message of more than 8 bytes of a J1939 file is decoded over what was put together, whole and cut short", (t) => {
  const database = canmatrix();
  const decoder = createDecoder(database, { match: "j1939" });
  const long = database.messages.filter(({ length, matchable }) => length > 8 && matchable);
  t.equal(long.length, 15);
  const random = new SeededRandom(1);
  for (const message of long) {
    for (const length of [message.length, message.length + 30, 10]) {
      const payload = Uint8Array.from({ length }, () => random.uint32() & 0xff);
      const ends = { source: 0x31, destination: 0x22, pgn: (message.id >> 8) & 0x3ffff };
      for (const frames of [broadcast(ends, payload), connection(ends, payload)]) {
        const out = createColumns(100, 2_000);
        t.equal(createTransportDecoder(decoder, [createJ1939Transport()]).decodeColumns(batchOf(everyMs(frames, 10)), out), frames.length);
        const row = rowsOf(database, out).find((each) => each.message === message.index);
        t.strictSame(
          row?.cells,
          message.signals.map((signal) => physical(signal, payload)),
          `${message.name}, ${length} bytes`,
        );
      }
    }
  }
  t.end();
});

test("M1, M3: the truck recording: plain rows as before, and 25 rows of the engine's configuration among them, whatever room there is", async (t) => {
  const database = canmatrix();
  const decoder = createDecoder(database, { match: "j1939" });
  const configuration = database.messages.findIndex(({ name }) => name === "EC1");
  const reader = await openLog(join(demoData, "j1939_truck_gnss.log.gz"));
  const transport = createTransportDecoder(decoder, [createJ1939Transport()]);
  const narrow = createTransportDecoder(decoder, [createJ1939Transport()]);
  const batch = createFrameBatch(1_000);
  let found = 0;
  while ((await reader.fill(batch)) > 0) {
    const plain = createColumns(1_000, 50_000);
    decoder.decodeColumns(batch, plain);
    const all = createColumns(2_000, 50_000);
    t.equal(transport.decodeColumns(batch, all), batch.count);
    const rows = rowsOf(database, all);
    const isLong = ({ message }: Row): boolean => message === configuration;
    t.strictSame(
      rows.filter((row) => !isLong(row)),
      rowsOf(database, plain),
    );
    found += rows.filter(isLong).length;
    for (let at = 1; at < rows.length; at++) t.ok((rows[at]?.slot ?? 0) >= (rows[at - 1]?.slot ?? 0));
    const small = createColumns(2, 120);
    const pieces: Row[] = [];
    for (let slot = 0; slot < batch.count; ) {
      small.rows = 0;
      small.cells = 0;
      slot = narrow.decodeColumns(batch, small, slot);
      pieces.push(...rowsOf(database, small));
    }
    t.strictSame(pieces, rows);
    batch.count = 0;
  }
  await reader.close();
  t.equal(found, 25);
  t.end();
});

test("M2: pieces that share their message's id have no rows of their own; several protocols stand beside each other", (t) => {
  const fast = (129_029 << 8) | EXT;
  const database = parseDbc(
    `BO_ ${fast >>> 0} Position: 43 X\n SG_ a : 0|8@1+ (1,0) [0|0] "" X\n SG_ last : 152|8@1+ (1,0) [0|0] "" X\nBO_ 2024 Answer: 20 X\n SG_ b : 8|8@1+ (1,0) [0|0] "" X\nBO_ 5 Plain: 8 X\n SG_ c : 0|8@1+ (1,0) [0|0] "" X\n`,
  );
  const decoder = createTransportDecoder(createDecoder(database, { match: "j1939" }), [
    createJ1939Transport(),
    createFastPackets(),
    createIsoTpListener({ carries: (canId) => canId === 2_024 }),
  ]);
  const payload = bytes(20);
  const position = (first: readonly number[], from: number, to: number) => ({
    id: (3 << 26) | (129_029 << 8) | 9,
    extended: true,
    data: Uint8Array.from([...first, ...payload.subarray(from, to)]),
  });
  const answer = (data: readonly number[]) => ({ id: 2_024, data: Uint8Array.from(data) });
  const frames = [
    position([0, 20], 0, 6),
    answer([0x10, 9, 1, 2, 3, 4, 5, 6]),
    { id: 5, data: Uint8Array.of(77) },
    position([1], 6, 13),
    answer([0x21, 7, 8, 9]),
    position([2], 13, 20),
    answer([2, 40, 41]),
    answer([0x30, 0, 0]),
  ];
  const out = createColumns(10, 20);
  t.equal(decoder.decodeColumns(batchOf(everyMs(frames, 1)), out), frames.length);
  t.strictSame(rowsOf(database, out), [
    { message: 2, slot: 2, cells: [77] },
    { message: 1, slot: 4, cells: [2] },
    { message: 0, slot: 5, cells: [payload[0], payload[19]] },
    { message: 1, slot: 6, cells: [41] },
  ]);
  t.end();
});

test("a message that no row can hold, or that no DBC message matches, is passed over", (t) => {
  const database = parseDbc(
    `BO_ ${EXT + 0x18fe_ca00} Wide: 20 X\n SG_ a : 0|8@1+ (1,0) [0|0] "" X\n SG_ b : 8|8@1+ (1,0) [0|0] "" X\nBO_ 5 Plain: 8 X\n SG_ c : 0|8@1+ (1,0) [0|0] "" X\n`,
  );
  const frames = [
    ...broadcast({ source: 1, destination: 255, pgn: 0xfeca }, bytes(20)),
    ...broadcast({ source: 1, destination: 255, pgn: 0xfecb }, bytes(20)),
    { id: 5, data: Uint8Array.of(3) },
  ];
  const out = createColumns(5, 1);
  const decoder = createTransportDecoder(createDecoder(database, { match: "j1939" }), [createJ1939Transport()]);
  t.equal(decoder.decodeColumns(batchOf(everyMs(frames, 1)), out), frames.length);
  t.strictSame(rowsOf(database, out), [{ message: 1, slot: frames.length - 1, cells: [3] }]);
  t.end();
});
