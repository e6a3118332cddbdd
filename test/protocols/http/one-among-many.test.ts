// An actor whose entity is busy with others, over HTTP: its turns page by page, and its stream after an absence. Asked of the node that hosts it and of one that has a replica.

import { type Test, test } from "tap";
import type { System } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { type Lamps, ONE, shippedLamps, VEHICLE } from "../../runtime/cluster/lamps.ts";
import { openStream, type ReadEvent } from "./event-reader.ts";
import { fakeOver, serving, type Serving } from "./serving.ts";

const PATH = `/v1/actors/${encodeURIComponent(ONE)}`;

async function lampsFor(t: Test): Promise<Lamps> {
  const all = await shippedLamps();
  t.teardown(() => all.stop());
  return all;
}

const stream = (served: Serving, lastEventId?: string): ReturnType<typeof openStream> =>
  openStream(served.app, `${PATH}/stream`, { authorization: `Bearer ${served.texts.viewer}`, ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) });

/** What a client that comes again is told before its snapshot, and the snapshot. */
async function missed(served: Serving, lastEventId: string): Promise<readonly ReadEvent[]> {
  const { reader } = await stream(served, lastEventId);
  const told: ReadEvent[] = [];
  do told.push(await reader.next());
  while (told.at(-1)?.event !== "snapshot");
  reader.leave();
  return told;
}

const idAt = (system: System, revision: number): string => `${system.read(VEHICLE)?.incarnation ?? ""}:${String(revision)}`;

test("a client that follows `next` has every turn of one actor once, however many turns of others stand between and come meanwhile", async (t) => {
  const all = await lampsFor(t);
  const own: number[] = [];
  for (let level = 1; level <= 8; level++) {
    await all.set(ONE, level);
    own.push(all.owner.read(VEHICLE)?.revision ?? 0);
    await all.others(level * 20);
  }
  await all.ship();
  for (const system of [all.owner, all.cloud]) {
    const served = await serving(t, { system });
    for (const order of ["newest-first", "oldest-first"] as const)
      for (const limit of [1, 2, 5, 8, 1_000]) {
        const query = new URLSearchParams({ order, limit: String(limit), after: "1" });
        const revisions: number[] = [];
        for (let next: number | undefined = 0; next !== undefined; ) {
          const answer = await served.as("viewer", { url: `${PATH}/history?${query.toString()}` });
          const page = answer.json<{ readonly items: readonly { readonly revision: number }[]; readonly next?: number }>();
          revisions.push(...page.items.map(({ revision }) => revision));
          next = page.next;
          if (next !== undefined) query.set(order === "newest-first" ? "before" : "after", String(next));
          await all.others(1);
          await all.ship();
        }
        t.same(revisions, order === "newest-first" ? own.toReversed() : own, `${system.node}, ${order}, ${String(limit)} a page`);
      }
  }
});

test("S5. a client that comes again after 600 turns of others is given the one turn that it missed, then the snapshot", async (t) => {
  const all = await lampsFor(t);
  await all.set(ONE, 1);
  const { revision: seen = 0 } = all.owner.read(VEHICLE) ?? {};
  await all.others(580);
  await all.set(ONE, 2);
  await all.others(20);
  await all.ship();
  for (const system of [all.owner, all.cloud]) {
    const told = await missed(await serving(t, { system }), idAt(system, seen));
    t.match(
      told,
      [
        { event: "change", id: idAt(system, seen + 581), data: { inputs: [{ type: "lamp.set" }] } },
        { event: "snapshot", data: { context: { level: 2 } } },
      ],
      system.node,
    );
    t.equal(told.length, 2);
  }
});

