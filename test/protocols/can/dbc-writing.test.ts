// Databases that are written and read again: nothing of the model is lost, whatever its names and texts are.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { type Database, type DbcWriteOptions, parseDbc, writeDbc } from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { form } from "../../forms.ts";
import { needs } from "../../needs.ts";
import { canData, demoData, fixtures } from "./decoded-files.ts";

const MUTATIONS = form(100, 600);

function written(database: Database, options?: DbcWriteOptions): Uint8Array {
  const outcome = writeDbc(database, options);
  if (outcome.kind === "refused") throw new Error(outcome.message);
  return outcome.bytes;
}

/** All that a database says, as plain data: without places and diagnostics, and in an order of its own where order says nothing. */
function said(database: Database): unknown {
  const plain = (value: unknown): unknown => {
    if (value instanceof Map) return [...value].map(([key, of]): unknown => [String(key), typeof key, plain(of)]).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    if (Array.isArray(value)) return value.map(plain);
    if (typeof value === "bigint") return `${String(value)}n`;
    if (Object.is(value, -0)) return "-0";
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .filter(([key]) => !["position", "file", "diagnostics", "suppressedDiagnostics"].includes(key))
        .map(([key, of]) => [key, plain(of)]),
    );
  };
  return plain(database);
}

function databasesIn(folder: string): readonly (readonly [string, Database])[] {
  return readdirSync(folder).flatMap((file) => (file.endsWith(".dbc") ? [[file, parseDbc(readFileSync(join(folder, file)))] as const] : []));
}

for (const [where, folder] of [
  ["the repository", fixtures],
  ["the demo", demoData],
] as const) {
  test(`every database of ${where} reads back as it was written`, (t) => {
    for (const [name, database] of databasesIn(folder)) t.strictSame(said(parseDbc(written(database))), said(database), name);
    t.end();
  });
}

test("every database of the large set reads back as it was written", needs("shared", canData !== undefined), (t) => {
  const databases = ["dbc", "malformed"].flatMap((folder) => databasesIn(join(canData ?? "", folder)));
  t.ok(databases.length >= 46);
  for (const [name, database] of databases) {
    const bytes = written(database);
    t.strictSame(said(parseDbc(bytes)), said(database), name);
    t.strictSame(written(parseDbc(bytes)), bytes, `${name}: written again it is the same file`);
  }
  t.end();
});

test(`what is left of ${MUTATIONS} mutated files reads back as it was written`, (t) => {
  const random = new SeededRandom(20_261_124);
  const sources = ["cantools_abs.dbc", "cantools_multiplex_2.dbc", "cantools_issue_184_extended_mux_cascaded.dbc", "cantools_signed.dbc"].map((file) =>
    readFileSync(join(fixtures, file), "latin1"),
  );
  let read = 0;
  for (let round = 0; round < MUTATIONS; round++) {
    let text = sources[round % sources.length] ?? "";
    for (let edit = 0; edit <= random.uint32() % 6; edit++) {
      const at = Math.floor(random.next() * text.length);
      const length = random.uint32() % 40;
      const from = Math.floor(random.next() * text.length);
      text = text.slice(0, at) + (random.uint32() % 2 === 0 ? text.slice(from, from + length) : "") + text.slice(at + (random.uint32() % 2 === 0 ? length : 0));
    }
    try {
      const database = parseDbc(text);
      read++;
      t.strictSame(said(parseDbc(written(database))), said(database), `round ${round}`);
    } catch (error) {
      t.match(error, { code: "DROVER_DBC_INVALID" });
    }
  }
  t.ok(read > MUTATIONS / 2);
  t.end();
});

test("W1 names that the format does not allow keep what they are: long ones, twins, foreign letters, quotes, keywords, line breaks", (t) => {
  const long = "A_name_of_more_than_32_characters_";
  const names = [`${long}1`, `${long}2`, "Twin", "Twin", "Gänge", 'quote" and\nline', "7_up", "BO_", "__proto__", "A_name_of_more_than_32_characters"];
  const base = parseDbc(`BU_: A\nBO_ 1 M: 64 A\n${names.map((_, at) => ` SG_ S${String(at)} : ${String(8 * at)}|8@1+ (1,0) [0|0] "" A\n`).join("")}VAL_ 1 S3 1 "on";\n`);
  const [message] = base.messages;
  if (message === undefined) throw new Error("no message");
  const signals = message.signals.map((signal, at) => ({ ...signal, name: names[at] ?? "", sharesName: names[at] === "Twin", receivers: [`${long}node`] }));
  const database: Database = {
    ...base,
    nodes: [{ name: `${long}node`, comment: "a node", attributes: new Map() }],
    messages: [{ ...message, name: `${long}message`, senders: ["A", `${long}node`], signals }],
  };
  const bytes = written(database);
  t.strictSame(said(parseDbc(bytes)), said(database));
  const inFile = [
    ...Buffer.from(bytes)
      .toString()
      .matchAll(/^ SG_ (\S+)/gm),
  ].map(([, name = ""]) => name);
  t.equal(new Set(inFile).size, names.length);
  t.strictSame(
    inFile.filter((name) => !/^[A-Za-z_]\w{0,31}$/.test(name) || name === "BO_"),
    [],
  );
  t.end();
});

