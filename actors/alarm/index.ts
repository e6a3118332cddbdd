// An alarm: raised, acknowledged by a person, cleared when its cause has gone. One entity each, named after what it is about.

import { assign, setup } from "xstate";
import { actorType, entityType, type EventOf, messages, now, T } from "../../runtime/index.ts";

const alarmMessages = messages({
  "alarm.raise": {
    body: {
      title: T.String({ maxLength: 200 }),
      severity: T.Union([T.Literal("warning"), T.Literal("critical")]),
      about: T.String({ maxLength: 512 }),
      cause: T.Optional(T.String({ maxLength: 1_000 })),
    },
  },
  "alarm.acknowledge": { body: { by: T.String({ minLength: 1, maxLength: 128 }), note: T.Optional(T.String({ maxLength: 500 })) } },
  "alarm.clear": { body: {} },
});

interface AlarmContext {
  readonly title: string;
  readonly severity: "warning" | "critical";
  readonly about: string;
  readonly cause: string | undefined;
  readonly raisedAt: number;
  /** Times it was raised since it was last cleared. */
  readonly count: number;
  readonly acknowledged: { readonly by: string; readonly at: number; readonly note: string | undefined } | undefined;
}

const alarmMachine = setup({
  types: { context: {} as AlarmContext, events: {} as EventOf<typeof alarmMessages> },
  actions: {
    raise: assign(({ context, event, self }) =>
      event.type === "alarm.raise"
        ? { title: event.title, severity: event.severity, about: event.about, cause: event.cause, raisedAt: now(self), count: 1, acknowledged: undefined }
        : context,
    ),
    again: assign(({ context, event }) =>
      event.type === "alarm.raise" ? { ...context, title: event.title, severity: event.severity, cause: event.cause, count: context.count + 1 } : context,
    ),
    acknowledge: assign({
      acknowledged: ({ context, event, self }) => (event.type === "alarm.acknowledge" ? { by: event.by, at: now(self), note: event.note } : context.acknowledged),
    }),
  },
}).createMachine({
  id: "alarm",
  context: { title: "", severity: "warning", about: "", cause: undefined, raisedAt: 0, count: 0, acknowledged: undefined },
  initial: "cleared",
  states: {
    cleared: { on: { "alarm.raise": { target: "raised", actions: "raise" } } },
    raised: { on: { "alarm.raise": { actions: "again" }, "alarm.acknowledge": { target: "acknowledged", actions: "acknowledge" }, "alarm.clear": "cleared" } },
    acknowledged: { on: { "alarm.raise": { actions: "again" }, "alarm.clear": "cleared" } },
  },
});

export const alarmEntity = entityType({
  root: actorType({ name: "alarm", version: 1, messages: alarmMessages, behaviour: alarmMachine }),
  durability: "events",
  placement: "cloud",
});
