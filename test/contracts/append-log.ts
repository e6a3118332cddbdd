// What every append log must do, run against each adapter: `appendLogContract(t, setup)`; and on a disk that is full for a while: `fullDiskContract(t, setup)`.

import type { Test } from "tap";
import type { AppendLog, LogClass, LogEntry, LogItem } from "../../runtime/ports/index.ts";
import { SeededRandom } from "../../runtime/simulation/seeded-random.ts";

export interface LogSetup {
  readonly log: AppendLog;
  readonly reopen: () => Promise<AppendLog>;
  readonly teardown: () => Promise<void>;
}

export const LOG_CONTRACT_BUDGET_BYTES = 64 * 1024;

export function anEntry(logClass: LogClass, bytes: number, fill = 0): LogEntry {
  return { at: 1000, class: logClass, bytes: new Uint8Array(bytes).fill(fill) };
}

export async function readAll(log: AppendLog, page = 100): Promise<readonly LogItem[]> {
  const all: LogItem[] = [];
  for (;;) {
    const last = all.at(-1);
    const items = await log.read(last === undefined ? 0 : last.kind === "entry" ? last.seq : last.to, page);
    if (items.length === 0) return all;
    all.push(...items);
  }
}

const seqs = (items: readonly LogItem[]): readonly number[] => items.flatMap((item) => (item.kind === "entry" ? [item.seq] : []));

