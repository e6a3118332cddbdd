// Files made to hurt: every mutation of a real file ends in a database or a refusal with a position, in linear time.

import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { test } from "tap";
import { form } from "../../forms.ts";
import { createDecoder, createColumns, createFrameBatch, createObjectDecoder, appendFrame, parseDbc } from "../../../protocols/can/index.ts";
import { cpuTimeMs } from "../../cpu-time.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { needs } from "../../needs.ts";
import { canData, demoData, fixtures } from "./decoded-files.ts";

const MUTATIONS = form(200, 800);
const SNIPPETS = ['"', "\\", ";", "BO_ ", "SG_ ", "CM_ ", "\n", "\u0000", "|", "(", "1e999", "-", "m1M", "VAL_ 1 ", "SG_MUL_VAL_ 1 a b 0-4294967295;", "999999999999999999999"];

function outcome(source: string): string {
  try {
    parseDbc(source, { file: "mutant.dbc" });
    return "read";
  } catch (error) {
    const { code, position } = error as { code?: string; position?: { line: number } };
    return code === "DROVER_DBC_INVALID" && position !== undefined ? "refused" : `crashed: ${String(error)}`;
  }
}

test(`${MUTATIONS} mutations of real files neither crash nor hang`, (t) => {
  const random = new SeededRandom(20_261_121);
  const sources = [join(fixtures, "cantools_abs.dbc"), join(fixtures, "cantools_multiplex_2.dbc"), join(demoData, "TrailCurrent-tracer-c1bd446.nocomments.dbc")].map((file) =>
    readFileSync(file, "latin1"),
  );
  const bad: string[] = [];
  for (let round = 0; round < MUTATIONS; round++) {
    let text = sources[round % sources.length] ?? "";
    for (let edit = 0; edit <= random.uint32() % 6; edit++) {
      const at = Math.floor(random.next() * text.length);
      const kind = random.uint32() % 4;
      if (kind === 0) text = text.slice(0, at) + text.slice(at + (random.uint32() % 200));
      else if (kind === 1) text = text.slice(0, at) + (SNIPPETS[random.uint32() % SNIPPETS.length] ?? "") + text.slice(at);
      else if (kind === 2) text = text.slice(0, at);
      else text = text.slice(0, at) + String.fromCharCode(random.uint32() % 256) + text.slice(at + 1);
    }
    const got = outcome(text);
    if (got !== "read" && got !== "refused") bad.push(`round ${round}: ${got}`);
  }
  t.strictSame(bad, []);
  t.end();
});

test("files built to be slow are read with less than two seconds of work each", (t) => {
  const signals = (count: number, mark: (index: number) => string): string =>
    Array.from({ length: count }, (_, index) => ` SG_ s${index} ${mark(index)} : 0|8@1+ (1,0) [0|0] "" B\n`).join("");
  const hostile = {
    "quotes without end": 'CM_ "'.repeat(100_000),
    "escaped quotes without end": `CM_ "${'\\"'.repeat(500_000)}`,
    "open strings on every line": 'CM_ "x\n'.repeat(100_000),
    "one message of one id, very often": 'BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" B\n'.repeat(20_000) + 'VAL_ 1 S 1 "a";\n'.repeat(20_000),
    "many switches": `BO_ 1 M: 8 A\n${signals(4_000, (index) => (index % 2 === 0 ? "M" : "m1"))}`,
    "a deep cascade": `BO_ 1 M: 8 A\n${signals(4_000, () => "m1M")}${Array.from({ length: 3_999 }, (_, index) => `SG_MUL_VAL_ 1 s${index + 1} s${index} 1-1;\n`).join("")}`,
    "strings that swallow statements": 'CM_ "x\nBO_ 1 M: 8 A\n'.repeat(50_000),
    "one string over very many statements": `CM_ "${"x\nBO_ 1 M: 8 A\n".repeat(30_000)}"x`,
    "escaped quotes in strings that swallow statements": `CM_ "${'\\"\nBO_ 1 '.repeat(100_000)}"x`,
    "one endless word": "a".repeat(4_000_000),
    "plus signs behind digits": "1e+".repeat(300_000),
    "stray signs": "@".repeat(400_000),
    "missing ends": 'VAL_ 1 S 1 "a"\n'.repeat(60_000),
    "ids that collide": Array.from({ length: 60_000 }, (_, index) => `BO_ ${2_147_483_648 + index * 4_096} M${index}: 8 A\n`).join(""),
  };
  for (const [name, text] of Object.entries(hostile)) {
    const start = cpuTimeMs();
    const got = outcome(text);
    t.ok(got === "read" || got === "refused", `${name}: ${got}`);
    t.ok(cpuTimeMs() - start < 2_000, `${name}: ${Math.round(cpuTimeMs() - start)} ms`);
  }
  t.end();
});

test("what was read from a hostile file can be decoded with", (t) => {
  const cascade = `BO_ 1 M: 8 A\n${Array.from({ length: 2_000 }, (_, index) => ` SG_ s${index} m1M : ${index % 64}|8@1+ (1,0) [0|0] "" B\n`).join("")}${Array.from({ length: 1_999 }, (_, index) => `SG_MUL_VAL_ 1 s${index + 1} s${index} 0-255;\n`).join("")}`;
  const database = parseDbc(cascade);
  const batch = createFrameBatch(1);
  appendFrame(batch, { id: 1, data: new Uint8Array(8).fill(1) }, { timeS: 0 });
  const compiled = createColumns(1, 4_096);
  const interpreted = createColumns(1, 4_096);
  createDecoder(database).decodeColumns(batch, compiled);
  createDecoder(database, { engine: "interpreted" }).decodeColumns(batch, interpreted);
  t.equal(compiled.rows, 1);
  t.strictSame(compiled.present, interpreted.present);
  t.strictSame(compiled.values, interpreted.values);
  t.end();
});

