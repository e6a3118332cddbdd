// Topics: what actors of one node tell whoever listens there.

import { test } from "tap";
import { assign, emit, setup } from "xstate";
import { actorType, entityType, type EventOf, messages, parseAddress, type Publication, publication, reducer, subscription, type System, T } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, settle } from "../../../runtime/simulation/index.ts";
import { type Published, type TopicListener, Topics } from "../../../runtime/system/topics.ts";
import { hosting } from "./hosting.ts";

// #region topics
const kiteMessages = messages({ "wind.changed": { body: { ms: T.Number() } } });
const kiteMachine = setup({
  types: { context: {} as { ms: number }, events: {} as EventOf<typeof kiteMessages> },
  actors: { wind: subscription({ waiting: 1 }) },
}).createMachine({
  context: { ms: 0 },
  invoke: { src: "wind", input: { topic: "beach/wind" } },
  on: { "wind.changed": { actions: assign({ ms: ({ event }) => event.ms }) } },
});
// #endregion

const gullMessages = messages({ "catch.seen": { body: { fish: T.Array(T.Object({ kg: T.Number() })) } } });

const listenerMessages = messages({
  "wind.changed": { body: { ms: T.Number() } },
  "wind.asked": { body: {}, reply: T.Object({ ms: T.Number() }) },
  "wind.read": { body: {}, reads: ["Wind.Speed"] },
  "wind.own": { body: {}, internal: true },
  "listener.note": { body: {} },
  "listener.leave": { body: {} },
  "listener.tune": { body: { topic: T.String() } },
});
type ListenerEvent = EventOf<typeof listenerMessages>;

const listenerMachine = setup({
  types: { context: {} as { heard: readonly unknown[]; topic: string }, events: {} as ListenerEvent, input: {} as { topic: string } | undefined },
  actions: {
    hear: assign({
      heard: ({ context, event }) => {
        const word = "ms" in event ? event.ms : event.type;
        if (word === 666) throw new Error("failed on purpose");
        return [...context.heard, word];
      },
    }),
  },
  actors: { news: subscription(), firstNews: subscription({ waiting: 4, overflow: "drop-newest" }) },
}).createMachine({
  id: "listener",
  context: ({ input }) => ({ heard: [], topic: input?.topic ?? "wind" }),
  initial: "listening",
  on: {
    "wind.changed": { actions: "hear" },
    "listener.note": { actions: "hear" },
    "wind.asked": { actions: "hear" },
    "wind.read": { actions: "hear" },
    "wind.own": { actions: "hear" },
    "listener.tune": { target: ".listening", reenter: true, actions: assign({ topic: ({ event }) => (event as { readonly topic: string }).topic }) },
  },
  states: {
    listening: {
      invoke: [
        { src: "news", id: "news", input: ({ context }) => ({ topic: context.topic }), onError: "deaf" },
        { src: "firstNews", id: "firstNews", input: { topic: "first" } },
      ],
      on: { "listener.leave": "away" },
    },
    away: {},
    deaf: {},
  },
});

const hoardMachine = setup({ types: { events: {} as EventOf<typeof kiteMessages> }, actors: { wind: subscription({ waiting: 10_000 }) } }).createMachine({
  invoke: { src: "wind", input: { topic: "wind" } },
});

const stationMessages = messages({ "station.measure": { body: { ms: T.Number() } }, "station.garble": { body: {} }, "station.shout": { body: { topic: T.String() } } });
type StationEvent = EventOf<typeof stationMessages>;
const stationMachine = setup({ types: { events: {} as StationEvent, emitted: {} as Publication | { type: "drover.publication" } } }).createMachine({
  id: "station",
  on: {
    "station.measure": { actions: emit(({ event }) => publication("wind", { type: "wind.changed", ms: event.ms })) },
    "station.garble": { actions: emit({ type: "drover.publication" }) },
    "station.shout": { actions: emit(({ event }) => publication(event.topic, { type: "wind.changed", ms: 1 })) },
  },
});

