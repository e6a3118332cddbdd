// The closed grammar of conditions, as data and with positions.

import { test } from "tap";
import { type ConditionNames, parseCondition } from "../../../actors/vehicle-file/condition-parser.ts";
import { mulberry32 } from "../../../runtime/simulation/seeded-random.ts";

const names: ConditionNames = {
  isSignal: (name) => ["A", "B.C", "torrent-0.galley"].includes(name),
  isCondition: (name) => name === "parked",
  silentOf: (name) => (name === "can0" ? "bus" : name === "therma" ? "module" : name === "A" ? "signal" : undefined),
  label: (signal, word) => (signal === "A" && word === "on fire" ? 7 : signal === "A" && word === "fault" ? 2 : undefined),
  labelsOf: (signal) => (signal === "A" ? ["fault", "on fire"] : []),
  nearest: () => "nearest",
};

const compare = (signal: string, comparison: string, value: number) => ({ kind: "compare", signal, comparison, value });

test("D3. Conditions are comparison, for, silent for, and, or, not, with not before and before or", (t) => {
  const cases: readonly (readonly [string, unknown])[] = [
    ["A < 3", compare("A", "<", 3)],
    ["A<=-3.5e1", compare("A", "<=", -35)],
    ["torrent-0.galley != .5", compare("torrent-0.galley", "!=", 0.5)],
    ["A = fault", compare("A", "=", 2)],
    ['A = "on fire"', compare("A", "=", 7)],
    ["A >= 1 for 120s", { kind: "held", condition: compare("A", ">=", 1), forMs: 120_000 }],
    ["can0 silent for 2m", { kind: "silent", of: "bus", name: "can0", forMs: 120_000 }],
    ["therma silent for 500ms", { kind: "silent", of: "module", name: "therma", forMs: 500 }],
    ["parked", { kind: "named", name: "parked" }],
    ["parked for 1d", { kind: "held", condition: { kind: "named", name: "parked" }, forMs: 86_400_000 }],
    ["A = 1 and B.C = 2 and parked", { kind: "all", conditions: [compare("A", "=", 1), compare("B.C", "=", 2), { kind: "named", name: "parked" }] }],
    ["A = 1 or B.C = 2 and parked", { kind: "any", conditions: [compare("A", "=", 1), { kind: "all", conditions: [compare("B.C", "=", 2), { kind: "named", name: "parked" }] }] }],
    [
      "not A = 1 and parked",
      {
        kind: "all",
        conditions: [
          { kind: "not", condition: compare("A", "=", 1) },
          { kind: "named", name: "parked" },
        ],
      },
    ],
    [
      "not (A = 1 or parked) for 1s",
      { kind: "not", condition: { kind: "held", condition: { kind: "any", conditions: [compare("A", "=", 1), { kind: "named", name: "parked" }] }, forMs: 1000 } },
    ],
    ["not not parked", { kind: "named", name: "parked" }],
  ];
  for (const [text, condition] of cases) t.same(parseCondition(text, names), { kind: "parsed", condition }, text);
  t.end();
});

test("D3. What is not of the grammar is refused at its letter: no code, no arithmetic, no second signal", (t) => {
  const cases: readonly (readonly [string, number, (string | undefined)?])[] = [
    ["", 0],
    ["A", 1, "= != < <= > >="],
    ["A <", 3, "a number"],
    ["A < B.C", 4],
    ["A + 1 < 3", 2],
    ["A == 1", 2, "="],
    ["A = 1 && parked", 6, "and"],
    ["A = 1 parked", 6],
    ["(A = 1", 6, ")"],
    ["A = 1)", 5],
    ["A = 1 for", 9],
    ["A = 1 for 10", 10],
    ["A = 1 for 0s", 10],
    ["can0 silent", 11],
    ["can0 silent for 5s for 5s", 0, undefined],
    ["can1 silent for 5s", 0],
    ["Z < 1", 0],
    ["unparked", 0],
    ["and", 0],
    ["not", 3],
    ["A < 1e999", 4],
    ["process.exit()", 0],
    ["A < 3; B.C < 2", 5],
    ["A < $(reboot)", 4],
  ];
  for (const [text, at, expected] of cases) {
    const result = parseCondition(text, names);
    if (text.startsWith("can0 silent for 5s for")) {
      t.equal(result.kind, "parsed", "silence may itself be held");
      continue;
    }
    t.equal(result.kind, "refused", text);
    if (result.kind === "refused") t.match(result.complaints[0], { at, ...(expected === undefined ? {} : { expected }) }, text);
  }
  t.end();
});

test("any text of words is parsed or refused within its bounds, with a place inside the text", (t) => {
  const words = [
    "A",
    "B.C",
    "parked",
    "can0",
    "<",
    "<=",
    "=",
    "!=",
    "(",
    ")",
    "and",
    "or",
    "not",
    "for",
    "silent",
    "3",
    "-1.5",
    "5s",
    "120ms",
    '"on fire"',
    '"',
    "é",
    "\u0000",
    "==",
    "__proto__",
    "constructor",
  ];
  const draw = mulberry32(20_261);
  for (let round = 0; round < 20_000; round++) {
    const text = Array.from({ length: draw() % 14 }, () => words[draw() % words.length] ?? "").join(draw() % 3 === 0 ? "" : " ");
    const result = parseCondition(text, names);
    if (result.kind === "refused" && (result.complaints.length === 0 || result.complaints.some((complaint) => complaint.at < 0 || complaint.at > text.length))) t.fail(text);
  }
  for (const text of ["(".repeat(10_000), "not ".repeat(10_000), "A=1 and ".repeat(10_000), "A".repeat(100_000)]) t.equal(parseCondition(text, names).kind, "refused");
  t.end();
});
