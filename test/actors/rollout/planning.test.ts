// Which vehicles are in a rollout, in which group, and what refuses a plan (actors/rollout/grouping.ts).

import { Compile } from "typebox/compile";
import { test } from "tap";

import { type FleetModule, type FleetVehicle, grouped, type Grouping, type PlanFile, planSchema, impossibleIn, rolloutInput, termsOf } from "../../../actors/rollout/index.ts";
import { fleetOf, NEW, planOf } from "./fleet.ts";

const TORRENT = "trailcurrent/torrent";
const byName = (vehicle: string): string => vehicle;

function planned(plan: PlanFile, fleet: readonly FleetVehicle[]): Extract<Grouping, { kind: "planned" }> {
  const found = grouped(plan, fleet, byName);
  if (found.kind === "refused") throw new Error(JSON.stringify(found.problems));
  return found;
}

function problems(plan: PlanFile, fleet: readonly FleetVehicle[]): readonly { readonly path: string; readonly message: string; readonly expected: string }[] {
  const found = grouped(plan, fleet, byName);
  return found.kind === "refused" ? found.problems : [];
}

function withModule(vehicle: FleetVehicle | undefined, more: Partial<FleetModule>): FleetVehicle {
  if (vehicle === undefined) throw new Error("no such vehicle");
  return { ...vehicle, modules: vehicle.modules.map((module) => ({ ...module, ...more })) };
}

test("groups are cut as the plan says, each vehicle in one, and by default canary, early, broad and rest", (t) => {
  const sizes = (count: number, plan = planOf()): readonly unknown[] => planned(plan, fleetOf(count)).groups.map(({ name, size }) => `${name} ${String(size)}`);
  t.same(sizes(1_000), ["canary 10", "early 50", "broad 200", "rest 740"]);
  t.same(sizes(40), ["canary 5", "early 2", "broad 8", "rest 25"]);
  t.same(sizes(3), ["canary 3"], "a fleet smaller than its canaries has no more groups");
  t.same(sizes(20, planOf({ groups: [{ name: "one", count: 1 }, { name: "half", percent: 50 }, { name: "rest" }] })), ["one 1", "half 10", "rest 9"]);
  const all = planned(planOf(), fleetOf(1_000)).groups.flatMap(({ parts }) => parts.flat().map(({ vehicle }) => vehicle));
  t.equal(new Set(all).size, 1_000);
  t.end();
});

test("C1. a group of more than 500 is cut into parts as equal as they can be", (t) => {
  const [group] = planned(planOf({ groups: [{ name: "all" }] }), fleetOf(1_201)).groups;
  t.same(
    group?.parts.map((part) => part.length),
    [400, 400, 401],
  );
  const input = rolloutInput("acme", planOf({ groups: [{ name: "all" }] }), group === undefined ? [] : [group]);
  t.same(input.groups[0]?.parts, [
    { group: "acme/group/torrent-2.1.1", size: 400 },
    { group: "acme/group/torrent-2.1.2", size: 400 },
    { group: "acme/group/torrent-2.1.3", size: 401 },
  ]);
  t.end();
});

test("groups by labels take who has them, and a vehicle that none takes refuses the plan by name", (t) => {
  const fleet = fleetOf(10).map((vehicle, at) => ({ ...vehicle, labels: { region: at < 4 ? "north" : "south" } }));
  const groups = [{ name: "north", labels: { region: "north" } }, { name: "rest" }];
  t.same(
    planned(planOf({ groups }), fleet).groups.map(({ name, size }) => `${name} ${String(size)}`),
    ["north 4", "rest 6"],
  );
  t.match(problems(planOf({ groups: [{ name: "west", labels: { region: "west" } }, { name: "rest" }] }), fleet), [
    { path: "/groups/0", message: /^the group west is empty: none of the 10 vehicles that are left has its labels$/, expected: /labels/ },
  ]);
  t.match(problems(planOf({ groups: [{ name: "north", labels: { region: "north" } }] }), fleet), [
    { path: "/groups", message: /^6 of 10 vehicles are in no group, e\.g\. acme\/vehicle\/v00004$/, expected: /a last group without count and percent/ },
  ]);
  t.end();
});

