// `drover can generate`: types and decoders of a CAN database as a TypeScript module.

import { type AddVerb, examples } from "./verb.ts";

interface Options {
  readonly dbc: string;
  readonly out?: string;
  readonly strict?: true;
}

export const addCanGenerate: AddVerb = (parent, run) => {
  const command = parent
    .command("generate")
    .description("write the types and decoders of a database's messages as a TypeScript module")
    .requiredOption("--dbc <file>", "CAN database (DBC); - is standard input")
    .option("--out <file>", "the module; it is replaced where it is there (default: standard output)")
    .option("--strict", "refuse a DBC that has any error")
    .action(async ({ dbc, out, strict }: Options) => {
      await run(command, async (call) => {
        const { generateDecoders } = await import("../can/index.ts");
        return await generateDecoders({ dbc, out, strict: strict ?? false }, call);
      });
    });
  examples(command, [
    ["drover can generate --dbc truck.dbc --out signals.ts", "import { decodeEEC1, type EEC1 } from ./signals.ts"],
    ["drover can generate --dbc truck.dbc | less", "to look at it"],
  ]);
};
