// A mill whose process ends at once in the step of every seventh grain, whichever way that comes: from outside, from another entity, by a timer, of its own node or from another. Each is
// parked at its third attempt, and all others are ground. The next such grain is brought when that is done: two of them in turn would keep the mill out (kept-out.test.ts).

import { actorType, entityType, messages, parseAddress, reducer, T } from "../../../runtime/index.ts";
import { explain, type ProcessPorts, type Script, simulateSeeds, type Simulation } from "../../../runtime/simulation/index.ts";

export const PARKED_IN_TIME = "what ends its process is parked at its third attempt";

const MILL = parseAddress("acme/mill/m");
const CARTS = ["acme/cart/near", "acme/cart/far"] as const;
export const STONE = 7;
const PROCESSES = 2;

interface Grain {
  readonly type: string;
  readonly n: number;
}

interface Ground {
  readonly ground: readonly number[];
}

const grain = { body: { n: T.Integer() } };
const millMessages = messages({ "mill.grind": grain, "mill.wind": grain });
const cartMessages = messages({ "cart.bring": grain });

const cart = entityType({
  root: actorType({
    name: "cart",
    version: 1,
    messages: cartMessages,
    behaviour: reducer<number, Grain>({
      initial: () => 0,
      step: (brought, { n }, turn) => {
        turn.send(MILL, { type: "mill.grind", n });
        return brought + 1;
      },
    }),
  }),
  durability: "events",
  placement: "cloud",
});

/**
 * @param between stands between the nodes and their ports
 * @param grains how many are brought, of which every seventh ends its process
 * @param processes how many each of these may end
 */
export function poisoned(seed: number, between: (ports: ProcessPorts) => ProcessPorts = (ports) => ports, grains = 2 * STONE, processes = PROCESSES): Simulation {
  let ports: ProcessPorts | undefined;
  const mill = entityType({
    root: actorType({
      name: "mill",
      version: 1,
      messages: millMessages,
      behaviour: reducer<Ground, Grain>({
        initial: () => ({ ground: [] }),
        step: (state, { type, n }, turn) => {
          if (type === "mill.wind") {
            turn.arm(`wound ${String(n)}`, 300, { type: "mill.grind", n });
            return state;
          }
          if (n % STONE === 0) ports?.exit(`grain ${String(n)}`);
          return { ground: [...state.ground, n] };
        },
      }),
    }),
    durability: "events",
    placement: "cloud",
  });
  return {
    seed,
    nodes: {
      mill: {
        types: [mill, cart],
        entities: { [MILL]: undefined, [CARTS[0]]: undefined },
        ports: (given) => (ports = between(given)),
      },
      yard: { types: [cart], entities: { [CARTS[1]]: undefined }, foreignTypes: [mill] },
    },
    forMs: 20_000,
    script: (script) => bring(script, grains),
    checkers: [
      {
        name: PARKED_IN_TIME,
        promise: "M4",
        check: ({ history }) => {
          const deaths = new Map<string, number>();
          return history.flatMap((fact) => {
            if (fact.kind !== "node" || fact.what !== "exited") return [];
            const { reason = "", atMs } = fact;
            const times = (deaths.get(reason) ?? 0) + 1;
            deaths.set(reason, times);
            return times > processes ? [{ atMs, what: `${reason} has ended ${String(times)} processes` }] : [];
          });
        },
      },
    ],
  };
}

/** A mill that never parks is the checkers' affair. */
const PARKED_WITHIN_MS = 60_000;
/** What waits while its node's clock is set back by hours must not seem to be kept for more than a day then. */
const KEEP_MS = 12 * 3_600_000;

async function bring({ insist, sleep, random, system }: Script, grains: number): Promise<void> {
  const parked = async (): Promise<number> => {
    const found = await system("mill")
      ?.inspection.inspect(MILL)
      .catch(() => undefined);
    return found?.parked.length ?? 0;
  };
  for (let n = 1; n <= grains; n++) {
    const way = Math.floor(random.next() * 4);
    const id = `grain ${String(n)}`;
    if (way === 0) await insist(MILL, { type: "mill.grind", n }, { id, keepMs: KEEP_MS, forMs: 30_000 });
    else if (way === 1) await insist(MILL, { type: "mill.wind", n }, { id, keepMs: KEEP_MS, forMs: 30_000 });
    else await insist(CARTS[way - 2] ?? CARTS[0], { type: "cart.bring", n }, { id, keepMs: KEEP_MS, forMs: 30_000 });
    await sleep(random.next() * 1_500);
    if (n % STONE === 0 && n < grains) for (let waited = 0; waited < PARKED_WITHIN_MS && (await parked()) < n / STONE; waited += 500) await sleep(500);
  }
}

/** What came of so many seeds of two stones: those that do not hold, explained; those whose mill has not ground all other grains; how many processes each stone ended. */
export async function endings(
  of: (seed: number) => Simulation,
  count: number,
): Promise<{ readonly failed: readonly string[]; readonly missing: readonly string[]; readonly exits: readonly number[] }> {
  const exits = new Map<string, number>();
  const missing: string[] = [];
  const { failed } = await simulateSeeds(of, {
    count,
    each: ({ seed, history }) => {
      for (const fact of history) {
        if (fact.kind !== "node" || fact.what !== "exited") continue;
        const stone = `${String(seed)} ${fact.reason ?? ""}`;
        exits.set(stone, (exits.get(stone) ?? 0) + 1);
      }
      const ground = history
        .flatMap((fact) => (fact.kind === "view" && fact.address === MILL && !fact.isReplica ? [...(fact.context as Ground).ground] : []))
        .sort((a, b) => a - b);
      if (ground.join() !== "1,2,3,4,5,6,8,9,10,11,12,13") missing.push(`seed ${String(seed)}: ${ground.join()}`);
    },
  });
  return { failed: failed.map(explain), missing, exits: [...exits.values()] };
}
