// The README's code, run.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "tap";
// #region embed
import { createEdgeNode } from "../../edge-node/index.ts";

async function embed(folder: string, data: string): Promise<ReturnType<typeof createEdgeNode>> {
  const node = createEdgeNode({
    vehicle: join(folder, "my-car.yaml"),
    data,
    buses: { can0: `log:${join(folder, "drive.log")}?rate=1&loop=true` },
  });
  await node.start();
  node.system.watch((change) => {
    for (const cell of change.cells) console.error(cell.address, JSON.stringify(cell.value));
  });
  return node;
}
// #endregion
import { assign, sendTo, setup } from "xstate";
// #region actor
import { actorType, createSystem, entityType, type EventOf, messages, parseAddress, reply, T } from "../../runtime/index.ts";

const tripMessages = messages({
  "trip.drive": { body: { km: T.Number({ minimum: 0 }) }, reply: T.Object({ total: T.Number() }) },
  "trip.close": { body: {} },
});

const tripMachine = setup({
  types: { context: {} as { km: number }, events: {} as EventOf<typeof tripMessages> },
  actions: {
    add: assign({ km: ({ context, event }) => context.km + (event.type === "trip.drive" ? event.km : 0) }),
    answer: sendTo(
      ({ event }) => (event as Extract<EventOf<typeof tripMessages>, { type: "trip.drive" }>).replyTo,
      ({ context }) => reply({ total: context.km }),
    ),
  },
}).createMachine({
  id: "trip",
  context: { km: 0 },
  initial: "open",
  states: { open: { on: { "trip.drive": { actions: ["add", "answer"] }, "trip.close": "closed" } }, closed: {} },
});

const trip = entityType({ root: actorType({ name: "trip", version: 1, messages: tripMessages, behaviour: tripMachine }), durability: "events", placement: "cloud" });
// #endregion

// #region host
import { sqliteStore } from "../../protocols/sqlite/index.ts";
import { silentLog, type System, systemClock, systemRandom } from "../../runtime/index.ts";

async function host(path: string): Promise<{ readonly system: System; stop(): Promise<void> }> {
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  const store = sqliteStore({ path, ...ports });
  await store.open();
  const system = createSystem({ node: "n1", types: [trip], store, ...ports });
  await system.start();
  await system.activate(parseAddress("acme/trip/t1"), { input: undefined });
  return {
    system,
    stop: async () => {
      await system.stop();
      await store.close();
    },
  };
}
// #endregion

test("the README's vehicle runs from its own recording and database", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "drover-docs-"));
  t.teardown(() => rm(data, { recursive: true, force: true }));
  const node = await embed(folderOf(import.meta.url), data);
  t.teardown(() => node.stop());
  const until = Date.now() + 10_000;
  const good = (): boolean => (node.signals.signals("acme/vehicle/my-car") ?? []).filter(({ quality }) => quality === "good").length === 4;
  while (!good() && Date.now() < until) await new Promise((resolve) => setTimeout(resolve, 50));
  t.ok(good(), "all four signals are known and fresh");
  const refused = await node.system.ask("acme/vehicle/my-car", { type: "light.set", level: 1 }, { withinMs: 1_000 });
  t.match(refused, { kind: "refused", reason: /listen-only/ });
});

test("the README's actor counts, answers, keeps what it knows, and refuses what its state does not take", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "drover-docs-"));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const path = join(folder, "journal.db");
  const first = await host(path);
  const address = "acme/trip/t1";
  t.same(await first.system.ask(address, { type: "trip.drive", km: 12 }, { withinMs: 1_000, id: "leg-1" }), { kind: "replied", value: { total: 12 } });
  await first.stop();
  const second = await host(path);
  const { system } = second;
  t.same(await system.ask(address, { type: "trip.drive", km: 12 }, { withinMs: 1_000, id: "leg-1" }), { kind: "replied", value: { total: 12 } }, "the same id acts once");
  await system.tell(address, { type: "trip.close" });
  t.same(await system.tell(address, { type: "trip.drive", km: 1 }), { kind: "refused", accepts: [] });
  await second.stop();
});

/** The compiled test stands below the checkout, its data beside the source. */
function folderOf(url: string): string {
  return new URL("./own-vehicle", url).pathname;
}
