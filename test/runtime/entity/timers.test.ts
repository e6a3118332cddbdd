// Durable timers (rules K1; promise S7; named difference N4).

import { test } from "tap";
import { assign, cancel, raise, sendTo, setup } from "xstate";

import { actorType, entityType, messages, T } from "../../../runtime/actor/index.ts";
import { EntityHost, thingType, words } from "../entity-host.ts";

interface Arm {
  readonly type: "arm";
  readonly id?: string;
  readonly ms: number;
  readonly say: string;
}
const protocol = messages({ arm: { body: { id: T.Optional(T.String()), ms: T.Any(), say: T.String() } }, drop: { body: { id: T.String() } }, said: { body: { say: T.String() } } });
const machine = setup({ types: { events: {} as Arm | { type: "drop"; id: string } | { type: "said"; say: string }, context: {} as { heard: readonly string[] } } }).createMachine({
  context: { heard: [] },
  on: {
    arm: [
      { guard: ({ event }) => event.id === undefined, actions: raise(({ event }) => ({ type: "said", say: event.say }), { delay: ({ event }) => event.ms }) },
      { guard: ({ event }) => event.id === "a", actions: raise(({ event }) => ({ type: "said", say: event.say }), { id: "a", delay: ({ event }) => event.ms }) },
      { actions: raise(({ event }) => ({ type: "said", say: event.say }), { id: "b", delay: ({ event }) => event.ms }) },
    ],
    drop: { actions: cancel(({ event }) => event.id) },
    said: { actions: assign({ heard: ({ context, event }) => [...context.heard, event.say] }) },
  },
});
const type = entityType({ root: actorType({ name: "clocked", version: 1, messages: protocol, behaviour: machine }), durability: "events", placement: "vehicle" });
const arm = (ms: unknown, say: string, id?: string): { type: string } => ({ type: "arm", ms, say, ...(id === undefined ? {} : { id }) }) as { type: string };
const heard = (host: EntityHost): unknown => (host.context() as { heard: unknown }).heard;

