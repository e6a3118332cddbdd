// Runs the command line in this process and keeps what it wrote.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import type { Test } from "tap";
import { runCommandLine } from "../../cli/program.ts";

export interface Captured {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CaptureOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** Ends the command as Ctrl-C does. */
  readonly interrupt?: AbortSignal;
  readonly isTerminal?: boolean;
  /** Called with everything written so far, after each write to standard output. */
  readonly onOut?: (text: string) => void;
}

export async function drover(argv: readonly string[], options: CaptureOptions = {}): Promise<Captured> {
  const texts = { out: "", err: "" };
  const stream = (name: "out" | "err"): PassThrough => {
    const through = new PassThrough();
    through.on("data", (chunk: Buffer) => {
      texts[name] += chunk.toString();
      if (name === "out") options.onOut?.(texts.out);
    });
    return through;
  };
  const out = stream("out");
  const err = stream("err");
  const code = await runCommandLine(argv, {
    out,
    err,
    input: Readable.from(options.input === undefined ? [] : [options.input]),
    env: options.env ?? {},
    isTerminal: options.isTerminal ?? false,
    hasColour: false,
    columns: () => 100,
    rows: () => 50,
    interrupt: options.interrupt ?? new AbortController().signal,
    hurry: new AbortController().signal,
  });
  await Promise.all([out, err].map((each) => new Promise((resolve) => each.end(() => setImmediate(resolve)))));
  return { code, ...texts };
}

/** For a process as a person starts it: nothing of Drover's, and without what the test runner loads into every process of a test. */
export function cleanEnvironment(added: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(DROVER_|TAP|_TAPJS|NODE_OPTIONS$)/.test(name));
  return { ...Object.fromEntries(inherited), ...added };
}

/** A folder of its own, gone after the test. */
export function scratch(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), "drover-cli-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}
