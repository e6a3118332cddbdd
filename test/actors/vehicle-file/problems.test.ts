// What is wrong in a file is said with its line and column, what was expected, and the name that was meant.

import { test } from "tap";
import { checkVehicle, resolverOver } from "../../../actors/vehicle-file/index.ts";
import { formatProblem, type Problem } from "../../../runtime/index.ts";
import { checkFiles, checkModel, HEAD, problemsOf, TRAILER_DBC } from "./small-world.ts";

/** Text after HEAD, and the one problem it must give. */
const CASES: readonly (readonly [name: string, text: string, problem: { readonly [Key in keyof Problem]?: Problem[Key] | RegExp }])[] = [
  ["an unknown key", `watchs: {}\n`, { line: 10, column: 1, path: "watchs", suggestion: "watches" }],
  ["an unknown signal of a message", `  A.B: { from: can0.Gps.Sped }\n`, { line: 10, column: 25, path: "signals.A.B.from", suggestion: "Speed" }],
  ["an unknown message", `  A.B: { from: can0.Gsp.Speed }\n`, { line: 10, column: 21, suggestion: "Gps" }],
  ["an unknown bus", `  A.B: { from: cna0.Gps.Speed }\n`, { line: 10, column: 16, suggestion: "can0" }],
  ["an unknown unit", `  A.B: { from: can0.Gps.Speed, unit: km/hh }\n`, { line: 10, column: 38, suggestion: "km/h" }],
  ["a signal from nowhere", `  A.B: { unit: V }\n`, { line: 10, column: 3, path: "signals.A.B" }],
  ["a term that is none", `  A.B: { sum: [can0.Gps.Speed, 2 x can0.Gps.Mode] }\n`, { line: 10, column: 32, path: "signals.A.B.sum.1" }],
  ["a bit beyond the signal", `  A.B: { from: can0.Gps.Mode, bit: 8 }\n`, { line: 10, column: 36, expected: "a whole number from 0 to 7" }],
  ["a factor of 0", `  A.B: { from: can0.Gps.Mode, factor: 0 }\n`, { line: 10, column: 39 }],
  ["a misspelt name in a condition", `conditions: { parked: Vehicle.Speed < 3 and Vehicle.Sped < 1 }\n`, { line: 10, column: 45, suggestion: "Vehicle.Speed" }],
  ["a wrong word in a quoted condition", `conditions: { parked: "Vehicle.Speed < three" }\n`, { line: 10, column: 40, path: "conditions.parked" }],
  ["a condition without its end", `conditions: { parked: (Vehicle.Speed < 3 }\n`, { line: 10, column: 41, expected: ")" }],
  ["a doubled equals sign", `conditions: { parked: Vehicle.Speed == 3 }\n`, { line: 10, column: 37, expected: "=" }],
  ["conditions in a circle", `conditions: { a: b, b: "not a" }\n`, { line: 10, column: 24, message: "the conditions go in a circle: a → b → a" }],
  ["a duration without a unit", `commands: { light.set: { to: torrent-0, deadline: 500 } }\n`, { line: 10, column: 51, path: "commands.light.set.deadline" }],
  [
    "a duration of many years",
    `commands: { light.set: { to: torrent-0, deadline: 9999d } }\n`,
    { line: 10, column: 51, path: "commands.light.set.deadline", expected: /at most 999d/ },
  ],
  ["a duration of nothing", `commands: { light.set: { to: torrent-0, ttl: 0.0s } }\n`, { line: 10, column: 46, path: "commands.light.set.ttl", expected: /more than nothing/ }],
  ["a watch that never speaks", `watches: { Vehicle.Speed: { at_most: 99999999999s } }\n`, { line: 10, column: 38 }],
  ["an age that nothing reaches", `  A.B: { from: can0.Gps.Speed, stale_after: 10000h }\n`, { line: 10, column: 45 }],
  ["a deadline after the end", `commands: { light.set: { to: torrent-0, deadline: 5s, ttl: 1s } }\n`, { line: 10, column: 60 }],
  [
    "a show that is to wait",
    `commands: { show.it: { to: torrent-0, as: output.identify, when_away: wait } }\n`,
    { line: 10, column: 71, path: "commands.show.it.when_away", message: "output.identify cannot wait: it wants nothing that could still be reached later", expected: "refuse" },
  ],
  ["a misspelt command", `commands: { lihgt.set: { to: torrent-0 } }\n`, { line: 10, column: 13, suggestion: "light.set" }],
  ["an update of an output", `commands: { update.start: { to: torrent-0.galley } }\n`, { line: 10, column: 33, message: /meant for "torrent-0" as a whole/ }],
  [
    "an unknown guard of an update",
    `commands: { update.start: { to: "*", guard: prked } }\nconditions: { parked: Vehicle.Speed < 1 }\n`,
    { line: 10, column: 45, suggestion: "parked" },
  ],
  ["a misspelt output", `commands: { relay.set: { to: switchback-0.awnin } }\n`, { line: 10, column: 43, suggestion: "awning" }],
  ["a pattern that fits nothing", `commands: { light.set: { to: "torent-*" } }\n`, { line: 10, column: 31 }],
  ["a command that the module does not take", `commands: { relay.set: { to: torrent-0 } }\n`, { line: 10, column: 30 }],
  ["an unknown guard", `commands: { light.set: { to: torrent-0, guard: prked } }\nconditions: { parked: Vehicle.Speed < 1 }\n`, { line: 10, column: 48, suggestion: "parked" }],
  ["a watch of nothing", `watches: { Vehicle.Spede: {} }\n`, { line: 10, column: 12, suggestion: "Vehicle.Speed" }],
  ["telemetry of nothing", `telemetry: { state: { on_change: [Vehicle.Speed, Vehicle.Sped] } }\n`, { line: 10, column: 50, suggestion: "Vehicle.Speed" }],
  ["a watch that is too fast", `watches: { Vehicle.Speed: { at_most: 1ms } }\n`, { line: 10, column: 38 }],
  ["limits of a watch that overlap", `watches: { Vehicle.Speed: { above: 10, below: 20 } }\n`, { line: 10, column: 36, expected: "at least the value of below" }],
  ["a pattern over a misspelt group", `telemetry: { state: { on_change: [Vehcile.*] } }\n`, { line: 10, column: 35, suggestion: "Vehicle.*" }],
  ["one word for two values", `  A.B: { from: can0.Gps.Mode, enum: { 0: none, 1: fix, 2: none } }\n`, { line: 10, column: 59, path: "signals.A.B.enum.2" }],
  ["an unknown source of time", `clock: [ntp, can0.Gsp]\n`, { line: 10, column: 19, suggestion: "Gps" }],
  ["a wrong budget", `telemetry: { budget: 1GB }\n`, { line: 10, column: 22, expected: "a budget such as 1GB/month" }],
  ["a key that other readers take for a boolean", `power: { on: can0 silent for 1s }\n`, { line: 10, column: 10, path: "" }],
  ["a key that occurs twice", `version: 2\n`, { line: 10, column: 1 }],
  ["an alias", `watches: { Vehicle.Speed: &a {} }\n`, { line: 10 }],
];

