// Children of a machine: who they are, when they start and stop, what refs of them do (hosting H3 to H6, H12).

import { test } from "tap";
import { createActor } from "xstate";

import type { Address } from "../../../runtime/address.ts";
import { CellRef, foreignRef, ForeignRef } from "../../../runtime/xstate/index.ts";
import { EntityHost, ROOT, thingType, words } from "../entity-host.ts";
import { hostOf, rootOf } from "./differential.ts";
import { assign, enqueueActions, fromCallback, fromPromise, machine, sendParent, sendTo, spawnChild, stopChild } from "./loose.ts";

const at = (id: string): Address => `${ROOT}/~/${id}` as Address;
const quiet = machine({});
const said: string[] = [];
const kid = machine({
  context: ({ input }) => ({ n: input?.n ?? 0, peer: input?.peer ?? null }),
  on: {
    ADD: { actions: assign({ n: ({ context }) => context.n + 1 }) },
    TELL: { actions: sendParent(({ context, self }) => ({ type: "SAYS", n: context.n, from: self })) },
    PEER: { actions: sendTo(({ context }) => context.peer, { type: "ADD" }) },
    BOOM: {
      actions: assign(() => {
        throw new Error("kid boom");
      }),
    },
  },
});

test("H5. a child is its incarnation: a ref of a replaced one reaches nobody, and is counted", (t) => {
  const host = hostOf(
    machine(
      {
        context: { old: null, heard: 0 },
        initial: "a",
        states: {
          a: {
            invoke: { src: "kid", id: "k" },
            on: { AGAIN: { target: "a", reenter: true } },
          },
        },
        on: {
          KEEP: { actions: assign({ old: ({ self }) => self.getSnapshot().children.k }) },
          OLD: { actions: sendTo(({ context }) => context.old, { type: "ADD" }) },
          NEW: { actions: sendTo("k", { type: "ADD" }) },
        },
      },
      { actors: { kid } },
    ),
  );
  host.send("KEEP");
  host.send("OLD");
  t.match(host.context(at("k")), { n: 1 });
  host.send("AGAIN");
  t.match(host.context(at("k")), { n: 0 });
  host.send("OLD");
  t.match(host.context(at("k")), { n: 0 }, "the new one of that id is not meant");
  t.same(host.entity.counters.unheard, { event: 1 });
  host.restart();
  host.send("OLD");
  host.send("NEW");
  t.match(host.context(at("k")), { n: 1 });
  t.same(host.entity.counters.unheard, { event: 1 }, "also after a restart");
  t.end();
});

test("H5. a late word of a replaced source, and a delayed send to a replaced child, reach nobody", async (t) => {
  const settle: ((value: string) => void)[] = [];
  const host = hostOf(
    machine(
      {
        context: { got: [] },
        initial: "a",
        states: {
          a: {
            invoke: [
              { src: "p", id: "p", onDone: { actions: assign({ got: ({ context, event }) => [...context.got, event.output] }) } },
              { src: "kid", id: "k" },
            ],
            on: { AGAIN: { target: "a", reenter: true }, LATER: { actions: sendTo("k", { type: "ADD" }, { delay: 10, id: "later" }) } },
          },
        },
      },
      { actors: { kid, p: fromPromise(() => new Promise<string>((resolve) => settle.push(resolve))) } },
    ),
  );
  host.send("LATER");
  host.send("AGAIN");
  host.send("LATER");
  host.advance(10);
  t.match(host.context(at("k")), { n: 1 }, "the timer was replaced with its name");
  settle[0]?.("old");
  await host.tick(2);
  t.same(host.context(), { got: [] });
  settle[1]?.("new");
  await host.tick(2);
  t.same(host.context(), { got: ["new"] });
  t.end();
});

