// `npm run prove:kill -- [ROUNDS] [SEED] [TRAILERS] [KILLS]`: rollouts whose processes are killed, round after round with the next seed. Exit code 1 when anything is wrong, 2 for a number that is none.

import { killedRollout, type KilledRolloutReport } from "./killed-rollout.ts";

const args = process.argv.slice(2);
const rounds = numberOf("ROUNDS", args[0] ?? "1");
const firstSeed = numberOf("SEED", args[1] ?? "1");
const trailers = numberOf("TRAILERS", args[2] ?? "10");
const kills = numberOf("KILLS", args[3] ?? "20");
let isWrong = false;
for (let seed = firstSeed; seed < firstSeed + rounds; seed++) {
  const report = await oneRound(seed);
  process.stdout.write(`${JSON.stringify(report)}\n`);
  isWrong ||= report.wrong.length > 0;
}
process.exit(isWrong ? 1 : 0);

async function oneRound(seed: number): Promise<Pick<KilledRolloutReport, "seed" | "wrong">> {
  const teardowns: (() => unknown)[] = [];
  try {
    return await killedRollout({ teardown: (handler) => teardowns.unshift(handler) }, { seed, trailers, kills, progress: (line) => void process.stderr.write(`${line}\n`) });
  } catch (error) {
    return { seed, wrong: [String(error)] };
  } finally {
    for (const teardown of teardowns) await teardown();
  }
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  process.stderr.write(`${name}: "${text}" is no whole number from 1 on; usage: npm run prove:kill -- [ROUNDS] [SEED] [TRAILERS] [KILLS], default 1 1 10 20\n`);
  process.exit(2);
}
