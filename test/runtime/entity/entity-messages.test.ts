// Messages between entities: each once, in the order of its line (rules M1, E1); asks and their answers (F2).

import { test } from "tap";
import { assign, sendTo, setup } from "xstate";

import type { Address } from "../../../runtime/address.ts";
import { actorType, ask, decline, entityType, type EventOf, messages, reply, T } from "../../../runtime/actor/index.ts";
import type { Input, OutboxRow, Sender } from "../../../runtime/entity/contract.ts";
import { EntityHost, thingType, words } from "../entity-host.ts";
import * as loose from "../xstate/loose.ts";

const OTHER = "acme/thing/two" as Address;
const counted = messages({ add: { body: { by: T.Integer() }, reply: T.Object({ n: T.Integer() }) }, boom: { body: {} } });
const counter = setup({ types: { events: {} as EventOf<typeof counted>, context: {} as { n: number } } }).createMachine({
  context: { n: 0 },
  on: {
    add: [
      { guard: ({ event }) => event.by < 0, actions: sendTo(({ event }) => event.replyTo, decline({ kind: "refused", accepts: [], reason: "no debts" })) },
      {
        guard: ({ context }) => context.n < 100,
        actions: [
          assign({ n: ({ context, event }) => context.n + event.by }),
          sendTo(
            ({ event }) => event.replyTo,
            ({ context }) => reply({ n: context.n }),
          ),
        ],
      },
    ],
    boom: {
      actions: assign(() => {
        throw new Error("boom");
      }),
    },
  },
});
const counterActor = actorType({ name: "counter", version: 1, messages: counted, behaviour: counter });
const counterType = entityType({ root: counterActor, durability: "events", placement: "cloud" });

function from(seq: number, more: Partial<Extract<Sender, { kind: "entity" }>> = {}, event: { type: string; by?: number } = { type: "add", by: 1 }, replyKey?: string): Input {
  return {
    kind: "message",
    to: "acme/counter/c" as Address,
    event,
    sender: { kind: "entity", entity: OTHER, incarnation: "i1", seq, epoch: 1, oldest: 1, ...more },
    wantsReply: replyKey !== undefined,
    ...(replyKey === undefined ? {} : { replyKey }),
  };
}

function host(): EntityHost {
  return new EntityHost(counterType, { address: "acme/counter/c" as Address });
}

const kinds = (results: readonly { readonly kind: string }[]): readonly string[] => results.map((result) => result.kind);

test("M1. a line is taken in its order, each number once, without limit of time", (t) => {
  const one = host();
  t.same(kinds(one.take(from(1), from(1), from(3), from(2), from(3), from(2))), ["accepted", "duplicate", "dropped", "accepted", "accepted", "duplicate"]);
  t.same(one.context(), { n: 3 });
  one.restart();
  one.now += 400 * 24 * 3_600_000;
  t.same(kinds(one.take(from(1), from(3), from(5), from(4))), ["duplicate", "duplicate", "dropped", "accepted"]);
  t.match(one.take(from(9))[0], { reason: /5 is expected, not 9/ });
  t.end();
});

test("M1. a final refusal is recorded and its number skipped; a repetition hears the same", (t) => {
  const one = host();
  t.same(kinds(one.take(from(1, {}, { type: "add", by: 200 }), from(2))), ["accepted", "refused"]);
  t.same(one.take(from(2))[0], { kind: "refused", accepts: ["add", "boom"] });
  t.same(kinds(one.take(from(3, {}, { type: "nothing" }), from(4, { expiresAt: one.now }), from(5, {}, { type: "add", by: -1 }), from(6))), [
    "invalid",
    "too-old",
    "accepted",
    "refused",
  ]);
  t.match(one.restart().entity.view("acme/counter/c" as Address)?.context, { n: 200 });
  t.same(kinds(one.take(from(4))), ["too-old"], "also after a restart");
  t.end();
});

