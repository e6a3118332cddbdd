// Messages that find a full mailbox and are kept in the entity's journal until there is room (overflow policy `shelve`).

import { test } from "tap";
import { assign, setup } from "xstate";
import {
  type Address,
  actorType,
  entityType,
  type EventOf,
  type MailboxLimits,
  messages,
  parseAddress,
  reducer,
  type ReplyTo,
  type System,
  type SystemOptions,
  T,
} from "../../../runtime/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import type { Input } from "../../../runtime/entity/contract.ts";
import { createEntity } from "../../../runtime/entity/index.ts";
import { MailBudget } from "../../../runtime/system/mail-budget.ts";
import { Mailbox } from "../../../runtime/system/mailbox.ts";
import type { Post } from "../../../runtime/system/post.ts";
import { FakeWatch } from "./fake-watch.ts";
import { hosting } from "./hosting.ts";

const listMessages = messages({
  "list.add": { body: { n: T.Integer(), by: T.Optional(T.String()) }, reply: T.Object({ at: T.Integer() }) },
  "list.poison": { body: {} },
  "list.urgent": { body: {}, lane: "control" },
  "list.read": { body: {}, reads: ["oil"] },
  "list.level": { body: { of: T.String(), n: T.Integer() }, coalesceBy: "of" },
});

type Entry = readonly [by: string, n: number];

function listType(mailbox: MailboxLimits, durability: "events" | "snapshot" | "volatile" = "events", passivateAfterMs?: number) {
  const root = actorType({
    name: "list",
    version: 1,
    messages: listMessages,
    mailbox: { overflow: "shelve", ...mailbox },
    behaviour: reducer<readonly Entry[], { readonly type: string; readonly n?: number; readonly by?: string; readonly replyTo?: ReplyTo<never> }>({
      initial: () => [],
      step: (entries, event, turn) => {
        if (event.type === "list.poison") throw new Error("failed on purpose");
        if (event.type === "list.level" && (event.n ?? 0) < 0) throw new Error("failed on purpose");
        if (event.type === "list.level") return [...entries, ["level", event.n ?? 0]];
        if (event.type !== "list.add") return [...entries, [event.type, 0]];
        if ((event.n ?? 0) < 0) {
          turn.refuse("negative");
          return entries;
        }
        if (event.replyTo !== undefined) turn.send(event.replyTo, { type: "reply", value: { at: entries.length } });
        return [...entries, [event.by ?? "", event.n ?? 0]];
      },
    }),
  });
  return entityType({ root, durability, placement: "cloud", ...(passivateAfterMs === undefined ? {} : { passivateAfterMs }) });
}

const L = parseAddress("acme/list/l");
const add = (n: number, by = "") => ({ type: "list.add", n, by });

interface Slow {
  readonly system: System;
  readonly clock: ManualClock;
  readonly store: MemoryStore;
}

/** A node whose store takes 2 x 5 ms for a commit, and the entity active on it. */
async function slowNode(
  type: ReturnType<typeof listType>,
  options: { readonly clock?: ManualClock; readonly disk?: MemoryDisk; readonly seed?: number; readonly entity?: Address | "none" } & Partial<SystemOptions> = {},
): Promise<Slow> {
  const { clock = new ManualClock(), disk = new MemoryDisk(), seed = 1, entity = L, ...more } = options;
  const store = memoryStore({ disk, delay: () => new Promise((resolve) => clock.setTimeout(resolve, 5)) });
  await store.open();
  const { system } = await hosting({ types: [type], clock, seed, store, ...more });
  const active = entity === "none" ? Promise.resolve() : system.activate(entity, { input: undefined });
  await clock.advance(100);
  await active;
  return { system, clock, store };
}

const entriesOf = (system: System): readonly Entry[] => (system.read(L)?.context ?? []) as readonly Entry[];
const metric = (system: System, name: string, limit?: string): number | undefined =>
  system.metrics().find((sample) => sample.name === name && (limit === undefined || sample.labels?.["limit"] === limit))?.value;

