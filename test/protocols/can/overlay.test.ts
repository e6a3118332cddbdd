// Corrections laid over a database, which itself stays as it was.

import { test } from "tap";
import { applyOverlay, findMessage, findSignal, type OverlayEntry, parseDbc } from "../../../protocols/can/index.ts";

const database = parseDbc(
  'BO_ 1 T: 8 A\n SG_ Celsius : 0|8@1+ (1,0) [0|0] "" X\n SG_ Twin : 8|8@1+ (1,0) [0|0] "" X\n SG_ Twin : 16|8@1+ (1,0) [0|0] "" X\n SG_ F : 32|32@1- (1,0) [0|0] "" X\nSIG_VALTYPE_ 1 F : 1;\n',
);

function signalOf(entries: readonly OverlayEntry[]): unknown {
  const outcome = applyOverlay(database, entries);
  if (outcome.kind === "refused") return outcome.problems.map((problem) => problem.message);
  const message = findMessage(outcome.database, "T");
  return message === undefined ? undefined : findSignal(message, "Celsius");
}

test("an overlay replaces factor, offset, unit and sign, and leaves the rest", (t) => {
  t.match(signalOf([{ message: "T", signal: "Celsius", factor: 0.5, offset: -40, unit: "degC", signed: true, source: "firmware" }]), {
    factor: 0.5,
    offset: -40,
    unit: "degC",
    type: "signed",
    start: 0,
    size: 8,
  });
  t.match(signalOf([{ message: "T", signal: "Celsius", unit: "K", source: "x" }]), { factor: 1, unit: "K", type: "unsigned" });
  t.match(database.messages[0]?.signals[0], { factor: 1, unit: "", type: "unsigned" }, "the database itself is as it was");
  t.equal((applyOverlay(database, []) as { database: unknown }).database, database);
  t.end();
});

test("an entry that fits nothing refuses the whole overlay and says which", (t) => {
  const bad = (entry: Partial<OverlayEntry>): unknown => signalOf([{ message: "T", signal: "Celsius", source: "x", ...entry }]);
  t.match(bad({ message: "U" }), [/no message "U"/]);
  t.match(bad({ signal: "Kelvin" }), [/no signal "Kelvin"/]);
  t.match(bad({ signal: "Twin" }), [/several signals "Twin"/]);
  t.match(bad({ factor: 0 }), [/other than 0/]);
  t.match(bad({ offset: Number.NaN }), [/finite/]);
  t.match(bad({ signal: "F", signed: true }), [/floating point/]);
  t.end();
});
