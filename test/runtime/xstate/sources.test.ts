// Sources run outside of the turn (hosting H9; named differences N2, N3, N16).

import { test } from "tap";
import { Subject } from "rxjs";

import { EntityHost, ROOT, thingType, words } from "../entity-host.ts";
import { kindOfLogic } from "../../../runtime/xstate/index.ts";
import { hostOf } from "./differential.ts";
import { assign, fromCallback, fromEventObservable, fromObservable, fromPromise, fromTransition, machine, sendTo } from "./loose.ts";

const heard = assign({ log: ({ context, event }) => [...context.log, event.type] });
const throwing = (word: string): never => {
  throw new Error(word);
};

test("H9. what a source says during its own start waits until the start has returned", (t) => {
  const order: string[] = [];
  const cb = fromCallback(({ sendBack }) => {
    sendBack({ type: "EARLY" });
    order.push("start has returned");
  });
  const host = hostOf(machine({ context: { log: [] }, invoke: { src: "cb" }, on: { EARLY: { actions: [heard, () => order.push("heard")] } } }, { actors: { cb } }));
  t.same(order, ["start has returned", "heard"]);
  t.same(host.context(), { log: ["EARLY"] });
  t.end();
});

test("H9. what was sent to a source before its stop in the same turn is handed over first", (t) => {
  const order: unknown[] = [];
  const socket = fromCallback(({ receive }) => {
    receive((event: { type: string }) => order.push(event.type));
    return () => order.push("closed");
  });
  const host = hostOf(
    machine(
      { initial: "on", states: { on: { invoke: { src: "socket", id: "socket" }, exit: sendTo("socket", { type: "BYE" }), on: { OUT: "off" } }, off: {} } },
      { actors: { socket } },
    ),
  );
  host.send("OUT");
  t.same(order, ["BYE", "closed"]);
  t.end();
});

test("H9. a throw in start, receive or subscribe is the source's failure, never its sender's", (t) => {
  const sources: Readonly<Record<string, unknown>> = {
    promise: fromPromise(() => throwing("start")),
    callback: fromCallback(() => throwing("start")),
    observable: fromObservable(() => throwing("start")),
    subscribe: fromObservable(() => ({ subscribe: () => throwing("start") })),
    "event observable": fromEventObservable(() => throwing("start")),
  };
  for (const [name, src] of Object.entries(sources)) {
    const host = hostOf(
      machine(
        { context: { e: "" }, initial: "w", states: { w: { invoke: { src: "s", onError: { target: "f", actions: assign({ e: ({ event }) => event.error.message }) } } }, f: {} } },
        { actors: { s: src as never } },
      ),
    );
    if (name === "promise") t.equal(host.value(), "f", name);
    t.same(host.context(), { e: "start" }, name);
    t.same(host.faults, [], name);
  }
  const receiving = hostOf(
    machine(
      {
        context: { e: "", sent: 0 },
        initial: "w",
        states: {
          w: {
            invoke: { src: "s", id: "s", onError: { target: "f", actions: assign({ e: ({ event }) => event.error.message }) } },
            on: { GO: { actions: [sendTo("s", { type: "X" }), assign({ sent: 1 })] } },
          },
          f: {},
        },
      },
      { actors: { s: fromCallback(({ receive }) => receive(() => throwing("receive"))) } },
    ),
  );
  t.same(receiving.send("GO"), { kind: "accepted" });
  t.same(receiving.context(), { e: "receive", sent: 1 });
  t.end();
});

test("N16. a cleanup that throws is recorded and touches nobody", (t) => {
  const host = hostOf(
    machine(
      { initial: "w", states: { w: { invoke: [{ src: "s" }, { src: "s2" }], on: { OUT: "o" } }, o: {} } },
      { actors: { s: fromCallback(() => () => throwing("cleanup")), s2: fromCallback(() => () => undefined) } },
    ),
  );
  t.same(host.send("OUT"), { kind: "accepted" });
  t.equal(host.value(), "o");
  t.match(host.stopFailures, [{ message: "cleanup" }]);
  t.same(host.faults, []);
  t.end();
});