test("S5. M3. a flood of many times the mailbox is accepted after its commit, acted on once and in its senders' order", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 10 }));
  const senders = ["ann", "bob", "cy"];
  const told: string[] = [];
  const sent = Array.from({ length: 600 }, (_, at) => {
    const by = senders[at % 3] ?? "";
    return system.tell(L, add(at, by), { id: `m${String(at)}`, author: by, withinMs: 60_000 }).then((outcome) => {
      told.push(`${outcome.kind} ${"durable" in outcome ? outcome.durable : ""}`);
    });
  });
  await settle();
  t.equal(told.length, 0, "nobody is told before a commit");
  t.equal((await system.inspection.inspect(L))?.mailbox.depth, 10);
  await clock.advance(60);
  t.ok(((await system.inspection.inspect(L))?.mailbox.shelved ?? 0) > 100);
  t.ok(entriesOf(system).length < 600 && told.length > entriesOf(system).length, "accepted before it is acted on");
  await clock.advance(10_000);
  await Promise.all(sent);
  t.same(new Set(told), new Set(["accepted local"]));
  t.same(
    entriesOf(system),
    Array.from({ length: 600 }, (_, at) => [senders[at % 3], at]),
  );
  t.equal(metric(system, "drover_mailbox_shelved_total"), 590);
  t.equal(metric(system, "drover_shelf_messages"), 0);
  t.equal(metric(system, "drover_mailbox_refused_total", "messages"), 0);
  t.equal(metric(system, "drover_mailbox_bytes"), 0, "the node's budget has all of it back");
  const again = system.tell(L, add(300, "ann"), { id: "m300", author: "ann" });
  await clock.advance(100);
  t.match(await again, { kind: "accepted", durable: "local" });
  t.equal(entriesOf(system).length, 600, "the same id acts once");
  await system.stop();
});

test("S3. M2. whenever the process dies, what was accepted is acted on once after it, in its order, and what is sent again under its id no second time", async (t) => {
  const type = listType({ messages: 8 });
  const COUNT = 150;
  let shelvedAtRestart = 0;
  for (let commits = 1; commits <= 31; commits += 2) {
    const disk = new MemoryDisk();
    const clock = new ManualClock();
    const one = await slowNode(type, { disk, clock });
    const commit = one.store.commit.bind(one.store);
    let left = commits;
    one.store.commit = async (batch) => {
      const outcomes = await commit(batch);
      if (--left === 0) one.store.crash();
      return outcomes;
    };
    const accepted = new Set<number>();
    for (let n = 0; n < COUNT; n++)
      void one.system.tell(L, add(n), { id: `m${String(n)}`, withinMs: 3_600_000 }).then(({ kind }) => {
        if (kind === "accepted") accepted.add(n);
      });
    await clock.advance(10 * commits + 20);
    const two = await slowNode(type, { disk, clock, seed: 2 });
    shelvedAtRestart = Math.max(shelvedAtRestart, metric(two.system, "drover_shelf_messages") ?? 0);
    await clock.advance(5_000);
    const acted = entriesOf(two.system).map(([, n]) => n);
    t.same(
      [...accepted].filter((n) => !acted.includes(n)),
      [],
      "nothing accepted is lost",
    );
    t.same(
      acted,
      [...acted].sort((a, b) => a - b),
      "the order is kept",
    );
    for (let n = 0; n < COUNT; n++) void two.system.tell(L, add(n), { id: `m${String(n)}` });
    await clock.advance(5_000);
    const all = entriesOf(two.system).map(([, n]) => n);
    t.same(
      [...all].sort((a, b) => a - b),
      Array.from({ length: COUNT }, (_, n) => n),
      `each once, killed at commit ${String(commits)}`,
    );
    t.equal(metric(two.system, "drover_replay_divergences_total"), 0);
    await two.system.stop();
  }
  t.ok(shelvedAtRestart > 50, "some died with much on the shelf");
});

