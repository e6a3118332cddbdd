// An entity whose code ended two processes of its node by different work: the node runs without it, for an hour or until its code is another.

import { test } from "tap";

import { actorType, entityType, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import type { HungStep } from "../../../runtime/ports/index.ts";
import { type ManualClock, MemoryDisk, settle } from "../../../runtime/simulation/index.ts";
import { FakeWatch } from "./fake-watch.ts";
import { hosting, type Hosting } from "./hosting.ts";

const C = parseAddress("t/bell/c");
const D = parseAddress("t/bell/d");
const MINUTE_MS = 60_000;
const ring = { type: "ring" };
const bellMessages = messages({ ring: { body: {} }, wind: { body: { ms: T.Integer() } } });

/** Counts how often it rang; `wind` rings it later. */
function bell({
  version = 1,
  ...more
}: {
  readonly version?: number;
  readonly durability?: "events" | "volatile";
  readonly passivateAfterMs?: number;
} = {}): ReturnType<typeof entityType> {
  const behaviour = reducer<number, { readonly type: string; readonly ms?: number }>({
    initial: () => 0,
    step: (rung, { type, ms = 0 }, turn) => {
      if (type === "ring") return rung + 1;
      turn.arm("wound", ms, ring);
      return rung;
    },
  });
  return entityType({
    root: actorType({ name: "bell", version, messages: bellMessages, behaviour, migrate: { 1: (old) => old } }),
    durability: "events",
    placement: "cloud",
    ...more,
  });
}

type Kind = ReturnType<typeof entityType>;

/** Another process of the same node. */
async function again(watch: FakeWatch, type: Kind, from?: Hosting): Promise<Hosting> {
  await from?.system.stop();
  return hosting({ types: [type], stepWatch: watch, ...(from === undefined ? { disk: new MemoryDisk() } : { disk: from.disk, clock: from.clock }) });
}

/** Two processes have ended in C. @returns a third one, in which D is active */
async function afterTwo(type: Kind, keys = ["outside a", "outside b"], apartMs = MINUTE_MS): Promise<Hosting & { readonly watch: FakeWatch }> {
  const watch = new FakeWatch(C);
  const first = await again(watch, type);
  if (type.passivateAfterMs === undefined) await first.system.activate(C, { input: undefined });
  await first.system.tell(C, { type: "wind", ms: 5 * MINUTE_MS }, { create: { input: undefined } });
  for (const [at, key] of keys.entries()) {
    if (at > 0) await first.clock.advance(apartMs);
    watch.die(C, key, { at: first.clock.now() });
  }
  const third = await again(watch, type, first);
  await third.system.activate(D, { input: undefined });
  return { ...third, watch };
}

const node = (system: System): unknown => system.describeEntities().find(({ id }) => id === C);
const isOut = (system: System): boolean => system.metrics().some(({ name, value }) => name === "drover_entities_kept_out" && value === 1);
const rung = (system: System): unknown => system.read(C)?.context;
const comes = async (system: System): Promise<boolean> =>
  system.activate(C, { input: undefined }).then(
    () => true,
    () => false,
  );

test("M4. two deaths by different messages of one entity: it is not activated, who calls it is told why at once, all others work, and what is stored stays", async (t) => {
  const { system, watch, store } = await afterTwo(bell());
  const before = await store.load(C);
  t.match(before, { entity: C });
  t.ok(isOut(system), "before anybody asks for it");
  await t.rejects(system.activate(C, { input: undefined }), { code: "DROVER_ACTOR_HUNG", message: /work outside a in t\/bell\/c \(hung\) and at work outside b/ });
  const away = { kind: "owner-away", reason: /another 60 min.*raise the version of its type, or take its lines out of the node's crash file/ };
  t.match(await system.tell(C, ring), away);
  t.match(await system.tell(C, ring, { create: { input: undefined } }), away);
  t.match(await system.ask(C, ring, { withinMs: 1_000 }), away);
  t.match(await system.inform(C, ring), away);
  t.equal(system.notify(C, ring), false);
  t.match(system.deadLetters({ limit: 9 }), [{ to: C, type: "ring", reason: "owner-away" }]);
  t.match(node(system), { state: "failed", lastExit: { reason: "kept-out", error: /two processes of this node ended/ } });
  t.match(await system.look(C), { context: 0 }, "its state can be looked at");
  t.match(await system.tell(D, ring), { kind: "accepted" });
  t.same(await store.load(C), before);
  t.equal(watch.hung.length, 2);
  await system.stop();
});

test("M4. it comes back by itself when an hour has passed since the later death, with its timers", async (t) => {
  const { system, clock } = await afterTwo(bell());
  await clock.advance(59 * MINUTE_MS);
  t.match(await system.tell(C, ring), { kind: "owner-away", reason: /another 1 min/ });
  await t.rejects(system.activate(C, { input: undefined }), { code: "DROVER_ACTOR_HUNG" });
  await clock.advance(MINUTE_MS);
  await settle();
  t.notOk(isOut(system));
  t.match(await system.tell(C, ring), { kind: "accepted" });
  t.equal(rung(system), 2, "the timer of before has rung");
  await system.stop();
});

test("M4. one that is deactivated while it is kept out stays away, and a stopped node lets nobody in", async (t) => {
  const { system, clock } = await afterTwo(bell());
  await system.deactivate(C);
  t.notOk(isOut(system));
  t.match(await system.tell(C, ring), { kind: "owner-away" });
  t.notOk(await comes(system), "whoever activates it is told");
  t.ok(isOut(system));
  await system.stop();
  await clock.advance(61 * MINUTE_MS);
  t.equal(system.read(C), undefined);
});

test("M4. another version of its type is let in at once", async (t) => {
  const out = await afterTwo(bell());
  const mended = await again(out.watch, bell({ version: 2 }), out);
  t.ok(await comes(mended.system));
  t.match(await mended.system.tell(C, ring), { kind: "accepted" });
  await mended.system.stop();
});

test("M4. a death in which the machine went down too is nobody's doing", async (t) => {
  const out = await afterTwo(bell());
  out.watch.hung[1] = { ...(out.watch.hung[1] as HungStep), withMachine: true };
  const { system } = await again(out.watch, bell(), out);
  t.notOk(isOut(system));
  t.ok(await comes(system));
  await system.stop();
});

test("M4. a death that somebody else brought about is nobody's doing", async (t) => {
  const out = await afterTwo(bell());
  out.watch.hung[1] = { ...(out.watch.hung[1] as HungStep), byOthers: true };
  const { system } = await again(out.watch, bell(), out);
  t.notOk(isOut(system));
  t.ok(await comes(system));
  await system.stop();
});

for (const [what, idleAgo, isKept] of [
  ["fewer", [MINUTE_MS], true],
  ["as many", [MINUTE_MS, 59 * MINUTE_MS], false],
  ["as many, but not within that hour,", [MINUTE_MS, 60 * MINUTE_MS], true],
  ["more, some of them later,", [-MINUTE_MS, MINUTE_MS, 2 * MINUTE_MS], false],
] as const)
  test(`M4. where ${what} deaths of that hour met no code of an actor, an entity is ${isKept ? "kept out" : "not kept out"}`, async (t) => {
    const out = await afterTwo(bell());
    const last = (out.watch.hung[1] as HungStep).at;
    out.watch.idleDeaths.push(...idleAgo.map((ms) => last - ms));
    const { system } = await again(out.watch, bell(), out);
    t.equal(isOut(system), isKept);
    t.equal(await comes(system), !isKept);
    await system.stop();
  });

test("M4. a clock that went back keeps nobody out for more than an hour", async (t) => {
  const out = await afterTwo(bell());
  for (const [at, each] of out.watch.hung.entries()) out.watch.hung[at] = { ...each, at: each.at + 1_000 * MINUTE_MS };
  const { system, clock } = await again(out.watch, bell(), out);
  t.ok(isOut(system));
  await clock.advance(60 * MINUTE_MS);
  await settle();
  t.equal((await system.tell(C, ring)).kind, "accepted");
  await system.stop();
});

for (const [what, keys, apartMs] of [
  ["by one message, which has its three attempts", ["outside a", "outside a"], MINUTE_MS],
  ["by one message and before its step", ["outside a", "attempt at outside a"], MINUTE_MS],
  ["more than an hour apart", ["outside a", "outside b"], 60 * MINUTE_MS],
] as const)
  test(`M4. two deaths ${what} keep nobody out`, async (t) => {
    const { system } = await afterTwo(bell(), [...keys], apartMs);
    t.notOk(isOut(system));
    t.ok(await comes(system));
    await system.stop();
  });

test("M4. news that have no key are different each time, and a volatile entity is told of as away too", async (t) => {
  const { system } = await afterTwo(bell({ durability: "volatile" }), ["", ""]);
  t.match(await system.tell(C, ring), { kind: "owner-away", reason: /two processes/ });
  await system.stop();
});

test("M4. K3. an entity that leaves memory is listed as away while it is kept out, no call and no timer brings it, and none is lost", async (t) => {
  const { system, clock } = await afterTwo(bell({ passivateAfterMs: 1_000 }));
  t.match(await system.tell(C, ring), { kind: "owner-away", reason: /two processes/ });
  t.match((await system.list({ limit: 9, text: C })).items, [{ address: C, status: "away" }]);
  await clock.advance(30 * MINUTE_MS);
  t.equal(rung(system), undefined);
  await clock.advance(30 * MINUTE_MS);
  await settle();
  t.match(await system.tell(C, ring), { kind: "accepted" });
  t.equal(rung(system), 2);
  await system.stop();
});

/** Rings so often. */
async function rings(system: System, clock: ManualClock, times: number): Promise<void> {
  for (let n = 0; n < times; n++) await system.tell(C, ring);
  await clock.advance(1);
}

test("M4. who has taken a thousand turns in ten minutes without harm has a clean slate, but for what hung twice itself", async (t) => {
  const { system, clock, watch } = await afterTwo(bell(), ["outside a", "outside b", "outside b"], 60 * MINUTE_MS);
  watch.die(C, "", { at: clock.now() - 180 * MINUTE_MS, how: "ended" });
  t.ok(await comes(system));
  await rings(system, clock, 1_100);
  t.equal(watch.hung.length, 4, "too soon");
  await clock.advance(10 * MINUTE_MS);
  await rings(system, clock, 1);
  t.same(
    watch.hung.map(({ key }) => key),
    ["outside b", "outside b"],
  );
  await system.stop();
});
