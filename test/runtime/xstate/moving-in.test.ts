// A bare deep snapshot as the start of an entity: it goes on as bare XState goes on from it.

import { test } from "tap";
import { type AnyActor, type AnyStateMachine, createActor } from "xstate";

import { form } from "../../forms.ts";
import { messages } from "../../../runtime/actor/index.ts";
import { difference, restoreEntity } from "../../../runtime/entity/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { anyMessages, EntityHost, ROOT, thingType } from "../entity-host.ts";
import { hosting } from "../system/hosting.ts";
import { OrderedClock, show, type Shown } from "./bare-actor.ts";
import { hostOf, rootOf } from "./differential.ts";
import { assign, fromPromise, fromTransition, machine, sendParent, sendTo } from "./loose.ts";
import { drawMachine, drawScript } from "./random-machine.ts";

const SEEDS = Number(process.env["DROVER_SEEDS"] ?? form(6, 20));

/** Runs a machine bare, and gives what a file would hold of it. */
function persisted(behaviour: AnyStateMachine, ...events: readonly string[]): unknown {
  const actor = createActor(behaviour);
  actor.start();
  for (const type of events) actor.send({ type });
  const snapshot: unknown = JSON.parse(JSON.stringify(actor.getPersistedSnapshot()));
  actor.stop();
  return snapshot;
}

const leaf = machine({
  context: { n: 0 },
  initial: "a",
  states: { a: { on: { UP: "b" } }, b: { entry: assign({ n: ({ context }) => context.n + 1 }), on: { UP: { target: "b", reenter: true } } } },
});
const mid = machine(
  {
    context: ({ spawn }) => ({ leaf: spawn("leaf", { id: "leaf", systemId: "leaf" }) }),
    on: { UP: { actions: sendTo("leaf", { type: "UP" }) }, ASK: { actions: sendParent({ type: "SAYS" }) } },
  },
  { actors: { leaf } },
);
const deep = machine(
  {
    id: "deep",
    context: ({ spawn }) => ({ kids: [spawn("mid", { id: "one" }), spawn("mid2", { id: "two" })], said: 0, seen: null }),
    type: "parallel",
    invoke: { src: "sum", id: "sum", onSnapshot: { actions: assign({ seen: ({ event }) => event.snapshot.context }) } },
    on: {
      UP: { actions: [sendTo(({ context }) => context.kids[0], { type: "UP" }), sendTo("sum", { type: "ADD" })] },
      ASK: { actions: sendTo(({ context }) => context.kids[0], { type: "ASK" }) },
      SAYS: { actions: assign({ said: ({ context }) => context.said + 1 }) },
      READ: { guard: ({ context }) => context.kids[0].getSnapshot().context.leaf.getSnapshot().context.n > 1, actions: assign({ said: () => 100 }) },
    },
    states: {
      ab: {
        id: "a.b",
        initial: "in",
        states: {
          in: {
            initial: "x",
            states: { x: { on: { GO: "y" } }, y: { initial: "y1", states: { y1: { on: { GO: "y2" } }, y2: {} } }, h: { type: "history", history: "deep" } },
            on: { OUT: "away" },
          },
          away: { on: { BACK: "in.h" } },
        },
      },
      off: { initial: "on", states: { on: { on: { BLINK: "dark" } }, dark: { tags: ["dark"], on: { BLINK: "on" } } } },
    },
  },
  { actors: { mid, mid2: machine({}), leaf, sum: fromTransition((state, event) => (event.type === "ADD" ? state + 1 : state), 0) } },
);

