// Diagnostics of a real car: count and digest of `ID PAYLOAD` lines are those of PyPI can-isotp 2.0.7, and a DBC for reassembled payloads decodes over them.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { openLog } from "../../../protocols/can-log/index.ts";
import { createDecoder, createFrameBatch, createIsoTpListener, findMessage, findSignal, type IsoTpMessage, parseDbc } from "../../../protocols/can/index.ts";
import { needs } from "../../needs.ts";
import { canData } from "./decoded-files.ts";

test("uds_isotp.log holds 270 messages, and 29 whose consecutive frames are not in it", needs("shared", canData !== undefined), async (t) => {
  const folder = canData ?? "shared/data/can";
  const reader = await openLog(join(folder, "logs", "uds_isotp.log"));
  const listener = createIsoTpListener({ carries: (canId) => canId === 0x7bb || canId === 0x7ec });
  const batch = createFrameBatch(512);
  const messages: IsoTpMessage[] = [];
  while ((await reader.fill(batch)) > 0) {
    for (let slot = 0; slot < batch.count; slot++) messages.push(...[listener.take(batch, slot)].filter((message) => message !== undefined));
    batch.count = 0;
  }
  await reader.close();
  const hex = ({ data }: IsoTpMessage): string => Buffer.from(data).toString("hex").toUpperCase();
  const lines = messages.map((message) => `${message.canId.toString(16).toUpperCase()} ${hex(message)}\n`);
  t.equal(createHash("sha256").update(lines.join("")).digest("hex"), "f705d46e3a1672fd963aaf20404ff4c8a7a7c72eab7cdc2139c382e403dcb248");
  t.equal(listener.counters.messages, 270);
  t.equal(listener.counters.timedOut + listener.counters.replaced, 29);
  t.equal(listener.held.sessions, 1, "the recording ends behind a first frame");

  // The file counts its bits from the low byte of the length on, which is no part of the payload.
  const database = parseDbc(readFileSync(join(folder, "dbc", "css_tp_uds.dbc")), { file: "css_tp_uds.dbc" });
  const decoder = createDecoder(database);
  const valueOf = ({ canId, data }: IsoTpMessage, name: string): number | undefined => {
    const message = database.messages[decoder.match(canId)];
    const cell = message === undefined ? undefined : findSignal(message, name)?.index;
    if (message === undefined || cell === undefined) return undefined;
    const values = new Float64Array(message.signals.length);
    const present = new Uint8Array(message.signals.length);
    decoder.rowOf(message.index).checked(Uint8Array.of(data.length, ...data), 0, data.length + 1, values, 0, present);
    return present[cell] === 1 ? values[cell] : undefined;
  };
  t.ok(findMessage(database, "Battery"));
  const battery = messages.filter(({ canId }) => canId === 0x7ec);
  const climate = messages.filter(({ canId }) => canId === 0x7bb);
  t.equal(battery.length, 120);
  for (const message of battery) t.equal(valueOf(message, "M_SID_0x220101_StateOfChargeBMS"), (message.data[7] ?? 0) * 0.5);
  t.equal(valueOf(battery[0] as IsoTpMessage, "M_SID_0x220101_StateOfChargeBMS"), 50);
  t.equal(climate.length, 150);
  t.strictSame([valueOf(climate[0] as IsoTpMessage, "service"), valueOf(climate[0] as IsoTpMessage, "response")], [0x62, 0x100]);
  for (const message of climate) t.equal(valueOf(message, "M_SID_0x220100_OutdoorTemp"), (message.data[9] ?? 0) * 0.5 - 40);
  const other = { ...(battery[0] as IsoTpMessage), data: Uint8Array.from(battery[0]?.data ?? [], (byte, at) => (at === 2 ? 9 : byte)) };
  t.equal(valueOf(other, "M_SID_0x220101_StateOfChargeBMS"), undefined, "another response: the switch does not select it");
  t.end();
});