test("C2. S3. a commit of unknown outcome, written or not, and a store without room neither lose nor double what was shelved", async (t) => {
  for (const written of [true, false, "no room"] as const) {
    const { system, clock, store } = await slowNode(listType({ messages: 6 }));
    const dice = new SeededRandom(11);
    let commits = 0;
    const commit = store.commit.bind(store);
    store.commit = (batch) => {
      if (++commits % 3 !== 0) return commit(batch);
      if (written !== "no room") store.unknownNext({ written });
      else return Promise.resolve(batch.map(() => ({ kind: "refused", reason: "the disk is full", passing: true }) as const));
      return commit(batch);
    };
    const accepted = new Set<number>();
    const refused = new Set<number>();
    for (let n = 0; n < 120; n++) {
      void system.tell(L, add(n), { id: `m${String(n)}`, withinMs: 3_600_000 }).then(({ kind }) => (kind === "accepted" ? accepted : refused).add(n));
      if (dice.next() < 0.2) await clock.advance(5);
    }
    await clock.advance(120_000);
    const acted = entriesOf(system).map(([, n]) => n);
    t.equal(accepted.size + refused.size, 120, "everybody is told");
    t.same(
      acted,
      [...accepted].sort((a, b) => a - b),
      String(written),
    );
    if (written !== "no room") t.equal(refused.size, 0);
    await system.stop();
  }
});

test("S5. the shelf has its limits too: beyond them the sender is told `full`, and is taken again when there is room", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 5, shelved: 20, shelvedBytes: 10_000 }));
  const kinds = async (count: number, bytes?: number): Promise<string> => {
    const told = Array.from({ length: count }, (_, n) => system.tell(L, add(n), { withinMs: 60_000, ...(bytes === undefined ? {} : { bytes }) }));
    await clock.advance(5_000);
    const outcomes = (await Promise.all(told)).map(({ kind }) => kind);
    return `${String(outcomes.filter((kind) => kind === "accepted").length)} accepted, ${String(outcomes.filter((kind) => kind === "full").length)} full`;
  };
  t.equal(await kinds(60), "25 accepted, 35 full");
  t.equal(await kinds(40, 1_000), "15 accepted, 25 full", "ten of 1000 bytes");
  t.equal(metric(system, "drover_mailbox_refused_total", "shelf"), 60);
  t.equal(await kinds(25), "25 accepted, 0 full");
  t.equal(entriesOf(system).length, 65);
  t.equal(metric(system, "drover_mailbox_bytes"), 0);
  await system.stop();
});

test("S5. the node's budget counts what is shelved, and a restart that brings more than it allows still works it off", async (t) => {
  const type = listType({ messages: 4 });
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await slowNode(type, { disk, clock, mailBudgetBytes: 10_240 });
  let accepted = 0;
  for (let n = 0; n < 60; n++) void one.system.tell(L, add(n), { id: `m${String(n)}`, withinMs: 60_000 }).then(({ kind }) => (accepted += kind === "accepted" ? 1 : 0));
  await settle();
  t.equal(metric(one.system, "drover_mailbox_refused_total", "node"), 20);
  await clock.advance(22);
  t.ok((metric(one.system, "drover_mailbox_bytes") ?? 0) > 5_000, "shelved ones count");
  const left = one.system.deactivate(L);
  await clock.advance(50);
  await left;
  t.equal(metric(one.system, "drover_mailbox_bytes"), 0, "and do not when they have left memory");
  one.store.crash();
  const two = await slowNode(type, { disk, clock, seed: 2, mailBudgetBytes: 512 });
  await clock.advance(5_000);
  t.ok(accepted > 20);
  t.ok(entriesOf(two.system).length >= accepted);
  t.equal(metric(two.system, "drover_mailbox_bytes"), 0);
  await two.system.stop();
});

test("a type that keeps no journal is refused at its declaration when it is to shelve messages, and so is an unknown policy", (t) => {
  t.throws(() => listType({}, "volatile"), { code: "DROVER_TYPE_INVALID", message: /mailbox\.overflow "shelve" needs durability "events", this is "volatile": it has no store/ });
  t.throws(() => listType({}, "snapshot"), { code: "DROVER_TYPE_INVALID", message: /this is "snapshot": each of its commits would write/ });
  t.throws(() => listType({ overflow: "park" as never }), { code: "DROVER_TYPE_INVALID", message: /mailbox\.overflow is "refuse" or "shelve", this is "park"/ });
  t.throws(() => listType({ shelved: 0 }), { code: "DROVER_TYPE_INVALID" });
  t.doesNotThrow(() => listType({ overflow: "refuse" }, "volatile"));
  t.end();
});

