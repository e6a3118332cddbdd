// Code of actors outside of turns: each has its name while it runs, and what hung its process twice is not run a third time.

import { test } from "tap";
import { assign, fromCallback, fromPromise, sendTo, setup } from "xstate";

import { actorType, type EventOf, entityType, messages, parseAddress, subscription, T } from "../../../runtime/index.ts";
import type { Migration } from "../../../runtime/actor/index.ts";
import { MemoryDisk, settle } from "../../../runtime/simulation/index.ts";
import { FakeWatch } from "./fake-watch.ts";
import { hosting, type Hosting } from "./hosting.ts";
import { workerEntity, workerRoot } from "./ledger.ts";

const W = parseAddress("t/worker/w");
const order = (what: string, n: number): { type: string; what: string; n: number } => ({ type: "worker.do", what, n });

/** A worker whose effects note the name under which they run. */
async function worker(watch: FakeWatch, paint: () => Promise<void>, from?: Hosting): Promise<Hosting & { readonly seen: string[] }> {
  const seen: string[] = [];
  const note = (): void => void seen.push(watch.current?.what ?? "nothing");
  const effects = {
    paint: (): Promise<void> => {
      note();
      return paint();
    },
    fire: note,
    hold: note,
  };
  const node = await hosting({ types: [workerEntity, workerRoot.with({ effects })], stepWatch: watch, ...(from === undefined ? {} : { disk: from.disk, clock: from.clock }) });
  await node.system.activate(W, { input: undefined });
  return { ...node, seen };
}

const heard = ({ system }: Hosting): unknown => (system.read(W)?.context as { heard: unknown }).heard;
const never = (): Promise<void> => Promise.reject(new Error("not yet"));

