// Multiplexers that are missing, unreadable or not unique: what they select is never given as if it were there.

import { test } from "tap";
import { appendFrame, createColumns, createDecoder, createFrameBatch, type Database, parseDbc } from "../../../protocols/can/index.ts";

const sg = (name: string, mark: string, start: number): string => ` SG_ ${name} ${mark} : ${start}|8@1+ (1,0) [0|0] "" B\n`;

function errorsOf(database: Database): readonly string[] {
  return database.diagnostics.filter((each) => each.severity === "error").map((each) => `${each.position.line}:${each.position.column} ${each.message}`);
}

/** Names of what a frame with this payload holds, by both engines. */
function there(database: Database, ...data: readonly number[]): readonly string[] {
  const batch = createFrameBatch(1);
  appendFrame(batch, { id: 1, data: Uint8Array.from(data) }, { timeS: 0 });
  const names = (["compiled", "interpreted"] as const).map((engine) => {
    const out = createColumns(1, 64);
    createDecoder(database, { engine }).decodeColumns(batch, out);
    const signals = database.messages[out.messageOf[0] ?? 0]?.signals ?? [];
    return signals.filter((signal) => out.partial[0] === 0 || out.present[signal.index] === 1).map((signal) => signal.name);
  });
  return JSON.stringify(names[0]) === JSON.stringify(names[1]) ? (names[0] ?? []) : ["the engines differ"];
}

test("what an unreadable switch selects is left out, and what that selects in turn; the rest of the message stays", (t) => {
  const broken = ' SG_ X M : 0|8@1+ (1,0 [0|0] "" B\n';
  const database = parseDbc(
    `BO_ 1 M: 8 A\n${sg("Free", "", 40)}${broken}${sg("P", "m0", 8)}${sg("Q", "m1M", 8)}${sg("R", "m2", 16)}${sg("S", "m9", 24)}${sg("Y", "M", 48)}${sg("Z", "m3", 56)}` +
      "SG_MUL_VAL_ 1 R Q 2-2;\nSG_MUL_VAL_ 1 S X 9-9;\nSG_MUL_VAL_ 1 Z Y 3-3;\n",
  );
  t.strictSame(there(database, 0, 0, 2, 0, 0, 0, 3, 0), ["Free", "Y", "Z"]);
  t.strictSame(there(database, 0, 0, 2, 0, 0, 0, 4, 0), ["Free", "Y"]);
  const errors = errorsOf(database);
  t.match(errors[0], /^3:24 expected `\)`/);
  for (const [at, name] of ["P", "Q", "R", "S"].entries()) t.match(errors[at + 1], new RegExp(`^${4 + at}:2 "${name}" is left out: the switch`));
  t.end();
});

test("a switch is also lost where its line broke off before the mark, is no SG_ line any more, or has no bits that could be read", (t) => {
  for (const line of [' SG_ X $ M : 0|8@1+ (1,0) [0|0] "" B\n', ' SGG_ X M : 0|8@1+ (1,0) [0|0] "" B\n', ' SG_ X M : 0|65@1+ (1,0) [0|0] "" B\n']) {
    const database = parseDbc(`BO_ 1 M: 8 A\n${line}${sg("P", "m0", 8)}${sg("Q", "m1", 8)}${sg("Free", "", 40)}`);
    t.strictSame(there(database, 0, 1, 2, 3, 4, 5, 6, 7), ["Free"], line);
  }
  const other = parseDbc(`BO_ 1 M: 8 A\n${sg("X", "M", 0)} SG_ Broken : 0|8@1+ (1 [0|0] "" B\n${sg("P", "m0", 8)}${sg("Q", "m1", 8)}`);
  t.strictSame(there(other, 1, 0), ["X", "Q"], "an ordinary signal that is lost takes none with it");
  t.end();
});

test("children of no switch are always there, with an error; two plain switches are an error, the first counts", (t) => {
  const none = parseDbc(`BO_ 1 M: 8 A\n${sg("P", "m0", 8)}${sg("Q", "m1", 8)}`);
  t.strictSame(there(none, 0, 0), ["P", "Q"]);
  t.match(errorsOf(none), [/^2:2 "P".*no switch; read as always there/, /^3:2 "Q"/]);
  const two = `BO_ 1 M: 8 A\n${sg("X", "M", 0)}${sg("Y", "M", 8)}${sg("P", "m1", 16)}`;
  t.match(errorsOf(parseDbc(two)), [/^4:2 "P" does not say which of 2 switches selects it/]);
  t.strictSame(there(parseDbc(two), 1, 0, 0), ["X", "Y", "P"]);
  t.throws(() => parseDbc(two, { strict: true }), { code: "DROVER_DBC_INVALID" });
  t.throws(() => parseDbc(`BO_ 1 M: 8 A\n${sg("P", "m0", 8)}`, { strict: true }), { code: "DROVER_DBC_INVALID" });
  t.end();
});

test("ranges are read in any order and may overlap", (t) => {
  const database = parseDbc(`BO_ 1 M: 8 A\n${sg("X", "M", 0)}${sg("P", "m0", 8)}SG_MUL_VAL_ 1 P X 30-40, 1-1, 5-9, 8-12, 35-36;\n`);
  t.strictSame(database.messages[0]?.signals[1]?.mux?.ranges, [
    { low: 1, high: 1 },
    { low: 5, high: 12 },
    { low: 30, high: 40 },
  ]);
  for (const value of [0, 1, 2, 4, 5, 12, 13, 30, 40, 41]) {
    const selects = value === 1 || (value >= 5 && value <= 12) || (value >= 30 && value <= 40);
    t.strictSame(there(database, value, 0), selects ? ["X", "P"] : ["X"], String(value));
  }
  t.end();
});

test("switch values that a double cannot tell apart are an error; all values of 64 bits are not", (t) => {
  const wide = ' SG_ X M : 0|64@1+ (1,0) [0|0] "" B\n';
  const marked = parseDbc(`BO_ 1 M: 16 A\n${wide}${sg("A", "m9007199254740992", 64)}${sg("B", "m9007199254740991", 64)}`);
  t.match(errorsOf(marked), [/^3:2 "A" is selected by values beyond 2\^53/]);
  t.equal(errorsOf(marked).length, 1);
  const all = parseDbc(`BO_ 1 M: 16 A\n${wide}${sg("A", "m0", 64)}SG_MUL_VAL_ 1 A X 0-18446744073709551615;\n`);
  t.strictSame(errorsOf(all), []);
  t.end();
});
