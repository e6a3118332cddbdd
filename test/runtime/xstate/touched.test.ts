// What XState touches of what a host gives it while it steps. If this list changes with a version of XState, runtime/xstate must be read again.

import { test } from "tap";
import { assign, cancel, emit, enqueueActions, fromCallback, fromPromise, fromTransition, log, raise, sendParent, sendTo, setup, spawnChild, stopChild } from "xstate";

type Bag = Record<string, unknown>;

test("H3, H4. XState touches these members of scope, self and system while it steps, and no others", (t) => {
  const seen = new Set<string>();
  const spied = (name: string, target: Bag): Bag =>
    new Proxy(target, {
      get: (bag, key): unknown => {
        if (typeof key === "string") seen.add(`${name}.${key}`);
        return Reflect.get(bag, key) as unknown;
      },
    });
  const actions: unknown[] = [];
  let ids = 0;
  const nothing = (): undefined => undefined;
  const system = spied("system", {
    _bookId: () => `c${String(ids++)}`,
    _sendInspectionEvent: nothing,
    _set: nothing,
    _unregister: nothing,
    get: nothing,
    getAll: nothing,
    _clock: {},
    _logger: nothing,
    _register: nothing,
    _relay: nothing,
    scheduler: {},
  });
  const self = spied("self", { id: "p", sessionId: "p", _parent: { id: "up" }, system, send: nothing, getSnapshot: nothing });
  const scope = spied("scope", {
    self,
    id: "p",
    sessionId: "p",
    logger: nothing,
    defer: nothing,
    system,
    stopChild: nothing,
    emit: nothing,
    actionExecutor: (action: unknown) => actions.push(action),
  });

  const kid = setup({ actors: { g: fromPromise(() => Promise.resolve(1)) } }).createMachine({
    context: { a: 1 },
    initial: "x",
    states: { x: { invoke: { src: "g", id: "g", systemId: "gg" }, after: { 5: "y" } }, y: { type: "final" } },
  });
  const finished = setup({}).createMachine({ initial: "f", states: { f: { type: "final" } } });
  const machine = setup({
    actors: { kid, finished, p: fromPromise(() => Promise.resolve(1)), cb: fromCallback(nothing), t: fromTransition((state: object) => state, {}) },
  }).createMachine({
    context: ({ spawn, self: me }) => ({ k: spawn("kid", { id: "k0", systemId: "s0", syncSnapshot: true }), f: spawn("finished", { id: "f", systemId: "sf" }), me }),
    initial: "a",
    output: 1,
    states: {
      a: {
        entry: [raise({ type: "R" }, { delay: 1, id: "r" }), emit({ type: "e" }), log("x"), spawnChild("p", { id: "pp" })],
        exit: cancel("r"),
        invoke: [
          { src: "kid", id: "k1", systemId: "s1", onSnapshot: {} },
          { src: "cb", id: "cb" },
          { src: "t", id: "t" },
        ],
        on: {
          A2: { target: "a", reenter: true },
          A: {
            actions: [
              sendTo("k1", { type: "x" }, { delay: 3 }),
              sendParent({ type: "q" }),
              assign({}),
              enqueueActions(({ enqueue }) => {
                enqueue.stopChild("pp");
                enqueue(nothing);
              }),
              stopChild("cb"),
            ],
          },
          B: "f",
        },
        always: { guard: () => false, target: "f" },
      },
      f: { type: "final" },
    },
  });
  let snapshot = machine.getInitialSnapshot(scope as never, undefined);
  snapshot = machine.transition(snapshot, { type: "A" }, scope as never);
  snapshot = machine.transition(snapshot, { type: "A2" }, scope as never);
  machine.transition(snapshot, { type: "xstate.stop" }, scope as never);
  machine.transition(machine.getInitialSnapshot(scope as never, undefined), { type: "B" }, scope as never);
  t.same([...seen].sort(), [
    "scope.actionExecutor",
    "scope.defer",
    "scope.self",
    "scope.system",
    "self._parent",
    "self.system",
    "system._bookId",
    "system._clock",
    "system._logger",
    "system._sendInspectionEvent",
    "system._set",
    "system._unregister",
  ]);
  t.ok(actions.length > 0);
  t.end();
});
