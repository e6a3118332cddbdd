// `drover can convert`: a recording in any format that is read in, candump -L out.

import { Option } from "commander";
import type { ExitCode } from "../terminal/index.ts";
import { hurried } from "./hurried.ts";
import { type AddVerb, collect, examples } from "./verb.ts";

interface Options {
  readonly log: string;
  readonly out?: string;
  readonly bus?: readonly string[];
  readonly directions?: true;
}

export const addCanConvert: AddVerb = (parent, run) => {
  const command = parent
    .command("convert")
    .description("write a recording in another format: (seconds) bus ID#DATA, one line a frame")
    .requiredOption("--log <file>", "recording: candump, PEAK TRC, Vector ASC or BLF, pcap, MF4; plain or gzipped; a pipe too; - is standard input")
    .addOption(new Option("--to <format>", "format to write").choices(["candump"]).default("candump"))
    .option("--out <file>", "file to write, instead of standard output; it is written anew")
    .option("--bus <name>", "only frames of this bus; may be given several times", collect)
    .option("--directions", "R or T behind each frame: received, sent; as candump -x")
    .action(async (options: Options) => {
      await run(
        command,
        async (call) => {
          const { runCanConvert } = await import("../can/index.ts");
          const { log, out, bus, directions } = options;
          const { input, interrupt, json } = call;
          const asked = { log, buses: bus ?? [], directions: directions ?? false, throws: json, input, interrupt, ...(out === undefined ? {} : { file: out }) };
          // Who reads its lines may have stopped without leaving.
          return await Promise.race([runCanConvert(asked, call.out, call.err) as Promise<ExitCode>, hurried(call.hurry)]);
        },
        { endsInOrder: true },
      );
    });
  examples(command, [
    ["drover can convert --log drive.asc --out drive.log", "what can-utils play and read"],
    ["drover can convert --log drive.trc --bus can1 | canplayer vcan0=can1", "one bus, played by another tool"],
    ["drover can convert --log drive.asc.gz | grep ' 18FEF1'", "all frames with such an id"],
  ]);
};
