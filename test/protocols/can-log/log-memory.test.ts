// No format is held whole: when all of a recording of 32 MiB has been read, no more is kept than when a quarter had been.

import { Readable } from "node:stream";
import { test } from "tap";
import { createFrameBatch } from "../../../protocols/can/index.ts";
import { readLogStream } from "../../../protocols/can-log/index.ts";
import { heldHeapBytes } from "../../../bench/held-heap.ts";
import { smallMf4 } from "./mf4-files.ts";
import { seedRecordings } from "./seed-recordings.ts";

const TOTAL_BYTES = 32 * 1024 * 1024;
/** Of many small members one behind the other. */
const PACKED_BYTES = 4 * 1024 * 1024;
const MORE_BYTES = 4 * 1024 * 1024;
/** What of a recording may follow itself again and again: all behind this many bytes. */
const HEADERS = new Map([
  ["pcap", 24],
  ["pcapng", 28],
  ["Vector BLF", 144],
  ["MF4", smallMf4(0).length],
]);

for (const [name, whole] of seedRecordings())
  test(`${name}: memory does not grow with the recording`, async (t) => {
    const head = whole.subarray(0, HEADERS.get(name) ?? 0);
    const body = whole.subarray(name === "pcapng" ? 0 : head.length);
    const piece = Buffer.concat(Array.from({ length: Math.ceil(262_144 / body.length) }, () => body));
    const total = name.includes("gzip") ? PACKED_BYTES : TOTAL_BYTES;
    let sent = 0;
    async function* pieces(): AsyncGenerator<Buffer> {
      if (name !== "pcapng") yield head;
      for (; sent < total; sent += piece.length) yield piece;
    }
    const reader = await readLogStream(Readable.from(pieces()), name);
    const batch = createFrameBatch(4_096);
    let atQuarter: number | undefined;
    for (let count = await reader.fill(batch); count > 0; count = await reader.fill(batch)) {
      if (atQuarter === undefined && sent * 4 >= total) atQuarter = heldHeapBytes();
      batch.count = 0;
    }
    t.match(reader.summary, { unreadable: 0, cutShort: undefined }, JSON.stringify(reader.summary.problems[0]));
    t.ok(reader.summary.frames > 30_000, `${String(reader.summary.frames)} frames`);
    const more = heldHeapBytes() - (atQuarter ?? 0);
    t.ok(atQuarter !== undefined && more < MORE_BYTES, `${String(Math.round(more / 1024))} KiB more`);
    await reader.close();
  });
