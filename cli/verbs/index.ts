// All verbs of the command line, in the order in which a newcomer meets them.

import type { Command } from "commander";
import { addActorsAsk } from "./actors-ask.ts";
import { addActorsGet } from "./actors-get.ts";
import { addActorsHistory } from "./actors-history.ts";
import { addActorsLs } from "./actors-ls.ts";
import { addActorsSend } from "./actors-send.ts";
import { addActorsWatch } from "./actors-watch.ts";
import { addCanDecode } from "./can-decode.ts";
import { addDeadLettersLs } from "./dead-letters-ls.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addEnroll } from "./enroll.ts";
import { addLint } from "./lint.ts";
import { addNodesLs } from "./nodes-ls.ts";
import { addStart } from "./start.ts";
import { addTree } from "./tree.ts";
import { addVehicleCheck } from "./vehicle-check.ts";
import { examples, type Run } from "./verb.ts";

export type { Run } from "./verb.ts";

export function addVerbs(root: Command, run: Run): void {
  examples(root, [
    ["drover demo", "three vehicles from recordings and a simulated trailer, a cloud, a page"],
    ["drover actors ls --kind vehicle", "the vehicles, with their presence"],
    ["drover actors ask demo/vehicle/trailer-01/module/torrent-0 light.set output=galley level=255", "switch on a lamp"],
    ["drover tree", "what runs under which supervisor, with restarts and their causes"],
    ["drover vehicle check my-vehicle.yaml", "what is wrong with a vehicle's file, and where"],
  ]);
  addDemo(root, run);
  addStart(root, run);
  const actors = root.command("actors").description("look at actors and talk to them");
  for (const add of [addActorsLs, addActorsGet, addActorsSend, addActorsAsk, addActorsWatch, addActorsHistory]) add(actors, run);
  addTree(root, run);
  addNodesLs(root.command("nodes").description("the nodes of the fleet"), run);
  addDeadLettersLs(root.command("dead-letters").description("messages that reached nobody"), run);
  const vehicle = root.command("vehicle").description("the files that describe a vehicle");
  addVehicleCheck(vehicle, run);
  const can = root.command("can").description("recordings and CAN databases, without a node");
  addCanDecode(can, run);
  addLint(root, run);
  addEnroll(root, run);
  addDoctor(root, run);
}
