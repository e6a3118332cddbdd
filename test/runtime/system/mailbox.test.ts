// What waits for an actor: how much of it, in which order, and what is told to those who find no room.

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer, T, type TellOptions } from "../../../runtime/index.ts";
import type { Store } from "../../../runtime/ports/index.ts";
import { ManualClock, memoryStore, SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import { MailBudget } from "../../../runtime/system/mail-budget.ts";
import { Mailbox } from "../../../runtime/system/mailbox.ts";
import type { Post } from "../../../runtime/system/post.ts";
import { Ring } from "../../../runtime/system/ring.ts";
import { collectGarbage } from "./heap.ts";
import { hosting } from "./hosting.ts";

interface Item extends Post {
  readonly name: string;
}

const names = (items: readonly Item[]): string => items.map(({ name }) => name).join(" ");
const mailbox = (limits: { readonly messages?: number; readonly bytes?: number } = {}, budget = new MailBudget(1_000_000)): Mailbox<Item> =>
  new Mailbox<Item>({ messages: 10, bytes: 100_000, ...limits }, budget);

test("a ring keeps its order through growth, wrapping, putting in front and filtering, as a plain list does", (t) => {
  const dice = new SeededRandom(7);
  const ring = new Ring<{ readonly n: number }>();
  let model: { readonly n: number }[] = [];
  let n = 0;
  for (let turn = 0; turn < 20_000; turn++) {
    const kind = dice.next();
    if (kind < 0.5) {
      const item = { n: n++ };
      ring.push(item);
      model.push(item);
    } else if (kind < 0.9) {
      if (ring.shift() !== model.shift()) t.fail("another item came first");
    } else if (kind < 0.98) {
      const items = Array.from({ length: Math.floor(dice.next() * 40) }, () => ({ n: n++ }));
      ring.unshift(items);
      model = [...items, ...model];
    } else {
      const isKept = (item: { readonly n: number }): boolean => item.n % 3 !== 0;
      ring.filter(isKept);
      model = model.filter(isKept);
    }
    if (ring.length !== model.length) t.fail(`${String(ring.length)} are in the ring, ${String(model.length)} in the list`);
  }
  t.same([...ring], model);
  t.end();
});

test("S5. a mailbox turns away what is beyond its messages, its bytes or the node's, counts it, and takes again what there is room for", (t) => {
  const budget = new MailBudget(1_000);
  const one = mailbox({ messages: 3, bytes: 700 }, budget);
  const other = mailbox({}, budget);
  t.equal(one.offer({ name: "a" }), true);
  t.equal(one.offer({ name: "b" }), true);
  t.equal(one.offer({ name: "c" }), false, "three of 256 bytes are more than 700");
  t.equal(one.offer({ name: "d", bytes: 10 }), true);
  t.equal(one.offer({ name: "e", bytes: 10 }), false, "a fourth");
  t.equal(other.offer({ name: "f", bytes: 500 }), false, "the node holds 522 already");
  t.same(budget.refused, { messages: 1, bytes: 1, node: 1, shelf: 0 });
  t.equal(names(one.take(2)), "a b");
  t.equal(other.offer({ name: "f", bytes: 500 }), true);
  t.equal(budget.used, 510);
  t.equal(names([...one.drain(), ...other.drain()]), "d f");
  t.equal(budget.used, 0);
  t.equal(one.offer({ name: "huge", bytes: 900 }), true, "an empty mailbox takes one message that is larger than its limit, or nobody ever could");
  t.end();
});

test("S5. messages of the control lane have their bytes, and a quarter of the node's that a flood of others cannot fill", (t) => {
  const budget = new MailBudget(4_000);
  const one = mailbox({ bytes: 700 }, budget);
  const other = mailbox({ bytes: 100_000 }, budget);
  const urgent = (name: string, bytes: number): Item => ({ name, bytes, isUrgent: true });
  const say = (box: Mailbox<Item>, item: Item): boolean => {
    const hasRoom = box.hasControlRoom(item.bytes);
    if (hasRoom) box.control(item);
    return hasRoom;
  };
  t.equal(other.offer({ name: "flood", bytes: 4_000 }), true);
  t.equal(one.offer({ name: "a", bytes: 1 }), false, "the node is full");
  t.equal(say(one, urgent("b", 500)), true);
  t.equal(say(one, urgent("c", 300)), false, "800 are more than 700");
  t.equal(say(other, urgent("d", 600)), false, "1,100 are more than a quarter");
  t.equal(say(other, urgent("e", 500)), true);
  t.same([budget.used, budget.urgent], [5_000, 1_000]);
  t.same(budget.refused, { messages: 0, bytes: 1, node: 2, shelf: 0 });
  one.control({ name: "timer" });
  t.equal(one.hasControlRoom(), true, "what is no message counts no bytes");
  const taken = one.take(2);
  t.equal(names(taken), "b timer");
  t.same([budget.used, budget.urgent], [4_500, 500]);
  one.putBack(taken);
  t.same([budget.used, budget.urgent], [5_000, 1_000]);
  t.equal(names(one.remove(({ isUrgent }) => isUrgent === true)), "b");
  other.drain();
  t.same([budget.used, budget.urgent], [0, 0]);
  t.equal(say(one, urgent("large", 900)), true, "an empty lane takes one that is larger than its limit");
  t.end();
});

test("S5. of messages with one key only the newest waits, in its own place, and its forerunner's room is free again", (t) => {
  const budget = new MailBudget(10_000);
  const box = mailbox({ messages: 3 }, budget);
  const first = { name: "x1", key: "x" };
  box.offer(first);
  box.offer({ name: "m" });
  t.equal(box.offer({ name: "x2", key: "x" }), first, "who was replaced is told");
  box.offer({ name: "n" });
  t.equal(box.offer({ name: "x3", key: "x", bytes: 100 }) !== false, true, "a full mailbox still takes what replaces");
  t.equal(box.depth, 3);
  t.equal(budget.used, 612);
  t.equal(names([...box]), "m n x3");
  t.equal(names(box.take(10)), "m n x3", "nothing is swapped");
  t.equal(budget.used, 0);
  t.equal(box.offer({ name: "x4", key: "x" }), true, "nothing waits any more that it could replace");
  t.equal(budget.replaced, 2);
  t.end();
});

test("S5. what gave way is not counted among what waits, whether it is passed over or cleared away", (t) => {
  const budget = new MailBudget(1_000_000);
  const box = mailbox({ messages: 500 }, budget);
  for (let at = 0; at < 60; at++) {
    box.offer({ name: `m${String(at)}` });
    box.offer({ name: `x${String(at)}`, key: "x" });
  }
  t.equal(box.depth, 61);
  t.equal(names(box.take(30)), Array.from({ length: 30 }, (_, at) => `m${String(at)}`).join(" "));
  t.equal(box.depth, 31);
  t.same([box.bytes, budget.used], [31 * 256, 31 * 256]);
  t.equal(box.remove(({ name }) => name === "x59").length, 1);
  t.equal(box.take(100).length, 30);
  t.same([box.depth, box.bytes, budget.used], [0, 0, 0]);
  t.end();
});

test("S5. messages that gave way are let go while the newest of their key waits", async (t) => {
  const box = mailbox({ messages: 1_000 });
  const offered = Array.from({ length: 5_000 }, (_, at) => {
    const item: Item = { name: String(at), key: "x" };
    box.offer(item);
    return new WeakRef(item);
  });
  // What was looked at in a turn of the event loop is held until its end.
  await settle();
  collectGarbage();
  const held = offered.filter((ref) => ref.deref() !== undefined).length;
  t.ok(held < box.depth * 3, `${String(held)} of 5000 messages are held, ${String(box.depth)} wait`);
  t.end();
});

test("S5. what is on its way to the shelf is counted by what waits of it: who takes another's place adds nothing", (t) => {
  const budget = new MailBudget(1_000);
  const box = mailbox({ messages: 1 }, budget);
  box.offer({ name: "m", key: "m" });
  const first = { name: "x1", key: "x" };
  t.equal(box.offerOverflow(first), true);
  t.same(box.overflowWith({ name: "y" }), { messages: 2, bytes: 512 });
  t.same(box.overflowWith({ name: "x2", key: "x", bytes: 300 }), { messages: 1, bytes: 300 });
  t.same(box.overflowWith({ name: "m2", key: "m" }), { messages: 2, bytes: 512 }, "what waits in the mailbox itself was not on that way");
  t.equal(box.offerOverflow({ name: "x2", key: "x", bytes: 700 }), first, "there is room for it in the place of the first");
  t.equal(box.offerOverflow({ name: "z" }), false, "the node holds 956 already");
  t.same([box.overflow.messages, box.overflow.bytes, budget.used], [1, 700, 956]);
  t.equal(names([...box]), "m x2");
  t.equal(names(box.drain()), "x2 m");
  t.equal(budget.used, 0);
  t.end();
});

test("S5. a stream of news under one key takes no more room than one message, and does not keep its own last word from the actor", (t) => {
  const box = mailbox({ messages: 500, bytes: 1_000_000 });
  for (let at = 0; at < 400; at++) box.offer({ name: `other-${String(at)}` });
  for (let at = 0; at < 6_400; at++) box.offer({ name: `x-${String(at)}`, key: "x" });
  t.equal(box.depth, 499, "one stays each 65 messages");
  t.equal(box.take(401).at(-1)?.name, "x-64");
  t.end();
});

const A = parseAddress("acme/journal/a");
const seen: string[] = [];
const note = messages({
  note: { body: { text: T.String() } },
  stop: { body: { text: T.String() }, lane: "control" },
  level: { body: { of: T.String(), text: T.String() }, coalesceBy: "of" },
});
const root = actorType({
  name: "journal",
  version: 1,
  messages: note,
  mailbox: { messages: 100 },
  behaviour: reducer<number, { readonly text: string }>({
    initial: () => 0,
    step: (state, event) => {
      seen.push(event.text);
      clock.pass(1);
      return state + 1;
    },
  }),
});

/** A clock on which every step takes a millisecond, when it is told to. */
class SteppingClock extends ManualClock {
  stepMs = 0;
  #passed = 0;

  pass(steps: number): void {
    this.#passed += steps * this.stepMs;
  }

  override monotonic(): number {
    return super.monotonic() + this.#passed;
  }
}

let clock = new SteppingClock();

test("a message of the control lane overtakes waiting ones; all others come in their sender's order", async (t) => {
  seen.length = 0;
  clock = new SteppingClock();
  const { system } = await hosting({ clock, types: [entityType({ root, durability: "volatile", placement: "cloud" })] });
  await system.activate(A, { input: undefined });
  for (const text of ["1", "2", "3"]) system.notify(A, { type: "note", text });
  system.notify(A, { type: "stop", text: "now" });
  await settle();
  t.same(seen, ["now", "1", "2", "3"]);
  await system.stop();
});

test("S5. the control lane has its limit for what others decide the amount of: beyond it a message is told `full`, the host's word too, and its own news is a dead letter", async (t) => {
  seen.length = 0;
  clock = new SteppingClock();
  const { system } = await hosting({ clock, types: [entityType({ root, durability: "volatile", placement: "cloud" })] });
  await system.activate(A, { input: undefined });
  for (let at = 0; at < 100; at++) t.equal(system.notify(A, { type: "stop", text: String(at) }), true);
  t.equal(system.notify(A, { type: "stop", text: "lost" }), false);
  t.match(await Promise.all([system.tell(A, { type: "stop", text: "lost" }), system.inform(A, { type: "stop", text: "lost" })]), [{ kind: "full" }, { kind: "full" }]);
  await settle();
  t.equal(seen.length, 100);
  t.match(system.deadLetters({ limit: 10 }), [{ to: A, type: "stop", reason: "mailbox full", isKept: false }]);
  t.match(await system.tell(A, { type: "stop", text: "again" }), { kind: "accepted" });
  await system.stop();
});

test("S5. messages that wait for their entity to come into memory are bounded by its mailbox's bytes and by the node's", async (t) => {
  const inner = memoryStore();
  await inner.open();
  clock = new SteppingClock();
  let mayLoad: Promise<void> = Promise.resolve();
  const store: Store = {
    ...inner,
    load: async (entity) => {
      await mayLoad;
      return inner.load(entity);
    },
  };
  const types = [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: 1_000 })];
  const { system } = await hosting({ clock, store, types, mailBudgetBytes: 3_000_000 });
  const others = ["b", "c", "d"].map((name) => parseAddress(`acme/journal/${name}`));
  for (const entity of [A, ...others]) await system.activate(entity, { input: undefined });
  await clock.advance(10_000);
  t.same([...system.views()], [], "all have left memory");
  let load = (): void => undefined;
  mayLoad = new Promise((resolve) => (load = resolve));
  const told: Record<string, number> = {};
  const tell = async (to: string, bytes: number, options: TellOptions = {}): Promise<void> => {
    const { kind } = await system.tell(to, { type: "note", text: "n" }, { bytes, withinMs: 60_000, ...options });
    told[kind] = (told[kind] ?? 0) + 1;
  };
  const held = (): number | undefined => system.metrics().find(({ name }) => name === "drover_mailbox_bytes")?.value;
  const toOne = Array.from({ length: 50 }, () => tell(A, 100_000));
  await settle();
  t.same([held(), told], [1_000_000, { full: 40 }], "a MiB of them");
  const toAll = others.flatMap((to) => Array.from({ length: 10 }, () => tell(to, 100_000)));
  const toNew = tell("acme/journal/new", 100_000, { create: { input: undefined } });
  await settle();
  t.same([held(), told], [3_000_000, { full: 51 }], "the node's 3 MB");
  load();
  await Promise.all([...toOne, ...toAll, toNew]);
  t.same([held(), told], [0, { full: 51, accepted: 30 }]);
  t.match(await system.tell(A, { type: "note", text: "large" }, { bytes: 2_000_000 }), { kind: "accepted" });
  await system.stop();
});

