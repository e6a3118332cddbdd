// What is handed over and throws when it is read: a getter, a proxy that was revoked. Who sends it is told `invalid`, never thrown at (hosting A4).

import { test } from "tap";

import { parseAddress, type TellOptions } from "../../../runtime/index.ts";
import type { EventData } from "../../../runtime/entity/contract.ts";
import { hosting } from "./hosting.ts";

const A = parseAddress("acme/counter/one");
const NONE = "acme/counter/none";
const trap = (): never => {
  throw new Error("trap");
};

function revoked(): never {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as never;
}

const getter = (name: string, get: () => unknown, more: object = {}): never => Object.defineProperty({ ...more }, name, { enumerable: true, get }) as never;

const events: Readonly<Record<string, readonly [() => EventData, string]>> = {
  "a revoked proxy": [revoked, ""],
  "a type that throws": [() => getter("type", trap), ""],
  "a type that throws the second time": [
    () => {
      let reads = 0;
      return getter("type", () => (++reads > 1 ? trap() : "count.add"), { by: 1 });
    },
    "",
  ],
  "a field that throws": [() => getter("by", trap, { type: "count.add" }), ""],
  "a revoked proxy within": [() => ({ type: "count.add", by: revoked() }), ""],
};

test("A4. an event that throws when it is read is invalid, whoever it is for and however it is sent", async (t) => {
  const { system } = await hosting();
  await system.activate(A, { input: undefined });
  for (const [name, [make, path]] of Object.entries(events))
    for (const to of [A, NONE, "acme/nobody/x"]) {
      for (const told of [await system.tell(to, make()), await system.ask(to, make(), { withinMs: 100, id: "i" })])
        t.match(told, { kind: "invalid", problems: [{ path }] }, `${name}, to ${to}`);
    }
  t.match(await system.tell(NONE, getter("type", trap), { create: { input: undefined } }), { kind: "invalid" });
  t.equal(system.read(parseAddress(NONE)), undefined, "and nothing begins by it");
  t.match(system.read(A), { revision: 1, context: { total: 0 } });
  await system.stop();
});

test("A4. so are options that throw when they are read; each is read once", async (t) => {
  const { system } = await hosting();
  await system.activate(A, { input: undefined });
  const add = { type: "count.add", by: 1 };
  const throws = { kind: "invalid", problems: [{ path: "/options", message: "it throws when it is read" }] };
  t.match(await system.tell(A, add, revoked()), throws);
  for (const name of ["id", "author", "withinMs", "keepMs", "trace", "bytes", "create"] satisfies (keyof TellOptions)[]) {
    t.match(await system.tell(A, add, getter(name, trap)), throws, name);
    t.match(await system.tell(A, add, { [name]: revoked() }), { kind: "invalid" }, name);
  }
  t.match(await system.tell(NONE, add, { create: getter("input", trap) }), throws);
  t.match(await system.tell(A, add, getter("other", trap)), { kind: "invalid" });
  t.match(system.read(A), { revision: 1, context: { total: 0 } });
  let reads = 0;
  const changing = getter("id", () => `id-${String(++reads)}`);
  t.match(await system.ask(A, add, changing), { kind: "replied", value: { total: 1 } });
  t.equal(reads, 1);
  t.ok(system.taken(A, "id-1"));
  await system.stop();
});

test("A4. who notifies, publishes or begins an entity with it is told as of anything else that is none", async (t) => {
  const { system } = await hosting();
  await system.activate(A, { input: undefined });
  for (const to of [A, parseAddress(NONE), parseAddress("acme/nobody/x")]) t.equal(system.notify(to, revoked()), false);
  t.match(
    system.deadLetters({ limit: 10 }),
    [A, NONE, "acme/nobody/x"].map((to) => ({ to, type: "(none)", reason: "not an event" })),
  );
  for (const event of [revoked(), getter("type", trap), { type: "count.add", by: revoked() }]) t.throws(() => system.publish("acme/news", event), { code: "DROVER_TOPIC_INVALID" });
  await t.rejects(system.activate(parseAddress(NONE), revoked()), { code: "DROVER_CONFIG_INVALID" });
  await system.stop();
});
