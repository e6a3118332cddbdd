// Neighbours who pass on what they hear, on a node that has room for few of them: those in memory wait for those that are not.

import { actorType, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import type { Simulation } from "../../../runtime/simulation/index.ts";

const NEIGHBOURS = 24;
const ROUNDS = 4;
const addressOf = (at: number): string => `t/neighbour/${String(at % NEIGHBOURS)}`;

const root = actorType({
  name: "neighbour",
  version: 1,
  messages: messages({ "news.hear": { body: { n: T.Integer(), path: T.Array(T.Integer()) } } }),
  behaviour: reducer<{ readonly heard: number }, { readonly type: string; readonly n: number; readonly path: readonly number[] }>({
    initial: () => ({ heard: 0 }),
    step: (state, { n, path }, turn) => {
      const [next, ...rest] = path;
      if (next !== undefined) turn.send(addressOf(next), { type: "news.hear", n, path: rest });
      return { heard: state.heard + 1 };
    },
  }),
});

export function crowded(seed: number): Simulation {
  return {
    seed,
    nodes: {
      street: {
        types: [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: 300 })],
        residentEntities: 2,
        activation: { perSecond: 500, burst: 50, concurrent: 32 },
      },
    },
    forMs: 12_000,
    faults: { kinds: ["kill", "slow-store", "store-outage", "pause"], everyMs: 4_000, store: { latencyMs: [1, 10], unknown: 0.02 } },
    script: async ({ insist, sleep, random }) => {
      const hear = (at: number, n: number, path: readonly number[]): Promise<unknown> =>
        insist(addressOf(at), { type: "news.hear", n, path }, { create: { input: undefined }, withinMs: 3_000, forMs: 60_000 });
      await Promise.all(Array.from({ length: NEIGHBOURS }, (_, at) => hear(at, 0, [])));
      for (let n = 1; n <= ROUNDS; n++) {
        await sleep(1_000 + random.next() * 1_500);
        const path = (): number[] => Array.from({ length: 1 + Math.floor(random.next() * 4) }, () => Math.floor(random.next() * NEIGHBOURS));
        await Promise.all(Array.from({ length: NEIGHBOURS / 2 }, (_, at) => hear(at * 2, n, path())));
      }
    },
  };
}
