// All verbs of the command line, in the order in which a newcomer meets them.

import type { Command } from "commander";
import { addActorsAsk } from "./actors-ask.ts";
import { addActorsGet } from "./actors-get.ts";
import { addActorsHistory } from "./actors-history.ts";
import { addActorsLs } from "./actors-ls.ts";
import { addActorsSend } from "./actors-send.ts";
import { addActorsWatch } from "./actors-watch.ts";
import { addCanCheck } from "./can-check.ts";
import { addCanConvert } from "./can-convert.ts";
import { addCanDecode } from "./can-decode.ts";
import { addCanEncode } from "./can-encode.ts";
import { addCanGenerate } from "./can-generate.ts";
import { addDeadLettersLs } from "./dead-letters-ls.ts";
import { addDeadLettersRedeliver } from "./dead-letters-redeliver.ts";
import { addDemo } from "./demo.ts";
import { addDoctor } from "./doctor.ts";
import { addEnroll } from "./enroll.ts";
import { addImageAdd } from "./image-add.ts";
import { addImageLs } from "./image-ls.ts";
import { addImageRm } from "./image-rm.ts";
import { addLint } from "./lint.ts";
import { addNodesLs } from "./nodes-ls.ts";
import { addRolloutLs } from "./rollout-ls.ts";
import { addRolloutPlan } from "./rollout-plan.ts";
import { addRolloutAbort, addRolloutApprove, addRolloutPause, addRolloutResume } from "./rollout-say.ts";
import { addRolloutShow } from "./rollout-show.ts";
import { addRolloutStart } from "./rollout-start.ts";
import { addRolloutWatch } from "./rollout-watch.ts";
import { addSimulate } from "./simulate.ts";
import { addStart } from "./start.ts";
import { addTree } from "./tree.ts";
import { addVehicleCheck } from "./vehicle-check.ts";
import { addVersionsLs } from "./versions-ls.ts";
import { addVersionsRaise } from "./versions-raise.ts";
import { examples, group, type Run } from "./verb.ts";

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
  const actors = group(root, "actors", "look at actors and talk to them", [
    ["drover actors ls --kind vehicle", "the vehicles, with their presence"],
    ["drover actors get acme/vehicle/my-car", "one actor: its state, what it takes, what it is doing"],
    ["drover actors watch acme/vehicle/my-car", "what happens to it, as it happens"],
  ]);
  for (const add of [addActorsLs, addActorsGet, addActorsSend, addActorsAsk, addActorsWatch, addActorsHistory]) add(actors, run);
  addTree(root, run);
  addNodesLs(group(root, "nodes", "the nodes of the fleet", [["drover nodes ls", "cloud and vehicles' nodes, and whether they are linked"]]), run);
  const deadLetters = group(root, "dead-letters", "messages that reached nobody", [
    ["drover dead-letters ls", "to whom, from whom, and why not"],
    ["drover dead-letters redeliver 17", "send one of them again"],
  ]);
  for (const add of [addDeadLettersLs, addDeadLettersRedeliver]) add(deadLetters, run);
  const versions = group(root, "versions", "versions of actor types: which are known, which one runs", [
    ["drover versions ls", "what may be raised"],
    ["drover versions raise pot", "pots run and write the newest version from now on"],
  ]);
  for (const add of [addVersionsLs, addVersionsRaise]) add(versions, run);
  const rollout = group(root, "rollout", "firmware for modules of many vehicles, group after group", [
    ["drover rollout plan torrent-2.4.yaml", "what it would come to, and what is refused; nothing is made"],
    ['drover rollout start torrent-2.4.yaml --reason "tried on the bench"', "it is made, approved, and begins; no plan or approve is needed before or after"],
    ["drover rollout watch torrent-2.4", "how it goes, until it is over"],
  ]);
  for (const add of [addRolloutPlan, addRolloutStart, addRolloutApprove, addRolloutLs, addRolloutShow, addRolloutWatch, addRolloutPause, addRolloutResume, addRolloutAbort])
    add(rollout, run);
  const image = group(root, "image", "images of modules' firmware, for rollouts", [["drover image ls", "what plans can name, and which rollouts use it"]]);
  for (const add of [addImageAdd, addImageLs, addImageRm]) add(image, run);
  const vehicle = group(root, "vehicle", "the files that describe a vehicle", [["drover vehicle check my-vehicle.yaml", "what is wrong with a vehicle's file, and where"]]);
  addVehicleCheck(vehicle, run);
  const can = group(root, "can", "recordings and CAN databases, without a node", [
    ["drover can decode --dbc truck.dbc --log drive.log", "all frames of a recording that the DBC knows"],
    ["drover can check truck.dbc", "what is wrong with a DBC, and where"],
    ["drover can encode --dbc truck.dbc Lamps Left=on Level=40", "the frame that says so, as cansend takes it"],
    ["drover can generate --dbc truck.dbc --out signals.ts", "types and decoders of its messages, as TypeScript"],
    ["drover can convert --log drive.asc --out drive.log", "a recording of another tool as one of candump"],
  ]);
  for (const add of [addCanDecode, addCanConvert, addCanCheck, addCanEncode, addCanGenerate]) add(can, run);
  addLint(root, run);
  addSimulate(root, run);
  addEnroll(root, run);
  addDoctor(root, run);
}
