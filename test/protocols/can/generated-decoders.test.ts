// Modules of generated TypeScript: they compile under the strictest settings, give exactly what the compiled decoder gives, and hold nothing of a file but strings and safe names.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Test, test } from "tap";
import ts from "typescript";
import { createColumns, createDecoder, createFrameBatch, type Database, EXTENDED_FRAME, generateModule, ID_MASK, parseDbc, SLOT_BYTES } from "../../../protocols/can/index.ts";
import { openLog } from "../../../protocols/can-log/index.ts";
import { needs } from "../../needs.ts";
import { canData, demoData, fixtures } from "./decoded-files.ts";

interface Generated {
  readonly decode: (id: number, extended: boolean, data: Uint8Array) => { readonly message: string; readonly signals: Readonly<Record<string, number | undefined>> } | undefined;
  readonly [name: string]: unknown;
}

async function imported(t: Test, text: string): Promise<Generated> {
  const folder = mkdtempSync(join(tmpdir(), "drover-generated-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true });
  });
  const file = join(folder, "signals.mjs");
  writeFileSync(file, ts.transpileModule(text, { compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext } }).outputText);
  return (await import(pathToFileURL(file).href)) as Generated;
}

function complaints(t: Test, ...texts: readonly string[]): readonly string[] {
  const files = Object.fromEntries(texts.map((text, at) => [`signals${String(at)}.ts`, text]));
  const folder = t.testdir(files);
  const options: ts.CompilerOptions = {
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    noUnusedLocals: true,
    noUnusedParameters: true,
    noPropertyAccessFromIndexSignature: true,
    erasableSyntaxOnly: true,
    noEmit: true,
    skipLibCheck: true,
    lib: ["lib.es2022.d.ts"],
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    types: [],
  };
  const program = ts.createProgram(
    Object.keys(files).map((file) => join(folder, file)),
    options,
  );
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ messageText, file, start }) => `${String(file?.fileName)} ${String(start)}: ${ts.flattenDiagnosticMessageText(messageText, "\n")}`);
}

/** Fields of all frames that differ from the compiled decoder's cells, and how many were compared. */
async function compared(t: Test, database: Database, log: string): Promise<{ readonly cells: number; readonly differences: readonly string[] }> {
  const generated = await imported(t, generateModule(database, "test").text);
  const decoder = createDecoder(database);
  const reader = await openLog(log);
  const batch = createFrameBatch(1_024);
  const out = createColumns(1_024, 262_144);
  const differences: string[] = [];
  let cells = 0;
  for (; (await reader.fill(batch)) > 0; batch.count = 0) {
    out.rows = out.cells = 0;
    t.equal(decoder.decodeColumns(batch, out), batch.count);
    let row = 0;
    for (let slot = 0; slot < batch.count; slot++) {
      const canId = batch.ids[slot] ?? 0;
      const data = batch.data.slice(slot * SLOT_BYTES, slot * SLOT_BYTES + (batch.lengths[slot] ?? 0));
      const decoded = decoder.match(canId) < 0 ? undefined : generated.decode(canId & ID_MASK, (canId & EXTENDED_FRAME) !== 0, data);
      if (decoded === undefined) continue;
      const values = Object.values(decoded.signals);
      const cell = out.cellOf[row] ?? 0;
      const isPartial = out.partial[row] === 1;
      if (out.slotOf[row] !== slot) differences.push(`frame ${String(slot)}: another message`);
      values.forEach((value, index) => {
        const expected = isPartial && out.present[cell + index] !== 1 ? undefined : out.values[cell + index];
        if (!Object.is(value, expected)) differences.push(`${decoded.message} ${Object.keys(decoded.signals)[index] ?? ""}: ${String(value)} instead of ${String(expected)}`);
      });
      cells += values.length;
      row++;
    }
    t.equal(row, out.rows);
  }
  await reader.close();
  return { cells, differences: differences.slice(0, 5) };
}

test("generated decoders of the repository's databases give what the compiled ones give", async (t) => {
  for (const file of readdirSync(fixtures).filter((name) => name.endsWith(".dbc"))) {
    const { cells, differences } = await compared(t, parseDbc(readFileSync(join(fixtures, file))), join(fixtures, file.replace(".dbc", ".log")));
    t.strictSame(differences, [], file);
    t.ok(cells > 0, file);
  }
});

test("so do those of the large set, over its synthetic frames", needs("shared", canData !== undefined), async (t) => {
  const folder = canData ?? "";
  for (const log of readdirSync(join(folder, "synthetic"))) {
    // Names that look like array indices come first in an object, whatever their order in the file: none are here.
    const { differences } = await compared(t, parseDbc(readFileSync(join(folder, "dbc", log.replace(".log", ".dbc")))), join(folder, "synthetic", log));
    t.strictSame(differences, [], log);
  }
});

test("what is generated compiles under the strictest settings", (t) => {
  const databases = [join(fixtures, "cantools_multiplex_2.dbc"), join(fixtures, "cantools_floating_point.dbc"), join(demoData, "opendbc_toyota_rav4_2017_pt_generated.dbc")];
  const texts = databases.map((file) => generateModule(parseDbc(readFileSync(file)), file).text);
  t.strictSame(complaints(t, ...texts, generateModule(parseDbc("BO_ 1 Empty: 0 A\n"), "empty").text), []);
  t.end();
});

