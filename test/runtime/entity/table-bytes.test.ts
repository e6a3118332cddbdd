// How many bytes an entity's tables hold: kept replies, messages that wait for their receivers, and what becomes of more (promise S5; rules M2).

import { test } from "tap";

import type { Address } from "../../../runtime/address.ts";
import { actorType, type Durability, effect, type EntityType, entityType, type EventOf, messages, reducer, reply, type ReplyTo, T } from "../../../runtime/actor/index.ts";
import type { EntityState, InputResult } from "../../../runtime/entity/contract.ts";
import { encodeState, restoreEntity } from "../../../runtime/entity/index.ts";
import type { Interior } from "../../../runtime/entity/interior.ts";
import { EntityHost, ROOT } from "../entity-host.ts";

const MIB = 1_048_576;
const STATE_BYTES = 32 * MIB;
const HOUR = 3_600_000;
const OTHER = "acme/other/two";
const text = T.Object({ text: T.String() });

const protocol = messages({
  big: { body: { bytes: T.Integer() }, reply: text },
  later: { body: {}, reply: text },
  now: { body: { bytes: T.Integer() } },
  out: { body: { bytes: T.Integer() } },
  arm: { body: { bytes: T.Integer(), name: T.String() } },
  heat: { body: { bytes: T.Integer() } },
  wait: { body: { text: T.String() } },
  fail: { body: { text: T.String() } },
  count: { body: {} },
});

interface State {
  readonly count: number;
  readonly waiting: readonly ReplyTo<never>[];
}

const sized = (durability: Durability): EntityType =>
  entityType({
    root: actorType({
      name: "thing",
      version: 1,
      messages: protocol,
      behaviour: reducer<State, EventOf<typeof protocol>>({
        effects: { warm: effect({ class: "idempotent" }) },
        initial: () => ({ count: 0, waiting: [] }),
        step: (state, event, turn) => {
          const answer = "bytes" in event ? { text: "x".repeat(event.bytes) } : { text: "" };
          if (event.type === "big") turn.send(event.replyTo, { ...reply(answer) });
          if (event.type === "later") return { ...state, waiting: [...state.waiting, event.replyTo] };
          if (event.type === "now") for (const to of state.waiting) turn.send(to, { ...reply(answer) });
          if (event.type === "arm") turn.arm(event.name, HOUR, { type: "count", ...answer });
          if (event.type === "heat") turn.perform("warm", answer);
          if (event.type === "wait") turn.postpone();
          if (event.type === "fail") throw new Error(event.text);
          if (event.type === "out") turn.send(OTHER, { type: "put", ...answer });
          return { count: state.count + 1, waiting: event.type === "now" ? [] : state.waiting };
        },
      }),
    }).with({ effects: { warm: () => new Promise(() => undefined) } }),
    durability,
    placement: "cloud",
  });

const hostOf = (durability: Durability = "events"): EntityHost => new EntityHost(sized(durability));
function bytesOf(host: EntityHost): number {
  return encodeState(host.entity.state()).byteLength;
}

/** Until one is not accepted. @returns how many were, and what became of the next */
function fill(one: (at: number) => InputResult, atMost = 20_000): { readonly accepted: number; readonly last: InputResult } {
  for (let at = 0; at < atMost; at++) {
    const last = one(at);
    if (last.kind !== "accepted") return { accepted: at, last };
  }
  return { accepted: atMost, last: { kind: "accepted" } };
}