test("D2. A miss names file, line and column, what was expected and the name that was meant", (t) => {
  for (const [name, text, expected] of CASES) {
    const problems = problemsOf(checkModel(HEAD + text));
    t.equal(problems.length, 1, `${name}: ${problems.map(formatProblem).join(" | ")}`);
    t.match(problems[0], { file: "small.yaml", ...expected }, name);
  }
  t.end();
});

test("D2. All problems of a file are told at once, in the order of the lines", (t) => {
  const problems = problemsOf(checkModel(`${HEAD}  A.B: { from: can0.Gps.Sped }\nwatches: { B.C: {} }\nconditions: { x: y }\n`));
  t.same(
    problems.map((problem) => problem.line),
    [10, 11, 12],
  );
  t.equal(problems.length, 3);
  t.end();
});

test("D2. A file that is not there is told with the nearest of the same folder, wherever that is", (t) => {
  const folders: Readonly<Record<string, readonly string[]>> = { "v/": ["model.yaml", "data"], "data/": ["toyota.dbc", "truck.dbc", "fixes.yaml"] };
  const resolver = resolverOver(
    () => undefined,
    (folder) => folders[folder] ?? [],
  );
  const suggested = (dbc: string): string | undefined =>
    problemsOf(checkVehicle({ file: "v/model.yaml", text: `model: small\nversion: 1\nbuses: { can0: { dbc: ${dbc} } }\n` }, resolver))[0]?.suggestion;
  t.equal(suggested("../data/toyta.dbc"), "../data/toyota.dbc");
  t.equal(suggested("/data/toyta.dbc"), undefined, "not a folder that was listed");
  t.equal(suggested("../dta/toyota.dbc"), undefined, "no such folder");
  t.equal(suggested("../data/boat.xml"), undefined, "nothing near: the folder does not count");
  t.end();
});

