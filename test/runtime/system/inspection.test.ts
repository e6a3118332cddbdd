// Looking into an actor: what waits and why, any past state, a turn run again step by step, a message tried out.

import { test } from "tap";
import { and, assign, sendTo, setup, spawnChild } from "xstate";
import { actorType, effect, entityType, type EntityType, type EventOf, messages, now, reducer, reply, type ReplayedRevision, T, type Trial } from "../../../runtime/index.ts";
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

const tripMessages = messages({ "trip.begin": { body: {} }, "trip.km": { body: {} }, "trip.lap": { body: {} }, "trip.light": { body: {} }, "trip.break": { body: {} } });
const lightMachine = setup({}).createMachine({ initial: "off", states: { off: { on: { ON: "on" } }, on: {} } });
const wheelMachine = setup({}).createMachine({ initial: "still", states: { still: { on: { "trip.begin": "rolling" } }, rolling: { on: { "trip.km": {} } } } });
const tripMachine = (states: Readonly<Record<string, object>> = {}) =>
  setup({
    types: { context: {} as { km: number } },
    actors: { light: lightMachine },
    actions: {
      drive: assign({ km: ({ context }) => context.km + 1 }),
      fail: assign(() => {
        throw new Error("broken on purpose");
      }),
    },
  }).createMachine({
    id: "trip",
    context: { km: 0 },
    entry: spawnChild("light", { id: "light" }),
    initial: "parked",
    states: {
      ...states,
      parked: { on: { "trip.begin": "driving" } },
      driving: {
        on: {
          "trip.km": { actions: "drive" },
          "trip.lap": { target: "driving", reenter: true },
          "trip.light": { actions: sendTo("light", { type: "ON" }) },
          "trip.break": { target: "parked", actions: "fail" },
        },
      },
    },
  });
const wheel = actorType({ name: "wheel", version: 1, messages: tripMessages, behaviour: wheelMachine });
const firstTrip = actorType({ name: "trip", version: 1, messages: tripMessages, behaviour: tripMachine() });
const secondTrip = actorType({ name: "trip", version: 2, messages: tripMessages, behaviour: tripMachine({ garage: {} }), earlier: [firstTrip] });
const tripType = (durability: EntityType["durability"], root: typeof firstTrip) =>
  entityType({
    root,
    durability,
    placement: "cloud",
    ...(durability === "volatile" ? {} : { passivateAfterMs: 60_000 }),
    children: { wheel: { types: [wheel], strategy: "one-for-one" } },
  });

const TRIP = parseAddress("t/trip/one");
const WHEEL = parseAddress("t/trip/one/wheel/left");
const LIGHT = `${TRIP}/~/light` as typeof TRIP;

for (const durability of ["events", "snapshot", "volatile"] as const)
  test(`since when, from which state and why is told of every actor, 2,100 turns later and after a passivation, a restart and an upgrade (${durability})`, async (t) => {
    const { system, clock, disk } = await hosting({ types: [tripType(durability, firstTrip)] });
    const began = clock.now();
    const seen = async (address: typeof TRIP, by = system) => {
      const found = await by.inspection.inspect(address);
      return { inStateMs: found?.inStateMs, ...found?.lastTransition };
    };
    await system.activate(TRIP, { input: undefined, children: [{ kind: "wheel", id: "left", type: "wheel", input: undefined }] });
    t.match(await seen(WHEEL), { inStateMs: 0, from: null, causes: [{ type: "(children)" }] });
    await clock.advance(1_000);
    await system.tell(TRIP, { type: "trip.begin" }, { id: "go", author: "alice" });
    system.notify(WHEEL, { type: "trip.begin" });
    await clock.advance(500);
    await system.tell(TRIP, { type: "trip.light" }, { author: "bob" });
    for (let n = 0; n < 2_100; n++) await system.inform(TRIP, { type: "trip.km" });
    await clock.advance(500);
    const all = async (by = system) => [await seen(TRIP, by), await seen(WHEEL, by), await seen(LIGHT, by)];
    const told = (later: number) => [
      {
        inStateMs: 1_000 + later,
        at: began + 1_000,
        from: "parked",
        causes: [{ type: "trip.begin", author: "alice", id: durability === "events" ? "go" : undefined, result: "accepted" }],
      },
      { inStateMs: 1_000 + later, at: began + 1_000, from: "still", causes: [{ type: "trip.begin" }] },
      { inStateMs: 500 + later, at: began + 1_500, from: "off", causes: [{ type: "ON", author: "bob", via: "trip.light" }] },
    ];
    t.match(await all(), told(0));
    await system.tell(TRIP, { type: "trip.break" });
    await clock.advance(500);
    t.match(system.read(TRIP), { state: "driving" });
    t.match(await all(), told(500), "what a fault did is taken back, and with it the transition");
    for (let n = 0; n < 150; n++) await clock.advance(1_000);
    if (durability === "volatile") {
      t.match(await all(), told(150_500));
      await system.stop();
      const anew = await hosting({ types: [tripType(durability, firstTrip)], disk, clock });
      await anew.system.activate(TRIP, { input: undefined });
      t.match(await seen(TRIP, anew.system), { inStateMs: 0, at: clock.now(), from: null, causes: [{ type: "(start)" }] }, "what began anew tells its beginning");
      await anew.system.stop();
      return;
    }
    t.equal(system.read(TRIP), undefined, "it has left memory");
    t.match(await all(), told(150_500), "woken");
    await system.stop();
    const restarted = await hosting({ types: [tripType(durability, firstTrip)], disk, clock, node: "n2" });
    t.match(await all(restarted.system), told(150_500), "on another node");
    await restarted.system.stop();
    const upgraded = await hosting({ types: [tripType(durability, secondTrip)], versions: "raised-at-start", disk, clock });
    await upgraded.system.activate(TRIP, { input: undefined });
    t.match(upgraded.system.read(TRIP), { version: 2, state: "driving" });
    t.match(await all(upgraded.system), told(150_500), "an upgrade enters nothing");
    await clock.advance(1_000);
    await upgraded.system.tell(TRIP, { type: "trip.lap" }, { author: "carol" });
    t.match(await seen(TRIP, upgraded.system), { inStateMs: 0, at: clock.now(), from: "driving", causes: [{ type: "trip.lap", author: "carol" }] }, "the same state entered again");
    await upgraded.system.stop();
  });

test("a timer is named as a cause, and what has no states tells its beginning", async (t) => {
  const { system, clock } = await opened();
  await clock.advance(1_000);
  await system.tell(far, { type: "tally.add", by: 2 });
  t.match(await system.inspection.inspect(far), { inStateMs: 1_000, lastTransition: { revision: 1, from: null, causes: [{ type: "(start)" }] } });
  await system.ask(north, { type: "gate.open", weightKg: 50 }, { withinMs: 100 });
  await clock.advance(7_000);
  t.match(await system.inspection.inspect(north), {
    inStateMs: 2_000,
    lastTransition: { from: "open", causes: [{ type: "xstate.after.5000.gate.open", timer: "xstate.after.5000.gate.open", author: undefined }] },
  });
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