test("H4. refs are swapped in everywhere: children, context, input, params, raised and sent events, output; siblings hold the same", (t) => {
  const params: unknown[] = [];
  const host = hostOf(
    machine(
      {
        context: ({ spawn }) => {
          const a = spawn("kid", { id: "a" });
          return { a, nested: { list: [a] }, b: spawn("kid", { id: "b", input: { peer: a } }), raised: null };
        },
        entry: [
          ({ context }) => params.push(context.a),
          { type: "tell", params: ({ context }) => ({ who: context.b }) },
          enqueueActions(({ enqueue, context }) => enqueue.raise({ type: "HERE", who: context.a })),
        ],
        on: { HERE: { actions: assign({ raised: ({ event }) => event.who }) }, GO: { actions: sendTo("b", { type: "PEER" }) }, END: ".end" },
        initial: "on",
        states: { on: {}, end: { type: "final" } },
        output: ({ context }) => ({ a: context.a }),
      },
      { actors: { kid }, actions: { tell: (_, given) => params.push(given.who) } },
    ),
  );
  host.send("GO");
  t.match(host.context(at("a")), { n: 1 }, "b reached a through its input");
  const { context, children } = rootOf(host) as unknown as { context: { a: object; b: object; nested: { list: object[] }; raised: object }; children: Record<string, object> };
  for (const ref of [context.a, context.nested.list[0], context.raised, children["a"], params[0]]) t.equal(ref, context.a);
  t.ok(CellRef.is(context.a));
  t.equal(params[1], context.b);
  host.send("END");
  t.equal((rootOf(host) as unknown as { output: { a: object } }).output.a, context.a);
  t.end();
});

/** What an author may hold a ref in, and how he takes it out again. */
class Registry {
  readonly list: readonly unknown[];
  constructor(list: readonly unknown[]) {
    this.list = list;
  }
}
const circle = (held: unknown): { own?: unknown; held: unknown } => {
  const made: { own?: unknown; held: unknown } = { held };
  made.own = made;
  return made;
};
const HOLDERS: readonly (readonly [name: string, put: (ref: unknown) => unknown, take: (holder: never) => unknown])[] = [
  ["a Map", (ref) => new Map([["k", ref]]), (holder: ReadonlyMap<string, unknown>) => holder.get("k")],
  ["a Set", (ref) => new Set([ref]), (holder: ReadonlySet<unknown>) => [...holder][0]],
  ["an instance of a class", (ref) => new Registry([ref]), (holder: Registry) => holder.list[0]],
  ["a circle", circle, (holder: ReturnType<typeof circle>) => (holder.own as typeof holder).held],
];

test("H4. a volatile actor may hold refs of its children in whatever it likes", (t) => {
  for (const [name, put, take] of HOLDERS) {
    const host = hostOf(
      machine(
        {
          context: { holder: null, heard: 0, seen: null },
          on: {
            SPAWN: { actions: assign({ holder: ({ spawn }) => put(spawn("kid", { id: "k", input: { n: 5 } })) }) },
            PASS: { actions: sendTo(({ context }) => take(context.holder as never), { type: "TELL" }) },
            LOOK: {
              actions: assign({
                seen: ({ context }) => {
                  const ref = take(context.holder as never) as CellRef;
                  return [CellRef.is(ref), (ref.getSnapshot() as { readonly context: unknown }).context];
                },
              }),
            },
            SAYS: { actions: assign({ heard: ({ event }) => event.n }) },
            STOP: { actions: stopChild(({ context }) => take(context.holder as never)) },
          },
        },
        { actors: { kid } },
      ),
    );
    for (const type of ["SPAWN", "PASS", "LOOK"]) t.equal(host.send(type).kind, "accepted", `${name}: ${type}`);
    t.match(host.context(), { heard: 5, seen: [true, { n: 5 }] }, name);
    host.send("STOP");
    t.equal(host.entity.view(at("k")), undefined, `${name}: the child is stopped by it`);
  }
  t.end();
});

