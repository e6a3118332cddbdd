// A bell ringer between two kills: strokes (once) and lights (state) that take their time, tunes that are told in one go, and a count that is asked again and again under one id.

import { actorType, effect, effectOutcomes, entityType, messages, reducer, T } from "../../../runtime/index.ts";
import type { FaultOptions, HostingNode, NodeSpec, Script, Simulation } from "../../../runtime/simulation/index.ts";

const RINGER = "t/ringer/main";
const EFFECT_MS = 600;

interface Ringer {
  readonly strokes: number;
  readonly unsure: number;
  readonly tune: readonly number[];
}

const ringer = actorType({
  name: "ringer",
  version: 1,
  messages: messages({
    "bell.strike": { body: { n: T.Integer() } },
    "bell.light": { body: { n: T.Integer() } },
    "bell.note": { body: { n: T.Integer() } },
    "bell.count": { body: { n: T.Integer() }, reply: T.Object({ strokes: T.Integer(), notes: T.Integer() }) },
    ...effectOutcomes,
  }),
  behaviour: reducer<Ringer, { readonly type: string; readonly n: number; readonly replyTo: never }>({
    initial: () => ({ strokes: 0, unsure: 0, tune: [] }),
    step: (state, event, turn) => {
      switch (event.type) {
        case "bell.strike":
          turn.perform("strike", { n: event.n });
          return { ...state, strokes: state.strokes + 1 };
        case "bell.light":
          turn.perform("light", { n: event.n });
          return state;
        case "bell.note":
          return { ...state, tune: [...state.tune, event.n] };
        case "bell.count":
          turn.send(event.replyTo, { type: "reply", value: { strokes: state.strokes, notes: state.tune.length } });
          return { ...state, tune: [] };
        case "effect.unknown":
          return { ...state, unsure: state.unsure + 1 };
        default:
          return state;
      }
    },
    effects: { strike: effect<{ n: number }>({ class: "once" }), light: effect<{ n: number }>({ class: "state" }) },
  }),
});

export interface Belfry extends Omit<Simulation, "nodes"> {
  readonly nodes: { readonly tower: HostingNode & Omit<NodeSpec, "program"> };
}

export function belfry(seed: number, faults: FaultOptions = { kinds: ["kill", "power-cut"], everyMs: 900 }, passivateAfterMs?: number): Belfry {
  let hands: Script | undefined;
  const takeTime = async (): Promise<void> => hands?.sleep(EFFECT_MS);
  const root = ringer.with({ effects: { strike: takeTime, light: takeTime } });
  const type = entityType({ root, durability: "events", placement: "cloud", ...(passivateAfterMs === undefined ? {} : { passivateAfterMs }) });
  return {
    seed,
    nodes: { tower: { types: [type], entities: { [RINGER]: undefined } } },
    forMs: 10_000,
    settleMs: 10_000,
    faults,
    script: async (script) => {
      hands = script;
      const { tell, ask, insist, sleep, random } = script;
      for (let n = 1; n <= 10; n++) {
        await insist(RINGER, { type: random.next() < 0.5 ? "bell.strike" : "bell.light", n }, { withinMs: 2_000, forMs: 20_000 });
        await Promise.all([1, 2, 3, 4].map((note) => tell(RINGER, { type: "bell.note", n: 4 * n + note }, { withinMs: 2_000 })));
        for (let again = 0; again < 4; again++) {
          await ask(RINGER, { type: "bell.count", n }, { id: `count ${String(n)}`, withinMs: 2_000 });
          await sleep(random.next() * 250);
        }
      }
    },
  };
}