const listenerRoot = actorType({ name: "listener", version: 1, messages: listenerMessages, behaviour: listenerMachine });
const stationRoot = actorType({ name: "station", version: 1, messages: stationMessages, behaviour: stationMachine });
const buoyRoot = actorType({
  name: "buoy",
  version: 1,
  messages: messages({ "buoy.measure": { body: {} } }),
  behaviour: reducer({
    initial: () => 0,
    step: (count: number, _event: { readonly type: string }, turn) => {
      turn.emit(publication("wind", { type: "wind.changed", ms: count }));
      return count + 1;
    },
  }),
});
const types = [
  entityType({ root: listenerRoot, durability: "events", placement: "cloud" }),
  entityType({ root: actorType({ name: "kite", version: 1, messages: kiteMessages, behaviour: kiteMachine }), durability: "snapshot", placement: "cloud" }),
  entityType({ root: actorType({ name: "hoard", version: 1, messages: kiteMessages, behaviour: hoardMachine }), durability: "volatile", placement: "cloud" }),
  entityType({ root: stationRoot, durability: "events", placement: "cloud" }),
  entityType({ root: buoyRoot, durability: "volatile", placement: "cloud" }),
];
const L = parseAddress("acme/listener/l");
const OTHER = parseAddress("acme/listener/other");
const STATION = parseAddress("acme/station/s");
const BUOY = parseAddress("acme/buoy/b");

const wind = (ms: number): { type: string; ms: number } => ({ type: "wind.changed", ms });
const heardBy = (system: System, address = L): unknown => (system.read(address)?.context as { readonly heard: unknown } | undefined)?.heard;
const metric = (system: System, name: string, outcome?: string): number | undefined =>
  system.metrics().find((sample) => sample.name === name && (outcome === undefined || sample.labels?.["outcome"] === outcome))?.value;

test("an actor that is busy finds the newest when it says that one may wait", async (t) => {
  const { system, clock } = await hosting({ types });
  const kite = parseAddress("acme/kite/k");
  await system.activate(kite, { input: undefined });
  for (let ms = 1; ms <= 100; ms++) system.publish("beach/wind", wind(ms));
  await clock.advance(100);
  t.match(system.read(kite)?.context, { ms: 100 });
  t.match((await system.inspection.inspect(kite))?.subscriptions, [{ topic: "beach/wind", waiting: 0, taken: 17, dropped: 83 }]);
  await system.stop();
});

test("an actor hears what actors and the host of its node publish, for as long as its state listens; nothing is kept for later", async (t) => {
  const { system } = await hosting({ types });
  t.equal(system.publish("wind", wind(0)), 0, "nobody listens");
  for (const address of [L, OTHER, STATION, BUOY]) await system.activate(address, { input: undefined });
  t.equal(metric(system, "drover_topic_subscriptions"), 4);
  t.equal(system.publish("wind", wind(1)), 2);
  t.equal(system.publish("wind/gusts", wind(99)), 0, "a topic is its whole name");
  await settle();
  await system.tell(STATION, { type: "station.measure", ms: 2 });
  await system.tell(BUOY, { type: "buoy.measure" });
  await settle();
  t.same(heardBy(system), [1, 2, 0]);
  t.same(heardBy(system, OTHER), [1, 2, 0]);
  await system.tell(L, { type: "listener.leave" });
  t.equal(system.publish("wind", wind(3)), 1);
  await settle();
  t.same(
    [heardBy(system), heardBy(system, OTHER)],
    [
      [1, 2, 0],
      [1, 2, 0, 3],
    ],
  );
  await system.deactivate(OTHER);
  t.equal(metric(system, "drover_topic_subscriptions"), 0, "a subscription ends with its state or its actor");
  t.equal(metric(system, "drover_topic_events_total", "taken"), 7);
  await system.stop();
});

test("a subscription is begun again after a recovery; what was published meanwhile is not heard, and no replay publishes again", async (t) => {
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const first = await hosting({ types, disk, clock });
  await first.system.activate(L, { input: undefined });
  await first.system.activate(STATION, { input: undefined });
  await first.system.tell(STATION, { type: "station.measure", ms: 5 });
  await settle();
  await first.system.stop();
  t.equal(first.system.publish("wind", wind(6)), 0);
  const again = await hosting({ types, disk, clock, seed: 2 });
  await again.system.activate(STATION, { input: undefined });
  await again.system.activate(L, { input: undefined });
  await settle();
  t.same(heardBy(again.system), [5]);
  t.equal(metric(again.system, "drover_topic_published_total"), 0);
  t.equal(metric(again.system, "drover_replay_divergences_total"), 0);
  again.system.publish("wind", wind(7));
  await settle();
  t.same(heardBy(again.system), [5, 7]);
  await again.system.stop();
});