test("W3 names that cannot be told elsewhere stay as they are: of tables, and of a message that a later one with its id hides", (t) => {
  const long = "A_name_of_more_than_32_characters_";
  const hidden = `BO_ 1 ${long}a: 8 Vector__XXX\n SG_ ${long}s : 0|8@1+ (1,0) [0|0] "" Vector_é\nBO_ 1 Gänge: 8 A\nBO_ 1 ${long}b: 8 A\n SG_ ${long}s : 0|8@1+ (2,0) [0|0] "" Vector__éXX\n`;
  const database = parseDbc(`${hidden}VAL_TABLE_ Größe 1 "klein" ;\nVAL_TABLE_ ${long} 1 "a" ;\nCM_ SG_ 1 ${long}s "text";\n`);
  t.strictSame(said(parseDbc(written(database))), said(database));
  t.end();
});

test("W2 texts are data: quotes, semicolons, statements, line breaks, backslashes", (t) => {
  const texts = ['say "hi"', "a;b", "x\nBO_ 2 N: 8 A\n SG_ T : 0|8@1+ (1,0)", "a\\b", '\\"', "\r\n", "", "é°€"];
  const base = parseDbc('BU_: A\nBO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\nBA_DEF_ "e" ENUM "a","b";\nBA_DEF_ SG_ "s" STRING ;\n');
  const [message] = base.messages;
  const [signal] = message?.signals ?? [];
  if (message === undefined || signal === undefined) throw new Error("no signal");
  for (const text of texts) {
    const labels = new Map<number | bigint, string>([
      [-1, text],
      [18_446_744_073_709_551_615n, "most"],
    ]);
    const database: Database = {
      ...base,
      version: text,
      comment: text,
      attributes: new Map([["e", "b"]]),
      valueTables: new Map([["T", labels]]),
      attributeDefinitions: new Map([...base.attributeDefinitions, [`n${text}`, { owner: "node", type: { kind: "enum", labels: ["x", text] }, default: "x" }]]),
      messages: [{ ...message, comment: text, signals: [{ ...signal, unit: text, comment: text, labels, attributes: new Map([["s", text]]) }] }],
    };
    t.strictSame(said(parseDbc(written(database))), said(database), JSON.stringify(text));
  }
  const ends = parseDbc(written({ ...base, comment: "ends in \\" }));
  t.equal(ends.comment, "ends in \\ ", "the format has no way to write it");
  t.end();
});

test("numbers come back bit by bit, switches with all their ranges", (t) => {
  const factors = ["1e-7", "-0", "9007199254740993", "9007199254740994.0", "1E20", "0.1", "5e-324", "-1.7976931348623157e308"];
  const scaled = factors
    .map((factor, at) => `BO_ ${String(at + 10)} F${String(at)}: 8 A\n SG_ S : 0|8@1+ (${factor},${factor}) [-1e999|${factor.replace("-0", "18446744073709551615")}] "" A\n`)
    .join("");
  const muxed =
    'BO_ 1 M: 64 A\n SG_ A M : 0|8@1+ (1,0) [0|0] "" B\n SG_ B m1M : 8|8@1+ (1,0) [0|0] "" B\n SG_ C m7 : 16|8@1+ (1,0) [0|0] "" B\n SG_ D M : 24|64@1+ (1,0) [0|0] "" B\n SG_ E m3 : 100|8@1+ (1,0) [0|0] "" B\n' +
    "SG_MUL_VAL_ 1 B A 1-1;\nSG_MUL_VAL_ 1 C B 7-9, 20-4294967295;\nSG_MUL_VAL_ 1 E D 3-18446744073709551615;\n";
  const database = parseDbc(`${scaled}${muxed}BO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\nBO_ 1610612737 Nobody: 8 A\nBO_ 2147483649 X: 8 A\n`);
  t.strictSame(said(parseDbc(written(database))), said(database));
  t.end();
});

test("Windows-1252 is an encoding for what it holds; anything else is refused, never replaced", (t) => {
  const database = parseDbc('BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "€°C" A\n');
  const bytes = written(database, { encoding: "cp1252" });
  t.ok(Buffer.from(bytes).includes(Buffer.from([0x80, 0xb0, 0x43])));
  t.strictSame(said(parseDbc(bytes)), said(database));
  for (const comment of ["Ω", "🚛", "\u0081", "Ã©"]) {
    t.match(writeDbc({ ...database, comment, messages: [] }, { encoding: "cp1252" }), { kind: "refused", message: /Windows-1252/ }, JSON.stringify(comment));
    t.equal(parseDbc(written({ ...database, comment })).comment, comment);
  }
  t.end();
});
