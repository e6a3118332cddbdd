// A checked model: every name resolved, periods and freshness decided, commands expanded, everything frozen.

import { test } from "tap";
import type { VehicleModel } from "../../../actors/vehicle-file/index.ts";
import { checkFiles, checkModel, HEAD, problemsOf, TRAILER_DBC, validModel } from "./small-world.ts";

test("D1. A database and 15 lines give a read-only vehicle", (t) => {
  const text = `model: mine
version: 1
buses:
  can0: { dbc: trailer.dbc }
signals:
  Vehicle.Speed: { from: can0.Gps.Speed, factor: 1.852, unit: km/h }
  Gnss.Mode: { from: can0.Gps.Mode }
telemetry:
  state: { on_change: ["*"] }
`;
  const lines = text.split("\n").length + `vehicle: acme/vehicle/mine\nmodel: mine\n`.split("\n").length;
  const model = validModel(checkFiles("one.yaml", { "one.yaml": `vehicle: acme/vehicle/mine\nmodel: mine\n`, "mine.yaml": text }));
  t.ok(lines <= 15, `${String(lines)} lines`);
  t.equal(model.vehicle, "acme/vehicle/mine");
  t.equal(model.buses[0]?.mode, "listen-only");
  t.same(model.commands, []);
  t.match(model.signals, [
    { name: "Vehicle.Speed", terms: [{ source: { bus: "can0", message: "Gps", signal: "Speed" }, weight: 1 }], factor: 1.852, unit: "km/h" },
    {
      name: "Gnss.Mode",
      labels: [
        [0, "none"],
        [1, "fix"],
      ],
    },
  ]);
  t.same(model.telemetry.state, { atMostMs: 5000, signals: ["Vehicle.Speed", "Gnss.Mode"] });
  t.end();
});

test("X1. A bus is listen-only unless the file says normal, and a command to a module on such a bus is an error", (t) => {
  const shut = HEAD.replace(", mode: normal", "");
  t.equal(validModel(checkModel(shut)).buses[0]?.mode, "listen-only");
  t.match(checkModel(`${shut}commands: { light.set: { to: torrent-0 } }\n`), { kind: "invalid", problems: [{ line: 10, message: /listen-only/ }] });
  t.match(checkModel(`${shut}commands: { light.set: { to: "*" } }\n`), { kind: "invalid", problems: [{ line: 10, message: /listen-only/ }] });
  t.end();
});

test("X1. What no line lists has no target: the allow-list is exactly the expanded commands", (t) => {
  const model = validModel(
    checkModel(
      `${HEAD}conditions: { parked: Vehicle.Speed < 3 for 2m }\ncommands:\n  light.set: { to: "*" }\n  awning.set: { to: switchback-0.awn*, as: relay.set, guard: parked, ttl: 9s }\n`,
    ),
  );
  t.same(
    model.commands.flatMap((command) => command.targets.map((target) => [command.name, command.as, target.module, target.output?.name, target.frame.message])),
    [
      ["light.set", "light.set", "torrent-0", "galley", "TorrentBrightness0"],
      ["light.set", "light.set", "torrent-0", "porch", "TorrentBrightness0"],
      ["awning.set", "relay.set", "switchback-0", "awning", "SwitchbackToggle0"],
    ],
  );
  t.match(model.commands[1], { guard: "parked", deadlineMs: 500, ttlMs: 9000, whenAway: "refuse" });
  t.match(model.commands[0], { guard: undefined, deadlineMs: 500, ttlMs: 10_000, whenAway: "refuse" });
  t.same(validModel(checkModel(HEAD)).commands, []);
  t.end();
});

test("X1. A guard that cannot be read never becomes no guard", (t) => {
  t.match(checkModel(`${HEAD}commands: { light.set: { to: torrent-0, guard: "Vehicle.Speed <" } }\n`), { kind: "invalid" });
  t.match(checkModel(`${HEAD}commands: { light.set: { to: torrent-0, guard: "" } }\n`), { kind: "invalid" });
  t.match(checkModel(`${HEAD}commands: { light.set: { to: torrent-0, guard: } }\n`), { kind: "invalid" });
  t.end();
});

test("a guard may be written out, and is a condition of its own name", (t) => {
  const model = validModel(checkModel(`${HEAD}conditions: { parked: Vehicle.Speed < 3 }\ncommands:\n  light.set: { to: torrent-0, guard: parked and not can0 silent for 1s }\n`));
  t.same(
    model.conditions.map((condition) => condition.name),
    ["parked", "parked and not can0 silent for 1s"],
  );
  t.equal(model.commands[0]?.guard, "parked and not can0 silent for 1s");
  t.end();
});

