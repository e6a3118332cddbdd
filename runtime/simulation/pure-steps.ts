// A machine or a reducer in a unit test, each of its steps under the guard that a node and the simulator put around it (hosting H11).
//
// P1. No clock, chance, timer or network is in reach; each step is taken twice, the second time with a frozen context, as in every simulation.
// P2. Nothing but steps runs: no effect, no task, no inline action, no timer, no store.

import { type AnyActorType, entityType } from "../actor/index.ts";
import { parseAddress } from "../address.ts";
import { type CellView, createEntity, type EventData, type ImpureStep, type Input, rehearseSteps } from "../entity/index.ts";
import { DroverError } from "../errors.ts";
import { listOf, type Shape } from "../shape/index.ts";
import { demanded } from "./demanded.ts";

/** What `now(self)` tells at the start, ms since 1970; each event comes a second later. */
const BEGAN_AT = Date.UTC(2026, 0, 1);
const STEP_MS = 1_000;

const AN_ACTOR_TYPE: Shape = {
  title: "an actor type: what actorType() gave",
  "x-test": (value) => typeof value === "object" && value !== null && (value as { readonly kind?: unknown }).kind === "actor",
};
const AN_EVENT: Shape = {
  title: "an event, with a type",
  "x-test": (value) => typeof value === "object" && value !== null && typeof (value as { readonly type?: unknown }).type === "string",
};

/** An actor after its steps. */
export interface SteppedActor {
  readonly status: CellView["status"];
  /** Of a machine, as XState tells it; undefined of a reducer. */
  readonly state: unknown;
  /** Of a reducer: its state. */
  readonly context: unknown;
}

/**
 * Begins an actor and steps it with events, one after the other.
 * @param input of its start
 * @throws DROVER_IMPURE_STEP, with event and place, where a step reached outside, wrote into what it was given, or came out twice from one input and not the same; else the code of what a step failed with; DROVER_SIMULATION_INVALID for
 * what is no actor type, or no list of events
 */
export function stepPurely(type: AnyActorType, events: readonly EventData[], input?: unknown): SteppedActor {
  demanded("stepPurely", { type, events }, { type: AN_ACTOR_TYPE, events: listOf(AN_EVENT) });
  const address = parseAddress(`test/${type.name}/pure`);
  const entity = createEntity(entityType({ root: type, durability: "volatile", placement: "cloud" }), address, "pure");
  const sender = { kind: "local", name: "test" } as const;
  const inputs: readonly Input[] = [{ kind: "start", input, labels: {} }, ...events.map((event): Input => ({ kind: "message", to: address, event, sender, wantsReply: false }))];
  const found: ImpureStep[] = [];
  const end = rehearseSteps((impure) => found.push(impure));
  try {
    for (const [at, one] of inputs.entries()) {
      const { results } = entity.turn([one], { now: BEGAN_AT + at * STEP_MS, elapsed: at * STEP_MS, seed: at });
      entity.commit();
      const [impure] = found;
      if (impure !== undefined) throw new DroverError("DROVER_IMPURE_STEP", `on ${impure.event}: ${impure.path} ${impure.what}`);
      const [result] = results;
      if (result?.kind === "faulted") throw new DroverError(result.code, `${result.place}: ${result.error}`);
    }
  } finally {
    end();
  }
  const { status, value: state, context } = entity.view(address) as CellView;
  return { status, state, context };
}
