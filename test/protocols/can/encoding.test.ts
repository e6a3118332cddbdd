// Values into frames: rounding, range, multiplexing, padding. A value that does not fit is refused, never wrapped.

import { test } from "tap";
import { encodeFrame, parseDbc, roundHalfEven } from "../../../protocols/can/index.ts";

const database = parseDbc(
  'BO_ 1 M: 8 A\n SG_ Half : 0|8@1+ (0.5,-10) [-10|100] "" X\n SG_ Neg : 8|8@1- (1,0) [0|0] "" X\n SG_ Big : 23|16@0+ (0.01,0) [0|600] "km/h" X\n SG_ Start : 32|8@1+ (1,0) [0|10] "" X\n SG_ Zero : 40|8@1+ (0,7) [0|0] "" X\n' +
    'BO_ 2 Mux: 8 A\n SG_ Sw M : 0|8@1+ (1,0) [0|0] "" X\n SG_ A m1 : 8|8@1+ (1,0) [0|0] "" X\n SG_ B m2 : 8|8@1+ (1,0) [0|0] "" X\n' +
    'BO_ 3 F: 12 A\n SG_ F32 : 0|32@1- (2,1) [0|0] "" X\n SG_ F64 : 32|64@1- (1,0) [0|0] "" X\n' +
    'BO_ 4 Fd: 10 A\n SG_ U : 0|64@1+ (1,0) [0|0] "" X\n SG_ Over : 4|8@1+ (1,0) [0|0] "" X\nBO_ 2147483653 Long: 200 A\n SG_ U : 0|8@1+ (1,0) [0|0] "" X\n' +
    'BA_DEF_ SG_ "GenSigStartValue" INT 0 255;\nBA_ "GenSigStartValue" SG_ 1 Start 5;\nVAL_ 1 Start 255 "not available";\nSIG_VALTYPE_ 3 F32 : 1;\nSIG_VALTYPE_ 3 F64 : 2;\n',
);
const [plain, muxed, floats, fd, long] = database.messages;

function encode(message: typeof plain, values: Record<string, number | bigint>, options = {}): unknown {
  if (message === undefined) return undefined;
  const outcome = encodeFrame(message, new Map(Object.entries(values)), options);
  return outcome.kind === "encoded" ? Buffer.from(outcome.frame.data).toString("hex") : outcome.problems.map((problem) => `${problem.signal}: ${problem.message}`);
}

test("halves round to even, as the tools of the trade do", (t) => {
  t.strictSame([0.5, 1.5, 2.5, -0.5, -1.5, 2.4999, -2.5001].map(roundHalfEven), [0, 2, 2, -0, -2, 2, -3]);
  t.equal(encode(plain, { Half: -9.75 }), "0000000005000000", "0.5 becomes 0");
  t.equal(encode(plain, { Half: -9.25 }), "0200000005000000", "1.5 becomes 2");
  t.end();
});

test("a start value fills a signal that was not given, padding the bits that belong to none", (t) => {
  t.equal(encode(plain, {}), "0000000005000000");
  t.equal(encode(plain, { Neg: -1 }, { padding: 1 }), "ffffffff05ffffff");
  t.equal(encode(plain, { Big: 25.6 }), "00000a0005000000", "Motorola");
  t.end();
});

test("out of range is refused, with a millionth of tolerance; a labelled raw value is in range", (t) => {
  t.match(encode(plain, { Big: 600.1 }), ["Big: 600.1 lies outside of 0 to 600"]);
  t.equal(encode(plain, { Big: 600.000_000_005 }), "0000ea6005000000");
  t.equal(encode(plain, { Start: 255 }), "00000000ff000000");
  t.match(encode(plain, { Start: 11 }), [/^Start: 11 lies outside/]);
  t.match(encode(plain, { Neg: 128 }), [/^Neg: raw value 128 does not fit 8 signed bits/]);
  t.match(encode(plain, { Neg: 300, Half: 1000 }), [/^Neg/, /^Half/]);
  t.match(encode(plain, { Neg: Number.NaN }), [/not a number/]);
  t.match(encode(plain, { Neg: Number.POSITIVE_INFINITY }), [/no whole number/]);
  t.match(encode(plain, { Nope: 1 }), [/no such signal/]);
  t.match(encode(plain, { Zero: 8 }), [/factor is 0/]);
  t.equal(encode(plain, { Zero: 7 }), "0000000005000000");
  t.end();
});

test("a signal that its switch does not select is refused", (t) => {
  t.equal(encode(muxed, { Sw: 1, A: 9 }), "0109000000000000");
  t.match(encode(muxed, { Sw: 1, B: 9 }), [/^B: it is selected by Sw = 2, which is 1/]);
  t.match(encode(muxed, { A: 9 }), [/^A: it is selected by Sw = 1, which is 0/]);
  t.end();
});

test("floats are not rounded, 64-bit integers lose nothing, shared bits are noticed", (t) => {
  t.equal(encode(floats, { F32: 4, F64: Math.PI }), "0000c03f182d4454fb210940");
  t.equal(encode(floats, { F64: Number.NaN }), "00000000000000000000f87f");
  t.equal(encode(fd, { U: 0xffff_ffff_ffff_fffen }), "feffffffffffffff00000000", "a CAN FD frame has the next length that exists");
  t.match(encode(fd, { U: 0n, Over: 3 }), [/^U: another given signal shares its bits/]);
  t.end();
});

test("a message that fits no frame, and a signal beyond a shorter one, are refused", (t) => {
  t.match(encode(long, { U: 1 }), [/200 bytes do not fit one classic frame/]);
  t.match(encode(plain, { Start: 1 }, { length: 2 }), [/beyond 2 bytes/]);
  t.equal(encode(plain, { Half: -10 }, { length: 2 }), "0000");
  t.equal(encode(plain, { Start: 200 }, { raw: true }), "00000000c8000000", "raw values have no range but their bits");
  t.end();
});
