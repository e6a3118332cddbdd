// Prints what the analysis of supervision trees finds.

import { lintTree, type TreeFinding, type TreeReport } from "../../runtime/index.ts";
import { type Call, EXIT, type ExitCode, oneLine, paint, printJson, printLines, table } from "../terminal/index.ts";
import { treesOf } from "./trees-of.ts";

export interface LintOptions {
  readonly config?: string;
  /** What the tree has for its stop, ms. */
  readonly stopWithin?: number;
  /** Of one child before the root gives up. */
  readonly maxStarts?: number;
}

interface LintedTree extends TreeReport {
  readonly name: string;
}

/** Exit code 3 where there is a warning; notes alone are ok. @param what `edge`, `cloud`, `demo` or the path of a module */
export async function lint(what: string, options: LintOptions, call: Call): Promise<ExitCode> {
  const { stopWithin, maxStarts } = options;
  const limits = { ...(stopWithin === undefined ? {} : { stopWithinMs: stopWithin }), ...(maxStarts === undefined ? {} : { maxStarts }) };
  const trees: readonly LintedTree[] = (await treesOf(what, options.config, call)).map(({ name, spec }) => ({ name, ...lintTree(spec, limits) }));
  const findings = trees.flatMap((tree) => tree.findings);
  const warnings = findings.filter(({ severity }) => severity === "warning").length;
  const notes = findings.length - warnings;
  if (call.json) printJson(call.out, { warnings, notes, trees });
  else {
    printLines(
      call.out,
      trees.flatMap((tree) => describe(tree, call)),
    );
    call.err.write(`${what}: ${counted(warnings, "warning")}, ${counted(notes, "note")}\n`);
  }
  return warnings > 0 ? EXIT.invalid : EXIT.ok;
}

function describe({ name, root, budgets, findings }: LintedTree, call: Call): readonly string[] {
  const { bold } = paint(call.hasColour);
  const rows = table(
    budgets,
    [
      { title: "CHILD", of: ({ path }) => path },
      { title: "STARTS", of: ({ starts }) => String(starts), right: true },
      { title: "FROM THE ROOT DOWN", of: ({ factors }) => factors.join(" x ") },
    ],
    call.columns(),
  );
  return [
    bold(name === root ? oneLine(name) : `${oneLine(name)}: ${oneLine(root)}`),
    ...(budgets.length === 0 ? ["no children"] : rows),
    ...findings.flatMap((finding) => told(finding, call)),
  ];
}

function told({ rule, severity, path, detail, advice }: TreeFinding, call: Call): readonly string[] {
  const { bad, notice, dim } = paint(call.hasColour);
  const colour = severity === "warning" ? bad : notice;
  return [`${colour(severity)}  ${oneLine(path)}  ${rule}`, `  ${oneLine(detail)}`, `  ${dim("→")} ${oneLine(advice)}`];
}

function counted(count: number, noun: string): string {
  return `${String(count)} ${noun}${count === 1 ? "" : "s"}`;
}
