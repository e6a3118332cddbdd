// Children that come and go without end, as of an actor that invokes one for every piece of work: nothing is kept of those that have gone.

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { test } from "tap";
import { setup } from "xstate";

import type { Address } from "../../../runtime/address.ts";
import { actorType, entityType, messages } from "../../../runtime/actor/index.ts";
import { createEntity, type Entity } from "../../../runtime/entity/index.ts";
import { EPOCH } from "../entity-host.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const protocol = messages({ go: { body: {} } });
const child = setup({}).createMachine({ initial: "on", states: { on: {} } });
const machine = setup({ types: { events: {} as { type: "go" } }, actors: { child } }).createMachine({
  initial: "idle",
  states: { idle: { on: { go: "working" } }, working: { invoke: { src: "child", id: "child" }, on: { go: "idle" } } },
});
const type = entityType({ root: actorType({ name: "worker", version: 1, messages: protocol, behaviour: machine }), durability: "snapshot", placement: "cloud" });

function started(address: Address): Entity {
  const entity = createEntity(type, address, "history-1");
  entity.turn([{ kind: "start", input: undefined, labels: {} }], { now: EPOCH, elapsed: 0, seed: 1 });
  entity.commit();
  return entity;
}

/** A child begins and ends in each. */
function work(entities: readonly Entity[], times: number): void {
  for (const entity of entities)
    for (let turn = 0; turn < times * 2; turn++) {
      entity.turn([{ kind: "message", to: entity.address, event: { type: "go" }, sender: { kind: "local", name: "test" }, wantsReply: false }], {
        now: EPOCH,
        elapsed: 0,
        seed: 1,
      });
      entity.commit();
    }
}

async function heapKiB(): Promise<number> {
  for (let round = 0; round < 8; round++) {
    collect();
    // What the collector found is told in a task of its own.
    await new Promise<void>((resolve) => {
      setImmediate(resolve);
    });
  }
  return process.memoryUsage().heapUsed / 1_024;
}

test("an actor with ever new children keeps nothing of those that have gone", async (t) => {
  const entities = Array.from({ length: 40 }, (_, at) => started(`acme/worker/w${String(at)}` as Address));
  work(entities, 60);
  const before = await heapKiB();
  work(entities, 190);
  const after = await heapKiB();
  // Of 7,600 children: 54 bytes of each would be too much.
  t.ok(after - before < 400, `heap grew by ${(after - before).toFixed(0)} KiB`);
  t.ok(entities.every((entity) => entity.view(entity.address)?.value === "idle"));
});