test("names of a file never reach generated code", (t) => {
  const database = parseDbc('BO_ 1 M: 8 A\n SG_ é"+process.exit(1)+" : 0|8@1+ (1,0) [0|0] "" B\n SG_ ok : 0|8@1+ (1,0) [0|0] "`;process.exit(1)//" B\n');
  const batch = createFrameBatch(1);
  appendFrame(batch, { id: 1, data: new Uint8Array(8) }, { timeS: 0 });
  const out = createColumns(1, 8);
  createDecoder(database).decodeColumns(batch, out);
  t.equal(out.rows, 1);
  t.end();
});

test("numbers of 400 digits are errors with their place, whatever they stand for", (t) => {
  const huge = "9".repeat(400);
  const head = 'BO_ 291 M: 8 A\n SG_ X M : 8|8@1+ (1,0) [0|0] "" A\n';
  const cases = {
    [`${head} SG_ S m${huge} : 0|8@1+ (1,0) [0|0] "" A\n`]: "3:8",
    [`${head} SG_ S m0 : 0|8@1+ (1,0) [0|0] "" A\nSG_MUL_VAL_ 291 S X 0-${huge};\n`]: "4:23",
    [`${head} SG_ S : ${huge}|8@1+ (1,0) [0|0] "" A\n`]: "3:10",
    [`${head} SG_ S : 0|${huge}@1+ (1,0) [0|0] "" A\n`]: "3:12",
    [`${head}BO_ 1 N: ${huge} A\n`]: "3:10",
    [`${head}BO_ ${huge} N: 8 A\n`]: "3:5",
  };
  for (const [text, place] of Object.entries(cases)) {
    const database = parseDbc(text);
    t.strictSame(
      database.diagnostics.filter((each) => each.severity === "error").map((each) => `${each.position.line}:${each.position.column}`),
      [place],
    );
    const batch = createFrameBatch(1);
    appendFrame(batch, { id: 291, data: new Uint8Array(8) }, { timeS: 0 });
    t.doesNotThrow(() => createDecoder(database).decodeColumns(batch, createColumns(1, 8)), place);
    t.throws(() => parseDbc(text, { strict: true }), { code: "DROVER_DBC_INVALID", position: { line: Number(place.split(":")[0]) } });
  }
  t.end();
});

test("hundreds of thousands of senders or messages are read like few", (t) => {
  const senders = parseDbc(`BO_ 1 M: 8 A\nBO_TX_BU_ 1 : ${Array.from({ length: 200_000 }, (_, index) => `n${index}`).join(",")};\n`);
  t.equal(senders.messages[0]?.senders.length, 200_001);
  const many = parseDbc(`${Array.from({ length: 130_000 }, (_, index) => `BO_ ${2_147_483_648 + index} M: 8 A\n`).join("")} SG_ S : 0|8@1+ (1,0) [0|0] "" A\n`);
  const batch = createFrameBatch(1);
  appendFrame(batch, { id: 129_999, extended: true, data: Uint8Array.of(9) }, { timeS: 0 });
  t.strictSame(createObjectDecoder(many).decode(batch, 0), { S: 9 });
  t.end();
});

test("an odd file is answered within a second and 256 MB, in a process of its own", needs("shared", canData !== undefined), async (t) => {
  const signals = (count: number, mark: string): string => Array.from({ length: count }, (_, index) => ` SG_ s${index} ${mark} : 0|8@1+ (1,0) [0|0] "" B\n`).join("");
  const chains = Array.from({ length: 2_000 }, (_, index) => `SG_MUL_VAL_ 1 s${index + 1} s${index} 0-4294967295, ${index}-${index};\n`).join("");
  const definitions = Array.from({ length: 3_000 }, (_, index) => `BA_DEF_ SG_ "a${index}" INT 0 1;\nBA_DEF_DEF_ "a${index}" 1;\n`).join("");
  const holders = Array.from({ length: 2_000 }, (_, index) => `BO_ ${index} M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" B\nBA_ "a0" SG_ ${index} S 0;\n`).join("");
  const made = {
    "quotes.dbc": '"'.repeat(16_000_000),
    "m0.dbc": "m0 ".repeat(5_000_000),
    "signals.dbc": `BO_ 1 M: 8 A\n${signals(100_000, "")}`,
    "switches.dbc": `BO_ 1 M: 8 A\n${signals(2_001, "m1M")}${chains.repeat(20)}`,
    "defaults.dbc": definitions + holders,
  };
  const folder = t.testdir(made);
  const odd = join(canData ?? "", "malformed");
  const files = [...Object.keys(made).map((file) => join(folder, file)), ...readdirSync(odd).flatMap((file) => (file.endsWith(".dbc") ? [join(odd, file)] : []))];
  for (const file of files) {
    const { ms, rssMb, outcome: got } = await inProcess(file);
    t.match(got, /^(read|refused)$/, file);
    t.ok(ms < 1_000 && rssMb < 256, `${file}: ${String(ms)} ms of computing, ${String(rssMb)} MB`);
  }
});

async function inProcess(file: string): Promise<{ readonly ms: number; readonly rssMb: number; readonly outcome: string }> {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [fileURLToPath(new URL("_dbc-child.js", import.meta.url)), file], { env });
  return JSON.parse(stdout) as { ms: number; rssMb: number; outcome: string };
}