test("S5. a flood keeps the newest or the oldest as the subscription says, counts the others, and does not keep mail waiting", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(L, { input: undefined });
  for (let ms = 1; ms <= 10_000; ms++) system.publish("wind", wind(ms));
  for (let ms = 1; ms <= 100; ms++) system.publish("first", wind(-ms));
  t.match((await system.inspection.inspect(L))?.subscriptions, [
    { topic: "wind", waiting: 64, dropped: 10_000 - 80, refused: 0 },
    { topic: "first", waiting: 4, dropped: 96, refused: 0 },
  ]);
  await system.tell(L, { type: "listener.note" });
  await clock.advance(100);
  const taken = heardBy(system) as readonly unknown[];
  t.equal(taken.indexOf("listener.note"), 16, "no more than sixteen of them go before a message that waits");
  const numbers = taken.filter((item): item is number => typeof item === "number");
  const from = (first: number, count: number): readonly number[] => Array.from({ length: count }, (_, at) => first + at);
  t.same(
    numbers.filter((ms) => ms > 0),
    [...from(1, 16), ...from(10_000 - 63, 64)],
    "what was under way, and the newest",
  );
  t.same(
    numbers.filter((ms) => ms < 0),
    [-1, -2, -3, -4],
  );
  t.match((await system.inspection.inspect(L))?.subscriptions, [
    { topic: "wind", waiting: 0, taken: 80 },
    { topic: "first", waiting: 0, taken: 4 },
  ]);
  t.equal(metric(system, "drover_topic_events_total", "overflow"), 10_000 - 80 + 96);
  t.same(system.deadLetters({ limit: 10 }), [], "telemetry is not mail");
  await system.stop();
});

test("the protocol of the actor that listens is its door; what does not pass is counted, and logged once", async (t) => {
  const warnings: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => void warnings.push(fields), child: () => log };
  const { system } = await hosting({ types, log });
  await system.activate(L, { input: undefined });
  const misfits = [
    { type: "wind.unheard-of" },
    { type: "wind.changed" },
    { type: "wind.changed", ms: "strong" },
    { type: "wind.own" },
    { type: "wind.asked" },
    { type: "wind.read" },
    { type: "xstate.stop" },
  ];
  for (const event of misfits) t.equal(system.publish("wind", event), 0, JSON.stringify(event));
  t.equal(system.publish("wind", wind(1)), 1);
  await settle();
  t.same(heardBy(system), [1]);
  t.match((await system.inspection.inspect(L))?.subscriptions[0], { topic: "wind", refused: misfits.length, taken: 1 });
  t.equal(metric(system, "drover_topic_events_total", "refused"), misfits.length);
  t.match(warnings, [{ topic: "wind", type: "wind.unheard-of" }]);
  t.equal(warnings.length, 1);
  await system.stop();
});

test("a topic that is none and an event that is none are told to whoever names them, and hurt nobody else", async (t) => {
  const warnings: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => void warnings.push(fields), child: () => log };
  const { system } = await hosting({ types, log });
  await system.activate(L, { input: undefined });
  await system.activate(STATION, { input: undefined });
  for (const topic of ["", "a//b", "wind/#", "x".repeat(65), 7 as never, undefined as never])
    t.throws(() => system.publish(topic, wind(1)), { code: "DROVER_TOPIC_INVALID" }, topic);
  for (const event of [undefined, null, {}, "wind", { type: 3 }, { type: "wind.changed", ms: Number.NaN }, { type: "wind.changed", ms: new Map() }])
    t.throws(() => system.publish("wind", event as never), { code: "DROVER_TOPIC_INVALID" });
  t.equal((await system.tell(STATION, { type: "station.shout", topic: "no topic" })).kind, "refused", "a fault of the actor that names it");
  t.match(await system.tell(STATION, { type: "station.garble" }), { kind: "accepted" });
  t.match(warnings.at(-1), { actor: STATION, err: { code: "DROVER_TOPIC_INVALID" } });
  const changing = wind(1);
  system.publish("wind", changing);
  changing.ms = 2;
  await settle();
  t.same(heardBy(system), [1], "as it was when it was published");
  await system.tell(L, { type: "listener.tune", topic: "no topic" });
  await settle();
  t.equal(system.read(L)?.state, "deaf", "the error of its source");
  for (const waiting of [0, 1.5, 10_001]) t.throws(() => subscription({ waiting }), { code: "DROVER_TYPE_INVALID" });
  await system.stop();
});

