// Tables and the live table: what people see, and what must not reach their terminal.

import { PassThrough } from "node:stream";
import { test } from "tap";
import { liveTable } from "../../cli/demo/live-table.ts";
import type { VehicleRow } from "../../cli/demo/fleet-view.ts";
import { ageText, oneLine, table, wantsColour } from "../../cli/terminal/index.ts";

test("columns are as wide as their widest cell, numbers stand right, lines end at the edge", (t) => {
  const rows = [
    { name: "a", count: 5 },
    { name: "longer", count: 12 },
  ];
  const columns = [
    { title: "NAME", of: ({ name }: (typeof rows)[number]) => name },
    { title: "COUNT", of: ({ count }: (typeof rows)[number]) => String(count), right: true },
  ];
  t.same(table(rows, columns), ["NAME    COUNT", "a           5", "longer     12"]);
  t.same(table(rows, columns, 9), ["NAME    …", "a       …", "longer  …"]);
  t.end();
});

test("control characters of names and values never reach the terminal", (t) => {
  t.equal(oneLine("a\u001B[2Jb\nc\u009Bd"), "a�[2Jb�c�d");
  t.same(table([{ x: "\u001B]0;title\u0007" }], [{ title: "X", of: ({ x }) => x }])[1], "�]0;title�");
  t.end();
});

test("ages read as a person would say them", (t) => {
  t.same([0, 999, 1_000, 59_999, 60_000, 3_600_000, 200_000_000].map(ageText), ["0 ms", "999 ms", "1.0 s", "59.9 s", "1 min", "1 h", "2 d"]);
  t.end();
});

test("colours are for terminals that want them", (t) => {
  t.equal(wantsColour(true, {}, []), true);
  t.equal(wantsColour(false, {}, []), false);
  t.equal(wantsColour(true, { NO_COLOR: "1" }, []), false);
  t.equal(wantsColour(true, { NO_COLOR: "" }, []), true);
  t.equal(wantsColour(true, { TERM: "dumb" }, []), false);
  t.equal(wantsColour(true, {}, ["--no-color"]), false);
  t.end();
});

test("the live table is drawn over itself and gives the cursor back", (t) => {
  const out = new PassThrough();
  const row: VehicleRow = {
    vehicle: "demo/vehicle/rav4-01",
    presence: "online",
    motion: "moving",
    framesPerSecond: 1097,
    freshSignals: 11,
    allSignals: 11,
    actors: 4,
    restarts: 1,
    process: "running",
    pid: 42,
    rssBytes: 100 * 1_048_576,
    lastExit: "its process was ended by SIGKILL",
  };
  const live = liveTable(out, { columns: () => 120, rows: () => 24, hasColour: false });
  live.draw([row]);
  const first = String(out.read());
  t.match(first, /^\u001B\[\?25l/);
  t.match(first, /rav4-01 {2}online {4}moving {6}1097 {4}11\/11 {7}4 {9}1 {2}100 MB {2}pid 42/);
  t.match(first, /was started again: its process was ended by SIGKILL/);
  const lines = first.split("\n").length - 1;
  live.draw([{ ...row, framesPerSecond: undefined, process: "restarting" }]);
  t.match(String(out.read()), `\u001B[${String(lines)}A`);
  live.end();
  t.equal(String(out.read()), "\u001B[?25h");
  t.end();
});

test("L1. the demo's table is no higher than the terminal: vehicles that are online and were never started again make room first", (t) => {
  const out = new PassThrough();
  const row = (n: number, change: Partial<VehicleRow> = {}): VehicleRow => ({
    vehicle: `demo/vehicle/trailer-${String(n).padStart(2, "0")}`,
    presence: "online",
    motion: "parked",
    framesPerSecond: 200,
    freshSignals: 30,
    allSignals: 30,
    actors: 10,
    restarts: 0,
    process: "running",
    pid: n,
    rssBytes: undefined,
    lastExit: undefined,
    ...change,
  });
  const twenty = Array.from({ length: 20 }, (_, at) => row(at + 1))
    .with(17, row(18, { presence: "offline" }))
    .with(18, row(19, { restarts: 2, lastExit: "SIGKILL" }));
  const drawn = (rows: number): readonly string[] => {
    liveTable(out, { columns: () => 120, rows: () => rows, hasColour: false }).draw(twenty);
    return String(out.read()).split("\n");
  };
  const all = drawn(40);
  t.equal(all.filter((line) => line.includes("demo/vehicle/")).length, 21, "each, and the cause of one");
  const some = drawn(16);
  t.ok(some.length <= 16, `${some.length} lines`);
  for (const seen of [/trailer-18 {2}offline/, /trailer-19 {2}online .* 2 /, /trailer-01 {2}online/, /and 11 more/, /trailer-19 was started again: SIGKILL/])
    t.match(some.join("\n"), seen);
  t.ok(drawn(4).length < 12, "a few are shown whatever the height");
  t.end();
});