for (const durability of ["events", "volatile"] as const) {
  test(`S5, M2. kept replies are bounded by bytes (${durability}): what may be replied to is told full and when there is room; the rest goes on, and room comes with time`, (t) => {
    const host = hostOf(durability);
    const begun = host.now;
    const { accepted, last } = fill((at) => host.send({ type: "big", bytes: 100_000 }, { id: `own${String(at)}`, expiresAt: begun + HOUR + at * 1_000 }));
    t.ok(accepted > 50 && accepted < 84, `${String(accepted)} replies of 100 KB are kept`);
    t.same(last, { kind: "full", retryAfterMs: HOUR });
    t.same(host.send({ type: "big", bytes: 1 }), last, "whoever comes next hears the same");
    if (durability === "events") t.ok(bytesOf(host) < 8 * MIB, "its state is far from what a store takes");
    t.equal(host.send("count").kind, "accepted", "what has no reply goes on");
    t.equal(host.entity.taken("own0")?.answer?.kind, "replied", "nothing that has not expired is gone");
    host.now = begun + HOUR - 1;
    t.match(host.send({ type: "big", bytes: 1 }), { kind: "full", retryAfterMs: 1 });
    host.now += 1;
    t.equal(host.send({ type: "big", bytes: 1 }, { expiresAt: host.now + 24 * HOUR }).kind, "accepted", "it was true");
    t.equal(host.entity.taken("own0"), undefined);
    t.equal(host.entity.taken("own1")?.answer?.kind, "replied");
    if (durability === "events") {
      t.same(host.restart({ by: "journal" }).divergences, [], "a replay refuses and evicts in the same turns");
      host.restart({ by: "bytes" });
      t.equal(host.send({ type: "big", bytes: 100_000 }).kind, "accepted");
      t.same(host.send({ type: "big", bytes: 1 }), { kind: "full", retryAfterMs: 1_000 }, "what a restored entity holds is known");
    }
    t.end();
  });
}

test("M2. what never came into a full table leaves nothing behind, however much of it comes", (t) => {
  const host = hostOf();
  const begun = host.now;
  fill((at) => host.send({ type: "big", bytes: 100_000 }, { id: `own${String(at)}`, expiresAt: begun + HOUR + at * 1_000 }));
  const { interior } = host.entity as unknown as { readonly interior: Interior };
  t.ok(interior.byExpiry, "in their order, as long as one may have to go for another");
  for (let at = 0; at < 300; at++) t.equal(host.send("nonsense").kind, "invalid");
  t.equal(interior.byExpiry, undefined);
  t.match(host.send({ type: "big", bytes: 1 }), { kind: "full", retryAfterMs: HOUR });
  host.now = begun + HOUR;
  t.equal(host.send({ type: "big", bytes: 1 }).kind, "accepted");
  t.equal(host.entity.taken("own0"), undefined);
  t.ok(host.entity.taken("own1"));
  t.end();
});

test("M2. where many must go before there is room, that is when its sender is told to come again", (t) => {
  const host = hostOf();
  const begun = host.now;
  fill((at) => host.send({ type: "big", bytes: 20_000 }, { id: `own${String(at)}`, expiresAt: begun + HOUR + at * 1_000 }));
  for (let at = 0; at < 200; at++) t.equal(host.send("count", { expiresAt: begun + 2 * HOUR }).kind, "accepted");
  const told = host.send({ type: "big", bytes: 1 });
  if (told.kind !== "full") throw new Error(`told ${told.kind}`);
  t.ok(told.retryAfterMs > HOUR && told.retryAfterMs < HOUR + 10_000, "two hundred small ones hold as much as a few of these");
  host.now += told.retryAfterMs - 1;
  t.match(host.send({ type: "big", bytes: 1 }), { kind: "full", retryAfterMs: 1 });
  host.now += 1;
  t.equal(host.send({ type: "big", bytes: 1 }).kind, "accepted");
  t.end();
});

