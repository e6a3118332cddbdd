// A run ends, whatever is still open in it; and the end of one run of a node takes nothing from the next.

import { test } from "tap";
import { setup } from "xstate";
import { actorType, effect, entityType, messages, parseAddress, T } from "../../../runtime/index.ts";
import { simulate, type Simulation } from "../../../runtime/simulation/index.ts";
import { SimulationWorld } from "../../../runtime/simulation/simulation-world.ts";
import { type HostingNode, systemProgram } from "../../../runtime/simulation/system-program.ts";
import { couriers } from "./courier.ts";

function brokenLamp(settleMs: number): Simulation {
  const root = actorType({
    name: "lamp",
    version: 1,
    messages: messages({ "lamp.light": { body: { n: T.Integer() } } }),
    behaviour: setup({ actions: { shine: effect<{ n: number }>({ class: "idempotent" }) } }).createMachine({
      on: { "lamp.light": { actions: { type: "shine", params: { n: 1 } } } },
    }),
  });
  const shine = (): never => {
    throw new Error("the bulb is broken");
  };
  const type = entityType({ root, durability: "events", placement: "cloud" });
  return {
    seed: 22,
    faults: "none",
    nodes: { home: { types: [type, root.with({ effects: { shine } })], entities: { "t/lamp/one": undefined } } },
    forMs: 100,
    settleMs,
    script: async ({ insist }) => {
      await insist("t/lamp/one", { type: "lamp.light", n: 1 }, { forMs: 5_000 });
    },
  };
}

// A time that is no whole number of microseconds is one that the timeline never shows.
for (const settleMs of [2_000, 2_000.0004, 1_999.9996, 0.0004])
  test(`S8. an effect that never succeeds ends the run after ${String(settleMs)} ms of settling, with a finding`, { timeout: 20_000 }, async (t) => {
    const run = await simulate(brokenLamp(settleMs));
    t.ok(run.violations.some(({ checker }) => checker === "an idempotent effect is confirmed in the end"));
    t.ok(run.tookMs < 30_000, String(run.tookMs));
  });

test("S4. a run that is stopping while another takes over ends without its successor's link", async (t) => {
  const { nodes } = couriers(1);
  const world = new SimulationWorld({
    seed: 7,
    nodes: Object.fromEntries(Object.entries(nodes).map(([name, spec]) => [name, { program: systemProgram(spec as HostingNode) }])),
    network: { latencyMs: [1, 1], drop: 0, duplicate: 0, reorder: 0 },
    store: { latencyMs: [1, 1], unknown: 0, refused: 0, failedRead: 0 },
    looksTwice: true,
  });
  const depot = world.nodes.get("depot");
  if (depot === undefined) throw new Error("there is no depot");
  for (const node of world.nodes.values()) node.start();
  await world.pass(2_000);
  void depot.stop();
  depot.pause();
  depot.takeOver();
  await world.pass(30_000);
  t.ok(
    world.history.some((fact) => fact.kind === "node" && fact.node === "depot" && fact.run === 1 && fact.what === "gone"),
    "the first run is gone",
  );
  t.equal(depot.process?.run, 2);
  void depot.system?.tell(parseAddress("t/depot/main"), { type: "parcel.send", n: 5, by: "t/courier/ann" }, { withinMs: 5_000 });
  await world.pass(60_000);
  t.match(world.nodes.get("street")?.system?.read(parseAddress("t/courier/ann")), { context: { bag: [] } });
  t.match(depot.system?.read(parseAddress("t/depot/main")), { context: { sent: [5], reported: [5] } }, "it was carried there, and the answer back");
});
