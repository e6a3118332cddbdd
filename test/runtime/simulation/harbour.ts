// A harbour whose work waits: ships before a lock that opens now and then (postponed by a machine), cargo that a crane takes by day only (postponed by a reducer, and sent by another
// entity too), a desk with a tiny mailbox that shelves what comes in bursts, and bells that are armed for one time and ring in their order.

import { assign, setup } from "xstate";
import { actorType, entityType, type EntityType, type EventOf, messages, reducer, T } from "../../../runtime/index.ts";
import type { Simulation } from "../../../runtime/simulation/index.ts";

const LOCK = "t/lock/main";
const CRANE = "t/crane/main";
const DESK = "t/desk/main";
const BELLS = "t/bells/main";
const PILOT = "t/pilot/main";

const ROUNDS = 5;
const RING_AFTER_MS = 500;

const numbered = { body: { n: T.Integer() } };

const lockMessages = messages({ "ship.enter": { ...numbered, postpone: true } });
const lock = actorType({
  name: "lock",
  version: 1,
  messages: lockMessages,
  behaviour: setup({
    types: { context: {} as { ships: readonly number[] }, events: {} as EventOf<typeof lockMessages> },
    actions: { enter: assign({ ships: ({ context, event }) => [...context.ships, event.n] }) },
    delays: { LOCKING: 400 },
  }).createMachine({
    context: { ships: [] },
    initial: "open",
    states: { open: { on: { "ship.enter": { target: "locking", actions: "enter" } } }, locking: { after: { LOCKING: "open" } } },
  }),
});

interface Crane {
  readonly isDay: boolean;
  readonly lifted: readonly number[];
}

const crane = actorType({
  name: "crane",
  version: 1,
  messages: messages({ "crane.lift": numbered, "crane.turn": { body: {} } }),
  behaviour: reducer<Crane, { readonly type: string; readonly n: number }>({
    initial: () => ({ isDay: false, lifted: [] }),
    step: (state, { type, n }, turn) => {
      if (type === "crane.turn") return { ...state, isDay: !state.isDay };
      if (!state.isDay) {
        turn.postpone();
        return state;
      }
      if (n % 7 === 0) throw new Error("too heavy");
      return { ...state, lifted: [...state.lifted, n] };
    },
  }),
});

const pilot = actorType({
  name: "pilot",
  version: 1,
  messages: messages({ "pilot.land": numbered }),
  behaviour: reducer<number, { readonly type: string; readonly n: number }>({
    initial: () => 0,
    step: (landed, { n }, turn) => {
      for (let part = 0; part < 3; part++) turn.send(CRANE, { type: "crane.lift", n: 10 * n + part });
      return landed + 1;
    },
  }),
});

const desk = actorType({
  name: "desk",
  version: 1,
  messages: messages({ "desk.note": numbered }),
  mailbox: { messages: 2, overflow: "shelve", shelved: 30 },
  behaviour: reducer<readonly number[], { readonly type: string; readonly n: number }>({ initial: () => [], step: (noted, { n }) => [...noted, n] }),
});

const bells = actorType({
  name: "bells",
  version: 1,
  messages: messages({ "bells.arm": numbered, "bells.ring": numbered }),
  behaviour: reducer<readonly number[], { readonly type: string; readonly n: number }>({
    initial: () => [],
    step: (rung, { type, n }, turn) => {
      if (type === "bells.ring") return [...rung, n];
      for (let bell = 0; bell < 3; bell++) turn.arm(`${String(n)}-${String(bell)}`, RING_AFTER_MS, { type: "bells.ring", n: 10 * n + bell });
      if (n % 2 === 0) turn.cancel(`${String(n)}-1`);
      return rung;
    },
  }),
});

/** @param durability of all but the desk, whose shelf is a journal's; default `events` */
export function harbour(seed: number, { durability = "events", ...more }: Partial<Simulation> & { readonly durability?: EntityType["durability"] } = {}): Simulation {
  const hosted = (root: typeof lock | typeof crane | typeof desk | typeof bells | typeof pilot): EntityType =>
    entityType({
      root,
      durability: root === desk ? "events" : durability,
      placement: "cloud",
      ...(seed % 2 === 0 && (root === desk || durability !== "volatile") ? { passivateAfterMs: 200 } : {}),
    });
  return {
    seed,
    nodes: {
      quay: { types: [lock, crane, desk, bells].map(hosted), entities: { [LOCK]: undefined, [CRANE]: undefined, [DESK]: undefined, [BELLS]: undefined } },
      sea: { types: [hosted(pilot)], entities: { [PILOT]: undefined } },
    },
    forMs: 10_000,
    settleMs: 70_000,
    faults: { everyMs: 1_500 },
    script: async ({ insist, tell, sleep, random }) => {
      let n = 0;
      const say = (to: string, type: string): Promise<unknown> => insist(to, { type, n: ++n }, { withinMs: 3_000, forMs: 20_000 });
      for (let round = 0; round < ROUNDS; round++) {
        await Promise.all([
          ...Array.from({ length: 3 }, () => say(LOCK, "ship.enter")),
          ...Array.from({ length: 8 }, () => say(DESK, "desk.note")),
          say(CRANE, "crane.lift"),
          say(PILOT, "pilot.land"),
          say(BELLS, "bells.arm"),
          tell(CRANE, { type: "crane.turn" }, { withinMs: 2_000 }),
        ]);
        await sleep(random.next() * 1_500);
      }
      // The lock lets them through one by one.
      await sleep(15_000);
    },
    ...more,
  };
}
