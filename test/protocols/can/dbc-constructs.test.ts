// Every construct of a DBC file that the reader gives meaning to, and each known way in which real files are broken.

import { test } from "tap";
import { attributeOf, type Database, findMessage, findSignal, parseDbc } from "../../../protocols/can/index.ts";

const HEADER = 'VERSION "1"\n\nNS_ :\n\tNS_DESC_\n\tCM_\n\tBA_DEF_\n\tVAL_\n\nBS_:\n\nBU_: A B\n\n';
const MESSAGE = 'BO_ 100 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" B\n';

function errorsOf(database: Database): readonly string[] {
  return database.diagnostics.filter((each) => each.severity === "error").map((each) => `${each.position.line}:${each.position.column} ${each.message}`);
}

test("a plain file is read without a word", (t) => {
  const database = parseDbc(`${HEADER}${MESSAGE}`, { file: "plain.dbc" });
  t.equal(database.version, "1");
  t.strictSame(
    database.nodes.map(({ name }) => name),
    ["A", "B"],
  );
  t.strictSame(database.diagnostics, []);
  const signal = database.messages[0]?.signals[0];
  t.match(database.messages[0], { id: 100, kind: "standard", name: "M", length: 8, senders: ["A"], isFd: false, matchable: true });
  t.match(signal, { name: "S", start: 0, size: 8, byteOrder: "intel", type: "unsigned", factor: 1, offset: 0, range: undefined, needsBytes: 1, receivers: ["B"] });
  t.strictSame(signal?.position, { file: "plain.dbc", line: 14, column: 2 });
  t.end();
});

test("spaces are free, and names may touch what follows", (t) => {
  const database = parseDbc(
    'BO_ 100 M : 8 A\n\tSG_ S:0|8@1+(1,0)[0|0]""B\n  SG_  T  :  8|8@1-  ( 2 , 1 )  [ -128 | +127 ]  "x"   A , B\r\nBO_ 101 N:8 A\r SG_ U : 7|8@0+ (1,0) [0|0] "" B,A\n',
  );
  t.strictSame(errorsOf(database), []);
  t.match(database.messages[0]?.signals[1], { type: "signed", factor: 2, offset: 1, range: { min: -128, max: 127 }, unit: "x", receivers: ["A", "B"] });
  t.match(database.messages[1]?.signals[0], { byteOrder: "motorola", receivers: ["B", "A"] });
  t.end();
});

test("numbers come as exponents, without a leading zero, with a sign, and up to the range of a double", (t) => {
  const database = parseDbc(
    'BO_ 1 M: 8 A\n SG_ E : 0|16@1+ (1E-05,-1.5e2) [-150|1.7976931348623157E+308] "" B\n SG_ L : 16|8@1+ (.25,+3) [0|0] "" B\n SG_ Z : 32|8@1+ (0,7) [0|1e999] "" B\n SG_ I : 40|8@1+ (1e999,0) [0|0] "" B\n',
  );
  t.match(database.messages[0]?.signals, [
    { factor: 1e-5, offset: -150, range: { max: Number.MAX_VALUE } },
    { factor: 0.25, offset: 3 },
    { factor: 0, offset: 7 },
  ]);
  t.equal(database.messages[0]?.signals.length, 3, "a factor that no double holds costs its signal only");
  t.match(errorsOf(database), [/^5:\d+ expected the factor within the range of a double/]);
  t.end();
});

test("a text may hold semicolons, keywords, line breaks and escaped quotes", (t) => {
  const database = parseDbc(
    `${HEADER}${MESSAGE}CM_ SG_ 100 S "one; BO_ 200 Fake: 8 X\nSG_ \\"two\\"";\nCM_ BO_ 100 "message";\nCM_ "network";\nCM_ BU_ A "node";\nVAL_ 100 S 1 "earlier" 1 "quote; semicolon" 0 "zero" ;\n`,
  );
  t.strictSame(database.diagnostics, []);
  t.equal(database.messages.length, 1);
  t.equal(database.comment, "network");
  t.equal(database.messages[0]?.comment, "message");
  t.equal(database.messages[0]?.signals[0]?.comment, 'one; BO_ 200 Fake: 8 X\nSG_ "two"');
  t.strictSame(
    [...(database.messages[0]?.signals[0]?.labels ?? [])],
    [
      [1, "quote; semicolon"],
      [0, "zero"],
    ],
  );
  t.end();
});

