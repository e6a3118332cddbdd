// What an author's code returns where nobody waits for it may be a promise: its rejection is that code's failure, and never the end of the process (hosting H9, N8).
// A rejection that nobody hears fails the test that is under way.

import { test } from "tap";
import type { AnyActorRef } from "xstate";

import { ManualClock, SeededRandom, settle } from "../../runtime/simulation/index.ts";
import { parseAddress } from "../../runtime/index.ts";
import { type Log, silentLog } from "../../runtime/ports/index.ts";
import { hosted, startTree, supervisor } from "../../runtime/supervision/index.ts";
import { startWorker, worker, type WorkerContext } from "../../runtime/workers/index.ts";
import { anyMessages, EntityHost, thingType } from "./entity-host.ts";
import { scripted } from "./supervision/scripted.ts";
import { hosting } from "./system/hosting.ts";
import { assign, emit, fromCallback, fromEventObservable, fromObservable, fromPromise, machine, sendTo } from "./xstate/loose.ts";

/** Async, where its type says that it is not: as an author's JavaScript may be. */
const late = (word: string): (() => never) =>
  (async () => {
    await Promise.resolve();
    throw new Error(word);
  }) as unknown as () => never;

/** Invokes `src` in its first state; what it fails with leads to `failed`. */
function invoking(src: unknown, durability: "events" | "volatile"): EntityHost {
  const invoke = { src: "s", id: "s", onError: { target: "failed", actions: assign({ error: ({ event }) => (event.error as Error).message }) } };
  const behaviour = machine(
    { context: { error: "" }, initial: "on", states: { on: { invoke, on: { GO: { actions: sendTo("s", { type: "GO" }) }, OUT: "out" } }, failed: {}, out: {} } },
    { actors: { s: src as never } },
  );
  return new EntityHost(thingType(behaviour, anyMessages(), { durability }));
}

for (const durability of ["events", "volatile"] as const) {
  test(`H9, N8. a source of a ${durability} actor whose start, subscribe or receiver is async and rejects has failed, as if it had thrown`, async (t) => {
    const sources: Readonly<Record<string, unknown>> = {
      start: fromCallback(late("lost")),
      receive: fromCallback(({ receive }) => {
        receive(late("lost"));
      }),
      subscribe: fromObservable(() => ({ subscribe: late("lost") }) as never),
      "subscribe to events": fromEventObservable(() => ({ subscribe: late("lost") }) as never),
    };
    for (const [name, src] of Object.entries(sources)) {
      const host = invoking(src, durability);
      host.send("GO");
      await host.tick(2);
      t.equal(host.value(), "failed", name);
      t.same(host.context(), { error: "lost" }, name);
      t.same(host.faults, [], name);
    }
    const never = invoking(fromObservable(late("lost")), durability);
    await never.tick(2);
    t.equal(never.value(), "failed", "no observable, but a promise");
  });

  test(`N16, N8. what a source of a ${durability} actor rejects with in its cleanup, or after its stop, is recorded and touches nobody`, async (t) => {
    const sources: Readonly<Record<string, unknown>> = {
      cleanup: fromCallback(() => late("lost")),
      unsubscribe: fromObservable(() => ({ subscribe: () => ({ unsubscribe: late("lost") }) }) as never),
      receive: fromCallback(({ receive }) => {
        receive(late("lost"));
      }),
    };
    for (const [name, src] of Object.entries(sources)) {
      const host = invoking(src, durability);
      host.take(host.message(name === "receive" ? "GO" : "NOTHING"), host.message("OUT"));
      await host.tick(2);
      t.equal(host.value(), "out", name);
      t.match(host.stopFailures, [{ message: "lost" }], name);
      t.same(host.faults, [], name);
    }
  });

  test(`H9, R1. a promise of a ${durability} actor that rejects with a proxy whose traps throw has failed like any other`, async (t) => {
    const trap = (): never => {
      throw new Error("trap");
    };
    for (const traps of [{ get: trap }, { ownKeys: trap }, { getPrototypeOf: trap }, { has: trap }, { getOwnPropertyDescriptor: trap }]) {
      const thrown = new Proxy({}, traps) as Error;
      const rejects = fromPromise(() => Promise.reject(thrown));
      const behaviour = machine(
        {
          context: { kept: null },
          initial: "on",
          states: { on: { invoke: { src: "s", onError: { target: "failed", actions: assign({ kept: ({ event }) => typeof event.error }) } } }, failed: {} },
        },
        { actors: { s: rejects } },
      );
      const host = new EntityHost(thingType(behaviour, anyMessages(), { durability }));
      await host.tick(2);
      t.equal(host.value(), "failed", Object.keys(traps).join());
      if (durability === "events") host.restart({ by: "journal" });
      t.equal(host.value(), "failed");
    }
  });
}