test("a shelved ask is answered when it is acted on; one whose asker or whose time to be kept is gone by then does nothing, and its id hears so", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 2 }));
  const flood = Array.from({ length: 20 }, (_, n) => system.tell(L, add(n)));
  const patient = system.ask(L, add(100), { withinMs: 10_000 });
  const hasty = system.ask(L, add(200), { id: "hasty", withinMs: 40 });
  const brief = system.tell(L, add(300), { id: "brief", withinMs: 40, keepMs: 40 });
  const told = system.tell(L, add(400), { withinMs: 40 });
  await clock.advance(5_000);
  t.match(await patient, { kind: "replied", value: { at: 20 } });
  t.match(await hasty, { kind: "unknown" }, "it was accepted, and no reply came in its time");
  t.match(await brief, { kind: "accepted" });
  t.match(await told, { kind: "accepted" });
  await Promise.all(flood);
  t.same(
    entriesOf(system)
      .map(([, n]) => n)
      .slice(20),
    [100, 400],
  );
  t.match(await system.ask(L, add(200), { id: "hasty", withinMs: 1_000 }), { kind: "deadline" });
  t.same(
    system.deadLetters({ limit: 10 }).map(({ reason }) => reason),
    ["the shelved message came to nothing: deadline", "the shelved message came to nothing: too-old"],
  );
  await system.stop();
});

test("H13. M4. a shelved message that makes its actor fail is set aside at its third failure; one that is refused then is a dead letter; the others go on", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 2 }));
  for (let n = 0; n < 10; n++) void system.tell(L, add(n));
  const poison = system.tell(L, { type: "list.poison" }, { id: "poison" });
  const bad = system.tell(L, add(-1));
  const strange = system.tell(L, { type: "list.add", n: "many" });
  for (let n = 10; n < 20; n++) void system.tell(L, add(n));
  await clock.advance(5_000);
  t.match(await poison, { kind: "accepted" });
  t.match(await bad, { kind: "accepted" });
  t.match(await strange, { kind: "invalid" }, "its protocol is checked at once");
  t.same(
    entriesOf(system).map(([, n]) => n),
    Array.from({ length: 20 }, (_, n) => n),
  );
  const repeated = system.tell(L, { type: "list.poison" }, { id: "poison" });
  await clock.advance(100);
  t.match(await repeated, { kind: "refused", reason: /set aside after 3 failures/ });
  t.match(system.deadLetters({ limit: 10 }), [{ to: L, type: "list.add", reason: "the shelved message came to nothing: refused", isKept: true }]);
  t.match(await system.inspection.inspect(L), { parked: [{ reason: "failed on purpose" }], mailbox: { shelved: 0 } });
  await system.stop();
});

test("the control lane overtakes what is shelved, and a message that names values to be read at the door is not shelved", async (t) => {
  const reads = { signals: { oil: { signal: "oil", value: 1, ageMs: 10 } } };
  const { system, clock } = await slowNode(listType({ messages: 2 }), { door: ({ event }) => (event.type === "list.read" ? { kind: "pass", reads } : { kind: "pass" }) });
  for (let n = 0; n < 10; n++) void system.tell(L, add(n));
  const read = system.tell(L, { type: "list.read" });
  void system.tell(L, { type: "list.urgent" });
  await settle();
  t.equal(system.notify(L, add(10, "news")), true, "news of the node is shelved as well");
  await clock.advance(2_000);
  t.match(await read, { kind: "full" });
  t.same(
    entriesOf(system).map(([by, n]) => (by === "" ? n : by)),
    ["list.urgent", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, "news"],
  );
  await system.stop();
});

test("M1. who comes when there is room in the mailbox again queues behind what is on its way to the shelf", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 2 }));
  for (const n of [0, 1, 2]) {
    void system.tell(L, add(n), { withinMs: n === 0 ? 1_000 : 3 });
    await settle();
  }
  void system.tell(L, add(3), { withinMs: 1_000 });
  await clock.advance(4);
  t.match((await system.inspection.inspect(L))?.mailbox, { depth: 0 }, "what waited had its deadline");
  void system.tell(L, add(4), { withinMs: 1_000 });
  await clock.advance(500);
  t.same(
    entriesOf(system).map(([, n]) => n),
    [0, 3, 4],
  );
  await system.stop();
});

