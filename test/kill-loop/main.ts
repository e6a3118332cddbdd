// `npm run kill-loop -- [KILLS] [SEED]`: the kill loop in any size, with its figures. Exit code 1 when anything is wrong.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { killLoop } from "./loop.ts";

const [kills = "200", seed = "1"] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), "drover-kill-loop-"));
const report = await killLoop({ kills: Number(kills), seed: Number(seed), folder, progress: (line) => void process.stderr.write(`${line}\n`) });
process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
if (report.wrong.length === 0) rmSync(folder, { recursive: true });
else process.stderr.write(`the store is kept in ${folder}\n`);
process.exitCode = report.wrong.length === 0 ? 0 : 1;
