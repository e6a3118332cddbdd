import { test } from "tap";
import {
  encodeSample,
  openTelemetryIngest,
  type SampleValue,
  type SignalInfo,
  SignalMirror,
  startTelemetryShipper,
  type TelemetryIngest,
  type TelemetryShipper,
} from "../../../protocols/uplink/index.ts";
import { encodeEnvelope, vehicleNames } from "../../../runtime/index.ts";
import { type AppendLog, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, SeededRandom } from "../../../runtime/simulation/index.ts";
import { memoryLog } from "../../../runtime/simulation/memory-log.ts";
import { memoryNetwork, type MemoryNetwork } from "../../../runtime/simulation/memory-transport.ts";

const names = vehicleNames("acme", "v1");
const VEHICLE = "acme/vehicle/v1";
const ODD_VALUES: readonly unknown[] = ["7", {}, [], [7], [7, -1], [7, "1"], [7, 1, "good"], [7, 1, "stale", 2], [null, 1], [7, Number.NaN]];

interface World {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly log: AppendLog;
  readonly mirror: SignalMirror;
  readonly ingest: TelemetryIngest;
  readonly shipper: TelemetryShipper;
  sample(speed: number, at?: number): Promise<void>;
}

async function world(maxBytes = 1_000_000): Promise<World> {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const network = memoryNetwork({ clock, random, latencyMs: 5 });
  const newId = (): string => random.id();
  const [edge, cloud] = [network.transport("edge"), network.transport("cloud")];
  await Promise.all([edge.start(), cloud.start()]);
  const mirror = new SignalMirror(clock);
  const ingest = await openTelemetryIngest({ transport: cloud, mirror, sending: { node: "cloud", session: "c", clock }, newId, log: silentLog, heard: () => undefined });
  const log = memoryLog({ maxBytes });
  const { incarnation } = await log.open();
  const shipper = startTelemetryShipper(
    {
      transport: edge,
      key: names.up("telemetry"),
      liveKey: names.up("signals"),
      log,
      incarnation,
      sending: { node: "edge", session: "e", clock },
      newId,
      words: silentLog,
      cloudBegan: () => undefined,
      random: () => random.next(),
    },
    0,
    0,
  );
  await clock.advance(100);
  return {
    clock,
    network,
    log,
    mirror,
    ingest,
    shipper,
    sample: async (speed, at = clock.now()) => {
      const sample = { at, values: { speed } };
      const [seq = 0] = await log.append([{ at, class: "B", bytes: encodeSample(sample) }]);
      shipper.appended(seq, sample);
    },
  };
}

const speedOf = ({ mirror }: World): number | undefined => mirror.signals(VEHICLE)?.find(({ name }) => name === "speed")?.value;

test("S3. telemetry is forgotten in the vehicle when the cloud has it, over cuts and lost answers", async (t) => {
  const made = await world();
  made.network.setFaults({ drop: 0.4 });
  for (let n = 1; n <= 60; n++) {
    await made.sample(n);
    if (n % 20 === 0) made.network.cut(n % 40 === 0 ? "edge" : "cloud");
    await made.clock.advance(50);
    if (n % 20 === 5) for (const node of ["edge", "cloud"]) made.network.heal(node);
  }
  for (const node of ["edge", "cloud"]) made.network.heal(node);
  made.network.setFaults({});
  await made.clock.advance(120_000);
  t.equal(speedOf(made), 60);
  t.equal((await made.log.totals()).entries, 0);
  t.ok(made.ingest.counters.samples >= 60, "each at least once");
  await made.shipper.stop();
  t.equal(made.ingest.counters.bad, 0);
});

test("S5. what the vehicle had to drop arrives as a gap with its count", async (t) => {
  const made = await world(4_000);
  made.network.cut("edge");
  for (let n = 1; n <= 200; n++) await made.sample(n);
  made.network.heal("edge");
  await made.clock.advance(60_000);
  const { dropped } = await made.log.totals();
  t.ok(dropped > 0);
  t.equal(made.ingest.counters.lost, dropped);
  t.ok(made.ingest.counters.gaps > 0);
  t.equal(speedOf(made), 200);
  await made.shipper.stop();
});

