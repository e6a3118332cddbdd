// What it costs the cloud that a rollout can be watched, and that what a watcher is told stays true (cloud-node/rollouts/progress-stream.ts): virtual time, real connections.

import { test, type Test } from "tap";
import { groupEntity, type PlanFile, rolloutEntity } from "../../actors/index.ts";
import { createRollouts, rolloutRoutes } from "../../cloud-node/rollouts/index.ts";
import { waitsBefore } from "../../cloud-node/rollouts/group-waits.ts";
import { make } from "../../cloud-node/rollouts/making.ts";
import { VehicleLinks } from "../../cloud-node/vehicle-links.ts";
import { parseAddress } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { SeededRandom, settle } from "../../runtime/simulation/index.ts";
import { connectStream, type EventReader } from "../protocols/http/event-reader.ts";
import { closedConnections, fakeOver, serving } from "../protocols/http/serving.ts";
import { hosting } from "../runtime/system/hosting.ts";

const ROLLOUT = parseAddress("acme/rollout/torrent-2.4");
const VEHICLES = ["v0", "v1", "v2"] as const;
const IMAGE = { module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: "2.4.0", sha256: "a".repeat(64) };
const PLAN: PlanFile = { rollout: "torrent-2.4", images: [IMAGE], select: {}, groups: [{ name: "all" }] };
const SINCE = "2026-01-01T00:00:00.000Z";

interface Cost {
  /** Who listens to commits, and to links. */
  readonly watches: number;
  readonly links: number;
  readonly timers: number;
}

interface Desk {
  /** The link of a vehicle comes or goes. */
  link(vehicle: string, isUp: boolean): void;
  say(type: string): Promise<void>;
  watch(): Promise<EventReader>;
  /** All who have left are gone. */
  left(): Promise<void>;
  pass(ms: number): Promise<void>;
  cost(): Cost;
  /** How often the routes have read an actor since the last call. */
  reads(): number;
}

/** A draft for three vehicles: two are online, of the third nothing was ever heard. */
async function desk(t: Test): Promise<Desk> {
  const { system, clock, store } = await hosting({ types: [rolloutEntity, groupEntity] });
  t.teardown(() => system.stop());
  const now = { watches: 0, links: 0, reads: 0 };
  const counted = fakeOver(system, {
    read: (address) => {
      now.reads++;
      return system.read(address);
    },
    watch: (listener) => {
      now.watches++;
      const end = system.watch(listener);
      return () => {
        now.watches--;
        end();
      };
    },
  });
  class CountedLinks extends VehicleLinks {
    override onChange(listener: Parameters<VehicleLinks["onChange"]>[0]): () => void {
      now.links++;
      const end = super.onChange(listener);
      return () => {
        now.links--;
        end();
      };
    }
  }
  const links = new CountedLinks(clock);
  let sessions = 0;
  const link = (vehicle: string, isUp: boolean): void => {
    const live = { node: `edge-${vehicle}`, session: `s${String(++sessions)}`, epoch: 1 };
    links.note({ tenant: "acme", vehicle, ...(isUp ? { live } : {}) } as Parameters<VehicleLinks["note"]>[0]);
  };
  const updates = [{ module: "torrent-0", image: 0 }];
  const targets = VEHICLES.map((vehicle) => ({ vehicle: `acme/vehicle/${vehicle}`, updates }));
  const group = { name: "all", size: targets.length, parts: [targets], abortCount: undefined, pauseCount: undefined };
  await make({ address: ROLLOUT, plan: PLAN, groups: [group], bytes: [1], created: { at: clock.now(), who: "ann", key: "k", plan: "p" } }, system, store);
  const replicas = { addresses: () => [], read: () => undefined, entities: () => [] };
  const rollouts = createRollouts({ system: counted, replicas, store, images: undefined, links, clock, log: silentLog });
  rollouts.book.note(ROLLOUT);
  const served = await serving(t, {
    system: counted,
    clock,
    routes: (app, tools) => {
      rolloutRoutes(app, tools, { rollouts, clock, random: new SeededRandom(5) });
    },
  });
  for (const vehicle of VEHICLES.slice(0, 2)) link(vehicle, true);
  return {
    link,
    say: async (type) => {
      await system.ask(ROLLOUT, { type, reason: "r" }, { withinMs: 1_000, author: "ann" });
      await settle();
    },
    watch: () => connectStream(served.app, `/v1/rollouts/${encodeURIComponent(ROLLOUT)}/events`, { authorization: `Bearer ${served.texts.viewer}` }),
    left: () => closedConnections(served),
    pass: (ms) => clock.advance(ms),
    cost: () => ({ watches: now.watches, links: now.links, timers: clock.pending }),
    reads: () => {
      const { reads } = now;
      now.reads = 0;
      return reads;
    },
  };
}