test("an image is for one type, hardware and address; a module that finds none refuses the plan, told once for all that have it", (t) => {
  const fleet = fleetOf(4).map((vehicle, at) => (at < 2 ? vehicle : withModule(vehicle, { address: at === 2 ? 1 : 0, hardware: at === 2 ? "esp32-s3" : "esp32" })));
  t.match(problems(planOf(), fleet), [
    { path: "/images", message: /^no image for trailcurrent\/torrent on esp32-s3 at address 1: 1 modules, e\.g\. acme\/vehicle\/v00002\/module\/torrent-0$/ },
    { path: "/images", message: /on esp32 at address 0/ },
  ]);
  t.match(
    problems(
      planOf(),
      fleetOf(2).map((vehicle) => withModule(vehicle, { hardware: undefined })),
    ),
    [{ path: "/images", message: /whose hardware the vehicle's file does not name.*2 modules/ }],
  );
  t.end();
});

test("S8. a module that reports the version already is left out, since its update could not be proved; a fleet of these refuses the plan", (t) => {
  const fleet = fleetOf(10).map((vehicle, at) => (at < 3 ? withModule(vehicle, { firmware: NEW }) : vehicle));
  const found = planned(planOf(), fleet);
  t.equal(found.upToDate, 3);
  t.equal(
    found.groups.reduce((sum, { size }) => sum + size, 0),
    7,
  );
  t.match(problems(planOf(), fleet.slice(0, 3)), [{ path: "/select", message: "all 3 vehicles that it selects have these versions" }]);
  t.match(problems(planOf({ select: { model: "boat" } }), fleet), [{ path: "/select", message: /^of 10 vehicles it selects none with a module that its images are for$/ }]);
  t.end();
});

test("a module in another rollout refuses the plan, naming both", (t) => {
  const fleet = fleetOf(3).map((vehicle, at) => (at === 1 ? { ...vehicle, taken: { "torrent-0": "torrent-1" } } : vehicle));
  t.match(problems(planOf(), fleet), [{ path: "/select", message: "acme/vehicle/v00001/module/torrent-0 is in the rollout torrent-1", expected: /one rollout at a time/ }]);
  t.end();
});

test("the order of vehicles is that of the plan's hash, so the same plan gives the same groups", (t) => {
  const backwards = grouped(planOf({ groups: [{ name: "one", count: 1 }, { name: "rest" }] }), fleetOf(5), (vehicle) => String(99_999 - Number(vehicle.slice(-5))));
  t.match(backwards, { groups: [{ name: "one", parts: [[{ vehicle: "acme/vehicle/v00004", updates: [{ module: "torrent-0", image: 0 }] }]] }, {}] });
  t.end();
});

test("a plan's form: what is unknown, out of range or of another form is refused by its schema", (t) => {
  const schema = Compile(planSchema);
  const base = planOf();
  t.ok(schema.Check(base));
  const bad: Readonly<Record<string, unknown>> = {
    "a share above 100": { ...base, success_percent: 101 },
    "a share of nothing": { ...base, abort: { percent: 0 } },
    "no concurrency": { ...base, concurrency: 0 },
    "an unknown key": { ...base, concurrencyy: 3 },
    "a duration without a unit": { ...base, soak: "30" },
    "a deadline of nothing": { ...base, dark_after: "0s" },
    "a deadline of 0.0": { ...base, target_timeout: "00.00h" },
    "no image": { ...base, images: [] },
    "a hash that is none": { ...base, images: [{ ...base.images[0], sha256: "abc" }] },
    "a version that is none": { ...base, images: [{ ...base.images[0], version: "2.4" }] },
    "a version beyond a byte": { ...base, images: [{ ...base.images[0], version: "2.4.256" }] },
    "an address beyond a byte": { ...base, images: [{ ...base.images[0], address: 256 }] },
    "a group without a name": { ...base, groups: [{ count: 1 }] },
    "a name with a slash": { ...base, rollout: "a/b" },
  };
  for (const [name, plan] of Object.entries(bad)) t.notOk(schema.Check(plan), name);
  t.ok(schema.Check({ ...base, soak: "0s", dark_after: "0.5s", target_timeout: "10m" }), "a soak may be none, and a deadline short");
  t.end();
});

test("P3. a second image for a kind of module, and a second group of a name, are told with the first; a duration without an end is told", (t) => {
  const [image] = planOf().images;
  if (image === undefined) throw new Error("the plan has an image");
  const { address: _, ...placeless } = image;
  t.same(impossibleIn(planOf({ images: [image, { ...image, address: 1 }, { ...image, hardware: "esp32" }, placeless], groups: [{ name: "a" }, { name: "b" }] })), []);
  t.same(impossibleIn(planOf({ images: [image, placeless, { ...image, version: "9.0.0" }], groups: [{ name: "a" }, { name: "b" }, { name: "a" }] })), [
    {
      path: "/images/2",
      message: "is a second one for trailcurrent/torrent on esp32-s3 at address 0, beside /images/0",
      expected: "one image for each type, hardware and address",
    },
    { path: "/groups/2", message: "is a second one for the name a, beside /groups/0", expected: "groups with names of their own" },
  ]);
  const endless = planOf({ soak: "3660d", target_timeout: "9999d", dark_after: "87841h", excused_after: "999999d" });
  t.same(
    impossibleIn(endless).map(({ path, message }) => `${path} ${message}`),
    ["/target_timeout 9999d is longer than ten years", "/dark_after 87841h is longer than ten years", "/excused_after 999999d is longer than ten years"],
  );
  t.throws(() => termsOf(endless), { message: "9999d is no duration of a plan" });
  t.end();
});

test("a plan's times and limits, by default those of research/fleet-ota.md 2.2", (t) => {
  t.same(termsOf(planOf()), { attempts: 3, timeoutMs: 86_400_000, darkMs: 900_000, excusedMs: 604_800_000 });
  t.same(termsOf(planOf({ target_timeout: "1.5h", dark_after: "30s", excused_after: "2d", attempts: 1 })), {
    attempts: 1,
    timeoutMs: 5_400_000,
    darkMs: 30_000,
    excusedMs: 172_800_000,
  });
  const { soak: _soak, concurrency: _concurrency, ...bare } = planOf();
  const groups = [{ name: "one" }, { name: "two" }, { name: "three", pause_count: 4 }].map((group) => ({ ...group, count: 1 }));
  const pauses = (plan: PlanFile): readonly unknown[] => rolloutInput("acme", plan, planned(plan, fleetOf(3)).groups).groups.map(({ pauseCount }) => pauseCount);
  t.same(pauses({ ...bare, groups }), [1, null, 4], "the first bad result of the first group");
  t.same(pauses({ ...bare, groups: groups.slice(2).concat(groups.slice(0, 2)) }), [4, null, null]);
  t.same(pauses({ ...bare, groups, pause: { count: 7 } }), [null, null, 4]);
  t.match(rolloutInput("acme", bare, []), {
    concurrency: 50,
    soakMs: 1_800_000,
    limits: { successPercent: 95, excusePercent: 20, pause: { count: undefined, percent: 2.5 }, abort: { minSample: 5, percent: 5, count: 20 } },
    images: [{ module: TORRENT, hardware: "esp32-s3", address: 0, version: NEW }],
  });
  t.end();
});
