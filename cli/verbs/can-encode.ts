// `drover can encode`: values of a message as a frame.

import { Option } from "commander";
import { type AddVerb, examples } from "./verb.ts";

interface Options {
  readonly dbc: string;
  readonly raw?: true;
  readonly padding: "0" | "1";
}

export const addCanEncode: AddVerb = (parent, run) => {
  const command = parent
    .command("encode")
    .description("print the frame of a message with these values, as cansend takes it; nothing is sent")
    .argument("<message>", "its name in the database")
    .argument("[signal=value...]", "physical values, or labels of value tables; what is not given has its start value, else padding")
    .requiredOption("--dbc <file>", "CAN database (DBC); - is standard input")
    .option("--raw", "numbers are raw values")
    .addOption(new Option("--padding <bit>", "fills bits of no given signal; 1 means not available in J1939").choices(["0", "1"]).default("0"))
    .action(async (message: string, values: readonly string[], { dbc, raw, padding }: Options) => {
      await run(command, async (call) => {
        const { encodeMessage } = await import("../can/index.ts");
        return await encodeMessage({ dbc, message, values, raw: raw ?? false, padding: padding === "1" ? 1 : 0 }, call);
      });
    });
  examples(command, [
    ["drover can encode --dbc truck.dbc Lamps Left=on Level=40", "321#0128000000000000"],
    ["cansend can0 $(drover can encode --dbc truck.dbc Lamps Left=on)", "to a bus"],
    ["drover can encode --dbc j1939.dbc --padding 1 TSC1 EngineSpeed=1200", "all that is not given is not available"],
  ]);
};
