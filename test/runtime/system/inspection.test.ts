// Looking into an actor: what waits and why, any past state, a turn run again step by step, a message tried out.

import { test } from "tap";
import { and, assign, sendTo, setup } from "xstate";
import { actorType, effect, entityType, type EventOf, messages, now, reducer, reply, type ReplayedRevision, T, type Trial } from "../../../runtime/index.ts";
import { parseAddress } from "../../../runtime/address.ts";
import { hosting } from "./hosting.ts";

const gateMessages = messages({
  "gate.open": { body: { weightKg: T.Number() }, reply: T.Object({ opened: T.Integer() }) },
  "gate.close": { body: {} },
  "gate.break": { body: {} },
});

const machine = setup({
  types: { context: {} as { opened: number; at: number }, events: {} as EventOf<typeof gateMessages> },
  guards: {
    isLight: ({ event }, params: { limitKg: number }) => event.type === "gate.open" && event.weightKg <= params.limitKg,
    isUsable: ({ context }) => context.opened < 3,
  },
  actions: {
    beep: effect<{ times: number }>({ class: "idempotent" }),
    count: assign({ opened: ({ context }) => context.opened + 1, at: ({ self }) => now(self) }),
    fail: assign(() => {
      throw new Error("broken on purpose");
    }),
    answer: sendTo(
      ({ event }) => (event as Extract<EventOf<typeof gateMessages>, { type: "gate.open" }>).replyTo,
      ({ context }) => reply({ opened: context.opened }),
    ),
  },
}).createMachine({
  id: "gate",
  context: { opened: 0, at: 0 },
  initial: "closed",
  states: {
    closed: {
      on: {
        "gate.open": [
          { guard: and(["isUsable", { type: "isLight", params: { limitKg: 100 } }]), target: "open", actions: ["count", { type: "beep", params: { times: 2 } }, "answer"] },
          { guard: ({ context }) => context.opened > 100, target: "closed", reenter: true },
        ],
        "gate.break": { actions: "fail" },
      },
    },
    open: { after: { 5000: "closed" }, on: { "gate.close": "closed" } },
  },
});

const gate = actorType({ name: "gate", version: 1, messages: gateMessages, behaviour: machine }).with({ effects: { beep: async () => undefined } });
const gates = entityType({ root: gate, durability: "events", placement: "cloud" });
const counters = entityType({
  root: actorType({
    name: "tally",
    version: 1,
    messages: messages({ "tally.add": { body: { by: T.Integer() } } }),
    behaviour: reducer<{ sum: number }, { type: "tally.add"; by: number }>({
      initial: () => ({ sum: 0 }),
      step: (state, event, turn) => {
        if (event.by < 0) turn.refuse("only more");
        return { sum: state.sum + event.by };
      },
    }),
  }),
  durability: "events",
  placement: "cloud",
});

const north = parseAddress("t/gate/north");
const far = parseAddress("t/tally/far");

async function opened() {
  const hosted = await hosting({ types: [gates, counters] });
  await hosted.system.activate(north, { input: undefined });
  await hosted.system.activate(far, { input: undefined });
  return hosted;
}

test("inspect tells what waits, which turn led to the present state, and what caused it", async (t) => {
  const { system, clock } = await opened();
  t.match(await system.inspection.inspect(north), { lastTransition: { revision: 1, from: null }, timers: [], mailbox: { depth: 0, oldestMs: undefined } });
  await clock.advance(1_000);
  await system.ask(north, { type: "gate.open", weightKg: 50 }, { withinMs: 100, author: "ann", id: "o1" });
  await clock.advance(1_500);
  const seen = await system.inspection.inspect(north);
  t.match(seen, {
    accepts: ["gate.close"],
    lastTransition: { revision: 2, from: "closed", causes: [{ type: "gate.open", author: "ann", id: "o1", result: "accepted" }] },
    timers: [{ event: "xstate.after.5000.gate.open", clock: "elapsed" }],
    restarts: { count: 0, last: undefined },
    parked: [],
  });
  t.equal(seen?.inStateMs, 1_500);
  t.equal(seen?.timers[0]?.dueInMs, 3_500);
  t.equal(await system.inspection.inspect(parseAddress("t/gate/south")), undefined);
  await system.stop();
});