test("H4. what has no end may be the input of a child", (t) => {
  const host = hostOf(
    machine(
      {
        context: { depth: 0 },
        invoke: { src: "deep", id: "k", input: () => circle(1) },
        on: { SAYS: { actions: assign({ depth: ({ event }) => event.n }) }, PASS: { actions: sendTo("k", { type: "TELL" }) } },
      },
      {
        actors: {
          deep: machine({ context: ({ input }) => ({ n: input.own.own.held }), on: { TELL: { actions: sendParent(({ context }) => ({ type: "SAYS", n: context.n })) } } }),
        },
      },
    ),
  );
  host.send("PASS");
  t.match(host.context(), { depth: 1 });
  t.end();
});

test("N15. spawning an id whose holder lives is a fault; a finished holder may be replaced", (t) => {
  const spawn = (): EntityHost =>
    hostOf(
      machine(
        {
          context: { k: null },
          on: {
            NEW: { actions: assign({ k: ({ spawn: make }) => make("kid", { id: "k" }) }) },
            CHILD: { actions: spawnChild("kid", { id: "k" }) },
            BOTH: { actions: [spawnChild("kid", { id: "x" }), spawnChild("kid", { id: "x" })] },
            SWAP: { actions: [stopChild("k"), spawnChild("kid", { id: "k" })] },
          },
        },
        { actors: { kid } },
      ),
    );
  const host = spawn();
  t.same(host.send("NEW"), { kind: "accepted" });
  t.match(host.send("NEW"), { kind: "faulted", error: /child with id 'k' still lives/ });
  t.match(host.send("CHILD"), { kind: "faulted" });
  t.match(host.send("BOTH"), { kind: "faulted", error: /'x' still lives/ });
  t.same(host.send("SWAP"), { kind: "accepted" });
  t.equal(host.entity.views().length, 2);
  const finished = hostOf(
    machine(
      { context: {}, on: { NEW: { actions: spawnChild("done", { id: "k" }) }, "xstate.done.actor.*": {} } },
      { actors: { done: machine({ initial: "f", states: { f: { type: "final" } } }) } },
    ),
  );
  t.same(finished.send("NEW"), { kind: "accepted" });
  t.same(finished.send("NEW"), { kind: "accepted" });
  t.end();
});

test("H5. stopping a ref of someone else faults the caller", (t) => {
  const stopper = machine({ context: ({ input }) => ({ other: input.other }), on: { STOP: { actions: stopChild(({ context }) => context.other) } } });
  const host = hostOf(
    machine(
      { context: ({ spawn }) => ({ s: spawn("stopper", { id: "s", input: { other: spawn("kid", { id: "k" }) } }) }), on: { GO: { actions: sendTo("s", { type: "STOP" }) } } },
      { actors: { kid, stopper } },
    ),
  );
  t.match(host.send("GO"), { kind: "faulted", error: /Cannot stop child actor k of s because it is not a child/ });
  t.equal(host.entity.view(at("k"))?.status, "active");
  t.end();
});

/** What an event, or its context, may bring along. */
const NO_CHILDREN: readonly (readonly [name: string, ref: (args: { readonly event: unknown; readonly self: unknown }) => unknown, told: RegExp])[] = [
  ["who asked from outside", ({ event }) => (event as { readonly replyTo: unknown }).replyTo, /Cannot stop child actor outside-reply of thing because/],
  ["an actor of another entity", () => foreignRef("t/thing/y"), /Cannot stop child actor t\/thing\/y of thing because it is not a child/],
  ["one whose address is the id of a child", () => foreignRef("k"), /Cannot stop child actor k of thing because it is not a child/],
  ["itself", ({ self }) => self, /Cannot stop child actor thing of thing because it is not a child/],
  ["an object with the id of a child", () => ({ id: "k" }), /Cannot stop child actor k of thing because it is not a child/],
  ["an object", () => ({}), /Cannot stop child actor \(a object that is no ref\)/],
  ["a number", () => 7, /Cannot stop child actor \(a number that is no ref\)/],
];
const stopping = (ref: (args: never) => unknown) => ({ id: "root", context: {}, invoke: { src: "kid", id: "k" }, on: { STOP: { actions: stopChild(ref as never) } } });