test("a period comes from the file, then GenMsgCycleTime, then the attribute, then the module type, and else is learnt", (t) => {
  const text = `${HEAD}  Gnss.Mode: { from: can0.Gps.Mode, stale_after: 7s }\n  Tow.Connected: { from: can0.TrailerStatus.Connected }\n`;
  const model = validModel(
    checkModel(
      text.replace(
        "signals:",
        "  aftline: { bus: can0, presence: { message: TrailerStatus } }\n  gps: { bus: can0, presence: { message: Gps }, periods: { TrailerStatus: 2s } }\nsignals:",
      ),
    ),
  );
  const presence = Object.fromEntries(model.modules.map((module) => [module.name, { ...module.sends[0], silentAfterMs: module.presence.silentAfterMs }]));
  t.same(presence["torrent-0"], { message: "TorrentStatus0", periodMs: 33, periodSource: "attribute", silentAfterMs: 1000 });
  t.same(presence["switchback-0"], { message: "SwitchbackStatus0", periodMs: 33, periodSource: "module-type", silentAfterMs: 1000 });
  t.same(presence["aftline"], { message: "TrailerStatus", periodMs: undefined, periodSource: "learnt", silentAfterMs: undefined });
  t.match(
    model.modules.find((module) => module.name === "gps"),
    {
      presence: { messages: ["Gps"], silentAfterMs: 1500 },
      sends: [
        { message: "TrailerStatus", periodMs: 2000, periodSource: "file" },
        { message: "Gps", periodMs: 500, periodSource: "database" },
      ],
    },
  );
  const stale = Object.fromEntries(model.signals.map((signal) => [signal.name, signal.staleAfterMs]));
  t.match(stale, { "Vehicle.Speed": 1500, "Gnss.Mode": 7000, "torrent-0.galley": 1000 });
  t.end();
});

test("outputs and values of a module are signals of the table under the module's name, and outputs wake it", (t) => {
  const model = validModel(checkModel(HEAD));
  const own = model.signals.filter((signal) => signal.origin === "module");
  t.match(own, [
    { name: "torrent-0.galley", terms: [{ source: { message: "TorrentStatus0", signal: "Output1Value" } }], unit: "level" },
    { name: "torrent-0.porch", terms: [{ source: { message: "TorrentStatus0", signal: "Output2Value" } }] },
    { name: "switchback-0.awning", terms: [{ source: { message: "SwitchbackStatus0", signal: "RelayStateBitmask" } }], bit: 1 },
  ]);
  t.same(
    model.modules.map((module) => module.wakesOn),
    [["torrent-0.galley", "torrent-0.porch"], ["switchback-0.awning"]],
  );
  const unnamed = validModel(checkModel(HEAD.replace(", outputs: { 1: galley, 2: porch }", "")));
  t.same(
    unnamed.modules[0]?.outputs.map((output) => output.signal),
    ["1", "2", "3", "4", "5", "6", "7", "8"].map((name) => `torrent-0.${name}`),
  );
  t.end();
});

test("sections that are not acted on yet are checked all the same, and named", (t) => {
  const more = `power: { low: Vehicle.Speed < 1 for 60s }\nclock: [ntp, can0.Gps]\ntelemetry: { budget: 1GB/month }\ncommands: { update.start: { to: "*", ttl: 7d, when_away: wait } }\n`;
  const model = validModel(checkFiles("one.yaml", { "one.yaml": `vehicle: acme/vehicle/one\nmodel: small@1\nparts: { torrent-0: "mac:0A1E05" }\n`, "small.yaml": HEAD + more }));
  t.same(
    model.notActedOn.map((entry) => entry.path),
    ["power", "clock", "telemetry.budget", "commands.update.start", "parts"],
  );
  t.match(checkModel(`${HEAD}power: { low: Vehicle.Sped < 1 }\n`), { kind: "invalid" });
  t.match(checkModel(`${HEAD}commands: { update.start: { to: torrnt-0 } }\n`), { kind: "invalid" });
  t.end();
});