test("UTF-8 with and without its mark and Windows-1252 give the same text", (t) => {
  const text = 'BO_ 100 M: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "°C" B\n';
  const marked = Buffer.from(`\ufeff${text}`, "utf8");
  const cp1252 = Buffer.from(text.replace("°", "\u0080°"), "latin1");
  t.equal(parseDbc(Buffer.from(text, "utf8")).messages[0]?.signals[0]?.unit, "°C");
  t.equal(parseDbc(marked).messages[0]?.signals[0]?.unit, "°C");
  t.equal(parseDbc(cp1252).messages[0]?.signals[0]?.unit, "€°C");
  t.end();
});

test("bit 31 marks 29-bit ids; without it a large id is read as one, and ids that no frame has match nothing", (t) => {
  const database = parseDbc(
    ["2147483748 Ext", "100 Std", "274923520 Gm", "3221225472 VECTOR__INDEPENDENT_SIG_MSG", "1610612736 Bit30", "99999999999 Huge"].map((head) => `BO_ ${head}: 8 A\n`).join(""),
  );
  t.match(database.messages, [
    { id: 100, kind: "extended", matchable: true },
    { id: 100, kind: "standard", matchable: true },
    { id: 274_923_520, kind: "extended", matchable: true },
    { matchable: false },
    { matchable: false },
    { matchable: false },
  ]);
  t.match(errorsOf(database), [/^3:1 .*read as a 29-bit id/, /^5:1 no frame can carry/, /^6:1 no frame can carry/]);
  t.end();
});

test("floats need 32 or 64 bits; the colon of SIG_VALTYPE_ may be missing", (t) => {
  const signals = ' SG_ F : 0|32@1- (1,0) [0|0] "" B\n SG_ W : 32|16@1- (1,0) [0|0] "" B\n';
  const database = parseDbc(`BO_ 1 M: 8 A\n${signals}BO_ 2 N: 8 A\n SG_ D : 0|64@1- (1,0) [0|0] "" B\nSIG_VALTYPE_ 1 F : 1;\nSIG_VALTYPE_ 1 W : 1;\nSIG_VALTYPE_ 2 D 2;\n`);
  t.match(database.messages[0]?.signals, [{ type: "float32" }, { type: "signed" }]);
  t.match(database.messages[1]?.signals, [{ type: "float64" }]);
  t.match(errorsOf(database), [/^7:1 SIG_VALTYPE_ 1 does not fit/]);
  t.end();
});

test("sizes other than 1 to 64 cost their signal, not the file", (t) => {
  const database = parseDbc(
    'BO_ 100 M: 64 A\n SG_ Zero : 0|0@1+ (1,0) [0|0] "" B\n SG_ W65 : 0|65@1+ (1,0) [0|0] "" B\n SG_ W64 : 128|64@1+ (1,0) [0|0] "" B\n SG_ Far : 99999999|8@1+ (1,0) [0|0] "" B\n',
  );
  t.strictSame(
    database.messages[0]?.signals.map((signal) => signal.name),
    ["W64"],
  );
  t.equal(errorsOf(database).length, 3);
  t.end();
});