test("H5. stopping whoever is no child faults the caller, as in bare XState, and its own child stays", (t) => {
  for (const [name, ref, told] of NO_CHILDREN) {
    const host = hostOf(machine(stopping(ref), { actors: { kid } }));
    t.match(host.send({ type: "STOP", replyTo: new ForeignRef({ kind: "outside-reply", id: "m1" }) }), { kind: "faulted", error: told }, name);
    t.strictSame(Object.keys((rootOf(host) as unknown as { children: object }).children), ["k"], name);
    t.equal(host.entity.view(at("k"))?.status, "active", name);
    const bare = createActor(machine(stopping(ref), { actors: { kid } }));
    const errors: unknown[] = [];
    bare.subscribe({ error: (error) => errors.push(error) });
    bare.start();
    bare.send({ type: "STOP", replyTo: createActor(kid) });
    t.equal(errors.length, 1, `${name}: bare XState`);
  }
  t.end();
});

test("stopping nobody is nothing, as in bare XState", (t) => {
  for (const ref of [undefined, null, 0, "", "nobody"]) {
    const host = hostOf(
      machine(
        stopping(() => ref),
        { actors: { kid } },
      ),
    );
    t.same(host.send("STOP"), { kind: "accepted" });
    const bare = createActor(
      machine(
        stopping(() => ref),
        { actors: { kid } },
      ),
    ).start();
    bare.send({ type: "STOP" });
    t.equal(bare.getSnapshot().status, "active");
  }
  t.end();
});

test("H5, N20. stopping by a ref of a replaced child stops nobody, and its successor stays listed", (t) => {
  const replacing = () =>
    machine(
      {
        context: { old: null },
        initial: "a",
        states: { a: { invoke: { src: "kid", id: "k" }, on: { AGAIN: { target: "a", reenter: true } } } },
        on: {
          KEEP: { actions: assign({ old: ({ self }) => self.getSnapshot().children.k }) },
          OLD: { actions: stopChild(({ context }) => context.old) },
          ALSO: { actions: [stopChild("k"), spawnChild("kid", { id: "k" }), stopChild(({ context }) => context.old)] },
          NEW: { actions: sendTo("k", { type: "ADD" }) },
          BOTH: { actions: [stopChild(({ context }) => context.old), stopChild("k")] },
          ASKED: {
            actions: enqueueActions(({ enqueue, context }) => {
              enqueue.stopChild(context.old);
              enqueue.stopChild("k");
            }),
          },
        },
      },
      { actors: { kid } },
    );
  const listed = (host: EntityHost): string[] => Object.keys((rootOf(host) as unknown as { children: object }).children);
  const host = hostOf(replacing());
  for (const type of ["KEEP", "AGAIN", "OLD", "NEW"]) t.same(host.send(type), { kind: "accepted" }, type);
  t.strictSame([listed(host), host.context(at("k"))], [["k"], { n: 1, peer: null }]);
  host.restart();
  for (const type of ["OLD", "ALSO", "NEW"]) t.same(host.send(type), { kind: "accepted" }, type);
  t.strictSame([listed(host), host.context(at("k"))], [["k"], { n: 1, peer: null }]);
  for (const type of ["BOTH", "ASKED"]) {
    const both = hostOf(replacing());
    for (const each of ["KEEP", "AGAIN", type]) t.same(both.send(each), { kind: "accepted" }, each);
    t.strictSame([listed(both), both.entity.views().length], [[], 1], "who is stopped by the id behind it is the successor");
    both.send("AGAIN");
    t.strictSame([listed(both), both.context(at("k"))], [["k"], { n: 0, peer: null }]);
  }
  const bare = createActor(replacing()).start();
  for (const type of ["KEEP", "AGAIN"]) bare.send({ type });
  const successor = (bare.getSnapshot() as unknown as { children: Record<string, { getSnapshot(): { status: string } }> }).children["k"];
  bare.send({ type: "OLD" });
  t.strictSame([Object.keys(bare.getSnapshot().children), successor?.getSnapshot().status], [[], "active"], "bare XState loses it: it runs on, and nobody can stop it");
  t.end();
});