test("M1, H13. a poison message stops its line until its third failure, then it is skipped", (t) => {
  const one = host();
  const poison = from(1, {}, { type: "boom" });
  t.match(one.take(poison)[0], { kind: "faulted", attempt: 1, again: true });
  t.same(kinds(one.take(from(2))), ["dropped"], "the line waits");
  one.restart();
  t.match(one.take(poison)[0], { attempt: 2, again: true });
  t.match(one.take(poison)[0], { attempt: 3, again: false, parked: true, outcome: { kind: "refused", reason: /set aside after 3 failures: boom/ } });
  t.match(one.take(poison)[0], { kind: "refused", reason: /set aside/ });
  t.same(kinds(one.take(from(2))), ["accepted"]);
  t.match(one.entity.parked(), [{ offender: "acme/counter/c", reason: "boom", input: { kind: "message" } }]);
  t.end();
});

test("M1, H13. a message that waited postponed and is set aside does not set its sender's line back", (t) => {
  const protocol = messages({ enter: { body: { bad: T.Boolean() }, postpone: true }, note: { body: {} }, open: { body: {} }, shut: { body: {} } });
  const machine = setup({ types: { events: {} as EventOf<typeof protocol>, context: {} as { notes: number } } }).createMachine({
    context: { notes: 0 },
    initial: "closed",
    on: { note: { actions: assign({ notes: ({ context }) => context.notes + 1 }) } },
    states: {
      closed: { on: { open: "opened" } },
      opened: {
        on: {
          shut: "closed",
          enter: {
            actions: assign(() => {
              throw new Error("bad");
            }),
          },
        },
      },
    },
  });
  const one = new EntityHost(entityType({ root: actorType({ name: "counter", version: 1, messages: protocol, behaviour: machine }), durability: "events", placement: "cloud" }), {
    address: "acme/counter/c" as Address,
  });
  const sent = (seq: number, type: string, more: { incarnation?: string } = {}): Input => from(seq, more, { type, ...(type === "enter" ? { bad: true } : {}) });
  t.same(kinds(one.take(sent(1, "enter"), sent(2, "note"), sent(3, "note"))), ["accepted", "accepted", "accepted"]);
  one.take(sent(4, "open"));
  for (let attempt = 1; attempt <= 3; attempt++) one.take(...one.entity.released());
  t.match(one.entity.parked(), [{ reason: "bad" }]);
  t.same(kinds(one.take(sent(2, "note"), sent(3, "note"), sent(4, "open"))), ["duplicate", "duplicate", "duplicate"], "what came after it is not taken again");
  t.match(one.take(sent(1, "enter"))[0], { kind: "refused" }, "and it hears its own last word");
  t.same(one.context(), { notes: 2 });
  one.take(sent(5, "shut"));
  one.take(sent(6, "enter"));
  t.same(kinds(one.take(sent(1, "note", { incarnation: "i2" }))), ["accepted"], "its sender begins a new history");
  one.take({ ...sent(2, "open", { incarnation: "i2" }) });
  for (let attempt = 1; attempt <= 3; attempt++) one.take(...one.entity.released());
  t.equal(one.entity.parked().length, 2);
  t.match(kinds(one.take(sent(2, "open", { incarnation: "i2" }), sent(7, "note"))), ["duplicate", "dropped"], "which goes on, and the old one stays over");
  t.end();
});

test("E1. the highest epoch of a sender is kept; a lower one is not taken", (t) => {
  const one = host();
  t.same(kinds(one.take(from(1, { epoch: 3 }), from(2, { epoch: 2 }), from(2, { epoch: 4 }), from(3, { epoch: 3 }))), ["accepted", "dropped", "accepted", "dropped"]);
  one.restart();
  t.match(one.take(from(3, { epoch: 3 }))[0], { kind: "dropped", reason: /epoch 3 of acme\/thing\/two is over: 4 was seen/ });
  t.same(one.context(), { n: 2 });
  t.end();
});

test("M1. a sender's new history begins a new line; the old one is over", (t) => {
  const one = host();
  one.take(from(1), from(2));
  t.same(kinds(one.take(from(1, { incarnation: "i2" }), from(3), from(2, { incarnation: "i2" }))), ["accepted", "dropped", "accepted"]);
  t.match(one.take(from(3))[0], { reason: /history i1 of .* was replaced/ });
  t.end();
});

