// Far more entities have something under way than may be in memory: the node goes on, whatever they wait for.

import { test } from "tap";
import { actorType, type Address, effect, effectOutcomes, entityType, type EntityType, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import type { ManualClock } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";

const RESIDENT = 5;
const SENDERS = 40;
const IDLE_MS = 500;
/** Commands find room below this. */
const MOST = RESIDENT * 2;

interface Post {
  readonly got: readonly number[];
  readonly sent: number;
}

type PostEvent =
  | { readonly type: "post.got"; readonly n: number }
  | { readonly type: "post.go"; readonly to: string }
  | { readonly type: "post.ring" }
  | { readonly type: "post.init" };

const bell = { isBroken: false, rung: [] as string[] };

function postType(): EntityType {
  const root = actorType({
    name: "post",
    version: 1,
    messages: messages({
      "post.init": { body: {} },
      "post.go": { body: { to: T.String() } },
      "post.got": { body: { n: T.Integer() } },
      "post.ring": { body: {} },
      ...effectOutcomes,
    }),
    behaviour: reducer<Post, PostEvent>({
      initial: () => ({ got: [], sent: 0 }),
      step: (state, event, turn) => {
        if (event.type === "post.got") return { ...state, got: [...state.got, event.n] };
        if (event.type === "post.ring") turn.perform("bell", {});
        if (event.type !== "post.go") return state;
        for (const to of event.to.split(" ")) turn.send(to, { type: "post.got", n: state.sent + 1 });
        return { ...state, sent: state.sent + 1 };
      },
      effects: { bell: effect<Record<string, never>>({ class: "idempotent" }) },
    }),
  }).with({
    effects: {
      bell: (_params, { actor }) => {
        if (bell.isBroken) throw new Error("the bell is broken");
        bell.rung.push(actor);
      },
    },
  });
  return entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS });
}

const addressOf = (name: string, at: number): Address => parseAddress(`acme/post/${name}${String(at)}`);
const resident = (system: System): number => system.describeEntities().filter(({ state }) => state === "running").length;

/** Moves time until it is settled. */
async function drive<V>(clock: ManualClock, promise: Promise<V>, longestMs = 60_000): Promise<V> {
  const ended = new Set<"ended">();
  const over = promise.finally(() => ended.add("ended"));
  for (let ms = 0; ms < longestMs && ended.size === 0; ms += 20) await clock.advance(20);
  return ended.size > 0 ? over : Promise.reject(new Error(`not settled within ${String(longestMs)} ms`));
}

/** All of them known and out of memory. */
async function crowd(names: readonly string[], count = SENDERS): Promise<Hosting> {
  const one = await hosting({ types: [postType()], residentEntities: RESIDENT });
  for (const name of [...names, "third"])
    for (let at = 0; at < (name === "third" ? 1 : count); at++)
      await drive(one.clock, one.system.tell(addressOf(name, at), { type: "post.init" }, { create: { input: undefined } }));
  await one.clock.advance(IDLE_MS * 10);
  return one;
}

/** Each is told once; how many had which outcome is in the answer. */
async function tellAll({ system, clock }: Hosting, name: string, event: (at: number) => { readonly type: string }): Promise<Record<string, number>> {
  const kinds: Record<string, number> = {};
  const told = Array.from({ length: SENDERS }, async (_, at) => {
    const { kind } = await system.tell(addressOf(name, at), event(at), { withinMs: 60_000 });
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  });
  await drive(clock, Promise.all(told), 70_000);
  return kinds;
}

async function stateOf({ system, clock }: Hosting, address: Address): Promise<Post> {
  return (await drive(clock, system.look(address)))?.context as Post;
}

/** @returns how long it took, ms */
async function commandToAnother(one: Hosting): Promise<number> {
  const began = one.clock.monotonic();
  const { kind } = await drive(one.clock, one.system.tell(addressOf("third", 0), { type: "post.init" }, { withinMs: 10_000 }));
  return kind === "accepted" ? one.clock.monotonic() - began : Number.POSITIVE_INFINITY;
}

async function most({ system, clock }: Hosting, forMs: number): Promise<number> {
  let highest = 0;
  for (let ms = 0; ms < forMs; ms += 50) {
    await clock.advance(50);
    highest = Math.max(highest, resident(system));
  }
  return highest;
}

test("S3, S5. entities in memory that have messages for absent ones hold up nobody: all of them arrive, and a command to another finds room", async (t) => {
  const one = await crowd(["s", "r"]);
  t.equal(resident(one.system), 0);
  t.same(await tellAll(one, "s", (at) => ({ type: "post.go", to: addressOf("r", at) })), { accepted: SENDERS });
  t.ok((await commandToAnother(one)) < 1_000);
  await one.clock.advance(10_000);
  for (let at = 0; at < SENDERS; at++) t.same((await stateOf(one, addressOf("r", at))).got, [1]);
  await one.system.stop();
  t.equal(one.clock.pending, 0);
});