/** Says that these inputs of the list hung a process before. */
const hungBefore = (...keys: readonly string[]): FakeWatch => new FakeWatch(L, ...keys);

const numbersOf = (system: System): readonly number[] => entriesOf(system).map(([, n]) => n);

test("M1. M4. what comes while the attempt of a message on its way to the shelf is committed queues behind it", async (t) => {
  const stepWatch = hungBefore("shelving outside m3");
  const { system, clock } = await slowNode(listType({ messages: 2 }), { stepWatch });
  for (const n of [1, 2, 3]) void system.tell(L, add(n), { id: `m${String(n)}` });
  await clock.advance(4);
  const late = system.tell(L, add(4), { id: "m4" });
  await clock.advance(1_000);
  t.match(await late, { kind: "accepted" });
  t.same(numbersOf(system), [1, 2, 3, 4]);
  t.same(stepWatch.hung, []);
  await system.stop();
});

test("M4. a message that hung its process and finds the mailbox full when it comes again is counted on as the one it was, and parked at its third attempt", async (t) => {
  const [disk, clock] = [new MemoryDisk(), new ManualClock()];
  const once = hungBefore("outside m9");
  const one = await slowNode(listType({ messages: 2 }), { disk, clock, stepWatch: once });
  for (let n = 1; n < 9; n++) void one.system.tell(L, add(n), { id: `m${String(n)}` });
  const told: string[] = [];
  void one.system.tell(L, add(9), { id: "m9" }).then(({ kind }) => told.push(kind));
  for (let ms = 0; ms < 200 && told.length === 0; ms++) await clock.advance(1);
  t.same([...told, numbersOf(one.system).includes(9), once.hung.length], ["accepted", false, 1], "accepted, it is on the shelf as the suspect that it was");
  one.store.crash();

  const twice = hungBefore("outside m9", "outside m9");
  const two = await slowNode(listType({ messages: 2 }), { disk, clock, seed: 2, stepWatch: twice });
  await clock.advance(1_000);
  t.same(numbersOf(two.system), [1, 2, 3, 4, 5, 6, 7, 8]);
  const repeated = two.system.tell(L, add(9), { id: "m9" });
  await clock.advance(100);
  t.match(await repeated, { kind: "refused", reason: /hung/ });
  t.same(twice.hung, []);
  await two.system.stop();
});

test("M1. M4. an attempt that the store did not take is made again alone, and what waits behind its message stays there", async (t) => {
  for (const overflow of ["shelve", "refuse"] as const) {
    const { system, clock, store } = await slowNode(listType({ messages: 8, overflow }), { stepWatch: hungBefore("outside m1") });
    store.unknownNext({ entity: L, written: false });
    for (const n of [1, 2, 3]) void system.tell(L, add(n), { id: `m${String(n)}` });
    await clock.advance(1_000);
    t.same(numbersOf(system), [1, 2, 3], overflow);
    await system.stop();
  }
});

test("S5. M4. a message whose attempt is being committed has its deadline, and is not acted on after it", async (t) => {
  const { system, clock, store } = await slowNode(listType({ messages: 2 }), { stepWatch: hungBefore("outside m1") });
  store.unknownNext({ entity: L, written: false });
  let toldAt = 0;
  const told = system.tell(L, add(1), { id: "m1", withinMs: 6 }).then((outcome) => {
    toldAt = clock.monotonic();
    return outcome;
  });
  const from = clock.monotonic();
  await clock.advance(1_000);
  t.match(await told, { kind: "deadline" });
  t.equal(toldAt - from, 6);
  t.same(numbersOf(system), []);
  await system.stop();
});

