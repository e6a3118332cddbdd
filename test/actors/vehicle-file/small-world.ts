// Files in memory for the tests of the checker: a small trailer's database and a model around it.

import { type CheckedVehicle, checkVehicle, resolverOver, type VehicleModel } from "../../../actors/vehicle-file/index.ts";
import { formatProblem, type Problem } from "../../../runtime/index.ts";

/** Enough of a TrailCurrent bus to command a lamp and a relay. */
export const TRAILER_DBC = `VERSION ""
BU_: Torrent Switchback
BO_ 21 TorrentBrightness0: 2 Vector__XXX
 SG_ ChannelIndex : 7|8@0+ (1,0) [0|7] "" Torrent
 SG_ BrightnessLevel : 15|8@0+ (1,0) [0|255] "" Torrent
BO_ 27 TorrentStatus0: 8 Torrent
${[1, 2, 3, 4, 5, 6, 7, 8].map((n) => ` SG_ Output${String(n)}Value : ${String(n * 8 - 1)}|8@0+ (1,0) [0|255] "" Vector__XXX`).join("\n")}
BO_ 37 SwitchbackToggle0: 2 Vector__XXX
 SG_ RelayOrCommand : 7|8@0+ (1,0) [0|8] "" Switchback
 SG_ CommandValue : 15|8@0+ (1,0) [0|1] "" Switchback
BO_ 40 SwitchbackStatus0: 1 Switchback
 SG_ RelayStateBitmask : 7|8@0+ (1,0) [0|255] "" Vector__XXX
BO_ 7 Gps: 6 Vector__XXX
 SG_ Speed : 15|16@0+ (0.01,0) [0|655.35] "knots" Vector__XXX
 SG_ Mode : 47|8@0+ (1,0) [0|255] "" Vector__XXX
BO_ 58 TrailerStatus: 3 Vector__XXX
 SG_ Connected : 7|1@0+ (1,0) [0|1] "" Vector__XXX
BA_DEF_ BO_ "CycleTime" INT 0 10000;
BA_DEF_ BO_ "GenMsgCycleTime" INT 0 10000;
BA_DEF_DEF_ "CycleTime" 0;
BA_DEF_DEF_ "GenMsgCycleTime" 0;
BA_ "CycleTime" BO_ 27 33;
BA_ "CycleTime" BO_ 7 1000;
BA_ "GenMsgCycleTime" BO_ 7 500;
VAL_ 7 Mode 0 "none" 1 "fix";
`;

/** The head that most cases share; 9 lines, so that what follows begins in line 10. */
export const HEAD = `model: small
version: 1
buses:
  can0: { dbc: trailer.dbc, mode: normal }
modules:
  torrent-0: { use: trailcurrent/torrent, bus: can0, address: 0, outputs: { 1: galley, 2: porch } }
  switchback-0: { use: trailcurrent/switchback, bus: can0, address: 0, outputs: { 2: awning } }
signals:
  Vehicle.Speed: { from: can0.Gps.Speed, factor: 1.852, unit: km/h }
`;

export type Files = Readonly<Record<string, string>>;

/** Checks `entry` among these files; \`trailer.dbc\` is there. */
export function checkFiles(entry: string, files: Files): CheckedVehicle {
  const all = new Map(Object.entries({ "trailer.dbc": TRAILER_DBC, ...files }));
  const resolver = resolverOver(
    (file) => (all.has(file) ? new TextEncoder().encode(all.get(file)) : undefined),
    () => [...all.keys()],
  );
  return checkVehicle({ file: entry, text: files[entry] ?? "" }, resolver);
}

export function checkModel(text: string): CheckedVehicle {
  return checkFiles("small.yaml", { "small.yaml": text });
}

/** The model, or all problems as one error. */
export function validModel(checked: CheckedVehicle): VehicleModel {
  if (checked.kind === "valid") return checked.model;
  throw new Error(`not valid:\n${checked.problems.map(formatProblem).join("\n")}`);
}

export function problemsOf(checked: CheckedVehicle): readonly Problem[] {
  return checked.kind === "invalid" ? checked.problems : [];
}