test("C5, S3. entities whose receivers are away for long leave memory and come back: others find room meanwhile, and all arrives once and in order when they are there", async (t) => {
  const one = await crowd(["s", "r"]);
  const { system, clock } = one;
  for (let at = 0; at < SENDERS; at++) await system.deactivate(addressOf("r", at));
  for (let round = 0; round < 2; round++) t.same(await tellAll(one, "s", (at) => ({ type: "post.go", to: addressOf("r", at) })), { accepted: SENDERS });
  t.ok((await most(one, 5_000)) <= MOST + SENDERS, "and no more come in than may");
  t.ok((await commandToAnother(one)) < 1_000, "while they wait");
  await clock.advance(120_000);
  t.ok((await commandToAnother(one)) < 1_000, "and after minutes");
  t.ok(resident(system) <= MOST, `${String(resident(system))} are in memory`);
  for (let at = 0; at < SENDERS; at++) await drive(clock, system.activate(addressOf("r", at), { input: undefined }));
  await clock.advance(60_000);
  for (let at = 0; at < SENDERS; at++) t.same((await stateOf(one, addressOf("r", at))).got, [1, 2]);
  await clock.advance(IDLE_MS * 100);
  t.equal(resident(system), 0);
  t.same(await one.store.values.entries("wake/"), [], "and nothing calls them any more");
  await system.stop();
  t.equal(clock.pending, 0);
});

test("C5, F1. so do those whose effects fail for long: each is confirmed when it can be", async (t) => {
  const one = await crowd(["s"]);
  const { system, clock } = one;
  Object.assign(bell, { isBroken: true, rung: [] });
  t.same(await tellAll(one, "s", () => ({ type: "post.ring" })), { accepted: SENDERS });
  await clock.advance(60_000);
  t.ok((await commandToAnother(one)) < 1_000);
  bell.isBroken = false;
  await clock.advance(60_000);
  t.same(new Set(bell.rung).size, SENDERS);
  await clock.advance(IDLE_MS * 100);
  t.same([resident(system), await one.store.values.entries("wake/")], [0, []]);
  await system.stop();
  t.equal(clock.pending, 0);
});

test("S3, S5. chains of messages through more absent entities than may ever be in memory come to their ends, and memory has a bound", async (t) => {
  const COUNT = 900;
  const FAN = 16;
  const one = await crowd(["c"], COUNT);
  const { system, clock } = one;
  const next = (at: number): string => Array.from({ length: FAN }, (_, each) => addressOf("c", (at * 31 + each * 29 + 7) % COUNT)).join(" ");
  let told = 0;
  for (let at = 0; at < COUNT; at += 4)
    void system.tell(addressOf("c", at), { type: "post.go", to: next(at) }, { withinMs: 60_000 }).then(({ kind }) => (told += kind === "accepted" ? 1 : 0));
  const highest = await most(one, 20_000);
  t.equal(told, COUNT / 4);
  t.ok(highest <= RESIDENT * 3 + 512 + 256, `${String(highest)} in memory at once`);
  t.ok((await commandToAnother(one)) < 1_000);
  await clock.advance(60_000);
  const expected = (COUNT / 4) * FAN;
  let got = 0;
  for (let at = 0; at < COUNT; at++) got += (await stateOf(one, addressOf("c", at))).got.length;
  t.equal(got, expected);
  await system.stop();
  t.equal(clock.pending, 0);
});

test("S5. a command to an entity that waits in a storm already takes its place among the commands at once", async (t) => {
  const one = await hosting({ types: [postType()], residentEntities: RESIDENT, activation: { perSecond: 10, burst: 1 } });
  const { system, clock } = one;
  const third = addressOf("third", 0);
  await drive(clock, system.tell(third, { type: "post.init" }, { create: { input: undefined } }));
  for (let at = 0; at < SENDERS; at++) await drive(clock, system.tell(addressOf("s", at), { type: "post.init" }, { withinMs: 60_000, create: { input: undefined } }));
  await clock.advance(IDLE_MS * 10);
  // As what only recovers: each of them waits in the background's lane, four seconds long in all.
  const came = Array.from({ length: SENDERS }, (_, at) => system.activate(addressOf("s", at), { input: undefined }));
  await clock.advance(150);
  t.ok(system.describeEntities().filter(({ state }) => state === "starting").length >= SENDERS - 5);
  const began = clock.monotonic();
  t.match(await drive(clock, system.tell(addressOf("s", SENDERS - 1), { type: "post.init" }, { withinMs: 3_000 })), { kind: "accepted" });
  const withoutStorm = clock.monotonic() - began;
  t.ok(withoutStorm <= 200, `${String(withoutStorm)} ms`);
  await drive(clock, Promise.all(came));
  await system.stop();
  t.equal(clock.pending, 0);
});