test("N10. a child that is made and stopped before it was to start never starts", (t) => {
  const started: string[] = [];
  const loud = machine({ entry: () => started.push("loud") });
  const source = fromCallback(() => started.push("source"));
  const host = hostOf(
    machine({ initial: "i", states: { i: { on: { GO: "w" } }, w: { invoke: [{ src: "loud" }, { src: "source" }], always: "o" }, o: {} } }, { actors: { loud, source } }),
  );
  host.send("GO");
  t.same(started, []);
  t.same(
    host.effects.filter((effect) => effect.kind.startsWith("source")),
    [],
  );
  t.equal(host.entity.views().length, 1);
  t.end();
});

test("H5. a source that is started and stopped in one turn never starts, and what was sent to it is gone", (t) => {
  const host = new EntityHost(
    thingType(
      machine(
        { initial: "i", states: { i: { on: { GO: "w" } }, w: { invoke: { src: "cb", id: "cb" }, on: { HI: { actions: sendTo("cb", { type: "X" }) }, OUT: "i" } } } },
        { actors: { cb: fromCallback(() => said.push("no")) } },
      ),
      words("GO", "HI", "OUT"),
    ),
  );
  host.take(host.message("GO"), host.message("HI"), host.message("OUT"));
  t.same(host.effects, []);
  t.equal(host.value(), "i");
  t.end();
});

test("N7. a throwing parent's children and their timers are stopped", (t) => {
  const stopped: string[] = [];
  const mid = machine(
    {
      invoke: [
        { src: "kid", id: "k" },
        { src: "cb", id: "c" },
      ],
      on: {
        BOOM: {
          actions: assign(() => {
            throw new Error("mid");
          }),
        },
      },
    },
    { actors: { kid: machine({ after: { 1000: {} } }), cb: fromCallback(() => () => stopped.push("c")) } },
  );
  const host = hostOf(
    machine(
      { initial: "w", states: { w: { invoke: { src: "mid", id: "m", onError: "caught" }, on: { GO: { actions: sendTo("m", { type: "BOOM" }) } } }, caught: {} } },
      { actors: { mid } },
    ),
  );
  t.equal(host.entity.nextTimer().elapsed, 1000);
  host.send("GO");
  t.equal(host.value(), "caught");
  t.same(stopped, ["c"]);
  t.equal(host.entity.nextTimer().elapsed, undefined);
  t.equal(host.entity.views().length, 1);
  t.same(host.faults, [], "an error that a parent handles is no fault");
  t.end();
});

test("H12. a child fails once: its parent hears it, and what it did not handle fails with it, up to the supervisor", (t) => {
  const handled = hostOf(
    machine(
      {
        context: { e: "" },
        initial: "w",
        states: {
          w: { invoke: { src: "kid", id: "k", onError: { actions: assign({ e: ({ event }) => event.error.message }) } }, on: { B: { actions: sendTo("k", { type: "BOOM" }) } } },
        },
      },
      { actors: { kid } },
    ),
  );
  handled.send("B");
  t.same(handled.context(), { e: "kid boom" });
  t.match(handled.entity.view(at("k")), { status: "error", error: "kid boom" }, "it stays listed as failed, and is not restarted");
  handled.restart();
  t.match(handled.entity.view(at("k")), { status: "error", error: "kid boom" });
  const unhandled = hostOf(
    machine({ initial: "w", states: { w: { invoke: { src: "kid", id: "k" }, on: { B: { actions: sendTo("k", { type: "BOOM" }) } } } } }, { actors: { kid } }),
  );
  t.match(unhandled.send("B"), { kind: "faulted", error: "kid boom" });
  t.match(unhandled.entity.view(at("k")), { status: "active" }, "all that the input did was taken back (N13)");
  t.end();
});

