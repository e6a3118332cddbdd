// What crosses the border between an actor's committed state and other code: nobody outside holds a part of it, and nobody changes what was said after he has said it.

import { test } from "tap";
import { actorType, type Change, effect, effectOutcomes, entityType, messages, parseAddress, reply, type System, T, task } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { assign, emit, fromCallback, fromObservable, fromPromise, machine, sendTo } from "../xstate/loose.ts";
import { type Hosting, hosting } from "./hosting.ts";

const DURABILITIES = ["events", "volatile"] as const;
type Durability = (typeof DURABILITIES)[number];

interface Box {
  readonly items: readonly unknown[];
}

/** What happens outside of an actor. */
interface Outside {
  readonly call?: (given: { input: Box; sendBack: (event: object) => void; receive: (listener: (event: object) => void) => void }) => void;
  readonly answer?: (input: Box) => Promise<unknown>;
  readonly stream?: (next: (value: unknown) => void) => void;
  readonly ship?: (params: Box) => unknown;
}

const boxMessages = messages({
  "box.put": { body: { item: T.Any() } },
  "box.note": { body: { item: T.Any() }, internal: true },
  "box.look": { body: {}, reply: T.Any() },
  "box.close": { body: {} },
  "box.ship": { body: {} },
  ...effectOutcomes,
});

const ofItems = { input: ({ context }: { context: Box }) => ({ items: context.items }) };
const put = (item: (event: never) => unknown): unknown => assign({ items: ({ context, event }: { context: Box; event: never }) => [...context.items, item(event)] });
const putItem = put(({ item }: { item: unknown }) => item);

function boxes(durability: Durability, outside: Outside = {}): ReturnType<typeof entityType> {
  const { call, answer, stream } = outside;
  const putOutput = answer === undefined ? {} : { onDone: { actions: put(({ output }: { output: unknown }) => output) } };
  const behaviour = machine(
    {
      context: ({ input }: { input: Box }) => input,
      initial: "open",
      on: {
        "box.put": { actions: [putItem, emit(({ context }: { context: Box }) => ({ type: "box.filled", items: context.items }))] },
        "box.note": { actions: putItem },
        "box.look": {
          actions: sendTo(
            ({ event }: { event: { replyTo: unknown } }) => event.replyTo,
            ({ context }: { context: Box }) => reply({ items: context.items }),
          ),
        },
        "box.ship": { actions: { type: "ship", params: ofItems.input } },
        "effect.refused": { actions: put(({ guard, params }: { guard: unknown; params: unknown }) => [guard, params]) },
      },
      states: {
        open: { on: { "box.close": "busy" } },
        busy: {
          entry: sendTo("caller", ({ context }: { context: Box }) => ({ type: "box.sent", items: context.items })),
          invoke: [
            { src: "caller", id: "caller", ...ofItems },
            { src: "asked", ...ofItems, ...putOutput },
            { src: "job", ...ofItems, ...putOutput },
            { src: "stream", ...(stream === undefined ? {} : { onSnapshot: { actions: put(({ snapshot }: { snapshot: { context: unknown } }) => snapshot.context) } }) },
          ],
        },
      },
    } as never,
    {
      actors: {
        caller: fromCallback((given) => call?.(given)),
        asked: fromPromise(({ input }) => answer?.(input as Box)),
        stream: fromObservable(() => ({
          subscribe: ({ next }: { next: (value: unknown) => void }) => {
            stream?.(next);
            return { unsubscribe: () => undefined };
          },
        })),
        job: task(),
      },
      actions: { ship: effect({ class: "once" }) },
    } as never,
  );
  const root = actorType({ name: "box", version: 1, messages: boxMessages, behaviour: behaviour as never });
  const supplied = { effects: { ship: outside.ship ?? (() => undefined) }, tasks: { job: (input: Box) => answer?.(input) } };
  return entityType({ root: root.with(supplied as never), durability, placement: "cloud" });
}

const BOX = parseAddress("t/box/one");

async function box(durability: Durability, outside?: Outside, items: unknown[] = []): Promise<Hosting> {
  const host = await hosting({ types: [boxes(durability, outside)] });
  await host.system.activate(BOX, { input: { items }, labels: { of: "wood" } });
  return host;
}

function itemsOf(system: System): unknown {
  return (system.read(BOX)?.context as Box | undefined)?.items;
}

/** Whatever was given: everything in it is made something else. */
function spoil(given: unknown): void {
  if (typeof given !== "object" || given === null) return;
  for (const [key, part] of Object.entries(given)) {
    spoil(part);
    if (Object.getOwnPropertyDescriptor(given, key)?.writable !== false) (given as Record<string, unknown>)[key] = "spoilt";
  }
}

