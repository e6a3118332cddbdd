// A store that has no room for a while: who asked is told, nothing else is lost, and the entity stays where it is.

import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import type { CommitOutcome } from "../../../runtime/ports/index.ts";
import { hosting } from "./hosting.ts";

const one = parseAddress("acme/counter/one");
const total = (view: { readonly context: unknown } | undefined): unknown => (view?.context as { readonly total: number } | undefined)?.total;

test("C2, S6. a store without room takes down no entity: senders are told, timers and news wait, and it goes on when there is room", async (t) => {
  const { system, store, clock } = await hosting();
  await system.activate(one, { input: undefined });
  t.match(await system.tell(one, { type: "count.later", ms: 1_000 }), { kind: "accepted" });
  let ended = false;
  void system.ended(one).then(
    () => (ended = true),
    () => (ended = true),
  );
  const commit = store.commit.bind(store);
  let attempts = 0;
  store.commit = async (batch) => {
    attempts++;
    return batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true }));
  };
  t.match(await system.tell(one, { type: "count.add", by: 5 }), { kind: "not-stored", reason: "the disk is full" });
  system.notify(one, { type: "count.add", by: 7 });
  await clock.advance(60_000);
  t.notOk(ended, "it is still here");
  t.match(system.read(one), { revision: 2, state: "later", context: { total: 0 } }, "and shows what is committed");
  t.ok(attempts > 5 && attempts < 150, `tried with backoff: ${String(attempts)} times in a minute`);
  store.commit = commit;
  await clock.advance(10_000);
  t.match(system.read(one), { state: "open" });
  t.equal(total(system.read(one)), 8, "the host's news was taken and the timer fired, once each");
  t.match(await system.tell(one, { type: "count.add", by: 2 }), { kind: "accepted" });
  t.equal(total(system.read(one)), 10);
  store.commit = async (batch) => batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", passing: true }));
  system.notify(one, { type: "count.add", by: 1 });
  await clock.advance(300);
  await system.stop();
  t.ok(ended, "a stop does not wait for room");
});

test("M2, S3. what is known of an id is told while a turn beside it finds no room: to a repetition what it was told, to another message that the id is taken", async (t) => {
  for (const more of [{ passing: true } as const, {}]) {
    const { system, store, clock } = await hosting();
    await system.activate(one, { input: undefined });
    const add = (id: string, by: number): ReturnType<typeof system.ask> => system.ask(one, { type: "count.add", by }, { withinMs: 1_000, id });
    t.same(await add("order-1", 5), { kind: "replied", value: { total: 5 } });
    const commit = store.commit.bind(store);
    store.commit = async (batch) => batch.map((): CommitOutcome => ({ kind: "refused", reason: "the disk is full", ...more }));
    const told = await Promise.all([add("order-2", 7), add("order-1", 6), add("order-1", 5)]);
    t.same(told, [{ kind: "not-stored", reason: "the disk is full" }, { kind: "id-reused" }, { kind: "replied", value: { total: 5 } }]);
    store.commit = commit;
    await clock.advance(10_000);
    t.same(await add("order-2", 8), { kind: "replied", value: { total: 13 } }, "an id that was not stored is free");
    t.same(await add("order-2", 7), { kind: "id-reused" });
    await system.stop();
  }
});
