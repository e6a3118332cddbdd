// A small world of a user's own: a depot hands parcels to couriers; each rings a bell once for a parcel, rides for a while by a durable timer and reports back; a lamp is lit
// until that is confirmed.

import { assign, sendTo, setup } from "xstate";
import { actorType, effect, effectOutcomes, type EntityType, entityType, type EventOf, messages, reducer, T } from "../../../runtime/index.ts";
import type { NodeSpec, Script, Simulation } from "../../../runtime/simulation/index.ts";

const DEPOT = "t/depot/main";
const COURIERS = ["t/courier/ann", "t/courier/bob"] as const;

const depotType = actorType({
  name: "depot",
  version: 1,
  messages: messages({
    "parcel.send": { body: { n: T.Integer(), by: T.String() } },
    "parcel.reported": { body: { n: T.Integer() } },
    ...effectOutcomes,
  }),
  behaviour: reducer<{ readonly sent: readonly number[]; readonly reported: readonly number[] }, { readonly type: string; readonly n: number; readonly by: string }>({
    initial: () => ({ sent: [], reported: [] }),
    step: (state, event, turn) => {
      if (event.type === "parcel.reported") return { ...state, reported: [...state.reported, event.n] };
      if (event.type !== "parcel.send") return state;
      turn.send(event.by, { type: "parcel.take", n: event.n });
      turn.perform("lamp", { n: event.n });
      return { ...state, sent: [...state.sent, event.n] };
    },
    effects: { lamp: effect<{ n: number }>({ class: "idempotent" }) },
  }),
});

const courierMessages = messages({ "parcel.take": { body: { n: T.Integer() } }, ...effectOutcomes });

const courierMachine = setup({
  types: { context: {} as { bag: readonly number[]; unsure: number }, events: {} as EventOf<typeof courierMessages> },
  actions: {
    take: assign({ bag: ({ context, event }) => (event.type === "parcel.take" ? [...context.bag, event.n] : context.bag) }),
    ring: effect<{ n: number }>({ class: "once" }),
    report: sendTo(
      () => depotType.at(DEPOT),
      ({ context }) => ({ type: "parcel.reported", n: context.bag[0] ?? -1 }),
    ),
    drop: assign({ bag: ({ context }) => context.bag.slice(1) }),
    wonder: assign({ unsure: ({ context }) => context.unsure + 1 }),
  },
  guards: { hasParcel: ({ context }) => context.bag.length > 0 },
  delays: { ROUND: 700 },
}).createMachine({
  id: "courier",
  context: { bag: [], unsure: 0 },
  initial: "waiting",
  on: {
    "parcel.take": { actions: ["take", { type: "ring", params: ({ event }) => ({ n: event.n }) }] },
    "effect.unknown": { actions: "wonder" },
    "effect.failed": { actions: "wonder" },
  },
  states: {
    waiting: { always: { guard: "hasParcel", target: "riding" } },
    riding: { after: { ROUND: { target: "waiting", actions: ["report", "drop"] } } },
  },
});

const courierType = actorType({ name: "courier", version: 1, messages: courierMessages, behaviour: courierMachine });

type Kept = Exclude<EntityType["durability"], "volatile">;

/** The bell is seldom out of order, the lamp most of the time: it is lit at the third attempt. */
function courierNodes(durability: Kept): Readonly<Record<"depot" | "street", NodeSpec>> {
  const failing = (isFailure: (attempt: number) => boolean): (() => void) => {
    let attempts = 0;
    return () => {
      if (isFailure(++attempts)) throw new Error("out of order");
    };
  };
  const depotEntity = entityType({ root: depotType, durability, placement: "cloud" });
  const courierEntity = entityType({ root: courierType, durability, placement: "cloud" });
  return {
    depot: { types: [depotEntity, depotType.with({ effects: { lamp: failing((attempt) => attempt % 3 !== 0) } })], entities: { [DEPOT]: undefined } },
    street: {
      types: [courierEntity, courierType.with({ effects: { ring: failing((attempt) => attempt % 7 === 0) } })],
      entities: Object.fromEntries(COURIERS.map((courier) => [courier, undefined])),
    },
  };
}

/** Parcels for both couriers, some sent twice under one id, most of them until their sender knows. */
async function sendParcels({ insist, tell, sleep, random }: Script): Promise<void> {
  for (let n = 1; n <= 12; n++) {
    const by = COURIERS[Math.floor(random.next() * COURIERS.length)];
    const parcel = { type: "parcel.send", n, by };
    if (random.next() < 0.3) void tell(DEPOT, parcel, { id: `parcel-${String(n)}`, withinMs: 2_000 });
    await insist(DEPOT, parcel, { id: `parcel-${String(n)}`, withinMs: 3_000, forMs: 40_000 });
    await sleep(random.next() * 1_500);
  }
}

export function couriers(seed: number, more: Partial<Simulation> = {}): Simulation {
  return { seed, nodes: courierNodes("events"), script: sendParcels, forMs: 20_000, ...more };
}

/** The same people, who keep their state and no history. */
export function forgetfulCouriers(seed: number): Simulation {
  return couriers(seed, { nodes: courierNodes("snapshot") });
}
