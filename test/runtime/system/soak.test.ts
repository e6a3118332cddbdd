// Random trouble from one seed each: cuts, kills, lost answers, doubled and overtaking messages, commits of unknown outcome. What was acknowledged took effect once.

import { test } from "tap";
import type { Told } from "../../../runtime/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { begin, entriesOf, LEDGER, type Node, type Nodes, twoNodes, WRITER } from "./two-nodes.ts";

const SEEDS = form(60, 200);
const WITHIN_MS = 10_000;
const MESSAGES = 8;

interface Run {
  readonly nodes: Nodes;
  a: Node;
  b: Node;
}

async function advancing<T>(nodes: Nodes, work: Promise<T>, ms: number): Promise<T> {
  await nodes.clock.advance(ms);
  return work;
}

async function killed(run: Run, side: "a" | "b"): Promise<void> {
  const old = run[side];
  old.kill();
  const again = await run.nodes.start(side, { disk: old.disk, commitMs: 2 });
  run[side] = again;
  await advancing(run.nodes, begin(again, side === "a" ? WRITER : LEDGER), 30);
}

async function trouble(run: Run, dice: SeededRandom): Promise<void> {
  const { nodes } = run;
  const side = dice.next() < 0.5 ? "a" : "b";
  const kind = dice.next();
  if (kind < 0.2) await killed(run, side);
  else if (kind < 0.4) {
    nodes.network.cut(side);
    await nodes.clock.advance(dice.next() * 40);
    nodes.network.heal(side);
  } else if (kind < 0.55) run[side].store.unknownNext({ written: dice.next() < 0.5 });
  else if (kind < 0.65) run[side].store.refuseNext(side === "a" ? WRITER : LEDGER, "scripted");
  else nodes.network.setFaults({ drop: dice.next() * 0.5, duplicate: dice.next() * 0.5, reorder: dice.next() * 0.5 });
}

async function soak(seed: number): Promise<string | undefined> {
  const dice = new SeededRandom(seed);
  const nodes = twoNodes(seed, [1, 8]);
  const run: Run = { nodes, a: await nodes.start("a", { commitMs: 2 }), b: await nodes.start("b", { commitMs: 2 }) };
  await advancing(nodes, Promise.all([begin(run.a, WRITER), begin(run.b, LEDGER)]), 30);
  const write = (n: number): Promise<Told> => run.a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n }, { id: `m${String(n)}`, author: "soak", withinMs: 2_000 });
  const told: Promise<Told>[] = [];
  for (let n = 1; n <= MESSAGES; n++) {
    told.push(write(n));
    await nodes.clock.advance(dice.next() * 12);
    await trouble(run, dice);
  }
  nodes.network.setFaults({});
  for (const side of ["a", "b"]) nodes.network.heal(side);
  await nodes.clock.advance(120_000);
  const first = await Promise.all(told);
  // Whoever does not know asks again with the same id and has one true outcome.
  const last: Told[] = [];
  for (const [index, outcome] of first.entries()) last.push(outcome.kind === "unknown" ? await advancing(nodes, write(index + 1), 5_000) : outcome);
  await nodes.clock.advance(120_000);
  const entries = entriesOf(run.b);
  const problems: string[] = [];
  if (!last.every(({ kind }) => kind === "accepted" || kind === "owner-away" || kind === "not-stored" || kind === "deadline"))
    problems.push(`outcomes ${last.map(({ kind }) => kind).join(" ")}`);
  last.forEach(({ kind }, index) => {
    const times = entries.filter((entry) => entry === index + 1).length;
    if (times !== (kind === "accepted" ? 1 : 0)) problems.push(`message ${String(index + 1)} was ${kind} and took effect ${String(times)} times`);
  });
  await advancing(nodes, Promise.all([run.a.stop(), run.b.stop()]), 5_000);
  return problems.length === 0 ? undefined : `seed ${String(seed)}: ${problems.join("; ")}`;
}

test("S3, M1, M2, C2. over seeds of cuts, kills, duplicates and doubtful commits every acknowledged message took effect once, every other one never", async (t) => {
  const end = performance.now() + WITHIN_MS;
  const problems: string[] = [];
  let runs = 0;
  for (let seed = 1; seed <= SEEDS && performance.now() < end; seed++) {
    const problem = await soak(seed);
    if (problem !== undefined) problems.push(problem);
    runs++;
  }
  t.same(problems, []);
  t.ok(runs >= 20, `${String(runs)} seeds in ${String(WITHIN_MS / 1_000)} s`);
  t.comment(`${String(runs)} seeds`);
});
