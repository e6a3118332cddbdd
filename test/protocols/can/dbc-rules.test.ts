// What the reader makes of the less usual statements of real files: line ends, BS_, nodes and their long names, parking messages, statements that say nothing about frames.

import { test } from "tap";
import { type Database, parseDbc } from "../../../protocols/can/index.ts";

const MESSAGE = 'BO_ 100 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" B\n';

function signalNames(database: Database): readonly (readonly string[])[] {
  return database.messages.map(({ signals }) => signals.map(({ name }) => name));
}

test("line ends are LF, CRLF or CR; positions count them alike, and NUL bytes are blanks", (t) => {
  const text = `VERSION ""\n\n${MESSAGE}CM_ SG_ 100 S "text";\nBO_ two\n`;
  for (const end of ["\n", "\r\n", "\r"]) {
    const { messages, diagnostics } = parseDbc(text.replaceAll("\n", end));
    t.match(messages, [{ name: "M", position: { line: 3, column: 1 }, signals: [{ comment: "text", position: { line: 4, column: 2 } }] }], JSON.stringify(end));
    t.match(diagnostics, [{ code: "syntax", position: { line: 6, column: 5 } }]);
  }
  const holed = parseDbc(`\0${MESSAGE.replaceAll(" ", "\0 ")}\0`);
  t.strictSame(signalNames(holed), [["S"]]);
  t.strictSame(holed.diagnostics, []);
  t.end();
});

test("BS_ may hold a baud rate, its registers, a bare number, or nothing", (t) => {
  for (const line of ["BS_:", "BS_ :", "BS_: 500000:1,2", "BS_: 500000 : 1 , 2", "BS_: 500000", "BS_: 500000;"]) {
    const database = parseDbc(`${line}\nBU_: A\n${MESSAGE}`, { strict: true });
    t.strictSame([signalNames(database), database.diagnostics.filter(({ severity }) => severity === "error")], [[["S"]], []], line);
  }
  t.end();
});

test("what may stand in any order does: comments, labels and attributes before what they are about", (t) => {
  const { messages, diagnostics } = parseDbc(
    `CM_ SG_ 100 S "text";\nVAL_ 100 S 1 "on";\nBA_ "GenMsgCycleTime" BO_ 100 20;\n${MESSAGE}VERSION "1"\nBA_DEF_ BO_ "GenMsgCycleTime" INT 0 9;\n`,
  );
  t.match(messages, [{ cycleTimeMs: 20, signals: [{ comment: "text" }] }]);
  t.equal(messages[0]?.signals[0]?.labels?.get(1), "on");
  t.strictSame(diagnostics, []);
  t.end();
});

test("statements that say nothing about frames are passed over without a word", (t) => {
  const others =
    'EV_ Env: 0 [0|1] "V" 0 1 DUMMY_NODE_VECTOR0 A;\nEV_DATA_ Env: 4;\nENVVAR_DATA_ Env: 5;\nCM_ EV_ Env "text";\nVAL_ Env 0 "off" 1 "on" ;\nSGTYPE_ T : 8@1+ (1,0) [0|0] "" 0 , Table;\n' +
    'SIG_TYPE_REF_ 100 S : T;\nSIG_GROUP_ 100 G 1 : S;\nCAT_DEF_ 1 Cat 0;\nCAT_ BO_ 100 1;\nFILTER;\nBA_DEF_ EV_ "EnvAttribute" INT 0 1;\nBA_ "EnvAttribute" EV_ Env 1;\n' +
    'BA_DEF_REL_ BU_SG_REL_ "Timeout" INT 0 65535;\nBA_DEF_REL_ BU_BO_REL_ "Own" STRING ;\nBA_DEF_REL_ BU_EV_REL_ "Its" HEX 0 1;\nBA_DEF_DEF_REL_ "Timeout" 0;\n' +
    'BA_REL_ "Timeout" BU_SG_REL_ A SG_ 100 S 5;\nBA_REL_ "Own" BU_BO_REL_ A 100 "text; BO_";\nSGTYPE_VAL_ T 0 "a";\nSIGTYPE_VALTYPE_ T : 1;\n';
  const database = parseDbc(`BU_: A\n${MESSAGE}${others}BO_ 101 N: 8 A\n`, { strict: true });
  t.strictSame(database.diagnostics, []);
  t.strictSame(
    database.messages.map(({ name }) => name),
    ["M", "N"],
  );
  t.strictSame([...database.attributeDefinitions.keys()], []);
  t.end();
});