test("stateAt shows any revision that the journal keeps, and says which are kept", async (t) => {
  const { system } = await opened();
  for (let by = 1; by <= 250; by++) await system.tell(far, { type: "tally.add", by });
  for (const revision of [1, 2, 100, 101, 250]) {
    const past = await system.inspection.stateAt(far, revision);
    t.match(past, { context: { sum: ((revision - 1) * revision) / 2 }, revision }, `revision ${String(revision)}`);
  }
  t.same(await system.inspection.stateAt(far, 9_000), { kind: "not-kept", first: 1, last: 251 });
  t.same(await system.inspection.stateAt(far, 0), { kind: "not-kept", first: 1, last: 251 });
  t.equal(await system.inspection.stateAt(parseAddress("t/tally/far/child/none"), 3), "absent");
  await system.stop();
});

test("S9. A turn is run again from the state before it, with its guards, transitions and effects, to the same outcome, and nothing of that leaves", async (t) => {
  const { system, clock } = await opened();
  await system.ask(north, { type: "gate.open", weightKg: 50 }, { withinMs: 100 });
  await clock.advance(6_000);
  const turn = (await system.inspection.replay(north, 2)) as ReplayedRevision;
  t.equal(turn.differs, undefined);
  t.same(
    turn.trace.map((entry) =>
      entry.kind === "guard" ? `${entry.guard} ${String(entry.passed)}` : entry.kind === "transition" ? `${entry.event.type} -> ${JSON.stringify(entry.state)}` : entry.kind,
    ),
    ["input", "isUsable true", "isLight true", "and true", 'gate.open -> "open"', "result", "effect", "effect"],
  );
  t.match(
    turn.trace.find(({ kind }) => kind === "transition"),
    { transitions: [{ source: "gate.closed", targets: ["gate.open"], actions: ["count", "beep", "answer"] }] },
  );
  t.match(await system.inspection.replay(north, 99), { kind: "not-kept" });
  const before = system.read(north)?.revision;
  await system.inspection.replay(north, 2);
  t.equal(system.read(north)?.revision, before);
  await system.stop();
});

test("a message is tried out: the guards that stand in its way are named, and nothing has happened", async (t) => {
  const { system } = await opened();
  const heavy = (await system.inspection.tryOut(north, { type: "gate.open", weightKg: 900 }, { author: "ann" })) as Extract<Trial, { kind: "tried" }>;
  t.equal(heavy.result, "refused");
  t.match(
    heavy.trace.filter(({ kind }) => kind === "guard"),
    [
      { guard: "isUsable", passed: true },
      { guard: "isLight", passed: false, params: { limitKg: 100 } },
      { guard: "and", passed: false },
      { guard: "(inline)", passed: false },
    ],
  );
  const light = (await system.inspection.tryOut(north, { type: "gate.open", weightKg: 9 }, { author: "ann" })) as Extract<Trial, { kind: "tried" }>;
  t.match(light, { result: "accepted", state: "open", context: { opened: 1 } });
  t.match(await system.inspection.tryOut(north, { type: "gate.open", weightKg: "x" }, { author: "ann" }), { kind: "turned-away", refusal: { kind: "invalid" } });
  t.match(await system.inspection.tryOut(north, { type: "gate.break" }, { author: "ann" }), { result: "faulted" });
  t.match(system.read(north), { revision: 1, state: "closed", context: { opened: 0 } });
  t.match(await system.ask(north, { type: "gate.open", weightKg: 9 }, { withinMs: 100 }), { kind: "replied", value: { opened: 1 } }, "guards are what they were");
  t.match(await system.inspection.tryOut(far, { type: "tally.add", by: 5 }, { author: "ann" }), { result: "accepted", context: { sum: 5 }, trace: [{}, { kind: "step" }, {}] });
  await system.stop();
});

test("who looks into a passivated entity wakes it", async (t) => {
  const idling = entityType({ root: gate, durability: "events", placement: "cloud", passivateAfterMs: 1_000 });
  const { system, clock } = await hosting({ types: [idling] });
  await system.activate(north, { input: undefined });
  for (let past = 0; past < 120; past++) await clock.advance(1_000);
  t.equal(system.read(north), undefined, "it has left memory");
  t.match(await system.inspection.stateAt(north, 1), { state: "closed" });
  t.equal(system.read(north), undefined, "its records are enough for a past state");
  t.match(await system.inspection.inspect(north), { revision: 1, accepts: ["gate.open", "gate.break"] });
  await system.stop();
});
