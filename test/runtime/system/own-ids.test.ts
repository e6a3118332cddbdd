// Messages under ids that the node made and told nobody: known as long as they may come again, acted on as long as any (rules M2).

import { test } from "tap";
import { decodeState } from "../../../runtime/entity/index.ts";
import { type Address, actorType, type EntityType, entityType, messages, parseAddress, type ReplyTo, reducer, type System, T } from "../../../runtime/index.ts";
import { type Delivery, silentLog, type Transport } from "../../../runtime/ports/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { busRemote, type MessageDoor, openMessageDoor } from "../../../runtime/wire/index.ts";
import { counterEntity, type Hosting, hosting } from "./hosting.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const noteMessages = messages({
  "note.add": { body: { n: T.Integer() }, postpone: true },
  "note.sum": { body: {}, reply: T.Object({ sum: T.Integer() }) },
  "note.wrong": { body: {}, reply: T.Object({ sum: T.Integer() }) },
  "note.nothing": { body: {} },
  "note.close": { body: {} },
  "note.open": { body: {} },
  "note.burn": { body: {} },
});

interface Notes {
  readonly sum: number;
  readonly isClosed: boolean;
}

interface NoteEvent {
  readonly type: string;
  readonly n: number;
  readonly replyTo: ReplyTo<{ sum: number }>;
}

const notes = (durability: "events" | "volatile"): EntityType =>
  entityType({
    root: actorType({
      name: durability,
      version: 1,
      messages: noteMessages,
      behaviour: reducer<Notes, NoteEvent>({
        initial: () => ({ sum: 0, isClosed: false }),
        step: (state, event, turn) => {
          switch (event.type) {
            case "note.add":
              if (state.isClosed) turn.postpone();
              return state.isClosed ? state : { ...state, sum: state.sum + event.n };
            case "note.sum":
              turn.send(event.replyTo, { type: "reply", value: { sum: state.sum } });
              return state;
            case "note.wrong":
              turn.send(event.replyTo, { type: "reply", value: { sum: "many" } });
              return state;
            case "note.close":
              return { ...state, isClosed: true };
            case "note.open":
              return { ...state, isClosed: false };
            case "note.burn":
              turn.refuse("it does not burn");
              return state;
            default:
              return state;
          }
        },
      }),
    }),
    durability,
    placement: "cloud",
  });
const types = [notes("events"), notes("volatile")];
const E = parseAddress("t/events/one");
const V = parseAddress("t/volatile/one");
const add = (n: number): { type: string; n: number } => ({ type: "note.add", n });
const sum = { type: "note.sum" };

/** What is kept of messages from outside. */
function keptBy(system: System, entity: Address): readonly unknown[] {
  const state = system.stateOf(entity);
  if (state === undefined) throw new Error("a turn is open");
  return (decodeState(state.encoded).rest as { readonly taken?: readonly unknown[] }).taken ?? [];
}

function divergences(system: System): number | undefined {
  return system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value;
}

/** So many messages in that time, one after the other in even steps. @returns what was said but `but` */
async function spread(count: number, forMs: number, { clock }: Hosting, but: string, send: () => Promise<{ readonly kind: string }>): Promise<readonly string[]> {
  const said: string[] = [];
  for (let at = 0; at < count; at++) {
    const { kind } = await send();
    if (kind !== but) said.push(kind);
    if (at % 25 === 0) await clock.advance((forMs * 25) / count);
  }
  return said;
}

for (const address of [E, V]) {
  test(`M2. nothing is kept of 10,001 messages that say how long they may act, and have no name (${address})`, async (t) => {
    const at = await hosting({ types });
    const { system } = at;
    await system.activate(address, { input: undefined });
    t.same(await spread(10_001, HOUR, at, "accepted", () => system.tell(address, add(1), { keepMs: DAY })), []);
    t.match(system.read(address)?.context, { sum: 10_001 });
    t.same(keptBy(system, address), []);
    await system.stop();
  });

  test(`M2. whoever tells one actor 25,000 messages a day without naming them is refused none (${address})`, async (t) => {
    const at = await hosting({ types });
    const { system } = at;
    await system.activate(address, { input: undefined });
    t.same(await spread(25_000, DAY, at, "accepted", () => system.tell(address, add(1))), []);
    t.match(system.read(address), { revision: 25_001, context: { sum: 25_000 } });
    t.same(keptBy(system, address), []);
    await system.stop();
  });
}

test("M2. so it is with questions; a reply is kept while its asker waits", async (t) => {
  const at = await hosting({ types });
  const { system, clock } = at;
  await system.activate(V, { input: undefined });
  t.same(await spread(12_000, DAY, at, "replied", () => system.ask(V, sum, { withinMs: 2_000 })), []);
  t.ok(keptBy(system, V).length < 25);
  await clock.advance(10_000);
  await system.tell(V, add(1));
  t.same(keptBy(system, V), []);
  await system.stop();
});

