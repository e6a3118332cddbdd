// Known and active versions on a node: a release runs the former machine until its own is raised, and can be taken back until then (rules T4).

import { test } from "tap";
import { assign, sendTo, setup } from "xstate";

import {
  actorType,
  createSystem,
  decodeRecord,
  effect,
  entityType,
  type EventOf,
  messages,
  parseAddress,
  reducer,
  type Registered,
  reply,
  type System,
  type SystemOptions,
  T,
  task,
} from "../../../runtime/index.ts";
import { type Log, type Store, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";

const A = parseAddress("acme/jar/a");
const B = parseAddress("acme/jar/b");

const total = T.Object({ total: T.Integer() });
const jarMessages = messages({ put: { body: { n: T.Integer() }, reply: total }, wait: { body: {}, reply: total }, seal: { body: {} } });
const jar2Messages = messages({ ...jarMessages.specs, label: { body: { text: T.String() } } });
type JarEvent = EventOf<typeof jar2Messages>;

interface JarContext {
  readonly total: number;
  readonly text?: string;
  readonly asker?: Extract<JarEvent, { readonly type: "wait" }>["replyTo"];
}

/** Version 1 counts pieces, version 2 tenths. */
function jarMachine(version: 1 | 2): never {
  const made = setup({
    types: { context: {} as JarContext, events: {} as JarEvent },
    actions: {
      weigh: effect<{ total: number }>({ class: "idempotent" }),
    },
    delays: { LATE: 1_000 },
  });
  return made.createMachine({
    id: "jar",
    context: { total: 0 },
    initial: "open",
    states: {
      open: {
        on: {
          put: {
            actions: [
              assign({ total: ({ context, event }) => context.total + event.n * (version === 1 ? 1 : 10) }),
              { type: "weigh", params: ({ context }) => ({ total: context.total }) },
              sendTo(
                ({ event }) => event.replyTo,
                ({ context }) => reply({ total: context.total }),
              ),
            ],
          },
          wait: { actions: assign({ asker: ({ event }) => event.replyTo }), target: "late" },
          seal: "sealed",
          label: { actions: assign({ text: ({ event }) => event.text }) },
        },
      },
      late: {
        after: {
          LATE: {
            target: "open",
            actions: sendTo(
              ({ context }) => context.asker as never,
              ({ context }) => reply({ total: context.total }) as never,
            ),
          },
        },
      },
      sealed: {},
    },
  }) as never;
}

const jar1 = actorType({ name: "jar", version: 1, messages: jarMessages, behaviour: jarMachine(1) });
const jar2 = actorType({
  name: "jar",
  version: 2,
  messages: jar2Messages,
  behaviour: jarMachine(2),
  earlier: [jar1],
  migrate: {
    1: ({ value, context }) => {
      const old = context as JarContext;
      if (old.total === 13) throw new Error("thirteen does not fit");
      return { value: value as string, context: { ...old, total: old.total * 10 } };
    },
  },
});

interface Weighed {
  readonly effects: { readonly weigh: (given: { total: number }) => void };
  readonly weighed: number[];
}

function scales(): Weighed {
  const weighed: number[] = [];
  return { weighed, effects: { weigh: ({ total }) => void weighed.push(total) } };
}

type Jar = typeof jar1 | typeof jar2;
const jars = (root: Jar, more: Partial<Parameters<typeof entityType>[0]> = {}): Registered => entityType({ root, durability: "events", placement: "cloud", ...more });
const first = (more?: Parameters<typeof jars>[1]): readonly Registered[] => [jars(jar1, more), jar1.with({ effects: { weigh: () => undefined } as never })];
const second = (more?: Parameters<typeof jars>[1], weigh: Weighed["effects"]["weigh"] = () => undefined): readonly Registered[] => [
  jars(jar2, more),
  jar2.with({ effects: { weigh } as never }),
];

interface Place {
  readonly clock: ManualClock;
  readonly store: Store;
}

async function place(): Promise<Place> {
  const store = memoryStore();
  await store.open();
  return { clock: new ManualClock(), store };
}

let starts = 0;
async function started({ clock, store }: Place, types: readonly Registered[], more: Partial<SystemOptions> = {}): Promise<System> {
  const system = createSystem({ node: "n1", types, clock, store, random: new SeededRandom(++starts), log: silentLog, ...more });
  await system.start();
  return system;
}

/** A jar with 1 in it, of the first release, which has stopped. */
async function lived(more?: Parameters<typeof jars>[1]): Promise<Place> {
  const there = await place();
  const system = await started(there, first(more));
  await system.activate(A, { input: undefined });
  await system.ask(A, { type: "put", n: 1 }, { withinMs: 1_000 });
  await system.stop();
  return there;
}

async function writtenBy({ store }: Place, entity: string): Promise<readonly unknown[]> {
  const records = await store.journal({ entity, limit: 1_000, order: "oldest-first" });
  return [...new Set(records.map(({ record }) => decodeRecord(record).versions["jar"]))];
}

/** What the journal has taken of the node's own news. */
async function labels({ store }: Place, entity: string): Promise<readonly unknown[]> {
  const records = await store.journal({ entity, limit: 1_000, order: "oldest-first" });
  return records.flatMap(({ record }) => decodeRecord(record).inputs.filter((input) => input.kind === "message" && input.event.type === "label"));
}

function heard(): { readonly log: Log; readonly lines: { readonly level: string; readonly message: string; readonly [field: string]: unknown }[] } {
  const lines: { level: string; message: string }[] = [];
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push({ ...fields, level, message });
  const log: Log = { ...silentLog, info: at("info"), warn: at("warn"), error: at("error"), child: () => log };
  return { log, lines };
}

test("T4. until its version is raised a release begins, runs and writes with the former machine, its protocol and its effects; the former release goes on as if nothing had been", async (t) => {
  const there = await lived();
  const { weighed, effects } = scales();
  const { log, lines } = heard();
  const next = await started(there, second({}, effects.weigh), { log });
  t.same(next.versions(), [{ type: "jar", known: [1, 2], active: 1 }]);
  t.match(lines, [{ level: "info", type: "jar", active: 1, known: [1, 2], message: /drover versions raise TYPE/ }]);
  t.same(
    next.protocolOf("jar")?.map(({ type }) => type),
    ["put", "wait", "seal"],
  );
  await next.activate(A, { input: undefined });
  await next.activate(B, { input: undefined });
  for (const jar of [A, B]) {
    t.match(await next.ask(jar, { type: "put", n: 2 }, { withinMs: 1_000 }), { kind: "replied" });
    t.match(await next.tell(jar, { type: "label", text: "jam" }), { kind: "invalid" }, "what only the new version takes");
  }
  t.same(weighed, [3, 2], "effects are performed");
  t.match(next.read(A), { version: 1, context: { total: 3 } });
  await next.stop();
  for (const jar of [A, B]) t.same(await writtenBy(there, jar), [1]);

  const back = await started(there, first());
  t.same(back.versions(), [{ type: "jar", known: [1], active: 1 }]);
  for (const [jar, left] of [
    [A, 3],
    [B, 2],
  ] as const) {
    await back.activate(jar, { input: undefined });
    t.match(back.read(jar), { version: 1, context: { total: left } });
  }
  t.equal(back.metrics().find(({ name }) => name === "drover_divergences_total")?.value ?? 0, 0);
  await back.stop();
});

test("T4. a raise brings every entity in memory over before it resolves; whoever waits there has his reply, what is sent meanwhile is taken, and no former release goes on", async (t) => {
  const there = await lived();
  const system = await started(there, second());
  for (const jar of [A, B]) await system.activate(jar, { input: undefined });
  const ended = system.ended(A).then(() => "ended");
  const waiting = system.ask(A, { type: "wait" }, { withinMs: 5_000 });
  await there.clock.advance(500);
  const raised = system.raiseVersions({ jar: 2 });
  const meanwhile: Promise<unknown>[] = [];
  let notified = 0;
  for (let n = 0; n < 100; n++) {
    meanwhile.push(system.tell(B, { type: "put", n: 1 }).then(({ kind }) => kind));
    if (system.notify(B, { type: "label", text: "jam" })) notified++;
    await Promise.resolve();
  }
  t.same(await raised, { versions: [{ type: "jar", known: [1, 2], active: 2 }], left: [] });
  t.match(system.read(A), { version: 2, state: "late" });
  t.same(new Set(await Promise.all(meanwhile)), new Set(["accepted"]));
  await there.clock.advance(0);
  t.match(system.read(B), { version: 2, context: { total: 1_000, text: "jam" } }, "each put counts ten, before or after");
  t.equal(notified, 100);
  t.match(await labels(there, B), { length: 100 }, "nothing of the node itself was lost on its way");
  await there.clock.advance(500);
  t.same(await waiting, { kind: "replied", value: { total: 10 } }, "the delay has gone on");
  t.match(await system.ask(A, { type: "put", n: 2 }, { withinMs: 1_000 }), { kind: "replied", value: { total: 30 } });
  t.same(
    system.protocolOf("jar")?.map(({ type }) => type),
    ["put", "wait", "seal", "label"],
  );
  t.match(system.describeEntities(), [{ restarts: 0 }, { restarts: 0 }]);
  t.equal(await Promise.race([ended, Promise.resolve("goes on")]), "goes on");

  t.same((await system.raiseVersions({ jar: 2 })).left, [], "what is active counts as raised");
  await t.rejects(system.raiseVersions({ jar: 1 }), { code: "DROVER_STATE_NEWER", message: /version 2 of jar is active.*never lowered, to 1/ });
  t.same(system.versions(), [{ type: "jar", known: [1, 2], active: 2 }]);
  await system.stop();
  t.equal(await ended, "ended");
  t.same(await writtenBy(there, A), [1, 2]);

  const { log, lines } = heard();
  const back = await started(there, first(), { log });
  t.match(lines, [{ level: "error", type: "jar", active: 2, known: [1] }]);
  for (const jar of [A, parseAddress("acme/jar/new")])
    await t.rejects(back.activate(jar, { input: undefined }), { code: "DROVER_STATE_NEWER", message: "active for jar is version 2 of jar; registered is 1" });
  await t.rejects(back.raiseVersions({ jar: 1 }), { code: "DROVER_STATE_NEWER" });
  t.equal(await there.store.revisionOf("acme/jar/new"), undefined);
  await back.stop();
});

test("T4. what cannot be raised is refused with what there is, and changes nothing", async (t) => {
  const there = await lived();
  const system = createSystem({ node: "n1", types: second(), ...there, random: new SeededRandom(1), log: silentLog });
  await t.rejects(system.raiseVersions({ jar: 2 }), { code: "DROVER_STORE_FAILED", message: "the system is not running" });
  await system.start();
  await t.rejects(system.raiseVersions({ jar: 3 }), { code: "DROVER_TYPE_INVALID", message: "version 3 of jar is not registered on this node; there are 1, 2" });
  await t.rejects(system.raiseVersions({ pot: 1 }), {
    code: "DROVER_TYPE_INVALID",
    message: 'no actor type "pot" whose actors are kept is registered on this node; there are jar',
  });
  await t.rejects(system.raiseVersions({ jar: 2, constructor: 1 }), { code: "DROVER_TYPE_INVALID" });
  for (const versions of [{ jar: 0 }, { jar: "2" }, undefined, ["jar"]]) await t.rejects(system.raiseVersions(versions as never), { code: "DROVER_CONFIG_INVALID" });
  t.same(system.versions(), [{ type: "jar", known: [1, 2], active: 1 }]);
  t.equal(Buffer.from((await there.store.values.get("active-version/jar")) ?? []).toString(), "1");
  await system.stop();
});

test("T4. a raise that the store does not take has raised nothing; one that it took without a word is gone on with", async (t) => {
  const there = await lived();
  const { values } = there.store;
  const write = values.write.bind(values);
  const system = await started(there, second());
  await system.activate(A, { input: undefined });
  Object.assign(values, { write: () => Promise.reject(new Error("no disk")) });
  await t.rejects(system.raiseVersions({ jar: 2 }), { message: "no disk" });
  t.match(system.versions(), [{ active: 1 }]);
  t.match(system.read(A), { version: 1 });
  Object.assign(values, { write: (changes: Parameters<typeof write>[0]) => write(changes).then(() => Promise.reject(new Error("no word"))) });
  t.match(await system.raiseVersions({ jar: 2 }), { versions: [{ active: 2 }], left: [] });
  t.match(system.read(A), { version: 2 });
  await system.stop();
});

test("T4, S7. a raise that was cut off after its record is finished by the next start, for entities out of memory too", async (t) => {
  const there = await lived({ passivateAfterMs: 5_000 });
  const doomed = await started(there, second({ passivateAfterMs: 5_000 }));
  await doomed.activate(A, { input: undefined });
  const commit = there.store.commit.bind(there.store);
  there.store.commit = () => new Promise(() => undefined);
  void doomed.raiseVersions({ jar: 2 }).catch(() => undefined);
  await there.clock.advance(1);
  there.store.commit = commit;
  t.same(await writtenBy(there, A), [1], "it was cut off before its upgrade");
  const next = await started(there, second({ passivateAfterMs: 5_000 }));
  t.match(next.versions(), [{ active: 2 }]);
  await there.clock.advance(1_000);
  t.match(await next.look(A), { version: 2, context: { total: 10 } });
  await next.stop();
});

test("T4, C5. a raise brings over who is out of memory as well", async (t) => {
  const there = await lived({ passivateAfterMs: 5_000 });
  const system = await started(there, second({ passivateAfterMs: 5_000 }));
  await there.clock.advance(20_000);
  t.same(system.describeEntities(), [], "it is out of memory");
  t.same(await writtenBy(there, A), [1]);
  t.same((await system.raiseVersions({ jar: 2 })).left, []);
  await there.clock.advance(1_000);
  t.same(await writtenBy(there, A), [1, 2]);
  await system.stop();
});

test("T4. who cannot go over is named, stays away and is tried again; the others go over", async (t) => {
  const there = await lived();
  const system = await started(there, second());
  await system.activate(A, { input: undefined });
  await system.activate(B, { input: undefined });
  await system.ask(B, { type: "put", n: 13 }, { withinMs: 1_000 });
  t.match(await system.raiseVersions({ jar: 2 }), { left: [{ entity: B, reason: /thirteen does not fit/ }] });
  t.match(system.read(A), { version: 2 });
  t.same(await system.tell(B, { type: "seal" }), { kind: "owner-away" });
  t.match(
    system.describeEntities().find(({ id }) => id === B),
    { state: "failed", lastExit: { reason: "failed", error: /thirteen/ } },
  );
  await system.deactivate(B);
  await there.clock.advance(60_000);
  t.same(
    system.describeEntities().map(({ id }) => id),
    [A],
    "who was deactivated is not tried again",
  );
  await system.stop();
});

test("T4. a store without a record is read: the newest version that an entity names is active", async (t) => {
  const before = await lived();
  await before.store.values.delete("active-version/jar");
  const old = await started(before, second());
  t.match(old.versions(), [{ active: 1 }]);
  await old.stop();

  // Some are of the second version, as an upgrade before there were records has left them.
  const mixed = await lived();
  const partly = await started(mixed, second(), { versions: "raised-at-start" });
  await partly.activate(B, { input: undefined });
  await partly.stop();
  await mixed.store.values.delete("active-version/jar");
  const both = await started(mixed, second());
  t.match(both.versions(), [{ active: 2 }]);
  await both.activate(A, { input: undefined });
  t.match(both.read(A), { version: 2, context: { total: 10 } });
  await both.stop();
});

const K = parseAddress("acme/kitchen/k");
const kitchenRoot = actorType({ name: "kitchen", version: 1, messages: messages({ count: { body: {} } }), behaviour: reducer({ initial: () => 0, step: (n: number) => n + 1 }) });
const kitchen = (...types: readonly Jar[]): Registered =>
  entityType({ root: kitchenRoot, durability: "events", placement: "cloud", children: { shelf: { types, strategy: "one-for-one" } } });
const kitchenOf = (jar: Jar): readonly Registered[] => [kitchen(jar), jar.with({ effects: { weigh: () => undefined } as never })];
const withJar = { input: undefined, children: [{ kind: "shelf", id: "j", type: "jar", input: undefined }] };

test("T4. where a former release has run nothing is raised unasked, also of a type that no stored actor has: it begins in its former version, and the former release comes back", async (t) => {
  const there = await place();
  const count = async (system: System): Promise<void> => {
    await system.activate(K, { input: undefined });
    t.match(await system.tell(K, { type: "count" }), { kind: "accepted" });
    await system.stop();
  };
  await count(await started(there, kitchenOf(jar1)));
  const { log, lines } = heard();
  const next = await started(there, kitchenOf(jar2), { log });
  t.same(next.versions(), [
    { type: "jar", known: [1, 2], active: 1 },
    { type: "kitchen", known: [1], active: 1 },
  ]);
  t.match(lines, [{ level: "info", type: "jar", active: 1, known: [1, 2], message: /drover versions raise TYPE/ }]);
  const other = parseAddress("acme/kitchen/other");
  await next.activate(other, withJar);
  t.match(next.read(parseAddress(`${other}/shelf/j`)), { version: 1 });
  await count(next);
  const back = await started(there, kitchenOf(jar1));
  await back.activate(other, { input: undefined });
  t.match(back.read(parseAddress(`${other}/shelf/j`)), { version: 1, context: { total: 0 } });
  await count(back);

  const asked = await started(there, kitchenOf(jar2), { versions: "raised-at-start" });
  t.match(asked.versions(), [{ active: 2 }, {}], "who wishes it has it raised");
  await asked.stop();
});

test("T4. a store in which nothing is kept is in use where a system has run on it, or has recorded another type's version; only where none has the newest is active at once", async (t) => {
  const fresh = await place();
  const anew = await started(fresh, second());
  t.match(anew.versions(), [{ active: 2 }]);
  await anew.activate(A, { input: undefined });
  t.match(anew.read(A), { version: 2 });
  await anew.stop();

  const stopped = await place();
  await (await started(stopped, first())).stop();
  const killed = await place();
  await started(killed, first());
  await killed.clock.advance(250);
  const recording = await place();
  await recording.store.values.set("active-version/pot", Buffer.from("2"));
  for (const used of [stopped, killed, recording]) {
    const next = await started(used, second());
    t.match(next.versions(), [{ active: 1 }]);
    await next.stop();
    await (await started(used, first())).activate(A, { input: undefined });
  }
});

test("T4. where the former version is not registered, the oldest that is takes its place, and the start says who cannot come back", async (t) => {
  const there = await place();
  await (await started(there, first())).stop();
  const jar3 = actorType({ name: "jar", version: 3, messages: jar2Messages, behaviour: jarMachine(2), earlier: [{ ...jar2, earlier: [] }], migrate: { 2: (state) => state } });
  const third = [jars(jar3), jar3.with({ effects: { weigh: () => undefined } as never })];
  const { log, lines } = heard();
  const system = await started(there, third, { log });
  t.match(system.versions(), [{ known: [2, 3], active: 2 }]);
  t.match(lines, [
    { level: "info", type: "jar", active: 2, known: [2, 3], message: /cannot come back/ },
    { level: "info", type: "jar", active: 2, message: /raise TYPE/ },
  ]);
  await system.stop();
  const again = heard();
  await (await started(there, third, { log: again.log })).stop();
  t.match(again.lines, [{ message: /raise TYPE/ }], "it is said once");
  const back = await started(there, first());
  await t.rejects(back.activate(A, { input: undefined }), { code: "DROVER_STATE_NEWER" });
});

test("T4. where an entity cannot be read nothing is recorded, and the oldest that is known writes meanwhile", async (t) => {
  const there = await lived();
  const load = there.store.load.bind(there.store);
  there.store.load = () => Promise.reject(new Error("not now"));
  const { log, lines } = heard();
  const unsure = await started(there, second(), { log });
  t.match(unsure.versions(), [{ active: 1 }]);
  t.match(lines, [{ level: "warn", entity: A }, { level: "info" }]);
  t.equal(await there.store.values.get("active-version/jar"), undefined);
  await unsure.stop();
  there.store.load = load;
  const sure = await started(there, second());
  t.equal(Buffer.from((await there.store.values.get("active-version/jar")) ?? []).toString(), "1");
  await sure.stop();
});

test("T4. a release without the former machine raises its own at the start, and says that nobody comes back", async (t) => {
  const there = await lived();
  const alone = actorType({ name: "jar", version: 2, messages: jar2Messages, behaviour: jarMachine(2), migrate: jar2.migrate });
  const { log, lines } = heard();
  const system = await started(there, [jars(alone)], { log });
  t.match(lines, [{ level: "warn", type: "jar", active: 1, raised: 2, message: /cannot come back/ }]);
  t.match(system.versions(), [{ known: [2], active: 2 }]);
  await system.activate(A, { input: undefined });
  t.match(system.read(A), { version: 2, context: { total: 10 } });
  await system.stop();
  t.equal(Buffer.from((await there.store.values.get("active-version/jar")) ?? []).toString(), "2");
});

test("T4. who wishes it has newer versions raised with the start", async (t) => {
  const there = await lived();
  const { log, lines } = heard();
  const system = await started(there, second(), { versions: "raised-at-start", log });
  t.match(lines, [{ level: "info", type: "jar", active: 1, raised: 2 }]);
  await system.activate(A, { input: undefined });
  t.match(system.read(A), { version: 2 });
  await system.stop();
  t.throws(() => createSystem({ node: "n1", types: second(), ...there, random: new SeededRandom(1), log: silentLog, versions: "newest" as never }), {
    code: "DROVER_CONFIG_INVALID",
  });
});

test("T4. the former machine has the tasks and effects that its version is supplied with, else those of the newest by their names; without them the node does not start", async (t) => {
  const job = (version: number, src: string, earlier: readonly (typeof jar1)[] = []): typeof jar1 =>
    actorType({
      name: "jar",
      version,
      earlier,
      messages: messages({ go: { body: {} } }),
      behaviour: setup({ actors: { [src]: task<undefined, number>() } }).createMachine({
        id: "jar",
        context: {},
        initial: "idle",
        states: { idle: { on: { go: "busy" } }, busy: { invoke: { src, input: undefined, onDone: "done" } }, done: {} },
      } as never) as never,
    }) as never;
  const runs: string[] = [];
  const work = (of: string) => (): unknown => runs.push(of);
  const now = job(1, "work");
  const same = job(2, "work", [now]);
  const other = job(2, "toil", [now]);
  const ran = async (types: readonly Registered[]): Promise<unknown> => {
    const there = await place();
    const began = await started(there, [jars(now)]);
    await began.activate(A, { input: undefined });
    await began.stop();
    const system = await started(there, types);
    await system.activate(A, { input: undefined });
    await system.tell(A, { type: "go" });
    await there.clock.advance(1);
    await system.stop();
    const { state, version } = (await (await started(there, types)).look(A)) ?? {};
    return { state, version, runs: runs.splice(0) };
  };
  t.same(await ran([jars(same), same.with({ tasks: { work: work("newest") } })]), { state: "done", version: 1, runs: ["newest"] });
  t.same(await ran([jars(same), same.with({ tasks: { work: work("newest") } }), now.with({ tasks: { work: work("former") } })]), {
    state: "done",
    version: 1,
    runs: ["former"],
  });
  const toiling = other.with({ tasks: { toil: work("newest") } });
  t.same(await ran([jars(other), toiling, now.with({ tasks: { work: work("former") } })]), { state: "done", version: 1, runs: ["former"] });
  await t.rejects(ran([jars(other), toiling]), { code: "DROVER_TYPE_INVALID", message: /version 1 of jar is active, and nobody supplies its task "work": give/ });
  t.throws(
    () =>
      createSystem({
        node: "n1",
        types: [jars(same), { ...now, version: 7 }, { ...now, version: 9 }],
        store: memoryStore(),
        clock: new ManualClock(),
        random: new SeededRandom(1),
        log: silentLog,
      }),
    {
      code: "DROVER_TYPE_INVALID",
      message: 'the actor type "jar" of version 7 belongs to no registered entity type, nor to `earlier` of one',
    },
  );
});

test("T4. types are raised together, in one write; what keeps nothing runs its newest version", async (t) => {
  const there = await place();
  const spoon = (version: number, earlier: readonly (typeof jar1)[] = []): typeof jar1 =>
    actorType({ name: "spoon", version, earlier, messages: messages({}), behaviour: reducer({ initial: () => ({}), step: (state) => state }) }) as never;
  const spoon1 = spoon(1);
  const fly = (version: number, earlier: readonly (typeof jar1)[] = []): typeof jar1 =>
    actorType({ name: "fly", version, earlier, messages: messages({}), behaviour: reducer({ initial: () => ({}), step: (state) => state }) }) as never;
  const fly1 = fly(1);
  const flies = (root: typeof jar1, member: typeof jar1): Registered =>
    entityType({ root, durability: "volatile", placement: "cloud", children: { spoon: { types: [member], strategy: "one-for-one" } } });
  const kitchen = (jar: Jar, member: typeof jar1): Registered => jars(jar, { children: { spoon: { types: [member], strategy: "one-for-one" } } });
  const children = [{ kind: "spoon", id: "s", type: "spoon", input: undefined }];
  const before = await started(there, [kitchen(jar1, spoon1), flies(fly1, spoon1)]);
  await before.activate(A, { input: undefined, children });
  await before.stop();
  const spoon2 = spoon(2, [spoon1]);
  const system = await started(there, [kitchen(jar2, spoon2), flies(fly(2, [fly1]), spoon2)]);
  const F = parseAddress("acme/fly/f");
  for (const entity of [A, F]) await system.activate(entity, { input: undefined, children });
  const shown = (): unknown => [A, F].map((entity) => [system.read(entity)?.version, system.read(parseAddress(`${entity}/spoon/s`))?.version]);
  t.same(shown(), [
    [1, 1],
    [2, 2],
  ]);
  t.same(
    system.versions().map(({ type }) => type),
    ["jar", "spoon"],
  );
  const { revision = 0 } = (await there.store.revisionOf(A)) ?? {};
  await system.raiseVersions({ jar: 2, spoon: 2 });
  t.same(shown(), [
    [2, 2],
    [2, 2],
  ]);
  const [upgrade] = await there.store.journal({ entity: A, after: revision, limit: 1, order: "oldest-first" });
  t.match(upgrade === undefined ? {} : decodeRecord(upgrade.record), { inputs: [{ kind: "upgrade" }], versions: { jar: 2, spoon: 2 } }, "one turn for both");
  await system.stop();
});
