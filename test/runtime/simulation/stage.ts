// A theatre whose stage keeps nothing: a volatile entity with actors that have timers, tasks, asks, effects of each class and inline actions, beside a durable box office on another node
// to which they write, and which asks and tells them.

import { assign, log, sendTo, setup } from "xstate";
import { actorType, ask, effect, effectOutcomes, entityType, type EventOf, messages, reducer, reply, T, task } from "../../../runtime/index.ts";
import { SeededRandom, type Simulation } from "../../../runtime/simulation/index.ts";

const OFFICE = "t/office/main";
export const STAGES = ["t/stage/left", "t/stage/right"] as const;

const officeMessages = messages({
  "office.sold": { body: { n: T.Integer() } },
  "office.count": { body: {}, reply: T.Object({ sold: T.Integer() }) },
  "office.call": { body: { n: T.Integer(), to: T.String() } },
});
const office = actorType({
  name: "office",
  version: 1,
  messages: officeMessages,
  behaviour: reducer<{ readonly sold: number }, { readonly type: string; readonly n: number; readonly to: string; readonly replyTo: never }>({
    initial: () => ({ sold: 0 }),
    step: (state, event, turn) => {
      if (event.type === "office.call") turn.send(event.to, { type: "actor.enter", n: event.n });
      if (event.type === "office.count") turn.send(event.replyTo, { type: "reply", value: state });
      return event.type === "office.sold" ? { sold: state.sold + 1 } : state;
    },
  }),
});

const actorMessages = messages({
  "actor.enter": { body: { n: T.Integer() } },
  "actor.ask": { body: {} },
  "actor.work": { body: {} },
  "actor.bow": { body: {}, reply: T.Object({ n: T.Integer() }) },
  "actor.fall": { body: {} },
  "actor.leave": { body: {} },
  ...effectOutcomes,
});
const actor = actorType({
  name: "actor",
  version: 1,
  messages: actorMessages,
  behaviour: setup({
    types: { context: {} as { n: number; seen: Map<string, number>; when: () => number }, events: {} as EventOf<typeof actorMessages> },
    actors: { count: ask(office, "office.count"), rehearse: task<{ n: number }, number>() },
    actions: {
      light: effect<{ n: number }>({ class: "idempotent" }),
      shout: effect<{ n: number }>({ class: "once", withinMs: 2_000 }),
      show: effect<{ n: number }>({ class: "state" }),
      fall: assign(() => {
        throw new Error("fell off the stage");
      }),
      enter: assign({ n: ({ context }) => context.n + 1, seen: ({ context }) => new Map(context.seen).set(`at ${String(context.n)}`, context.n) }),
      sell: sendTo(
        () => office.at(OFFICE),
        ({ context }) => ({ type: "office.sold", n: context.n }),
      ),
      inline: () => undefined,
    },
    delays: { SCENE: 700 },
  }).createMachine({
    context: { n: 0, seen: new Map(), when: () => 5 },
    initial: "behind",
    entry: { type: "light", params: { n: -1 } },
    on: {
      "actor.bow": {
        actions: sendTo(
          ({ event }) => event.replyTo,
          ({ context }) => reply({ n: context.n }),
        ),
      },
      // What comes before the fault is taken back with it.
      "actor.fall": { actions: ["enter", { type: "light", params: { n: -2 } }, "sell", "fall"] },
    },
    states: {
      behind: {
        on: {
          "actor.enter": {
            target: "playing",
            actions: [
              "enter",
              "inline",
              log("enters"),
              { type: "light", params: ({ context }) => ({ n: context.n }) },
              { type: "shout", params: ({ context }) => ({ n: context.n }) },
              "sell",
            ],
          },
          "actor.ask": "asking",
          "actor.work": "working",
          "actor.leave": "gone",
        },
      },
      playing: { after: { SCENE: { target: "behind", actions: [{ type: "show", params: ({ context }) => ({ n: context.n }) }, "sell"] } } },
      asking: { invoke: { src: "count", id: "count", input: { to: OFFICE, body: {}, withinMs: 2_000 }, onDone: "behind", onError: "behind" } },
      working: { invoke: { src: "rehearse", id: "rehearse", input: ({ context }) => ({ n: context.n }), onDone: "behind", onError: "behind" }, after: { SCENE: "behind" } },
      gone: { type: "final" },
    },
  }),
});

const stageRoot = actorType({
  name: "stage",
  version: 1,
  messages: messages({ "stage.clear": { body: {} } }),
  behaviour: reducer({ initial: () => ({}), step: (state) => state }),
});

export function stages(seed: number, more: Partial<Simulation> = {}): Simulation {
  const random = new SeededRandom(seed);
  const one = <V>(list: readonly V[]): V => list[Math.floor(random.next() * list.length)] as V;
  const stage = entityType({
    root: stageRoot,
    durability: "volatile",
    placement: "cloud",
    children: {
      actor: {
        types: [actor],
        strategy: one(["one-for-one", "one-for-all", "rest-for-one"]),
        restart: one(["permanent", "transient", "temporary"]),
        restartFrom: one(["committed", "initial"]),
      },
    },
  });
  const offices = entityType({ root: office, durability: one(["events", "snapshot"]), placement: "cloud" });
  let attempts = 0;
  const often = (every: number, what: string) => (): undefined => {
    if (++attempts % every === 0) throw new Error(what);
  };
  const supplied = actor.with({
    effects: { light: often(5, "no power"), shout: often(7, "no voice"), show: () => undefined },
    tasks: { rehearse: ({ n }: { readonly n: number }) => Promise.resolve(n) },
  });
  const members = { input: undefined, children: ["romeo", "juliet"].map((id) => ({ kind: "actor", id, type: "actor", input: undefined })) };
  const [left, right] = STAGES;
  return {
    seed,
    forMs: 12_000,
    settleMs: 70_000,
    faults: { everyMs: 1_500 },
    nodes: {
      one: { types: [stage, supplied], entities: { [left]: members }, foreignTypes: [offices] },
      two: { types: [stage, supplied, offices], entities: { [right]: members, [OFFICE]: undefined } },
    },
    script: async ({ random: chance, insist, tell, ask: question, sleep }) => {
      const pick = <V>(list: readonly V[]): V => list[Math.floor(chance.next() * list.length)] as V;
      for (let n = 1; n <= 30; n++) {
        const to = `${pick(STAGES)}/actor/${pick(["romeo", "juliet"])}`;
        const options = { withinMs: 2_000, forMs: 4_000 };
        const word = pick(["enter", "enter", "enter", "call", "ask", "work", "bow", "fall", "leave"]);
        if (word === "call") await insist(OFFICE, { type: "office.call", n, to }, options);
        else if (word === "bow") await question(to, { type: "actor.bow" }, { withinMs: 2_000 });
        else if (word === "enter") await insist(to, { type: "actor.enter", n }, options);
        else await tell(to, { type: `actor.${word}` }, { withinMs: 2_000 });
        await sleep(chance.next() * 500);
      }
    },
    ...more,
  };
}
