// J1939 messages in recordings of real trucks, against another implementation: count and digest of `bus PGN SA DATA` lines are those of PyPI pretty_j1939 0.0.6 (J1939TransportTracker).

import { createHash } from "node:crypto";
import { join } from "node:path";
import { test } from "tap";
import { openLog } from "../../../protocols/can-log/index.ts";
import { createFrameBatch, createJ1939Transport, type J1939Message } from "../../../protocols/can/index.ts";
import { needs } from "../../needs.ts";
import { canData, demoData } from "./decoded-files.ts";
import { counted } from "./transport-frames.ts";

async function messagesOf(
  file: string,
): Promise<{ readonly lines: readonly string[]; readonly messages: readonly J1939Message[]; readonly counts: Readonly<Record<string, number>> }> {
  const reader = await openLog(file);
  const transport = createJ1939Transport();
  const batch = createFrameBatch(1_024);
  const messages: J1939Message[] = [];
  const lines: string[] = [];
  while ((await reader.fill(batch)) > 0) {
    for (let slot = 0; slot < batch.count; slot++) {
      const message = transport.take(batch, slot);
      if (message === undefined) continue;
      messages.push(message);
      lines.push(`${reader.buses[message.bus] ?? ""} ${hex(message.pgn, 5)} ${hex(message.source, 2)} ${Buffer.from(message.data).toString("hex").toUpperCase()}\n`);
    }
    batch.count = 0;
  }
  await reader.close();
  return { lines, messages, counts: counted(transport) };
}

const hex = (value: number, digits: number): string => value.toString(16).toUpperCase().padStart(digits, "0");
const digest = (lines: readonly string[]): string => createHash("sha256").update(lines.join("")).digest("hex");

test("the demo's truck recording holds 152 broadcasts, each whole and in its time", async (t) => {
  const { lines, messages, counts } = await messagesOf(join(demoData, "j1939_truck_gnss.log.gz"));
  t.strictSame(counts, { messages: 152 });
  t.equal(digest(lines), "04e1cad589678ca98c7ed487b1a2af79f8d7be98572804ff3c608d4337171029");
  for (const { firstS, lastS } of messages) t.ok(lastS - firstS > 0.1 && lastS - firstS < 0.5);
  t.end();
});

test("j1939_truck.log holds 16 broadcasts", needs("shared", canData !== undefined), async (t) => {
  const { lines, counts } = await messagesOf(join(canData ?? "shared/data/can", "logs", "j1939_truck.log"));
  t.strictSame(counts, { messages: 16 });
  t.equal(digest(lines), "d832386461dec8c5313e4ddec6c9934010729891980975e57ad5223e175d1e6f");
  t.end();
});
