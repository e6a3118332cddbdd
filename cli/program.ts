// The command line as a whole: its verbs, its words for wrong usage, its exit codes. It touches no process: main.ts does.

import { droverVersion } from "../runtime/host/index.ts";
import { Command, CommanderError } from "commander";
import { type Call, EXIT, type ExitCode, type Failure, failureOf, printJson, type Shell, tellFailure } from "./terminal/index.ts";
import { addVerbs } from "./verbs/index.ts";
import type { Run } from "./verbs/index.ts";

/** @param argv what was typed after `drover` */
export async function runCommandLine(argv: readonly string[], shell: Shell): Promise<ExitCode> {
  const words = argv.includes("--") ? argv.slice(0, argv.indexOf("--")) : argv;
  const json = words.includes("--json");
  if (isVersionCall(argv)) {
    if (json) printJson(shell.out, { name: "drover", version: droverVersion(), node: process.version });
    else shell.out.write(`${droverVersion()}\n`);
    return EXIT.ok;
  }
  let code: ExitCode = EXIT.ok;
  const run: Run = async (command, body, { endsInOrder = false } = {}) => {
    const call: Call = { ...shell, json: command.optsWithGlobals<{ json?: true }>().json === true };
    try {
      code = await (endsInOrder ? body(call) : Promise.race([body(call), interrupted(shell.interrupt)]));
    } catch (thrown) {
      const failure = failureOf(thrown);
      code = failure.exit;
      if (code !== EXIT.interrupted) tellFailure(shell.err, failure, call);
    }
  };
  try {
    await program(shell, json, run).parseAsync([...argv], { from: "user" });
    return code;
  } catch (thrown) {
    if (!(thrown instanceof CommanderError)) throw thrown;
    if (thrown.exitCode === 0) return EXIT.ok;
    if (json) tellFailure(shell.err, usageFailure(thrown), { json, hasColour: shell.hasColour });
    return EXIT.usage;
  }
}

/** Commander's words: `error: unknown command 'actrs'`, then a line in brackets where it knows a name like it; for a group without a command they are none. */
function usageFailure({ code, message }: CommanderError): Failure {
  const [first = "", ...more] = message.split("\n").map((line) => line.trim());
  const suggestion = more.find((line) => line.startsWith("(Did you mean"))?.slice(1, -1);
  return {
    code: "usage",
    title: "The command is not used as it can be.",
    detail: code === "commander.help" ? "no command is given" : first.replace(/^error: /, ""),
    advice: suggestion ?? "--help shows examples.",
    exit: EXIT.usage,
  };
}

/** @param json what is wrong with the usage is told by the caller */
function program(shell: Shell, json: boolean, run: Run): Command {
  const root = new Command("drover");
  root
    .description("Supervised actors for vehicle fleets.")
    .option("--json", "answer as JSON, with stable keys")
    .option("--no-color", "no colours, as NO_COLOR does")
    .option("-V, --version", "the version")
    .helpOption("-h, --help", "examples, then the reference")
    .helpCommand(false)
    .configureHelp({ showGlobalOptions: true, sortSubcommands: false })
    .configureOutput({
      writeOut: (text) => void shell.out.write(text),
      writeErr: (text) => {
        if (!json) shell.err.write(text);
      },
      getOutHelpWidth: () => Math.min(120, shell.columns()),
      getErrHelpWidth: () => Math.min(120, shell.columns()),
      getOutHasColors: () => shell.hasColour,
      getErrHasColors: () => shell.hasColour,
    })
    .showSuggestionAfterError(true)
    .showHelpAfterError("(--help shows examples)")
    .exitOverride();
  addVerbs(root, run);
  return root;
}

function interrupted(signal: AbortSignal): Promise<ExitCode> {
  return new Promise((resolve) => {
    const heard = (): void => {
      resolve(EXIT.interrupted);
    };
    if (signal.aborted) heard();
    signal.addEventListener("abort", heard, { once: true });
  });
}

function isVersionCall(argv: readonly string[]): boolean {
  const rest = argv.filter((word) => word !== "--json" && word !== "--no-color");
  return rest.length === 1 && (rest[0] === "--version" || rest[0] === "-V");
}
