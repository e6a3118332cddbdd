// Colours for people: only on a terminal, never with NO_COLOR, TERM=dumb or --no-color.

export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly good: (text: string) => string;
  readonly bad: (text: string) => string;
  readonly notice: (text: string) => string;
}

const plain = (text: string): string => text;
const between =
  (on: number, off: number) =>
  (text: string): string =>
    `\u001B[${String(on)}m${text}\u001B[${String(off)}m`;

export function paint(hasColour: boolean): Paint {
  if (!hasColour) return { bold: plain, dim: plain, good: plain, bad: plain, notice: plain };
  return { bold: between(1, 22), dim: between(2, 22), good: between(32, 39), bad: between(31, 39), notice: between(33, 39) };
}

/** @param env NO_COLOR counts when it is not empty (no-color.org); FORCE_COLOR is not heard */
export function wantsColour(isTerminal: boolean, env: Readonly<Record<string, string | undefined>>, argv: readonly string[]): boolean {
  return isTerminal && (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb" && !argv.includes("--no-color");
}
