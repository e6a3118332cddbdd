// Messages from outside: one outcome for an id until it expires (rules M2, M3; hosting H10, A1).

import { test } from "tap";
import { assign, sendTo, setup } from "xstate";

import { actorType, decline, entityType, type EventOf, messages, type ReplyTo, reply, T } from "../../../runtime/actor/index.ts";
import type { Refusal } from "../../../runtime/outcome.ts";
import { decodeRecord, encodeRecord, MAX_TAKEN } from "../../../runtime/entity/index.ts";
import type { Interior } from "../../../runtime/entity/interior.ts";
import { EntityHost, EPOCH, ROOT } from "../entity-host.ts";

const lamp = messages({
  "light.set": { body: { level: T.Integer() }, reply: T.Object({ level: T.Integer() }), reads: ["Brightness"] },
  "light.reported": { body: { level: T.Integer() } },
  "light.failed": { body: {} },
});

interface Context {
  readonly level: number;
  readonly replyTo: ReplyTo<{ level: number }> | null;
  readonly set: number;
}

const machine = setup({ types: { events: {} as EventOf<typeof lamp>, context: {} as Context } }).createMachine({
  context: { level: 0, replyTo: null, set: 0 },
  initial: "settled",
  states: {
    settled: {
      on: {
        "light.set": [
          {
            guard: ({ event, context }) => event.level === context.level,
            actions: sendTo(
              ({ event }) => event.replyTo,
              ({ event }) => reply({ level: event.level }),
            ),
          },
          {
            guard: ({ event }) => event.guard === undefined || event.guard.open === true,
            target: "pending",
            actions: assign({ replyTo: ({ event }) => event.replyTo, set: ({ context }) => context.set + 1 }),
          },
        ],
      },
    },
    pending: {
      on: {
        "light.reported": {
          target: "settled",
          actions: [
            sendTo(
              ({ context }) => context.replyTo as ReplyTo<{ level: number }>,
              ({ event }) => reply({ level: event.level }),
            ),
            assign({ level: ({ event }) => event.level, replyTo: null }),
          ],
        },
        "light.failed": {
          target: "settled",
          actions: [sendTo(({ context }) => context.replyTo as ReplyTo<{ level: number }>, decline({ kind: "unknown", reason: "no status came" })), assign({ replyTo: null })],
        },
      },
    },
  },
});
const type = entityType({ root: actorType({ name: "lamp", version: 1, messages: lamp, behaviour: machine }), durability: "events", placement: "vehicle" });
const set = (level: number): { type: string; level: number } => ({ type: "light.set", level });
const reported = (level: number): { type: string; level: number } => ({ type: "light.reported", level });

test("M2. the same id gets the same outcome and reply, across restarts, and acts once", (t) => {
  const host = new EntityHost(type);
  t.same(host.send(set(40), { id: "order-77", wantsReply: true }), { kind: "accepted" });
  t.match(host.send(set(40), { id: "order-77", wantsReply: true }), { kind: "duplicate", entry: { outcome: { kind: "accepted", revision: 2 } } });
  host.restart();
  host.send(reported(40));
  t.match(host.effects.at(-1), { kind: "answer", id: "order-77", answer: { kind: "replied", value: { level: 40 } } });
  host.restart({ by: "bytes" });
  t.match(host.send(set(40), { id: "order-77", wantsReply: true }), { kind: "duplicate", entry: { answer: { kind: "replied", value: { level: 40 } }, wantsReply: true } });
  t.match(host.context(), { set: 1, level: 40 });
  t.match(host.entity.taken("order-77"), { to: ROOT, answer: { value: { level: 40 } } });
  t.end();
});

test("M2. an answer may say why there is none", (t) => {
  const host = new EntityHost(type);
  host.send(set(40), { id: "a", wantsReply: true });
  host.send("light.failed");
  t.same(host.entity.taken("a")?.answer, { kind: "unknown", reason: "no status came" });
  t.end();
});

test("M2. the same id for something else is told so, whoever sends it", (t) => {
  const host = new EntityHost(type);
  host.send(set(40), { id: "a", author: "ann" });
  t.same(host.send(set(41), { id: "a", author: "ann" }), { kind: "id-reused" });
  t.same(host.send(set(40), { id: "a", author: "ben" }), { kind: "id-reused" });
  t.match(host.send({ level: 40, type: "light.set" }, { id: "a", author: "ann" }), { kind: "duplicate" }, "the order of keys does not count");
  t.end();
});

