// All verbs of the command line, in the order in which a newcomer meets them.

import type { Command } from "commander";
import { addCanDecode } from "./can-decode.ts";
import { addVehicleCheck } from "./vehicle-check.ts";
import { examples, type Run } from "./verb.ts";

export type { Run } from "./verb.ts";

export function addVerbs(root: Command, run: Run): void {
  examples(root, [
    ["drover demo", "three vehicles from recordings and a simulated trailer, a cloud, a page"],
    ["drover actors ls --kind vehicle", "the vehicles, with their presence"],
    ["drover actors ask demo/vehicle/trailer-01/module/torrent-0 light.set output=galley brightness=255", "switch on a lamp"],
    ["drover tree", "what runs under which supervisor, with restarts and their causes"],
    ["drover vehicle check my-vehicle.yaml", "what is wrong with a vehicle's file, and where"],
  ]);
  const vehicle = root.command("vehicle").description("the files that describe a vehicle");
  addVehicleCheck(vehicle, run);
  const can = root.command("can").description("recordings and CAN databases, without a node");
  addCanDecode(can, run);
}
