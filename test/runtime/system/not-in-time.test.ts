// What did not reach its entity in time: `deadline` where nobody can have said it before, `unknown` where an earlier message with its id may have been taken (rules M2; promise S3).

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer, type System, T } from "../../../runtime/index.ts";
import { type Hosting, hosting } from "./hosting.ts";

const A = parseAddress("acme/tally/a");
const LEAVES_AFTER_MS = 500;
const root = actorType({
  name: "tally",
  version: 1,
  messages: messages({ add: { body: { n: T.Integer() }, reply: T.Object({ sum: T.Integer() }) } }),
  behaviour: reducer<{ readonly sum: number }, { readonly type: string; readonly n: number; readonly replyTo: never }>({
    initial: () => ({ sum: 0 }),
    step: ({ sum }, { n, replyTo }, turn) => {
      turn.send(replyTo, { type: "reply", value: { sum: sum + n } });
      return { sum: sum + n };
    },
  }),
});
const types = [entityType({ root, durability: "events", placement: "cloud", passivateAfterMs: LEAVES_AFTER_MS })];
const add = { type: "add", n: 1 };
const named = { id: "one", author: "ann", withinMs: 1_000 };
const unknown = { kind: "unknown", reason: /ask again with the same id/ };

/** Out of memory, after it has taken the message "one". */
async function goneAfterOne(options: Parameters<typeof hosting>[0] = {}): Promise<Hosting> {
  const hosted = await hosting({ types, ...options });
  await hosted.system.activate(A, { input: undefined });
  const told = await hosted.system.tell(A, add, named);
  if (told.kind !== "accepted") throw new Error(told.kind);
  await hosted.clock.advance(2 * LEAVES_AFTER_MS);
  if (hosted.system.describeEntities().length > 0) throw new Error("it is still here");
  return hosted;
}

/** The store answers no question for an entity until it is called. */
function hang({ store, clock }: Hosting): () => void {
  const load = store.load.bind(store);
  store.load = async (entity) => {
    await new Promise<void>((resolve) => {
      clock.setTimeout(resolve, 5_000);
    });
    return load(entity);
  };
  return () => void (store.load = load);
}

async function sumOf(system: System): Promise<unknown> {
  return ((await system.look(A))?.context as { readonly sum: number }).sum;
}

for (const [way, more] of [
  ["is called", {}],
  ["is begun where there is none", { create: { input: undefined } }],
] as const)
  test(`M2, R5. of an id that somebody chose nobody is told \`deadline\` by a node that could not ask its entity; the entity tells what is so (it ${way})`, async (t) => {
    const hosted = await goneAfterOne();
    const { system, clock } = hosted;
    const heal = hang(hosted);
    const told = [system.tell(A, add, { ...named, ...more }), system.ask(A, add, { ...named, ...more }), system.tell(A, add, { ...named, id: "two", ...more })];
    const own = [system.tell(A, add, { withinMs: 1_000, ...more }), system.ask(A, add, { withinMs: 1_000, ...more })];
    await clock.advance(1_000);
    t.match(await Promise.all(told), [unknown, unknown, unknown]);
    t.same(await Promise.all(own), [{ kind: "deadline" }, { kind: "deadline" }], "nobody has their ids: there was no earlier one");
    heal();
    await clock.advance(5_000);
    t.equal(await sumOf(system), 1, "none of them acted");
    t.match(await system.tell(A, add, { ...named, ...more }), { kind: "accepted", revision: 2 }, "as the first was told");
    t.equal(await sumOf(system), 1);
    t.match(await system.tell(A, add, { ...named, id: "two", ...more }), { kind: "accepted", revision: 3 });
    t.equal(await sumOf(system), 2);
    await system.stop();
  });

test("M2, R5. so it is where the time was over before its turn to come into memory", async (t) => {
  for (const more of [{}, { create: { input: undefined } }]) {
    const { system, clock } = await goneAfterOne({ activation: { perSecond: 0.1, burst: 1 } });
    const told = [system.tell(A, add, { ...named, ...more }), system.tell(A, add, { withinMs: 1_000, ...more })];
    await clock.advance(1_000);
    t.match(await Promise.all(told), [unknown, { kind: "deadline" }]);
    await clock.advance(60_000);
    t.match(await system.tell(A, add, { ...named, withinMs: 10_000, ...more }), { kind: "accepted", revision: 2 });
    await system.stop();
  }
});

test("M2, R5. a node does not know whether what comes from another one came before, under whatever id", async (t) => {
  const hosted = await goneAfterOne();
  const { system, clock } = hosted;
  hang(hosted);
  const sender = { kind: "outside", author: "ann", expiresAt: clock.now() + 60_000 } as const;
  const copies = [
    system.receive({ to: A, event: add, sender: { ...sender, id: "one" }, ask: false, withinMs: 1_000 }),
    system.receive({ to: A, event: add, sender: { ...sender, id: "e7", repeatedMs: 61_000 }, ask: false, withinMs: 1_000 }),
  ];
  await clock.advance(1_000);
  t.match(await Promise.all(copies), [unknown, unknown]);
  await clock.advance(10_000);
  await system.stop();
});
