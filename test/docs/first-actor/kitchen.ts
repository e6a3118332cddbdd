// The actor of the guide in runtime/README.md: a tea pot below a kitchen.

// #region protocol
import { type EventOf, messages, T } from "../../../runtime/index.ts";

const potMessages = messages({
  "tea.brew": { body: { tea: T.String({ maxLength: 40 }) }, reply: T.Object({ readyInMs: T.Integer() }) },
  "tea.pour": { body: {} },
});
// #endregion

// #region machine
import { assign, sendTo, setup } from "xstate";
import { effect, reply } from "../../../runtime/index.ts";

const STEEPING_MS: Readonly<Record<string, number>> = { green: 120_000, black: 240_000 };

function steepingMs(tea: string): number {
  const ms = STEEPING_MS[tea];
  // A mistake, for step 6: of barley there is no end.
  if (tea === "barley") for (;;) continue;
  if (ms === undefined) throw new Error(`nobody knows how long ${tea} steeps`);
  return ms;
}

const potMachine = setup({
  types: { context: {} as { brewed: number; steepMs: number }, events: {} as EventOf<typeof potMessages> },
  actions: {
    heat: effect<{ on: boolean }>({ class: "idempotent" }),
    fill: assign(({ context }, { tea }: { tea: string }) => ({ brewed: context.brewed + 1, steepMs: steepingMs(tea) })),
  },
  delays: { STEEPED: ({ context }) => context.steepMs },
}).createMachine({
  id: "pot",
  context: { brewed: 0, steepMs: 0 },
  initial: "empty",
  states: {
    empty: {
      on: {
        "tea.brew": {
          target: "steeping",
          actions: [
            { type: "fill", params: ({ event }) => ({ tea: event.tea }) },
            sendTo(
              ({ event }) => event.replyTo,
              ({ context }) => reply({ readyInMs: context.steepMs }),
            ),
          ],
        },
      },
    },
    steeping: {
      entry: { type: "heat", params: { on: true } },
      exit: { type: "heat", params: { on: false } },
      after: { STEEPED: "ready" },
    },
    ready: { on: { "tea.pour": "empty" } },
  },
});
// #endregion

// #region type
import { actorType, entityType, reducer } from "../../../runtime/index.ts";

const root = actorType({ name: "kitchen", version: 1, messages: messages({}), behaviour: reducer({ initial: () => ({}), step: (state) => state }) });

export const pot = actorType({ name: "pot", version: 1, messages: potMessages, behaviour: potMachine });

export function kitchenType(restartFrom: "committed" | "initial" = "committed") {
  return entityType({
    root,
    durability: "events",
    placement: "cloud",
    passivateAfterMs: 600_000,
    children: { pot: { types: [pot], strategy: "one-for-one", restart: "transient", restartFrom } },
  });
}

/** What a kitchen begins with: one pot. */
export const equipment = { input: undefined, children: [{ kind: "pot", id: "blue", type: "pot", input: undefined }] };
// #endregion