test("nodes have comments and attributes; the long name of one is its name wherever it stands", (t) => {
  const { nodes, messages, diagnostics } = parseDbc(
    `BU_: A B\n${MESSAGE}BO_TX_BU_ 100 : A,B;\nCM_ BU_ A "a node";\nBA_DEF_ BU_ "Layer" INT 0 9;\nBA_DEF_ BU_ "SystemNodeLongSymbol" STRING ;\nBA_ "Layer" BU_ A 3;\n` +
      'BA_ "SystemNodeLongSymbol" BU_ B "Body_control_module_of_the_trailer_front";\n',
  );
  t.strictSame(diagnostics, []);
  t.strictSame(nodes, [
    { name: "A", comment: "a node", attributes: new Map([["Layer", 3]]) },
    { name: "Body_control_module_of_the_trailer_front", comment: undefined, attributes: new Map() },
  ]);
  t.strictSame(messages[0]?.senders, ["A", "Body_control_module_of_the_trailer_front"]);
  t.strictSame(messages[0]?.signals[0]?.receivers, ["Body_control_module_of_the_trailer_front"]);
  t.end();
});

test("Vector__XXX stands for no node", (t) => {
  const { messages } = parseDbc(
    'BO_ 1 M: 8 Vector__XXX\n SG_ S : 0|8@1+ (1,0) [0|0] "" Vector__XXX\n SG_ T : 8|8@1+ (1,0) [0|0] "" A, Vector__XXX\nBO_TX_BU_ 1 : Vector__XXX,B;\n',
  );
  t.strictSame(messages[0]?.senders, ["B"]);
  t.strictSame(
    messages[0]?.signals.map(({ receivers }) => receivers),
    [[], ["A"]],
  );
  t.end();
});

test("the parking message of unassigned signals is kept, matches nothing and is no error, whichever of its two ids it has", (t) => {
  for (const id of ["3221225472", "1073741824"]) {
    const { messages, diagnostics } = parseDbc(`${MESSAGE}BO_ ${id} VECTOR__INDEPENDENT_SIG_MSG: 0 Vector__XXX\n SG_ P : 0|8@1+ (1,0) [0|0] "" A\n`);
    t.match(messages[1], { matchable: false, signals: [{ name: "P" }] });
    t.strictSame(
      diagnostics.filter(({ severity }) => severity === "error"),
      [],
    );
  }
  t.end();
});

test("a frame format is an enumeration's index, its label, or a number", (t) => {
  const formats = '"StandardCAN","ExtendedCAN","reserved","J1939PG","r","r","r","r","r","r","r","r","r","r","StandardCAN_FD","ExtendedCAN_FD"';
  const isFd = (definition: string, value: string): boolean | undefined =>
    parseDbc(`${MESSAGE}BA_DEF_ BO_ "VFrameFormat" ${definition};\nBA_ "VFrameFormat" BO_ 100 ${value};\n`).messages[0]?.isFd;
  for (const [definition, value] of [
    [`ENUM ${formats}`, "14"],
    [`ENUM ${formats}`, '"ExtendedCAN_FD"'],
    ["INT 0 15", "15"],
  ] as const)
    t.equal(isFd(definition, value), true, `${definition} ${value}`);
  t.equal(isFd(`ENUM ${formats}`, "0"), false);
  t.equal(isFd("INT 0 15", "3"), false);
  t.end();
});

test("1, 1.0 and 1E0 are one factor, and whole numbers beyond 2^53 lose nothing", (t) => {
  const factors = ["1", "1.0", "1E0", "+1", "9007199254740993", "-9007199254740993"];
  const { messages } = parseDbc(`BO_ 1 M: 64 A\n${factors.map((factor, at) => ` SG_ S${String(at)} : ${String(8 * at)}|8@1+ (${factor},-0) [0|0] "" A\n`).join("")}`);
  const signals = messages[0]?.signals ?? [];
  t.strictSame(
    signals.slice(0, 4).map(({ factor }) => factor),
    [1, 1, 1, 1],
  );
  t.strictSame(
    signals.map(({ wholeScale }) => wholeScale?.factor),
    [undefined, undefined, undefined, undefined, 9_007_199_254_740_993n, -9_007_199_254_740_993n],
  );
  t.end();
});
