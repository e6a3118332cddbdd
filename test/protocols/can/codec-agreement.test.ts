// Compiler and interpreter are two readings of one rule: they agree on every bit, for every database at hand, on random frames of every length.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import {
  appendFrame,
  canIdOf,
  createColumns,
  createDecoder,
  createFrameBatch,
  createObjectDecoder,
  type Database,
  encodeFrame,
  parseDbc,
  readRawExact,
  signalReader,
  wholeFromBytes,
} from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { needs } from "../../needs.ts";
import { canData, demoData, fixtures } from "./decoded-files.ts";

const FRAMES_PER_MESSAGE = 6;

function databasesIn(folder: string): readonly (readonly [string, Database])[] {
  return readdirSync(folder).flatMap((file) => (file.endsWith(".dbc") ? [[file, parseDbc(readFileSync(join(folder, file)), { file })] as const] : []));
}

/** Differences between the two engines on random frames; NaN equals NaN, -0 does not equal 0. */
function disagreements(database: Database, output: "raw" | "physical", random: SeededRandom): readonly string[] {
  const compiled = createDecoder(database, { output });
  const interpreted = createDecoder(database, { output, engine: "interpreted" });
  const found: string[] = [];
  for (const message of database.messages) {
    const width = message.signals.length;
    if (!message.matchable || width === 0) continue;
    for (let round = 0; round < FRAMES_PER_MESSAGE; round++) {
      const length = round === 0 ? Math.min(64, message.length) : Math.floor(random.next() * 65);
      const data = Uint8Array.from({ length }, () => (round === 1 ? 0xff : random.uint32() & 0xff));
      const batch = createFrameBatch(1);
      appendFrame(batch, { id: message.id, extended: message.kind === "extended", data }, { timeS: 0 });
      const a = createColumns(1, width);
      const b = createColumns(1, width);
      compiled.decodeColumns(batch, a);
      interpreted.decodeColumns(batch, b);
      for (let cell = 0; cell < width; cell++) {
        const same = a.partial[0] === b.partial[0] && a.present[cell] === b.present[cell] && Object.is(a.values[cell], b.values[cell]);
        if (!same) found.push(`${message.name}.${message.signals[cell]?.name} of ${Buffer.from(data).toString("hex")}: ${a.values[cell]} and ${b.values[cell]}`);
      }
    }
  }
  return found.slice(0, 5);
}

for (const [where, folder] of [
  ["the repository", fixtures],
  ["the demo", demoData],
] as const) {
  test(`compiled and interpreted decoders agree on random frames for every database of ${where}`, (t) => {
    const random = new SeededRandom(7);
    for (const [name, database] of databasesIn(folder)) {
      t.strictSame(disagreements(database, "physical", random), [], name);
      t.strictSame(disagreements(database, "raw", random), [], name);
    }
    t.end();
  });
}

test("compiled and interpreted decoders agree on random frames for every database of the large set", needs("shared", canData !== undefined), (t) => {
  const random = new SeededRandom(8);
  for (const [name, database] of databasesIn(join(canData ?? "shared/data/can", "dbc"))) t.strictSame(disagreements(database, "physical", random), [], name);
  t.end();
});

test("they agree for every size, start bit, byte order and sign", (t) => {
  const random = new SeededRandom(9);
  for (const type of ["+", "-"]) {
    for (const order of [0, 1]) {
      const messages = Array.from({ length: 64 }, (_, start) => {
        const signals = Array.from({ length: 64 }, (_, size) => ` SG_ s${size} : ${start}|${size + 1}@${order}${type} (-0.5,3) [0|0] "" X\n`);
        return `BO_ ${start} M${start}: 16 A\n${signals.join("")}`;
      });
      const database = parseDbc(messages.join(""));
      t.strictSame(disagreements(database, "raw", random), [], `raw ${type}${order}`);
      t.strictSame(disagreements(database, "physical", random), [], `physical ${type}${order}`);
    }
  }
  t.end();
});

test("integers of 64 bits are read without loss where they are asked for exactly", (t) => {
  const database = parseDbc('BO_ 1 M: 8 A\n SG_ U : 0|64@1+ (1,0) [0|0] "" X\n SG_ B : 7|64@0- (1,0) [0|0] "" X\n SG_ I : 0|54@1- (1,0) [0|0] "" X\n');
  const data = Uint8Array.of(0x01, 0, 0, 0, 0, 0, 0x20, 0x80);
  const [unsigned, big, signed] = (database.messages[0]?.signals ?? []).map((signal) => readRawExact(signalReader(signal), data, 0));
  t.equal(unsigned, 0x8020_0000_0000_0001n);
  t.equal(big, 0x0100_0000_0000_2080n);
  t.equal(signed, BigInt.asIntN(54, 0x8020_0000_0000_0001n));
  t.end();
});

