// The kernel's control groups, over folders that stand for them: where a limit is put, and where there is none to be had.

import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { test } from "tap";

import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";
import { makeControlGroup, ownGroupFolder } from "../../../runtime/workers/control-group.ts";

test("the folder of a process's own group is where cgroup v2 is mounted, and there may be none", (t) => {
  const proc = (cgroup: string, mounts: string): string => t.testdir({ self: { cgroup, mounts } });
  t.equal(ownGroupFolder(proc("0::/system.slice/drover.service/node\n", "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n")), "/sys/fs/cgroup/system.slice/drover.service/node");
  t.equal(ownGroupFolder(proc("4:memory:/\n0::/\n", "proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n")), "/sys/fs/cgroup/unified/");
  t.equal(ownGroupFolder(proc("4:memory:/\n", "cgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\n")), undefined, "version 1 only");
  t.equal(ownGroupFolder(join(t.testdirName, "nothing")), undefined);
  t.end();
});

test("S5. a limit is put where the kernel takes one: a folder without such files gives a group that only kills", (t) => {
  const clock = new ManualClock();
  const own = t.testdir({ "drover-1073741824-left": {}, "drover-1-lives": {}, other: {} });
  const group = makeControlGroup(own, "abc", 100, clock);
  t.match(group, { limitsMemory: false, folder: join(own, `drover-${String(process.pid)}-abc`) });
  t.notOk(group?.add(1), "a plain folder takes no processes");
  t.equal(group?.outOfMemory(), 0);
  t.strictSame(
    readdirSync(own).filter((name) => /-(left|lives)$/.test(name)),
    ["drover-1-lives"],
    "what a dead node left is gone",
  );
  group?.kill();
  group?.remove();
  t.notOk(existsSync(group?.folder ?? own));
  t.equal(makeControlGroup(undefined, "abc", 100, clock), undefined);
  t.equal(makeControlGroup(join(own, "missing", "deeper"), "abc", 100, clock), undefined);
  t.end();
});

test("S5. memory, swap and a kill of all together are set in the kernel's files; who was killed for memory is read there", (t) => {
  const clock = new ManualClock();
  const own = t.testdir({});
  // The kernel puts its files into each new folder; here the folder is made before, and left as it is.
  const folder = join(own, `drover-${String(process.pid)}-abc`);
  const kernel = ["cgroup.procs", "cgroup.kill", "memory.max", "memory.swap.max", "memory.oom.group", "memory.events"];
  const group = makeControlGroup(own, "abc", 64, clock, (made) => {
    mkdirSync(made);
    for (const file of kernel) writeFileSync(join(made, file), file === "memory.events" ? "low 0\noom 1\noom_kill 2\noom_group_kill 1\n" : "");
  });
  t.match(group, { limitsMemory: true, folder });
  t.ok(group?.add(1234));
  group?.kill();
  const text = (file: string): string => readFileSync(join(folder, file), "utf8");
  t.strictSame(["cgroup.procs", "cgroup.kill", "memory.max", "memory.swap.max", "memory.oom.group"].map(text), ["1234", "1", String(64 * 1_048_576), "0", "1"]);
  t.equal(group?.outOfMemory(), 2);
  t.equal(dirname(folder), own);
  t.end();
});