test("M1. a receiver that has lost its memory begins where the sender's outbox begins", (t) => {
  const one = host();
  t.same(kinds(one.take(from(58, { oldest: 57 }), from(57, { oldest: 57 }), from(58, { oldest: 57 }))), ["dropped", "accepted", "accepted"]);
  t.end();
});

test("M1. what an entity sends waits in its outbox, numbered by receiver, until the receiver's last word", (t) => {
  const sender = loose.machine({
    on: {
      go: {
        actions: [
          loose.sendTo(() => counterActor.at("acme/counter/c"), { type: "add", by: 1 }),
          loose.sendTo(() => counterActor.at("acme/counter/d/part/x"), { type: "add", by: 2 }),
        ],
      },
    },
  });
  const one = new EntityHost(thingType(sender, words("go")));
  one.send("go");
  one.send("go");
  const c = "acme/counter/c" as Address;
  const rows = (): readonly OutboxRow[] => one.entity.outbox().get(c) ?? [];
  t.match(rows(), [{ seq: 1, to: c, event: { type: "add", by: 1 } }, { seq: 2 }]);
  t.match(one.entity.outbox().get("acme/counter/d" as Address), [{ seq: 1, to: "acme/counter/d/part/x" }, { seq: 2 }]);
  t.equal(one.effects.filter((effect) => effect.kind === "send").length, 4);
  one.restart();
  t.equal(one.entity.recoveryEffects().filter((effect) => effect.kind === "send").length, 4, "and is sent again after a restart");
  const delivered = (seq: number, outcome: Extract<Input, { kind: "delivered" }>["outcome"]): Input => ({ kind: "delivered", receiver: c, seq, outcome });
  one.take(delivered(1, { kind: "full", retryAfterMs: 5 }), delivered(1, { kind: "owner-away" }), delivered(1, { kind: "unknown", reason: "?" }));
  t.equal(rows().length, 2, "a refusal that may pass keeps the row");
  one.take(delivered(1, { kind: "accepted" }), delivered(2, { kind: "no-such-actor" }), delivered(2, { kind: "accepted" }));
  t.equal(rows().length, 0);
  one.send("go");
  t.match(rows(), [{ seq: 3 }], "numbers go on");
  t.end();
});

test("messages to a cell of the same entity stay inside", (t) => {
  const one = new EntityHost(
    thingType(
      loose.machine({
        context: { n: 0 },
        on: { go: { actions: loose.sendTo(() => counterActor.at("acme/thing/one"), { type: "hear" }) }, hear: { actions: loose.assign({ n: 1 }) } },
      }),
      words("go", "hear"),
    ),
  );
  one.send("go");
  t.same(one.context(), { n: 1 });
  t.equal(one.entity.outbox().size, 0);
  t.end();
});

// ---- asks

const asking = setup({ types: { context: {} as { got: unknown } }, actors: { add: ask(counterActor, "add") } }).createMachine({
  context: { got: null },
  initial: "idle",
  states: {
    idle: { on: { go: "asking" } },
    asking: {
      on: { leave: "idle" },
      invoke: {
        src: "add",
        input: { to: "acme/counter/c", body: { by: 2 }, withinMs: 1_000 },
        onDone: { target: "idle", actions: assign({ got: ({ event }) => event.output }) },
        onError: { target: "idle", actions: assign({ got: ({ event }) => event.error }) },
      },
    },
  },
});
const asker = (): EntityHost => {
  const one = new EntityHost(thingType(asking, words("go", "leave")));
  one.send("go");
  return one;
};
const rowOf = (one: EntityHost): OutboxRow => one.entity.outbox().get("acme/counter/c" as Address)?.[0] as OutboxRow;