export async function appendLogContract(t: Test, setup: () => Promise<LogSetup>): Promise<void> {
  const check = (title: string, body: (t: Test, context: LogSetup) => Promise<void>): Promise<unknown> =>
    t.test(title, async (t) => {
      const context = await setup();
      t.teardown(context.teardown);
      await body(t, context);
    });

  await check("entries get consecutive seqs and are read in pages until they are acknowledged", async (t, { log, reopen }) => {
    t.strictSame(await log.append([anEntry("A", 10, 1), anEntry("B", 10, 2)]), [1, 2]);
    t.strictSame(await log.append([]), []);
    const reused = { ...anEntry("C", 10), bytes: Buffer.alloc(10, 3) };
    const appending = log.append([reused]);
    reused.bytes.fill(0);
    t.strictSame(await appending, [3]);
    t.strictSame(seqs(await log.read(0, 2)), [1, 2]);
    t.strictSame(await log.read(2, 2), [{ kind: "entry", seq: 3, at: 1000, class: "C", bytes: new Uint8Array(10).fill(3) }]);
    await log.acknowledge(2);
    await log.acknowledge(1);
    t.strictSame(seqs(await log.read(0, 10)), [3]);
    t.match(await log.totals(), { entries: 1, lastSeq: 3, acknowledged: 2, dropped: 0 });
    await log.acknowledge(999);
    t.match(await log.totals(), { entries: 0, bytes: 0, lastSeq: 3, acknowledged: 3 });
    const again = await reopen();
    t.strictSame(await again.append([anEntry("A", 1)]), [4], "seqs go on after a restart");
  });

  await check("S5. over its budget it drops class C before B before A, the oldest of each, and gaps say what went", async (t, { log }) => {
    await log.append([anEntry("A", 1000), anEntry("B", 1000), anEntry("C", 1000), anEntry("A", 1000), anEntry("C", 1000)]);
    for (let count = 0; count < 60; count++) await log.append([anEntry("B", 1000)]);
    await log.append(Array.from({ length: 10 }, () => anEntry("A", 1000)));
    const items = await readAll(log);
    const kept = (logClass: LogClass): number => items.filter((item) => item.kind === "entry" && item.class === logClass).length;
    t.equal(kept("A"), 12, "no A is lost while there is something else");
    t.equal(kept("C"), 0);
    const gaps = items.filter((item) => item.kind === "gap");
    t.match(
      gaps.find((gap) => gap.class === "C"),
      { from: 3, to: 5, count: 2, reason: "over-budget" },
    );
    const lostB = 61 - kept("B");
    t.match(
      gaps.find((gap) => gap.class === "B"),
      { from: 2, count: lostB },
    );
    const totals = await log.totals();
    t.equal(totals.dropped, lostB + 2);
    t.ok(totals.bytes <= LOG_CONTRACT_BUDGET_BYTES && totals.bytes > LOG_CONTRACT_BUDGET_BYTES * 0.9, `${String(totals.bytes)} bytes are kept`);
  });

  await check("an entry beyond a quarter of the budget becomes a gap at once", async (t, { log }) => {
    await log.append([anEntry("B", 10), anEntry("B", LOG_CONTRACT_BUDGET_BYTES), anEntry("B", 10)]);
    t.strictSame(seqs(await readAll(log)), [1, 3]);
    t.match((await readAll(log))[1], { kind: "gap", from: 2, to: 2, count: 1, class: "B" });
  });

  await check("a gap that was read does not grow: what is lost later is another gap, so that no loss is told twice or not at all", async (t, { log }) => {
    for (let count = 0; count < 100; count++) await log.append([anEntry("C", 1000)]);
    const first = (await readAll(log)).find((item) => item.kind === "gap");
    for (let count = 0; count < 10; count++) await log.append([anEntry("C", 1000)]);
    const gaps = (await readAll(log)).filter((item) => item.kind === "gap");
    t.strictSame(gaps[0], first);
    t.equal(gaps.length, 2);
    t.equal(gaps[1]?.from, (first?.to ?? 0) + 1);
    await log.acknowledge(first?.to ?? 0);
    t.strictSame(
      (await readAll(log)).filter((item) => item.kind === "gap"),
      gaps.slice(1),
      "and an acknowledged one is gone",
    );
  });

  await check("S5. every seq is an entry, acknowledged, or inside a gap of its class whose counts add up, whatever the order of things", async (t, { log, reopen }) => {
    const random = new SeededRandom(7);
    const classes: LogClass[] = ["A", "B", "C"];
    const given = new Map<number, LogClass>();
    let open = log;
    let acknowledged = 0;
    for (let step = 0; step < 150; step++) {
      const choice = random.next();
      if (choice < 0.8) {
        const batch = Array.from({ length: 1 + (random.uint32() % 8) }, () => anEntry(classes[random.uint32() % 3] ?? "A", random.uint32() % 6000));
        const appended = await open.append(batch);
        appended.forEach((seq, index) => given.set(seq, batch[index]?.class ?? "A"));
      } else if (choice < 0.9) await open.read(acknowledged, 1 + (random.uint32() % 50));
      else if (choice < 0.97) {
        const items = await open.read(acknowledged, 1 + (random.uint32() % 20));
        const last = items.at(-1);
        acknowledged = last === undefined ? acknowledged : last.kind === "entry" ? last.seq : last.to;
        await open.acknowledge(acknowledged);
      } else open = await reopen();
      const totals = await open.totals();
      if (totals.bytes > LOG_CONTRACT_BUDGET_BYTES) t.fail(`${String(totals.bytes)} bytes after step ${String(step)}`);
    }
    const items = await readAll(open, 7);
    const present = new Set(seqs(items));
    const gaps = items.filter((item) => item.kind === "gap");
    for (const [seq, logClass] of given) {
      if (seq <= acknowledged || present.has(seq)) continue;
      if (!gaps.some((gap) => gap.class === logClass && gap.from <= seq && gap.to >= seq)) t.fail(`seq ${String(seq)} of class ${logClass} is in no gap`);
    }
    const untold = gaps.filter((gap) => gap.from > acknowledged);
    for (const gap of untold) {
      const lost = [...given].filter(([seq, logClass]) => logClass === gap.class && seq >= gap.from && seq <= gap.to && !present.has(seq)).length;
      if (gap.count !== lost) t.fail(`a gap from ${String(gap.from)} to ${String(gap.to)} counts ${String(gap.count)}, not ${String(lost)}`);
    }
    t.ok(untold.length > 0, "the run had losses");
  });

  await check("a closed log says so", async (t, { log }) => {
    await log.close();
    await t.rejects(log.append([anEntry("A", 1)]), { code: "DROVER_STORE_FAILED" });
  });
}