test("N3. a source starts again after a recovery with the same input and key, once", (t) => {
  const started: unknown[] = [];
  const type = thingType(
    machine(
      { initial: "w", states: { w: { invoke: { src: "s", input: () => ({ n: 7, never: Number.POSITIVE_INFINITY }) }, on: { OUT: "o" } }, o: {} } },
      {
        actors: {
          s: fromCallback(({ input }) => {
            started.push(input);
          }),
        },
      },
    ),
    words("OUT"),
  );
  const host = new EntityHost(type);
  const key = host.effects.find((effect) => effect.kind === "source.start")?.key;
  host.restart();
  host.recover();
  t.same(started, [
    { n: 7, never: Number.POSITIVE_INFINITY },
    { n: 7, never: Number.POSITIVE_INFINITY },
  ]);
  t.equal(host.effects.findLast((effect) => effect.kind === "source.start")?.key, key);
  host.send("OUT");
  host.restart();
  host.recover();
  t.equal(started.length, 2);
  t.end();
});

test("H9. a source that fails at every start after a recovery does not break the recovery", (t) => {
  let broken = false;
  const type = thingType(
    machine(
      { context: { e: 0 }, initial: "w", states: { w: { invoke: { src: "s", onError: { target: "o", actions: assign({ e: ({ context }) => context.e + 1 }) } } }, o: {} } },
      {
        actors: {
          s: fromCallback(() => {
            if (broken) throwing("again");
          }),
        },
      },
    ),
    words(),
  );
  const host = new EntityHost(type);
  broken = true;
  host.restart();
  host.recover();
  t.equal(host.value(), "o");
  t.end();
});

test("H10. a source cannot forge what the host says, and what is no event is dropped", (t) => {
  let say: (event: unknown) => void = () => undefined;
  const host = hostOf(
    machine(
      { context: { log: [] }, initial: "w", states: { w: { invoke: { src: "cb", id: "cb", onDone: "d" } }, d: {} }, on: { "*": { actions: heard } } },
      {
        actors: {
          cb: fromCallback(({ sendBack }) => {
            say = sendBack;
          }),
        },
      },
    ),
  );
  for (const event of [{ type: "xstate.done.actor.cb" }, { type: "xstate.stop" }, undefined, null, "HI", { type: 3 }, {}]) say(event);
  say({ type: "OK" });
  host.pump();
  t.same(host.context(), { log: ["OK"] });
  t.equal(host.value(), "w");
  t.same(host.entity.counters.unheard, { source: 7 });
  t.end();
});

test("observables: each value is a snapshot, completion is the end, an error is an error", (t) => {
  const values = new Subject<number>();
  const events = new Subject<{ type: string }>();
  const host = hostOf(
    machine(
      {
        context: { log: [], last: null },
        initial: "w",
        states: {
          w: {
            invoke: [
              { src: "o", id: "o", onSnapshot: { actions: assign({ last: ({ event }) => event.snapshot.context }) }, onDone: "d" },
              { src: "e", id: "e", onError: { actions: assign({ last: ({ event }) => event.error.message }) } },
            ],
          },
          d: {},
        },
        on: { "A.*": { actions: heard } },
      },
      { actors: { o: fromObservable(() => values), e: fromEventObservable(() => events) } },
    ),
  );
  values.next(1);
  events.next({ type: "A.b" });
  host.pump();
  t.same(host.context(), { log: ["A.b"], last: 1 });
  events.error(new Error("torn"));
  host.pump();
  t.match(host.context(), { last: "torn" });
  values.complete();
  host.pump();
  t.equal(host.value(), "d");
  t.equal(values.observed || events.observed, false);
  t.end();
});

