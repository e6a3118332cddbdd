// A mast on a windy hill: a gauge publishes what it reads, a kite listens to that topic and has the hill surveyed by a task, through all that may fail. Telemetry may be missed, and is never
// heard twice or out of its order; whoever recovers listens again, and a task that was begun comes to its end.

import { assign, setup } from "xstate";
import { actorType, effect, effectOutcomes, entityType, type EventOf, messages, publication, reducer, subscription, T, task } from "../../../runtime/index.ts";
import type { Checker, Script, Simulation } from "../../../runtime/simulation/index.ts";

const GAUGE = "t/gauge/g";
const KITE = "t/kite/k";
const READINGS = 25;
const SURVEYS = 5;
/** Published when faults have ended. */
const LAST = 1_000;
const FOR_MS = 8_000;
/** Longer than any fault lasts. */
const UNTIL_PEACE_MS = 20_000;

const changed = (n: number) => ({ type: "wind.changed", n });

/** How a weather may be broken on purpose. */
export interface Broken {
  /** The gauge publishes by an effect, which is repeated until it is confirmed. */
  readonly publishesByEffect?: boolean;
  /** The kite listens until it has heard something. */
  readonly hearsOnce?: boolean;
  /** The task is nobody's to begin again. */
  readonly surveysOnce?: boolean;
}

function gaugeType(publishesByEffect: boolean) {
  return actorType({
    name: "gauge",
    version: 1,
    messages: messages({ "gauge.read": { body: { n: T.Integer() } }, ...effectOutcomes }),
    behaviour: reducer<number, { readonly type: string; readonly n: number }>({
      initial: () => 0,
      step: (read, { type, n }, turn) => {
        if (type !== "gauge.read") return read;
        if (publishesByEffect) turn.perform("publish", { n });
        else turn.emit(publication("hill/wind", changed(n)));
        return read + 1;
      },
      effects: { publish: effect<{ n: number }>({ class: "idempotent" }) },
    }),
  });
}

const kiteMessages = messages({ "wind.changed": { body: { n: T.Integer() } }, "kite.survey": { body: { n: T.Integer() }, postpone: true } });

function kiteMachine({ hearsOnce = false, surveysOnce = false }: Broken) {
  return setup({
    types: { context: {} as { heard: readonly number[]; asked: number; surveyed: readonly number[] }, events: {} as EventOf<typeof kiteMessages> },
    actors: { wind: subscription(), survey: task<{ n: number }, { n: number }>({ class: surveysOnce ? "once" : "idempotent", withinMs: 5_000 }) },
    actions: {
      hear: assign({ heard: ({ context, event }) => (event.type === "wind.changed" ? [...context.heard, event.n] : context.heard) }),
      ask: assign({ asked: ({ context, event }) => (event.type === "kite.survey" ? event.n : context.asked) }),
      note: assign({ surveyed: ({ context }) => [...context.surveyed, context.asked] }),
    },
  }).createMachine({
    id: "kite",
    type: "parallel",
    context: { heard: [], asked: 0, surveyed: [] },
    states: {
      ear: {
        initial: "open",
        states: {
          open: { invoke: { src: "wind", id: "wind", input: { topic: "hill/wind" } }, on: { "wind.changed": { actions: "hear", ...(hearsOnce ? { target: "shut" } : {}) } } },
          shut: {},
        },
      },
      eye: {
        initial: "resting",
        states: {
          resting: { on: { "kite.survey": { target: "surveying", actions: "ask" } } },
          surveying: {
            invoke: {
              src: "survey",
              id: "survey",
              input: ({ context }) => ({ n: context.asked }),
              onDone: { target: "resting", actions: "note" },
              onError: surveysOnce ? { target: "resting" } : { target: "surveying", reenter: true },
            },
          },
        },
      },
    },
  });
}

const heardOnce: Checker = {
  name: "what is published is heard once, in its order",
  promise: "S5",
  check: ({ turns }) => {
    const found: { atMs: number; what: string }[] = [];
    let last = 0;
    for (const { atMs, entity, record } of turns) {
      if (entity !== KITE) continue;
      for (const input of record.inputs) {
        if (input.kind !== "source" || input.said.kind !== "event") continue;
        const { n } = input.said.event as unknown as { readonly n: number };
        if (n <= last) found.push({ atMs, what: `the kite heard ${String(n)} after ${String(last)}` });
        last = n;
      }
    }
    return found;
  },
};

const sourcesGoOn: Checker = {
  name: "a source goes on after a recovery",
  promise: "S2",
  check: ({ history }) => {
    const view = history.find((fact) => fact.kind === "view" && fact.address === KITE);
    if (view?.kind !== "view") return [{ atMs: history.at(-1)?.atMs ?? 0, what: "there is no kite" }];
    const { heard, surveyed } = view.context as { readonly heard: readonly number[]; readonly surveyed: readonly number[] };
    const expected = Array.from({ length: SURVEYS }, (_, at) => at + 1).join();
    return [
      ...(heard.includes(LAST) ? [] : [{ atMs: view.atMs, what: "the kite does not hear any more" }]),
      ...(surveyed.join() === expected ? [] : [{ atMs: view.atMs, what: `surveyed were ${surveyed.join()}, not ${expected}` }]),
    ];
  },
};

export function weather(seed: number, broken: Broken = {}): Simulation {
  let hands: Script | undefined;
  let published = 0;
  let surveys = 0;
  const gauge = gaugeType(broken.publishesByEffect === true);
  const kite = actorType({ name: "kite", version: 1, messages: kiteMessages, behaviour: kiteMachine(broken) });
  const publish = ({ n }: { readonly n: number }): void => {
    hands?.system("mast")?.publish("hill/wind", changed(n));
    if (++published % 5 === 0) throw new Error("the mast sways");
  };
  const survey = async ({ n }: { readonly n: number }): Promise<{ n: number }> => {
    await hands?.sleep(300);
    if (++surveys % 3 === 0) throw new Error("fog");
    return { n };
  };
  return {
    seed,
    nodes: {
      mast: {
        types: [
          entityType({ root: gauge, durability: "events", placement: "cloud" }),
          entityType({ root: kite, durability: "events", placement: "cloud" }),
          gauge.with({ effects: { publish } }),
          kite.with({ tasks: { survey } }),
        ],
        entities: { [GAUGE]: undefined, [KITE]: undefined },
      },
    },
    forMs: FOR_MS,
    faults: { everyMs: 1_000 },
    checkers: [heardOnce, sourcesGoOn],
    script: async (script) => {
      hands = script;
      const { insist, sleep, random } = script;
      const surveying = (async () => {
        for (let n = 1; n <= SURVEYS; n++) {
          await insist(KITE, { type: "kite.survey", n }, { id: `survey-${String(n)}`, withinMs: 2_000, forMs: 60_000 });
          await sleep(random.next() * 1_000);
        }
      })();
      for (let n = 1; n <= READINGS; n++) {
        await insist(GAUGE, { type: "gauge.read", n }, { id: `reading-${String(n)}`, withinMs: 2_000, forMs: 60_000 });
        await sleep(random.next() * 500);
      }
      await surveying;
      await sleep(Math.max(0, FOR_MS + UNTIL_PEACE_MS - script.nowMs));
      script.system("mast")?.publish("hill/wind", changed(LAST));
    },
  };
}