test("attributes bring periods, start values, frame formats and long names; enumerations become their labels", (t) => {
  const database = parseDbc(
    `${HEADER}${MESSAGE}BO_ 200 N: 64 A\nBA_DEF_ BO_ "GenMsgCycleTime" INT 0 65535;\nBA_DEF_ BO_ "VFrameFormat" ENUM "StandardCAN","ExtendedCAN","reserved","J1939PG","r","r","r","r","r","r","r","r","r","r","StandardCAN_FD";\n` +
      'BA_DEF_ SG_ "GenSigStartValue" FLOAT 0 1e300;\nBA_DEF_ SG_ "SystemSignalLongSymbol" STRING ;\nBA_DEF_ BO_ "SystemMessageLongSymbol" STRING ;\nBA_DEF_ BO_ "CycleTime" INT 0 1;\nBA_DEF_ "Big" INT 0 0;\n' +
      'BA_DEF_DEF_ "GenMsgCycleTime" 0;\nBA_DEF_DEF_ "CycleTime" 250;\nBA_DEF_DEF_ "Big" 99999999999999999999999;\nBA_DEF_REL_ BU_SG_REL_ "Rel" INT 0 1;\nBA_REL_ "Rel" BU_SG_REL_ A SG_ 100 S 1;\n' +
      'BA_ "GenMsgCycleTime" BO_ 100 50;\nBA_ "VFrameFormat" BO_ 200 14;\nBA_ "VFrameFormat" BO_ 100 "StandardCAN";\nBA_ "GenSigStartValue" SG_ 100 S 7;\nBA_ "SystemSignalLongSymbol" SG_ 100 S "S_with_a_long_name";\nBA_ "SystemMessageLongSymbol" BO_ 200 "N_long";\n',
  );
  t.strictSame(database.diagnostics, []);
  t.match(database.messages[0], { cycleTimeMs: 50, isFd: false });
  t.equal(database.messages[0]?.attributes.get("VFrameFormat"), "StandardCAN");
  const [first] = database.messages;
  t.equal(first?.attributes.get("CycleTime"), undefined, "what is not said of a message is its definition's default");
  t.equal(first === undefined ? undefined : attributeOf(database, first, "CycleTime"), 250);
  t.strictSame(database.attributeDefinitions.get("CycleTime"), { owner: "message", type: { kind: "integer", min: 0, max: 1 }, default: 250 });
  t.match(database.messages[0]?.signals[0], { name: "S_with_a_long_name", startRaw: 7 });
  t.strictSame([...(database.messages[0]?.signals[0]?.attributes.keys() ?? [])], ["GenSigStartValue"], "a long name is the name, and no attribute");
  t.match(database.messages[1], { name: "N_long", isFd: true, cycleTimeMs: undefined });
  t.equal(attributeOf(database, database, "Big"), 1e23);
  t.end();
});

test("the length tells CAN FD where no frame format does; a long J1939 message is not", (t) => {
  const database = parseDbc('BO_ 1 Fd: 24 A\nBO_ 2 J: 39 A\nBO_ 3 Tp: 200 A\nBA_DEF_ BO_ "VFrameFormat" INT 0 15;\nBA_ "VFrameFormat" BO_ 2 3;\n');
  t.strictSame(
    database.messages.map((message) => message.isFd),
    [true, false, false],
  );
  t.end();
});

test("multiplexers: plain, ranges, cascades, a lone m, a missing switch, a circle", (t) => {
  const signal = (name: string, mark: string): string => ` SG_ ${name} ${mark} : 0|8@1+ (1,0) [0|0] "" B\n`;
  const database = parseDbc(
    `BO_ 1 Plain: 8 A\n${signal("Sw", "M")}${signal("C1", "m1")}BO_ 2 Deep: 8 A\n${signal("Top", "M")}${signal("Mid", "m2M")}${signal("Low", "m3")}` +
      `BO_ 3 Lone: 8 A\n${signal("Sw", "m")}${signal("Kid", "m4")}BO_ 4 None: 8 A\n${signal("Kid", "m4")}BO_ 5 Circle: 8 A\n${signal("X", "m0M")}${signal("Y", "m0M")}` +
      "SG_MUL_VAL_ 2 Mid Top 2-2;\nSG_MUL_VAL_ 2 Low Mid 3-3, 10-4294967295;\nSG_MUL_VAL_ 3 Kid Sw 4-4;\nSG_MUL_VAL_ 5 X Y 0-0;\nSG_MUL_VAL_ 5 Y X 0-0;\n",
  );
  const mux = (message: number): unknown => database.messages[message]?.signals.map((each) => each.mux);
  t.strictSame(mux(0), [undefined, { switchIndex: 0, ranges: [{ low: 1, high: 1 }] }]);
  t.strictSame(mux(1), [
    undefined,
    { switchIndex: 0, ranges: [{ low: 2, high: 2 }] },
    {
      switchIndex: 1,
      ranges: [
        { low: 3, high: 3 },
        { low: 10, high: 4_294_967_295 },
      ],
    },
  ]);
  t.strictSame(mux(2), [undefined, { switchIndex: 0, ranges: [{ low: 4, high: 4 }] }]);
  t.strictSame(mux(3), [undefined]);
  t.ok(
    database.messages[4]?.signals.some((each) => each.mux === undefined),
    "a circle is cut",
  );
  t.match(errorsOf(database), [/"Kid" is marked as multiplexed but the message has no switch/, /circle/]);
  t.end();
});