test("S7, K1. timers survive restarts and fire once, at their time on the elapsed clock", (t) => {
  const host = new EntityHost(type);
  host.send(arm(100, "one"));
  host.send(arm(300, "two"));
  host.advance(60);
  host.restart();
  host.now += 86_400_000; // a day without power: the elapsed clock stood still
  host.advance(39);
  t.same(heard(host), []);
  host.advance(1);
  t.same(heard(host), ["one"]);
  host.restart({ by: "bytes" });
  host.advance(1_000);
  t.same(heard(host), ["one", "two"]);
  t.same(host.entity.nextTimer(), { elapsed: undefined, wall: undefined });
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("K1. a firing is consumed by the commit that removes its row", (t) => {
  const host = new EntityHost(type);
  host.send(arm(10, "one"));
  host.elapsed = 10;
  const [due] = host.entity.due({ now: host.now, elapsed: 10 });
  t.ok(due);
  if (due === undefined) return;
  const stamp = { now: host.now, elapsed: 10, seed: 1 };
  host.entity.turn([due], stamp);
  host.entity.rollback();
  t.same(host.entity.due({ now: host.now, elapsed: 10 }), [due], "taken back: it is still due");
  t.same(
    host.take(due, due).map((result) => result.kind),
    ["accepted", "dropped"],
  );
  t.same(heard(host), ["one"]);
  t.end();
});

test("K1, C3. what a turn arms is due for nobody before its commit, and what it takes back or arms anew is until then", (t) => {
  const host = new EntityHost(type);
  host.send(arm(100, "one", "a"));
  const late = { now: host.now + 500, elapsed: 500 };
  const [armed] = host.entity.due(late);
  t.ok(armed);
  if (armed === undefined) return;
  const stamp = (elapsed: number) => ({ now: host.now + elapsed, elapsed, seed: 1 });

  const first = host.entity.turn([host.message(arm(50, "two", "a")), host.message(arm(10, "three", "b"))], stamp(20));
  t.same(host.entity.nextTimer(), { elapsed: 100, wall: undefined });
  t.same(host.entity.nextTimer(first), { elapsed: 30, wall: undefined });
  t.same(host.entity.due(late), [armed], "the one that stands, under its generation");
  host.entity.rollback();
  t.same(host.entity.due(late), [armed]);

  host.entity.turn([host.message({ type: "drop", id: "a" })], stamp(20));
  t.same(host.entity.due(late), [armed]);
  host.entity.rollback();
  t.same(host.take(armed), [{ kind: "accepted" }], "a firing of a committed timer stays right, whatever was rolled back meanwhile");
  t.same(heard(host), ["one"]);
  t.end();
});

test("K1. equal deadlines fire in the order of arming, also after a restart", (t) => {
  const host = new EntityHost(type);
  for (const say of ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]) host.send(arm(50, say));
  host.restart();
  host.advance(50);
  t.same(heard(host), ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11"]);
  t.end();
});

test("K1, N4. arming an armed name replaces it; a stale firing reaches nobody", (t) => {
  const host = new EntityHost(type);
  host.send(arm(50, "old", "a"));
  host.elapsed = 50;
  const [stale] = host.entity.due({ now: host.now, elapsed: 50 });
  host.send(arm(50, "new", "a"));
  t.match(host.take(stale as never)[0], { kind: "dropped" });
  host.send(arm(10, "b", "b"));
  host.send({ type: "drop", id: "b" });
  host.advance(100);
  t.same(heard(host), ["new"]);
  t.end();
});

test("K1. a negative delay is zero, one that is no number is refused", (t) => {
  const host = new EntityHost(type);
  host.send(arm(0, "first"));
  host.send(arm(-5, "second"));
  t.same(heard(host), []);
  host.advance(0);
  t.same(heard(host), ["first", "second"], "in the order of arming");
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
    const made = setup({ delays: { BAD: () => bad } }).createMachine({ initial: "a", states: { a: { on: { go: "b" } }, b: { after: { BAD: "a" } } } });
    t.match(new EntityHost(thingType(made, words("go"))).send("go"), { kind: "faulted", error: /a delay of (NaN|Infinity) ms/ });
  }
  t.end();
});

test("K1. delays that the type lists count on the wall clock, and do not fire before it is trusted", (t) => {
  const night = setup({ types: { context: {} as { n: number } }, delays: { NIGHT: 1_000, SOON: () => 1_000, LATER: 500 } }).createMachine({
    context: { n: 0 },
    initial: "day",
    states: {
      day: { after: { NIGHT: "night", SOON: { actions: assign({ n: ({ context }) => context.n + 1 }) } }, entry: raise({ type: "tick" }, { id: "t", delay: "LATER" }) },
      night: { entry: sendTo(({ self }) => self, { type: "tick" }, { id: "u", delay: "NIGHT" }) },
    },
  });
  const wallType = entityType({
    root: actorType({ name: "night", version: 1, messages: words(), behaviour: night as never, timers: { NIGHT: "absolute" } }),
    durability: "events",
    placement: "vehicle",
  });
  const host = new EntityHost(wallType);
  t.same(host.entity.nextTimer(), { elapsed: 500, wall: host.now + 1_000 });
  t.same(host.entity.due({ now: host.now + 5_000, elapsed: 0, wallTrusted: false }), []);
  host.restart();
  t.equal(host.entity.due({ now: host.now + 5_000, elapsed: 0 }).length, 1, "however short the node has run");
  t.same(host.entity.due({ now: host.now + 5_000, elapsed: 1_000 }).length, 3);
  host.now += 1_000;
  host.take(...host.entity.due({ now: host.now, elapsed: host.elapsed }));
  t.equal(host.value(), "night");
  t.same(host.entity.nextTimer(), { elapsed: 500, wall: host.now + 1_000 }, "the exit of the day took its elapsed timer; sendTo may name a wall delay too");
  t.end();
});

test("a stopped child's timers go with it", (t) => {
  const kid = setup({}).createMachine({ after: { 100: {} } });
  const host = new EntityHost(
    thingType(setup({ actors: { kid } }).createMachine({ initial: "a", states: { a: { invoke: { src: "kid" }, on: { go: "b" } }, b: {} } }), words("go")),
  );
  t.equal(host.entity.nextTimer().elapsed, 100);
  host.send("go");
  t.equal(host.entity.nextTimer().elapsed, undefined);
  t.end();
});

test("H13. a timer whose event makes its cell fail fires again, and is parked at its third failure", (t) => {
  const bad = setup({}).createMachine({
    initial: "a",
    states: {
      a: {
        after: {
          10: {
            target: "b",
            actions: assign(() => {
              throw new Error("late boom");
            }),
          },
        },
      },
      b: {},
    },
  });
  const host = new EntityHost(thingType(bad, words()));
  host.advance(10);
  t.same(host.faults, ["late boom", "late boom", "late boom"]);
  t.equal(host.value(), "a");
  t.equal(host.entity.nextTimer().elapsed, undefined);
  t.match(host.entity.parked(), [{ reason: "late boom", input: { kind: "timer" } }]);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});
