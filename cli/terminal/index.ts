// What every verb shares of speaking to a terminal.

export { paint, type Paint, wantsColour } from "./colour.ts";
export { EXIT, type ExitCode } from "./exit-code.ts";
export { CommandFailure, type Failure, failureOf, tellFailure } from "./failure.ts";
export { flushed, printJson, printJsonLine, printLines } from "./print.ts";
export { redrawn } from "./redrawn.ts";
export type { Call, Shell, Verb } from "./shell.ts";
export { type Column, oneLine, table } from "./table.ts";
export { ageText, timeText } from "./times.ts";