test("S5. past a thousand turns of others too: a turn of the actor behind them is told, and what its journal no longer has is a gap", async (t) => {
  const all = await lampsFor(t);
  await all.set(ONE, 1);
  const { revision: seen = 0 } = all.owner.read(VEHICLE) ?? {};
  await all.others(1_500);
  await all.set(ONE, 2);
  await all.ship();
  for (const [system, store] of [
    [all.owner, all.ownerStore],
    [all.cloud, all.cloudStore],
  ] as const) {
    const served = await serving(t, { system });
    const whole = [{ event: "change", data: { revision: seen + 1_501 } }, { event: "snapshot" }];
    t.match(await missed(served, idAt(system, seen)), whole, system.node);
    await store.trim(VEHICLE, seen + 700);
    const [first] = await store.journal({ entity: VEHICLE, limit: 1, order: "oldest-first" });
    const oldest = first?.revision ?? 0;
    t.ok(oldest > seen + 1, "something was trimmed");
    t.match(await missed(served, idAt(system, seen)), [{ event: "gap", data: { reason: "turns that are not kept", after: seen, upTo: oldest - 1 } }, ...whole], system.node);
    t.match(await missed(served, idAt(system, oldest - 1)), whole, "nothing that this client needs is missing");
    const page = async (query: string): Promise<object> => (await served.as("viewer", { url: `${PATH}/history?${query}` })).json();
    t.match(await page("limit=1000"), { items: [{ revision: seen + 1_501 }], missing: [{ after: 0, upTo: oldest - 1 }] }, "its history tells the same");
    t.match(await page(`after=${String(oldest)}`), { items: [{ revision: seen + 1_501 }], missing: [] });
  }
});

test("R2. a replica that leaps over turns tells whoever watches a gap and what is now, and whoever comes again the same", async (t) => {
  const all = await lampsFor(t);
  await all.set(ONE, 1);
  await all.ship();
  const served = await serving(t, { system: all.cloud });
  const { reader } = await stream(served);
  const { data } = await reader.next();
  const seen = data.revision as number;
  await all.others(5);
  await all.ship();
  await all.set(ONE, 2);
  await all.others(2);
  await all.leap();
  const leapt = [
    { event: "gap", data: { reason: "turns that are not kept", after: seen + 5, upTo: seen + 8 } },
    { event: "snapshot", data: { revision: seen + 8, context: { level: 2 } } },
  ];
  t.match([await reader.next(), await reader.next()], leapt);
  await all.leap();
  await all.set(ONE, 3);
  await all.leap();
  t.match(
    [await reader.next(), await reader.next()],
    [
      { event: "gap", data: { after: seen + 8, upTo: seen + 9 } },
      { event: "snapshot", data: { context: { level: 3 } } },
    ],
    "of one turn too",
  );
  await all.set(ONE, 4);
  await all.ship();
  t.match(await reader.next(), { event: "change", data: { revision: seen + 10, inputs: [{ type: "lamp.set" }], actor: { context: { level: 4 } } } });
  reader.leave();
  t.match(await missed(served, idAt(all.cloud, seen)), [{ event: "gap", data: { after: seen, upTo: seen + 9 } }, { event: "change" }, { event: "snapshot" }]);
});

test("R2. of an actor that has ended unseen it is told what was missed, and what cannot be had, before its end", async (t) => {
  const all = await lampsFor(t);
  await all.set(ONE, 1);
  await all.ship();
  let isGone = false;
  // FAKE: the lamp is not there.
  const system = fakeOver(all.cloud, { look: async (address) => (isGone && address === ONE ? undefined : all.cloud.look(address)) });
  const { reader } = await stream(await serving(t, { system }));
  const { data } = await reader.next();
  const seen = data.revision as number;
  isGone = true;
  await all.set(ONE, 2);
  await all.leap();
  t.match([await reader.next(), await reader.next()], [{ event: "gap", data: { reason: "turns that are not kept", after: seen, upTo: seen + 1 } }, { event: "ended" }]);
  await reader.end();
});

test("R3. more turns than are noted while the journal is read are read from it afterwards: each once, in order", async (t) => {
  const all = await lampsFor(t);
  await all.set(ONE, 1);
  const { revision: seen = 0 } = all.owner.read(VEHICLE) ?? {};
  await all.set(ONE, 2);
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = fakeOver(all.owner, {
    history: async (address, query) => {
      await gate;
      return all.owner.history(address, query);
    },
  });
  const opening = stream(await serving(t, { system: slow }), idAt(all.owner, seen));
  await settle();
  await all.set(ONE, 3);
  await all.others(1_200);
  await all.set(ONE, 4);
  release();
  const { reader } = await opening;
  const told: ReadEvent[] = [];
  do told.push(await reader.next());
  while (told.at(-1)?.event !== "snapshot" || told.at(-1)?.data.context.level !== 4);
  reader.leave();
  t.same(
    told.filter(({ event }) => event !== "snapshot").map(({ event, data }) => [event, data.revision]),
    [
      ["change", seen + 1],
      ["change", seen + 2],
      ["change", seen + 1_203],
    ],
  );
});
