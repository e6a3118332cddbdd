// What an entity is to begin with, and what is told to it, when that is nothing it could hold: a rejection with a code, or a value; never a silence, never a crash.

import { assign, setup } from "xstate";
import { test } from "tap";

import { actorType, type Durability, entityType, type EntityType, messages, parseAddress, T } from "../../../runtime/index.ts";
import { ManualClock } from "../../../runtime/simulation/index.ts";
import { hosting } from "./hosting.ts";

const T1 = parseAddress("acme/thing/t1");
const protocol = messages({ "thing.take": { body: { value: T.Any() } }, "thing.fail": { body: { value: T.Any() } } });
const trap = (): never => {
  throw new Error("trap");
};

function thing(durability: Durability, context: { readonly held: unknown } | (() => never) = { held: null }): EntityType {
  const root = actorType({
    name: "thing",
    version: 1,
    messages: protocol,
    behaviour: setup({ types: { context: {} as { readonly held: unknown } } }).createMachine({
      id: "thing",
      context,
      on: {
        "thing.take": { actions: assign({ held: () => Object.defineProperty({}, "value", { enumerable: true, get: trap }) }) },
        "thing.fail": { actions: assign(trap) },
      },
    }),
  });
  return entityType({ root, durability, placement: "cloud" });
}

for (const durability of ["events", "snapshot", "volatile"] as const) {
  test(`R2. a ${durability} entity whose input or labels cannot be kept does not begin, and who activates it is told why, with a code`, async (t) => {
    const { system } = await hosting({ types: [thing(durability)] });
    const bad: [string, object, RegExp][] = [
      ["labels with a function", { input: undefined, labels: { x: () => 1 } }, /the label "x" is a function/],
      ["labels with a number", { input: undefined, labels: { x: 5 } }, /the label "x" is a number/],
      ["labels with half a character", { input: undefined, labels: { x: "\ud800" } }, /the label "x" has half a character/],
      ["labels that are none", { input: undefined, labels: "x" }, /its labels are no object/],
    ];
    if (durability !== "volatile")
      bad.push(
        ["a Date", { input: { at: [new Date(0)] } }, /its start failed: \/?input\/at\/0 is an instance of Date/],
        ["a function", { input: { f: trap } }, /input\/f is a function/],
        ["a getter that throws", { input: Object.defineProperty({}, "n", { enumerable: true, get: trap }) }, /something that throws when it is read/],
      );
    for (const [name, options, message] of bad) {
      await t.rejects(system.activate(T1, options as never), { code: "DROVER_DATA_NOT_KEPT", message }, name);
      t.equal(system.read(T1), undefined, name);
      t.match(await system.tell(T1, { type: "thing.take" }), { kind: "no-such-actor" }, name);
    }
    await system.activate(T1, { input: { fine: true }, labels: { x: "y" } });
    t.match(system.read(T1), { status: "active", labels: { x: "y" } });
    await system.stop();
  });

  test(`H6. the rejection of a ${durability} entity whose start fails has the code of the fault`, async (t) => {
    const { system, clock } = await hosting({ types: [thing(durability, trap)] });
    const activation = t.rejects(system.activate(T1, { input: undefined }), { code: "DROVER_ACTOR_FAILED", message: /its start failed: trap/ });
    await clock.advance(1_000);
    await activation;
    await system.stop();
  });

  test(`A4. a message to a ${durability} actor that cannot be read through is refused as invalid, told or asked`, async (t) => {
    const { system } = await hosting({ types: [thing(durability)] });
    await system.activate(T1, { input: undefined });
    const circle: { self?: unknown } = {};
    circle.self = circle;
    let deep: unknown = 1;
    for (let at = 0; at < 5_000; at++) deep = [deep];
    for (const value of [circle, [circle], deep, 10n, Object.defineProperty({}, "n", { enumerable: true, get: trap }), new Proxy({}, { ownKeys: trap })]) {
      t.match(await system.tell(T1, { type: "thing.take", value }), { kind: "invalid", problems: [{}] });
      t.match(await system.ask(T1, { type: "thing.take", value }, { withinMs: 1_000 }), { kind: "invalid", problems: [{}] });
    }
    for (const options of [{ id: "\ud800" }, { id: 5 }, { author: "\udc00" }])
      t.match(await system.tell(T1, { type: "thing.take" }, options as never), { kind: "invalid", problems: [{ path: /^\/(id|author)$/, message: /whole characters/ }] });
    t.match(system.describeEntities()[0], { restarts: 0 });
    await system.stop();
  });
}

test("C4. what a volatile actor holds is shown as far as it can be read", async (t) => {
  const { system } = await hosting({ types: [thing("volatile")] });
  await system.activate(T1, { input: undefined });
  t.match(await system.tell(T1, { type: "thing.take", value: 1 }), { kind: "accepted" });
  t.match(system.read(T1), { status: "active", context: { held: /something that throws when it is read/ } });
  t.equal([...system.views()].length, 1);
  await system.stop();
});

test("H13. a node's own word to a volatile actor that JSON does not carry may make it fail like any other", async (t) => {
  const { system, clock } = await hosting({ types: [thing("volatile")], clock: new ManualClock() });
  await system.activate(T1, { input: undefined });
  t.ok(system.notify(T1, { type: "thing.fail", value: 10n }));
  await clock.advance(1_000);
  t.match(system.describeEntities()[0], { state: "running", restarts: 3, lastExit: { error: "trap" } });
  await system.stop();
});