test("names are data: __proto__ and constructor are signals like others, a name that occurs twice is marked and told", (t) => {
  const database = parseDbc(
    'BO_ 1 __proto__: 8 A\n SG_ constructor : 0|8@1+ (1,0) [0|0] "" B\n SG_ Twin : 8|8@1+ (1,0) [0|0] "" B\n SG_ Twin : 16|8@1+ (1,0) [0|0] "" B\nVAL_ 1 constructor 1 "one";\n',
  );
  const message = findMessage(database, "__proto__");
  t.equal(message?.signals[0]?.labels?.get(1), "one");
  t.strictSame(
    message?.signals.map((signal) => signal.sharesName),
    [false, true, true],
  );
  t.equal(message === undefined ? undefined : findSignal(message, "Twin")?.index, 1);
  t.match(database.diagnostics, [{ severity: "warning", message: /several signals "Twin"/, position: { line: 4 } }]);
  t.end();
});

test("of two messages with one id and kind the later counts; references go to the one that has the signal", (t) => {
  const database = parseDbc('BO_ 100 First: 8 A\n SG_ S : 0|8@1+ (1,0) [0|0] "" B\nBO_ 100 Second: 8 A\n SG_ T : 0|8@1+ (2,0) [0|0] "" B\nVAL_ 100 S 1 "s";\nVAL_ 100 T 1 "t";\n');
  t.equal(database.messages[0]?.signals[0]?.labels?.get(1), "s");
  t.equal(database.messages[1]?.signals[0]?.labels?.get(1), "t");
  t.match(database.diagnostics, [{ severity: "warning", message: /the later counts/ }]);
  t.end();
});

test("each of a broken file's statements costs only itself, with its position", (t) => {
  const database = parseDbc(
    [
      "BO_ nonsense",
      ' SG_ Lost : 0|8@1+ (1,0) [0|0] "" B',
      "BO_ 100 M: 8 A",
      " SG_ Broken : 0|8@1* (1,0)",
      ' SG_ Good : 0|8@1+ (1,0) [0|0] "" B',
      "stray words here",
      'VAL_ 100 Good 0 "no end"',
      'CM_ SG_ 100 "a comment on no signal";',
      'CM_ 100 "a comment on a bare id";',
      'VAL_ 100 Absent 0 "a";',
      'BA_ "X" BO_ 999 1;',
      "BO_ 200 N: 8 A",
      'CM_ "never closed;',
      "BO_ 300 Last: 8 A",
    ].join("\n"),
    { file: "broken.dbc" },
  );
  t.strictSame(
    database.messages.map((message) => [message.name, message.signals.map((signal) => signal.name)]),
    [
      ["M", ["Good"]],
      ["N", []],
      ["Last", []],
    ],
  );
  t.match(database.diagnostics, [
    { position: { file: "broken.dbc", line: 1, column: 5 } },
    { position: { line: 4 }, severity: "error" },
    { position: { line: 6, column: 1 }, severity: "error" },
    { position: { line: 8 }, message: /missing `;`/ },
    { position: { line: 8 }, severity: "warning" },
    { position: { line: 9 }, severity: "warning" },
    { position: { line: 10 }, message: /no signal/ },
    { position: { line: 11 }, message: /does not exist/ },
    { position: { line: 13, column: 5 }, message: /no closing quote/ },
    { position: { line: 14 }, message: /missing `;`/ },
  ]);
  t.equal(database.messages[0]?.comment, "a comment on a bare id");
  t.equal(database.messages[0]?.signals[0]?.labels?.get(0), "no end");
  t.end();
});

