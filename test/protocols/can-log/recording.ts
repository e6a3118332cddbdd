// Recordings in a folder of the test's own, and their frames as plain objects.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createFrameBatch, ERROR_FRAME, type FrameBatch, FrameFlag, frameAt, ID_MASK, REMOTE_REQUEST } from "../../../protocols/can/index.ts";
import { type LogReader, type LogSummary, openLog } from "../../../protocols/can-log/index.ts";

export function recording(folder: string, name: string, content: string | Uint8Array): string {
  const file = join(folder, name);
  writeFileSync(file, content);
  return file;
}

export interface ReadFrame {
  readonly line: number;
  readonly t: number;
  readonly bus: string;
  readonly id: number;
  readonly ext?: 1;
  readonly rtr?: 1;
  readonly err?: 1;
  readonly fd?: 1;
  readonly flags?: number;
  readonly len?: number;
  readonly data?: string;
  readonly dlc?: number;
  readonly dir?: "rx" | "tx";
}

/** In the form of the expected reading of the candump edge lines. */
function describe(batch: FrameBatch, slot: number, buses: readonly string[]): ReadFrame {
  const canId = batch.ids[slot] ?? 0;
  const flags = batch.flags[slot] ?? 0;
  const length = batch.lengths[slot] ?? 0;
  const fd = (flags & FrameFlag.fd) !== 0;
  const remote = (canId & REMOTE_REQUEST) !== 0;
  const data = Buffer.from(frameAt(batch, slot).data).toString("hex").toUpperCase();
  return {
    line: batch.lines[slot] ?? 0,
    t: batch.timesS[slot] ?? 0,
    bus: buses[batch.buses[slot] ?? 0] ?? "",
    id: canId & ID_MASK,
    ...(canId >= 0x8000_0000 ? { ext: 1 as const } : {}),
    ...((canId & ERROR_FRAME) === 0 ? {} : { err: 1 as const }),
    ...(fd ? { fd: 1 as const, flags: flags & (FrameFlag.bitRateSwitch | FrameFlag.errorState) } : {}),
    ...(remote ? { rtr: 1 as const, len: length } : { data }),
    ...(!fd && (batch.dlcs[slot] ?? 0) > 8 ? { dlc: batch.dlcs[slot] ?? 0 } : {}),
    ...((flags & FrameFlag.received) === 0 ? {} : { dir: "rx" as const }),
    ...((flags & FrameFlag.sentByUs) === 0 ? {} : { dir: "tx" as const }),
  };
}

export async function readAll(
  reader: LogReader,
  capacity = 3,
): Promise<{ readonly frames: readonly ReadFrame[]; readonly summary: LogSummary; readonly fills: readonly number[] }> {
  const frames: ReadFrame[] = [];
  const fills: number[] = [];
  const batch = createFrameBatch(capacity);
  for (let count = await reader.fill(batch); count > 0; count = await reader.fill(batch)) {
    fills.push(count);
    for (let slot = 0; slot < batch.count; slot++) frames.push(describe(batch, slot, reader.buses));
    batch.count = 0;
  }
  const { summary } = reader;
  await reader.close();
  return { frames, summary, fills };
}

export async function readFile(file: string, capacity?: number): Promise<Awaited<ReturnType<typeof readAll>>> {
  return await readAll(await openLog(file), capacity);
}