test("encoding what was decoded gives the same bytes, for every message whose bits no two signals share", (t) => {
  const random = new SeededRandom(10);
  let messages = 0;
  for (const [, database] of [...databasesIn(fixtures), ...databasesIn(demoData)]) {
    const decoder = createDecoder(database, { output: "raw" });
    for (const message of database.messages) {
      const covered = new Set<number>();
      const cells = message.signals.reduce((sum, signal) => sum + signal.size, 0);
      for (const signal of message.signals) for (let bit = 0; bit < signal.size; bit++) covered.add(signal.index * 64 + bit);
      const isWhole = message.matchable && message.length <= 8 && cells === 8 * message.length && wholeFromBytes(message) === message.length;
      if (!isWhole || message.signals.some((signal) => signal.type.startsWith("float"))) continue;
      messages++;
      const data = Uint8Array.from({ length: message.length }, () => random.uint32() & 0xff);
      const batch = createFrameBatch(1);
      appendFrame(batch, { id: message.id, extended: message.kind === "extended", data }, { timeS: 0 });
      const row = createColumns(1, message.signals.length);
      decoder.decodeColumns(batch, row);
      const values = new Map(message.signals.map((signal) => [signal.index, readRawExact(signalReader(signal), data, 0)] as const));
      const outcome = encodeFrame(message, values, { raw: true });
      if (outcome.kind === "encoded") t.strictSame(outcome.frame.data, data, message.name);
      else t.match(outcome.problems[0]?.message, /shares its bits/, message.name);
    }
  }
  t.ok(messages > 20, `${messages} messages`);
  t.end();
});

test("objects hold what the columns hold, and every name becomes a property of their own", (t) => {
  const database = parseDbc(
    'BO_ 1 M: 8 A\n SG_ __proto__ : 0|8@1+ (2,0) [0|0] "" X\n SG_ toString : 8|8@1+ (1,0) [0|0] "" X\nBO_ 2 N: 2 A\n SG_ a : 0|8@1+ (1,0) [0|0] "" X\n SG_ b : 8|8@1+ (1,0) [0|0] "" X\n SG_ b : 8|8@1+ (1,0) [0|0] "" X\n',
  );
  const batch = createFrameBatch(4);
  appendFrame(batch, { id: 1, data: Uint8Array.of(3, 4) }, { timeS: 0 });
  appendFrame(batch, { id: 2, data: Uint8Array.of(5, 6) }, { timeS: 0 });
  appendFrame(batch, { id: 2, data: Uint8Array.of(5) }, { timeS: 0 });
  appendFrame(batch, { id: 3, data: Uint8Array.of(5) }, { timeS: 0 });
  const objects = createObjectDecoder(database);
  const first = objects.decode(batch, 0);
  t.equal(JSON.stringify(first), '{"__proto__":6,"toString":4}');
  t.equal(Object.getPrototypeOf(first), Object.prototype);
  t.strictSame(objects.decode(batch, 1), { a: 5 }, "a name that occurs twice tells nothing");
  t.strictSame(objects.decode(batch, 2), { a: 5 });
  t.equal(objects.decode(batch, 3), undefined);
  t.equal(objects.match(canIdOf({ id: 2 })), 1);
  t.end();
});

test("a full column store stops at the frame that does not fit and goes on from there", (t) => {
  const database = parseDbc(
    'BO_ 1 M: 8 A\n SG_ a : 0|8@1+ (1,0) [0|0] "" X\n SG_ b : 8|8@1+ (1,0) [0|0] "" X\nBO_ 2 Wide: 8 A\n' +
      Array.from({ length: 5 }, (_, i) => ` SG_ w${i} : ${i}|1@1+ (1,0) [0|0] "" X\n`).join(""),
  );
  const decoder = createDecoder(database);
  const batch = createFrameBatch(5);
  for (const id of [1, 2, 1, 7, 1]) appendFrame(batch, { id, data: Uint8Array.of(id, batch.count) }, { timeS: 0 });
  const out = createColumns(2, 4);
  t.equal(decoder.decodeColumns(batch, out), 4, "the message that is wider than the store is passed over");
  t.equal(out.rows, 2);
  t.strictSame([...out.values], [1, 0, 1, 2]);
  out.rows = 0;
  out.cells = 0;
  t.equal(decoder.decodeColumns(batch, out, 4), 5);
  t.strictSame([...out.values.subarray(0, 2)], [1, 4]);
  t.end();
});