test("H8. a deep bare snapshot moves in: states, history, refs in contexts, children and their children, system ids, transition logic", (t) => {
  const host = new EntityHost(thingType(deep, anyMessages()), { bareSnapshot: persisted(deep, "UP", "GO", "GO", "BLINK", "OUT") });
  t.same(host.value(), { ab: "away", off: "dark" });
  for (const by of ["json", "journal"] as const) {
    for (const type of ["UP", "ASK", "READ", "BACK"]) t.equal(host.send(type).kind, "accepted", type);
    t.same(host.value(), { ab: { in: { y: "y2" } }, off: "dark" });
    t.match(host.context(), { said: 100 });
    host.send("OUT");
    host.send("UP");
    t.same(host.restart({ by }).divergences, [], by);
  }
  t.match(host.context(), { seen: 5 });
  t.same(
    host.entity.views().map((view) => [view.address, view.value]),
    [
      [ROOT, { ab: "away", off: "dark" }],
      [`${ROOT}/~/one`, {}],
      [`${ROOT}/~/one/~/leaf`, "b"],
      [`${ROOT}/~/sum`, null],
      [`${ROOT}/~/two`, {}],
    ],
  );
  t.end();
});

test("H8, S9. machines of all kinds go on from a bare snapshot as bare XState goes on from it, with restarts and by replay", (t) => {
  const { warn } = console;
  console.warn = () => undefined;
  let same = 0;
  for (let seed = 1; seed <= SEEDS; seed++) {
    const drawn = drawMachine(seed);
    let spent = 0;
    let counting = true;
    const spend = (): void => {
      if (counting && ++spent > 3_000) throw new Error("spent");
    };
    const build = (): AnyStateMachine => drawn.build(() => () => undefined, spend);
    const clock = new OrderedClock();
    const first = bareActor(build(), clock);
    for (const step of drawScript(seed, 8)) {
      if (typeof step === "object" && "adv" in step) clock.advance(step.adv as number);
      else first.actor.send({ type: step as string });
    }
    if (first.failures.length > 0 || first.actor.getSnapshot().status !== "active") continue;
    const snapshot: unknown = JSON.parse(JSON.stringify(first.actor.getPersistedSnapshot()));
    const second = bareActor(build(), new OrderedClock(), structuredClone(snapshot));
    counting = false;
    const hosts = [hostOf(build(), { bareSnapshot: snapshot, twice: true }), hostOf(build(), { bareSnapshot: snapshot })];
    const differs = (): string | undefined => {
      for (const host of hosts) {
        const found = difference(show(second.actor.getSnapshot()), show(rootOf(host) as unknown as Shown), "");
        if (found !== undefined) return found;
      }
      return undefined;
    };
    t.equal(differs(), undefined, `seed ${String(seed)}: as it moved in`);
    const random = new SeededRandom(seed);
    let isLeftOut = false;
    // No time passes: bare XState has lost its timers, and the entity has not.
    for (let step = 0; step < 10 && !isLeftOut; step++) {
      const type = "ABCDE"[Math.floor(random.next() * 5)] as string;
      spent = 0;
      counting = true;
      second.actor.send({ type });
      counting = false;
      hosts[0]?.restart({ keepSources: true });
      for (const host of hosts) host.send(type);
      isLeftOut = second.failures.length > 0 || hosts.some((host) => host.faults.length > 0);
      if (!isLeftOut) t.equal(differs(), undefined, `seed ${String(seed)}: after ${type}`);
    }
    if (isLeftOut) continue;
    same++;
    for (const host of hosts) {
      t.same(host.differences, []);
      t.same(restoreEntity(host.type, host.address, { snapshot: undefined, records: host.journal() }).divergences, [], `seed ${String(seed)}: replayed`);
    }
  }
  console.warn = warn;
  t.ok(same > SEEDS / 6, `${String(same)} of ${String(SEEDS)} machines were compared to their end`);
  t.end();
});

function bareActor(behaviour: AnyStateMachine, clock: OrderedClock, snapshot?: unknown): { readonly actor: AnyActor; readonly failures: unknown[] } {
  const failures: unknown[] = [];
  const actor = createActor(behaviour, { clock, id: "root", logger: () => undefined, ...(snapshot === undefined ? {} : { snapshot: snapshot as never }) });
  actor.subscribe({ error: (error: unknown) => failures.push(error) });
  actor.start();
  return { actor, failures };
}