test("M2. what nobody can name needs no room among the kept outcomes, however long it may act; what has a name is told when there is some", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(V, { input: undefined });
  for (let n = 0; n < 9_999; n++) await system.tell(V, add(1), { id: `m${String(n)}`, keepMs: HOUR });
  await clock.advance(1_000);
  t.match(await system.tell(V, add(1), { id: "long", keepMs: 2 * HOUR }), { kind: "accepted" });
  t.match(await system.tell(V, add(1)), { kind: "accepted" });
  t.match(await system.tell(V, add(1), { keepMs: 5_000 }), { kind: "accepted" });
  const full = { kind: "full", retryAfterMs: HOUR - 1_000 };
  t.same(await system.tell(V, add(1), { id: "one" }), full);
  t.same(await system.ask(V, sum, { withinMs: 1_000 }), full);
  await clock.advance(HOUR);
  t.match(await system.tell(V, add(1), { id: "one" }), { kind: "accepted" }, "it was true");
  t.equal(keptBy(system, V).length, 2, "with the one that is kept for two hours");
  t.match(system.read(V)?.context, { sum: 10_003 });
  await system.stop();
});

test("R1, M3. what is kept of no outcome is in the journal all the same, also where it changed nothing or was refused, and comes out the same again", async (t) => {
  const first = await hosting({ types });
  await first.system.activate(E, { input: undefined });
  t.match(await first.system.tell(E, add(5)), { kind: "accepted", durable: "local", revision: 2 });
  t.match(await first.system.tell(E, { type: "note.nothing" }), { kind: "accepted", revision: 3 });
  t.match(await first.system.tell(E, { type: "note.burn" }), { kind: "refused", reason: "it does not burn" });
  t.match(await first.system.ask(E, sum, { withinMs: 1_000 }), { kind: "replied", value: { sum: 5 } });
  t.match(await first.system.tell(E, sum), { kind: "accepted", revision: 6 });
  const { items } = await first.system.history(E, { limit: 10, order: "oldest-first" });
  t.same(
    items.map(({ revision }) => revision),
    [1, 2, 3, 4, 5, 6],
  );
  t.equal(
    first.system.metrics().find(({ name, labels }) => name === "drover_unheard_total" && labels?.["kind"] === "reply")?.value ?? 0,
    0,
    "a reply that nobody asked for is no loss",
  );
  const before = keptBy(first.system, E);
  t.equal(before.length, 1, "the ask");
  first.store.crash();
  const again = await hosting({ types, disk: first.disk, clock: first.clock, seed: 2 });
  await again.system.activate(E, { input: undefined });
  t.equal(divergences(again.system), 0);
  t.match(again.system.read(E), { revision: 6, context: { sum: 5 } });
  t.same(keptBy(again.system, E), before);
  await again.system.stop();
});

test("A1. a reply that nobody hears must fit its protocol too", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(V, { input: undefined });
  const told = system.tell(V, { type: "note.wrong" });
  await clock.advance(10_000);
  t.match(await told, { kind: "refused", reason: /the reply to "note\.wrong" does not fit/ });
  t.same(keptBy(system, V), [], "set aside, and nobody comes again for the word on it");
  await system.stop();
});

test("M2. a message without a name acts until its `keepMs` is over, and no longer", async (t) => {
  const { system, clock } = await hosting({ types });
  await system.activate(E, { input: undefined });
  await system.tell(E, { type: "note.close" });
  await system.tell(E, add(1), { withinMs: 1_000, keepMs: HOUR });
  await system.tell(E, add(10), { withinMs: 1_000, keepMs: 2 * HOUR });
  await clock.advance(HOUR + 1);
  await system.tell(E, { type: "note.open" });
  await clock.advance(100);
  t.match(system.read(E)?.context, { sum: 10 });
  t.match(system.deadLetters({ limit: 10 }), [{ to: E, type: "note.add", reason: "the postponed message came to nothing: too-old" }]);
  await system.stop();
});

test("M2. a message without a name acts an hour after it was told, over a kill of its node, and a day after it no more", async (t) => {
  const first = await hosting({ types });
  const { clock, disk } = first;
  await first.system.activate(E, { input: undefined });
  await first.system.tell(E, { type: "note.close" });
  t.match(await first.system.tell(E, add(3)), { kind: "accepted", durable: "local" });
  await clock.advance(HOUR);
  first.store.crash();
  const again = await hosting({ types, disk, clock, seed: 2 });
  await again.system.activate(E, { input: undefined });
  t.match(again.system.read(E)?.context, { sum: 0, isClosed: true });
  await again.system.tell(E, { type: "note.open" });
  await clock.advance(100);
  t.match(again.system.read(E)?.context, { sum: 3, isClosed: false });
  await again.system.tell(E, { type: "note.close" });
  await again.system.tell(E, add(10));
  await clock.advance(DAY);
  await again.system.tell(E, { type: "note.open" });
  await clock.advance(100);
  t.match(again.system.read(E)?.context, { sum: 3 });
  t.match(again.system.deadLetters({ limit: 10 }), [{ to: E, type: "note.add", reason: "the postponed message came to nothing: too-old" }]);
  t.equal(divergences(again.system), 0);
  await again.system.stop();
});

