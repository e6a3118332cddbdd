// What the node says of a telemetry log that takes nothing.

import { test } from "tap";
import { keptTelemetry } from "../../edge-node/kept-telemetry.ts";
import { encodeSample } from "../../protocols/uplink/index.ts";
import { type Log, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";
import { memoryLog } from "../../runtime/simulation/memory-log.ts";

const HOUR_MS = 3_600_000;

test("S5. the log of the node is told when nothing can be written, sparingly, and when it is over; metrics count at once", async (t) => {
  const clock = new ManualClock();
  let isFull = false;
  const telemetry = memoryLog({ maxBytes: 1_000_000, isDiskFull: () => isFull });
  await telemetry.open();
  const lines: { readonly level: string; readonly fields: unknown }[] = [];
  const log: Log = {
    ...silentLog,
    error: (fields: unknown) => lines.push({ level: "error", fields }),
    info: (fields: unknown) => lines.push({ level: "info", fields }),
  };
  const seqs: number[] = [];
  const kept = keptTelemetry({ telemetry, clock, log, appended: (seq) => seqs.push(seq) });
  const keep = (logClass: "A" | "B"): Promise<boolean> => kept.keep({ at: clock.now(), class: logClass, bytes: encodeSample({ at: clock.now(), values: {} }) });
  const value = (name: string, logClass?: string): number | undefined => kept.metrics().find((metric) => metric.name === name && metric.labels?.["class"] === logClass)?.value;
  const seconds = async (count: number, each?: () => Promise<unknown>): Promise<void> => {
    for (let second = 0; second < count; second++) {
      await clock.advance(1_000);
      kept.beat(clock.monotonic());
      await each?.();
    }
    await clock.advance(1);
  };

  t.equal(await keep("B"), true);
  t.equal(value("drover_telemetry_failing"), 0);
  isFull = true;
  const since = new Date(clock.now()).toISOString();
  t.equal(await keep("A"), false);
  await seconds(HOUR_MS / 1_000, () => keep("B"));
  t.equal(value("drover_telemetry_failing"), 1);
  t.equal(value("drover_telemetry_unwritten_total", "A"), 1);
  t.equal(value("drover_telemetry_unwritten_total", "B"), 3_600);
  t.match(kept.trouble, { reason: "the memory log's disk is full", lost: 3_601 });
  t.equal(lines.length, 7, "one at the beginning, six in an hour");
  t.match(lines[0], { level: "error", fields: { since, lost: 1 } });
  isFull = false;
  await seconds(1);
  t.equal(kept.trouble, undefined);
  t.match(lines.slice(7), [{ level: "info", fields: { since, lost: 3_601 } }]);
  t.strictSame(seqs, [1, 3_602], "who ships it hears of the gap, with no entry behind it");
  for (let round = 0; round < 20; round++) {
    isFull = true;
    t.equal(await keep("B"), false);
    isFull = false;
    t.equal(await keep("B"), true);
    await seconds(2);
  }
  t.equal(lines.length, 8, "a disk that has room on and off within a minute is told once");
  isFull = true;
  await seconds(60, () => keep("B"));
  t.equal(lines.length, 9, "and again after that");
  t.equal((await telemetry.totals()).dropped, (value("drover_telemetry_unwritten_total", "A") ?? 0) + (value("drover_telemetry_unwritten_total", "B") ?? 0));
});
