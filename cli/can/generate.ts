// The body of `drover can generate`: a CAN database in, a TypeScript module with the types and decoders of its messages out.

import { writeFileSync } from "node:fs";
import { formatPosition, generateModule, parseDbc } from "../../protocols/can/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, oneLine, printJson } from "../terminal/index.ts";
import { databaseBytes } from "./database-bytes.ts";

export interface GenerateOptions {
  /** DBC file; `-` is standard input. */
  readonly dbc: string;
  /** Absent: standard output. */
  readonly out: string | undefined;
  /** Refuse the DBC at its first error. */
  readonly strict: boolean;
}

/** @throws DROVER_FILE_UNREADABLE, DROVER_DBC_INVALID, and a CommandFailure when `out` cannot be written */
export async function generateDecoders({ dbc, out, strict }: GenerateOptions, call: Call): Promise<ExitCode> {
  const bytes = await databaseBytes(dbc, call);
  const database = parseDbc(bytes, { file: dbc, strict });
  const { text, messages, leftOut } = generateModule(database, dbc);
  if (out === undefined) call.out.write(text);
  else write(out, text);
  const errors = database.diagnostics.filter(({ severity }) => severity === "error").length;
  if (call.json && out !== undefined) printJson(call.out, { file: out, messages, errors, leftOut: leftOut.map(({ name }) => name) });
  for (const { name, position } of leftOut) call.err.write(`${oneLine(formatPosition(position))}: ${oneLine(name)} is left out: its multiplexers have too many ranges for code\n`);
  if (!call.json)
    call.err.write(
      `${oneLine(out ?? "standard output")}: ${String(messages)} messages of ${oneLine(dbc)}${errors === 0 ? "" : `, which has ${String(errors)} errors (drover can check)`}\n`,
    );
  return leftOut.length === 0 ? EXIT.ok : EXIT.partial;
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new CommandFailure(
      {
        code: "output-unwritable",
        title: "The module could not be written.",
        detail: (cause as Error).message,
        advice: "Name a file with --out in a folder that is there and may be written.",
        exit: EXIT.failure,
      },
      { cause },
    );
  }
}