for (const durability of DURABILITIES) {
  test(`C4. whoever reads a ${durability} actor changes nothing of it, nor what others read`, async (t) => {
    const { system } = await box(durability, {}, [{ n: 1 }]);
    await system.tell(BOX, { type: "box.put", item: { n: 2 } }, { id: "first" });
    const written = (): string => JSON.stringify([system.read(BOX), system.taken(BOX, "first")]);
    const whole = written();
    const readers: Readonly<Record<string, () => unknown>> = {
      read: () => system.read(BOX),
      look: () => system.look(BOX),
      list: () => system.list({ limit: 10 }),
      views: () => [...system.views()],
      "what became of it": () => system.taken(BOX, "first"),
      "a look inside": () => system.inspection.inspect(BOX),
      "a dry run": () => system.inspection.tryOut(BOX, { type: "box.none" }, { author: "somebody" }),
      "a refusal": () => system.tell(BOX, { type: "box.none" }),
    };
    for (const [name, reader] of Object.entries(readers)) {
      const given = await reader();
      const shown = JSON.stringify(given);
      spoil(given);
      t.equal(JSON.stringify(await reader()), shown, name);
      t.equal(written(), whole, `${name}: the actor`);
    }
    const ask = (): unknown => system.ask(BOX, { type: "box.look" }, { withinMs: 1_000, id: "look" });
    spoil(await ask());
    t.same(await ask(), { kind: "replied", value: { items: [{ n: 1 }, { n: 2 }] } }, "the same id has the same reply (M2)");
    await system.stop();
  });

  test(`C4. who is told of a ${durability} turn changes nothing of what it came to`, async (t) => {
    const { system } = await box(durability, {}, [{ n: 1 }]);
    const heard: unknown[] = [];
    system.watch((change) => {
      heard.push(JSON.parse(JSON.stringify(change)));
      spoil(change);
    });
    await system.tell(BOX, { type: "box.put", item: { n: 2 } });
    await system.tell(BOX, { type: "box.put", item: { n: 3 } });
    t.match(heard, [{ revision: 2, emitted: [{ cell: BOX, event: { items: [{ n: 1 }, { n: 2 }] } }] }, { cells: [{ context: { items: [{ n: 1 }, { n: 2 }, { n: 3 }] } }] }]);
    t.same(itemsOf(system), [{ n: 1 }, { n: 2 }, { n: 3 }]);
    await system.stop();
  });

  test(`M2. a ${durability} actor takes what was said when it was said, whatever becomes of the words`, async (t) => {
    const input = { items: [{ n: 0 }] };
    const { system, clock } = await hosting({ types: [boxes(durability)] });
    const begun = system.activate(BOX, { input });
    spoil(input);
    await begun;
    const word = { type: "box.put", item: { n: 1 } };
    const send: readonly (() => unknown)[] = [
      () => system.tell(BOX, word, { id: "m1" }),
      () => system.inform(BOX, word),
      () => system.receive({ to: BOX, event: word, sender: { kind: "outside", id: "m3", author: "far", expiresAt: clock.now() + 1_000 }, ask: false, withinMs: 1_000 }),
      () => durability === "volatile" || system.notify(BOX, word),
    ];
    const said = send.map((each, at) => {
      word.item = { n: at + 1 };
      const answer = each();
      word.item.n = 99;
      return answer;
    });
    await Promise.all(said);
    await settle();
    const numbers = durability === "volatile" ? [0, 1, 2, 3] : [0, 1, 2, 3, 4];
    t.same((itemsOf(system) as { n: number }[]).map(({ n }) => n).sort(), numbers);
    t.match(await system.tell(BOX, { type: "box.put", item: { n: 1 } }, { id: "m1" }), { kind: "accepted" }, "the same message");
    t.match(await system.tell(BOX, { type: "box.put", item: { n: 99 } }, { id: "m1" }), { kind: "id-reused" });
    await system.stop();
  });

  test(`M2. what a ${durability} entity is to begin with is taken when its first message is`, async (t) => {
    const { system } = await hosting({ types: [boxes(durability)] });
    const create = { input: { items: [{ n: 0 }] }, labels: { of: "wood" } };
    const told = system.tell(BOX, { type: "box.put", item: 1 }, { create });
    spoil(create);
    t.match(await told, { kind: "accepted" });
    t.match(system.read(BOX), { context: { items: [{ n: 0 }, 1] }, labels: { of: "wood" } });
    await system.stop();
  });

  test(`H9. a source of a ${durability} actor may use up what it is given and what it was sent`, async (t) => {
    const given: unknown[] = [];
    const used = (box: object): void => {
      given.push(JSON.parse(JSON.stringify(box)));
      spoil(box);
    };
    const { system } = await box(
      durability,
      {
        call: ({ input, receive }) => {
          used(input);
          receive(used);
        },
        answer: (input) => {
          used(input);
          return new Promise(() => undefined);
        },
      },
      [{ n: 1 }],
    );
    await system.tell(BOX, { type: "box.close" });
    await settle();
    const items = [{ n: 1 }];
    t.same(given, [{ items }, { type: "box.sent", items }, { items }, { items }]);
    t.same(itemsOf(system), items);
    await system.stop();
  });

  test(`H9. what a source of a ${durability} actor says is what it said then`, async (t) => {
    const cache = { price: 10, tags: ["a"] };
    const { system } = await box(durability, {
      call: ({ sendBack }) => {
        const word = { type: "box.note", item: { n: 0 } };
        for (word.item.n = 1; word.item.n <= 3; word.item.n++) sendBack(word);
      },
      stream: (next) => {
        const value = { from: "stream", n: 0 };
        for (value.n = 1; value.n <= 2; value.n++) next(value);
      },
    });
    await system.tell(BOX, { type: "box.close" });
    await settle();
    t.same(itemsOf(system), [null, { n: 1 }, { n: 2 }, { n: 3 }, { from: "stream", n: 1 }, { from: "stream", n: 2 }]);
    await system.stop();

    const second = await box(durability, { answer: () => Promise.resolve(cache) });
    await second.system.tell(BOX, { type: "box.close" });
    await settle();
    spoil(cache);
    const found = { price: 10, tags: ["a"] };
    t.same(itemsOf(second.system), [found, found], "of a promise and of a task");
    await second.system.stop();
  });

  test(`F1. an effect of a ${durability} actor may use up its parameters, and what it says is what it said then`, async (t) => {
    const guard = { condition: "open", open: false, reads: [{ signal: "Lid", value: 1, ageMs: 0 }] };
    const { system } = await box(
      durability,
      {
        ship: (params) => {
          spoil(params);
          return { kind: "refused", reason: "shut", guard };
        },
      },
      [{ n: 1 }],
    );
    await system.tell(BOX, { type: "box.ship" });
    t.same(itemsOf(system), [{ n: 1 }]);
    await settle();
    spoil(guard);
    t.same(itemsOf(system), [{ n: 1 }, [{ condition: "open", open: false, reads: [{ signal: "Lid", value: 1, ageMs: 0 }] }, { items: [{ n: 1 }] }]]);
    await system.stop();
  });
}

