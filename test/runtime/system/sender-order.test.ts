// What one sender says is acted on in its order, with gaps at most, also where a message fails and is tried again.

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer, T, type Told } from "../../../runtime/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { hosting } from "./hosting.ts";

const A = parseAddress("acme/list/a");
const words = { from: T.String(), n: T.Integer(), fails: T.Integer() };
const list = messages({ put: { body: words }, urgent: { body: words, lane: "control" } });

/** How often each message has still to fail. */
const failing = new Map<string, number>();

const root = actorType({
  name: "list",
  version: 1,
  messages: list,
  behaviour: reducer<{ readonly taken: readonly string[] }, { readonly type: string; readonly from: string; readonly n: number; readonly fails: number }>({
    initial: () => ({ taken: [] }),
    step: (state, { type, from, n, fails }) => {
      const name = `${type} ${from} ${String(n)}`;
      const left = failing.get(name) ?? fails;
      failing.set(name, left - 1);
      if (left > 0) throw new Error("not yet");
      return { taken: [...state.taken, name] };
    },
  }),
});

test("H13, S5. what a sender said beyond the mailbox's room stays behind what it said before, also where that fails and is tried again", async (t) => {
  failing.clear();
  const small = { ...root, mailbox: { ...root.mailbox, messages: 3, overflow: "shelve" as const } };
  const { system, clock } = await hosting({ types: [entityType({ root: small, durability: "events", placement: "cloud" })] });
  await system.activate(A, { input: undefined });
  // The first is set aside, and what waited behind it is about to be stepped with the fourth, from the shelf; then the second fails.
  const told = [3, 1, 0, 0].map((fails, at) => system.tell(A, { type: "put", from: "ann", n: at + 1, fails }, { author: "ann" }));
  await clock.advance(5_000);
  t.match(await Promise.all(told), [{ kind: "refused" }, { kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }]);
  t.match(system.read(A)?.context, { taken: ["put ann 2", "put ann 3", "put ann 4"] });
  await system.stop();
});

/** What begins them is needed by some of them alone. */
const beginning = { create: { input: undefined } };
const staying = entityType({ root, durability: "events", placement: "cloud" });
const leaving = entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: 500 });
const put = (n: number, from = "ann"): { type: string; from: string; n: number; fails: number } => ({ type: "put", from, n, fails: 0 });

for (const [type, how] of [
  [staying, "stays"],
  [leaving, "leaves memory"],
] as const) {
  test(`S5, R4. what a sender said after the message that begins its entity comes after it, whenever it was said (an entity that ${how})`, async (t) => {
    // So many steps of other promises after the first were there before the second was said: also while the entity comes to be there.
    for (let steps = 0; steps < 60; steps++) {
      failing.clear();
      const { system, clock } = await hosting({ types: [type] });
      const first = system.tell(A, put(1), { author: "ann", ...beginning });
      const second = system.tell(A, put(2), { author: "ann" });
      let third: Promise<Told> | undefined;
      const saying = system.activate(A, { input: undefined }).then(async () => {
        for (let step = 0; step < steps; step++) await Promise.resolve();
        third = system.tell(A, put(3), { author: "ann" });
      });
      await clock.advance(100);
      await saying;
      t.match(await Promise.all([first, second, third]), [{ kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }]);
      t.match(system.read(A)?.context, { taken: ["put ann 1", "put ann 2", "put ann 3"] }, `after ${String(steps)} steps`);
      const here = [system.tell(A, put(4), { author: "ann", ...beginning }), system.tell(A, put(5), { author: "ann" })];
      await clock.advance(100);
      t.match(await Promise.all(here), [{ kind: "accepted" }, { kind: "accepted" }]);
      t.match((system.read(A)?.context as { readonly taken: readonly string[] }).taken.slice(3), ["put ann 4", "put ann 5"], "also where it is here already");
      await system.stop();
    }
  });
}