test("P1. nobody is listened to, no time runs and nothing is looked at before the first watcher of a rollout and after the last one", async (t) => {
  const own = await desk(t);
  await own.say("rollout.approve");
  await own.pass(1_000);
  const before = own.cost();
  t.match(before, { watches: 0, links: 0 });
  t.equal(own.reads(), 0, "it was approved, and nobody looked");

  const first = await own.watch();
  t.match(await first.next(), { event: "snapshot", data: { state: "running" } });
  const second = await own.watch();
  t.match(await second.next(), { event: "snapshot" });
  t.match(own.cost(), { watches: 1, links: 1 }, "however many watch it");
  first.leave();
  while (own.cost().timers > before.timers + 2) await settle();
  t.match(own.cost(), { watches: 1, links: 1, timers: before.timers + 2 }, "one is left: its heartbeat, and the look whether it still may");
  own.link("v0", false);
  t.equal(own.cost().timers, before.timers + 3, "something is to be told");
  second.leave();
  await own.left();
  t.same(own.cost(), before, "what was to be told is not computed any more");
  own.reads();
  own.link("v1", false);
  await own.say("rollout.pause");
  await own.pass(1_000);
  t.equal(own.reads(), 0);
  t.match(own.cost(), { watches: 0, links: 0 });

  const again = await own.watch();
  t.match(await again.next(), { event: "snapshot", data: { state: "paused" } }, "whoever comes then sees how it stands");
  again.leave();
  await own.left();
  t.match(own.cost(), { watches: 0, links: 0 });
});

test("P2. why a group waits is told anew when a vehicle's link comes or goes, at most twice a second, and to nobody else's watchers", async (t) => {
  const own = await desk(t);
  await own.say("rollout.approve");
  const reader = await own.watch();
  const waits = async (): Promise<readonly string[]> => ((await reader.next()).data.groups[0].waits as { text: string }[]).map(({ text }) => text);
  t.same(await waits(), ["1 of 3 not online", "2 of 3 fetch their images, or wait for the word to begin"]);
  own.link("v0", false);
  own.link("v1", false);
  await own.pass(500);
  t.same(await waits(), [`3 of 3 not online since ${SINCE}`]);
  own.link("v1", true);
  await own.pass(500);
  t.same(await waits(), [`2 of 3 not online since ${SINCE}`, "1 of 3 fetch their images, or wait for the word to begin"]);
  own.link("elsewhere", true);
  own.reads();
  await own.pass(5_000);
  t.equal(own.reads(), 0, "a vehicle that is none of its targets");
  // A minute after the offer all count as away; the one with a link has not answered.
  await own.pass(60_000);
  let last = await waits();
  while (last.length > 0 && !last.some((text) => text.includes("answered"))) last = await waits();
  t.same(last, [`2 of 3 not online since ${SINCE}`, "1 of 3 have not answered their offer"]);
  reader.leave();
  await own.left();
});

test("why a group has not opened: what it waits for of the one before it, or of a person", (t) => {
  const groups = ["canary", "early", "rest"].map((name, at) => ({ name, size: at + 1 }));
  const context = { groups, open: 0, limits: { successPercent: 95 } } as never;
  const waits = (state: string, phase?: string): readonly (readonly string[])[] => [1, 2].map((at) => waitsBefore({ state, phase, context }, at).map(({ text }) => text));
  t.same(waits("running", "offering"), [["2 of 2 wait until 95 % of group canary are committed"], ["3 of 3 wait for group early"]]);
  t.same(waits("running", "soaking"), [["2 of 2 wait until group canary has soaked"], ["3 of 3 wait for group early"]]);
  t.same(waits("paused", "settled"), [["2 of 2 not begun: the rollout is paused"], ["3 of 3 wait for group early"]]);
  t.same(waits("aborted", "settled"), [[], []]);
  t.same(waitsBefore({ state: "draft", phase: undefined, context: { groups, open: -1 } as never }, 0), [
    { why: "not begun: the rollout is not approved", targets: 1, of: 1, text: "1 of 1 not begun: the rollout is not approved" },
  ]);
  t.end();
});