test("D2. What is wrong once is told once: nothing that depends on it is blamed", (t) => {
  const text = HEAD.replace("trailer.dbc", "trialer.dbc");
  const problems = problemsOf(
    checkModel(`${text}conditions: { parked: Vehicle.Speed < 1 }\ncommands: { light.set: { to: torrent-0, guard: parked } }\nwatches: { Vehicle.Speed: {} }\n`),
  );
  t.same(problems.map(formatProblem), [`small.yaml:4:16: buses.can0.dbc: there is no file "trialer.dbc" (expected a DBC file beside this one; did you mean "trailer.dbc"?)`]);
  t.end();
});

test("D2. Modules that cannot be told apart, or are not told as their type asks, are refused", (t) => {
  const modules = (lines: string): readonly Problem[] => problemsOf(checkModel(`model: small\nversion: 1\nbuses: { can0: { dbc: trailer.dbc } }\nmodules:\n${lines}`));
  t.match(modules(`  a: { use: trailcurrent/torrent, bus: can0 }\n`), [{ line: 5, column: 3, expected: "a whole number from 0 to 2" }]);
  t.match(modules(`  a: { use: trailcurrent/torrent, bus: can0, address: 3 }\n`), [{ line: 5, column: 55 }]);
  t.match(modules(`  a: { use: trailcurrent/torrent, bus: can0, address: 0 }\n  b: { use: trailcurrent/torrent, bus: can0, address: 0 }\n`), [
    { line: 6, column: 3, message: /same place as "a"/ },
  ]);
  t.match(modules(`  a: { use: trailcurrent/torent, bus: can0, address: 0 }\n`), [{ line: 5, column: 13, suggestion: "trailcurrent/torrent" }]);
  t.match(modules(`  a: { use: trailcurrent/torrent, bus: can0, address: 0, outputs: { 0: x } }\n`), [{ line: 5, expected: "a channel from 1 to 8" }]);
  t.match(modules(`  a: { use: j1939/ecu, bus: can0, sa: 0 }\n`), [{ line: 5, column: 39, expected: "match: j1939 at buses.can0" }]);
  t.match(modules(`  a: { bus: can0 }\n`), [{ line: 5, column: 3 }]);
  t.match(modules(`  a: { bus: can0, presence: { message: TrailerStatsu } }\n`), [{ line: 5, suggestion: "TrailerStatus" }]);
  t.match(modules(`  a: { use: trailcurrent/therma, bus: can0 }\n`), [{ message: /no message "ThermaStatus"/ }, {}]);
  t.end();
});

