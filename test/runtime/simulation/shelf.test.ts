// A desk with a tiny mailbox that shelves what comes in bursts, from other entities and from outside, through all that may fail: nothing is lost, doubled or out of its order.

import { test } from "tap";
import { form } from "../../forms.ts";
import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import { rowsOf } from "../../../runtime/simulation/open-work.ts";
import { type Checker, explain, type Simulation, simulateSeeds } from "../../../runtime/simulation/index.ts";

const SEEDS = form(10, 40);
const DESK = "t/desk/main";
const CLERKS = ["ann", "bob", "cy", "dee", "eve"];
const ROUNDS = 5;
const LETTERS = 6;

interface Letter {
  readonly type: string;
  readonly by: string;
  readonly n: number;
}

const desk = actorType({
  name: "desk",
  version: 1,
  messages: messages({ "letter.post": { body: { by: T.String(), n: T.Integer() } } }),
  mailbox: { messages: 2, overflow: "shelve", shelved: 40 },
  behaviour: reducer<readonly string[], Letter>({ initial: () => [], step: (done, { by, n }) => [...done, `${by} ${String(n)}`] }),
});

const clerk = actorType({
  name: "clerk",
  version: 1,
  messages: messages({ "letter.write": { body: { from: T.Integer(), by: T.String() } } }),
  behaviour: reducer<number, { readonly type: string; readonly from: number; readonly by: string }>({
    initial: () => 0,
    step: (written, { from, by }, turn) => {
      for (let n = from; n < from + LETTERS; n++) turn.send(DESK, { type: "letter.post", by, n });
      return written + LETTERS;
    },
  }),
});

/** What the desk acted on, from its last committed state. */
const actedOn: Checker = {
  name: "each letter once, a clerk's in their order",
  promise: "S3",
  check: ({ turns, history }) => {
    const found: { atMs: number; what: string }[] = [];
    const atMs = turns.at(-1)?.atMs ?? 0;
    const done = (turns.findLast(({ entity, record }) => entity === DESK && record.outcome.cells.length > 0)?.record.outcome.cells[0]?.context ?? []) as readonly string[];
    for (const name of CLERKS) {
      const expected = Array.from({ length: ROUNDS * LETTERS }, (_, n) => `${name} ${String(n)}`).join();
      const is = done.filter((letter) => letter.startsWith(`${name} `)).join();
      if (is !== expected) found.push({ atMs, what: `of ${name}: ${is}` });
    }
    const accepted = new Set(history.flatMap((fact) => (fact.kind === "told" && fact.to === DESK && fact.outcome.kind === "accepted" ? [fact.id] : [])));
    for (const id of accepted) if (!done.includes(`guest ${id.slice(1)}`)) found.push({ atMs, what: `${id} was accepted and not acted on` });
    if (new Set(done).size !== done.length) found.push({ atMs, what: "a letter was acted on twice" });
    return found;
  },
};

function mailroom(seed: number): Simulation {
  return {
    seed,
    nodes: {
      hall: { types: [entityType({ root: desk, durability: "events", placement: "cloud" })], entities: { [DESK]: undefined } },
      office: {
        types: [entityType({ root: clerk, durability: "events", placement: "cloud" })],
        entities: Object.fromEntries(CLERKS.map((name) => [`t/clerk/${name}`, undefined])),
      },
    },
    forMs: 15_000,
    faults: { everyMs: 700, store: { latencyMs: [5, 60], unknown: 0.05 } },
    checkers: [actedOn],
    script: async ({ insist, tell, sleep, random }) => {
      let guest = 0;
      for (let round = 0; round < ROUNDS; round++) {
        const rounds = CLERKS.map((by) => insist(`t/clerk/${by}`, { type: "letter.write", by, from: round * LETTERS }));
        for (let at = 0; at < 12; at++) {
          const letter = { type: "letter.post", by: "guest", n: guest };
          const id = `g${String(guest++)}`;
          if (random.next() < 0.3) void tell(DESK, letter, { id, withinMs: 2_000 });
          void (random.next() < 0.5 ? insist(DESK, letter, { id, withinMs: 3_000, forMs: 60_000 }) : tell(DESK, letter, { id, withinMs: 500 }));
        }
        await Promise.all(rounds);
        await sleep(random.next() * 3_000);
      }
    },
  };
}

test("S3, S5, M1, M2. a mailbox that shelves keeps every promise through kills, takeovers, cuts and failing stores", { timeout: 120_000 }, async (t) => {
  let shelved = 0;
  let across = 0;
  const { runs, failed } = await simulateSeeds(mailroom, {
    count: SEEDS,
    each: ({ history }) => {
      const shelvedBy = new Map<string, number>();
      for (const fact of history) {
        if (fact.kind !== "asked" || fact.entity !== DESK || fact.record === undefined) continue;
        for (const [key, ...row] of rowsOf(fact.record, "shelf")) {
          if (row.length === 0) across += shelvedBy.get(key) === fact.run ? 0 : 1;
          else {
            shelved++;
            shelvedBy.set(key, fact.run);
          }
        }
      }
    },
  });
  t.equal(runs, SEEDS);
  t.same(failed.map(explain), []);
  t.ok(shelved > SEEDS * 20 && across > SEEDS, `${String(shelved)} were shelved, ${String(across)} of them acted on by another process`);
});
