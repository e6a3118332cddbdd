// Messages whose switches have more values than any code should hold: time and memory stay small, results stay the same.

import { test } from "tap";
import { appendFrame, createColumns, createDecoder, createFrameBatch, type Database, parseDbc } from "../../../protocols/can/index.ts";
import { compileMessage } from "../../../protocols/can/codec/compiler.ts";
import { cpuTimeMs } from "../../cpu-time.ts";

/** 4,000 children below a switch that itself is selected by 20,000 ranges of the one above. */
function chain(children: number, ranges: number): string {
  const list = Array.from({ length: ranges }, (_, index) => `${3 * index}-${3 * index + 1}`).join(", ");
  const signals = Array.from({ length: children }, (_, index) => ` SG_ C${index} m${index % 7} : 32|8@1+ (1,0) [0|0] "" A\n`).join("");
  const below = Array.from({ length: children }, (_, index) => `SG_MUL_VAL_ 291 C${index} Y ${index % 7}-${index % 7};\n`).join("");
  return `BO_ 291 M: 8 A\n SG_ X M : 0|16@1+ (1,0) [0|0] "" A\n SG_ Y m0M : 16|16@1+ (1,0) [0|0] "" A\n${signals}SG_MUL_VAL_ 291 Y X ${list};\n${below}`;
}

function decoded(database: Database, engine: "compiled" | "interpreted", frames: readonly (readonly number[])[]): readonly [Uint8Array, Float64Array] {
  const width = database.messages[0]?.signals.length ?? 0;
  const batch = createFrameBatch(frames.length);
  for (const data of frames) appendFrame(batch, { id: 291, data: Uint8Array.from(data) }, { timeS: 0 });
  const out = createColumns(frames.length, width * frames.length);
  createDecoder(database, { engine }).decodeColumns(batch, out);
  return [out.present, out.values];
}

/** X = 0, 2 (between the ranges), 3; Y = 0 to 6; and frames that end early. */
const FRAMES = [0, 1, 2, 3, 255].flatMap((x) => [0, 3, 6, 9].flatMap((y) => [8, 5, 4, 3, 1].map((length) => [x, 0, y, 0, 77, 0, 0, 0].slice(0, length))));

test("a message with 20,000 switch values and 4,000 signals below them is decoded at once, not compiled for a minute", (t) => {
  const start = cpuTimeMs();
  const database = parseDbc(chain(4_000, 20_000));
  const [present, values] = decoded(database, "compiled", FRAMES);
  t.ok(cpuTimeMs() - start < 3_000, `${Math.round(cpuTimeMs() - start)} ms`);
  const [message] = database.messages;
  t.equal(message === undefined ? undefined : compileMessage(message, "raw"), undefined, "beyond the bound no code is made");
  t.strictSame([present.subarray(0, 4), values[2]], [Uint8Array.of(1, 1, 1, 0), 77]);
  t.end();
});

test("at every size the code and the interpreter say the same", (t) => {
  for (const [children, ranges] of [
    [3, 2],
    [63, 1],
    [64, 9],
    [300, 100],
    [300, 3_000],
  ] as const) {
    const database = parseDbc(chain(children, ranges));
    t.strictSame(decoded(database, "compiled", FRAMES), decoded(database, "interpreted", FRAMES), `${children} children, ${ranges} ranges`);
  }
  t.end();
});

test("children under one switch share its condition: the code of a wide message grows with its ranges, not with their product", (t) => {
  const [message] = parseDbc(chain(60, 1_900)).messages;
  const start = cpuTimeMs();
  t.ok(message !== undefined && compileMessage(message, "raw") !== undefined);
  t.ok(cpuTimeMs() - start < 200, `${Math.round(cpuTimeMs() - start)} ms`);
  t.end();
});
