// Runs the decode command over a recording and compares what it prints with expected decodes, field by field, numbers as numbers.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Writable } from "node:stream";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { type CanDecodeOptions, runCanDecode } from "../../../cli/can/decode.ts";
import { shared } from "../../needs.ts";

const fromEnvironment = process.env["DROVER_SHARED"];
/** The large set of recordings and databases, where this machine has it. */
export const canData = fromEnvironment === undefined ? shared("data", "can") : join(fromEnvironment, "data", "can");
export const fixtures = fileURLToPath(new URL("../../fixtures/can", import.meta.url));
export const demoData = fileURLToPath(new URL("../../../cli/demo/data", import.meta.url));

export interface DecodedLine {
  readonly l: number;
  readonly t: number;
  readonly bus: string;
  readonly m: string;
  readonly s: Readonly<Record<string, readonly (number | string)[]>>;
}

interface ExpectedLine {
  readonly l: number;
  readonly m: string;
  readonly s: Readonly<Record<string, readonly (number | string)[]>>;
  /** Beyond the declared length: either answer is right. */
  readonly x?: Readonly<Record<string, unknown>>;
  /** The oracle cannot resolve the multiplexing. */
  readonly amb?: unknown;
}

/** Keeps what is written to it. */
export class Captured extends Writable {
  readonly #chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.#chunks.push(chunk);
    done();
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString();
  }
}

export async function decode(options: CanDecodeOptions): Promise<{ readonly exit: number; readonly lines: readonly DecodedLine[]; readonly words: string }> {
  const out = new Captured();
  const err = new Captured();
  const exit = await runCanDecode(options, out, err);
  const lines = out.text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as DecodedLine);
  return { exit, lines, words: err.text };
}

export function expectedLines(file: string): readonly ExpectedLine[] {
  const bytes = readFileSync(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as ExpectedLine);
}

/** Every difference as one sentence, at most 20. Frames behind the last expected line are not compared. */
export function differences(decoded: readonly DecodedLine[], expected: readonly ExpectedLine[]): readonly string[] {
  const found: string[] = [];
  const byLine = new Map(decoded.map((line) => [line.l, line] as const));
  const wantedLines = new Set(expected.map((line) => line.l));
  const last = expected.at(-1)?.l ?? 0;
  for (const line of decoded) if (line.l <= last && !wantedLines.has(line.l)) found.push(`line ${line.l}: ${line.m} is not expected`);
  for (const want of expected) {
    const got = byLine.get(want.l);
    if (got?.m !== want.m) {
      found.push(`line ${want.l}: ${String(got?.m)} instead of ${want.m}`);
      continue;
    }
    for (const [name, value] of Object.entries(want.s)) {
      const have = got.s[name];
      if (have === undefined ? want.amb === undefined : !isSame(have, value))
        found.push(`line ${want.l}: ${want.m}.${name} is ${JSON.stringify(have)} instead of ${JSON.stringify(value)}`);
    }
    for (const name of Object.keys(got.s)) {
      if (!(name in want.s) && !(want.x !== undefined && name in want.x) && want.amb === undefined) found.push(`line ${want.l}: ${want.m}.${name} is not expected`);
    }
  }
  return found.slice(0, 20);
}

function isSame(have: readonly (number | string)[], want: readonly (number | string)[]): boolean {
  return isSameNumber(have[0], want[0]) && isSameNumber(have[1] ?? have[0], want[1] ?? want[0]) && have[2] === want[2];
}

function isSameNumber(a: number | string | undefined, b: number | string | undefined): boolean {
  return a === b || (typeof a === "string" && typeof b === "string" ? a === b : Number(a) === Number(b) && typeof a === typeof b);
}
