// Whatever text comes, the checker answers with a model or with problems, within bounds: it never throws and never hangs.

import { test } from "tap";
import { form } from "../../forms.ts";
import type { Problem } from "../../../runtime/index.ts";
import { mulberry32 } from "../../../runtime/simulation/seeded-random.ts";
import { checkFiles, checkModel, HEAD, problemsOf } from "./small-world.ts";

const hostile: readonly (readonly [string, string])[] = [
  ["nothing", ""],
  ["only a comment", "# nothing\n"],
  ["a text", "hello"],
  ["a list", "- a\n- b\n"],
  ["null", "null\n"],
  ["tabs", "model: x\n\tversion: 1\n"],
  ["two documents", `${HEAD}---\n${HEAD}`],
  ["an unclosed quote", `model: "x\n`],
  ["an unclosed map", "buses: { can0: { dbc: x\n"],
  ["a complex key", "? [a, b]\n: c\n"],
  ["a number as a key", "1: 2\n"],
  ["a key of null", "~: 1\n"],
  ["a merge key", "a: &a { x: 1 }\nb: { <<: *a }\n"],
  ["a foreign tag", "model: !!js/function 'function () {}'\n"],
  ["a binary tag", "model: !!binary aGVsbG8=\n"],
  ["dangerous keys", "__proto__: { polluted: true }\nconstructor: { prototype: { polluted: true } }\n"],
  ["dangerous places", HEAD.replaceAll("torrent-0", "__proto__")],
  [
    "a billion laughs",
    `a: &a [x,x,x,x,x,x,x,x,x]\n${["b", "c", "d", "e", "f", "g", "h", "i"]
      .map(
        (name, index) =>
          `${name}: &${name} [${Array(9)
            .fill(`*${"abcdefgh".charAt(index)}`)
            .join(",")}]`,
      )
      .join("\n")}\n`,
  ],
  ["an alias of itself", "a: &a { b: *a }\n"],
  ["deep brackets", "[".repeat(100_000)],
  ["deep maps", "{a: ".repeat(100_000)],
  ["deep lists on one line", `${"- ".repeat(20_000)}x\n`],
  ["deep indentation", Array.from({ length: 2_000 }, (_, depth) => `${" ".repeat(depth)}a:`).join("\n")],
  ["a wide map", `modules:\n${Array.from({ length: 40_000 }, (_, index) => `  m${String(index)}: {}`).join("\n")}\n`],
  ["a long line", `model: ${"x".repeat(500_000)}\n`],
  ["more than is read", "#".repeat(512_001)],
  ["zero bytes", "model: \u0000\n"],
  ["a lone surrogate", "model: \ud800\n"],
  ["a byte order mark", `\ufeff${HEAD}`],
  ["carriage returns", HEAD.replaceAll("\n", "\r\n")],
];

test("D2. No text makes the checker throw, hang or grow: alias bombs, deep nesting, wide maps, wrong types", (t) => {
  for (const [name, text] of hostile) {
    const problems = problemsOf(checkModel(text));
    const isFine = name === "a byte order mark" || name === "carriage returns";
    t.equal(problems.length > 0, !isFine, `${name}: ${problems[0]?.message.slice(0, 80) ?? "valid"}`);
    t.ok(problems.length <= 201, `${name}: ${String(problems.length)} problems`);
    t.ok(problems.every(isPlaced), `${name}: placed`);
  }
  t.equal(({} as { polluted?: boolean }).polluted, undefined);
  t.end();
});

test("D2. A second document is named in words for who wrote the file", (t) => {
  const [problem] = problemsOf(checkModel(`${HEAD}---\n${HEAD}`));
  t.match(problem?.message, /a second document begins here \(expected one document in the file\)/);
  t.end();
});

test("a hostile overlay or vehicle's file is a problem too", (t) => {
  for (const [name, text] of hostile) {
    const asOverlay = checkFiles("small.yaml", { "small.yaml": HEAD.replace("mode: normal", "overlay: o.yaml, mode: normal"), "o.yaml": text });
    t.equal(asOverlay.kind, "invalid", `overlay: ${name}`);
    const asVehicle = checkFiles("v.yaml", { "v.yaml": `vehicle: a/vehicle/b\n${text}`, "small.yaml": HEAD });
    t.equal(asVehicle.kind, "invalid", `vehicle: ${name}`);
  }
  t.end();
});

const DAMAGES = form(150, 600);

test("D2. Any damaged file is judged: letters lost, doubled, swapped, lines moved, values of other kinds", (t) => {
  const whole = `${HEAD}conditions: { parked: Vehicle.Speed < 3 for 2m }\ncommands:\n  light.set: { to: torrent-*, guard: parked, deadline: 500ms }\nwatches: { Vehicle.Speed: { deadband: 1 } }\ntelemetry: { state: { on_change: [Vehicle.Speed] } }\n`;
  const draw = mulberry32(99);
  const inserts = ["{", "}", "[", "]", ":", ",", "\n", " ", "\t", "'", '"', "&a", "*a", "~", "true", "1e999", "0x10", ".nan", "-", "|", ">", "%", "@", "`", "é", "\u2028", "? "];
  let invalid = 0;
  for (let round = 0; round < DAMAGES; round++) {
    let text = whole;
    for (let wounds = 1 + (draw() % 3); wounds > 0; wounds--) {
      const at = draw() % text.length;
      const length = draw() % 4;
      text = text.slice(0, at) + (draw() % 2 === 0 ? (inserts[draw() % inserts.length] ?? "") : "") + text.slice(at + length);
    }
    const checked = checkModel(text);
    if (checked.kind === "invalid") invalid++;
    if (checked.kind === "invalid" && (checked.problems.length === 0 || !checked.problems.every(isPlaced))) t.fail(text);
  }
  t.ok(invalid > DAMAGES * 0.6, `${String(invalid)} of ${String(DAMAGES)} were refused`);
  t.end();
});

test("a value of any other kind is refused where one kind is asked for", (t) => {
  const lines = HEAD.trimEnd().split("\n");
  for (const value of ["[]", "{}", "null", "true", "-1", "1.5", ".nan", ".inf", "text", "[[1]]", "{ a: { b: c } }"]) {
    for (const [index, line] of lines.entries()) {
      const colon = line.indexOf(":");
      const text = [...lines.slice(0, index), `${line.slice(0, colon)}: ${value}`, ...lines.slice(index + 1)].join("\n");
      const problems = problemsOf(checkModel(text));
      if (!problems.every(isPlaced)) t.fail(text);
      if (index < 2 && value !== "text" && value !== "1") t.ok(problems.length > 0, `${line} → ${value}`);
    }
  }
  t.end();
});

function isPlaced(problem: Problem): boolean {
  return Number.isInteger(problem.line) && problem.line >= 1 && Number.isInteger(problem.column) && problem.column >= 1 && problem.message.length > 0 && problem.file.length > 0;
}