test("labels are values that a field can be compared with, and types", async (t) => {
  const dbc =
    'BO_ 1 Gearbox: 8 A\n SG_ Gear : 0|8@1- (0.5,1) [0|0] "" A\n SG_ Twin : 8|8@1+ (1,0) [0|0] "" A\n SG_ Twin : 16|8@1+ (1,0) [0|0] "" A\n' +
    'VAL_ 1 Gear 0 "Neutral" -2 "Reverse" 3 "first gear" 7 "reserved" 8 "reserved" 9 "__proto__" ;\nVAL_ 1 Twin 18446744073709551615 "most" ;\n';
  const { text } = generateModule(parseDbc(dbc), "gearbox.dbc");
  const use =
    `${text}\nconst gear: Gearbox_Gear = "Neutral";\nexport const isNeutral = (box: Gearbox): boolean => box.Gear === Gearbox_Gear[gear];\n` +
    'export function rawOf(frame: Decoded): number | undefined {\n  return frame.message === "Gearbox" ? frame.signals.Twin_2 : undefined;\n}\n';
  t.strictSame(complaints(t, use), []);
  const { decode, Gearbox_Gear: labels, labelOf } = await imported(t, text);
  t.strictSame(Object.entries(labels as object), [
    ["Neutral", 1],
    ["Reverse", 0],
    ["first gear", 2.5],
    ["reserved", 4.5],
    ["reserved (8)", 5],
    ["__proto__", 5.5],
  ]);
  t.strictSame(decode(1, false, Uint8Array.of(3, 4, 5)), { message: "Gearbox", signals: { Gear: 2.5, Twin: 4, Twin_2: 5 } });
  t.strictSame(decode(1, false, Uint8Array.of(3)), { message: "Gearbox", signals: { Gear: 2.5, Twin: undefined, Twin_2: undefined } });
  t.equal(decode(1, true, new Uint8Array(8)), undefined, "a standard id is no extended one");
  t.equal((labelOf as (labels: unknown, value: number) => string | undefined)(labels, 2.5), "first gear");
  t.equal((labelOf as (labels: unknown, value: number) => string | undefined)(labels, 77), undefined);
});

test("of messages with one id the last is the frame's; those of one name, and those no frame has, are told apart", async (t) => {
  const dbc = "BO_ 1 M: 8 A\nBO_ 1 N: 8 A\nBO_ 2 M: 8 A\nBO_ 3221225472 VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\nBO_ 3 decodeM: 8 A\nBO_ 4 Decoded: 8 A\n";
  const { decode, ...all } = await imported(t, generateModule(parseDbc(dbc), "x").text);
  t.strictSame(Object.keys(all).sort(), ["decodeDecoded_2", "decodeM", "decodeM_2", "decodeN", "decodedecodeM_3"]);
  t.strictSame(
    [1, 2, 3, 4, 5].map((id) => decode(id, false, new Uint8Array(8))?.message),
    ["N", "M_2", "decodeM_3", "Decoded_2", undefined],
  );
});

test("G1 names and texts chosen to be code stay what they are", async (t) => {
  const evil = [
    '"); globalThis.pwned = 1; ("',
    "*/ globalThis.pwned = 1; /*",
    "`$" + "{globalThis.pwned = 1}`",
    "\u2028globalThis.pwned = 1;//",
    "\n@ts-ignore\nglobalThis.pwned = 1;//",
    "\\u002a/globalThis.pwned=1",
    "constructor",
    "__proto__",
    "toString",
    "class",
    "Uint8Array",
    "decode",
    "d",
    "\u202eesrever",
    "7up",
    "",
    "$" + "{x}",
    "\ud800",
  ];
  const base = parseDbc('BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\nVAL_ 1 S 1 "x" ;\n');
  const [message] = base.messages;
  const [signal] = message?.signals ?? [];
  if (message === undefined || signal === undefined) throw new Error("no signal");
  const signals = evil.map((name, index) => ({ ...signal, index, name, unit: name, comment: name, labels: new Map(evil.map((label, raw) => [raw, label] as const)) }));
  const messages = evil.map((name, index) => ({ ...message, index, id: index, name, comment: name, senders: [name], signals }));
  const { text } = generateModule({ ...base, messages }, "*/ evil\nglobalThis.pwned = 1;");
  t.strictSame(complaints(t, text), []);
  t.notMatch(text, /[\u0000-\u0009\u000B-\u001F\u007F-\u009F\u200B-\u200F\u2028-\u202E]/, "nothing that an editor hides");
  const { decode } = await imported(t, text);
  t.notOk("pwned" in globalThis);
  evil.forEach((_, id) => {
    const fields = decode(id, false, Uint8Array.of(9))?.signals ?? {};
    t.strictSame(Object.keys(fields), evil);
    t.ok(Object.values(fields).every((value) => value === 9));
  });
});

test("G4 a message with too many ranges for code is left out, and told", (t) => {
  const ranges = Array.from({ length: 3_000 }, (_, at) => `${String(2 * at)}-${String(2 * at)}`).join(", ");
  const dbc = `BO_ 1 Wide: 8 A\n SG_ Sw M : 0|16@1+ (1,0) [0|0] "" A\n SG_ C m0 : 16|8@1+ (1,0) [0|0] "" A\nSG_MUL_VAL_ 1 C Sw ${ranges};\nBO_ 2 N: 8 A\n`;
  const { leftOut, messages, text } = generateModule(parseDbc(dbc), "wide.dbc");
  t.strictSame([leftOut.map(({ name }) => name), messages, text.includes("Wide")], [["Wide"], 1, false]);
  t.end();
});