test("R4. what begins an entity begins it although somebody called it before there was one, and what its sender said next finds it", async (t) => {
  failing.clear();
  const { system, clock, store } = await hosting({ types: [leaving] });
  const load = store.load.bind(store);
  store.load = async (entity) => {
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, 50);
    });
    return load(entity);
  };
  const before = system.tell(A, put(1, "bob"), { author: "bob" });
  await clock.advance(10);
  const told = [system.tell(A, put(1), { author: "ann", ...beginning }), system.tell(A, put(2), { author: "ann" })];
  await clock.advance(200);
  t.match(await before, { kind: "no-such-actor" }, "it came before there was one");
  t.match(await Promise.all(told), [{ kind: "accepted" }, { kind: "accepted" }]);
  t.match(system.read(A)?.context, { taken: ["put ann 1", "put ann 2"] });
  await system.stop();
});

test("R4. what a sender says next waits for an entity that stops and begins again for what was said before it, and no longer than it may", async (t) => {
  failing.clear();
  const { system, clock, store } = await hosting({ types: [staying] });
  await system.activate(A, { input: undefined });
  const commit = store.commit.bind(store);
  store.commit = async (batch) => {
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, 100);
    });
    return commit(batch);
  };
  const taken = system.tell(A, put(1), { author: "ann" });
  await clock.advance(10);
  const stopped = system.deactivate(A);
  const told = [
    system.tell(A, put(2), { author: "ann", ...beginning }),
    system.tell(A, put(3), { author: "ann", withinMs: 50 }),
    system.tell(A, put(4), { author: "ann", withinMs: 60_000 }),
  ];
  await clock.advance(60);
  t.match(await told[1], { kind: "owner-away" });
  await clock.advance(2_000);
  await stopped;
  t.match(await Promise.all([taken, ...told]), [{ kind: "accepted" }, { kind: "accepted" }, { kind: "owner-away" }, { kind: "accepted" }]);
  t.match(system.read(A)?.context, { taken: ["put ann 1", "put ann 2", "put ann 4"] });
  await system.stop();
  t.equal(clock.pending, 0);
});

test("R4. at random: what begins the entity or not, here or not, no sender's messages are swapped and none of an entity that was begun is told that nobody is there", async (t) => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= form(15, 80); seed++) {
    failing.clear();
    const dice = new SeededRandom(seed);
    const { system, clock, store } = await hosting({ types: [dice.next() < 0.7 ? leaving : staying], seed });
    for (const name of ["load", "commit"] as const) {
      const work = store[name].bind(store) as (given: never) => Promise<never>;
      store[name] = async (given: unknown) => {
        if (dice.next() < 0.5)
          await new Promise<void>((resolve) => {
            clock.setTimeout(resolve, Math.floor(dice.next() * 30));
          });
        return work(given as never);
      };
    }
    const said = new Map<string, number>();
    const told: { readonly from: string; readonly n: number; readonly begins: boolean; readonly isHasty: boolean; readonly outcome: Promise<Told> }[] = [];
    for (let at = 0; at < 80; at++) {
      const from = ["ann", "bob", "eve"][Math.floor(dice.next() * 3)] as string;
      const n = (said.get(from) ?? 0) + 1;
      said.set(from, n);
      // Each begins it with its first one at the latest.
      const begins = n === 1 || dice.next() < 0.3;
      const isHasty = dice.next() < 0.1;
      const withinMs = isHasty ? 5 : 10_000;
      told.push({ from, n, begins, isHasty, outcome: system.tell(A, put(n, from), { author: from, withinMs, ...(begins ? beginning : {}) }) });
      const pause = dice.next();
      if (pause < 0.05) await clock.advance(1_000);
      else if (pause < 0.3) await clock.advance(Math.floor(dice.next() * 20));
      else for (let step = 0; step < pause * 30; step++) await Promise.resolve();
    }
    await clock.advance(30_000);
    const looked = system.look(A);
    await clock.advance(1_000);
    const { taken } = (await looked)?.context as { readonly taken: readonly string[] };
    for (const { from, n, begins, isHasty, outcome } of told) {
      const { kind } = await outcome;
      const isTaken = taken.includes(`put ${from} ${String(n)}`);
      if (kind === "accepted" ? !isTaken : kind !== "unknown" && isTaken) wrong.push(`seed ${String(seed)}: ${from} ${String(n)} was told ${kind}`);
      if (kind === "no-such-actor" || (kind !== "accepted" && !isHasty))
        wrong.push(`seed ${String(seed)}: ${from} ${String(n)}${begins ? ", which begins it," : ""} was told ${kind}`);
    }
    for (const from of said.keys()) {
      const ofIt = taken.filter((each) => each.startsWith(`put ${from} `)).map((each) => Number(each.split(" ")[2]));
      if (ofIt.some((each, at) => at > 0 && each <= (ofIt[at - 1] ?? 0))) wrong.push(`seed ${String(seed)}: ${from}: ${String(ofIt)}`);
    }
    const stopped = system.stop();
    await clock.advance(5_000);
    await stopped;
  }
  t.same(wrong, []);
});