test("H3, N11. system ids: taken ones throw, stopping frees them with those below at once, a failed step gives none", (t) => {
  const mid = machine({ invoke: { src: "kid", id: "k", systemId: "inner" } }, { actors: { kid } });
  const host = hostOf(
    machine(
      {
        context: { got: null },
        initial: "a",
        states: { a: { invoke: { src: "mid", id: "m", systemId: "outer" }, on: { AGAIN: { target: "a", reenter: true }, OUT: "b" } }, b: {} },
        on: {
          TAKEN: { actions: spawnChild("kid", { id: "x", systemId: "outer" }) },
          FAIL: {
            actions: [
              spawnChild("kid", { id: "y", systemId: "fresh" }),
              assign(() => {
                throw new Error("after");
              }),
            ],
          },
          FRESH: { actions: spawnChild("kid", { id: "y", systemId: "fresh" }) },
          LOOK: { actions: assign({ got: ({ system }) => Object.keys(system.getAll()).sort() }) },
          INNER: { actions: sendTo(({ system }) => system.get("inner"), { type: "ADD" }) },
        },
      },
      { actors: { kid, mid } },
    ),
  );
  const ids = (): unknown => {
    host.send("LOOK");
    return (host.context() as { got: unknown }).got;
  };
  t.same(ids(), ["inner", "outer"]);
  t.same(host.send("AGAIN"), { kind: "accepted" }, "stopped and made again under one id in one step");
  host.restart();
  t.same(ids(), ["inner", "outer"]);
  host.send("INNER");
  t.match(host.context(`${at("m")}/~/k` as Address), { n: 1 });
  t.match(host.send("TAKEN"), { kind: "faulted", error: /system ID 'outer' already exists/ });
  t.match(host.send("FAIL"), { kind: "faulted", error: "after" });
  t.same(ids(), ["inner", "outer"], "N11: the id of a failed step is free");
  t.same(host.send("FRESH"), { kind: "accepted" });
  t.same(ids(), ["fresh", "inner", "outer"]);
  host.send("OUT");
  t.same(ids(), ["fresh"]);
  t.end();
});

test("N5. automatic ids come from the cell, the same in every run and after a restart", (t) => {
  const make = (): EntityHost =>
    hostOf(
      machine(
        { context: ({ spawn }) => ({ list: [spawn("kid")] }), on: { NEW: { actions: assign({ list: ({ context, spawn }) => [...context.list, spawn("kid")] }) } } },
        { actors: { kid } },
      ),
    );
  const ids = (host: EntityHost): readonly string[] =>
    host.entity
      .views()
      .filter((view) => view.role === "inner")
      .map((view) => view.address);
  const one = make();
  one.send("NEW");
  one.restart();
  one.send("NEW");
  const two = make();
  two.send("NEW");
  two.send("NEW");
  t.same(ids(one), [at("0.thing"), at("1.thing"), at("2.thing")]);
  t.same(ids(two), ids(one));
  t.end();
});

test("N6. reading a ref of another entity, or sending through any ref, is a fault while stepping", (t) => {
  const other = hostOf(quiet);
  const foreign = (other.entity as unknown as { interior: { root: { ref: CellRef } } }).interior.root.ref;
  const host = hostOf(
    machine({
      context: { s: "" },
      on: {
        READ: { actions: assign({ s: () => (foreign.getSnapshot() as { status: string }).status }) },
        SEND: {
          actions: assign({
            s: ({ self }) => {
              self.send({ type: "X" });
              return "";
            },
          }),
        },
        OWN: { actions: assign({ s: ({ self }) => self.getSnapshot().status }) },
      },
    }),
  );
  t.match(host.send("READ"), { kind: "faulted", error: /was read from another entity/ });
  t.match(host.send("SEND"), { kind: "faulted", error: /use the sendTo action/ });
  t.same(host.send("OWN"), { kind: "accepted" });
  t.same(host.context(), { s: "active" });
  t.end();
});

