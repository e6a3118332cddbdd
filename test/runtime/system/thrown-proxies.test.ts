// What an author's code throws may throw again when it is looked at: a proxy that was revoked, one whose traps throw. It is the failure that it would be as an error; a rejection that nobody
// hears fails the test that is under way.

import { test } from "tap";
import { assign, fromCallback, fromPromise, sendTo, setup } from "xstate";

import { actorType, effect, entityType, messages, parseAddress, type Registered, reply, type System, T } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import type { ManualClock } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const A = parseAddress("t/press/a");
const IDLE = "idle";

const thrown: Readonly<Record<string, () => unknown>> = {
  "a proxy that was revoked": () => {
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    return proxy;
  },
  "a proxy that throws itself": () => {
    const trap = (): never => {
      throw proxy as Error;
    };
    const proxy: object = new Proxy(new Error("hidden"), { get: trap, has: trap, getPrototypeOf: trap, ownKeys: trap, getOwnPropertyDescriptor: trap });
    return proxy;
  },
  "what shows nothing of itself": () => ({ toJSON: () => undefined }),
  "an error whose message throws": () =>
    Object.defineProperty(new Error("hidden"), "message", {
      enumerable: true,
      get: () => {
        throw new Error("no message");
      },
    }),
};

/** As a log does that writes what it is given. */
function looking(lines: string[]): Log {
  const at = (fields: object, message: string): void => {
    for (const value of Object.values(fields) as unknown[]) if (value instanceof Error) JSON.stringify([Object.entries(value), value.message, value.stack, value.cause]);
    lines.push(message);
  };
  const log: Log = { debug: at, info: at, warn: at, error: at, child: () => log };
  return log;
}

const pressMessages = messages({
  "press.effect": { body: {} },
  "press.run": { body: { what: T.String() } },
  "press.leave": { body: {} },
  "press.jam": { body: {} },
  "press.count": { body: {}, reply: T.Object({ failed: T.Integer() }) },
});
type Event =
  | { readonly type: "press.run"; readonly what: string }
  | { readonly type: "press.effect" | "press.leave" | "press.jam" }
  | { readonly type: "press.count"; readonly replyTo: never };

/** Runs what is asked for, counts the failures that it hears of, and answers. */
function press(make: () => unknown): Registered[] {
  const fail = (): never => {
    throw make() as Error;
  };
  const part = setup({ types: {} }).createMachine({ id: "part", entry: assign(fail) });
  const behaviour = setup({
    types: { context: {} as { failed: number }, events: {} as Event },
    actions: { stamp: effect<{ n: number }>({ class: "idempotent" }), note: assign({ failed: ({ context }) => context.failed + 1 }) },
    actors: {
      "is a child": part,
      "is called off": fromPromise(async ({ signal }) => {
        await new Promise<void>((resolve) => {
          signal.addEventListener("abort", () => {
            resolve();
          });
        });
        return fail();
      }),
      "listens to its end": fromPromise<never>(
        ({ signal }) =>
          new Promise(() => {
            signal.addEventListener("abort", fail);
          }),
      ),
      "cleans up": fromCallback(() => fail),
      rejects: fromPromise(async () => Promise.resolve().then(fail)),
      begins: fromCallback(fail),
    },
  });
  const running = (src: "is a child" | "is called off" | "listens to its end" | "cleans up" | "rejects" | "begins") =>
    ({ invoke: { src, onError: { target: IDLE, actions: "note" } } }) as never;
  const names = ["is a child", "is called off", "listens to its end", "cleans up", "rejects", "begins"] as const;
  const machine = behaviour.createMachine({
    id: "press",
    context: { failed: 0 },
    initial: IDLE,
    on: {
      "press.effect": { actions: { type: "stamp", params: { n: 1 } } },
      "press.run": names.map((name) => ({ guard: ({ event }: { event: Event }) => event.type === "press.run" && event.what === name, target: `.${name}` })) as never,
      "press.jam": { actions: assign(fail) },
      "press.leave": `.${IDLE}` as never,
      "press.count": {
        actions: sendTo(
          ({ event }) => event.replyTo,
          ({ context }) => reply({ failed: context.failed }) as never,
        ),
      },
    },
    states: { [IDLE]: {}, ...Object.fromEntries(names.map((name) => [name, running(name)])) },
  });
  const root = actorType({ name: "press", version: 1, messages: pressMessages, behaviour: machine as never });
  return [entityType({ root, durability: "events", placement: "cloud" }), root];
}

