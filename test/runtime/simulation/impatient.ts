// A till whose customers do not wait: they ask with little time, several times at once and again, under one id, while its store is slow, full or out of order.

import { assign, sendTo, setup } from "xstate";
import { actorType, entityType, type EventOf, messages, reply, T } from "../../../runtime/index.ts";
import type { Simulation } from "../../../runtime/simulation/index.ts";

const tillMessages = messages({ "till.pay": { body: { cents: T.Integer() }, reply: T.Object({ sum: T.Integer() }) }, "till.close": { body: {} } });
type TillEvent = EventOf<typeof tillMessages>;

const till = setup({
  types: { context: {} as { readonly sum: number }, events: {} as TillEvent },
  actions: {
    add: assign({ sum: ({ context, event }) => context.sum + (event.type === "till.pay" ? event.cents : 0) }),
    answer: sendTo(
      ({ event }) => (event as Extract<TillEvent, { type: "till.pay" }>).replyTo,
      ({ context }) => reply({ sum: context.sum }),
    ),
  },
}).createMachine({
  id: "till",
  context: { sum: 0 },
  initial: "open",
  states: {
    open: { on: { "till.pay": { actions: ["add", "answer"] }, "till.close": "closed" } },
    closed: { on: { "till.close": "open" } },
  },
});

const TILL = "shop/till/one";
const CUSTOMERS = 12;

export function impatient(seed: number): Simulation {
  return {
    seed,
    nodes: {
      counter: {
        types: [entityType({ root: actorType({ name: "till", version: 1, messages: tillMessages, behaviour: till }), durability: "events", placement: "cloud" })],
        entities: { [TILL]: undefined },
      },
    },
    forMs: 8_000,
    faults: { kinds: ["slow-store", "full-store", "store-outage", "kill", "pause"], everyMs: 700, store: { latencyMs: [1, 12], unknown: 0.05 } },
    script: async ({ ask, tell, sleep, random }) => {
      const pay = async (n: number): Promise<void> => {
        await sleep(random.next() * 6_000);
        const event = { type: "till.pay", cents: 1 + n };
        const id = `payment-${String(n)}`;
        for (let again = 0; again < 6; again++) {
          const withinMs = 2 + Math.floor(random.next() ** 3 * 1_500);
          const first = ask(TILL, event, { id, withinMs });
          if (random.next() < 0.5) await sleep(random.next() * withinMs);
          const words = await Promise.all([first, tell(TILL, event, { id, withinMs: 2 + Math.floor(random.next() * 300) })]);
          if (words.some(({ kind }) => kind === "replied")) return;
          await sleep(random.next() * 200);
        }
      };
      const paid = Array.from({ length: CUSTOMERS }, (_, n) => pay(n));
      for (let n = 0; n < 4; n++) {
        await sleep(random.next() * 2_000);
        await tell(TILL, { type: "till.close" }, { withinMs: 500 });
      }
      await Promise.all(paid);
    },
  };
}