test("X1. update.start lists the modules whose firmware may be changed; what takes none is left out, and said where it was named", (t) => {
  const ota = `BO_ 0 OtaUpdateNotification: 3 X\n${[1, 2, 3].map((n) => ` SG_ MacAddressByte${n} : ${n * 8 - 1}|8@0+ (1,0) [0|255] "" X\n`).join("")}`;
  const names = ["MacAddressByte4", "MacAddressByte5", "MacAddressByte6", "VersionMajor", "VersionMinor", "VersionPatch"];
  const report = `BO_ 4 FirmwareVersionReport: 6 X\n${names.map((name, at) => ` SG_ ${name} : ${at * 8 + 7}|8@0+ (1,0) [0|255] "" X\n`).join("")}`;
  const checked = (commands: string, dbc = `${TRAILER_DBC}${ota}${report}`, head = HEAD): VehicleModel =>
    validModel(checkFiles("small.yaml", { "small.yaml": `${head}${commands}conditions: { parked: Vehicle.Speed < 3 for 2s }\n`, "trailer.dbc": dbc }));
  const listed = checked(`commands: { update.start: { to: "*", guard: parked, deadline: 1s } }\n`);
  t.match(listed.updates, [
    { module: "torrent-0", bus: "can0", guard: "parked", deadlineMs: 1_000, how: { windowMs: 200_000 } },
    { module: "switchback-0", bus: "can0" },
  ]);
  t.same(
    listed.notActedOn.filter(({ path }) => path.startsWith("commands")),
    [],
  );
  t.match(checked(`commands: { firmware.set: { as: update.start, to: torrent-0, ttl: 7d } }\n`), {
    updates: [{ module: "torrent-0", guard: undefined, deadlineMs: 2_000 }],
    notActedOn: [{ path: "commands.firmware.set", note: /ttl and when_away/ }],
  });
  const named = `commands: { update.start: { to: torrent-0 } }\n`;
  t.match(checked(named, TRAILER_DBC), { updates: [], notActedOn: [{ path: "commands.update.start.to", note: /has no message "OtaUpdateNotification"/ }] });
  t.match(checked(named, `${TRAILER_DBC}${ota}${report.replace("VersionPatch", "Patch")}`), { updates: [], notActedOn: [{ note: /has no signal "VersionPatch"/ }] });
  t.match(checked(named, `${TRAILER_DBC}${ota}${report}`, HEAD.replace("mode: normal", "mode: listen-only")), { updates: [], notActedOn: [{ note: /listen-only/ }] });
  t.match(checked(`commands: { update.start: { to: "*" } }\n`, TRAILER_DBC), { updates: [] }, "a vehicle that ran before runs on");
  t.same(checked("").updates, []);
  const twice = `${HEAD}commands: { update.start: { to: "*" }, update.again: { as: update.start, to: torrent-0 } }\n`;
  t.match(problemsOf(checkFiles("small.yaml", { "small.yaml": twice, "trailer.dbc": `${TRAILER_DBC}${ota}${report}` })), [
    { path: "commands.update.again.to", message: 'another line lets "torrent-0" be updated already' },
  ]);
  t.end();
});

test("the hash follows the meaning: not comments, order of keys or spelling, but every number and the database", (t) => {
  const base = validModel(checkModel(`${HEAD}watches: { Vehicle.Speed: { deadband: 1, at_most: 5s } }\n`)).hash;
  t.match(base, /^[0-9a-f]{64}$/);
  t.equal(validModel(checkModel(`# words\n${HEAD}watches:\n  Vehicle.Speed: { at_most: 5000ms, deadband: 1.0 }\n`)).hash, base);
  t.not(validModel(checkModel(`${HEAD}watches: { Vehicle.Speed: { deadband: 2, at_most: 5s } }\n`)).hash, base);
  const text = `${HEAD}watches: { Vehicle.Speed: { deadband: 1, at_most: 5s } }\n`;
  t.equal(validModel(checkFiles("small.yaml", { "small.yaml": text, "trailer.dbc": `${TRAILER_DBC}CM_ "a comment";\n` })).hash, base);
  t.not(validModel(checkFiles("small.yaml", { "small.yaml": text, "trailer.dbc": TRAILER_DBC.replace("(0.01,0)", "(0.02,0)") })).hash, base);
  t.end();
});

test("the model is frozen all through", (t) => {
  const model = validModel(checkModel(`${HEAD}conditions: { parked: Vehicle.Speed < 3 for 2s }\n`));
  const open: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Object.isFrozen(value)) open.push(path);
    for (const [key, member] of Object.entries(value)) if (key !== "database") visit(member, `${path}.${key}`);
  };
  visit(model, "model");
  t.same(open, []);
  t.end();
});
