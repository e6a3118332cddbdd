// What is doubtful about a vehicle's files is in the log of a node that starts with them.

import { test } from "tap";
import { readVehicle } from "../../edge-node/vehicle-files.ts";
import { silentLog } from "../../runtime/ports/index.ts";

const FILES: Readonly<Record<string, string>> = {
  "one.yaml": "vehicle: acme/vehicle/one\nmodel: car\n",
  "car.yaml": "model: car\nversion: 1\nbuses:\n  can0: { dbc: car.dbc }\nsignals:\n  P: { from: can0.ENGINE.P }\n",
  "car.dbc": 'BO_ 1 ENGINE: 8 X\n SG_ P m0 : 0|8@1+ (1,0) [0|0] "" X\nBO_ 2 OTHER: 8 X\n SG_ Q m0 : 0|8@1+ (1,0) [0|0] "" X\n',
};

test("errors of a database that a vehicle can live with are logged, with their places, where they concern messages that it uses", (t) => {
  const warnings: string[] = [];
  const files = {
    read: (path: string) => (FILES[path] === undefined ? undefined : new TextEncoder().encode(FILES[path])),
    names: () => Object.keys(FILES),
  };
  const { vehicle } = readVehicle("one.yaml", files, { ...silentLog, warn: (_, text) => warnings.push(text) });
  t.equal(vehicle, "acme/vehicle/one");
  t.match(warnings, [/^car\.dbc:2:2: "P" is marked as multiplexed/]);
  t.equal(warnings.length, 1);
  t.end();
});
