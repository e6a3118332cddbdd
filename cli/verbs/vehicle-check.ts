// `drover vehicle check F`: the same check that an edge node makes at its start.

import { type AddVerb, examples } from "./verb.ts";

export const addVehicleCheck: AddVerb = (parent, run) => {
  const command = parent
    .command("check")
    .description("check a vehicle's or a model's file and all it names")
    .argument("<file>", "YAML file that describes a vehicle or a model")
    .action(async (file: string) => {
      await run(command, async (call) => {
        const { checkVehicleFile } = await import("../vehicle/index.ts");
        return checkVehicleFile(file, call);
      });
    });
  examples(command, [
    ["drover vehicle check trailer-07.yaml", "problems as file:line:column, exit code 3; or a summary"],
    ["drover vehicle check trailer-07.yaml --json", "the same for a program"],
  ]);
};
