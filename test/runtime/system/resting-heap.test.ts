// What an actor holds of the heap while it has nothing to do: it owns what it has used, and shares the rest with all of its node.

import { test } from "tap";
import { createMachine } from "xstate";

import { actorType, type Address, createSystem, entityType, messages, parseAddress, reducer, type System, systemClock, systemRandom } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { MemoryDisk, memoryStore } from "../../../runtime/simulation/index.ts";
import { collectGarbage } from "./heap.ts";

const ACTORS = 6_000;
/** Made before the heap is looked at: what the process holds once, code and buffers, is there then. */
const EARLIER = 1_000;

function heapUsed(): number {
  collectGarbage();
  collectGarbage(); // what finalizers let go in the first
  return process.memoryUsage().heapUsed;
}

const protocol = messages({ go: { body: {} } });
const plain = actorType({ name: "plain", version: 1, messages: protocol, behaviour: reducer<number, unknown>({ initial: () => 0, step: (state) => state + 1 }) });
const machine = actorType({
  name: "machine",
  version: 1,
  messages: protocol,
  behaviour: createMachine({ types: { events: {} as { type: "go" } }, initial: "a", states: { a: { on: { go: "b" } }, b: { on: { go: "a" } } } }),
});

/** Each has taken a message of either lane: one that was only made has not all that it needs. */
async function bringToRest(system: System, addresses: readonly Address[]): Promise<void> {
  for (const address of addresses) await system.activate(address, { input: undefined });
  for (const address of addresses) {
    system.notify(address, { type: "go" });
    await system.inform(address, { type: "go" });
  }
}

for (const [root, goal] of [
  [plain, 2_300],
  [machine, 2_700],
] as const)
  test(`an idle volatile actor (${root.name}) holds less than ${String(goal)} bytes of heap`, async (t) => {
    const store = memoryStore({ disk: new MemoryDisk() });
    await store.open();
    const types = [entityType({ root, durability: "volatile", placement: "cloud" })];
    const system = createSystem({ node: "n1", types, store, clock: systemClock, random: systemRandom, log: silentLog });
    await system.start();
    const addresses = Array.from({ length: EARLIER + ACTORS }, (_, at) => parseAddress(`acme/${root.name}/a-${String(at)}`));
    await bringToRest(system, addresses.slice(0, EARLIER));
    const before = heapUsed();
    await bringToRest(system, addresses.slice(EARLIER));
    const bytes = (heapUsed() - before) / ACTORS;
    t.equal(system.describeEntities().length, EARLIER + ACTORS);
    t.ok(bytes < goal, `${bytes.toFixed(0)} bytes`);
    await system.stop();
  });
