// `drover enroll`: a credential for a vehicle's node.

import type { EnrollOptions } from "../enroll/index.ts";
import { type AddVerb, examples } from "./verb.ts";

export const addEnroll: AddVerb = (parent, run) => {
  const command = parent
    .command("enroll")
    .description("make the credential of a vehicle's node at this machine's broker")
    .argument("<vehicle>", "its address, TENANT/vehicle/ID")
    .option("--data <folder>", "the cloud node's data folder; default DROVER_DATA, else .drover")
    .option("--node <name>", "name of the node; default edge-ID")
    .action(async (vehicle: string, options: EnrollOptions) => {
      await run(command, async (call) => {
        const { enroll } = await import("../enroll/index.ts");
        return enroll(vehicle, options, call);
      });
    });
  examples(command, [["drover enroll acme/vehicle/my-car", "its node may use the embedded broker for that vehicle, and nothing else"]]);
};