test("S5. news of one key coalesce on their way to the shelf too: who gave way is told, and no stream of them fills the shelf", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 2, shelved: 4 }));
  const level = (n: number, of = "tank") => ({ type: "list.level", of, n });
  for (const n of [1, 2, 3]) void system.tell(L, add(n));
  const told = Array.from({ length: 60 }, (_, n) => system.tell(L, level(n), { withinMs: 60_000 }));
  void system.tell(L, add(4));
  void system.tell(L, level(100));
  void system.tell(L, level(7, "sump"));
  await clock.advance(2_000);
  const kinds = (await Promise.all(told)).map((outcome) => ("reason" in outcome ? `${outcome.kind}: ${outcome.reason}` : outcome.kind));
  t.same(new Set(kinds), new Set(["refused: a newer message of its kind took its place while it waited"]));
  t.same(numbersOf(system), [1, 2, 3, 4, 100, 7], "each key's last word, in its own place");
  t.equal(metric(system, "drover_mailbox_shelved_total"), 4, "what took another's place counts once");
  t.equal(metric(system, "drover_mailbox_bytes"), 0);
  await system.stop();
});

test("S5. B4. one that failed does not take the place of a newer one of its key", async (t) => {
  const { system, clock } = await slowNode(listType({ messages: 4 }));
  const told: string[] = [];
  const say = (n: number) => void system.tell(L, { type: "list.level", of: "tank", n }).then(({ kind }) => told.push(`${String(n)} ${kind}`));
  say(-1);
  await clock.advance(4);
  say(5);
  await clock.advance(2_000);
  t.same(numbersOf(system), [5]);
  t.same(told, ["-1 refused", "5 accepted"]);
  await system.stop();
});

test("H13. M4. what hung or fails with a child that is not started again leaves the shelf", async (t) => {
  const parts = messages({ "part.fail": { body: {} }, "part.go": { body: {} } });
  const part = actorType({
    name: "part",
    version: 1,
    messages: parts,
    behaviour: reducer<number, { readonly type: string }>({
      initial: () => 0,
      step: (count, { type }) => {
        if (type === "part.fail") throw new Error("failed on purpose");
        return count + 1;
      },
    }),
  });
  const { root } = listType({});
  const type = entityType({ root, durability: "events", placement: "cloud", children: { part: { types: [part], strategy: "one-for-one", restart: "temporary" } } });
  const entity = createEntity(type, L, "i1");
  const results = (...inputs: readonly Input[]) => {
    const turn = entity.turn(inputs, { now: 1_000, elapsed: 1_000, seed: 1 });
    entity.commit();
    return turn.results;
  };
  const shelving = (id: string, to: Address, type: string): Input => ({
    kind: "message",
    to,
    event: { type },
    sender: { kind: "outside", id, author: "ann", expiresAt: 100_000 },
    wantsReply: false,
    shelve: { bytes: 256 },
  });
  const P = parseAddress("acme/list/l/part/p");
  results({ kind: "start", input: undefined, labels: {} }, { kind: "children", specs: [{ kind: "part", id: "p", type: "part", input: undefined }] });
  t.match(results(shelving("a", P, "part.fail"), shelving("b", P, "part.go"), shelving("c", L, "list.urgent")), [{ kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }]);
  t.same(entity.shelved, { messages: 3, bytes: 768 });
  const why = { kind: "refused", accepts: [], reason: "its actor has failed and is not started again: failed on purpose" } as const;
  t.match(results({ kind: "shelved", key: "1" }), [{ kind: "faulted", again: false, parked: true, outcome: why }]);
  t.match(entity.taken("a"), { outcome: why });
  t.match(results({ kind: "shelved", key: "1" }, { kind: "shelved", key: "2" }), [{ kind: "dropped" }, { kind: "dropped", reason: /refused/ }]);
  t.match(results({ kind: "attempt", of: { kind: "shelved", key: "3" }, crashes: 2, cause: "it hung" }), [{ kind: "faulted", parked: true }]);
  t.same(entity.shelved, { messages: 0, bytes: 0 });
  t.match(entity.taken("c"), { outcome: { kind: "refused", reason: "set aside: it hung" } });
  t.match(entity.parked(), [{ input: { event: { type: "part.fail" } } }, { input: { event: { type: "list.urgent" } } }], "the messages themselves are kept for who looks");
  t.match(results({ kind: "shelved", key: "3" }), [{ kind: "dropped" }]);
  t.end();
});

