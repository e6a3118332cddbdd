// The body of `drover can check`: what is wrong with CAN databases, where, and what they hold.
//
// K1. A finding is a line `file:line:column: severity: message [code]` on standard output, in the order of the file; a summary of each file follows its findings.
// K2. The exit code is 0 when every file can be used, 3 when one cannot: nothing of it can be read, or in strict mode it has an error.
// K3. `--json` prints one object for each file: {"messages","signals","diagnostics":[{severity,line,column,code,message}]}; several files give an array of them, each with its name.

import { type DbcReading, formatPosition, readDbc } from "../../protocols/can/index.ts";
import { type Call, EXIT, type ExitCode, oneLine, type Paint, paint, printJson, printLines } from "../terminal/index.ts";
import { databaseBytes } from "./database-bytes.ts";

interface Checked {
  readonly file: string;
  readonly reading: DbcReading;
}

/** @param files paths; `-` is standard input @throws DROVER_FILE_UNREADABLE when one cannot be opened */
export async function checkDatabases(files: readonly string[], strict: boolean, call: Call): Promise<ExitCode> {
  const checked: Checked[] = [];
  for (const file of files) {
    const bytes = await databaseBytes(file, call);
    checked.push({ file, reading: readDbc(bytes, { file, strict }) });
  }
  const [only] = checked;
  if (call.json) printJson(call.out, checked.length === 1 && only !== undefined ? documentOf(only) : checked.map((each) => ({ file: each.file, ...documentOf(each) })));
  else for (const each of checked) printLines(call.out, linesOf(each, paint(call.hasColour)));
  return checked.every(({ reading }) => reading.refusal === undefined) ? EXIT.ok : EXIT.invalid;
}

function documentOf({ reading }: Checked) {
  const { refusal, diagnostics, suppressedDiagnostics } = reading;
  return {
    usable: refusal === undefined,
    ...countsOf(reading),
    diagnostics: diagnostics.map(({ severity, code, message, position: { line, column } }) => ({ severity, line, column, code, message })),
    suppressed: suppressedDiagnostics,
  };
}

function linesOf({ file, reading }: Checked, { bad, notice, good, bold, dim }: Paint): readonly string[] {
  const { refusal, diagnostics, suppressedDiagnostics } = reading;
  const { messages, signals } = countsOf(reading);
  const count = (severity: string): string => numbered(diagnostics.filter((each) => each.severity === severity).length, severity);
  const findings = diagnostics.map(
    ({ severity, code, message, position }) =>
      `${bold(oneLine(formatPosition(position)))}: ${severity === "error" ? bad("error:") : notice("warning:")} ${oneLine(message)} ${dim(`[${code}]`)}`,
  );
  const more = suppressedDiagnostics === 0 ? "" : `, ${String(suppressedDiagnostics)} more not shown`;
  const verdict = refusal === undefined ? good("usable") : bad("not usable");
  return [...findings, `${oneLine(file)}: ${verdict}: ${numbered(messages, "message")}, ${numbered(signals, "signal")}; ${count("error")}, ${count("warning")}${more}`];
}

function countsOf({ database }: DbcReading): { readonly messages: number; readonly signals: number } {
  const messages = database?.messages ?? [];
  return { messages: messages.length, signals: messages.reduce((sum, message) => sum + message.signals.length, 0) };
}

function numbered(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}