test("leaving unsubscribes, aborts and disposes; nothing is heard afterwards", async (t) => {
  const values = new Subject<number>();
  let aborted = false;
  const host = hostOf(
    machine(
      {
        context: { n: 0 },
        initial: "w",
        states: { w: { invoke: [{ src: "o", onSnapshot: { actions: assign({ n: ({ context }) => context.n + 1 }) } }, { src: "p" }], on: { OUT: "out" } }, out: {} },
      },
      {
        actors: {
          o: fromObservable(() => values),
          p: fromPromise(
            ({ signal }) =>
              new Promise((_, reject) => {
                signal.addEventListener("abort", () => {
                  aborted = true;
                  reject(new Error("aborted"));
                });
              }),
          ),
        },
      },
    ),
  );
  host.send("OUT");
  t.equal(values.observed, false);
  t.equal(aborted, true);
  await host.tick(2);
  t.same(host.faults, []);
  t.equal(host.sources.size, 0);
  t.end();
});

test("a source that failed is stopped too: what it opened is closed", (t) => {
  let closed = 0;
  let fail: (event: unknown) => void = () => undefined;
  const host = hostOf(
    machine(
      { initial: "w", states: { w: { invoke: { src: "s", id: "s", onError: "f" }, on: { GO: { actions: sendTo("s", { type: "X" }) } } }, f: {} } },
      {
        actors: {
          s: fromCallback(({ receive }) => {
            receive(() => fail(1));
            return () => {
              closed++;
            };
          }),
        },
      },
    ),
  );
  fail = () => throwing("x");
  host.send("GO");
  t.equal(host.value(), "f");
  t.equal(closed, 1);
  t.end();
});

test("transition logic is pure: it is stepped within the turn, and its state survives", (t) => {
  const type = thingType(
    machine(
      {
        context: { seen: 0 },
        invoke: { src: "t", id: "t", input: 10, onSnapshot: { actions: assign({ seen: ({ event }) => event.snapshot.context.n }) } },
        on: { GO: { actions: sendTo("t", { type: "ADD" }) } },
      },
      {
        actors: {
          t: fromTransition(
            (state, event) => (event.type === "ADD" ? { n: state.n + 1 } : state),
            ({ input }) => ({ n: input }),
          ),
        },
      },
    ),
    words("GO"),
  );
  const host = new EntityHost(type);
  host.send("GO");
  host.restart();
  host.recover();
  host.send("GO");
  t.same(host.context(), { seen: 12 });
  t.match(host.entity.view(`${ROOT}/~/t` as typeof ROOT), { context: { n: 12 } });
  t.end();
});

test("kinds of logic are told apart", (t) => {
  t.equal(kindOfLogic(machine({})), "machine");
  t.equal(kindOfLogic(fromPromise(() => undefined)), "promise");
  t.equal(kindOfLogic(fromCallback(() => undefined)), "callback");
  t.equal(kindOfLogic(fromObservable(() => undefined)), "observable");
  t.equal(kindOfLogic(fromEventObservable(() => undefined)), "event-observable");
  t.equal(kindOfLogic(fromTransition(() => undefined, 0)), "transition");
  t.equal(kindOfLogic({ ...(fromPromise(() => undefined) as object), start: () => undefined }), "hand-written");
  t.equal(kindOfLogic({}), undefined);
  t.equal(kindOfLogic(undefined), undefined);
  t.end();
});

test("N1. self.send from outside of a step becomes an input; one for an incarnation that has gone is not taken", (t) => {
  let kept: { send(event: object): void } = { send: () => undefined };
  const host = hostOf(
    machine(
      {
        context: { n: 0 },
        initial: "w",
        states: { w: { invoke: { src: "kid", id: "k" }, on: { OUT: "o" } }, o: {} },
        on: {
          HI: { actions: assign({ n: ({ context }) => context.n + 1 }) },
          TELL: {
            actions: ({ self }) => {
              kept = self.getSnapshot().children.k;
              self.send({ type: "HI" });
            },
          },
        },
      },
      { actors: { kid: machine({ context: { n: 0 }, on: { UP: { actions: assign({ n: 1 }) } } }) } },
    ),
  );
  host.send("TELL");
  t.same(host.context(), { n: 1 });
  kept.send({ type: "UP" });
  host.pump();
  t.match(host.entity.view(`${ROOT}/~/k` as typeof ROOT), { context: { n: 1 } });
  host.send("OUT");
  kept.send({ type: "UP" });
  host.pump();
  t.same(host.results.at(-1), { kind: "no-such-actor" });
  t.end();
});
