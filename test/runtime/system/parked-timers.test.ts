// Timers that were set aside after their third failure, and how they ring once more (rules M4).

import { test } from "tap";
import { assign, cancel, raise, setup } from "xstate";
import { actorType, type EntityOptions, entityType, type EventOf, messages, parseAddress, reducer, type System } from "../../../runtime/index.ts";
import { decodeRecord, type JournalRecord, restoreEntity } from "../../../runtime/entity/index.ts";
import type { ManualClock, MemoryDisk } from "../../../runtime/simulation/index.ts";
import { FakeWatch } from "./fake-watch.ts";
import { type Hosting, hosting } from "./hosting.ts";

const E = parseAddress("t/oven/one");
const QUERY = { limit: 10 };

const ovenMessages = messages({
  "oven.leave": { body: {} },
  "oven.call": { body: {} },
  "oven.hush": { body: {} },
  "oven.rang": { body: {}, internal: true },
  "oven.boil": { body: {} },
});

interface Oven {
  readonly rang: number;
}

/** Its `after` and the event of its timer "bell" are code that is broken or mended. */
function oven(
  isMended: boolean,
  how: { readonly version?: number; readonly durability?: "events" | "volatile"; readonly baking?: string; readonly goesTo?: string; readonly passivateAfterMs?: number } = {},
) {
  const { version = 1, durability = "events", baking = "baking", goesTo = baking } = how;
  const ring = assign<Oven, EventOf<typeof ovenMessages>, undefined, EventOf<typeof ovenMessages>, never>(({ context }) => {
    if (!isMended) throw new Error("the bell is broken");
    return { rang: context.rang + 1 };
  });
  const behaviour = setup({ types: { context: {} as Oven, events: {} as EventOf<typeof ovenMessages> }, actions: { ring } }).createMachine({
    id: "oven",
    context: { rang: 0 },
    initial: baking,
    on: {
      "oven.call": { actions: raise({ type: "oven.rang" }, { id: "bell", delay: 500 }) },
      "oven.hush": { actions: cancel("bell") },
      "oven.rang": { actions: "ring" },
    },
    states: {
      [baking]: { after: { 1_000: { target: "done", actions: "ring" } }, on: { "oven.leave": "left" } },
      left: { on: { "oven.boil": baking } },
      done: {},
    },
  });
  const root = actorType({
    name: "oven",
    version,
    messages: ovenMessages,
    behaviour,
    ...(version === 1 ? {} : { migrate: { 1: ({ value, context }) => ({ value: value === "baking" ? goesTo : value, context }) } }),
  });
  return entityType({ root, durability, placement: "cloud", ...(how.passivateAfterMs === undefined ? {} : { passivateAfterMs: how.passivateAfterMs }) });
}

/** The node as it comes back, with this code. */
async function node(
  type: ReturnType<typeof oven>,
  before?: { readonly disk: MemoryDisk; readonly clock: ManualClock },
  options: Partial<Parameters<typeof hosting>[0]> = {},
): Promise<Hosting> {
  const host = await hosting({ types: [type], ...(before === undefined ? {} : { disk: before.disk, clock: before.clock }), ...options });
  await host.system.activate(E, { input: undefined } satisfies EntityOptions);
  return host;
}

const letters = (system: System): readonly object[] => system.deadLetters(QUERY);
const parked = async (system: System): Promise<readonly object[]> => (await system.inspection.inspect(E))?.parked ?? [];
const counted = (system: System): number => system.metrics().find(({ name, labels }) => name === "drover_dead_letters_total" && labels?.["reason"] === "set aside")?.value ?? 0;

const AFTER = "xstate.after.1000.oven.baking";
const LETTER = { to: E, type: AFTER, from: "timer", reason: "set aside", cause: "the bell is broken", isKept: true };

