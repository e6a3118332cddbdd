// `drover can check F...`: what is wrong with CAN databases, and where.

import { type AddVerb, examples } from "./verb.ts";

export const addCanCheck: AddVerb = (parent, run) => {
  const command = parent
    .command("check")
    .description("check CAN databases: what is wrong with them, and where")
    .argument("<files...>", "CAN databases (DBC); - is standard input")
    .option("--strict", "a database with any error cannot be used")
    .action(async (files: readonly string[], { strict }: { readonly strict?: true }) => {
      await run(command, async (call) => {
        const { checkDatabases } = await import("../can/index.ts");
        return await checkDatabases(files, strict ?? false, call);
      });
    });
  examples(command, [
    ["drover can check truck.dbc", "findings as file:line:column, and a summary; exit code 3 when it cannot be used"],
    ["drover can check --strict *.dbc", "before they are handed on"],
    ["drover can check truck.dbc --json | jq .diagnostics[].code", "for a program"],
  ]);
};
