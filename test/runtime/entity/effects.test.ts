// Declared effects and tasks: what a crash leaves of each class (rules F1, F2; hosting H7, N1, N3).

import { test } from "tap";
import { assign, createMachine, fromPromise, setup } from "xstate";

import { actorType, effect, effectOutcomes, entityType, type EventOf, messages, T, task } from "../../../runtime/actor/index.ts";
import type { Effect } from "../../../runtime/entity/contract.ts";
import { EntityHost, ROOT, thingType, words } from "../entity-host.ts";

const protocol = messages({ ...effectOutcomes, go: { body: { what: T.String() } } });
const machine = setup({
  types: { events: {} as EventOf<typeof protocol>, context: {} as { heard: readonly unknown[] } },
  actions: { idempotent: effect<{ n: number }>({ class: "idempotent" }), once: effect<{ n: number }>({ class: "once" }), state: effect<{ n: number }>({ class: "state" }) },
}).createMachine({
  context: { heard: [] },
  on: {
    go: {
      actions: [
        { type: "idempotent", params: { n: 1 } },
        { type: "once", params: { n: 2 } },
        { type: "state", params: { n: 3 } },
      ],
    },
    "effect.*": { actions: assign({ heard: ({ context, event }) => [...context.heard, event] }) },
  },
});
const type = entityType({ root: actorType({ name: "thing", version: 1, messages: protocol, behaviour: machine }), durability: "events", placement: "vehicle" });
const go = { type: "go", what: "x" };
const key = (index: number): string => `${ROOT}#history-1.2.${String(index)}`;