test("S5, M2. replies that come late and find no room are told as unknown with the reason, now and under the same id; their actor goes on", (t) => {
  const host = hostOf();
  for (let at = 0; at < 40; at++) t.equal(host.send("later", { id: `own${String(at)}`, wantsReply: true }).kind, "accepted");
  t.equal(host.send({ type: "now", bytes: 500_000 }).kind, "accepted", "the step is no fault");
  const answers = Array.from({ length: 40 }, (_, at) => host.entity.taken(`own${String(at)}`)?.answer);
  const replied = answers.filter((answer) => answer?.kind === "replied").length;
  t.ok(replied >= 13 && replied <= 14, `${String(replied)} of 500 KB are kept`);
  t.match(answers.at(-1), { kind: "unknown", reason: /taken and acted on; there is no room for its reply of about 5000\d\d bytes: acme\/thing\/one keeps \d+ bytes/ });
  t.match(host.send("later", { id: "own39", wantsReply: true }), { kind: "duplicate", entry: { answer: answers.at(-1) } });
  t.ok(bytesOf(host) < 8 * MIB);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("S5. an outbox is bounded by bytes as by its count: a step that sends more has failed, its entity goes on, and so does the line once its receiver is back", (t) => {
  const host = hostOf();
  const { accepted, last } = fill(() => host.send({ type: "out", bytes: 50_000 }));
  t.ok(accepted > 100 && accepted < 168, `${String(accepted)} messages of 50 KB wait`);
  t.match(last, { kind: "faulted", code: "DROVER_SEND_INVALID", error: /the outbox of acme\/thing\/one is full: \d+ messages of about \d+ bytes wait/ });
  t.ok(bytesOf(host) < 8 * MIB);
  t.equal(host.send("count").kind, "accepted");
  host.restart({ by: "bytes" });
  t.equal(host.send({ type: "out", bytes: 50_000 }).kind, "faulted");
  for (const row of host.entity.outbox().get(OTHER as Address) ?? []) host.take({ kind: "delivered", receiver: row.receiver, seq: row.seq, outcome: { kind: "accepted" } });
  t.equal(host.send({ type: "out", bytes: 50_000 }).kind, "accepted");
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("S5. timers, unconfirmed effects and postponed messages are bounded by bytes: what is beyond is told or fails, and the entity goes on", (t) => {
  const host = hostOf();
  const armed = fill((at) => host.send({ type: "arm", bytes: 200_000, name: `t${String(at)}` }));
  t.ok(armed.accepted > 15 && armed.accepted < 27, `${String(armed.accepted)} timers with 200 KB are armed`);
  t.match(armed.last, { kind: "faulted", error: /\d+ timers of acme\/thing\/one with about \d+ bytes are armed/ });
  const heated = fill(() => host.send({ type: "heat", bytes: 200_000 }));
  t.ok(heated.accepted > 10 && heated.accepted < 21, `${String(heated.accepted)} effects with 200 KB wait`);
  t.match(heated.last, { kind: "faulted", error: /\d+ effects of acme\/thing\/one with about \d+ bytes wait for confirmation/ });
  const waiting = fill(() => host.send({ type: "wait", text: "x".repeat(200_000) }));
  t.ok(waiting.accepted > 10 && waiting.accepted < 21, `${String(waiting.accepted)} messages of 200 KB are postponed`);
  t.match(waiting.last, { kind: "full" });
  t.ok(bytesOf(host) < 13 * MIB);
  host.restart({ by: "bytes" });
  t.match(host.send({ type: "wait", text: "" }), { kind: "full" });
  t.same(host.restart({ by: "journal" }).divergences, []);
  const other = hostOf();
  const tooLarge = { kind: "faulted", code: "DROVER_MESSAGE_TOO_LARGE" };
  t.match(other.send({ type: "arm", bytes: MIB, name: "t" }), tooLarge);
  t.equal(other.entity.hasTimers, false);
  t.match(other.send({ type: "heat", bytes: MIB }), tooLarge);
  t.match(other.send({ type: "wait", text: "x".repeat(MIB) }), { kind: "refused", reason: /acme\/thing\/one does not take it now; with about 1048\d{3} bytes it cannot wait/ });
  t.end();
});

test("S5, H13. what is set aside is bounded by bytes: the oldest go, and words of an author's are kept in part", (t) => {
  const host = hostOf();
  for (let at = 0; at < 20; at++) for (let attempt = 0; attempt < 3; attempt++) host.send({ type: "fail", text: "x".repeat(300_000) }, { id: `own${String(at)}` });
  const parked = host.entity.parked();
  t.ok(parked.length > 3 && parked.length < 8, `${String(parked.length)} of 300 KB are kept`);
  t.match(parked.at(-1)?.reason, /^x{4096}\.\.\. \(300000 characters\)$/);
  for (let attempt = 0; attempt < 3; attempt++) host.send({ type: "fail", text: "x".repeat(2 * MIB) }, { id: "large" });
  t.match(host.entity.parked().at(-1)?.input, { kind: "message", tooLarge: Number });
  t.match(host.send({ type: "fail", text: "x".repeat(2 * MIB) }, { id: "large" }), {
    kind: "duplicate",
    entry: { outcome: { kind: "refused", reason: /^set aside after 3 failures: x+/ } },
  });
  t.ok(bytesOf(host) < 3 * MIB);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("S5. a message or reply beyond 1 MiB is its actor's fault at once, with its size and the limit, in volatile types too", (t) => {
  for (const durability of ["events", "volatile"] as const) {
    const host = hostOf(durability);
    const tooLarge = { kind: "faulted", code: "DROVER_MESSAGE_TOO_LARGE" };
    t.match(host.send({ type: "big", bytes: MIB }), { ...tooLarge, error: /acme\/thing\/one: the reply to "big" has about 1048\d{3} bytes, the limit is 1048576/ });
    t.match(host.send({ type: "out", bytes: MIB }), { ...tooLarge, error: /acme\/thing\/one: the event 'put' to acme\/other\/two has about 1048\d{3} bytes/ });
    t.equal(host.send({ type: "big", bytes: MIB - 100 }).kind, "accepted");
    t.equal(host.send({ type: "out", bytes: MIB - 100 }).kind, "accepted");
  }
  t.end();
});

test("S5, R1. tables that an earlier version filled beyond their bounds are read, refuse what is new, and drain", (t) => {
  const begun = hostOf();
  begun.send({ type: "big", bytes: 100_000 }, { id: "own0" });
  begun.send({ type: "out", bytes: 100_000 });
  const { rest, ...state } = begun.entity.state();
  const tables = rest as Readonly<Record<string, readonly (readonly [string, Readonly<Record<string, unknown>>])[]>>;
  const [taken, outbox] = [tables["taken"]?.find(([id]) => id === "own0")?.[1], tables["outbox"]?.[0]?.[1]];
  const many = <V>(one: (at: number) => V): readonly V[] => Array.from({ length: 120 }, (_, at) => one(at));
  const old: EntityState = {
    ...state,
    rest: {
      ...tables,
      taken: many((at) => [`own${String(at)}`, { ...taken, id: `own${String(at)}`, expiresAt: begun.now + HOUR + at }]),
      outbox: many((at) => [`${OTHER} ${String(at + 1)}`, { ...outbox, seq: at + 1 }]),
      lines: [[OTHER, 121]],
    },
  };
  const host = hostOf();
  host.entity = restoreEntity(host.type, ROOT, { snapshot: old, records: [] }).entity;
  t.ok(bytesOf(host) > 20 * MIB && bytesOf(host) < STATE_BYTES);
  t.match(host.send({ type: "big", bytes: 1 }), { kind: "full" });
  t.match(host.send("count"), { kind: "full" }, "that table is full for all");
  t.equal(host.send("later", { id: "own7" }).kind, "id-reused", "what it knows it knows");
  for (const row of host.entity.outbox().get(OTHER as Address) ?? []) host.take({ kind: "delivered", receiver: row.receiver, seq: row.seq, outcome: { kind: "accepted" } });
  host.now += 2 * HOUR;
  t.equal(host.send("count").kind, "accepted");
  t.equal(host.send({ type: "big", bytes: 100_000 }).kind, "accepted");
  t.equal(host.send({ type: "out", bytes: 100_000 }).kind, "accepted");
  t.ok(bytesOf(host) < MIB);
  t.equal(host.entity.address, ROOT);
  t.end();
});
