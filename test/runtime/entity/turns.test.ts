// The entity is the turn: savepoints, rollback, limits, the order of what leaves (hosting H1; rules C1, C3, C4).

import { test } from "tap";
import { assign, emit, log, setup } from "xstate";

import type { Address } from "../../../runtime/address.ts";
import { actorType, effect, entityType, messages, T } from "../../../runtime/actor/index.ts";
import { EntityHost, ROOT, thingType, words } from "../entity-host.ts";
import * as loose from "../xstate/loose.ts";

const protocol = messages({ add: { body: { by: T.Integer() } }, boom: { body: {} }, ask: { body: {} }, end: { body: {} }, loop: { body: {} } });

const counter = setup({
  types: { context: {} as { n: number }, events: {} as { type: "add"; by: number } | { type: "boom" } | { type: "ask" } | { type: "end" } | { type: "loop" } },
  actions: { beep: effect<{ n: number }>({ class: "idempotent" }) },
}).createMachine({
  context: { n: 0 },
  initial: "on",
  states: {
    on: {
      on: {
        add: {
          actions: [
            assign({ n: ({ context, event }) => context.n + event.by }),
            { type: "beep", params: ({ context }) => ({ n: context.n }) },
            emit({ type: "added" }),
            log(({ context }) => context.n, "n"),
          ],
        },
        boom: {
          actions: [
            assign({ n: 99 }),
            assign(() => {
              throw new Error("boom");
            }),
          ],
        },
        end: "off",
        loop: "left",
      },
    },
    left: { always: "right" },
    right: { always: "left" },
    off: { type: "final" },
  },
});
const type = entityType({ root: actorType({ name: "counter", version: 1, messages: protocol, behaviour: counter }), durability: "events", placement: "cloud" });

