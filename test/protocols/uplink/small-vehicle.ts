// A vehicle of three words, in two versions: the second has a state that the first does not know.

import { actorType, entityType, messages, reducer, type Registered, type ReplyTo, T } from "../../../runtime/index.ts";

const words = messages({
  drive: { body: { by: T.Integer() }, reply: T.Object({ odometer: T.Integer() }) },
  load: { body: { text: T.String() } },
});

interface State {
  readonly odometer: number;
  readonly cargo?: string;
  readonly trailer?: string;
}

export function vehicleTypeOf(version: 1 | 2): Registered {
  const behaviour = reducer<State, { readonly type: string; readonly by: number; readonly text: string; readonly replyTo?: ReplyTo<never> }>({
    initial: () => ({ odometer: 0, ...(version === 2 ? { trailer: "none" } : {}) }),
    step: (state, event, turn) => {
      if (event.type === "load") return { ...state, cargo: event.text };
      const odometer = state.odometer + event.by;
      if (event.replyTo !== undefined) turn.send(event.replyTo, { type: "reply", value: { odometer } });
      return { ...state, odometer };
    },
  });
  const root = actorType({
    name: "vehicle",
    version,
    messages: words,
    behaviour,
    migrate: { 1: (old) => ({ value: undefined, context: { ...(old.context as State), trailer: "hitched" } }) },
  });
  return entityType({ root, durability: "events", placement: "vehicle" });
}