test("N12. nothing from outside forges what a child says", (t) => {
  const host = hostOf(machine({ initial: "w", states: { w: { invoke: { src: "kid", id: "k", onDone: "d" } }, d: {} } }, { actors: { kid } }));
  t.match(host.send({ type: "xstate.done.actor.k", output: 1 }), { kind: "invalid" });
  t.equal(host.value(), "w");
  t.end();
});

test("H8. ids that an address does not allow are escaped, and told apart", (t) => {
  const ids = ["a/b", "a~2Fb", "", "..", "übung", "a b", "x".repeat(40)];
  const host = hostOf(
    machine(
      {
        context: ({ spawn }) => ({ list: ids.map((id) => spawn("kid", { id })) }),
        on: {
          GO: {
            actions: enqueueActions(({ enqueue }) => {
              for (const id of ids) enqueue.sendTo(id, { type: "ADD" });
            }),
          },
        },
      },
      { actors: { kid } },
    ),
  );
  host.send("GO");
  host.restart();
  const inner = host.entity.views().filter((view) => view.role === "inner");
  t.equal(new Set(inner.map((view) => view.address)).size, ids.length);
  t.ok(inner.every((view) => (view.context as { n: number }).n === 1));
  t.match(inner.map((view) => view.address).join(" "), /~\/a~2Fb /);
  t.end();
});

test("H6. a start that ends in error performs and starts nothing", (t) => {
  const done: string[] = [];
  const bad = machine(
    {
      context: { n: 0 },
      entry: [
        () => done.push("entry"),
        spawnChild("kid", { id: "k" }),
        assign(() => {
          throw new Error("start");
        }),
      ],
    },
    { actors: { kid: machine({ entry: () => done.push("kid") }) } },
  );
  const host = hostOf(machine({ initial: "w", states: { w: { invoke: { src: "bad", id: "b", onError: "caught" } }, caught: {} } }, { actors: { bad } }));
  t.equal(host.value(), "caught");
  t.same(done, []);
  const failing = hostOf(bad);
  t.same(failing.entity.views(), []);
  t.match(failing.faults, ["start"]);
  t.end();
});

test("H6. what reaches a child before it has started waits until it has", (t) => {
  const order: string[] = [];
  const early = machine({ context: ({ input }) => ({ to: input.to }), entry: sendTo(({ context }) => context.to, { type: "HI" }) });
  const late = machine({ entry: () => order.push("late has started"), on: { HI: { actions: () => order.push("late hears") } } });
  // Made after the other, and started before it, since its id looks like a smaller integer.
  const context = ({ spawn }: { spawn: (src: string, options: object) => object }): object => {
    const to = spawn("late", { id: "2" });
    return { to, from: spawn("early", { id: "1", input: { to } }) };
  };
  hostOf(machine({ context }, { actors: { early, late } }));
  t.same(order, ["late has started", "late hears"]);
  t.end();
});

test("H6. at the very start children start in the order of the object of children, active ones before custom actions", (t) => {
  const order: string[] = [];
  const loud = (name: string) => machine({ entry: () => order.push(name) });
  hostOf(
    machine(
      {
        context: ({ spawn }) => ({ s: spawn("s", { id: "s" }) }),
        entry: () => order.push("root"),
        invoke: [
          { src: "b", id: "b" },
          { src: "two", id: "2" },
          { src: "one", id: "1" },
          { src: "fin", id: "f", onDone: { actions: () => order.push("done") } },
        ],
      },
      { actors: { s: loud("s"), b: loud("b"), two: loud("2"), one: loud("1"), fin: machine({ initial: "f", entry: () => order.push("fin"), states: { f: { type: "final" } } }) } },
    ),
  );
  t.same(order, ["1", "2", "s", "b", "root", "fin", "done"]);
  t.end();
});
