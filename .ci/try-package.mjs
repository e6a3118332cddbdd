// Uses the installed package as its user does: the command answers, every door of package.json's `exports` opens in Node and has types for tsc.
// Usage: node .ci/try-package.mjs FOLDER_WITH_NODE_MODULES CHECKOUT (which lends its TypeScript)
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [user, checkout] = process.argv.slice(2);
const installed = join(user, "node_modules/drover");
const { version, exports } = JSON.parse(readFileSync(join(installed, "package.json"), "utf8"));
const problems = [];

const doors = Object.entries(exports)
  .filter(([, target]) => typeof target === "object")
  .flatMap(([name, { default: file }]) => {
    if (!name.includes("*")) return [{ name: name.replace(".", "drover"), file }];
    const rooms = readdirSync(join(installed, file.split("*")[0]), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    return rooms.map((room) => ({ name: name.replace(".", "drover").replace("*", room.name), file: file.replace("*", room.name) }));
  });

writeFileSync(join(user, "doors.mjs"), doors.map(({ name }) => `console.log(${JSON.stringify(name)}, Object.keys(await import(${JSON.stringify(name)})).length);`).join("\n"));
run("every door opens", process.execPath, ["doors.mjs"]);

writeFileSync(
  join(user, "doors.ts"),
  `${doors.map(({ name }, at) => `import * as door${at} from ${JSON.stringify(name)};`).join("\n")}\nexport default [${doors.map((_, at) => `door${at}`).join(", ")}];\n`,
);
const tsc = createRequire(join(checkout, "package.json")).resolve("typescript/bin/tsc");
run("every door has types", process.execPath, [tsc, "--noEmit", "--strict", "--module", "nodenext", "--target", "es2023", "--skipLibCheck", "doors.ts"]);

const said = run("drover --version", join(user, "node_modules/.bin/drover"), ["--version"]);
if (said.trim() !== version) problems.push(`drover --version says "${said.trim()}", package.json says "${version}"`);

for (const problem of problems) console.error(`package: ${problem}`);
process.exit(problems.length === 0 ? 0 : 1);

function run(what, command, args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: user, encoding: "utf8" });
  console.log(`package: ${what}\n${stdout}`);
  if (status !== 0) problems.push(`${what} failed (exit ${status})\n${stdout}${stderr}`);
  return stdout;
}
