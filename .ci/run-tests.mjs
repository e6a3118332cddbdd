// Runs test files, several processes at a time, and says what failed. Small files share a process (test-groups.mjs), each other has one of its own. The tests are node-tap's; its own runner
// works on them too (`npx tap FILE`), but it loads a module hook into every process of a test, which costs each file over a second of processor time and slows the very starts and restarts
// that are measured.
//
// G1. What a process with several files has said of one stands. Where it ended badly, the file it was at has failed, and those of which nothing was heard get a process each.
//
// Usage, after a build: node .ci/run-tests.mjs [--output-file=FILE.tap] [--coverage=FOLDER=ROOM,ROOM] [FILE...]     (default: all of dist/test)
// With a folder for coverage the processes of those rooms' tests, and what they start, leave there what they ran.
// The last line is tap's: `# { total: 12, pass: 10, fail: 1, skip: 1 }`, assertions over all files. Exit 1 when anything failed.
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { failuresOf, leavesOf } from "./tap-totals.mjs";
import { groupsOf } from "./test-groups.mjs";

const root = resolve(import.meta.dirname, "..");
/** Two cores: so many files that work, and so many of those that mostly wait for time to pass in real programs, the longest first. Of the lanes of these one goes on with the others' files. */
const WORKING_JOBS = 2;
const WAITING_JOBS = 2;
const WAITING = [
  "runtime/system/poison",
  "end-to-end/wear",
  "end-to-end/link-faults",
  "end-to-end/late-commands",
  "end-to-end/waiting-requests",
  "runtime/workers/responsive",
  "protocols/sqlite/disk-faults",
  "edge-node/on-the-rig",
  "runtime/workers/not-ended",
  "protocols/http/page",
  "end-to-end/light-commands",
  "end-to-end/damaged-stores",
  "bench/mailbox",
  "soak/soak",
  "end-to-end/frozen-vehicle",
  "runtime/supervision/otp-table",
  "bench/stepping",
  "cli/doctor",
  "bench/resident",
  "end-to-end/silent-modules",
  "runtime/workers/programs",
  "protocols/http/actor-stream",
  "cli/actors",
];
/** What holds milliseconds against a goal, or has to see in milliseconds what would end its process: after all others, with nothing beside it. */
const ALONE = ["runtime/system/flood", "runtime/workers/full-heaps"];
/** Of one test in seconds, unless it says otherwise; a process is ended after the second for each of its files. */
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
const [coverageFolder, coveredRooms = ""] =
  args
    .find((arg) => arg.startsWith("--coverage="))
    ?.slice("--coverage=".length)
    .split("=") ?? [];
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
const each = (list) => list.map((file) => [file]);
const lanes = { waiting: each(waiting), working: groupsOf(working, root), alone: each(alone) };
let processes = 0;

await Promise.all([
  ...Array.from({ length: WAITING_JOBS }, (_, lane) => (lane === 0 ? inTurn(lanes.waiting).then(() => inTurn(lanes.working)) : inTurn(lanes.waiting))),
  ...Array.from({ length: WORKING_JOBS }, () => inTurn(lanes.working)),
]);
await inTurn(lanes.alone);

const summary = `# { ${Object.entries(totals)
  .filter(([name, count]) => count > 0 || name === "total" || name === "pass")
  .map(([name, count]) => `${name}: ${count}`)
  .join(", ")} }`;
if (outputFile !== undefined) writeFileSync(outputFile, `TAP version 14\n${texts.join("\n")}\n1..${files.length}\n${summary}\n`);
for (const failure of failures) console.log(`\nnot ok: ${failure}`);
console.log(`\n${files.length} files in ${((performance.now() - began) / 1000).toFixed(0)} s\n${summary}`);
process.exitCode = totals.fail > 0 || totals.pass === 0 ? 1 : 0;

async function inTurn(groups) {
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) await run(group);
}

async function run(group) {
  const from = performance.now();
  const { code, signal, out, err } = await ended(group);
  const parts = group.length === 1 ? [{ file: group[0], text: out, ms: performance.now() - from }] : partsOf(group, out);
  const counts = parts.map(({ text }) => leavesOf(text));
  // It ended badly although no assertion says so: an import that failed, a file that was ended, or one that left before it said how many tests it has.
  const isBad = signal !== null || !/^1\.\.\d+/m.test(out) || (code !== 0 && counts.every(({ fail }) => fail === 0));
  const unheard = group.slice(parts.length);
  parts.forEach(({ file, text, ms }, at) => {
    const isBadHere = isBad && at === parts.length - 1 && counts[at].fail === 0;
    if (group.length > 1 && !isBadHere && !/^(not )?ok /m.test(text)) return void unheard.push(file);
    if (isBadHere) counts[at].fail++;
    tell(file, text, ms, counts[at]);
    if (!isBadHere) return;
    const beside =
      at === 0
        ? ""
        : `, in a process that ran ${parts
            .slice(0, at)
            .map((part) => part.file)
            .join(", ")} before`;
    failures.push(`${file} ended with ${signal ?? `code ${code}`}${beside}\n${(err + text).slice(-4_000)}`);
  });
  for (const file of unheard) await run([file]);
}

/** What a process said of each file that it has begun. */
function partsOf(group, out) {
  const [, ...texts] = out.split(/^# file: .*\n/m);
  return texts.map((text, at) => ({ file: group[at], text, ms: [...text.matchAll(/^(?:not )?ok \d+ .*# time=([\d.]+)ms$/gm)].reduce((sum, [, ms]) => sum + Number(ms), 0) }));
}

function tell(file, text, ms, counts) {
  for (const name of ["pass", "fail", "skip"]) totals[name] += counts[name];
  totals.total += counts.pass + counts.fail + counts.skip;
  const verdict = counts.fail === 0 ? "ok" : "not ok";
  texts.push(
    [
      `# Subtest: ${file}`,
      ...text
        .trimEnd()
        .split("\n")
        .filter((line) => !line.startsWith("TAP version"))
        .map((line) => `    ${line}`),
      `${verdict} ${texts.length + 1} - ${file} # time=${ms.toFixed(0)}ms`,
    ].join("\n"),
  );
  failures.push(...failuresOf(text).map((failure) => `${file} > ${failure}`));
  console.log(`${verdict}  ${ms.toFixed(0).padStart(6)} ms  ${file}${counts.skip === 0 ? "" : `  (${counts.skip} skipped)`}`);
}

function ended(group) {
  const env = { ...process.env, TAP: "1", TAP_TIMEOUT: String(TEST_S) };
  delete env.NODE_OPTIONS;
  if (coverageFolder !== undefined && coveredRooms.split(",").some((room) => group[0].includes(`test/${room}/`))) env.NODE_V8_COVERAGE = coverageFolder;
  const args = group.length === 1 ? group : [join(import.meta.dirname, "run-test-group.mjs"), String(++processes)];
  if (group.length > 1) env.TEST_FILES = JSON.stringify(group);
  return new Promise((resolved) => {
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", err: "" };
    child.stdout.on("data", (chunk) => (said.out += chunk));
    child.stderr.on("data", (chunk) => (said.err += chunk));
    const limit = setTimeout(() => child.kill("SIGKILL"), group.length * FILE_S * 1_000);
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
