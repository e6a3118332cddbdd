// In which order the children of an entity start when it comes to a node, and stop when it leaves: that of its configuration and its reverse (hosting H12; design, Supervision).

import { test } from "tap";
import { assign, fromCallback, setup } from "xstate";
import { actorType, type ChildKind, entityType, type EntityType, messages, parseAddress, reducer } from "../../../runtime/index.ts";
import type { MemoryDisk } from "../../../runtime/simulation/index.ts";
import { hosting, type Hosting } from "./hosting.ts";

const ADDRESS = parseAddress("acme/plant/one");
const NAMES = ["store", "bus", "app"] as const;

/** Each child has a link that is open while it runs; store and bus are of one kind, app is of another. */
function plantOf(said: string[], restartFrom: NonNullable<ChildKind["restartFrom"]>): EntityType {
  const link = fromCallback(({ input }: { input: string }) => {
    said.push(`start ${input}`);
    return () => void said.push(`stop ${input}`);
  });
  const machine = setup({
    types: { context: {} as { name: string }, input: {} as { name: string }, events: {} as { type: "boom" } },
    actors: { link },
    actions: {
      boom: assign(() => {
        throw new Error("boom");
      }),
    },
  }).createMachine({
    context: ({ input }) => ({ name: input.name }),
    invoke: { src: "link", id: "link", input: ({ context }) => context.name },
    on: { boom: { actions: "boom" } },
  });
  const part = actorType({ name: "part", version: 1, messages: messages({ boom: { body: {} } }), behaviour: machine });
  const root = actorType({ name: "plant", version: 1, messages: messages({}), behaviour: reducer({ initial: () => 0, step: (state: number) => state }) });
  const kind: ChildKind = { types: [part], strategy: "one-for-one", restart: "permanent", restartFrom };
  return entityType({ root, durability: "events", placement: "cloud", children: { base: kind, user: kind } });
}

const START = NAMES.map((name) => `start ${name}`);
const STOP = NAMES.map((name) => `stop ${name}`).reverse();

test("H12. an entity's children start in the order of its configuration at every recovery, whichever of them began anew before, and stop in the reverse when it leaves", async (t) => {
  for (const restartFrom of ["initial", "committed"] as const) {
    const said: string[] = [];
    const type = plantOf(said, restartFrom);
    const children = NAMES.map((id) => ({ kind: id === "app" ? "user" : "base", id, type: "part", input: { name: id } }));
    const heard = (): readonly string[] => said.splice(0);
    const begun = async (disk?: MemoryDisk): Promise<Hosting> => {
      const host = await hosting({ types: [type], ...(disk === undefined ? {} : { disk }) });
      await host.system.activate(ADDRESS, { input: undefined, children });
      await host.clock.advance(10);
      return host;
    };

    const first = await begun();
    t.same(heard(), START, "begun");
    await first.system.deactivate(ADDRESS);
    t.same(heard(), STOP, "deactivated");
    await first.system.activate(ADDRESS, { input: undefined, children });
    await first.clock.advance(10);
    t.same(heard(), START, "activated again");
    await first.system.stop();
    t.same(heard(), STOP, "its node stopped");

    const second = await begun(first.disk);
    t.same(heard(), START, "recovered");
    await second.system.tell(`${ADDRESS}/base/store`, { type: "boom" });
    await second.clock.advance(60_000);
    t.same(heard(), restartFrom === "initial" ? ["stop store", "start store"] : [], "the first one has failed");
    await second.system.stop();
    t.same(heard(), STOP, "the first one stops last, although it began after the others");

    const third = await begun(first.disk);
    t.same(heard(), START, "and starts first");
    await third.system.stop();
  }
});
