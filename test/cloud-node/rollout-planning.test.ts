// What a plan for many vehicles looks at (cloud-node/rollouts): each part of another rollout once, its targets once for ever, and of vehicles that are targets already nothing.

import { test } from "tap";

import { groupEntity, type PlanFile, rolloutEntity } from "../../actors/index.ts";
import { createRollouts } from "../../cloud-node/rollouts/index.ts";
import { make } from "../../cloud-node/rollouts/making.ts";
import { VehicleLinks } from "../../cloud-node/vehicle-links.ts";
import { entityOf, parseAddress } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { fakeOver } from "../protocols/http/serving.ts";
import { hosting } from "../runtime/system/hosting.ts";

const VEHICLES = 40;
const ROLLOUT = parseAddress("acme/rollout/first");
const IMAGE = { module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: "2.4.0", sha256: "a".repeat(64) };
const planOf = (rollout: string): PlanFile => ({ rollout, images: [IMAGE], select: {}, groups: [{ name: "all" }] });
const vehicleAt = (at: number): string => `acme/vehicle/v${String(at)}`;

test("a plan reads each part of an ongoing rollout once and its targets once for ever, however many vehicles there are; who joined later is found among those that are no targets", async (t) => {
  const { system, clock, store } = await hosting({ types: [rolloutEntity, groupEntity] });
  t.teardown(() => system.stop());
  const reads = { actors: 0, replicas: 0 };
  const counted = fakeOver(system, {
    read: (address) => {
      reads.actors++;
      return system.read(address);
    },
  });
  const known = new Map<string, object>();
  const join = (at: number): void => {
    known.set(vehicleAt(at), { labels: {}, context: { model: "trailer@1" } });
    known.set(`${vehicleAt(at)}/module/torrent-0`, { context: { moduleType: IMAGE.module, hardware: IMAGE.hardware, address: 0, firmware: "1.0.0" } });
  };
  for (let at = 0; at < VEHICLES; at++) join(at);
  const replicas = {
    addresses: () => known.keys(),
    read: (address: string) => {
      reads.replicas++;
      return known.get(address);
    },
    entities: () => [...known.keys()].map((address) => entityOf(parseAddress(address))),
  };
  const targets = Array.from({ length: VEHICLES }, (_, at) => ({ vehicle: vehicleAt(at), updates: [{ module: "torrent-0", image: 0 }] }));
  const group = { name: "all", size: VEHICLES, parts: [targets.slice(0, 20), targets.slice(20)], abortCount: undefined, pauseCount: undefined };
  const created = { at: clock.now(), who: "ann", key: "k", plan: "p" };
  await make({ address: ROLLOUT, plan: planOf("first"), groups: [group], bytes: [1], created }, system, store);
  const rollouts = createRollouts({ system: counted, replicas: replicas as never, store, images: undefined, links: new VehicleLinks(clock), clock, log: silentLog });
  rollouts.book.note(ROLLOUT);

  const tried = rollouts.tryOut(planOf("second"), undefined);
  t.match(tried, { kind: "tried", refused: [{ type: "rollout-image-unknown" }, { type: "rollout-module-taken" }] });
  t.equal(tried.kind === "tried" ? tried.refused.filter(({ type }) => type === "rollout-module-taken").length : 0, VEHICLES, "each module is taken");
  t.ok(reads.actors <= VEHICLES + 4, `the rollout, its two parts and each target were read ${String(reads.actors)} times`);
  reads.actors = 0;
  t.match(rollouts.tryOut(planOf("third"), undefined), { kind: "tried", refused: [{ type: "rollout-image-unknown" }, { type: "rollout-module-taken" }] });
  t.ok(reads.actors <= 4, `who its targets are is known now, and the rollout and its two parts were read ${String(reads.actors)} times`);

  const [first] = rollouts.book.all();
  if (first === undefined) throw new Error("it was made");
  t.same(rollouts.newcomers(first), { count: 0, first: [] });
  reads.actors = reads.replicas = 0;
  t.same(rollouts.newcomers(first), { count: 0, first: [] });
  t.same(reads, { actors: 0, replicas: 0 }, "all are its targets");
  join(VEHICLES);
  t.same(rollouts.newcomers(first), { count: 1, first: [vehicleAt(VEHICLES)] });
  t.same(reads, { actors: 0, replicas: 2 }, "the vehicle that has joined, and its module");
});
