// The names that `drover/runtime` and `drover/simulation` export: what users build on, so that a break is a line in review.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import ts from "typescript";
import { built } from "./checkout.ts";
import { golden } from "./golden.ts";

for (const [door, path] of [
  ["runtime", "runtime/index.d.ts"],
  ["simulation", "runtime/simulation/index.d.ts"],
] as const) {
  const file = join(built, path);
  test(`the exports of drover/${door} are the committed ones`, { skip: existsSync(file) ? false : `needs ${path}` }, (t) => {
    golden(t, `test/golden/${door}-exports.txt`, `${exportsOf(file).join("\n")}\n`, `what drover/${door} exports is its users' ground`);
    t.end();
  });
}

function exportsOf(file: string): readonly string[] {
  const program = ts.createProgram([file], {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    noLib: true,
    types: [],
    skipLibCheck: true,
    noEmit: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const symbol = source === undefined ? undefined : checker.getSymbolAtLocation(source);
  if (symbol === undefined) throw new Error(`${file} is no module`);
  return checker
    .getExportsOfModule(symbol)
    .map((exported) => {
      const meant = (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      return `${(meant.flags & ts.SymbolFlags.Value) === 0 ? "type " : "value"} ${exported.name}`;
    })
    .sort();
}
