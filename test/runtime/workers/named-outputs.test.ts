// A program that opens its outputs by name: they are sockets, which no kernel opens; through pipes of its own it can.

import { test } from "tap";

import { systemClock } from "../../../runtime/host/index.ts";
import { type ProgramSpec, stopWithin } from "../../../runtime/workers/index.ts";
import { endOf, sh, startProgram } from "./programs.ts";

// #region piped
const PIPED = `exec "$0" "$@" > >(trap "" TERM; exec cat) 2> >(trap "" TERM; exec cat >&2)`;
const piped = (command: string, ...args: readonly string[]): ProgramSpec => ({ command: "bash", args: ["-c", PIPED, command, ...args] });
// #endregion

const BY_NAME = "echo to-stdout > /dev/stdout; echo to-stderr > /dev/stderr; echo plain";

test("a program cannot open its outputs by name, and can write to their descriptors", async (t) => {
  const { running, lines } = await startProgram(sh(`sleep 0.3; ${BY_NAME}; echo by-descriptor >&2; exit 3`));
  t.match(await endOf(running), { end: { kind: "exit-code", code: 3 } });
  const said = lines.items.map(({ message }) => message);
  t.notOk(said.includes("to-stdout") || said.includes("to-stderr"));
  t.ok(said.includes("plain") && said.includes("by-descriptor"));
});

test("through pipes it can open them by name; its exit code, its end by a stop and both streams stay its own", async (t) => {
  // It ends a moment after its last word: whoever carries that has no part in its end.
  const ending = await startProgram(piped("sh", "-c", `${BY_NAME}; sleep 0.3; exit 3`));
  t.match(await endOf(ending.running), { kind: "failed", end: { kind: "exit-code", code: 3 } });
  t.strictSame(saidBy(ending), { stdout: ["to-stdout", "plain"], stderr: ["to-stderr"] });

  const lasting = await startProgram(piped("sh", "-c", `trap "echo last; sleep 0.3; exit 0" TERM; echo up > /dev/stdout; while :; do sleep 0.05; done`));
  t.strictSame(await stopWithin(lasting.running, systemClock, { shutdownMs: 5_000 }), { kind: "shutdown" });
  t.strictSame(saidBy(lasting).stdout, ["up", "last"]);
});

function saidBy({ lines }: Awaited<ReturnType<typeof startProgram>>): { readonly stdout: readonly string[]; readonly stderr: readonly string[] } {
  const of = (stream: string): readonly string[] => lines.items.filter(({ fields }) => fields["stream"] === stream).map(({ message }) => message);
  return { stdout: of("stdout"), stderr: of("stderr") };
}