// ---- from another node

interface Far {
  readonly near: Hosting;
  /** Tells and asks `near` over a wire. */
  readonly far: System;
  /** What crossed, in order. */
  readonly sent: readonly Uint8Array[];
  /** A copy of it comes. */
  again(payload: Uint8Array): Promise<void>;
  /** The near node is killed and started again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Two nodes, and a FAKE of the wire between them: it hands on what is asked, and may hand it on once more. */
async function overTheWire(): Promise<Far> {
  const sent: Uint8Array[] = [];
  let near = await hosting({ types });
  const { clock, disk } = near;
  let take: (delivery: Delivery) => Promise<Uint8Array>;
  const deliver = (payload: Uint8Array): Promise<Uint8Array> => take({ key: "drover/v1/n/n1/in", payload, epoch: 1 });
  const transport = {
    serve: async (_pattern: string, handler: typeof take) => {
      take = handler;
      return { dropped: 0, close: async () => undefined };
    },
    ask: async (_key: string, payload: Uint8Array) => {
      sent.push(payload);
      return { kind: "replied", payload: await deliver(payload) };
    },
  } as unknown as Transport;
  let ids = 0;
  const newId = (): string => `e${String(++ids)}`;
  const serve = (): Promise<MessageDoor> =>
    openMessageDoor({ transport, pattern: "drover/v1/n/n1/in", system: near.system, sending: { node: "n1", session: "s1", clock }, log: silentLog, newId });
  await serve();
  await near.system.activate(E, { input: undefined });
  const { system: far } = await hosting({ node: "far", clock, seed: 7, types: [counterEntity] });
  far.setRemote(busRemote({ transport, sending: { node: "far", session: "s7", clock }, newId, find: () => ({ key: "drover/v1/n/n1/in", node: "n1", reachable: true }) }));
  return {
    get near() {
      return near;
    },
    far,
    sent,
    again: async (payload) => {
      await deliver(payload);
      await settle();
    },
    restart: async () => {
      near.store.crash();
      near = await hosting({ types, disk, clock, seed: 3 });
      await serve();
      await near.system.activate(E, { input: undefined });
    },
    stop: async () => {
      await far.stop();
      await near.system.stop();
    },
  };
}

test("M2. a copy that the wire brings while its sender waits is recognised, and one that comes late to a node that was started again", async (t) => {
  const at = await overTheWire();
  const { far, sent } = at;
  const { clock } = at.near;
  t.match(await far.tell(E, add(1)), { kind: "accepted" });
  await at.again(sent[0] as Uint8Array);
  await clock.advance(9_000);
  await at.again(sent[0] as Uint8Array);
  t.match(at.near.system.read(E), { revision: 2, context: { sum: 1 } });
  await at.restart();
  await clock.advance(60_000);
  await at.again(sent[0] as Uint8Array);
  t.match(at.near.system.read(E), { revision: 2, context: { sum: 1 } }, "nothing tells the new run how long it was on its way");
  t.match(await far.ask(E, sum, { withinMs: 5_000 }), { kind: "replied", value: { sum: 1 } });
  await at.again(sent[1] as Uint8Array);
  t.match(at.near.system.read(E), { revision: 3 });
  await clock.advance(80_000);
  await far.tell(E, add(1));
  t.equal(keptBy(at.near.system, E).length, 1, "the newest");
  await at.restart();
  t.equal(divergences(at.near.system), 0);
  await at.stop();
});

test("M2. whoever tells an actor of another node 12,000 messages an hour without naming them is refused none; with names they are kept for a day", async (t) => {
  const at = await overTheWire();
  const { far } = at;
  const { clock } = at.near;
  t.same(await spread(12_000, HOUR, at.near, "accepted", () => far.tell(E, add(1))), []);
  t.match(at.near.system.read(E)?.context, { sum: 12_000 });
  t.ok(keptBy(at.near.system, E).length < 300);
  await far.tell(E, add(1), { id: "named" });
  await clock.advance(23 * HOUR);
  await far.tell(E, add(1), { id: "named" });
  t.match(at.near.system.read(E)?.context, { sum: 12_001 });
  await at.stop();
});
