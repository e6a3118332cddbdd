// What an author's code adds to a signal that it is given is that code's own: a throw or a rejection of it is logged, and never the end of the process (hosting H9, N8).
// What nobody hears fails the test that is under way.

import { addAbortListener, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { aborted } from "node:util";
import { test } from "tap";

import { guardedSignal } from "../../runtime/guarded-signal.ts";
import { actorType, createSystem, effect, entityType, messages, parseAddress, task } from "../../runtime/index.ts";
import { type Log, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, memoryStore, SeededRandom, settle } from "../../runtime/simulation/index.ts";
import { hosted, startTree, supervisor } from "../../runtime/supervision/index.ts";
import { startWorker, untilAborted, worker, type WorkerContext } from "../../runtime/workers/index.ts";
import { anyMessages, EntityHost, thingType } from "./entity-host.ts";
import { fromPromise, machine } from "./xstate/loose.ts";

async function rejected(): Promise<never> {
  await Promise.resolve();
  throw new Error("lost");
}

/** Each way in which a listener fails. */
const ways: Readonly<Record<string, (signal: AbortSignal) => void>> = {
  throws: (signal) => {
    signal.addEventListener("abort", () => {
      throw new Error("lost");
    });
  },
  rejects: (signal) => {
    signal.addEventListener("abort", () => rejected() as unknown);
  },
  onabort: (signal) => {
    signal.onabort = () => {
      throw new Error("lost");
    };
  },
  "onabort that rejects": (signal) => {
    signal.onabort = () => rejected() as unknown;
  },
  "an object": (signal) => {
    signal.addEventListener("abort", {
      handleEvent: () => {
        throw new Error("lost");
      },
    });
  },
  "an object that hears nothing": (signal) => {
    signal.addEventListener("abort", { lost: true } as never, { once: true });
  },
};

const isLost = (error: unknown): boolean => error instanceof Error && /lost|handleEvent/.test(error.message);
const never = (): Promise<never> => new Promise(() => undefined);

function logInto(failures: unknown[]): Log {
  const log: Log = { ...silentLog, warn: (fields: object) => void failures.push((fields as { readonly err?: unknown }).err), child: () => log };
  return log;
}

for (const [name, listen] of Object.entries(ways)) {
  test(`N8, N16. a listener to the signal of a promise source that fails (${name}) is recorded and touches nobody`, async (t) => {
    const src = fromPromise(({ signal }) => {
      listen(signal);
      return never();
    });
    const behaviour = machine({ initial: "on", states: { on: { invoke: { src: "s" }, on: { OUT: "out" } }, out: {} } }, { actors: { s: src } });
    for (const durability of ["events", "volatile"] as const) {
      const host = new EntityHost(thingType(behaviour, anyMessages(), { durability }));
      host.send("OUT");
      await settle();
      t.equal(host.value(), "out");
      t.ok(host.stopFailures.length === 1 && host.stopFailures.every(isLost), String(host.stopFailures));
      t.same(host.faults, []);
    }
  });

  test(`N8. so is one to the signal of a task, of an effect, of a worker and of a start in a tree (${name})`, async (t) => {
    const failures: unknown[] = [];
    const ports = { clock: new ManualClock(), random: new SeededRandom(1), log: logInto(failures) };
    const behaviour = machine(
      { invoke: { src: "work" }, entry: { type: "act" } },
      { actions: { act: effect({ class: "idempotent" }) as never }, actors: { work: task() as never } },
    );
    const hear = (_given: unknown, { signal }: { readonly signal: AbortSignal }): Promise<never> => {
      listen(signal);
      return never();
    };
    const type = actorType({ name: "thing", version: 1, messages: messages({}), behaviour: behaviour as never });
    const store = memoryStore();
    await store.open();
    const here = type.with({ effects: { act: hear }, tasks: { work: hear } } as never);
    const system = createSystem({ node: "n1", types: [entityType({ root: here, durability: "events", placement: "cloud" })], store, ...ports });
    await system.start();
    await system.activate(parseAddress("acme/thing/one"), { input: undefined });
    await settle();
    await system.stop();
    await settle();
    t.ok(failures.length === 2 && failures.every(isLost), String(failures.splice(0)));

    const waiting = worker({
      module: import.meta.url,
      run: ({ ready }: WorkerContext<undefined>, signal) => {
        listen(signal);
        ready();
        return untilAborted(signal);
      },
    });
    const running = await startWorker(waiting, undefined, {}, ports);
    running.stop();
    t.match(await running.exited, { kind: "shutdown" });
    await settle();
    t.ok(failures.length === 1 && failures.every(isLost), String(failures.splice(0)));

    const slow = {
      start: ({ signal }: { readonly signal: AbortSignal }) => {
        listen(signal);
        return untilAborted(signal).then(() => Promise.reject(signal.reason as Error));
      },
    };
    const starting = startTree(supervisor("root", { strategy: "one-for-one" }, [hosted("slow", slow, { startMs: 100, restart: "temporary" })]), ports);
    starting.catch(() => undefined);
    await settle();
    await ports.clock.advance(100);
    await settle();
    t.ok(failures.some(isLost), String(failures));
  });
}

test("N8. in all else a guarded signal is a signal", async (t) => {
  const failures: unknown[] = [];
  const begun = (): readonly [AbortController, AbortSignal] => {
    const controller = new AbortController();
    return [controller, guardedSignal(controller.signal, (error) => failures.push(error))];
  };
  const [controller, signal] = begun();
  t.equal(
    guardedSignal(signal, () => t.fail("the first hears")),
    signal,
  );
  t.ok(signal instanceof AbortSignal && signal === controller.signal);
  t.same(Object.keys(signal), Object.keys(new AbortController().signal));
  const heard: unknown[] = [];
  const twice = function (this: unknown, event: Event): void {
    heard.push(this === signal, event.type);
  };
  const gone = (): void => void heard.push("gone");
  const goneObject = { handleEvent: gone };
  signal.addEventListener("abort", twice);
  signal.addEventListener("abort", twice);
  signal.addEventListener("abort", gone);
  signal.addEventListener("abort", goneObject);
  signal.removeEventListener("abort", gone);
  signal.removeEventListener("abort", goneObject);
  signal.addEventListener("abort", () => heard.push("once"), { once: true });
  signal.onabort = gone;
  t.equal(signal.onabort, gone);
  signal.onabort = null;
  signal.onabort = () => {
    throw new Error("lost");
  };
  const [detaching, detach] = begun();
  signal.addEventListener("abort", gone, { signal: detach });
  detaching.abort();
  addAbortListener(signal, () => heard.push("added"));
  const resource = {};
  const ended = aborted(signal, resource);
  t.throws(() => {
    signal.addEventListener("abort", 5 as never);
  }, TypeError);
  signal.throwIfAborted();

  const server = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/`;
  const any = AbortSignal.any([signal, new AbortController().signal]);
  const waits = [fetch(url, { signal }), fetch(url, { signal: any }), sleep(60_000, undefined, { signal }), once(server, "never", { signal })];
  const results = Promise.allSettled(waits);
  await once(server, "request");
  controller.abort(new Error("enough"));
  t.ok((await results).every(({ status }) => status === "rejected"));
  await ended;
  t.ok(any.aborted && any.reason === signal.reason);
  t.throws(() => {
    signal.throwIfAborted();
  }, /enough/);
  signal.dispatchEvent(new Event("abort"));
  t.same(heard, [true, "abort", "once", "added", true, "abort"]);
  t.match(failures, [{ message: "lost" }, { message: "lost" }]);
  server.closeAllConnections();
  server.close();
});
