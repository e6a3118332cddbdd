// Our own actors and a campaign, as simulated nodes under faults have recorded them, and the vehicle with its modules as their commands go.

import { alarmEntity, presenceEntity, requestsEntity, vehicleEntity } from "../../actors/index.ts";
import type { EntityType } from "../../runtime/actor/index.ts";
import type { Address } from "../../runtime/address.ts";
import { encodeRecord } from "../../runtime/entity/index.ts";
import { memoryStore, SeededRandom, simulate, type Simulation } from "../../runtime/simulation/index.ts";
import { asked, HEATER, LAMPS, moduleDesk, VEHICLE } from "../actors/module/module-on-desk.ts";
import { campaign, campaignTypes } from "./campaign.ts";
import type { Life, Story, StoryGroup } from "./story.ts";

const FLEET_SEED = 11;
const CAMPAIGN_SEEDS = [1, 2];
/** Of one entity. */
const MOST_TURNS = 80;

const storiesOf = (types: readonly EntityType[]): readonly Story[] => types.map((type) => ({ name: type.name, type }));

/** What the stores hold in the end of the entities that lived there, not of their replicas. */
async function livesIn(simulation: Simulation): Promise<readonly Life[]> {
  const { history, violations } = await simulate(simulation);
  if (violations.length > 0) throw new Error(`seed ${String(simulation.seed)} breaks a promise: ${violations[0]?.what ?? ""}`);
  const lives: Life[] = [];
  for (const fact of history) {
    if (fact.kind !== "kept" || fact.records[0]?.revision !== 1) continue;
    lives.push({ story: fact.type, entity: fact.entity as Address, records: fact.records.slice(0, MOST_TURNS).map(encodeRecord) });
  }
  return lives;
}

/** Commands of every kind with what their modules say, or do not. */
async function vehicleOnDesk(): Promise<readonly Life[]> {
  const desk = await moduleDesk();
  const draw = new SeededRandom(7);
  const pick = <V>(list: readonly V[]): V => list[Math.floor(draw.next() * list.length)] as V;
  await desk.fact(LAMPS, { type: "module.seen" });
  await desk.fact(HEATER, { type: "module.seen" });
  await desk.fact(VEHICLE, { type: "bus.changed", bus: "can0", state: "awake" });
  for (let n = 1; n <= 90; n++) {
    const output = pick(["left", "right"]);
    const key = String(n % 7);
    desk.reported = pick([{ value: Math.floor(draw.next() * 255), ageMs: Math.floor(draw.next() * 100) }, null]);
    desk.guardOpen = pick(["none", "none", true, false, undefined] as const);
    desk.outcome = pick(["done", "done", { kind: "unknown", reason: "no echo" }, { kind: "refused", reason: "muted" }] as const);
    const ttlMs = pick([500, 3_000, 60_000]);
    await asked(
      desk,
      ...pick<readonly [string, { readonly type: string }]>([
        [LAMPS, { type: "light.set", output, level: Math.floor(draw.next() * 255), ttlMs } as never],
        [LAMPS, { type: "relay.set", output, on: draw.next() > 0.5, ttlMs } as never],
        [LAMPS, { type: "output.identify", output } as never],
        [HEATER, { type: "climate.setpoint.request", value: Math.round(draw.next() * 350) / 10, ttlMs } as never],
        [VEHICLE, { type: pick(["bus.mute", "bus.unmute"]), bus: "can0" } as never],
      ]),
    );
    await desk.fact(
      ...pick<readonly [string, { readonly type: string }]>([
        [LAMPS, { type: "output.confirmed", output, key, value: 80 } as never],
        [LAMPS, { type: "output.contended", output, key } as never],
        [LAMPS, { type: "output.reported", output, foreign: true } as never],
        [LAMPS, { type: pick(["module.seen", "module.silenced", "module.expected"]) }],
        [LAMPS, { type: "fault.raised", code: "short", health: "degraded", title: "a short" } as never],
        [HEATER, { type: "output.reported", output: "setpoint", stands: Math.round(draw.next() * 350) / 10 } as never],
        [VEHICLE, { type: "motion.observed", motion: pick(["parked", "moving", "unknown"]) } as never],
      ]),
    );
    await desk.clock.advance(Math.floor(draw.next() * 900));
  }
  await desk.system.stop();
  const store = memoryStore({ disk: desk.disk });
  await store.open();
  const records = await store.journal({ entity: VEHICLE, limit: MOST_TURNS, order: "oldest-first" });
  await store.close();
  return [{ story: "vehicle", entity: VEHICLE, records: records.map(({ record }) => record) }];
}

export const fleetStories: StoryGroup = {
  name: "fleet",
  stories: storiesOf([vehicleEntity, alarmEntity, presenceEntity, requestsEntity]),
  live: async () => {
    // Whoever replays needs none of it, and loading it takes longer than that.
    const { fleet } = await import("../../cli/simulate/index.ts");
    return [...(await livesIn(fleet(FLEET_SEED))), ...(await vehicleOnDesk())];
  },
};

export const campaignStories: StoryGroup = {
  name: "campaigns",
  stories: storiesOf(Object.values(campaignTypes)),
  live: async () => {
    const lives: Life[] = [];
    for (const seed of CAMPAIGN_SEEDS) lives.push(...(await livesIn(campaign(seed))));
    return lives;
  },
};
