// Watching an actor through its ref: XState's own waitFor and toPromise, subscribe and on, in sources and inline actions.

import { test } from "tap";
import { from } from "rxjs";
import { type AnyActorRef, createActor, toPromise, waitFor } from "xstate";

import type { EventData } from "../../../runtime/entity/contract.ts";
import { cellOf, foreignRef } from "../../../runtime/xstate/index.ts";
import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { assign, emit, fromCallback, fromPromise, machine, sendTo, spawnChild, stopChild } from "./loose.ts";

const kid = machine({
  id: "kid",
  context: { n: 0 },
  initial: "run",
  states: {
    run: { on: { ADD: { actions: [assign({ n: ({ context }) => context.n + 1 }), emit(({ context }) => ({ type: "counted", n: context.n }))] }, END: "end", BOOM: "boom" } },
    boom: {
      entry: assign(() => {
        throw new Error("boom");
      }),
    },
    end: { type: "final" },
  },
  output: ({ context }) => ({ total: context.n }),
});

/** A parent whose source does `work` with the ref of `k`, and keeps what it comes to. */
function working(work: (k: AnyActorRef) => unknown, durability: "events" | "volatile" = "events"): EntityHost {
  const parent = machine(
    {
      context: { result: null },
      invoke: [
        { src: "kid", id: "k", systemId: "K", onDone: { actions: [] }, onError: { actions: [] } },
        {
          src: "work",
          onDone: { actions: assign({ result: ({ event }) => event.output }) },
          onError: { actions: assign({ result: ({ event }) => `failed: ${String(event.error.message)}` }) },
        },
      ],
      on: { "*": { actions: sendTo("k", ({ event }) => event) }, DROP: { actions: stopChild("k") } },
    },
    { actors: { kid, work: fromPromise(async ({ system }) => work(system.get("K"))) } },
  );
  return new EntityHost(thingType(parent, anyMessages(), { durability }));
}
const result = (host: EntityHost): unknown => (host.context() as { readonly result: unknown }).result;

for (const durability of ["events", "volatile"] as const) {
  test(`C4, H9. waitFor on a ref of a ${durability} actor resolves with the first committed snapshot that fits`, async (t) => {
    const host = working(async (k) => (await waitFor(k, (snapshot: { context: { n: number } }) => snapshot.context.n === 2)).context, durability);
    host.send("ADD");
    await host.tick(3);
    t.equal(result(host), null);
    host.send("ADD");
    await host.tick(3);
    t.same(result(host), { n: 2 });
  });

  test(`C4, H9. toPromise on a ref of a ${durability} actor resolves with its output, and rejects with its error`, async (t) => {
    const done = working(async (k) => toPromise(k), durability);
    done.send("ADD");
    done.send("END");
    await done.tick(3);
    t.same(result(done), { total: 1 });
    const failed = working(async (k) => toPromise(k), durability);
    failed.send("BOOM");
    await failed.tick(3);
    t.equal(result(failed), "failed: boom");
  });
}

test("C4. what has ended before says so at once; what ends without fitting ends the wait; a wait has its own deadline", async (t) => {
  const late = working(async (k) => {
    await waitFor(k, (snapshot: { status: string }) => snapshot.status === "done");
    return toPromise(k);
  });
  late.send("END");
  await late.tick(3);
  t.same(result(late), { total: 0 });
  const dropped = working(async (k) => waitFor(k, () => false));
  dropped.send("DROP");
  await dropped.tick(3);
  t.match(result(dropped), /terminated without satisfying/);
  const timed = working(async (k) => waitFor(k, () => false, { timeout: 1 }));
  await new Promise((resolve) => setTimeout(resolve, 20));
  await timed.tick(2);
  t.match(result(timed), /Timeout of 1 ms/);
});