export interface FullDiskSetup extends LogSetup {
  /** From now on nothing of 1,000 bytes can be written. @returns how many entries of class B were refused for it */
  readonly fill: () => Promise<number>;
  readonly free: () => Promise<void>;
}

export async function fullDiskContract(t: Test, setup: () => Promise<FullDiskSetup>): Promise<void> {
  const gapsOf = async (log: AppendLog): Promise<readonly (LogItem & { readonly kind: "gap" })[]> => (await readAll(log)).filter((item) => item.kind === "gap");

  await t.test("S5. what could not be written is counted at once, and is a gap of its class as soon as there is room", async (t) => {
    const { log, fill, free, teardown } = await setup();
    t.teardown(teardown);
    t.equal(await log.tellLosses(), undefined, "nothing is lost");
    const before = await fill();
    await t.rejects(log.append([anEntry("A", 1000), anEntry("B", 1000)]), { code: "DROVER_STORE_FAILED" });
    await t.rejects(log.append([anEntry("C", 1000)]), { code: "DROVER_STORE_FAILED" });
    const { dropped, lastSeq } = await log.totals();
    t.equal(dropped, before + 3);
    t.strictSame(await gapsOf(log), []);
    await free();
    const end = (await log.tellLosses()) ?? 0;
    t.strictSame(await gapsOf(log), [
      { kind: "gap", from: lastSeq + 1, to: lastSeq + 1, class: "C", count: 1, reason: "not-written" },
      { kind: "gap", from: lastSeq + 2, to: lastSeq + 2 + before, class: "B", count: before + 1, reason: "not-written" },
      { kind: "gap", from: lastSeq + 3 + before, to: lastSeq + 3 + before, class: "A", count: 1, reason: "not-written" },
    ]);
    t.equal(end, lastSeq + 3 + before);
    t.equal(await log.tellLosses(), undefined, "told once");
    t.strictSame(await log.append([anEntry("B", 10)]), [end + 1], "what comes then stands behind it");
    t.match(await log.totals(), { dropped, lastSeq: end + 1 });
  });

  await t.test("S5. an entry that finds room again brings the gap along, in front of it; what is lost for another reason is another gap", async (t) => {
    const { log, fill, free, teardown } = await setup();
    t.teardown(teardown);
    const lost = await fill();
    const { lastSeq } = await log.totals();
    await t.rejects(log.append([anEntry("B", 1000)]), { code: "DROVER_STORE_FAILED" });
    await free();
    const end = lastSeq + lost + 1;
    t.strictSame(await log.append([anEntry("B", 10), anEntry("B", 10)]), [end + 1, end + 2]);
    t.strictSame(await log.append([anEntry("B", LOG_CONTRACT_BUDGET_BYTES)]), [end + 3]);
    t.match((await readAll(log)).slice(-4), [
      { kind: "gap", from: lastSeq + 1, to: end, class: "B", count: lost + 1, reason: "not-written" },
      { kind: "entry", seq: end + 1 },
      { kind: "entry", seq: end + 2 },
      { kind: "gap", from: end + 3, to: end + 3, class: "B", count: 1, reason: "over-budget" },
    ]);
  });

  await t.test("S5. a stop in order writes the gap where there is room", async (t) => {
    const { fill, free, reopen, teardown } = await setup();
    t.teardown(teardown);
    const lost = await fill();
    await free();
    const again = await reopen();
    const [gap] = await gapsOf(again);
    t.match(gap, { class: "B", count: lost, reason: "not-written" });
    t.equal((await again.totals()).dropped, lost);
  });
}
