// Runs every test once under tap, those of the rooms below with V8 coverage, and holds these rooms to the share of lines that their own tests cover, counted in the .ts sources. What tests of other rooms
// run of them counts for nothing: it would cover lines that nobody asserts anything of, and writing and merging it costs more processor time than many of those tests.
// Leaves coverage/tests.tap (what each test said) and coverage/summary.txt (files and lines). Usage, after a build: node .ci/tests-with-coverage.mjs [FILE...]
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { Report } from "c8";
import { totalsOf } from "./tap-totals.mjs";

const root = resolve(import.meta.dirname, "..");
const folder = join(root, "coverage");
const raw = join(folder, "v8");
/** Lowest share of covered lines, percent. `npm test` holds nobody to it: a bare machine skips parts. */
const FLOORS = { runtime: 90, "protocols/can": 90 };

rmSync(folder, { recursive: true, force: true });
mkdirSync(raw, { recursive: true });
const tests = spawnSync(
  process.execPath,
  [join(root, ".ci/run-tests.mjs"), `--output-file=${join(folder, "tests.tap")}`, `--coverage=${raw}=${Object.keys(FLOORS).join(",")}`, ...process.argv.slice(2)],
  { cwd: root, stdio: ["ignore", "inherit", "inherit"] },
);

const report = new Report({
  all: true,
  src: Object.keys(FLOORS)
    .map((room) => join(root, "dist", room))
    .filter((room) => existsSync(room)),
  include: Object.keys(FLOORS).map((room) => `dist/${room}/**/*.js`),
  exclude: withoutCode(Object.keys(FLOORS)),
  extension: [".js"],
  reporter: [],
  reportsDirectory: folder,
  tempDirectory: raw,
  mergeAsync: true,
  resolve: "",
});
const covered = await report.getCoverageMapFromAllCoverageFiles();
rmSync(raw, { recursive: true, force: true });

const lines = [];
let short = 0;
for (const [room, floor] of Object.entries(FLOORS)) {
  const files = covered
    .files()
    .map((file) => ({ file: relative(root, file), summary: covered.fileCoverageFor(file).toSummary().lines, holes: covered.fileCoverageFor(file).getUncoveredLines() }))
    .filter(({ file }) => file.startsWith(`${room}/`));
  const total = files.reduce((sum, { summary }) => sum + summary.total, 0);
  const hit = files.reduce((sum, { summary }) => sum + summary.covered, 0);
  const percent = total === 0 ? 0 : (100 * hit) / total;
  if (percent < floor) short++;
  const verdict = `${room}: ${percent.toFixed(1)} % of ${total} lines in ${files.length} files are covered; the floor is ${floor} %${percent < floor ? ": too low" : ""}`;
  console.log(verdict);
  lines.push(verdict);
  for (const { file, summary, holes } of files.sort((a, b) => a.summary.pct - b.summary.pct)) {
    const line = `  ${summary.pct.toFixed(1).padStart(5)} %  ${file}${holes.length === 0 ? "" : `  not covered: ${spans(holes.map(Number))}`}`;
    lines.push(line);
    if (percent < floor && summary.pct < floor) console.log(line);
  }
}
writeFileSync(join(folder, "summary.txt"), `${lines.join("\n")}\n`);

const totals = totalsOf(readFileSync(join(folder, "tests.tap"), "utf8"));
console.log(`tests: ${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
process.exit(tests.status !== 0 || totals.failed > 0 || totals.passed === 0 || short > 0 ? 1 : 0);

/** Files that hold types or re-exports only: there is nothing in them to cover. */
function withoutCode(rooms) {
  const empty = [];
  for (const room of rooms) {
    if (!existsSync(join(root, "dist", room))) continue;
    for (const name of readdirSync(join(root, "dist", room), { recursive: true })) {
      if (!name.endsWith(".js")) continue;
      const code = readFileSync(join(root, "dist", room, name), "utf8")
        .replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "")
        .replace(/^export (\{[^}]*\}|\*)( from "[^"]*")?;$/gm, "");
      if (code.trim() === "") empty.push(`dist/${room}/${name}`);
    }
  }
  return empty;
}

function spans(numbers) {
  const found = [];
  for (const number of numbers) {
    const last = found.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else found.push([number, number]);
  }
  return found.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(", ");
}