test("N3, K1. sources of what moved in start, and timers of its states run with their whole delay, where bare XState has lost them", async (t) => {
  const behaviour = machine(
    {
      context: { got: null, ms: 50 },
      type: "parallel",
      states: {
        wait: { initial: "a", states: { a: { after: { soon: "b" } }, b: { after: { 10: "c" } }, c: {} } },
        work: { initial: "w", states: { w: { invoke: { src: "load", input: { n: 4 }, onDone: { target: "d", actions: assign({ got: ({ event }) => event.output }) } } }, d: {} } },
      },
    },
    { delays: { soon: ({ context }) => context.ms }, actors: { load: fromPromise(async ({ input }) => input.n * 2) } },
  );
  const host = new EntityHost(thingType(behaviour, anyMessages()), { bareSnapshot: persisted(behaviour) });
  await host.tick(2);
  t.match(host.context(), { got: 8 });
  host.advance(49);
  t.same(host.value(), { wait: "a", work: "d" });
  host.advance(1);
  t.same(host.value(), { wait: "b", work: "d" });
  host.advance(10);
  t.same(host.value(), { wait: "c", work: "d" });
});

test("what is no bare snapshot of the machine is a fault of the start with a code, and nothing of it stays", (t) => {
  const good = persisted(deep) as Record<string, unknown>;
  const bad: Readonly<Record<string, readonly [unknown, RegExp]>> = {
    "a text": ["active", /it is no object/],
    "no status": [{ value: "a" }, /\/status is none/],
    "a state that it does not have": [{ ...good, value: { ab: "gone", off: "on" } }, /does not fit acme\/thing\/one: .*gone/],
    "a source that it does not have": [{ ...good, children: { k: { src: "gone", snapshot: { status: "active" } } } }, /a child "k" of the source "gone"/],
    "a child without a source": [{ ...good, children: { k: { snapshot: { status: "active" } } } }, /\/children\/k\/src/],
    "a child that is none": [{ ...good, children: { k: { src: "mid", snapshot: 5 } } }, /\/children\/k\/snapshot is no object/],
    "a history of a state that it does not have": [{ ...good, historyValue: { h: [{ id: "gone" }] } }, /no state "#gone"/],
    "a history that is none": [{ ...good, historyValue: { h: "gone" } }, /historyValue does not list/],
  };
  for (const [name, [bareSnapshot, error]] of Object.entries(bad)) {
    const host = new EntityHost(thingType(deep, anyMessages()), { bareSnapshot });
    t.match(host.results[0], { kind: "faulted", code: "DROVER_STATE_INVALID", error }, name);
    t.equal(host.entity.view(ROOT), undefined, name);
  }
  const failed = new EntityHost(thingType(deep, anyMessages()), { bareSnapshot: { ...good, status: "error", error: { message: "old" } } });
  t.match(failed.results[0], { kind: "faulted" }, "one that has failed");
  const done = new EntityHost(thingType(deep, anyMessages()), { bareSnapshot: { ...good, status: "done", output: 4 } });
  t.match(done.entity.view(ROOT), { status: "done", output: 4 });
  t.end();
});

test("a system begins an entity from a bare snapshot once; after that its own history counts", async (t) => {
  const type = thingType(deep, messages({ GO: { body: {} }, UP: { body: {} } }));
  const bareSnapshot = persisted(deep, "GO");
  const first = await hosting({ types: [type] });
  await first.system.activate(ROOT, { input: undefined, bareSnapshot });
  t.match(await first.system.tell(ROOT, { type: "GO" }), { kind: "accepted" });
  t.match(first.system.read(ROOT)?.state, { ab: { in: { y: "y2" } } });
  await first.system.stop();
  const second = await hosting({ types: [type], disk: first.disk, clock: first.clock });
  await second.system.activate(ROOT, { input: undefined, bareSnapshot });
  t.match(second.system.read(ROOT)?.state, { ab: { in: { y: "y2" } } });
  await second.system.stop();
  const third = await hosting({ types: [type] });
  await t.rejects(third.system.activate(ROOT, { input: undefined, bareSnapshot: { status: "active", value: "gone" } }), { message: /does not fit acme\/thing\/one/ });
  await third.system.stop();
});
