// The folder of a node's data, where it can and where it cannot be made.

import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { makeFolder } from "../../runtime/index.ts";

test("missing folders are made for their owner alone; those that are there stay as they are", (t) => {
  const base = t.testdir();
  mkdirSync(join(base, "open"), { mode: 0o755 });
  makeFolder(join(base, "open", "a", "b"), "data");
  t.equal(statSync(join(base, "open", "a", "b")).mode & 0o777, 0o700);
  t.equal(statSync(join(base, "open")).mode & 0o777, 0o755);
  makeFolder(join(base, "open", "a", "b"), "data");
  t.end();
});

test("a place where no folder can be is refused at once, with the setting's name", { skip: process.platform === "linux" ? false : "needs /proc" }, (t) => {
  const base = t.testdir({ file: "x" });
  writeFileSync(join(base, "other"), "");
  for (const path of ["/proc/drover/data", join(base, "file"), join(base, "file", "data")])
    t.throws(() => makeFolder(path, "data"), { code: "DROVER_CONFIG_INVALID", message: /^data: the folder .* cannot be made or used: / }, path);
  t.end();
});
