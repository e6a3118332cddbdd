// How far the context of a volatile actor grows, whatever a step adds and wherever: warned once, and held at its limit (hosting H13; promise S5).

import { test } from "tap";

import { actorType, entityType, type EventOf, messages, reducer, T } from "../../../runtime/actor/index.ts";
import { anyMessages, EntityHost, thingType } from "../entity-host.ts";
import { enqueueActions, machine, spawnChild } from "../xstate/loose.ts";

const MIB = 1_048_576;

const words = messages({ keep: { body: { text: T.String() } } });
const root = actorType({
  name: "thing",
  version: 1,
  messages: words,
  behaviour: reducer<readonly string[], EventOf<typeof words>>({ initial: () => [], step: (state, event) => [...state, event.text] }),
});

/** What a step may add or exchange; more than what is kept makes the list shorter. */
const shapes: Readonly<Record<string, (list: readonly unknown[], piece: string) => readonly unknown[]>> = {
  "at the end": (list, piece) => [...list, piece],
  "at the beginning": (list, piece) => [{ piece }, ...list],
  "in the middle": (list, piece) => [...list.slice(0, list.length / 2), [piece], ...list.slice(list.length / 2)],
  "within one part": ([last = ""], piece) => [`${String(last)}${piece}`],
  "deep inside": (list, piece) => [{ more: { list: [...((list[0] as { more: { list: readonly string[] } } | undefined)?.more.list ?? []), piece] } }],
};

for (const kib of [100, 1_000]) {
  test(`H13. the context of a volatile actor is held at its limit where each message adds ${String(kib)} KiB, wherever that is`, (t) => {
    for (const [name, grown] of Object.entries(shapes)) {
      let count = 0;
      const behaviour = reducer<readonly unknown[], EventOf<typeof words>>({ initial: () => [], step: (state) => grown(state, String(++count).padEnd(kib * 1_024, "x")) });
      const host = new EntityHost(entityType({ root: actorType({ name: "thing", version: 1, messages: words, behaviour }), durability: "volatile", placement: "cloud" }));
      let accepted = 0;
      for (let at = 0; at < 8_192 / kib + 10; at++) if (host.send({ type: "keep", text: "" }).kind === "accepted") accepted++;
      const bytes = JSON.stringify(host.context()).length;
      t.ok(bytes < 4 * MIB && bytes > 3.5 * MIB - kib * 1_024, `${name}: ${String(bytes)} bytes of ${String(accepted)}`);
      const told = host.effects.filter((effect) => effect.kind === "supervision").map(({ report }) => report.context);
      t.equal(told.filter((word) => word === "context_large").length, 1, `${name}: said once`);
    }
    t.end();
  });
}

test("H13. what is known of a volatile actor's size outlives turns that are taken back", (t) => {
  const host = new EntityHost(entityType({ root, durability: "volatile", placement: "cloud" }));
  const text = "x".repeat(200_000);
  for (let at = 0; at < 100; at++) {
    host.entity.turn([host.message({ type: "keep", text })], { now: at, elapsed: at, seed: at });
    host.entity.rollback();
    host.send({ type: "keep", text });
  }
  const bytes = JSON.stringify(host.context()).length;
  t.ok(bytes < 4 * MIB && bytes > 3 * MIB, String(bytes));
  t.end();
});

test("H13, S5. all actors of a volatile entity are held at their bound where one step makes many, each within its own limit", (t) => {
  const kid = machine({ context: ({ input }) => ({ text: "x".repeat(100_000 + (input as number)) }) });
  const parent = machine(
    {
      on: {
        MANY: {
          actions: enqueueActions(({ enqueue }) => {
            for (let at = 0; at < 250; at++) enqueue.spawnChild("kid", { id: `k${String(at)}`, input: at });
          }),
        },
        ONE: { actions: spawnChild("kid", { id: ({ event }) => `o${String(event.at)}`, input: 1 }) },
      },
    },
    { actors: { kid } },
  );
  const host = new EntityHost(thingType(parent, anyMessages(), { durability: "volatile" }));
  t.match(host.send("MANY"), { kind: "faulted", code: "DROVER_ENTITY_TOO_LARGE" });
  for (let at = 0; at < 150; at++) host.send({ type: "ONE", at });
  const bytes = host.entity.views().reduce((sum, { context }) => sum + JSON.stringify(context ?? null).length, 0);
  t.ok(bytes > 13 * MIB && bytes < 22 * MIB, String(bytes));
  t.end();
});