/** Carries a row from one entity to another, as the relay does. */
function carry(row: OutboxRow, sender: EntityHost): Input {
  return {
    kind: "message",
    to: row.to,
    event: row.event,
    sender: {
      kind: "entity",
      entity: sender.address,
      incarnation: sender.entity.incarnation,
      seq: row.seq,
      epoch: 1,
      oldest: 1,
      ...(row.expiresAt === undefined ? {} : { expiresAt: row.expiresAt }),
    },
    wantsReply: row.wantsReply,
    ...(row.replyKey === undefined ? {} : { replyKey: row.replyKey }),
    ...(row.answers === undefined ? {} : { answers: row.answers }),
  };
}

test("F2. an ask travels by the outbox, its answer by the other's, and survives restarts of both", (t) => {
  const one = asker();
  const two = host();
  one.restart();
  t.match(rowOf(one), { event: { type: "add", by: 2 }, wantsReply: true, expiresAt: one.now + 1_000 });
  t.same(two.take(carry(rowOf(one), one)), [{ kind: "accepted" }]);
  two.restart({ by: "bytes" });
  const answer = two.entity.outbox().get(one.address)?.[0] as OutboxRow;
  t.match(answer, { answers: rowOf(one).replyKey, event: { type: "reply", value: { n: 2 } } });
  one.restart();
  t.same(
    one.take(carry(answer, two), carry(answer, two)).map((result) => result.kind),
    ["accepted", "duplicate"],
  );
  t.same(one.context(), { got: { n: 2 } });
  t.same(one.entity.nextTimer(), { elapsed: undefined, wall: undefined }, "its deadline is gone");
  t.end();
});

test("F2. a refused, a declined and an unanswered ask each end in an error that says which", (t) => {
  const refused = asker();
  refused.take({ kind: "delivered", receiver: "acme/counter/c" as Address, seq: 1, outcome: { kind: "no-such-actor" } });
  t.same(refused.context(), { got: { kind: "no-such-actor" } });

  const declined = asker();
  declined.take({ kind: "answered", key: rowOf(declined).replyKey as string, answer: { kind: "refused", accepts: [], reason: "no debts" } });
  t.match(declined.context(), { got: { kind: "refused", reason: "no debts" } });

  const unanswered = asker();
  unanswered.advance(999);
  t.equal(unanswered.value(), "asking");
  unanswered.advance(1);
  t.match(unanswered.context(), { got: { kind: "unknown", reason: /deadline/ } });
  t.equal(rowOf(unanswered).seq, 1, "its row stays, since the line needs its number");
  t.match(unanswered.take({ kind: "answered", key: rowOf(unanswered).replyKey as string, answer: { kind: "replied", value: { n: 9 } } })[0], { kind: "dropped" });

  const left = asker();
  left.send("leave");
  t.match(left.take({ kind: "answered", key: rowOf(left).replyKey as string, answer: { kind: "replied", value: { n: 9 } } })[0], { kind: "dropped" });
  t.same(left.context(), { got: null }, "an answer for a state that was left reaches nobody");
  t.end();
});

test("F2. after a recovery an ask past its deadline is unknown", (t) => {
  const one = asker();
  one.restart();
  one.now += 5_000;
  one.recover();
  t.match(one.context(), { got: { kind: "unknown" } });
  t.end();
});

test("an ask with a bad address or deadline ends in an error at once", (t) => {
  for (const input of [
    { to: "nowhere", body: { by: 1 }, withinMs: 5 },
    { to: "acme/counter/c", body: { by: 1 }, withinMs: 0 },
    { to: "acme/counter/c", body: { by: 1 }, withinMs: Number.NaN },
    undefined,
  ]) {
    const machine = loose.machine(
      {
        context: { got: null },
        initial: "a",
        states: { a: { invoke: { src: "add", input: () => input, onError: { target: "b", actions: loose.assign({ got: ({ event }) => event.error }) } } }, b: {} },
      },
      { actors: { add: ask(counterActor, "add") as never } },
    );
    const one = new EntityHost(thingType(machine, words()));
    t.match(one.context(), { got: { kind: "invalid" } });
    t.equal(one.entity.outbox().size, 0);
    t.equal(one.effects.length, 0);
  }
  t.end();
});