test("N8. an observer or a listener of a ref that is async and rejects is told nothing more", async (t) => {
  let told = 0;
  const counting = (): never => {
    told++;
    return late("mine")();
  };
  const ways: Readonly<Record<string, (ref: AnyActorRef) => unknown>> = {
    next: (ref) => ref.subscribe(counting as never),
    complete: (ref) => ref.subscribe({ complete: counting } as never),
    on: (ref) => ref.on("counted", counting as never),
  };
  const kid = machine({
    initial: "run",
    context: { n: 0 },
    states: { run: { on: { GO: { actions: [assign({ n: ({ context }) => context.n + 1 }), emit({ type: "counted" })] }, OUT: "end" } }, end: { type: "final" } },
  });
  for (const [name, watch] of Object.entries(ways)) {
    told = 0;
    const looking = fromCallback(({ system }) => {
      watch(system.get("K") as AnyActorRef);
    });
    const parent = machine(
      { invoke: [{ src: "kid", id: "k", systemId: "K", onDone: { actions: [] } }, { src: "looking" }], on: { "*": { actions: sendTo("k", ({ event }) => event) } } },
      { actors: { kid, looking } },
    );
    const host = new EntityHost(thingType(parent, anyMessages()));
    for (const word of name === "complete" ? ["OUT"] : ["GO", "GO"]) {
      host.send(word);
      await host.tick(2);
    }
    t.equal(told, 1, name);
    t.same(host.observerFailures, [["acme/thing/one/~/k", "mine"]], name);
  }
});

test("N8. watchers of a system, monitors and listeners of a tree that are async and reject are logged", async (t) => {
  const words: string[] = [];
  const log: Log = { ...silentLog, error: (_fields: object, word?: string) => void words.push(String(word)), child: () => log };
  const { system } = await hosting({ log });
  system.watch(late("a watcher's own"));
  await system.activate(parseAddress("acme/counter/one"), { input: undefined });
  await settle();
  t.same(words.splice(0), ["a watcher of changes threw"]);
  await system.stop();
  const a = scripted("a", []);
  const tree = await startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("a", a)]), { clock: new ManualClock(), random: new SeededRandom(1), log });
  tree.monitor("a", late("a monitor's own"));
  tree.onReport(late("a listener's own"));
  a.crash("it broke");
  await settle();
  t.same([...new Set(words)].sort(), ["a listener of supervision reports threw", "a monitor of a supervised child threw"]);
  await tree.stop();
});

test("N8, S4. an async handler of a worker, or of what it hands over, that rejects is the worker's end with that cause", async (t) => {
  const clock = new ManualClock();
  const echo = worker({
    module: import.meta.url,
    async run({ ready, receive, emit, config }: WorkerContext<{ rejects: boolean }, string, string>) {
      receive(config.rejects ? late("cannot take it") : (item) => void emit(item));
      ready();
      await new Promise(() => undefined);
    },
  });
  const ports = { clock, random: new SeededRandom(1), log: silentLog };
  const taking = await startWorker(echo, { rejects: true }, { shutdownMs: 500 }, ports);
  taking.send("this");
  await settle();
  await clock.advance(500);
  t.match(await taking.exited, { kind: "failed", error: { message: "cannot take it" } });
  const given = await startWorker(echo, { rejects: false }, { shutdownMs: 500, into: late("not for me") }, ports);
  given.send("this");
  await settle();
  t.match(await given.exited, { kind: "failed", error: { message: "what takes its items threw", cause: { message: "not for me" } } });
});
