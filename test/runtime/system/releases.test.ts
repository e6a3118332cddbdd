// Releases that follow each other on one store, killed in the middle of anything: before its version is raised a release can be taken back, afterwards it is refused with both versions (rules T4).

import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { test } from "tap";

interface Said {
  readonly versions?: unknown;
  readonly tally?: string;
  readonly version?: number;
  readonly total?: number;
  readonly acknowledged?: number;
  readonly code?: string;
  readonly message?: string;
}

interface Run {
  readonly signal: NodeJS.Signals | null;
  readonly status: number | null;
  readonly versions: unknown;
  readonly said: readonly Said[];
}

const TALLIES = 20;
const PROGRAM = fileURLToPath(new URL(`./_release-node${import.meta.url.slice(-3)}`, import.meta.url));

function run(folder: string, release: 1 | 2, what: string): Run {
  const { signal, status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, join(folder, "journal.db"), String(release), what], { encoding: "utf8", timeout: 60_000 });
  if (signal === null && status !== 0) throw new Error(stderr);
  const [{ versions } = {}, ...said] = stdout.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Said]));
  return { signal, status, versions, said };
}

/** The last word on each tally. */
function totals({ said }: Run, by: "acknowledged" | "total"): ReadonlyMap<string, number> {
  return new Map(said.flatMap((each) => (each.tally === undefined || each[by] === undefined ? [] : [[each.tally, each[by]]])));
}

const versionsOf = ({ said }: Run): readonly unknown[] => [...new Set(said.map(({ version }) => version))];

for (const killedAt of ["raise-record", "raise-midway"] as const) {
  test(`T4. a release that was killed in its traffic is taken back with all that was acknowledged; killed again in its raise (${killedAt}) it has gone over, and the former one is refused with both versions`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "drover-releases-"));
    t.match(run(folder, 1, "traffic"), { signal: "SIGKILL", versions: [{ type: "tally", known: [1], active: 1 }] });
    const before = totals(run(folder, 1, "look"), "total");
    const next = run(folder, 2, "traffic");
    t.match(next, { signal: "SIGKILL", versions: [{ type: "tally", known: [1, 2], active: 1 }] });
    const acknowledged = totals(next, "acknowledged");
    t.equal(acknowledged.size, TALLIES);

    const back = run(folder, 1, "look");
    const counted = totals(back, "total");
    t.same(versionsOf(back), [1]);
    for (const [tally, total] of acknowledged) {
      t.ok((counted.get(tally) ?? 0) >= total, `${tally} has counted ${String(counted.get(tally))}, ${String(total)} were acknowledged`);
      t.ok((counted.get(tally) ?? 0) > (before.get(tally) ?? 0), `${tally} has gone on from ${String(before.get(tally))}`);
    }
    t.same(run(folder, 2, "look").said, back.said, "the next release shows the same, and the former one again");
    t.same(run(folder, 1, "look").said, back.said);

    t.equal(run(folder, 2, killedAt).signal, "SIGKILL");
    const over = run(folder, 2, "look");
    t.match(over.versions, [{ active: 2 }]);
    t.same(versionsOf(over), [2]);
    t.same(totals(over, "total"), new Map([...counted].map(([tally, total]) => [tally, total * 10])), "each was migrated once");
    t.same(run(folder, 2, "raise").said, over.said, "what is raised counts as raised");

    const late = run(folder, 1, "look");
    t.equal(late.status, 0);
    t.equal(late.said.length, TALLIES);
    for (const { code, message } of late.said) t.match({ code, message }, { code: "DROVER_STATE_NEWER", message: "active for tally is version 2 of tally; registered is 1" });
    t.same(run(folder, 2, "look").said, over.said, "and has changed nothing");
    await rm(folder, { recursive: true });
  });
}