test("M2. an expired message is too old and never acts; nothing expires later than a day ahead", (t) => {
  const host = new EntityHost(type);
  t.same(host.send(set(40), { expiresAt: host.now }), { kind: "too-old" });
  t.same(host.send(set(40), { expiresAt: host.now - 1 }), { kind: "too-old" });
  t.same(host.send(set(40), { expiresAt: Number.NaN }), { kind: "too-old" });
  t.match(host.send(set(40), { expiresAt: host.now + 25 * 3_600_000 }), { kind: "invalid", problems: [{ path: "/expiresAt" }] });
  t.match(host.context(), { set: 0 });
  host.send(set(40), { id: "a", expiresAt: host.now + 1_000 });
  host.now += 1_000;
  t.same(host.send(set(40), { id: "a", expiresAt: EPOCH + 1_000 }), { kind: "too-old" });
  t.match(host.context(), { set: 1 });
  t.end();
});

test("M2. a full table refuses new messages, evicts nothing unexpired, and is emptied by time", (t) => {
  const host = new EntityHost(type);
  const inputs = Array.from({ length: MAX_TAKEN }, (_, at) => host.message(reported(1), { id: `m${String(at)}`, expiresAt: host.now + 60_000 + at }));
  for (let at = 0; at < inputs.length; at += 64) host.take(...inputs.slice(at, at + 64));
  t.same(host.send(set(40), { id: "late" }), { kind: "full", retryAfterMs: 60_000 });
  t.match(host.context(), { set: 0 });
  t.match(host.send(reported(1), { id: "m9" }), { kind: "duplicate" }, "known ids are answered");
  host.now += 60_010;
  t.same(host.send(set(40), { id: "late", expiresAt: host.now + 60_000 }), { kind: "accepted" });
  t.equal(host.entity.taken("m9"), undefined);
  t.ok(host.entity.taken("m11"));
  const { divergences } = host.restart({ by: "journal" });
  t.same(divergences, [], "a replay evicts in the same turns");
  t.end();
});

/** A table that is full, of outcomes that expire one ms after the other from a minute on, in no order. */
function fullOf(host: EntityHost): void {
  const inputs = Array.from({ length: MAX_TAKEN }, (_, at) => host.message(reported(1), { id: `m${String(at)}`, expiresAt: host.now + 60_000 + ((at * 7_919) % MAX_TAKEN) }));
  for (let at = 0; at < inputs.length; at += 64) host.take(...inputs.slice(at, at + 64));
}