test("M4, H13. a timer whose firing fails three times is listed with its cause, also after a restart of its node, and rings once more when it is asked for", async (t) => {
  const broken = await node(oven(false));
  t.same(letters(broken.system), []);
  await broken.clock.advance(1_000);
  const setAsideAt = broken.clock.now();
  t.match(letters(broken.system), [{ ...LETTER, number: 1, at: setAsideAt }]);
  t.equal(letters(broken.system).length, 1);
  t.match(await parked(broken.system), [{ offender: E, reason: "the bell is broken", timer: { name: AFTER, event: AFTER } }]);
  t.equal(counted(broken.system), 1);
  t.same(broken.system.deadLetters({ ...QUERY, from: "timer", reason: "set aside" }).length, 1);
  await broken.clock.advance(60_000);
  t.equal(broken.system.read(E)?.state, "baking", "it does not ring by itself");
  await broken.system.stop();

  const mended = await node(oven(true), broken);
  t.match(letters(mended.system), [{ ...LETTER, number: 1, at: setAsideAt }], "its entity keeps it");
  t.equal(counted(mended.system), 0, "it was counted when it was set aside");
  t.equal(mended.system.read(E)?.state, "baking");
  t.match(await mended.system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted", durable: "local" } });
  await mended.clock.advance(1);
  t.match(mended.system.read(E), { state: "done", context: { rang: 1 } });
  t.match(await mended.system.redeliver(1, { author: "ann" }), { kind: "sent-before", at: mended.clock.now() - 1 });
  t.match(await parked(mended.system), [{ reason: "the bell is broken", timer: undefined }], "what happened stays listed");
  const { items } = await mended.system.history(E, { ...QUERY, order: "newest-first" });
  t.match(items[0]?.inputs, [{ type: "(timer)", id: `1:${AFTER}` }]);
  t.match(items[1], { inputs: [{ type: "(timer again)", author: "ann", id: `1:${AFTER}`, result: "accepted" }], timers: [{ id: `1:${AFTER}`, change: "armed" }] });
  await mended.system.stop();

  const later = await node(oven(true), mended);
  t.same(letters(later.system), [], "never twice, on whichever node");
  t.match(later.system.read(E)?.context, { rang: 1 });
  await later.system.stop();
});

test("M4. one that rings again and fails three times more is set aside anew, with a letter of its own", async (t) => {
  const { system, clock, disk } = await node(oven(false));
  await clock.advance(1_000);
  t.match(await system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted" } });
  await clock.advance(10);
  t.match(letters(system), [
    { number: 1, sentAgainAt: clock.now() - 10 },
    { ...LETTER, number: 2 },
  ]);
  t.equal(counted(system), 2);
  t.match(await parked(system), [{ timer: undefined }, { timer: { name: AFTER } }]);
  await system.stop();

  const again = await node(oven(false), { disk, clock });
  t.match(letters(again.system), [{ ...LETTER, number: 1 }], "of the two it can ring once");
  t.equal(letters(again.system).length, 1);
  t.equal(again.system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value, 0);
  t.match(await again.system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted" } });
  await again.system.stop();
});

test("K1. a timer that was set aside rings no more once its actor has left the state, cancelled it or armed another of its name", async (t) => {
  for (const [name, events, delayMs] of [
    [AFTER, ["oven.leave"], 1_000],
    [AFTER, ["oven.leave", "oven.boil"], 1_000],
    ["bell", ["oven.hush"], 500],
    ["bell", ["oven.call"], 500],
  ] as const) {
    const { system, clock } = await node(oven(false));
    if (name === "bell") await system.tell(E, { type: "oven.call" });
    await clock.advance(delayMs);
    t.match(letters(system), [{ number: 1, cause: "the bell is broken" }], events.join());
    for (const type of events) t.match(await system.tell(E, { type }), { kind: "accepted" });
    const revision = system.read(E)?.revision;
    for (let again = 0; again < 2; again++)
      t.match(await system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "refused", reason: /^the timer is not set aside any more/ } });
    t.equal(system.read(E)?.revision, revision, "nothing was done");
    t.match(await parked(system), [{ reason: "the bell is broken", timer: undefined }]);
    await system.stop();
  }
});

test("M4. a volatile actor's timer can ring again while that actor is there, and its letter means no other history", async (t) => {
  const { system, clock } = await node(oven(false, { durability: "volatile" }));
  await clock.advance(1_000);
  t.match(await system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted", durable: "memory" } });
  await clock.advance(10);
  await system.deactivate(E);
  t.match(await system.redeliver(2, { author: "ann" }), { kind: "sent", outcome: { kind: "no-such-actor" } });
  await system.activate(E, { input: undefined });
  t.match(await system.redeliver(2, { author: "ann" }), { kind: "sent", outcome: { kind: "refused", reason: /a new history/ } });
  await system.stop();
  t.match(await system.redeliver(2, { author: "ann" }), { kind: "sent", outcome: { kind: "owner-away" } });
});

test("T4. an upgrade carries a timer that was set aside as it carries an armed one", async (t) => {
  for (const [how, timer, state] of [
    [{ version: 2 }, AFTER, "baking"],
    [{ version: 2, baking: "hot" }, "xstate.after.1000.oven.hot", "hot"],
  ] as const) {
    const broken = await node(oven(false));
    await broken.clock.advance(1_000);
    await broken.system.stop();
    const next = await node(oven(true, how), broken);
    t.match(next.system.read(E), { version: 2, state });
    t.match(letters(next.system), [{ number: 1, type: timer, cause: "the bell is broken" }]);
    t.match(await next.system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted" } });
    await next.clock.advance(1);
    t.match(next.system.read(E), { version: 2, state: "done", context: { rang: 1 } });
    await next.system.stop();
  }

  const left = await node(oven(false));
  await left.clock.advance(1_000);
  await left.system.stop();
  const elsewhere = await node(oven(true, { version: 2, goesTo: "left" }), left);
  t.equal(elsewhere.system.read(E)?.state, "left");
  t.same(letters(elsewhere.system), [], "the state that it belonged to has gone");
  t.match(await parked(elsewhere.system), [{ reason: "the bell is broken", timer: undefined }]);
  await elsewhere.system.stop();
});

test("M4. a timer whose firing hangs is set aside at its third attempt, and can ring again", async (t) => {
  const key = `timer 1:${AFTER} 1`;
  const { system, clock } = await node(oven(true), undefined, { stepWatch: new FakeWatch(E, key, key) });
  await clock.advance(1_000);
  t.match(letters(system), [{ type: AFTER, from: "timer", reason: "set aside", cause: /hung/ }]);
  t.match(await system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted" } });
  await clock.advance(1);
  t.match(system.read(E)?.state, "done");
  await system.stop();
});

test("C5. an entity that is out of memory comes back for its timer", async (t) => {
  const broken = await node(oven(false, { passivateAfterMs: 60_000 }));
  await broken.clock.advance(600_000);
  t.match(await broken.system.look(E), { absent: "passivated" });
  t.match(await broken.system.redeliver(1, { author: "ann" }), { kind: "sent", outcome: { kind: "accepted" } });
  t.equal(broken.system.deadLetters(QUERY).length, 1, "it has one letter");
  await broken.system.stop();
});

test("K1. a rhythm that ended with a timer's third failure goes on when it rings again", async (t) => {
  let isMended = false;
  const root = actorType({
    name: "oven",
    version: 1,
    messages: messages({ "oven.tick": { body: {}, internal: true } }),
    behaviour: reducer({
      initial: (_input: undefined, turn) => {
        turn.arm("tick", 1_000, { type: "oven.tick" }, { policy: "skip" });
        return 0;
      },
      step: (count: number, _event: { readonly type: string }, turn) => {
        if (count === 2 && !isMended) throw new Error("stuck");
        turn.arm("tick", 1_000, { type: "oven.tick" }, { policy: "skip" });
        return count + 1;
      },
    }),
  });
  const { system, clock } = await node(entityType({ root, durability: "events", placement: "cloud" }));
  await clock.advance(10_000);
  t.equal(system.read(E)?.context, 2);
  t.match(letters(system), [{ type: "oven.tick", cause: "stuck" }]);
  isMended = true;
  await system.redeliver(1, { author: "ann" });
  await clock.advance(3_500);
  t.equal(system.read(E)?.context, 6, "at once, and each second");
  await system.stop();
});

test("R1. what an earlier version has recorded of a timer that it set aside is no divergence, and cannot ring", async (t) => {
  const { system, clock, store } = await node(oven(false));
  await clock.advance(1_000);
  const stored = await store.journal({ entity: E, limit: 100, order: "oldest-first" });
  const records = stored.map(({ record }) => decodeRecord(record)).map(asBefore);
  const { hash: _, ...last } = records.at(-1) as JournalRecord;
  const entity = restoreEntity(oven(false), E, { incarnation: last.incarnation, snapshot: undefined, records: [...records.slice(0, -1), last] });
  t.same(entity.divergences, []);
  t.same([entity.entity.parked().length, entity.entity.parkedTimers()], [1, []]);
  await system.stop();
});

function asBefore(record: JournalRecord): JournalRecord {
  const rest = record.outcome.rest as { readonly parked?: readonly (readonly [string, { readonly timer?: unknown }])[] };
  if (rest.parked === undefined) return record;
  return {
    ...record,
    outcome: {
      ...record.outcome,
      rest: {
        ...rest,
        parked: rest.parked.map(([number, { timer: _, ...row }]) => [number, row]),
      },
    },
  };
}
