// Runs test files, several processes at a time, and says what failed. Small files share a process (test-groups.mjs), each other has one of its own. The tests are node-tap's; its own runner
// works on them too (`npx tap FILE`), but it loads a module hook into every process of a test, which costs each file over a second of processor time and slows the very starts and restarts
// that are measured.
//
// G1. What a process with several files has said of one stands. Where it ended badly, the file it was at has failed, and those of which nothing was heard get a process each.
// G2. A file that hangs is ended, sooner where it works than where it waits, since a busy machine makes nobody work more. Its failure tells the test that it was in and what it had printed last.
//
// Usage, after a build: node .ci/run-tests.mjs [--output-file=FILE.tap] [--coverage=FOLDER=ROOM,ROOM] [--limits=WAIT_S,WORK_S] [FILE...]     (default: all of dist/test)
// With a folder for coverage the processes of those rooms' tests, and what they start, leave there what they ran.
// The last line is tap's: `# { total: 12, pass: 10, fail: 1, skip: 1 }`, assertions over all files. Exit 1 when anything failed.
import { spawn } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { failuresOf, leavesOf, openTestOf } from "./tap-totals.mjs";
import { groupsOf } from "./test-groups.mjs";

const root = resolve(import.meta.dirname, "..");
/** Two cores: so many files that work, and so many of those that mostly wait for time to pass in real programs, the longest first. Of the lanes of these one goes on with the others' files. */
const WORKING_JOBS = 2;
const WAITING_JOBS = 2;
const WAITING = [
  "end-to-end/rollouts",
  "end-to-end/rollout-kills",
  "end-to-end/rollout-faults",
  "docs/first-rollout",
  "runtime/system/poison",
  "end-to-end/wear",
  "end-to-end/link-faults",
  "end-to-end/late-commands",
  "end-to-end/waiting-requests",
  "protocols/sqlite/disk-faults",
  "edge-node/on-the-rig",
  "runtime/workers/not-ended",
  "protocols/http/page",
  "cloud-node/rollout-page",
  "end-to-end/light-commands",
  "end-to-end/damaged-stores",
  "bench/mailbox",
  "soak/soak",
  "end-to-end/frozen-vehicle",
  "runtime/supervision/otp-table",
  "bench/stepping",
  "cli/doctor",
  "bench/resident",
  "project/test-runner",
  "end-to-end/silent-modules",
  "runtime/workers/programs",
  "protocols/http/actor-stream",
  "cli/actors",
];
/** What holds milliseconds against a goal, has to see in milliseconds what would end its process, or has to find several real processes at one moment of a faster time: after all others, with nothing
 *  beside it. */
const ALONE = ["runtime/system/flood", "runtime/workers/full-heaps", "runtime/workers/responsive", "end-to-end/rollout-abort"];
/** Of one test in seconds, unless it says otherwise. */
const TEST_S = 240;
/** Of one file in seconds; and in seconds of processor time those of its process, by the kernel (a signal that a loop cannot catch). The file that works most takes 30 of these, and 90 in the long form. */
const FILE_S = 300;
const WORK_S = process.env.DROVER_TESTS === "long" ? 240 : 120;
/** Of what a process that ended badly had written, in characters of each stream. */
const LAST_WORDS = 3_000;
/** What it started may hold its output open after its end, ms. */
const CLOSING_MS = 5_000;
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
const [fileS = FILE_S, workS = WORK_S] =
  args
    .find((arg) => arg.startsWith("--limits="))
    ?.slice("--limits=".length)
    .split(",")
    .map(Number) ?? [];
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
  const { code, signal, hung, out, err } = await ended(group);
  const parts = group.length === 1 ? [{ file: group[0], text: out, ms: performance.now() - from }] : partsOf(group, out);
  const counts = parts.map(({ text }) => leavesOf(text));
  // It ended badly although no assertion says so: an import that failed, a file that was ended, or one that left before it said how many tests it has.
  const isBad = signal !== null || !/^1\.\.\d+/m.test(out) || (code !== 0 && counts.every(({ fail }) => fail === 0));
  const unheard = group.slice(parts.length);
  parts.forEach(({ file, text, ms }, at) => {
    const isBadHere = isBad && at === parts.length - 1 && (signal !== null || counts[at].fail === 0);
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
    failures.push(`${file} ${hung ?? `ended with ${signal ?? `code ${code}`}`}${beside}${lastWords(text, err)}`);
  });
  for (const file of unheard) await run([file]);
}

/** The test in which a file was when it ended, and the end of what it had printed. */
function lastWords(out, err) {
  const open = openTestOf(out);
  const streams = Object.entries({ stdout: out, stderr: err }).flatMap(([name, text]) => (text.trim() === "" ? [] : [`\n${name}, its end:\n${text.trimEnd().slice(-LAST_WORDS)}`]));
  return `${open === undefined ? "" : `, in "${open}"`}${streams.length === 0 ? "; it had printed nothing" : streams.join("")}`;
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

/** @returns how the process of these files ended and what it had printed; `hung` says so in words when it was ended */
function ended(group) {
  const env = { ...process.env, TAP: "1", TAP_TIMEOUT: String(TEST_S) };
  delete env.NODE_OPTIONS;
  if (coverageFolder !== undefined && coveredRooms.split(",").some((room) => group[0].includes(`test/${room}/`))) env.NODE_V8_COVERAGE = coverageFolder;
  const args = group.length === 1 ? group : [join(import.meta.dirname, "run-test-group.mjs"), String(++processes)];
  if (group.length > 1) env.TEST_FILES = JSON.stringify(group);
  return new Promise((resolved) => {
    const child = spawn("/bin/sh", ["-c", `ulimit -t ${workS} 2>/dev/null || :; exec "$0" "$@"`, process.execPath, ...args], { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    const said = { out: "", err: "" };
    let hung;
    let limit;
    const begin = () => {
      clearTimeout(limit);
      limit = setTimeout(() => {
        hung = `was ended after ${fileS} s`;
        child.kill("SIGKILL");
      }, fileS * 1_000);
    };
    begin();
    child.stdout.setEncoding("utf8").on("data", (chunk) => {
      const newLines = said.out.lastIndexOf("\n") + 1;
      said.out += chunk;
      if (/^# file: .*\n/m.test(said.out.slice(newLines))) begin();
    });
    child.stderr.setEncoding("utf8").on("data", (chunk) => (said.err += chunk));
    child.on("exit", (code, signal) => {
      clearTimeout(limit);
      if (signal === "SIGKILL") hung ??= `was ended with SIGKILL, as the kernel does after ${workS} s of processor time`;
      const closing = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, CLOSING_MS);
      child.on("close", () => {
        clearTimeout(closing);
        resolved({ code, signal, hung, ...said });
      });
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