test("C4, S2. subscribe and on tell what is committed: after the turn, once for each commit, nothing of a turn that was taken back", async (t) => {
  const heard: string[] = [];
  const host = working((k) => {
    k.subscribe((snapshot: { context: { n: number } }) => heard.push(`n ${String(snapshot.context.n)}`));
    k.on("counted", (event: EventData) => heard.push(`counted ${String(event["n"])}`));
    k.on("*", (event: EventData) => heard.push(`* ${event.type}`));
    const gone = k.subscribe(() => heard.push("never"));
    gone.unsubscribe();
    return new Promise(() => undefined);
  });
  await host.tick();
  host.take(host.message("ADD"), host.message("ADD"));
  t.same(heard, [], "not within the turn");
  await host.tick();
  t.same(heard, ["counted 1", "* counted", "counted 2", "* counted", "n 2"]);
  heard.length = 0;
  host.entity.turn([host.message("ADD")], { now: 1, elapsed: 1, seed: 1 });
  host.entity.rollback();
  await host.tick();
  t.same(heard, []);
});

test("N8. an observer that throws is told nothing more, and neither the turn nor the process hears of it", async (t) => {
  let told = 0;
  const host = working((k) => {
    k.subscribe(() => {
      told++;
      throw new Error("mine");
    });
    return new Promise(() => undefined);
  });
  await host.tick();
  host.send("ADD");
  host.send("ADD");
  await host.tick();
  t.same(host.observerFailures, [["acme/thing/one/~/k", "mine"]]);
  t.equal(told, 1);
});

test("C4, H9. select and RxJS tell what is committed: once for each change of what is selected, until they are unsubscribed", async (t) => {
  const heard: string[] = [];
  const host = working((k) => {
    const odd = k.select((snapshot: { context: { n: number } }) => snapshot.context.n % 2 === 1);
    const near = k.select(
      (snapshot: { context: { n: number } }) => snapshot.context.n,
      (a, b) => Math.abs(a - b) < 3,
    );
    odd.subscribe((is) => heard.push(`odd ${String(is)}`));
    near.subscribe({ next: (n) => heard.push(`near ${String(n)}, now ${String(near.get())}`) });
    odd.subscribe(() => heard.push("never")).unsubscribe();
    from(k).subscribe({ next: (snapshot: { context: { n: number } }) => heard.push(`n ${String(snapshot.context.n)}`), complete: () => heard.push("complete") });
    return new Promise(() => undefined);
  });
  await host.tick();
  host.take(host.message("ADD"), host.message("ADD"));
  await host.tick();
  t.same(heard.splice(0), ["n 2"]);
  host.send("ADD");
  await host.tick();
  t.same(heard.splice(0), ["odd true", "near 3, now 3", "n 3"]);
  host.entity.turn([host.message("ADD")], { now: 1, elapsed: 1, seed: 1 });
  host.entity.rollback();
  await host.tick();
  t.same(heard, []);
  host.send("END");
  await host.tick();
  t.same(heard, ["n 3", "complete"]);
});

test("C4, H9. what a source persists of a ref is its committed state, and bare XState goes on from it", async (t) => {
  let ref: AnyActorRef | undefined;
  const host = working((k) => {
    ref = k;
    return new Promise(() => undefined);
  });
  await host.tick();
  host.send("ADD");
  host.entity.turn([host.message("ADD")], { now: 1, elapsed: 1, seed: 1 });
  const persisted = (ref as unknown as AnyActorRef).getPersistedSnapshot();
  host.entity.rollback();
  t.match(persisted, { status: "active", value: "run", context: { n: 1 } });
  const bare = createActor(kid, { snapshot: persisted });
  bare.start();
  bare.send({ type: "ADD" });
  t.match(bare.getSnapshot(), { value: "run", context: { n: 2 } });
});

for (const durability of ["events", "volatile"] as const) {
  test(`C4. what a source sees and hears of a ref of a ${durability} actor is nobody's state: writing into it changes nothing`, async (t) => {
    const heard: unknown[] = [];
    const spoiler = { type: "spoilt", n: 99 };
    let ref: AnyActorRef | undefined;
    const host = working((k) => {
      ref = k;
      k.subscribe((snapshot: { context: object }) => Object.assign(snapshot.context, spoiler));
      k.on("counted", (event: object) => Object.assign(event, spoiler));
      k.on("counted", (event: { n: number }) => heard.push(event.n));
      return new Promise(() => undefined);
    }, durability);
    await host.tick();
    const seen = (ref as unknown as AnyActorRef).getSnapshot() as unknown as { context: object };
    t.equal((ref as unknown as AnyActorRef).getSnapshot(), seen, "the same until something has changed");
    Object.assign(seen.context, spoiler);
    host.send("ADD");
    await host.tick();
    host.send("ADD");
    await host.tick();
    t.same(heard, [1, 2], "what it takes next starts from what it had");
    t.match((ref as unknown as AnyActorRef).getPersistedSnapshot(), { context: spoiler }, "what is shown is spoilt");
  });
}