test("M2. where one expires as another comes, none of a full table is looked for among all, and a replay evicts in the same turns", (t) => {
  const host = new EntityHost(type);
  const begun = host.now;
  fullOf(host);
  t.same(host.send(set(40), { id: "early" }), { kind: "full", retryAfterMs: 60_000 });
  const { rest } = (host.entity as unknown as { readonly interior: Interior }).interior;
  const entries = rest.entries.bind(rest);
  let looks = 0;
  rest.entries = (table) => {
    if (table === "taken") looks++;
    return entries(table);
  };
  for (let at = 0; at < 300; at++) {
    host.now = begun + 60_000 + at;
    const word = host.take(host.message(reported(1), { id: `n${String(at)}`, expiresAt: begun + 80_000 }))[0];
    t.equal(word?.kind, "refused", "taken in, and refused by its state");
    t.same(host.send(set(40), { id: "late" }), { kind: "full", retryAfterMs: 1 });
  }
  t.ok(looks <= 2, `all of them were looked through ${String(looks)} times`);
  rest.entries = entries;
  const left = [...entries("taken")].map(([id]) => id).filter((id) => id.startsWith("m"));
  t.equal(left.length, MAX_TAKEN - 300);
  t.notOk(left.some((id) => (Number(id.slice(1)) * 7_919) % MAX_TAKEN < 300));
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("C3. what a full table let go comes back with a turn that is taken back, and goes again", (t) => {
  const host = new EntityHost(type, { twice: true });
  const begun = host.now;
  fullOf(host);
  for (let at = 0; at < 20; at++) {
    host.now = begun + 60_000 + at * 10;
    t.equal(host.send(reported(1), { id: `n${String(at)}`, expiresAt: begun + 80_000 }).kind, "refused");
  }
  t.same(host.differences, []);
  t.ok(host.entity.taken("n19"));
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("M2. what a record put in place without being run again expires in its time", (t) => {
  const host = new EntityHost(type);
  host.send(set(40), { id: "long" });
  host.send(reported(40), { id: "brief", expiresAt: host.now + 1_000 });
  const [last = new Uint8Array()] = host.records.splice(-1);
  host.records.push(encodeRecord({ ...decodeRecord(last), versions: { lamp: 0 } }));
  t.match(host.restart({ by: "journal" }).divergences, [{ revision: 3, isNotRun: true }]);
  t.ok(host.entity.taken("brief"));
  host.advance(10_000);
  host.send(set(50));
  t.equal(host.entity.taken("brief"), undefined);
  t.ok(host.entity.taken("long"));
  t.end();
});

test("M2. an id that nobody was told is known while its message may come again, and the message acted on for as long as any", (t) => {
  const host = new EntityHost(type);
  const begun = host.now;
  const day = begun + 24 * 3_600_000;
  t.same(host.send(set(40), { id: "wire", expiresAt: day, repeatedMs: 70_000 }), { kind: "accepted" });
  t.match(host.entity.taken("wire"), { expiresAt: begun + 70_000, keptUntil: 70_000 });
  host.advance(69_999);
  t.match(host.send(set(40), { id: "wire", expiresAt: day, repeatedMs: 70_000 }), { kind: "duplicate" });
  host.send(reported(40));
  t.notOk(
    host.effects.some(({ kind }) => kind === "answer"),
    "it was told: nobody can ask for its reply",
  );
  t.same(host.send(set(50), { id: "asked", wantsReply: true, repeatedMs: 1_000 }), { kind: "accepted" });
  host.send(reported(50));
  t.match(host.entity.taken("asked")?.answer, { kind: "replied", value: { level: 50 } });
  const { revision } = host.entity;
  t.same(host.send(set(60), { id: "own", expiresAt: day, repeatedMs: 0 }), { kind: "accepted" });
  t.equal(host.send(set(70), { id: "turned away", repeatedMs: 0 }).kind, "refused");
  t.equal(host.entity.revision, revision + 2);
  t.equal(host.entity.taken("own"), undefined);
  t.equal(host.entity.taken("turned away"), undefined);
  host.advance(10_000);
  host.send(reported(60), { repeatedMs: 0 });
  t.equal(host.entity.taken("wire"), undefined);
  t.equal(host.entity.taken("asked"), undefined);
  t.same(host.send(set(80), { id: "brief", expiresAt: host.now + 10, repeatedMs: 70_000 }), { kind: "accepted" });
  t.match(host.entity.taken("brief"), { expiresAt: host.now + 10 }, "never longer than it acts");
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("a state that does not take a message refuses it with what it takes; the same id hears the same", (t) => {
  const host = new EntityHost(type);
  host.send(set(40));
  const refused = { kind: "refused", accepts: ["light.reported", "light.failed"] };
  const { revision } = host.entity;
  t.same(host.send(set(41), { id: "b" }), refused);
  t.match(host.context(), { set: 1 }, "the machine was not stepped");
  t.equal(host.entity.revision, revision + 1, "journalled");
  host.send(reported(40));
  t.match(host.send(set(41), { id: "b" }), { kind: "duplicate", entry: { outcome: refused } });
  t.end();
});

test("a guard that is not open is reported with the values that it saw", (t) => {
  const host = new EntityHost(type);
  const guard = { condition: "parked", open: undefined, reads: [{ signal: "Vehicle.Speed", value: undefined, ageMs: undefined }] };
  const input = { ...host.message(set(40)), reads: { signals: { Brightness: { signal: "Brightness", value: 3, ageMs: 20 } }, guard } };
  t.same(host.take(input)[0], { kind: "refused", accepts: ["light.set"], guard });
  t.same(host.take({ ...host.message(set(40)), reads: { signals: {}, guard: { ...guard, open: true } } })[0], { kind: "accepted" });
  t.end();
});

test("H10. what the protocol does not list is invalid, nothing of it is kept, and it may be mended", (t) => {
  const host = new EntityHost(type);
  const { revision } = host.entity;
  t.match(host.send({ type: "xstate.stop" }, { id: "a" }), { kind: "invalid", problems: [{ path: "/type" }], accepts: ["light.set"] });
  t.match(host.send({ type: "xstate.init" }, { id: "a" }), { kind: "invalid" });
  t.match(host.send({ type: "light.set", level: "40" }, { id: "a" }), { kind: "invalid", problems: [{ path: "/level" }] });
  t.equal(host.entity.revision, revision);
  t.same(host.send(set(40), { id: "a" }), { kind: "accepted" });
  t.end();
});

test("nobody but the addressed actor is meant", (t) => {
  const host = new EntityHost(type);
  t.same(host.send(set(40), { to: `${ROOT}/module/m1` as typeof ROOT }), { kind: "no-such-actor" });
  t.same(host.send(set(40), { to: `${ROOT}/~/k` as typeof ROOT }), { kind: "no-such-actor" });
  t.end();
});

test("a durable actor keeps a copy: whoever sent it may change its own", (t) => {
  const kept = setup({ types: { context: {} as { event: unknown } } }).createMachine({
    context: { event: null },
    on: { put: { actions: assign({ event: ({ event }) => event as unknown }) } },
  });
  const host = new EntityHost(
    entityType({
      root: actorType({ name: "kept", version: 1, messages: messages({ put: { body: { list: T.Array(T.Any()) } } }), behaviour: kept as never }),
      durability: "events",
      placement: "cloud",
    }),
  );
  const event = { type: "put", list: [1, { a: undefined }] };
  host.send(event);
  event.list.push(2);
  t.same(host.context(), { event: { type: "put", list: [1, {}] } });
  t.match(host.send({ type: "put", list: [() => 1] }), { kind: "invalid", problems: [{ path: "/list/0", message: /function/ }] });
  t.match(host.send({ type: "put", list: [new Map()] }), { kind: "invalid", problems: [{ path: "/list/0", message: /Map/ }] });
  t.match(host.send({ type: "put", list: [Number.NaN] }), { kind: "invalid", problems: [{ path: "/list/0" }] });
  t.match(host.send({ type: "put", list: JSON.parse('[{"__proto__":{"a":1}}]') as unknown[] }), { kind: "invalid", problems: [{ path: "/list/0/__proto__" }] });
  const deep: unknown[] = [];
  let inner = deep;
  for (let at = 0; at < 100; at++) inner.push((inner = []));
  t.match(host.send({ type: "put", list: deep }), { kind: "invalid", problems: [{ message: /nested deeper/ }] });
  const circular: unknown[] = [];
  circular.push(circular);
  t.match(host.send({ type: "put", list: circular }), { kind: "invalid" });
  t.end();
});

test("M2. an outcome is a value that every outcome's kind can be", (t) => {
  const kinds: readonly Refusal["kind"][] = ["refused", "invalid", "id-reused", "no-such-actor", "full", "too-old"];
  t.equal(new Set(kinds).size, kinds.length);
  t.end();
});

test("A1. a reply that does not fit its protocol is its actor's fault, told with the place, and reaches nobody", (t) => {
  const gauge = messages({ "gauge.read": { body: {}, reply: T.Object({ level: T.Integer() }) } });
  const behaviour = setup({ types: { events: {} as EventOf<typeof gauge> } }).createMachine({
    on: { "gauge.read": { actions: sendTo(({ event }) => event.replyTo, reply({ level: "full" } as unknown as { level: number })) } },
  });
  const host = new EntityHost(entityType({ root: actorType({ name: "gauge", version: 1, messages: gauge, behaviour }), durability: "events", placement: "cloud" }));
  const faulted = host.send("gauge.read", { id: "g1" });
  t.match(faulted, { kind: "faulted", error: /the reply to "gauge\.read" does not fit the protocol of gauge: \/level / });
  t.notOk(host.effects.some((effect) => effect.kind === "answer" && effect.answer.kind === "replied"));
  t.end();
});
