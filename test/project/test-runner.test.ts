// What runs our tests (`.ci/run-tests.mjs`) counts what they said, and says of one that hangs where it was.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import tap, { test, type Test } from "tap";
import { built, root } from "./checkout.ts";

/** Far more than a start takes on a busy machine; and of processor time, of which a start takes a third of a second. */
const [WAIT_S, WORK_S] = [15, 2];

tap.setTimeout(120_000);

const GOOD = `test("adds", async (t) => { t.equal(1 + 1, 2); t.ok(true); });
test("needs a part", { skip: "it is not there" }, () => undefined);`;
const BAD = `test("subtracts", async (t) => { t.equal(2 - 1, 0, "nothing is left"); t.ok(true); });`;
const HANGS = `test("is over", async (t) => t.ok(true));
test("waits", async (t) => {
  await t.test("for what never comes", async (tt) => { tt.ok(true, "before it"); console.error("asked nobody"); await new Promise((resolve) => setTimeout(resolve, 3_600_000)); });
});`;
const SPINS = `test("turns for ever", async (t) => { t.ok(true, "begun"); for (;;); });`;

/** A checkout whose only tests are these, by their names. */
function checkoutWith(
  t: Test,
  files: Readonly<Record<string, string>>,
): (...args: readonly string[]) => { readonly status: number | null; readonly said: string; readonly tap: string } {
  const folder = mkdtempSync(join(tmpdir(), "drover-runner-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  cpSync(join(root, ".ci"), join(folder, ".ci"), { recursive: true });
  mkdirSync(join(folder, "dist/test"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  symlinkSync(join(built, "test/node_modules"), join(folder, "dist/test/node_modules"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, "dist/test", `${name}.test.js`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `import { test } from "tap";\n${text}\n`);
  }
  return (...args) => {
    const output = join(folder, "out.tap");
    const { status, stdout } = spawnSync(process.execPath, [join(folder, ".ci/run-tests.mjs"), `--output-file=${output}`, ...args], { cwd: folder, encoding: "utf8" });
    return { status, said: stdout, tap: readFileSync(output, "utf8") };
  };
}

const lastLineOf = (text: string): string => text.trimEnd().split("\n").at(-1) ?? "";

test("assertions are counted over all files, those that share a process and those that do not", (t) => {
  const run = checkoutWith(t, { "actors/good": GOOD, "actors/more": GOOD, "soak/good": GOOD });
  const all = run();
  t.equal(all.status, 0, all.said);
  t.equal(lastLineOf(all.said), "# { total: 9, pass: 6, skip: 3 }");
  t.equal(lastLineOf(all.tap), lastLineOf(all.said));
  const named = run("dist/test/soak/good.test.js");
  t.equal(lastLineOf(named.said), "# { total: 3, pass: 2, skip: 1 }");
  t.end();
});

test("G1, G2. a file that hangs, waiting or working, is ended and failed with the test it was in and what it had printed last; the others count as they would without it", (t) => {
  const run = checkoutWith(t, { "actors/bad": BAD, "actors/good": GOOD, "actors/hangs": HANGS, "actors/later": GOOD, "soak/spins": SPINS });
  const { status, said, tap: text } = run(`--limits=${String(WAIT_S)},${String(WORK_S)}`);
  t.equal(status, 1);
  // One failed, two hung.
  t.equal(lastLineOf(said), "# { total: 13, pass: 8, fail: 3, skip: 2 }", said);
  t.equal(lastLineOf(text), lastLineOf(said));
  const told = said.split(/^not ok: /m).slice(1);
  t.equal(told.length, 3);
  const of = (name: string): string => told.find((each) => each.startsWith(`dist/test/${name}.test.js`)) ?? "";
  t.match(of("actors/bad"), /bad\.test\.js > subtracts > nothing is left/);
  t.match(
    of("actors/hangs"),
    /hangs\.test\.js was ended after 15 s, in a process that ran dist\/test\/actors\/bad\.test\.js, dist\/test\/actors\/good\.test\.js before, in "waits > for what never comes"/,
  );
  t.match(of("actors/hangs"), /stdout, its end:\n[^]*ok 4 - is over[^]*ok 1 - before it\nstderr, its end:\nasked nobody/);
  t.match(of("soak/spins"), /spins\.test\.js was ended with SIGKILL, as the kernel does after 2 s of processor time, in "turns for ever"\nstdout, its end:\n[^]*ok 1 - begun/);
  t.match(said, /^ok +\d+ ms {2}dist\/test\/actors\/later\.test\.js {2}\(1 skipped\)$/m);
  t.end();
});
