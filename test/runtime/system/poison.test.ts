// A message whose step never ends: it takes its process with it, but not the next ones for ever.

import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";
import { startStepWatch } from "../../../runtime/index.ts";

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly said: readonly object[];
  readonly stderr: string;
}

function run(folder: string, way: "outside" | "relayed"): Run {
  const program = fileURLToPath(new URL(`./_poison-node${import.meta.url.slice(-3)}`, import.meta.url));
  const { signal, stdout, stderr } = spawnSync(process.execPath, [program, folder, way], { encoding: "utf8", timeout: 25_000 });
  return { signal, said: stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as object])), stderr };
}

for (const way of ["outside", "relayed"] as const) {
  test(`M4. a message (${way}) that loops in a guard ends its process twice; the third run parks it, and its actor and all others go on`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "drover-poison-"));
    const runs: Run[] = [];
    do runs.push(run(folder, way));
    while (runs.at(-1)?.signal !== null && runs.length < 5);
    t.same(
      runs.map(({ signal }) => signal),
      ["SIGKILL", "SIGKILL", null],
    );
    for (const { said } of runs) t.match(said, [{}, { good: "accepted" }], "another entity works in every run");
    t.match(runs[0]?.stderr, /hung for 400 ms.*acme\/loop\/bad.*loop\.spin/);
    const [, , last] = runs;
    t.match(last?.said[0], { hung: ["loop.spin in acme/loop/bad", "loop.spin in acme/loop/bad"] });
    if (way === "outside") t.match(last?.said[2], { told: { kind: "refused", reason: /hung in acme\/loop\/bad and ended the process/ } });
    t.match(last?.said.at(-1), { bad: 1, hung: 0 }, "what came behind it was taken");
    t.equal(await readFile(join(folder, "steps.crash"), "utf8"), "", "nothing is suspected any more");
    t.match(run(folder, way), { signal: null });
    await rm(folder, { recursive: true });
  });
}

test("M4. a crash file with a torn last line is read; one that is no file is told", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-crash-file-"));
  const file = join(folder, "steps.crash");
  await writeFile(file, '{"at":1,"entity":"a/b/c","cell":"a/b/c","what":"go","key":"outside 1"}\n{"at":2,"ent');
  const watch = startStepWatch({ file });
  t.same(watch.hung, [{ at: 1, entity: "a/b/c", cell: "a/b/c", what: "go", key: "outside 1" }]);
  watch.settled("a/b/c", "outside 1");
  t.same(watch.hung, []);
  t.equal(await readFile(file, "utf8"), "");
  await watch.stop();
  t.throws(() => startStepWatch({ file: folder }), { code: "DROVER_CONFIG_INVALID" });
  await rm(folder, { recursive: true });
});