async function pressing(make: () => unknown, more: Record<string, unknown> = {}): Promise<{ readonly system: System; readonly clock: ManualClock; readonly lines: string[] }> {
  const lines: string[] = [];
  const [entity, root] = press(make) as [Registered, { with: (given: object) => Registered }];
  const { system, clock } = await hosting({ types: [entity, root.with({ effects: { stamp: () => undefined, ...more } })], log: looking(lines) });
  await system.activate(A, { input: undefined });
  return { system, clock, lines };
}

for (const [name, make] of Object.entries(thrown)) {
  test(`F1. an idempotent effect that rejects with ${name} is repeated until it is confirmed, and its failing is told`, async (t) => {
    let attempts = 0;
    const stamp = async (): Promise<void> => {
      attempts++;
      if (attempts < 6) throw make() as Error;
      return Promise.resolve();
    };
    const { system, clock, lines } = await pressing(make, { stamp });
    await system.tell(A, { type: "press.effect" });
    await clock.advance(600_000);
    t.equal(attempts, 6);
    t.match(lines, ["an idempotent effect keeps failing; it is repeated until confirmed"]);
    await system.stop();
  });

  for (const [what, failed, said] of [
    ["is a child", 1, undefined],
    ["rejects", 1, undefined],
    ["begins", 1, undefined],
    ["is called off", 0, undefined],
    ["listens to its end", 0, "a source failed while it was stopped, or after that"],
    ["cleans up", 0, "a source failed while it was stopped, or after that"],
  ] as const)
    test(`S4, H9. ${name}, of what ${what}, is the failure of that one, heard where an error is`, async (t) => {
      const { system, clock, lines } = await pressing(make);
      t.match(await system.tell(A, { type: "press.run", what }), { kind: "accepted" });
      await clock.advance(1);
      t.match(await system.tell(A, { type: "press.leave" }), { kind: "accepted" });
      await clock.advance(1);
      t.same(await system.ask(A, { type: "press.count" }, { withinMs: 1_000 }), { kind: "replied", value: { failed } });
      t.same(lines, said === undefined ? [] : [said]);
      await system.stop();
    });

  test(`S4, H12. ${name}, thrown in a step of the actor itself, is its fault: its message is set aside, and it goes on`, async (t) => {
    const { system } = await pressing(make);
    t.match(await system.tell(A, { type: "press.jam" }), { kind: "refused", reason: /^set aside after 3 failures: / });
    t.match(await system.ask(A, { type: "press.count" }, { withinMs: 1_000 }), { kind: "replied" });
    await system.stop();
  });

  test(`S4. a watcher of changes that throws ${name} stops no turn`, async (t) => {
    const { system, lines } = await pressing(make);
    system.watch(() => {
      throw make() as Error;
    });
    t.match(await system.tell(A, { type: "press.leave" }), { kind: "accepted" });
    t.match(lines, ["a watcher of changes threw"]);
    await system.stop();
  });

  test(`H2, T4. a migrate that throws ${name} keeps its own entity away, and says which step it was`, async (t) => {
    const cup = (version: number, more = {}): Parameters<typeof entityType>[0]["root"] =>
      actorType({ name: "cup", version, messages: messages({}), behaviour: setup({}).createMachine({ id: "cup" }) as never, ...more });
    const cup1 = cup(1);
    const cup2 = cup(2, {
      earlier: [cup1],
      migrate: {
        1: () => {
          throw make() as Error;
        },
      },
    });
    const types = (root: typeof cup1): Registered[] => [entityType({ root, durability: "events", placement: "cloud" })];
    const C = parseAddress("t/cup/c");
    const first = await hosting({ types: types(cup1) });
    await first.system.activate(C, { input: undefined });
    await first.system.stop();
    const { system } = await hosting({ types: types(cup2), disk: first.disk, clock: first.clock, versions: "raised-at-start" });
    await t.rejects(system.activate(C, { input: undefined }), { message: /migrate\[1\] of cup/ });
    await system.stop();
  });
}

test("S4. a log that throws of its own accord takes nothing down", async (t) => {
  const fails = (): never => {
    throw new Error("the log's disk is full");
  };
  const log: Log = { ...silentLog, warn: fails, error: fails, child: () => log };
  const { system } = await hosting({ log });
  const K = parseAddress("acme/counter/one");
  await system.activate(K, { input: undefined });
  system.watch(fails);
  t.match(await system.tell(K, { type: "count.add", by: 2 }), { kind: "accepted" });
  t.match(system.read(K), { context: { total: 2 } });
  await system.stop();
});