test("D1. A vehicle's file, its model and its overlay are checked together, each problem in its own file", (t) => {
  const files = {
    "one.yaml": `vehicle: acme/vehicle/one\nmodel: small@2\nparts: { torrent-9: "mac:0A1E05" }\n`,
    "small.yaml": `${HEAD.replace("mode: normal", "mode: normal, overlay: fixes.yaml")}watches: { A: {} }\n`,
    "fixes.yaml": `Gps.Speed: { factor: 2 }\nGps.Sped: { signed: true, source: tried }\n`,
  };
  t.same(problemsOf(checkFiles("one.yaml", files)).map(formatProblem), [
    `fixes.yaml:1:12: Gps.Speed: the key "source" is missing (expected words that say where this is known from)`,
    `fixes.yaml:2:1: Gps.Sped: the message Gps has no signal "Sped" (did you mean "Speed"?)`,
    `small.yaml:10:12: watches.A: there is no signal "A"`,
    `one.yaml:2:8: model: the file found for it has version 1 (expected version 2; did you mean "small@1"?)`,
    `one.yaml:3:10: parts.torrent-9: the model has no module "torrent-9" (did you mean "torrent-0"?)`,
  ]);
  const swapped = `vehicle: acme/vehicle/one\nmodel: small\nparts: { torrent-0: "mac:0A1E05", switchback-0: "mac:0a1e05" }\n`;
  t.same(problemsOf(checkFiles("one.yaml", { "one.yaml": swapped, "small.yaml": HEAD })).map(formatProblem), [
    "one.yaml:3:49: parts.switchback-0: mac:0a1e05 is in torrent-0 already (expected a part of its own: a module is in one place)",
  ]);
  t.match(problemsOf(checkFiles("one.yaml", { "one.yaml": `vehicle: acme/vehicle/one\nmodel: smal\n`, "small.yaml": HEAD })), [
    { file: "one.yaml", line: 2, column: 8, suggestion: "small.yaml" },
  ]);
  t.end();
});

test("D1. Neither the model's nor the vehicle's file has a place for a secret", (t) => {
  for (const key of ["password", "token", "credentials", "url"]) {
    t.match(problemsOf(checkModel(`${HEAD}${key}: hunter2\n`)), [{ line: 10, column: 1, path: key }]);
    t.match(problemsOf(checkFiles("one.yaml", { "one.yaml": `vehicle: acme/vehicle/one\nmodel: small\n${key}: hunter2\n`, "small.yaml": HEAD })), [{ line: 3, path: key }]);
  }
  t.end();
});

test("a message that no frame is ever read as is refused, and so is a name that two signals share", (t) => {
  const trouble = `${TRAILER_DBC}BO_ 7 Later: 8 Vector__XXX\n SG_ Twin : 0|8@1+ (1,0) [0|0] "" Vector__XXX\n SG_ Twin : 8|8@1+ (1,0) [0|0] "" Vector__XXX\n`;
  const problems = problemsOf(checkFiles("small.yaml", { "small.yaml": `${HEAD}  Twin: { from: can0.Later.Twin }\n`, "trailer.dbc": trouble }));
  t.match(problems, [
    { line: 9, column: 31, message: /no frame is ever read as Gps/ },
    { line: 10, column: 28, message: /several signals called "Twin"/ },
  ]);
  t.equal(problems.length, 2);
  t.end();
});

test("a database that cannot be used is a problem of its own file", (t) => {
  const problems = problemsOf(checkFiles("small.yaml", { "small.yaml": HEAD, "trailer.dbc": 'VERSION ""\nBO_ what\n' }));
  t.equal(problems.length, 1);
  t.match(problems[0], { file: "trailer.dbc", expected: "a CAN database (DBC)" });
  t.end();
});

test("a rate of nothing is refused; equal limits of a watch are one threshold; where nothing is known nothing is listed", (t) => {
  const [rate] = problemsOf(checkModel(HEAD.replace("mode: normal }", "mode: normal, max_tx: 0/s }")));
  t.match(rate, { line: 4, path: "buses.can0.max_tx", message: /nothing could ever be sent/ });
  t.equal(checkModel(`${HEAD}watches: { Vehicle.Speed: { above: 20, below: 20 } }\n`).kind, "valid");
  const outputless = HEAD.replace(", outputs: { 2: awning }", "");
  const problems = problemsOf(checkModel(`${outputless}commands: { relay.set: { to: switchback-0.awning } }\n`));
  t.ok(problems.length > 0);
  const busless = problemsOf(checkModel("model: small\nversion: 1\nbuses: {}\nmodules: { a: { bus: can0 } }\n"));
  for (const problem of [...problems, ...busless]) t.notMatch(formatProblem(problem), /one of \)|one of ;/);
  t.end();
});
