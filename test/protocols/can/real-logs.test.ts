// Recordings of real vehicles against decodes by cantools: zero differences, and the exact number of matching frames.

import { join } from "node:path";
import { test } from "tap";
import { needs } from "../../needs.ts";
import { canData, decode, demoData, differences, expectedLines } from "./decoded-files.ts";

const pairings = [
  { log: "comma2k19_rav4_60s.log", dbc: "opendbc_toyota_rav4_2017_pt_generated", match: "exact", buses: ["can0", "can10"], total: 48_001 },
  { log: "j1939_truck.log", dbc: "canmatrix_j1939", match: "j1939", buses: [], total: 1_735 },
  { log: "j1939_truck_gnss.log", dbc: "canmatrix_j1939", match: "j1939", buses: ["can1"], total: 41_840 },
  { log: "j1939_truck_gnss.log", dbc: "css_canmod-gps", match: "exact", buses: ["can2"], total: 12_278 },
  { log: "hyundai_genesis_auto.log", dbc: "opendbc_hyundai_i30_2014", match: "exact", buses: [], total: 24_704 },
  { log: "subaru_vab_revrev.log", dbc: "opendbc_subaru_outback_2015_generated", match: "exact", buses: [], total: 6_300 },
  { log: "toyota_yaris_rev.trc", dbc: "opendbc_toyota_iQ_2009_can", match: "exact", buses: [], total: 928 },
] as const;

for (const { log, dbc, match, buses, total } of pairings) {
  test(`${log} with ${dbc}: no difference, ${total} frames match`, needs("shared", canData !== undefined), async (t) => {
    const folder = canData ?? "shared/data/can";
    const { exit, lines, words } = await decode({ dbc: join(folder, "dbc", `${dbc}.dbc`), log: join(folder, "logs", log), match, buses });
    const expected = expectedLines(join(folder, "expected", "logs", `${log.replace(/\.(log|trc)$/, "")}__${dbc}.jsonl.gz`));
    t.equal(exit, 0, words);
    t.equal(lines.length, total);
    t.strictSame(differences(lines, expected), []);
  });
}

test("the demo's RAV4 recording decodes on a bare machine: 48,001 frames match", async (t) => {
  const { exit, lines } = await decode({ dbc: join(demoData, "opendbc_toyota_rav4_2017_pt_generated.dbc"), log: join(demoData, "comma2k19_rav4_60s.log.gz") });
  t.equal(exit, 0);
  t.equal(lines.length, 48_001);
  t.strictSame(lines[0], {
    l: 1,
    t: 46408.58493,
    bus: "can0",
    m: "STEER_TORQUE_SENSOR",
    s: { STEER_OVERRIDE: [0], STEER_TORQUE_DRIVER: [-5], STEER_ANGLE: [0], STEER_TORQUE_EPS: [24], CHECKSUM: [132] },
  });
});

test("the demo's truck recording decodes on a bare machine: 41,840 frames by parameter group, 12,278 by id", async (t) => {
  const log = join(demoData, "j1939_truck_gnss.log.gz");
  const truck = await decode({ dbc: join(demoData, "canmatrix_j1939.dbc"), log, match: "j1939", buses: ["can1"] });
  const gnss = await decode({ dbc: join(demoData, "css_canmod-gps.dbc"), log, buses: ["can2"] });
  t.equal(truck.lines.length, 41_840);
  t.equal(gnss.lines.length, 12_278);
  t.strictSame(gnss.lines[0]?.s, { FixType: [3, 3, "3D-fix"], Satellites: [14] });
});
