// What a reader is told of a file: each finding has its code and its place. One small file for each code, so that a code that nothing gives any more is noticed.

import { test } from "tap";
import { DBC_CODES, type DbcCode, readDbc } from "../../../protocols/can/index.ts";
import { textOf } from "../../project/checkout.ts";

const head = 'BO_ 1 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" A\n';
const muxed = (...marks: readonly string[]): string =>
  `BO_ 1 M: 8 A\n${marks.map((mark, at) => ` SG_ S${String(at)} ${mark} : ${String(8 * at)}|8@1+ (1,0) [0|0] "" A\n`).join("")}`;
const deep = Array.from({ length: 35 }, (_, at) => (at === 0 ? "M" : "m0M"));

/** The file, and the severity and place at which the code is given for the first time. */
const FILES: Readonly<Record<DbcCode, readonly [text: string | Uint8Array, finding: string]>> = {
  "too-large": [new Uint8Array(17 * 1024 * 1024), "error 1:1"],
  "no-message": ["BO_ x", "error 1:5"],
  "nothing-to-match": ["BO_ 1610612736 M: 8 A\n", "error 1:1"],
  syntax: [`${head}BO_ two N: 8 A\n`, "error 3:5"],
  "unknown-statement": [`${head}stray words\n`, "error 3:1"],
  "semicolon-missing": [`${head}CM_ "text"\nVAL_ 1 S 0 "off";\n`, "warning 4:1"],
  "text-not-closed": [`${head}CM_ "text;\n`, "error 3:5"],
  "text-runs-on": [`${head}CM_ "text\nBO_ 2 N: 8 A\n";\n`, "warning 3:5"],
  "odd-name": ["BO_ 1 Gänge: 8 A\n", "warning 1:7"],
  "id-impossible": [`${head}BO_ 1610612736 N: 8 A\n`, "error 3:1"],
  "id-not-marked-extended": ["BO_ 2048 M: 8 A\n", "error 1:1"],
  "duplicate-id": [`${head}BO_ 1 N: 8 A\n`, "warning 3:1"],
  "duplicate-name": [`${head}BO_ 2 M: 8 A\n`, "warning 3:1"],
  "too-many-signals": [`BO_ 1 M: 8 A\n${' SG_ S : 0|8@1+ (1,0) [0|0] "" A\n'.repeat(4_097)}`, "error 1:1"],
  "signal-without-message": [` SG_ S : 0|8@1+ (1,0) [0|0] "" A\n${head}`, "error 1:2"],
  "size-impossible": ['BO_ 1 M: 8 A\n SG_ S : 0|65@1+ (1,0) [0|0] "" A\n', "error 2:2"],
  "start-impossible": ['BO_ 1 M: 8 A\n SG_ S : 600000|8@1+ (1,0) [0|0] "" A\n', "error 2:2"],
  "byte-order": ['BO_ 1 M: 8 A\n SG_ S : 0|8@2+ (1,0) [0|0] "" A\n', "error 2:2"],
  "float-size": [`${head}SIG_VALTYPE_ 1 S : 1;\n`, "error 3:1"],
  "beyond-length": ['BO_ 1 M: 1 A\n SG_ S : 4|8@1+ (1,0) [0|0] "" A\n', "warning 2:2"],
  "shared-bits": [`${head} SG_ T : 7|8@1+ (1,0) [0|0] "" A\n`, "warning 3:2"],
  "shared-name": [`${head} SG_ S : 8|8@1+ (1,0) [0|0] "" A\n`, "warning 3:2"],
  "switch-missing": [muxed("m0"), "error 2:2"],
  "switch-unknown": [`${muxed("M", "m0")}SG_MUL_VAL_ 1 S1 Nope 0-0;\n`, "error 4:1"],
  "switch-ambiguous": [muxed("M", "M", "m0"), "error 4:2"],
  "switch-contradicted": [`${muxed("M", "M", "m0")}SG_MUL_VAL_ 1 S2 S0 0-0;\nSG_MUL_VAL_ 1 S2 S1 0-0;\n`, "error 5:1"],
  "switch-circle": [`${muxed("m0M", "m0M")}SG_MUL_VAL_ 1 S0 S1 0-0;\nSG_MUL_VAL_ 1 S1 S0 0-0;\n`, "error 2:2"],
  "switch-too-deep": [`${muxed(...deep)}${deep.map((_, at) => (at === 0 ? "" : `SG_MUL_VAL_ 1 S${String(at)} S${String(at - 1)} 0-0;\n`)).join("")}`, "error 35:2"],
  "switch-inexact": [`${muxed("M", "m0")}SG_MUL_VAL_ 1 S1 S0 9007199254740993-9007199254740993;\n`, "error 3:2"],
  "switch-lost": ['BO_ 1 M: 8 A\n SG_ S M : 0|65@1+ (1,0) [0|0] "" A\n SG_ T m0 : 8|8@1+ (1,0) [0|0] "" A\n', "error 3:2"],
  "unknown-message": [`${head}CM_ BO_ 2 "text";\n`, "warning 3:1"],
  "unknown-signal": [`${head}VAL_ 1 T 0 "off";\n`, "warning 3:1"],
  "unknown-node": [`${head}CM_ BU_ B "text";\n`, "warning 3:1"],
  "unknown-value-table": [`${head}VAL_ 1 S OnOff;\n`, "warning 3:1"],
  "comment-target": [`${head}CM_ 1 "text";\n`, "warning 3:1"],
  "attribute-type": [`${head}BA_DEF_ BO_ "x" DOUBLE 0 1;\n`, "error 3:24"],
};

for (const code of DBC_CODES) {
  test(`${code} is told with its place`, (t) => {
    const [text, expected] = FILES[code];
    const { diagnostics } = readDbc(text);
    const { severity, message, position } = diagnostics.find((each) => each.code === code) ?? {};
    t.equal(`${String(severity)} ${String(position?.line)}:${String(position?.column)}`, expected, diagnostics.map((each) => `${each.code}: ${each.message}`).join("\n"));
    t.not(message, "");
    t.end();
  });
}

test("strict refuses each file that has an error, at the first one, and reads each that has warnings alone", (t) => {
  for (const code of DBC_CODES) {
    const [text] = FILES[code];
    const { diagnostics } = readDbc(text, { strict: true });
    const { refusal } = readDbc(text, { strict: true });
    const first = diagnostics.find(({ severity }) => severity === "error");
    t.strictSame(refusal?.position, first?.position, code);
  }
  t.end();
});

test("a file that is refused tells all its findings all the same", (t) => {
  const { database, refusal, diagnostics } = readDbc("BO_ x\n;stray\nBO_ y\n", { file: "a.dbc" });
  t.equal(database, undefined);
  t.match(refusal, { message: /^no message .*: expected the message's id, found "x"/, position: { file: "a.dbc", line: 1, column: 5 } });
  t.strictSame(
    diagnostics.map(({ code, position }) => `${String(position.line)} ${code}`),
    ["1 syntax", "1 no-message", "2 unknown-statement", "3 syntax"],
  );
  t.end();
});

test("the room's README names every code", (t) => {
  const readme = textOf("protocols/can/README.md");
  for (const code of DBC_CODES) t.ok(readme.includes(`\`${code}\``), code);
  t.end();
});
