// A desk with a tiny mailbox that shelves what comes in bursts, from clerks (other entities) and from outside: nothing is lost, doubled or out of its order.

import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import type { Checker, Simulation } from "../../../runtime/simulation/index.ts";

export const DESK = "t/desk/main";
const CLERKS = ["ann", "bob", "cy", "dee", "eve"];
const ROUNDS = 5;
const LETTERS = 6;
/** What waits while its node's clock is set back by hours must not seem to be kept for more than a day then. */
const KEEP_MS = 12 * 3_600_000;

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

export function mailroom(seed: number): Simulation {
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
        const rounds = CLERKS.map((by) => insist(`t/clerk/${by}`, { type: "letter.write", by, from: round * LETTERS }, { keepMs: KEEP_MS }));
        for (let at = 0; at < 12; at++) {
          const letter = { type: "letter.post", by: "guest", n: guest };
          const id = `g${String(guest++)}`;
          if (random.next() < 0.3) void tell(DESK, letter, { id, keepMs: KEEP_MS, withinMs: 2_000 });
          void (random.next() < 0.5 ? insist(DESK, letter, { id, keepMs: KEEP_MS, withinMs: 3_000, forMs: 60_000 }) : tell(DESK, letter, { id, keepMs: KEEP_MS, withinMs: 500 }));
        }
        await Promise.all(rounds);
        await sleep(random.next() * 3_000);
      }
    },
  };
}