test("S5. a gap that cannot say how much was lost is told as one, and keeps nothing of its batch back", async (t) => {
  const made = await world();
  const stranger = made.network.transport("stranger");
  await stranger.start();
  await made.clock.advance(50);
  const items = [
    { kind: "gap", from: 3, to: 9, class: undefined, count: undefined, reason: "not-flushed" },
    { kind: "gap", from: 10, to: 12, class: "B", count: 3, reason: "not-written" },
    { kind: "entry", seq: 13, bytes: encodeSample({ at: made.clock.now(), values: { speed: 3 } }) },
  ];
  const asked = stranger.ask(names.up("telemetry"), encodeEnvelope({ kind: "telemetry", id: "x", sender: { node: "s" }, body: { items } }), { withinMs: 1_000 });
  await made.clock.advance(50);
  await asked;
  t.same(made.ingest.counters, { samples: 1, bad: 0, gaps: 2, lost: 3 });
  t.match(made.ingest.metrics(), [
    { name: "drover_telemetry_samples_total", value: 1 },
    { name: "drover_telemetry_gaps_total", value: 2 },
    { name: "drover_telemetry_lost_total", value: 3 },
    { name: "drover_telemetry_bad_total", value: 0 },
  ]);
  t.equal(speedOf(made), 3);
  await made.shipper.stop();
});

test("live first: while a backlog drains the newest value is seen before the old ones", async (t) => {
  const made = await world();
  made.network.cut("edge");
  for (let n = 1; n <= 1_000; n++) await made.sample(n);
  made.network.heal("edge");
  await made.clock.advance(12);
  await made.sample(5_000);
  await made.clock.advance(11);
  t.equal(speedOf(made), 5_000);
  t.ok((await made.log.totals()).entries > 0, "the backlog is still under way");
  await made.clock.advance(60_000);
  t.equal(speedOf(made), 5_000, "and older ones change nothing");
  t.equal((await made.log.totals()).entries, 0);
  await made.shipper.stop();
});

test("S10. a batch that cannot be read is refused and counted, and its sender keeps it; a bad sample in a good batch is counted", async (t) => {
  const made = await world();
  const stranger = made.network.transport("stranger");
  await stranger.start();
  await made.clock.advance(50);
  for (const [body, isTaken] of [
    [{ items: "none" }, false],
    [null, false],
    [{ items: [{ kind: "entry", bytes: new Uint8Array([0xc1]) }, { kind: "entry", bytes: 5 }, 7, null] }, true],
    [
      {
        items: [
          { kind: "entry", bytes: encodeSample({ at: Number.NaN, values: {} }) },
          { kind: "gap", count: -5 },
        ],
      },
      true,
    ],
    [{ items: ODD_VALUES.map((value) => ({ kind: "entry", bytes: encodeSample({ at: 1, values: { speed: value as SampleValue } }) })) }, true],
  ] as const) {
    const asked = stranger.ask(names.up("telemetry"), encodeEnvelope({ kind: "telemetry", id: "x", sender: { node: "s" }, body }), { withinMs: 1_000 });
    await made.clock.advance(50);
    t.equal((await asked).kind, "replied", String(isTaken));
  }
  const bad = 2 + 4 + 2 + ODD_VALUES.length;
  t.equal(made.ingest.counters.bad, bad);
  t.match(made.ingest.counters, { lost: 0, gaps: 0 });
  t.equal(made.mirror.signals(VEHICLE), undefined);
  await stranger.publish(names.up("signals"), new Uint8Array([1]), { qos: "drop" });
  await made.clock.advance(50);
  t.equal(made.ingest.counters.bad, bad + 1);
  await made.shipper.stop();
});

test("a value stamped by a clock that was far ahead keeps no later one out", async (t) => {
  const made = await world();
  await made.sample(1, made.clock.now() + 86_400_000);
  await made.clock.advance(100);
  await made.sample(2);
  await made.clock.advance(100);
  t.equal(speedOf(made), 2);
  await made.shipper.stop();
});