test("F1. after a crash an idempotent effect is repeated with its key, a once effect is unknown, a state effect is neither", (t) => {
  const host = new EntityHost(type);
  host.send(go, { author: "ann", id: "m7" });
  t.same(
    host.acts.map((act) => [act.name, act.declared, act.key]),
    [
      ["idempotent", "idempotent", key(0)],
      ["once", "once", key(1)],
      ["state", "state", key(2)],
    ],
  );
  host.restart();
  host.acts.length = 0;
  host.recover();
  t.match(host.acts, [{ name: "idempotent", key: key(0), params: { n: 1 }, cause: { author: "ann", messageId: "m7" } }]);
  t.equal(host.acts.length, 1);
  t.match(host.context(), { heard: [{ type: "effect.unknown", effect: "once", key: key(1), params: { n: 2 } }] });
  t.match(host.entity.pending(), [{ key: key(0), class: "idempotent", name: "idempotent" }]);
  t.equal(host.entity.pending().length, 1);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("F2. a confirmed effect is forgotten; one that failed or was refused tells its actor, once", (t) => {
  const host = new EntityHost(type);
  host.send(go);
  const guard = { condition: "parked", open: false, reads: [] };
  host.take(
    { kind: "performed", key: key(0), outcome: { kind: "done" } },
    { kind: "performed", key: key(1), outcome: { kind: "failed", error: "no bus" } },
    { kind: "performed", key: key(2), outcome: { kind: "refused", reason: "parked is not true", guard } },
  );
  t.same(host.context(), {
    heard: [
      { type: "effect.failed", effect: "once", key: key(1), params: { n: 2 }, reason: "no bus" },
      { type: "effect.refused", effect: "state", key: key(2), params: { n: 3 }, reason: "parked is not true", guard },
    ],
  });
  t.same(host.entity.pending(), []);
  t.match(host.take({ kind: "performed", key: key(1), outcome: { kind: "unknown" } }), [{ kind: "dropped" }]);
  t.end();
});

test("F2. where the protocol does not list an outcome it is counted and logged, never silent", (t) => {
  const deaf = setup({ actions: { once: effect({ class: "once" }) } }).createMachine({ on: { go: { actions: "once" }, "*": {} } });
  const host = new EntityHost(thingType(deaf, words("go")));
  host.send("go");
  host.restart();
  host.recover();
  t.same(host.entity.counters.unheard, { "effect-outcome": 1 });
  t.match(host.logged, [{ label: "effect.unknown", value: { effect: "once" } }]);
  t.end();
});

test("an effect's parameters are data, copied", (t) => {
  const params: { list: number[]; none?: undefined } = { list: [1], none: undefined };
  const make = (given: unknown): EntityHost =>
    new EntityHost(
      thingType(
        setup({ actions: { once: effect<never>({ class: "once" }) } }).createMachine({ on: { go: { actions: [{ type: "once", params: () => given as never }] } } }),
        words("go"),
      ),
    );
  const host = make(params);
  host.send("go");
  params.list.push(2);
  t.same(host.acts[0]?.params, { list: [1] });
  t.match(make({ run: () => 1 }).send("go"), { kind: "faulted", error: /the parameters of "once": \/run is a function/ });
  t.match(make(new Map()).send("go"), { kind: "faulted", error: /Map/ });
  t.end();
});

test("H7. only the function that was registered under the name is the declared effect", (t) => {
  const beep = effect({ class: "once" });
  const imposter = { beep: (): void => undefined }.beep;
  const make = (action: unknown, durability: "events" | "volatile" = "volatile"): EntityHost =>
    new EntityHost(thingType(setup({ actions: { beep } }).createMachine({ entry: action as never }), words(), { durability }));
  t.match(make("beep").acts, [{ name: "beep", declared: "once", run: undefined }]);
  t.match(make(imposter).acts, [{ name: "beep", declared: undefined, run: Function }]);
  t.equal(make(imposter).entity.pending().length, 0);
  t.throws(() => make(imposter, "events"), { code: "DROVER_TYPE_INVALID" });
  t.end();
});

test("N1. a custom action that throws faults its actor; its later actions of the turn are not performed, the turn stands", (t) => {
  const done: string[] = [];
  const boom = (): never => {
    throw new Error("act");
  };
  const machineWith = createMachine({ initial: "a", states: { a: { on: { go: { target: "b", actions: [() => done.push("first"), boom, () => done.push("later")] } } }, b: {} } });
  const host = new EntityHost(thingType(machineWith, words("go"), { durability: "volatile" }));
  t.same(host.send("go"), { kind: "accepted" });
  t.same(done, ["first"]);
  t.equal(host.value(), "b");
  t.same(host.faults, ["act"]);
  t.match(host.effects.at(-1), { kind: "supervision", report: { context: "child_restarted", restarts: 1, reason: "act" } });
  t.end();
});

// ---- tasks

const working = setup({
  types: { context: {} as { got: unknown } },
  actors: { upload: task<{ url: string }, { version: string }>({ withinMs: 1_000 }), burn: task<undefined, string>({ class: "once" }) },
}).createMachine({
  context: { got: null },
  initial: "idle",
  states: {
    idle: { on: { go: "uploading", burn: "burning" } },
    uploading: {
      on: { leave: "idle" },
      invoke: {
        src: "upload",
        input: { url: "u" },
        onDone: { target: "idle", actions: assign({ got: ({ event }) => event.output }) },
        onError: { target: "idle", actions: assign({ got: ({ event }) => event.error }) },
      },
    },
    burning: { invoke: { src: "burn", onDone: "idle", onError: { target: "idle", actions: assign({ got: ({ event }) => event.error }) } } },
  },
});

function supplied(upload: (input: { url: string }, work: { key: string; signal: AbortSignal; actor: string }) => Promise<{ version: string }>): EntityHost {
  const actor = actorType({ name: "worker", version: 1, messages: words("go", "burn", "leave"), behaviour: working as never }).with({
    tasks: { upload, burn: () => new Promise(() => undefined) },
  });
  return new EntityHost(entityType({ root: actor, durability: "events", placement: "vehicle" }));
}

test("F2, N3. a task's result comes back in a later turn; after a recovery it starts again with the same key", async (t) => {
  const keys: string[] = [];
  let settle: (value: { version: string }) => void = () => undefined;
  const host = supplied((input, work) => {
    t.equal(input.url, "u");
    keys.push(work.key);
    return new Promise((resolve) => {
      settle = resolve;
    });
  });
  host.send("go");
  host.restart();
  host.recover();
  t.equal(keys.length, 2);
  t.equal(keys[0], keys[1]);
  settle({ version: "9" });
  await host.tick(2);
  t.same(host.context(), { got: { version: "9" } });
  t.equal(host.value(), "idle");
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("F2. a task past its deadline ends as unknown and is stopped", async (t) => {
  let signal: AbortSignal | undefined;
  const host = supplied((_input, work) => {
    signal = work.signal;
    return new Promise(() => undefined);
  });
  host.send("go");
  host.restart({ keepSources: true });
  host.advance(999);
  t.equal(host.value(), "uploading");
  host.advance(1);
  t.match(host.context(), { got: { kind: "unknown", reason: /deadline/ } });
  t.equal(signal?.aborted, true);
  await host.tick();
  t.end();
});

test("F2. a once task is not started again: its machine hears unknown", (t) => {
  const host = supplied(() => new Promise(() => undefined));
  host.send("burn");
  host.restart();
  const again = host.entity.recoveryEffects().filter((one: Effect) => one.kind === "source.start");
  t.same(again, []);
  host.recover();
  t.match(host.context(), { got: { kind: "unknown", reason: "the node stopped while the task ran" } });
  t.end();
});

test("a task that is not supplied fails with words", async (t) => {
  const host = new EntityHost(thingType(working, words("go", "burn", "leave")));
  host.send("go");
  await host.tick(2);
  t.match(host.entity.view(ROOT)?.context, { got: { message: /not supplied on this node/ } });
  t.end();
});

test("what a source says and a durable actor cannot keep is the source's failure", async (t) => {
  const odd = setup({ types: { context: {} as { got: string } }, actors: { p: fromPromise(() => Promise.resolve(new Map())) } }).createMachine({
    context: { got: "" },
    initial: "w",
    states: { w: { invoke: { src: "p", onDone: "d", onError: { target: "f", actions: assign({ got: ({ event }) => (event.error as Error).message }) } } }, d: {}, f: {} },
  });
  const host = new EntityHost(thingType(odd, words()));
  await host.tick(2);
  t.equal(host.value(), "f");
  t.match(host.context(), { got: /instance of Map/ });
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});