test("each of several listeners has an event of its own, as it was when it was published", async (t) => {
  const taken: unknown[] = [];
  const gullMachine = setup({ types: { events: {} as EventOf<typeof gullMessages> }, actors: { catches: subscription() } }).createMachine({
    invoke: { src: "catches", input: { topic: "catch" } },
    on: {
      "catch.seen": {
        actions: ({ event }) => {
          taken.push(JSON.parse(JSON.stringify(event.fish)));
          // It uses up what it was given.
          event.fish.length = 0;
        },
      },
    },
  });
  const gull = entityType({ root: actorType({ name: "gull", version: 1, messages: gullMessages, behaviour: gullMachine }), durability: "volatile", placement: "cloud" });
  const { system } = await hosting({ types: [gull] });
  const gulls = ["a", "b", "c"].map((id) => parseAddress(`acme/gull/${id}`));
  for (const each of gulls) await system.activate(each, { input: undefined });
  const event = { type: "catch.seen", fish: [{ kg: 1 }] };
  t.equal(system.publish("catch", event), 3);
  event.fish.push({ kg: 2 });
  t.equal(system.publish("catch", event), 3);
  event.fish.length = 0;
  await settle();
  const [one, two] = [[{ kg: 1 }], [{ kg: 1 }, { kg: 2 }]];
  t.same(taken, [one, two, one, two, one, two]);
  await system.stop();
});

test("an event is copied when it is published, and again for each listener that takes it where there are several", (t) => {
  const topics = new Topics();
  const heard: Published[] = [];
  const listener: TopicListener = { hear: (published) => heard.push(published) > 0 };
  const event = { type: "wind.changed", at: { ms: 1 } };
  const leave = topics.listen("wind", listener);
  topics.publish("wind", event);
  const [alone] = heard;
  t.same(alone?.event, event);
  t.not(alone?.event, event);
  t.equal(alone?.own(), alone?.event, "nobody else has it");

  topics.listen("wind", { hear: (published) => heard.push(published) > 0 });
  heard.length = 0;
  topics.publish("wind", event);
  const [first, second] = heard;
  t.equal(first, second, "one for all until they take it");
  const own = [first?.own(), second?.own()];
  t.same(own, [event, event]);
  t.equal(new Set<unknown>([event, first?.event, ...own]).size, 4);
  leave();
  t.end();
});

test("what waits for an actor that stops listening, or whose node stops, is gone with the subscription", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(L, { input: undefined });
  const left = system.tell(L, { type: "listener.leave" });
  await settle(0);
  for (let ms = 1; ms <= 50; ms++) system.publish("wind", wind(ms));
  await left;
  await clock.advance(100);
  t.equal((heardBy(system) as readonly unknown[]).length, 16, "those that were before it in the mailbox");
  await system.tell(L, { type: "listener.tune", topic: "wind" });
  for (let ms = 1; ms <= 200; ms++) system.publish("wind", wind(ms));
  await system.stop();
  t.equal(metric(system, "drover_topic_subscriptions"), 0);
  t.equal(system.publish("wind", wind(1)), 0);
});

test("an actor with ten thousand events waiting stops like any other", async (t) => {
  const { system } = await hosting({ types });
  const hoard = parseAddress("acme/hoard/h");
  await system.activate(hoard, { input: undefined });
  for (let ms = 1; ms <= 10_016; ms++) system.publish("wind", wind(ms));
  t.match((await system.inspection.inspect(hoard))?.subscriptions, [{ waiting: 10_000, dropped: 0 }]);
  const ended = system.ended(hoard);
  await system.deactivate(hoard);
  t.equal(await ended, undefined);
  t.equal(metric(system, "drover_topic_subscriptions"), 0);
  t.equal(metric(system, "drover_topic_events_total", "taken"), 0);
  await system.stop();
});

test("an event that makes its listener fail is set aside at its third failure, and the others come", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(L, { input: undefined });
  for (let ms = 660; ms <= 690; ms++) system.publish("wind", wind(ms));
  await clock.advance(60_000);
  const taken = heardBy(system) as readonly number[];
  t.same(
    [...taken].sort((a, b) => a - b),
    Array.from({ length: 31 }, (_, at) => 660 + at).filter((ms) => ms !== 666),
  );
  t.match((await system.inspection.inspect(L))?.subscriptions[0], { waiting: 0, taken: 30 });
  t.equal((await system.inspection.inspect(L))?.parked.length, 1);
  await system.stop();
});
