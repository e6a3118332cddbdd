// Damaged recordings of every format: bytes changed, left out, put in, repeated, cut, and pieces of other formats between. Seeded, so that a run that fails can be run again.
//
// Whatever comes, the reader ends, holds no more than before, accounts for every record, and gives only frames that a bus can carry.

import { Readable } from "node:stream";
import { test } from "tap";
import { createFrameBatch, ERROR_FRAME, EXTENDED_FRAME, type FrameBatch, FrameFlag, ID_MASK, REMOTE_REQUEST } from "../../../protocols/can/index.ts";
import { readLogStream } from "../../../protocols/can-log/index.ts";
import { DroverError } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { cpuTimeMs } from "../../cpu-time.ts";
import { seedRecordings } from "./seed-recordings.ts";

const ROUNDS = 300;

function damaged(whole: Buffer, others: readonly Buffer[], random: SeededRandom): Buffer {
  const below = (bound: number): number => (bound <= 0 ? 0 : random.uint32() % bound);
  let bytes = Buffer.from(whole);
  for (let left = 1 + below(6); left > 0; left--) {
    const at = below(bytes.length);
    const length = 1 + below(below(3) === 0 ? 200 : 8);
    const before = bytes.subarray(0, at);
    const other = others[below(others.length)] ?? whole;
    const from = below(other.length);
    switch (below(6)) {
      case 0:
        bytes = Buffer.from(bytes);
        bytes[at] = below(256);
        break;
      case 1:
        bytes = Buffer.concat([before, bytes.subarray(at + length)]);
        break;
      case 2:
        bytes = Buffer.concat([before, Buffer.from(Array.from({ length }, () => below(256))), bytes.subarray(at)]);
        break;
      case 3:
        bytes = Buffer.concat([before, bytes.subarray(Math.max(0, at - length))]);
        break;
      case 4:
        bytes = Buffer.from(before);
        break;
      default:
        bytes = Buffer.concat([before, other.subarray(from, from + 20 * length), bytes.subarray(at)]);
    }
  }
  return bytes;
}

/** Why no bus can carry what stands in a slot, or undefined. */
function slotProblem(batch: FrameBatch, slot: number, buses: readonly string[]): string | undefined {
  const canId = batch.ids[slot] ?? 0;
  const length = batch.lengths[slot] ?? 0;
  const isFd = ((batch.flags[slot] ?? 0) & FrameFlag.fd) !== 0;
  if (canId < EXTENDED_FRAME && (canId & ERROR_FRAME) === 0 && (canId & ID_MASK) > 0x7ff) return "a standard id of more than 11 bits";
  if (length > (isFd ? 64 : 8)) return `${String(length)} bytes`;
  if (isFd && (canId & REMOTE_REQUEST) !== 0) return "a remote request of CAN FD";
  if ((batch.dlcs[slot] ?? 0) > 15) return "a length code over 15";
  if (!Number.isFinite(batch.timesS[slot])) return "no time";
  if (buses[batch.buses[slot] ?? 0] === undefined) return "no bus";
  if (batch.data.subarray(slot * 64 + length, slot * 64 + 64).some((byte) => byte !== 0)) return "bytes behind the payload";
  return undefined;
}

/** Reads it to its end, in pieces of `size`; returns what is wrong, and how many frames there were. */
async function readDamaged(bytes: Buffer, size: number): Promise<{ readonly frames: number; readonly problem: string | undefined }> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
  const batch = createFrameBatch(64);
  try {
    const reader = await readLogStream(Readable.from(pieces), "damaged");
    let problem: string | undefined;
    let frames = 0;
    for (let count = await reader.fill(batch); count > 0; count = await reader.fill(batch)) {
      frames += count;
      for (let slot = 0; slot < batch.count; slot++) problem ??= slotProblem(batch, slot, reader.buses);
      batch.count = 0;
    }
    const { summary } = reader;
    if (summary.frames !== frames || summary.unreadable > summary.lines || summary.problems.length !== Math.min(summary.unreadable, 10)) problem ??= "the counts do not add up";
    await reader.close();
    return { frames, problem };
  } catch (error) {
    if (error instanceof DroverError && error.code === "DROVER_CAN_LOG_INVALID") return { frames: 0, problem: undefined };
    throw error;
  }
}

const seeds = seedRecordings();
const contents = [...seeds.values()];

for (const [name, whole] of seeds)
  test(`${name}: damage crashes nothing, holds nothing up, and gives no impossible frame, the same in pieces of any size`, async (t) => {
    const start = cpuTimeMs();
    let frames = 0;
    for (let seed = 1; seed <= ROUNDS; seed++) {
      const random = new SeededRandom(seed);
      const bytes = damaged(whole, contents, random);
      const all = await readDamaged(bytes, 65_536);
      const inPieces = await readDamaged(bytes, 1 + (random.uint32() % 97));
      // How much before a damage inside compressed data is unpacked depends on the pieces (G1).
      const isAlike = name.includes("gzip") || all.frames === inPieces.frames;
      if (all.problem !== undefined || inPieces.problem !== undefined || !isAlike)
        t.fail(`seed ${String(seed)}: ${String(all.problem ?? inPieces.problem)}, ${String(all.frames)} frames, ${String(inPieces.frames)} in pieces`);
      frames += all.frames;
    }
    t.ok(frames > ROUNDS, `${String(frames)} frames`);
    t.ok(cpuTimeMs() - start < 20_000, `${String(Math.round(cpuTimeMs() - start))} ms`);
  });

test("lines that are all of one byte, of any length, take no time and no memory", async (t) => {
  const start = cpuTimeMs();
  for (const head of ["", ";$FILEVERSION=1.1\n", ";$FILEVERSION=2.1\n", "base hex  timestamps absolute\n", "(1436509052.249713)  can0  123   [1]  11\n"])
    for (const byte of [" ", "(", ")", "0", "[", "\t", "'", "#", ".", "d "])
      for (const around of ["", "(1436509052.249713)  can0  123", "1.0 1 123 Rx d 8", "1) 1.0 Rx 0123 8"]) {
        const line = `${around}${byte.repeat(4_000)}\n`;
        const { problem } = await readDamaged(Buffer.from(head + line.repeat(20)), 65_536);
        t.equal(problem, undefined);
      }
  t.ok(cpuTimeMs() - start < 10_000, `${String(Math.round(cpuTimeMs() - start))} ms`);
});