test("S5. whoever watches vehicles that do not exist leaves nothing behind", async (t) => {
  const mirror = new SignalMirror(new ManualClock());
  const unwatch = mirror.watch("acme/vehicle/none", () => undefined);
  t.equal(mirror.signals("acme/vehicle/none"), undefined);
  unwatch();
  t.equal(mirror.signals("acme/vehicle/none"), undefined);
});

test("V1. neither clock decides what is newer or how old: a vehicle's that steps back or runs ahead, nor this node's", async (t) => {
  const clock = new ManualClock();
  const mirror = new SignalMirror(clock);
  mirror.describe(VEHICLE, [{ name: "speed", unit: "km/h", labels: [] }], { simulated: false, staleAfterMs: 90_000 });
  const speed = (): { readonly value: unknown; readonly quality: string; readonly ageMs: number } => {
    const seen = mirror.signals(VEHICLE)?.[0];
    return { value: seen?.value, quality: seen?.quality ?? "", ageMs: clock.now() - (seen?.at ?? Number.NaN) };
  };
  for (const aheadMs of [0, -1_800_000, 3_600_000, -2 * 86_400_000]) {
    const told = { session: "a", ms: clock.monotonic() };
    mirror.take(VEHICLE, { at: clock.now() + aheadMs, told, values: { speed: [aheadMs, 40] } }, told);
    t.same(speed(), { value: aheadMs, quality: "good", ageMs: 40 }, `the vehicle's clock is ${String(aheadMs / 1_000)} s ahead`);
    await clock.advance(1_000);
  }
  await clock.advance(89_000);
  t.match(speed(), { quality: "good", ageMs: 90_040 });
  await clock.advance(1);
  t.match(speed(), { quality: "stale" }, "it is silent, whatever its clock says");
  const fresh = { session: "a", ms: clock.monotonic() };
  mirror.take(VEHICLE, { at: 5, told: fresh, values: { speed: 1 } }, fresh);
  mirror.take(VEHICLE, { at: clock.now() + 9_000, told: { session: "a", ms: fresh.ms - 500 }, values: { speed: 2 } }, fresh);
  t.match(speed(), { value: 1, ageMs: 0 }, "what was told before comes late");
  await clock.advance(2_000);
  const next = { session: "b", ms: 10 };
  mirror.take(VEHICLE, { at: 4, told: next, values: { speed: 3 } }, next);
  t.match(speed(), { value: 3, quality: "good", ageMs: 0 }, "its node began again, with another clock");
  mirror.take(VEHICLE, { at: clock.now() - 7_000, told: fresh, values: { speed: 4 } }, next);
  t.match(speed(), { value: 3 }, "what waited in its log since before that is no news");
  clock.jump(-30_000);
  t.match(speed(), { value: 3, quality: "good", ageMs: 0 }, "this node's clock is set back");
  const again = { session: "b", ms: 900 };
  mirror.take(VEHICLE, { at: 3, told: again, values: { speed: 5 } }, again);
  t.match(speed(), { value: 5, quality: "good", ageMs: 0 });
});

test("a vehicle that is known and has told no signal yet has none; one that is not known is none", (t) => {
  const mirror = new SignalMirror(new ManualClock(), (vehicle) => vehicle === VEHICLE);
  t.same(mirror.signals(VEHICLE), []);
  t.equal(mirror.signals("acme/vehicle/none"), undefined);
  t.end();
});

