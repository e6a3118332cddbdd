// How many frames of a real log a second become values: in columns, in objects, and with cantools.
//
// The whole powertrain log of the demo's RAV4 (66,234 frames) is read before the clock starts and decoded again and again, in batches as a bus would hand them over.
// Counted are frames that became values; those that the database does not know cost their lookup and count nothing.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

import { createColumns, createDecoder, createFrameBatch, createObjectDecoder, type Database, type DecodedObject, type FrameBatch, parseDbc } from "../../protocols/can/index.ts";
import { openLog } from "../../protocols/can-log/index.ts";
import { type BenchDefinition, type Contender, type ForeignContender, inStretches, type Prepared } from "../_helpers.ts";

const LOG = fileURLToPath(new URL("../../cli/demo/data/comma2k19_rav4_60s.log.gz", import.meta.url));
const DBC = fileURLToPath(new URL("../../cli/demo/data/opendbc_toyota_rav4_2017_pt_generated.dbc", import.meta.url));
const CANTOOLS = fileURLToPath(new URL("./cantools_rounds.py", import.meta.url));
/** About what two full buses bring in 50 ms, and small enough that frames and values stay in the processor's cache. */
const BATCH_FRAMES = 1_024;

export const canDecode: BenchDefinition = {
  name: "can-decode",
  question: "How many frames a second become values?",
  groups: [
    {
      name: "rav4",
      unit: "frames",
      measures: "rate",
      timed: "a batch of 1,024 frames, which is about what two full buses bring in 50 ms",
      reference: "cantools",
      contenders: [
        columns("drover columns", "compiled"),
        { name: "drover objects", prepare: prepareObjects },
        columns("drover columns, interpreted", "interpreted"),
        { name: "cantools", command: () => [process.env["DROVER_BENCH_PYTHON"] ?? "python3", CANTOOLS, LOG, DBC] } satisfies ForeignContender,
      ],
    },
  ],
};

async function load(): Promise<{ readonly database: Database; readonly batches: readonly FrameBatch[]; readonly frames: number }> {
  const database = parseDbc(readFileSync(DBC), { file: DBC });
  const batches: FrameBatch[] = [];
  const reader = await openLog(LOG);
  for (;;) {
    const batch = createFrameBatch(BATCH_FRAMES);
    if ((await reader.fill(batch)) === 0) break;
    batches.push(batch);
  }
  await reader.close();
  return { database, batches, frames: reader.summary.frames };
}

function columns(name: string, engine: "compiled" | "interpreted"): Contender {
  return {
    name,
    prepare: async () => {
      const { database, batches } = await load();
      const decoder = createDecoder(database, { engine });
      const widest = Math.max(...database.messages.map((message) => message.signals.length));
      const out = createColumns(BATCH_FRAMES, BATCH_FRAMES * widest);
      let sum = 0;
      return prepared(
        batches,
        (batch) => {
          out.rows = 0;
          out.cells = 0;
          decoder.decodeColumns(batch, out);
          sum += out.values[out.cells - 1] ?? 0; // read, so that nothing can be left out
          return out.rows;
        },
        () => sum,
      );
    },
  };
}

async function prepareObjects(): Promise<Prepared> {
  const { database, batches } = await load();
  const decoder = createObjectDecoder(database);
  let last: DecodedObject | undefined;
  return prepared(
    batches,
    (batch) => {
      let objects = 0;
      for (let slot = 0; slot < batch.count; slot++) {
        const decoded = decoder.decode(batch, slot);
        if (decoded === undefined) continue;
        last = decoded;
        objects++;
      }
      return objects;
    },
    () => Object.values(last ?? {})[0] ?? Number.NaN,
  );
}

/** @param decode returns the frames that became values; a sample is all batches, the log once */
function prepared(batches: readonly FrameBatch[], decode: (batch: FrameBatch) => number, witness: () => number): Prepared {
  let expected: number | undefined;
  return {
    sample: () => {
      let work = 0;
      const times = inStretches(batches.length, (at) => {
        work += decode(batches[at] as FrameBatch);
      });
      expected ??= work;
      if (work !== expected) throw new Error(`one pass decoded ${String(expected)} frames and another ${String(work)}`);
      return { work, ...times };
    },
    finish: () => {
      if (!Number.isFinite(witness())) throw new Error("the values that came out are no numbers");
    },
  };
}