test("S5. who is replaced by a newer message of its key learns it at once, and the newer one takes effect", async (t) => {
  seen.length = 0;
  clock = new SteppingClock();
  const { system } = await hosting({ clock, types: [entityType({ root, durability: "events", placement: "cloud" })] });
  await system.activate(A, { input: undefined });
  const told = ["low", "high", "empty"].map((text) => system.tell(A, { type: "level", of: "tank", text }));
  const other = system.tell(A, { type: "level", of: "battery", text: "full" });
  t.match(await told[0], { kind: "refused", reason: /newer message/ });
  t.match(await told[1], { kind: "refused" });
  t.match(await told[2], { kind: "accepted" });
  t.match(await other, { kind: "accepted" });
  t.same(seen, ["empty", "full"]);
  t.equal(system.metrics().find(({ name }) => name === "drover_mailbox_replaced_total")?.value, 2);
  await system.stop();
});

test("S5. a turn ends after 5 ms however many wait, and goes on in its own order with the next", async (t) => {
  seen.length = 0;
  clock = new SteppingClock();
  clock.stepMs = 1;
  const { system } = await hosting({ clock, types: [entityType({ root, durability: "volatile", placement: "cloud" })] });
  const other = parseAddress("acme/journal/b");
  await system.activate(A, { input: undefined });
  await system.activate(other, { input: undefined });
  for (let at = 0; at < 20; at++) system.notify(A, { type: "note", text: `a${String(at)}` });
  system.notify(other, { type: "note", text: "b" });
  await settle();
  t.equal(seen.indexOf("b"), 5, "the other waited for five of the first's");
  t.same(
    seen.filter((text) => text !== "b"),
    Array.from({ length: 20 }, (_, at) => `a${String(at)}`),
  );
  await system.stop();
});

test("a mailbox without room for anything is no mailbox", (t) => {
  for (const limits of [{ messages: 0 }, { bytes: 0.5 }, { messages: Number.NaN }])
    t.throws(() => actorType({ name: "x", version: 1, messages: note, behaviour: root.behaviour, mailbox: limits }), { code: "DROVER_TYPE_INVALID" });
  t.same(actorType({ name: "x", version: 1, messages: note, behaviour: root.behaviour }).mailbox, {
    messages: 1_000,
    bytes: 1_048_576,
    postponed: 100,
    overflow: "refuse",
    shelved: 10_000,
    shelvedBytes: 8_388_608,
  });
  t.end();
});