test("V1. a value has its time, is stale past the bound that its vehicle tells, and good again when it is told anew", async (t) => {
  const clock = new ManualClock();
  const mirror = new SignalMirror(clock);
  const speed = (): unknown => mirror.signals(VEHICLE)?.find(({ name }) => name === "speed");
  mirror.describe(VEHICLE, [{ name: "speed", unit: "km/h", labels: [] }], { simulated: false, staleAfterMs: 90_000 });
  t.match(speed(), { value: undefined, quality: "unknown" });
  const at = clock.now();
  mirror.take(VEHICLE, { at, values: { speed: 7 } });
  await clock.advance(90_000);
  t.match(speed(), { value: 7, at, quality: "good" });
  await clock.advance(1);
  t.match(speed(), { value: 7, at, quality: "stale" });
  mirror.take(VEHICLE, { at: clock.now(), values: { speed: 7 } });
  t.match(speed(), { value: 7, at: clock.now(), quality: "good" });
  mirror.take(VEHICLE, { at: clock.now(), values: { speed: [7, 400] } });
  t.match(speed(), { value: 7, at: clock.now() - 400, quality: "good" }, "as old as the vehicle says");
  mirror.take(VEHICLE, { at: clock.now(), values: { speed: [7, 5_000, "stale"] } });
  t.match(speed(), { value: 7, at: clock.now() - 5_000, quality: "stale" }, "it knows how often its bus speaks");
  mirror.take(VEHICLE, { at: clock.now() - 1, values: { speed: [8, 0] } });
  t.match(speed(), { value: 7, quality: "stale" }, "what was told before comes late");
});

test("whoever watches hears of values once the vehicle has described them, with their units", (t) => {
  const clock = new ManualClock();
  const mirror = new SignalMirror(clock);
  const heard: unknown[] = [];
  mirror.watch("acme/vehicle/one", (changed) => heard.push(...changed.map(({ name, value, unit }) => [name, value, unit])));
  mirror.take("acme/vehicle/one", { at: clock.now(), values: { Speed: 1 } });
  t.same(heard, []);
  const more = { simulated: false, staleAfterMs: 60_000 };
  mirror.describe("acme/vehicle/one", [{ name: "Speed", unit: "km/h", labels: [] }], more);
  t.same(heard, [["Speed", 1, "km/h"]]);
  mirror.describe("acme/vehicle/one", [{ name: "Speed", unit: "km/h", labels: [] }], more);
  mirror.take("acme/vehicle/one", { at: clock.now() + 1, values: { Speed: 2 } });
  t.same(heard.slice(1), [["Speed", 2, "km/h"]]);
  t.end();
});

test("V1. a signal that the vehicle does not describe any more is gone, for whoever watches too, and its values of before do not bring it back", (t) => {
  const clock = new ManualClock();
  const mirror = new SignalMirror(clock);
  const more = { simulated: false, staleAfterMs: 60_000 };
  const signal = (name: string): SignalInfo => ({ name, unit: "x", labels: [] });
  const [speed, coolant, level] = [signal("speed"), signal("coolant"), signal("level")];
  const names = (): unknown => mirror.signals(VEHICLE)?.map(({ name, value }) => [name, value]);
  mirror.describe(VEHICLE, [speed, coolant], more);
  mirror.take(VEHICLE, { at: clock.now(), values: { speed: 1, coolant: 90 } });
  t.same(names(), [
    ["speed", 1],
    ["coolant", 90],
  ]);
  const heard: unknown[] = [];
  mirror.watch(VEHICLE, (changed) => heard.push(...changed.map(({ name, value, unit, quality }) => [name, value, unit, quality])));
  mirror.take(VEHICLE, { at: clock.now(), values: { level: 3 } });
  t.same(names(), [
    ["speed", 1],
    ["coolant", 90],
  ]);
  t.same(heard, [], "a value that comes before its description waits for it");
  mirror.describe(VEHICLE, [speed, level], more);
  t.same(heard, [
    ["level", 3, "x", "good"],
    ["coolant", undefined, undefined, "unknown"],
  ]);
  t.same(names(), [
    ["speed", 1],
    ["level", 3],
  ]);
  mirror.take(VEHICLE, { at: clock.now(), values: { coolant: 80 } });
  t.same(names(), [
    ["speed", 1],
    ["level", 3],
  ]);
  t.equal(heard.length, 2, "what waited in its log is told to nobody");
  mirror.describe(VEHICLE, [speed, level], more);
  mirror.describe(VEHICLE, [speed, coolant], more);
  t.same(names(), [
    ["speed", 1],
    ["coolant", undefined],
  ]);
  t.end();
});
