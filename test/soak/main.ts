// `npm run soak -- [MINUTES] [ACTORS] [PERSECOND]`: the soak in any length, with its figures. Exit code 1 when the heap grows by 1 MB an hour or more.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { soak } from "./soak.ts";

const [minutes = "60", actors = "5000", perSecond = "300"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "drover-soak-"));
const report = await soak({
  folder,
  forMs: Number(minutes) * 60_000,
  actors: Number(actors),
  perSecond: Number(perSecond),
  progress: (line) => void process.stderr.write(`${line}\n`),
});
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
rmSync(folder, { recursive: true });
process.exitCode = report.heapMbAnHour < 1 ? 0 : 1;