test("C4. what a system tells of its entities is its reader's own", async (t) => {
  const { system, store, clock } = await box("events", {}, [{ n: 1 }]);
  store.refuseNext(BOX, "damaged");
  await system.tell(BOX, { type: "box.put", item: 1 });
  await system.tell("t/box/two", { type: "box.put", item: 1 });
  const readers: Readonly<Record<string, () => unknown>> = {
    "entities of which one has failed": () => system.describeEntities(),
    metrics: () => system.metrics(),
    "dead letters": () => system.deadLetters({ limit: 10 }),
  };
  const demandOwn = (about: string): void => {
    for (const [name, reader] of Object.entries(readers)) {
      const given = reader();
      const shown = JSON.stringify(given);
      spoil(given);
      t.equal(JSON.stringify(reader()), shown, `${about}: ${name}`);
    }
  };
  t.match(system.describeEntities(), [{ state: "failed", lastExit: { reason: "failed", error: /damaged/ } }]);
  demandOwn("failed");
  await clock.advance(10_000);
  t.match(system.describeEntities(), [{ state: "running", restarts: 1, lastExit: { reason: "failed", error: /damaged/ } }]);
  demandOwn("recovered");
  await system.stop();
});

test("C4. what a system tells of its types is its reader's own", async (t) => {
  const { system } = await hosting();
  const counter = parseAddress("t/counter/one");
  await system.activate(counter, { input: undefined });
  const shown = JSON.stringify(system.protocolOf("counter"));
  spoil(system.protocolOf("counter"));
  t.equal(JSON.stringify(system.protocolOf("counter")), shown);
  t.same(await system.ask(counter, { type: "count.add", by: 2 }, { withinMs: 1_000 }), { kind: "replied", value: { total: 2 } });
  t.throws(() => (system.actorTypes as string[]).push("none"), TypeError);
  t.same(system.actorTypes, ["counter"]);
  await system.stop();
});

test("C4. each part of a change is copied once, for all who watch", async (t) => {
  const { system } = await box("events", {}, [{ n: 1 }]);
  const heard: Change[] = [];
  system.watch((change) => heard.push(change));
  system.watch((change) => heard.push(change));
  await system.tell(BOX, { type: "box.put", item: 2 });
  const [one, other] = heard;
  t.equal(one?.cells, other?.cells);
  t.equal(one?.cells, one?.record?.outcome.cells);
  t.same(Object.keys(one ?? {}), ["entity", "incarnation", "revision", "at", "cells", "ended", "emitted", "record"]);
  await system.stop();
});
