// A message that ends every process that steps it, on one node after the other: each has the store of the one before, and a crash file of its own in which nothing stands (rules M4).

import { test, type Test } from "tap";

import { actorType, createSystem, effect, effectOutcomes, entityType, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import { silentLog, type EntityCommit, type Store } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, type MemoryStore, SeededRandom, settle } from "../../../runtime/simulation/index.ts";
import { decodeState } from "../../../runtime/entity/index.ts";
import { FakeWatch } from "./fake-watch.ts";

const A = parseAddress("t/mill/a");
const B = parseAddress("t/mill/b");
const NODES = ["n1", "n2", "n3", "n4", "n5", "n6"];
const MINUTE_MS = 60_000;

interface Grain {
  readonly type: string;
  readonly to?: string;
  readonly what?: string;
}

interface Process {
  readonly node: string;
  readonly system: System;
  readonly store: MemoryStore;
  readonly watch: FakeWatch;
  readonly commits: readonly EntityCommit[];
  readonly warnings: readonly string[];
  readonly hasEnded: boolean;
}

/** One store, and processes of several nodes that have it in turn. */
class Cluster {
  readonly disk = new MemoryDisk();
  readonly clock = new ManualClock();
  readonly #watches = new Map<string, FakeWatch>();
  deaths = 0;
  /** Steps of what throws. */
  thrown = 0;
  /** From then on nothing that the process of now asks of its store is answered. */
  end: () => void = () => undefined;