test("M4. every attempt of an effect runs under its name; one that hung once is tried again and forgiven, one that hung twice has failed", async (t) => {
  const watch = new FakeWatch(W);
  const first = await worker(watch, never);
  await first.system.tell(W, order("paint", 1));
  await first.clock.advance(1_000);
  t.ok(first.seen.length > 1, "it is repeated");
  t.same(new Set(first.seen), new Set(['effect "paint"']));
  t.equal(watch.current, undefined);
  const key = watch.worked[0]?.key ?? "";
  t.match(key, /^effect t\/worker\/w#/);
  await first.system.stop();

  watch.hang(W, key);
  const second = await worker(watch, never, first);
  t.equal(second.seen.length, 1);
  t.same(watch.hung, [], "it came to its end");
  await second.system.stop();

  for (let times = 0; times < 2; times++) watch.hang(W, key);
  const third = await worker(watch, never, second);
  await settle();
  t.same(third.seen, []);
  t.match(heard(third), [{ type: "effect.failed", effect: "paint", reason: /hung 2 times and ended the process$/ }]);
  t.same(watch.hung, [], "its actor's turn with that is committed");
  await third.system.tell(W, order("paint", 2));
  t.equal(third.seen.length, 1, "another one of its kind is tried");
  await third.system.stop();
});

test("M4. an effect that hung stays known until its failure is committed", async (t) => {
  const watch = new FakeWatch(W);
  const first = await worker(watch, never);
  await first.system.tell(W, order("paint", 1));
  await settle();
  const key = watch.worked[0]?.key ?? "";
  await first.system.stop();
  for (let times = 0; times < 2; times++) watch.hang(W, key);
  const second = await worker(watch, never, first);
  second.store.commit = () => new Promise(() => undefined);
  await settle();
  t.equal(watch.hung.length, 2);
  void second.system.stop();
  await second.clock.advance(5_000);
  const third = await worker(watch, never, second);
  await settle();
  t.same([...second.seen, ...third.seen], []);
  t.same(watch.hung, []);
  await third.system.stop();
});

test("M4. F1. a state effect that hung twice has failed however often it is computed anew; a once effect is not repeated and has no key", async (t) => {
  const watch = new FakeWatch(W, "state hold of t/worker/w v1", "state hold of t/worker/w v1");
  const node = await worker(watch, never);
  for (const n of [1, 2]) await node.system.tell(W, order("hold", n));
  await node.system.tell(W, order("fire", 1));
  await settle();
  t.same(node.seen, ['effect "fire"']);
  t.match(heard(node), [
    { type: "effect.failed", effect: "hold" },
    { type: "effect.failed", effect: "hold" },
  ]);
  t.same(
    watch.worked.map(({ key }) => key),
    [""],
  );
  t.equal(watch.hung.length, 2);
  await node.system.stop();
});

const M = parseAddress("t/radio/m");
const radioMessages = messages({ tune: { body: {} }, say: { body: {} }, off: { body: {} } });

/** A radio that listens while it is on, and what its source notes: the name under which each part of it runs. */
function radio(watch: FakeWatch, version = 1): { readonly type: ReturnType<typeof entityType>; readonly seen: string[] } {
  const seen: string[] = [];
  const note = (): void => void seen.push(`${watch.current?.what ?? "nothing"} in ${watch.current?.cell ?? "none"}`);
  const waves = fromCallback(({ receive }) => {
    note();
    receive(note);
    return note;
  });
  const promise = fromPromise(() => {
    note();
    return new Promise<void>(() => undefined);
  });
  const behaviour = setup({
    types: { context: {} as { error: string } },
    actors: { waves, promise },
    actions: { keep: assign({ error: ({ event }) => (event as unknown as { error: Error }).error.message }) },
  }).createMachine({
    context: { error: "" },
    initial: "off",
    states: {
      off: { on: { tune: "on" } },
      on: {
        invoke: [
          { src: "waves", id: "waves", onError: { target: "off", actions: "keep" } },
          { src: "promise", id: "promise" },
        ],
        on: { say: { actions: sendTo("waves", { type: "hello" }) }, off: "off" },
      },
    },
  });
  const root = actorType({ name: "radio", version, messages: radioMessages, behaviour });
  return { type: entityType({ root, durability: "events", placement: "cloud" }), seen };
}

async function listening(watch: FakeWatch, version?: number): Promise<Hosting & { readonly seen: readonly string[] }> {
  const { type, seen } = radio(watch, version);
  const node = await hosting({ types: [type], stepWatch: watch });
  await node.system.activate(M, { input: undefined });
  await node.system.tell(M, { type: "tune" });
  return { ...node, seen };
}

const stateOf = ({ system }: Hosting): unknown => system.read(M)?.state;
const errorOf = ({ system }: Hosting): unknown => (system.read(M)?.context as { error: string }).error;

test("M4. H9. a source starts, receives and cleans up under its name, and is forgiven what hung once when that ended well", async (t) => {
  const keys = ["start t/radio/m/~/waves v1", "receive t/radio/m/~/waves v1", "cleanup t/radio/m/~/waves v1"];
  const watch = new FakeWatch(M, ...keys);
  const node = await listening(watch);
  t.same(
    watch.hung.map(({ key }) => key),
    keys.slice(1),
  );
  await node.system.tell(M, { type: "say" });
  t.equal(watch.hung.length, 2, "that it took one event says nothing of the next");
  await node.system.tell(M, { type: "off" });
  t.same(node.seen, [
    "start of a source in t/radio/m/~/waves",
    "start of a source in t/radio/m/~/promise",
    "receive of a source in t/radio/m/~/waves",
    "cleanup of a source in t/radio/m/~/waves",
  ]);
  t.same(watch.hung, []);
  t.equal(watch.current, undefined);
  await node.system.stop();
});

test("M4. H9. a source whose start hung twice has failed instead of starting, as often as it is to start; a newer version of its actor has a new chance", async (t) => {
  const key = "start t/radio/m/~/waves v1";
  const watch = new FakeWatch(M, key, key);
  const node = await listening(watch);
  await settle();
  t.equal(stateOf(node), "off");
  t.match(errorOf(node), /hung 2 times and ended the process$/);
  await node.system.tell(M, { type: "tune" });
  await settle();
  t.equal(stateOf(node), "off");
  t.notMatch(node.seen, ["start of a source in t/radio/m/~/waves"]);
  t.equal(watch.hung.length, 2);
  await node.system.stop();
  const newer = await listening(watch, 2);
  t.equal(stateOf(newer), "on");
  await newer.system.stop();
});

test("M4. H9. a source that hung twice when it received has failed with the next event; one that hung twice when it cleaned up is stopped without that", async (t) => {
  const receive = "receive t/radio/m/~/waves v1";
  const deaf = await listening(new FakeWatch(M, receive, receive));
  await deaf.system.tell(M, { type: "say" });
  await settle();
  t.equal(stateOf(deaf), "off");
  t.match(errorOf(deaf), /hung 2 times and ended the process$/);
  t.notMatch(deaf.seen.join(), "receive");
  t.match(deaf.seen.join(), "cleanup");
  await deaf.system.stop();

  const cleanup = "cleanup t/radio/m/~/waves v1";
  const careless = await listening(new FakeWatch(M, cleanup, cleanup));
  await careless.system.tell(M, { type: "off" });
  t.equal(stateOf(careless), "off");
  t.equal(errorOf(careless), "");
  t.notMatch(careless.seen.join(), "cleanup");
  await careless.system.stop();
});

test("M4. N1. an inline action runs under its name and as the doing of the input that made it happen, which is set aside at its third time", async (t) => {
  const watch = new FakeWatch(M);
  const seen: unknown[] = [];
  const root = actorType({
    name: "radio",
    version: 1,
    messages: messages({ quiet: { body: {} }, loud: { body: { n: T.Integer() } } }),
    behaviour: setup({}).createMachine({ entry: () => seen.push(watch.current), on: { quiet: {}, loud: { actions: () => seen.push(watch.current) } } }),
  });
  const { system } = await hosting({ types: [entityType({ root, durability: "volatile", placement: "cloud" })], stepWatch: watch });
  await system.activate(M, { input: undefined });
  // All in one turn.
  await Promise.all([
    system.tell(M, { type: "quiet" }, { id: "a" }),
    system.tell(M, { type: "loud", n: 1 }, { id: "b" }),
    system.tell(M, { type: "quiet" }, { id: "c" }),
    system.tell(M, { type: "loud", n: 2 }, { id: "d" }),
  ]);
  t.match(seen, [{ key: "start" }, { cell: M, key: "outside b" }, { cell: M, key: "outside d" }]);
  t.match((seen[1] as { what: string }).what, /^action "/);
  await system.deactivate(M);

  for (let times = 0; times < 2; times++) watch.hang(M, "outside b");
  await system.activate(M, { input: undefined });
  t.match(await system.tell(M, { type: "loud", n: 1 }, { id: "b" }), { kind: "refused", reason: /hung/ });
  t.equal(seen.length, 4);
  t.same(watch.hung, []);
  await system.stop();
});

const C = parseAddress("t/counter/c");

test("M4. who was under way at no death pays no commit for it: messages take as many with a watch as without, after a death of another too", async (t) => {
  const commits = async (stepWatch?: FakeWatch): Promise<unknown> => {
    const node = await hosting(stepWatch === undefined ? {} : { stepWatch });
    for (const at of [C, "t/counter/other"]) await node.system.activate(parseAddress(at), { input: undefined });
    for (let by = 1; by <= 20; by++) await node.system.tell(C, { type: "count.add", by }, { id: `n${String(by)}` });
    const counts = ["drover_commit_turns_total", "drover_commit_batches_total"].map((name) => node.system.metrics().find((metric) => metric.name === name)?.value);
    await node.system.stop();
    return counts;
  };
  const plain = await commits();
  t.match(plain, [22, Number]);
  t.same(await commits(new FakeWatch(C)), plain);
  t.same(await commits(new FakeWatch("t/counter/other", "outside n1", "outside n2")), plain);
});

test("M4. R1. a recorded turn that is run again has its name; one that hung twice is not run, and its committed outcome stands", async (t) => {
  const first = await hosting();
  await first.system.activate(C, { input: undefined });
  for (const by of [1, 2, 4]) await first.system.tell(C, { type: "count.add", by });
  await first.system.stop();

  const watch = new FakeWatch(C);
  const second = await hosting({ disk: first.disk, clock: first.clock, stepWatch: watch });
  await second.system.activate(C, { input: undefined });
  const [recovery = "", ...keys] = watch.worked.map(({ key }) => key);
  t.match(watch.worked[0], { cell: C, what: "recovery" });
  t.equal(keys.length, 3);
  t.match(watch.stepped, [{ cell: C, what: "replay of revision 2: count.add", key: keys[0] ?? "" }, {}, {}]);
  t.equal(watch.current, undefined);
  await second.system.stop();

  const [once = "", hung = ""] = keys;
  for (const key of [once, hung, hung, "replay gone 1"]) watch.hang(C, key);
  watch.worked.length = 0;
  const third = await hosting({ disk: first.disk, clock: first.clock, stepWatch: watch });
  await third.system.activate(C, { input: undefined });
  t.equal((third.system.read(C)?.context as { total: number }).total, 7);
  t.same(
    watch.worked.map(({ key }) => key),
    [recovery, ...keys.filter((key) => key !== hung)],
  );
  t.equal(third.system.metrics().find(({ name }) => name === "drover_replay_divergences_total")?.value, 1, "told");
  t.same(
    watch.hung.map(({ key }) => key),
    [hung, hung],
    "what was run again is forgiven, and what is not in the journal any more forgotten",
  );
  await third.system.stop();

  for (let times = 0; times < 2; times++) watch.hung.push({ at: 0, entity: C, cell: C, what: "recovery", key: recovery, how: "ended" });
  const fourth = await hosting({ disk: first.disk, clock: first.clock, stepWatch: watch });
  await t.rejects(fourth.system.activate(C, { input: undefined }), { code: "DROVER_ACTOR_HUNG", message: /^recovery of t\/counter\/c ended the process at once, 2 times$/ });
  await fourth.system.stop();
});

type Kept = ReturnType<Migration>;

test("M4. R2. an upgrade that hung twice keeps the entity away as one that throws; another version, or another migrate, has a new chance", async (t) => {
  const seen: unknown[] = [];
  const watch = new FakeWatch(M);
  const radioOf = (version: number, migrate?: (old: Kept) => Kept): ReturnType<typeof entityType> =>
    entityType({
      root: actorType({
        name: "radio",
        version,
        messages: radioMessages,
        contextSchema: T.Object({ volume: T.Integer() }),
        behaviour: setup({}).createMachine({ context: { volume: 1 }, on: { say: { actions: assign({ volume: 2 }) } } }),
        ...(migrate === undefined ? {} : { migrate: { 1: migrate } }),
      }),
      durability: "events",
      placement: "cloud",
    });
  const disk = new MemoryDisk();
  const restart = async (type: ReturnType<typeof entityType>): Promise<Hosting> => {
    watch.worked.length = 0;
    return hosting({ types: [type], disk, stepWatch: watch });
  };
  const first = await restart(radioOf(1));
  await first.system.activate(M, { input: undefined });
  await first.system.stop();
  const { contents } = disk;

  const migrate = (old: Kept): Kept => {
    seen.push(watch.stepped.at(-1));
    return old;
  };
  const failing = (old: Kept): Kept => {
    if (seen.length < 99) throw new Error("broken");
    return old;
  };
  const key = await (async () => {
    const thrower = await restart(radioOf(2, failing));
    await t.rejects(thrower.system.activate(M, { input: undefined }), { code: "DROVER_STATE_INVALID" });
    await thrower.system.stop();
    return watch.worked.at(-1)?.key ?? "";
  })();
  t.match(key, /^upgrade /);
  for (let times = 0; times < 2; times++) watch.hang(M, key);
  const hung = await restart(radioOf(2, failing));
  await t.rejects(hung.system.activate(M, { input: undefined }), { code: "DROVER_ACTOR_HUNG", message: /t\/radio\/m hung 2 times/ });
  t.match(await hung.system.tell(M, { type: "say" }), { kind: "owner-away" }, "as it is after one that throws");
  await hung.system.stop();
  t.equal(watch.hung.length, 2);
  t.equal(disk.contents, contents);

  const mended = await restart(radioOf(2, migrate));
  await mended.system.activate(M, { input: undefined });
  t.match(await mended.system.tell(M, { type: "say" }), { kind: "accepted" });
  t.match(seen, [{ cell: M, what: "upgrade" }]);
  t.same(watch.hung, [], "what hung is not run any more");
  await mended.system.stop();

  const context = `context ${M} ${key.slice("upgrade ".length)}`;
  const checked = await restart(radioOf(2, migrate));
  await checked.system.activate(M, { input: undefined });
  const check = watch.worked.at(-1);
  t.match(check, { cell: M, what: "check of the context" });
  t.not(check?.key, context);
  await checked.system.stop();
  for (let times = 0; times < 2; times++) watch.hang(M, check?.key ?? "");
  const shapeless = await restart(radioOf(2, migrate));
  await t.rejects(shapeless.system.activate(M, { input: undefined }), { code: "DROVER_ACTOR_HUNG" });
  await shapeless.system.stop();
});

const F = parseAddress("t/form/f");
const formMessages = messages({
  fill: { body: { text: T.String({ pattern: "^a+$" }) } },
  plain: { body: { text: T.String({ maxLength: 8 }), rows: T.Optional(T.Array(T.Union([T.Null(), T.Integer()]))) } },
});

/** A form that also hears what is published, and notes under which names. */
function form(durability: "events" | "volatile" = "events"): ReturnType<typeof entityType> {
  const behaviour = setup({
    types: { context: {} as { taken: number }, events: {} as EventOf<typeof formMessages> },
    actors: { hear: subscription() },
    actions: { take: assign({ taken: ({ context }) => context.taken + 1 }) },
  }).createMachine({ context: { taken: 0 }, invoke: { src: "hear", id: "hear", input: { topic: "news" } }, on: { "*": { actions: "take" } } });
  return entityType({ root: actorType({ name: "form", version: 1, messages: formMessages, behaviour }), durability, placement: "cloud" });
}

async function filling(watch: FakeWatch, disk = new MemoryDisk()): Promise<Hosting> {
  const node = await hosting({ types: [form()], stepWatch: watch, disk });
  await node.system.activate(F, { input: undefined });
  watch.worked.length = 0;
  return node;
}

test("M4. R3. the check of a message is watched where its schema may go on for ever, under the name and key of its step, and nowhere else", async (t) => {
  const watch = new FakeWatch(F);
  const { system } = await filling(watch);
  t.match(await system.tell(F, { type: "plain", text: "abc", rows: [1, null] }, { id: "a", author: "anna" }), { kind: "accepted" });
  t.match(await system.tell(F, { type: "plain", text: 1 }, { id: "b" }), { kind: "invalid" });
  t.same(watch.worked, []);
  t.match(await system.tell(F, { type: "fill", text: "b" }, { id: "c", author: "anna" }), { kind: "invalid" });
  t.match(await system.tell(F, { type: "fill", text: "a" }, { id: "d", author: "anna" }), { kind: "accepted" });
  t.same(watch.worked, [
    { cell: F, what: "fill from anna", key: "outside c" },
    { cell: F, what: "fill from anna", key: "outside d" },
  ]);
  t.same(watch.stepped.at(-1), watch.worked.at(-1));
  await system.inspection.tryOut(F, { type: "fill", text: "b" }, { author: "anna" });
  t.match(watch.worked.at(-1), { what: "a look inside", key: "" });
  watch.worked.length = 0;
  await system.inspection.replay(F, 2);
  t.match(watch.worked, [{ cell: F, what: "a look inside" }]);
  await system.stop();
});

test("M4. R3. a message whose check hung is checked in a turn of its own after its attempt is committed, and set aside at its third time, for good", async (t) => {
  const disk = new MemoryDisk();
  const watch = new FakeWatch(F, "outside x");
  const once = await filling(watch, disk);
  t.match(await once.system.tell(F, { type: "fill", text: "b" }, { id: "x" }), { kind: "invalid" });
  t.same(watch.worked, [], "not at the door");
  t.same(watch.hung, []);
  await once.system.stop();

  for (let times = 0; times < 2; times++) watch.hang(F, "outside y");
  const twice = await filling(watch, disk);
  const told = await twice.system.tell(F, { type: "fill", text: "b" }, { id: "y" });
  t.match(told, { kind: "refused", reason: /hung/ });
  t.same(watch.hung, []);
  t.same(await twice.system.tell(F, { type: "fill", text: "b" }, { id: "y" }), told, "kept under its id");
  t.same(watch.worked, []);
  await twice.system.stop();
});

test("M4. L4. what is published to an actor is checked under watch, and of a type whose check hung twice nothing is taken any more", async (t) => {
  const key = `hearing ${F}/~/hear v1 fill`;
  const watch = new FakeWatch(F, key);
  const node = await filling(watch);
  t.equal(node.system.publish("news", { type: "fill", text: "a" }), 1);
  t.match(watch.worked, [{ cell: `${F}/~/hear`, what: "check of fill", key }]);
  t.equal(watch.hung.length, 1, "that one fitted says nothing of the next");
  await node.system.stop();
  t.same(watch.hung, []);

  for (let times = 0; times < 2; times++) watch.hang(F, key);
  const deaf = await filling(watch);
  t.equal(deaf.system.publish("news", { type: "fill", text: "a" }), 0);
  t.equal(deaf.system.publish("news", { type: "plain", text: "a" }), 1, "other messages are");
  t.same(watch.worked, []);
  await deaf.system.stop();
  t.equal(watch.hung.length, 2);
});

test("M4. an observer of an actor, and what an actor offers, run under their names; what hung twice is told nothing more, and offers nothing", async (t) => {
  const watch = new FakeWatch(M);
  const seen: unknown[] = [];
  const root = actorType({
    name: "radio",
    version: 1,
    messages: messages({ say: { body: {} } }),
    behaviour: setup({ types: { context: {} as { said: number } } }).createMachine({
      context: { said: 0 },
      entry: ({ self }) => void self.subscribe(() => seen.push(watch.current?.what)),
      on: { say: { actions: assign({ said: ({ context }) => context.said + 1 }) } },
    }),
    offers: (words) => {
      seen.push(watch.current?.what);
      return words;
    },
  });
  const start = async (): Promise<Hosting> => {
    const node = await hosting({ types: [entityType({ root, durability: "volatile", placement: "cloud" })], stepWatch: watch });
    await node.system.activate(M, { input: undefined });
    await node.system.tell(M, { type: "say" });
    await settle();
    return node;
  };
  const first = await start();
  t.same(first.system.read(M)?.accepts, ["say"]);
  t.same(new Set(seen), new Set(["observer", "offers"]));
  const keys = [...new Set(watch.worked.map(({ key }) => key))].filter((key) => key.startsWith("outside of turns"));
  t.equal(keys.length, 2);
  for (const key of keys) watch.hang(M, key);
  await first.system.tell(M, { type: "say" });
  first.system.read(M);
  t.equal(watch.hung.length, 2, "that it ended once says nothing of the next time");
  await first.system.stop();
  t.same(watch.hung, []);

  for (const key of [...keys, ...keys]) watch.hang(M, key);
  seen.length = 0;
  const second = await start();
  t.same(second.system.read(M)?.accepts, []);
  t.equal((second.system.read(M)?.context as { said: number }).said, 1);
  t.same(seen, []);
  await second.system.stop();
  t.equal(watch.hung.length, 4);
});