test("C5. an entity with something shelved does not leave memory, and after the death of its node it comes by itself and works it off", async (t) => {
  const type = listType({ messages: 2 }, "events", 1_000);
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await slowNode(type, { disk, clock });
  for (let n = 0; n < 40; n++) void one.system.tell(L, add(n));
  await clock.advance(33);
  one.store.crash();
  const two = await slowNode(type, { disk, clock, seed: 2, entity: "none" });
  await clock.advance(900);
  t.equal(entriesOf(two.system).length, 40);
  await clock.advance(10_000);
  t.equal(two.system.read(L), undefined, "at rest it leaves");
  await two.system.stop();
});

const gateMessages = messages({
  "gate.enter": { body: { n: T.Integer() }, postpone: true },
  "gate.open": { body: {}, lane: "control" },
  "gate.note": { body: { n: T.Integer() } },
});
const gateMachine = setup({
  types: { context: {} as { entered: readonly number[]; notes: readonly number[] }, events: {} as EventOf<typeof gateMessages> },
  actions: {
    enter: assign({ entered: ({ context, event }) => (event.type === "gate.enter" ? [...context.entered, event.n] : context.entered) }),
    note: assign({ notes: ({ context, event }) => (event.type === "gate.note" ? [...context.notes, event.n] : context.notes) }),
  },
}).createMachine({
  context: { entered: [], notes: [] },
  initial: "closed",
  on: { "gate.note": { actions: "note" } },
  states: { closed: { on: { "gate.open": "open" } }, open: { on: { "gate.enter": { actions: "enter" } } } },
});

test("S5. what is postponed off the shelf waits beyond its own limit, as it was accepted, takes up the shelf's room meanwhile, and survives a restart beside what is shelved", async (t) => {
  const G = parseAddress("acme/gate/g");
  const root = actorType({ name: "gate", version: 1, messages: gateMessages, behaviour: gateMachine, mailbox: { messages: 4, postponed: 3, overflow: "shelve", shelved: 12 } });
  const type = entityType({ root, durability: "events", placement: "cloud" });
  const disk = new MemoryDisk();
  const clock = new ManualClock();
  const one = await slowNode(type, { disk, clock, entity: G });
  const kinds: string[] = [];
  for (let n = 0; n < 16; n++) void one.system.tell(G, { type: "gate.enter", n }, { withinMs: 60_000 }).then(({ kind }) => kinds.push(kind));
  await clock.advance(2_000);
  t.equal(kinds.filter((kind) => kind === "accepted").length, 15, "three that are postponed at once, twelve of the shelf");
  kinds.length = 0;
  for (let n = 16; n < 30; n++) void one.system.tell(G, { type: "gate.note", n }, { withinMs: 60_000 }).then(({ kind }) => kinds.push(kind));
  await clock.advance(2_000);
  t.equal(kinds.filter((kind) => kind === "full").length, 10, "there is no room on the shelf as long as they wait");
  one.store.crash();
  const two = await slowNode(type, { disk, clock, seed: 2, entity: G });
  void two.system.tell(G, { type: "gate.open" });
  await clock.advance(2_000);
  t.match(two.system.read(G)?.context, { entered: [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], notes: [16, 17, 18, 19] });
  t.equal(metric(two.system, "drover_replay_divergences_total"), 0);
  await two.system.stop();
});

test("what a turn left over goes back to its own lane, and a message that comes meanwhile queues behind it", (t) => {
  const budget = new MailBudget(10_000);
  const box = new Mailbox<Post & { readonly name: string }>({ messages: 1, bytes: 10_000 }, budget);
  box.offer({ name: "first" });
  box.offerOverflow({ name: "a" });
  box.offerOverflow({ name: "b" });
  box.control({ name: "timer" });
  t.equal(budget.used, 768);
  const taken = box.take(4);
  t.same(
    taken.map(({ name }) => name),
    ["timer", "a", "b", "first"],
  );
  t.equal(box.overflow.messages, 0);
  box.putBack(taken.slice(1));
  t.match(box.overflow, { messages: 2, bytes: 512 });
  t.equal(box.length, 3);
  t.same(
    box.remove(({ name }) => name === "a").map(({ name }) => name),
    ["a"],
  );
  t.same(
    box.drain().map(({ name }) => name),
    ["first", "b"],
  );
  t.equal(budget.used, 0);
  t.end();
});
