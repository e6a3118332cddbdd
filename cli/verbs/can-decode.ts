// `drover can decode`: a recording and a DBC in, a JSON object for each decoded frame out.

import { Option } from "commander";
import type { ExitCode } from "../terminal/index.ts";
import { hurried } from "./hurried.ts";
import { type AddVerb, collect, examples } from "./verb.ts";

interface Options {
  readonly dbc: string;
  readonly log: string;
  readonly match: "exact" | "j1939";
  readonly bus?: readonly string[];
  readonly overlay?: string;
  readonly strict?: true;
}

export const addCanDecode: AddVerb = (parent, run) => {
  const command = parent
    .command("decode")
    .description("decode a recording: one JSON object a frame")
    .requiredOption("--dbc <file>", "CAN database (DBC)")
    .requiredOption("--log <file>", "recording: candump, PEAK TRC, Vector ASC or BLF, pcap, MF4; plain or gzipped; a pipe too; - is standard input")
    .addOption(new Option("--match <rule>", "how a frame finds its message: by its whole identifier, or by its PGN").choices(["exact", "j1939"]).default("exact"))
    .option("--bus <name>", "only frames of this bus; may be given several times", collect)
    .option("--overlay <file>", "scalings laid over the DBC (YAML)")
    .option("--strict", "refuse a DBC that has any error")
    .option("--jsonl", "one JSON object a line; the only format, so it may be left out")
    .action(async (options: Options) => {
      await run(
        command,
        async (call) => {
          const { runCanDecode } = await import("../can/index.ts");
          const { dbc, log, match, bus, overlay, strict } = options;
          const { input, interrupt, json } = call;
          const asked = { dbc, log, match, buses: bus ?? [], strict: strict ?? false, throws: json, input, interrupt, ...(overlay === undefined ? {} : { overlay }) };
          // Who reads its lines may have stopped without leaving.
          return await Promise.race([runCanDecode(asked, call.out, call.err) as Promise<ExitCode>, hurried(call.hurry)]);
        },
        { endsInOrder: true },
      );
    });
  examples(command, [
    ["drover can decode --dbc truck.dbc --log drive.log", "all frames that the DBC knows"],
    ["drover can decode --dbc j1939.dbc --log drive.log.gz --match j1939", "J1939: any sender of a PGN"],
    ["candump -L can0 | drover can decode --dbc truck.dbc --log -", "each frame as it comes, until Ctrl-C"],
    ["drover can decode --dbc truck.dbc --log <(xzcat drive.log.xz)", "whatever unpacks it"],
    ["drover can decode --dbc truck.dbc --log drive.log | jq .s.EngineSpeed[1]", "one signal"],
  ]);
};