  readonly #grain = {
    body: { to: T.Optional(T.String()), what: T.Optional(T.String()) },
  };
  /** How what a mill grinds comes to its end. */
  grind: () => Promise<void> = () => Promise.resolve();
  readonly #mill = entityType({
    root: actorType({
      name: "mill",
      version: 1,
      messages: messages({
        poison: this.#grain,
        flour: this.#grain,
        throws: this.#grain,
        send: this.#grain,
        arm: this.#grain,
        late: this.#grain,
        work: this.#grain,
        ...effectOutcomes,
        fill: { body: { text: T.String({ pattern: "^a+$" }) } },
      }),
      behaviour: reducer<readonly string[], Grain, string | undefined>({
        initial: (input) => {
          if (input === "poison") this.#die();
          return [];
        },
        step: (state, event, turn) => {
          if (event.type === "poison" || event.type === "effect.unknown" || (event.type === "late" && state.length > 0)) this.#die();
          if (event.type === "late") turn.postpone();
          if (event.type === "work") turn.perform("grind", null);
          if (event.type === "throws") {
            this.thrown++;
            throw new Error("not ground");
          }
          if (event.type === "send") turn.send(event.to ?? "", { type: event.what ?? "" });
          if (event.type === "arm") turn.arm("it", 500, { type: event.what ?? "" });
          return [...state, event.type];
        },
        effects: { grind: effect({ class: "once" }) },
      }),
    }).with({ effects: { grind: () => this.grind() } }),
    durability: "events",
    placement: "cloud",
  });

  #die(): never {
    this.deaths++;
    this.end();
    throw new Error("the process has ended here");
  }

  async start(node: string, at: readonly string[] = [A, B]): Promise<Process> {
    const watch = this.#watches.get(node) ?? new FakeWatch(A);
    this.#watches.set(node, watch);
    const store = memoryStore({ disk: this.disk });
    await store.open();
    let hasEnded = false;
    this.end = () => {
      hasEnded = true;
      // What the watchdog's thread, or the next process of the node, writes down.
      if (watch.current !== undefined) watch.hang(watch.current.cell, watch.current.key);
    };
    const commits: EntityCommit[] = [];
    const warnings: string[] = [];
    const answering: Store = new Proxy(store, {
      get: (of, name: keyof Store) => {
        const member = Reflect.get(of, name) as unknown;
        if (typeof member !== "function") return member;
        return (...given: readonly unknown[]): unknown => {
          if (name === "commit" && !hasEnded) commits.push(...(given[0] as readonly EntityCommit[]));
          return hasEnded ? new Promise(() => undefined) : (member.apply(of, given) as unknown);
        };
      },
    });
    const log = { ...silentLog, warn: (_fields: object, message: string) => void warnings.push(message) };
    const system = createSystem({ node, types: [this.#mill], store: answering, clock: this.clock, random: new SeededRandom(1), log, stepWatch: watch });
    await system.start();
    for (const address of at) void system.activate(parseAddress(address), { input: undefined }).catch(() => undefined);
    await settle();
    return {
      node,
      system,
      store,
      watch,
      commits,
      warnings,
      get hasEnded() {
        return hasEnded;
      },
    };
  }

  /** Ends whatever runs, at nobody's doing. */
  kill(): void {
    this.end();
  }
}

/** Processes of one node after the other, until one lives. */
async function untilOneLives(cluster: Cluster, bring: (process: Process, at: number) => unknown, nodes = NODES): Promise<Process | undefined> {
  for (const [at, node] of nodes.entries()) {
    const process = await cluster.start(node);
    if (!process.hasEnded) void bring(process, at);
    await settle();
    await cluster.clock.advance(3_000);
    await settle();
    if (!process.hasEnded) return process;
  }
  return undefined;
}

async function parkedAt(process: Process | undefined, entity = A): Promise<readonly string[]> {
  return (await process?.system.inspection.inspect(entity))?.parked.map(({ reason }) => reason) ?? [];
}

type Way = readonly [what: string, bring: (process: Process, at: number) => unknown, named: RegExp];

const WAYS: readonly Way[] = [
  [
    "a message from outside",
    async ({ system }) => system.tell(A, { type: "poison" }, { id: "m1", author: "anna", withinMs: 2_000 }),
    /^poison from anna was being stepped in t\/mill\/a when its process ended, each time/,
  ],
  [
    "a message of another entity",
    async ({ system }, at) => (at === 0 ? system.tell(B, { type: "send", to: A, what: "poison" }) : undefined),
    /^poison from t\/mill\/b was being stepped in t\/mill\/a/,
  ],
  [
    "a message that it had postponed",
    async ({ system }, at) => {
      if (at > 0) return;
      void system.tell(A, { type: "late" }, { author: "anna" });
      await system.tell(A, { type: "flour" });
    },
    /^late from anna was being stepped in t\/mill\/a/,
  ],
  ["a timer", async ({ system }, at) => (at === 0 ? system.tell(A, { type: "arm", what: "poison" }) : undefined), /^\(timer\) was being stepped in t\/mill\/a/],
];

for (const [what, bring, named] of WAYS)
  test(`M4. ${what} that ends the process in its step is parked over all nodes, when it has ended three, and its actor goes on`, async (t) => {
    const cluster = new Cluster();
    const last = await untilOneLives(cluster, bring);
    t.equal(cluster.deaths, 3);
    t.equal(last?.node, "n4");
    const reasons = await parkedAt(last);
    t.equal(reasons.length, 1);
    t.match(reasons[0], named);
    t.match(await last?.system.tell(A, { type: "flour" }), { kind: "accepted" });
    await last?.system.stop();
  });

test("M4. who repeats it hears why it was set aside", async (t) => {
  const cluster = new Cluster();
  let told: unknown;
  await untilOneLives(cluster, async (process) => {
    const word = await process.system.tell(A, { type: "poison" }, { id: "m1", author: "anna" });
    if (!process.hasEnded) told = word;
  });
  t.match(told, { kind: "refused", reason: /^set aside: poison from anna was being stepped/ });
});

test("M4. the first step of an entity ends three processes and no more", async (t) => {
  const cluster = new Cluster();
  const first = await cluster.start("n0");
  t.match(await first.system.tell(B, { type: "flour" }), { kind: "accepted" });
  await first.system.stop();
  const C = parseAddress("t/mill/c");
  let told: unknown;
  const last = await untilOneLives(cluster, async (process) => {
    const word = await process.system.tell(C, { type: "flour" }, { id: "m1", create: { input: "poison" } });
    if (!process.hasEnded) told = word;
  });
  t.equal(cluster.deaths, 3);
  t.match(told, { kind: "not-stored", reason: /\(start\) was being stepped in t\/mill\/c/ });
  await last?.system.stop();
});

test("M4. deaths of a node that has had the store before count with those of the others", async (t) => {
  const cluster = new Cluster();
  const last = await untilOneLives(cluster, async ({ system }) => system.tell(A, { type: "poison" }, { id: "m1" }), ["n1", "n2", "n1", "n2", "n1"]);
  t.equal(cluster.deaths, 2, "n1 knows of its own by its crash file, and finds that of n2");
  t.match(await parkedAt(last), [/./]);
  const twice = new Cluster();
  await untilOneLives(twice, async ({ system }) => system.tell(A, { type: "poison" }, { id: "m1" }), ["n1", "n1", "n2"]);
  t.equal(twice.deaths, 2, "n2 finds what n1 has committed");
  await last?.system.stop();
});

let flours = 0;

/** @returns how many commits it took */
async function flour(t: Test, { system, commits }: Process, count: number): Promise<number> {
  const before = commits.length;
  for (let n = 1; n <= count; n++) t.match(await system.tell(A, { type: "flour" }, { id: `flour ${String(++flours)}` }), { kind: "accepted" });
  return commits.length - before;
}

test("M4. after a takeover each message that may come again costs one commit more for ten minutes of hosted time, over restarts; then, and after a node that has let go, none", async (t) => {
  const cluster = new Cluster();
  const n1 = await cluster.start("n1");
  t.equal(await flour(t, n1, 5), 5);
  await n1.system.stop();

  const n2 = await cluster.start("n2");
  t.same(n2.warnings, []);
  t.equal(await flour(t, n2, 5), 5, "n1 had let go");
  cluster.kill();

  const again = await cluster.start("n2");
  t.equal(await flour(t, again, 5), 5, "its own crash file tells it what was under way");
  cluster.kill();

  const n3 = await cluster.start("n3");
  t.match(n3.warnings, [/taken over/]);
  t.equal(await flour(t, n3, 5), 10);
  t.match(await n3.system.tell(A, { type: "flour" }), { kind: "accepted" });
  t.equal(n3.commits.length, 11, "nobody repeats an id that the node has made");
  t.equal(await parkedAt(n3).then((parked) => parked.length), 0);
  await cluster.clock.advance(5 * MINUTE_MS);
  await n3.system.stop();

  const n4 = await cluster.start("n4");
  t.same(n4.warnings, []);
  t.equal(await flour(t, n4, 5), 10, "what ended n2 may still come");
  await cluster.clock.advance(4.9 * MINUTE_MS);
  t.equal(await flour(t, n4, 5), 10);
  await cluster.clock.advance(0.2 * MINUTE_MS);
  t.equal(await flour(t, n4, 5), 5);
  await n4.system.stop();
});

test("M4. H13. what throws after a takeover is tried three times, as ever: an attempt whose step has come to an end speaks against nobody", async (t) => {
  const cluster = new Cluster();
  await cluster.start("n1");
  cluster.kill();
  const n2 = await cluster.start("n2");
  t.match(await n2.system.tell(A, { type: "throws" }, { id: "m1" }), { kind: "refused", reason: /after 3 failures: not ground/ });
  t.equal(cluster.thrown, 3);
  const { parked } = (await n2.system.inspection.inspect(A)) ?? { parked: [] };
  t.equal(parked.length, 1);
  await flour(t, n2, 2);
  const held = n2.system.stateOf(A);
  t.match(JSON.stringify(decodeState(held?.encoded ?? new Uint8Array()).rest), /^((?!"open ).)*$/, "nothing is left of their attempts");
  await n2.system.stop();
});

test("M4. F1. what is said of an effect that nobody knows the end of counts too; that one was done is noted without an attempt", async (t) => {
  const cluster = new Cluster();
  cluster.grind = () => new Promise(() => undefined);
  const first = await cluster.start("n1");
  t.match(await first.system.tell(A, { type: "work" }), { kind: "accepted" });
  cluster.kill();
  const last = await untilOneLives(cluster, () => undefined, ["n2", "n3", "n4"]);
  t.equal(cluster.deaths, 2);
  t.match(await parkedAt(last), [/^\(performed\) was being stepped in t\/mill\/a/]);

  cluster.grind = () => Promise.resolve();
  const before = last?.commits.length ?? 0;
  t.match(await last?.system.tell(A, { type: "work" }), { kind: "accepted" });
  await cluster.clock.advance(1_000);
  t.equal((last?.commits.length ?? 0) - before, 2);
  await last?.system.stop();
});

test("M4. an attempt that came to no step, and one whose process was killed and is back on its node, speak against nobody", async (t) => {
  const cluster = new Cluster();
  await cluster.start("n1");
  cluster.kill();
  const id = { id: "m1", author: "anna" };
  for (let times = 0; times < 3; times++) {
    const { system, store } = await cluster.start("n2");
    const commit = store.commit.bind(store);
    store.commit = async (batch) => {
      await new Promise<void>((resolve) => void cluster.clock.setTimeout(resolve, 1_500));
      return commit(batch);
    };
    for (let tries = 0; tries < 3; tries++) {
      const told = system.tell(A, { type: "flour" }, { ...id, withinMs: 1_000 });
      await settle();
      await cluster.clock.advance(1_000);
      t.match(await told, { kind: "deadline" });
      await cluster.clock.advance(1_000);
    }
    void system.tell(A, { type: "flour" }, { ...id, withinMs: 10_000 });
    await settle();
    await cluster.clock.advance(2_000);
    cluster.kill();
  }
  const last = await cluster.start("n2");
  t.match(await last.system.tell(A, { type: "flour" }, id), { kind: "accepted" });
  await last.system.stop();
});

test("M4. P4. of several messages that were under way at a death one alone is stepped at a time, and the innocent ones are taken", async (t) => {
  const cluster = new Cluster();
  const told = new Map<string, unknown>();
  const entities = ["t/mill/a", "t/mill/b", "t/mill/c", "t/mill/d"].map(parseAddress);
  const bring = (process: Process): void => {
    for (const entity of entities) {
      void process.system
        .tell(entity, { type: entity === B ? "poison" : "flour" }, { id: `to ${entity}`, author: "anna", withinMs: 2_000 })
        .then((word) => (process.hasEnded ? undefined : told.set(entity, word)));
    }
  };
  let last: Process | undefined;
  for (const node of NODES) {
    last = await cluster.start(node, entities);
    bring(last);
    await settle();
    await cluster.clock.advance(3_000);
    if (!last.hasEnded) break;
  }
  t.equal(cluster.deaths, 3);
  for (const entity of entities) {
    t.match(told.get(entity), entity === B ? { kind: "refused", reason: /poison .* was being stepped in t\/mill\/b/ } : { kind: "accepted" }, entity);
    t.same((last?.system.read(entity)?.context as readonly string[]).length, entity === B ? 0 : 1);
  }
  await last?.system.stop();
});

test("M4. P4. who waits for suspects of others waits no longer than its deadline, and its actor goes on then", async (t) => {
  const cluster = new Cluster();
  for (const node of ["n1", "n2"]) {
    const { system } = await cluster.start(node);
    void system.tell(B, { type: "poison" }, { id: "b", author: "anna" });
    void system.tell(A, { type: "flour" }, { id: "a", author: "anna" });
    await settle();
  }
  t.equal(cluster.deaths, 2);
  const { system, store } = await cluster.start("n3");
  const commit = store.commit.bind(store);
  const told: unknown[] = [];
  let answer = (): void => undefined;
  const answered = new Promise<void>((resolve) => {
    answer = resolve;
  });
  store.commit = async (batch) => {
    await answered;
    return commit(batch);
  };
  void system.tell(A, { type: "flour" }, { id: "a", author: "anna", withinMs: 60_000 }).then((word) => told.push(word));
  await settle();
  void system.tell(B, { type: "poison" }, { id: "b", author: "anna", withinMs: 1_000 }).then((word) => told.push(word));
  void system.tell(B, { type: "flour" }, { id: "c", author: "anna", withinMs: 60_000 }).then((word) => told.push(word));
  await settle();
  await cluster.clock.advance(1_000);
  t.match(told, [{ kind: "deadline" }]);
  answer();
  await settle();
  t.match(told, [{ kind: "deadline" }, { kind: "accepted" }, { kind: "accepted" }]);
  t.equal(cluster.deaths, 2);
  await system.stop();
});

test("M4. R3. the check of a message that may take long is the entity's own after a takeover, with its attempt before it", async (t) => {
  const cluster = new Cluster();
  const first = await cluster.start("n1");
  t.match(await first.system.tell(A, { type: "fill", text: "b" }, { id: "m1" }), { kind: "invalid" });
  t.match(first.watch.worked, [{ key: "outside m1" }], "at the door");
  cluster.kill();
  const { system, watch, commits } = await cluster.start("n2");
  const before = commits.length;
  t.match(await system.tell(A, { type: "fill", text: "b" }, { id: "m2" }), { kind: "invalid" });
  t.same(
    watch.worked.filter(({ key }) => key === "outside m2"),
    [],
  );
  t.match(watch.stepped.slice(-2), [{ key: "attempt at outside m2" }, { key: "outside m2" }]);
  t.equal(commits.length, before + 2);
  await system.stop();
});