for (const durability of ["events", "snapshot", "volatile"] as const) {
  const types = [entityType({ root, durability, placement: "cloud" })];

  test(`H13, S5. a message that fails and is tried again comes before what its sender said after it (${durability})`, async (t) => {
    failing.clear();
    const { system, clock } = await hosting({ types });
    await system.activate(A, { input: undefined });
    const told = [1, 2, 3].map((n) => system.tell(A, { type: "put", from: "ann", n, fails: n === 1 ? 1 : 0 }, { author: "ann" }));
    const other = system.tell(A, { type: "put", from: "bob", n: 1, fails: 0 }, { author: "bob" });
    await clock.advance(5_000);
    t.match(await Promise.all([...told, other]), [{ kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }]);
    t.match(system.read(A)?.context, { taken: ["put bob 1", "put ann 1", "put ann 2", "put ann 3"] }, "what others said does not wait for it");
    await system.stop();
  });

  test(`H13, S5. what a sender says in the control lane keeps its order and its lane when it fails (${durability})`, async (t) => {
    failing.clear();
    const { system, clock } = await hosting({ types });
    await system.activate(A, { input: undefined });
    system.notify(A, { type: "put", from: "node", n: 1, fails: 1 });
    system.notify(A, { type: "put", from: "node", n: 2, fails: 0 });
    for (const [n, fails] of [
      [1, 2],
      [2, 0],
    ] as const)
      system.notify(A, { type: "urgent", from: "node", n, fails });
    await clock.advance(5_000);
    t.match(system.read(A)?.context, { taken: ["urgent node 1", "urgent node 2", "put node 1", "put node 2"] });
    await system.stop();
  });

  test(`S5. at random, whatever fails how often: no sender's messages are swapped, and each is taken once or refused (${durability})`, async (t) => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= form(12, 60); seed++) {
      failing.clear();
      const dice = new SeededRandom(seed);
      const { system, clock } = await hosting({ types, seed });
      await system.activate(A, { input: undefined });
      const sent: { readonly name: string; readonly told: Promise<Told> }[] = [];
      const said = new Map<string, number>();
      for (let at = 0; at < 60; at++) {
        const from = ["ann", "bob", "eve"][Math.floor(dice.next() * 3)] as string;
        const type = dice.next() < 0.2 ? "urgent" : "put";
        const n = (said.get(type + from) ?? 0) + 1;
        said.set(type + from, n);
        const fails = dice.next() < 0.3 ? 1 + Math.floor(dice.next() * 3) : 0;
        sent.push({ name: `${type} ${from} ${String(n)}`, told: system.tell(A, { type, from, n, fails }, { author: from }) });
        if (dice.next() < 0.2) await clock.advance(Math.floor(dice.next() * 50));
      }
      await clock.advance(60_000);
      const { taken } = system.read(A)?.context as { readonly taken: readonly string[] };
      for (const { name, told } of sent) {
        const times = taken.filter((each) => each === name).length;
        const { kind } = await told;
        if (times > 1 || (kind !== "unknown" && times !== (kind === "accepted" ? 1 : 0)))
          wrong.push(`seed ${String(seed)}: ${name} was taken ${String(times)} times, and told ${kind}`);
      }
      for (const line of said.keys()) {
        const numbers = taken.filter((each) => line === each.split(" ").slice(0, 2).join("")).map((each) => Number(each.split(" ")[2]));
        if (numbers.some((n, index) => index > 0 && n < (numbers[index - 1] ?? 0))) wrong.push(`seed ${String(seed)}: ${line} ${numbers.join(" ")}`);
      }
      await system.stop();
    }
    t.same(wrong, []);
  });
}
