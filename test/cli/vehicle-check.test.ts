// `drover vehicle check`: problems with their places, or a summary.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { root } from "../project/checkout.ts";
import { drover, scratch } from "./captured.ts";

const demo = (name: string): string => join(root, "cli/demo/vehicles", name);

test("D2. a valid file gives a summary, what may be sent, and what is not acted on yet", async (t) => {
  const { code, out } = await drover(["vehicle", "check", demo("trailer-01.yaml")]);
  t.equal(code, 0);
  t.match(out, /^valid {2}demo\/vehicle\/trailer-01, trailcurrent-trailer@3/);
  t.match(out, /awning\.set \(if parked\)/);
  t.match(out, /valid, but not acted on yet:\n {4}power: /);
  t.match((await drover(["vehicle", "check", demo("rav4-01.yaml")])).out, /nothing: every bus is listen-only/);
});

test("the summary as JSON has stable keys", async (t) => {
  const { out } = await drover(["vehicle", "check", demo("truck-01.yaml"), "--json"]);
  t.match(JSON.parse(out), {
    valid: true,
    vehicle: "demo/vehicle/truck-01",
    model: "j1939-truck",
    version: 1,
    hash: /^[0-9a-f]{64}$/,
    buses: [{ name: "can1", mode: "listen-only", match: "j1939" }, { name: "can2" }],
    signals: { vehicle: Number, module: Number },
    commands: [],
    notActedOn: Array,
  });
});

test("D4, X4. a command's deadline is told as that of its frame, beside the longer time in which its confirmation is awaited, and what happens while the vehicle is away", async (t) => {
  const { commands } = JSON.parse((await drover(["vehicle", "check", demo("trailer-01.yaml"), "--json"])).out) as { readonly commands: readonly { readonly name: string }[] };
  const of = (wanted: string): object | undefined => commands.find(({ name }) => name === wanted);
  t.match(of("light.set"), { deadlineMs: 500, ttlMs: 10_000, confirmWithinMs: 1_500, whenAway: "refuse" });
  t.match(of("climate.setpoint.request"), { deadlineMs: 3_000, ttlMs: 600_000, confirmWithinMs: 4_000, whenAway: "wait" }, "its status comes once a second");
  t.match(of("output.identify"), { deadlineMs: 500, confirmWithinMs: null }, "no status confirms it");
  const { out } = await drover(["vehicle", "check", demo("trailer-01.yaml")]);
  t.match(out, "    climate.setpoint.request: its frame on the bus within 3000 ms, its confirmation within 4000 ms more; vehicle away: wait\n");
  t.match(out, "    output.identify: its frame on the bus within 500 ms; vehicle away: refuse\n");
});

test("D2. every problem is a line file:line:column with what was expected and a suggestion; exit code 3", async (t) => {
  const folder = scratch(t);
  const file = join(folder, "car.yaml");
  writeFileSync(join(folder, "car.dbc"), 'VERSION ""\nBU_:\nBO_ 1 ENGINE: 8 X\n SG_ RPM : 0|16@1+ (1,0) [0|8000] "rpm" X\n');
  writeFileSync(file, "model: car\nversion: 1\nbuses:\n  can0: { dbc: car.dbc, bitrate: 500000 }\nsignals:\n  Engine.Speed: { from: can0.ENGNE.RPM }\nwatchs: {}\n");
  const { code, out, err } = await drover(["vehicle", "check", file]);
  t.equal(code, 3);
  t.match(out, new RegExp(`^${file}:6:\\d+: signals\\.Engine\\.Speed.*did you mean "ENGINE"\\?`, "m"));
  t.match(out, new RegExp(`^${file}:7:1: watchs: .*did you mean "watches"\\?`, "m"));
  t.match(err, /2 problems/);
  const json = JSON.parse((await drover(["vehicle", "check", file, "--json"])).out);
  t.match(json, {
    valid: false,
    file,
    problems: [
      { file, line: 6, message: String },
      { file, line: 7, column: 1, suggestion: "watches" },
    ],
  });
});

test("a folder, an empty file and bytes that are no text are told, not crashed on", async (t) => {
  const folder = scratch(t);
  t.equal((await drover(["vehicle", "check", folder])).code, 4);
  for (const [name, bytes] of [
    ["empty.yaml", ""],
    ["bytes.yaml", Buffer.from([0xff, 0xfe, 0x00, 0x01, 0x9f])],
    ["list.yaml", "- 1\n- 2\n"],
  ] as const) {
    writeFileSync(join(folder, name), bytes);
    const { code, out } = await drover(["vehicle", "check", join(folder, name)]);
    t.equal(code, 3, name);
    t.match(out, /:\d+:\d+: /, name);
  }
});

test("a database with errors is not just valid: they are listed with their places, as signals beyond their message's end are", async (t) => {
  const folder = scratch(t);
  const file = join(folder, "car.yaml");
  const broken = Array.from({ length: 25 }, (_, index) => ` SG_ B${index} : 0|8@1+ (1,0 [0|0] "" X\n`).join("");
  writeFileSync(join(folder, "car.dbc"), `VERSION ""\nBU_:\nBO_ 1 ENGINE: 2 X\n SG_ RPM : 0|16@1+ (1,0) [0|8000] "rpm" X\n SG_ LATE : 16|8@1+ (1,0) [0|0] "" X\n${broken}`);
  writeFileSync(file, "model: car\nversion: 1\nbuses:\n  can0: { dbc: car.dbc }\n  can1: { dbc: car.dbc }\nsignals:\n  Late: { from: can0.ENGINE.LATE }\n");
  const { code, out } = await drover(["vehicle", "check", file]);
  t.equal(code, 0);
  t.match(out, /^valid /);
  t.match(out, /\n {2}valid, but with warnings:\n/);
  t.match(out, new RegExp(`${file}:7:\\d+: signals\\.Late\\.from: its bits end in byte 3, but the database gives ENGINE 2 bytes.* \\(warning\\)`));
  t.match(out, /car\.dbc:6:\d+: expected `\)`, found "\[" \(warning\)\n/);
  t.match(out, /: 5 further errors of this database are not shown/);
  const json = JSON.parse((await drover(["vehicle", "check", file, "--json"])).out) as { readonly valid: boolean; readonly warnings: readonly object[] };
  t.match(json, { valid: true, warnings: [{ file, line: 7 }] });
  t.equal(json.warnings.length, 22, "each once, though two buses have it");
  const truck = await drover(["vehicle", "check", demo("truck-01.yaml")]);
  t.notMatch(truck.out, /warning/, "errors in messages that it does not use are no news");
  t.strictSame(JSON.parse((await drover(["vehicle", "check", demo("trailer-01.yaml"), "--json"])).out).warnings, []);
});