test("N18. what only the system of a bare actor has is a fault of who asks for it, with advice", async (t) => {
  for (const [name, ask] of Object.entries<(system: AnyActorRef["system"]) => unknown>({
    inspect: (system) => system.inspect(() => undefined),
    getSnapshot: (system) => system.getSnapshot(),
    start: (system) => {
      system.start();
    },
    scheduler: (system) => system.scheduler,
  })) {
    const host = working((k) => ask(k.system));
    await host.tick(3);
    t.match(result(host), new RegExp(`failed: ${name} of XState's system is not offered by that of a hosted actor; .+`), name);
    const stepped = new EntityHost(thingType(machine({ on: { GO: { actions: assign(({ system }) => ask(system) as never) } } }), anyMessages()));
    t.match(stepped.send("GO"), { kind: "faulted", code: "DROVER_IMPURE_STEP", error: /not offered/ }, name);
  }
});

test("N6. a ref of another entity has the rest of XState's ActorRef as faults with advice", (t) => {
  const ref = foreignRef("acme/pump/p1") as unknown as AnyActorRef;
  for (const [name, use] of Object.entries<() => unknown>({
    subscribe: () => ref.subscribe(() => undefined),
    "subscribe of an observable": () => {
      let failure: unknown;
      from(ref).subscribe({ error: (error: unknown) => (failure = error) });
      throw failure as Error;
    },
    on: () => ref.on("*", () => undefined),
    select: () => ref.select(() => 1),
    getPersistedSnapshot: () => ref.getPersistedSnapshot(),
    start: () => {
      ref.start();
    },
    stop: () => {
      ref.stop();
    },
  }))
    t.throws(use, { code: "DROVER_IMPURE_STEP", message: /acme\/pump\/p1; it lives in another entity: ask it, or let it tell/ }, name);
  t.end();
});

test("H11. watching while a machine is stepped is a fault", (t) => {
  for (const [name, reach] of Object.entries<(self: AnyActorRef) => unknown>({
    subscribe: (self) => self.subscribe(() => undefined),
    on: (self) => self.on("x", () => undefined),
    "select and subscribe": (self) => self.select(() => 1).subscribe({}),
    "subscribe of an observable, swallowed": (self) => from(self).subscribe({ error: () => undefined }),
  })) {
    const host = new EntityHost(thingType(machine({ on: { GO: { actions: assign(({ self }) => reach(self) as never) } } }), anyMessages()));
    t.match(host.send("GO"), { kind: "faulted", code: "DROVER_IMPURE_STEP", error: /was called on a ref/ }, name);
  }
  t.end();
});

test("H5. a source may watch its own parent and a sibling, and what it opened ends with the actor that it watched", async (t) => {
  const heard: string[] = [];
  const parent = machine(
    {
      id: "p",
      initial: "a",
      states: { a: { on: { NEXT: "b" } }, b: {} },
      entry: spawnChild("watch", { id: "w" }),
    },
    {
      actors: {
        watch: fromCallback(({ self }) => {
          const sub = self._parent.subscribe({ next: (snapshot: { value: string }) => heard.push(snapshot.value), complete: () => heard.push("complete") });
          return () => {
            sub.unsubscribe();
            heard.push("closed");
          };
        }),
      },
    },
  );
  const host = new EntityHost(thingType(parent, anyMessages()));
  host.send("NEXT");
  await host.tick();
  t.same(heard, ["b"]);
  const { root } = (host.entity as unknown as { readonly interior: { readonly root: { readonly ref: { subscribe: unknown; start: () => void; stop: () => void } } } }).interior;
  t.throws(() => {
    root.ref.start();
  }, /its machine and its supervisor start and stop it/);
  t.throws(() => {
    root.ref.stop();
  }, /start and stop it/);
  t.ok(cellOf(root.ref));
});
