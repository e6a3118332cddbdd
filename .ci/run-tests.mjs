// Runs test files, each in a process of its own, several at a time, and says what failed. The tests are node-tap's; its own runner works on them too (`npx tap FILE`), but it loads a
// module hook into every process of a test, which costs each file over a second of processor time and slows the very starts and restarts that are measured.
//
// Usage, after a build: node .ci/run-tests.mjs [--output-file=FILE.tap] [FILE...]     (default: all of dist/test)
// The last line is tap's: `# { total: 12, pass: 10, fail: 1, skip: 1 }`, assertions over all files. Exit 1 when anything failed.
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { failuresOf, leavesOf } from "./tap-totals.mjs";

const root = resolve(import.meta.dirname, "..");
/** Two cores: so many files that work, and so many of those that mostly wait for time to pass in real programs, the longest first. Of the lanes of these one goes on with the others' files. */
const WORKING_JOBS = 2;
const WAITING_JOBS = 2;
const WAITING = [
  "end-to-end/link-faults",
  "end-to-end/wear",
  "end-to-end/late-commands",
  "end-to-end/waiting-requests",
  "runtime/workers/responsive",
  "protocols/sqlite/disk-faults",
  "edge-node/on-the-rig",
  "protocols/http/page",
  "end-to-end/light-commands",
  "end-to-end/damaged-stores",
  "end-to-end/frozen-vehicle",
  "end-to-end/silent-modules",
  "runtime/supervision/otp-table",
  "cli/doctor",
  "runtime/system/poison",
  "runtime/workers/programs",
  "protocols/http/actor-stream",
  "cli/actors",
];
/** What holds milliseconds against a goal, or has to see in milliseconds what would end its process: after all others, with nothing beside it. */
const ALONE = ["runtime/system/flood", "runtime/workers/full-heaps"];
/** Of one test in seconds, unless it says otherwise; a file is ended after the second. */
const TEST_S = 240;
const FILE_S = 300;
/** The long ones first, so that none of them is alone at the end. */
const FIRST = [
  "end-to-end",
  "cli/demo",
  "kill-loop",
  "runtime/simulation",
  "soak",
  "cli/start",
  "docs/first-actor",
  "protocols/can/dbc-hostile",
  "protocols/sqlite",
  "edge-node",
  "bench",
  "cli",
];

const args = process.argv.slice(2);
const outputFile = args.find((arg) => arg.startsWith("--output-file="))?.slice("--output-file=".length);
const named = args.filter((arg) => !arg.startsWith("--"));
const files = named.length > 0 ? named : all();
const texts = [];
const totals = { total: 0, pass: 0, fail: 0, skip: 0 };
const failures = [];
const began = performance.now();
const placeIn = (names, file) => names.findIndex((name) => file.endsWith(`${name}.test.js`));
const alone = files.filter((file) => placeIn(ALONE, file) !== -1);
const waiting = files.filter((file) => placeIn(WAITING, file) !== -1).sort((a, b) => placeIn(WAITING, a) - placeIn(WAITING, b));
const working = files.filter((file) => !alone.includes(file) && !waiting.includes(file));

await Promise.all([
  ...Array.from({ length: WAITING_JOBS }, (_, lane) => (lane === 0 ? inTurn(waiting).then(() => inTurn(working)) : inTurn(waiting))),
  ...Array.from({ length: WORKING_JOBS }, () => inTurn(working)),
]);
await inTurn(alone);

const summary = `# { ${Object.entries(totals)
  .filter(([name, count]) => count > 0 || name === "total" || name === "pass")
  .map(([name, count]) => `${name}: ${count}`)
  .join(", ")} }`;
if (outputFile !== undefined) writeFileSync(outputFile, `TAP version 14\n${texts.join("\n")}\n1..${files.length}\n${summary}\n`);
for (const failure of failures) console.log(`\nnot ok: ${failure}`);
console.log(`\n${files.length} files in ${((performance.now() - began) / 1000).toFixed(0)} s\n${summary}`);
process.exitCode = totals.fail > 0 || totals.pass === 0 ? 1 : 0;

async function inTurn(list) {
  for (let file = list.shift(); file !== undefined; file = list.shift()) await run(file);
}

async function run(file) {
  const from = performance.now();
  const { code, signal, out, err } = await ended(file);
  const ms = (performance.now() - from).toFixed(0);
  const counts = leavesOf(out);
  // It ended badly although no assertion says so: an import that failed, a file that was ended, or one that left before it said how many tests it has.
  const isBad = (code !== 0 || signal !== null || !/^1\.\.\d+/m.test(out)) && counts.fail === 0;
  if (isBad) counts.fail++;
  for (const name of ["pass", "fail", "skip"]) totals[name] += counts[name];
  totals.total += counts.pass + counts.fail + counts.skip;
  const verdict = counts.fail === 0 ? "ok" : "not ok";
  texts.push(
    [
      `# Subtest: ${file}`,
      ...out
        .trimEnd()
        .split("\n")
        .filter((line) => !line.startsWith("TAP version"))
        .map((line) => `    ${line}`),
      `${verdict} ${texts.length + 1} - ${file} # time=${ms}ms`,
    ].join("\n"),
  );
  failures.push(...failuresOf(out).map((failure) => `${file} > ${failure}`));
  if (isBad) failures.push(`${file} ended with ${signal ?? `code ${code}`}\n${(err + out).slice(-4_000)}`);
  console.log(`${verdict}  ${ms.padStart(6)} ms  ${file}${counts.skip === 0 ? "" : `  (${counts.skip} skipped)`}`);
}

function ended(file) {
  const env = { ...process.env, TAP: "1", TAP_TIMEOUT: String(TEST_S) };
  delete env.NODE_OPTIONS;
  return new Promise((resolved) => {
    const child = spawn(process.execPath, [file], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk) => (said.out += chunk));
    child.stderr.on("data", (chunk) => (said.err += chunk));
    const limit = setTimeout(() => child.kill("SIGKILL"), FILE_S * 1_000);
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      resolved({ code, signal, ...said });
    });
  });
}

function all() {
  const found = readdirSync(join(root, "dist/test"), { recursive: true })
    .filter((name) => name.endsWith(".test.js"))
    .sort();
  const rank = (name) => {
    const at = FIRST.findIndex((prefix) => name.startsWith(prefix));
    return at === -1 ? FIRST.length : at;
  };
  return found.sort((a, b) => rank(a) - rank(b)).map((name) => relative(root, join(root, "dist/test", name)));
}