test("H1. a turn takes several inputs, each a savepoint, and commits once", (t) => {
  const host = new EntityHost(type, { twice: true });
  const results = host.take(host.message({ type: "add", by: 1 }), host.message({ type: "add", by: 2 }), host.message("boom"), host.message({ type: "add", by: 4 }));
  t.same(
    results.map((result) => result.kind),
    ["accepted", "accepted", "faulted"],
    "the fault ends the turn; what comes after it stays with the caller",
  );
  t.same(host.context(), { n: 3 }, "earlier inputs stand, the fault's left nothing");
  t.equal(host.entity.revision, 2);
  t.equal(host.last?.consumed, 3);
  t.match(host.journal().at(-1), {
    inputs: { length: 3 },
    results: [{ kind: "accepted" }, { kind: "accepted" }, { kind: "faulted", error: "boom", attempt: 1, again: true, parked: false }],
  });
  t.equal(host.acts.length, 2);
  t.same(host.differences, []);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("H6. what leaves a step: custom actions and log lines first, then the rest in its order", (t) => {
  const host = new EntityHost(type);
  host.send({ type: "add", by: 5 });
  t.same(
    host.effects.map((one) => one.kind),
    ["act", "log", "emit"],
  );
  t.match(host.acts[0], { name: "beep", params: { n: 5 }, declared: "idempotent", key: `${ROOT}#history-1.2.0`, cause: { author: "tester", messageId: "m1" } });
  t.end();
});

test("C4. while a turn is open everyone sees the committed state", (t) => {
  const host = new EntityHost(type);
  const { entity } = host;
  const before = JSON.stringify(entity.views());
  entity.turn([host.message({ type: "add", by: 7 })], { now: host.now, elapsed: 0, seed: 1 });
  t.equal(JSON.stringify(entity.views()), before);
  t.throws(() => entity.state(), /a turn .* is open/);
  t.throws(() => entity.turn([], { now: 0, elapsed: 0, seed: 0 }), /a turn .* is open/);
  entity.commit();
  t.same(entity.view(ROOT)?.context, { n: 7 });
  t.throws(() => {
    entity.commit();
  }, /no turn/);
  t.throws(() => {
    entity.rollback();
  }, /no turn/);
  t.end();
});

test("C3. a rollback restores states, timers, outcomes, effects and outbox", (t) => {
  const other = actorType({ name: "other", version: 1, messages: words("note"), behaviour: setup({}).createMachine({ on: { note: {} } }) });
  const busy = loose.machine(
    {
      initial: "idle",
      states: {
        idle: { on: { add: { target: "armed", actions: [{ type: "beep", params: { by: 1 } }] } } },
        armed: { entry: loose.sendTo(() => other.at("acme/thing/two"), { type: "note" }), after: { 100: "idle" } },
      },
    },
    { actions: { beep: effect<{ by: number }>({ class: "once" }) } },
  );
  const host = new EntityHost(thingType(busy, messages({ add: { body: { by: T.Integer() } } })));
  const before = JSON.stringify(host.entity.state());
  const input = host.message({ type: "add", by: 1 });
  const turn = host.entity.turn([input], { now: host.now, elapsed: 5, seed: 9 });
  t.equal(host.entity.nextTimer(turn).elapsed, 105, "once it is committed");
  t.equal(turn.effects.length, 2);
  t.same(host.entity.nextTimer(), { elapsed: undefined, wall: undefined }, "C4. nobody sees what is not committed");
  t.same([host.entity.timers(), host.entity.pending(), [...host.entity.outbox()]], [[], [], []]);
  host.entity.rollback();
  t.equal(JSON.stringify(host.entity.state()), before);
  t.same(host.entity.nextTimer(), { elapsed: undefined, wall: undefined });
  t.equal(host.entity.outbox().size, 0);
  t.equal(host.entity.taken("m1"), undefined);
  t.same(host.entity.pending(), []);
  t.same(host.take(input), [{ kind: "accepted" }], "the same input is taken anew");
  t.equal(host.entity.outbox().get("acme/thing/two" as Address)?.length, 1);
  t.end();
});

test("R1. a turn that left no trace leaves the stamp of the last one: what replay comes to is the state that is held", (t) => {
  const host = new EntityHost(type);
  host.send({ type: "add", by: 1 }, { id: "m1" });
  const before = JSON.stringify(host.entity.state());
  const repeated = host.entity.turn([host.message({ type: "add", by: 1 }, { id: "m1" })], { now: host.now + 5, elapsed: 5, seed: 9 });
  t.equal(repeated.record, undefined);
  host.entity.commit();
  t.equal(JSON.stringify(host.entity.state()), before);
  t.end();
});

test("an input that changes nothing commits nothing", (t) => {
  const host = new EntityHost(type);
  const { revision } = host.entity;
  host.take(
    { kind: "timer", timer: "1:x", generation: 3 },
    { kind: "performed", key: "nobody", outcome: { kind: "done" } },
    { kind: "answered", key: "nobody", answer: { kind: "deadline" } },
  );
  t.equal(host.last?.record, undefined);
  t.equal(host.entity.revision, revision);
  t.ok(host.results.slice(-3).every((result) => result.kind === "dropped"));
  t.same(host.entity.counters.unheard, { timer: 1, confirmation: 1, answer: 1 });
  t.end();
});

test("N14. more than a thousand microsteps for one event are a fault", (t) => {
  const host = new EntityHost(type);
  t.match(host.send("loop"), { kind: "faulted", error: /Infinite loop/ });
  t.equal(host.value(), "on");
  t.end();
});

test("H1. more deliveries for one input than a thousand and twenty for each cell are a fault", (t) => {
  const pong = loose.machine({ on: { ping: { actions: loose.sendParent({ type: "pong" }) } } });
  const ping = loose.machine(
    { invoke: { src: "pong", id: "p" }, on: { go: { actions: loose.sendTo("p", { type: "ping" }) }, pong: { actions: loose.sendTo("p", { type: "ping" }) } } },
    { actors: { pong } },
  );
  const host = new EntityHost(thingType(ping, words("go")));
  t.match(host.send("go"), { kind: "faulted", error: /more than 1040 deliveries/ });
  t.match(host.send("go"), { kind: "faulted", attempt: 1 }, "another message is another input");
  const busy = loose.machine({ invoke: { src: "pong", id: "p" }, on: { go: { actions: loose.sendTo("p", { type: "ping" }) }, pong: {} } }, { actors: { pong } });
  const long = new EntityHost(thingType(busy, words("go")));
  for (let at = 0; at < 1_100; at++) long.send("go");
  t.same(long.faults, [], "each input has its own count");
  t.end();
});

test("a chain of many cells is stepped without exhausting the stack", (t) => {
  const link = loose.machine({ context: ({ input }) => ({ next: input.next }), on: { go: { actions: loose.sendTo(({ context }) => context.next, { type: "go" }) } } });
  const length = 390;
  const chain = loose.machine(
    {
      context: ({ spawn, self }) => {
        const links = [self];
        for (let at = length; at > 0; at--) links.push(spawn("link", { id: `l${String(at)}`, input: { next: links.at(-1) } }));
        return { links, back: 0 };
      },
      on: {
        start: { actions: loose.sendTo(({ context }) => context.links.at(-1), { type: "go" }) },
        go: { actions: loose.assign({ back: ({ context }) => context.back + 1 }) },
      },
    },
    { actors: { link } },
  );
  const host = new EntityHost(thingType(chain, words("start")));
  t.same(host.send("start"), { kind: "accepted" });
  t.match(host.context(), { back: 1 });
  t.equal(host.entity.views().length, length + 1);
  t.end();
});

test("C1. a root that has reached its end takes no more messages and says so", (t) => {
  const host = new EntityHost(type);
  t.same(host.send("end"), { kind: "accepted" });
  t.match(host.entity.view(ROOT), { status: "done", accepts: [] });
  t.same(host.send({ type: "add", by: 1 }), { kind: "refused", accepts: [] });
  t.same(host.restart().entity.view(ROOT)?.status, "done");
  t.end();
});