test("a file of which nothing can be used is refused with file, line, column and reason", (t) => {
  const refusal = (source: string | Uint8Array): unknown => {
    try {
      parseDbc(source, { file: "bad.dbc" });
      return undefined;
    } catch (error) {
      return error;
    }
  };
  t.match(refusal(""), { code: "DROVER_DBC_INVALID", message: /^bad\.dbc:1:1: no message .* it is empty/ });
  t.match(refusal("<xml/>"), { code: "DROVER_DBC_INVALID", position: { file: "bad.dbc", line: 1, column: 1 } });
  t.match(refusal("VERSION 7\n\nBO_ x"), { message: /^bad\.dbc:1:9: .*expected the version in quotes, found "7"/ });
  t.match(refusal(Buffer.from([0x1f, 0x8b, 0, 1, 2, 3, 0xff, 0xfe])), { code: "DROVER_DBC_INVALID" });
  t.match(refusal(new Uint8Array(17 * 1024 * 1024).fill(0x20)), { message: /at most/ });
  t.equal(refusal('VERSION ""\nBU_: A\n'), undefined, "a file with statements and no message is empty, not broken");
  t.end();
});

test("strict refuses a file at its first error, overlaps and signals beyond the message included", (t) => {
  t.throws(() => parseDbc("BO_ 274923520 Gm: 8 A\n", { strict: true }), { code: "DROVER_DBC_INVALID", position: { line: 1, column: 1 } });
  t.throws(() => parseDbc('BO_ 1 M: 1 A\n SG_ S : 4|8@1+ (1,0) [0|0] "" B\n', { strict: true }), { message: /:2:2: .*needs 2 bytes/ });
  t.throws(() => parseDbc(`${MESSAGE} SG_ O : 4|8@1+ (1,0) [0|0] "" B\n`, { strict: true }), { message: /share bits/ });
  t.doesNotThrow(() => parseDbc(`${HEADER}${MESSAGE}`, { strict: true }));
  t.end();
});

test("diagnostics are bounded: the rest is counted", (t) => {
  const database = parseDbc(`${MESSAGE}${'VAL_ 9 X 0 "a";\n'.repeat(3_000)}`);
  t.equal(database.diagnostics.length, 1_000);
  t.equal(database.suppressedDiagnostics, 2_000);
  t.end();
});

test("a missing closing quote is told where it opens, and costs no message behind it", (t) => {
  const sg = (name: string, unit: string): string => ` SG_ ${name} : 0|8@1+ (1,0) [0|0] ${unit} A\n`;
  const behind = `BO_ 292 N: 8 A\n${sg("T", '"km"')}BO_ 293 O: 8 A\n${sg("U", '""')}`;
  for (const [text, place] of [
    [`BO_ 291 M: 8 A\n${sg("S", '""')}CM_ BO_ 291 "abc ;\n${behind}`, "3:13"],
    [`BO_ 291 M: 8 A\n${sg("S", '"km')}${behind}`, "2:29"],
    [`BO_ 291 M: 8 A\n${sg("S", '""')}VAL_ 291 S 1 "on ;\nVAL_ 292 T 1 "off";\n${behind}`, "3:14"],
    [`BO_ 291 M: 8 A\r\n${sg("S", '""')}CM_ "abc ;\r\nCM_ BO_ 292 "x";\r\n${behind}`, "3:5"],
  ] as const) {
    const database = parseDbc(text);
    t.strictSame(
      database.messages.map((message) => message.name),
      ["M", "N", "O"],
    );
    t.equal(database.messages[1]?.signals[0]?.unit, "km");
    t.match(errorsOf(database)[0], new RegExp(`^${place} a text has no closing quote`));
    t.throws(() => parseDbc(text, { strict: true }), { message: new RegExp(`:${place}: a text has no closing quote`) });
  }
  t.end();
});

test("a comment may quote a database: what ends properly is kept whole, with a word about it", (t) => {
  const quoted = "as in\nBO_ 2 N: 8 A\n SG_ T : 0|8@1+\n";
  const database = parseDbc(`BO_ 1 M: 8 A\nCM_ BO_ 1 "${quoted}";\nBO_ 3 O: 8 A\nCM_ BO_ 3 "${quoted}" ;\n`);
  t.strictSame(
    database.messages.map((message) => [message.name, message.comment]),
    [
      ["M", quoted],
      ["O", quoted],
    ],
  );
  t.match(database.diagnostics, [
    { severity: "warning", position: { line: 2, column: 11 }, message: /closing quote/ },
    { severity: "warning", position: { line: 7, column: 11 } },
  ]);
  t.end();
});
