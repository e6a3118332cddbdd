// Rollouts over HTTP at a real cloud node, with stand-ins for vehicles over the real bus (cloud-node/rollouts).

import { createHash } from "node:crypto";
import { test, type Test } from "tap";
import type { PartContext, PlanFile } from "../../actors/index.ts";
import { type CloudPorts, realPorts } from "../../cloud-node/index.ts";
import { parseAddress } from "../../runtime/index.ts";
import type { LinkState, Transport } from "../../runtime/ports/index.ts";
import { until as untilWithin } from "../end-to-end/until.ts";
import { type Answered, realCloud, type RealCloud } from "./real-cloud.ts";
import { type StandIn, standIn, type StandInOptions } from "./stand-in-vehicle.ts";

const NEW = "2.4.0";
const IMAGE = Buffer.alloc(5_000, 7);
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const SHA = hashOf(IMAGE);
const FOR = { module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: NEW } as const;

const until = async (what: string, holds: () => boolean | Promise<boolean>): Promise<void> => {
  await untilWithin(what, 20_000, holds);
};

interface Fleet {
  readonly cloud: RealCloud;
  readonly vehicles: readonly StandIn[];
}

async function bring(cloud: RealCloud, image: Uint8Array = IMAGE, address = 0): Promise<void> {
  await cloud.ask("POST", `/v1/images?module=trailcurrent/torrent&hardware=esp32-s3&address=${String(address)}&version=${NEW}`, { bytes: image });
}

/** Each vehicle is `acme/vehicle/v0`, v1, … unless it says otherwise, and known to the cloud. */
async function fleet(t: Test, vehicles: readonly Partial<StandInOptions>[], ports: Partial<CloudPorts> = {}): Promise<Fleet> {
  const cloud = await realCloud(t, {}, ports);
  await bring(cloud);
  const made: StandIn[] = [];
  for (const [at, options] of vehicles.entries()) made.push(await standIn(t, cloud, { vehicle: `acme/vehicle/v${String(at)}`, ...options }));
  for (const { vehicle } of made)
    await until(
      `the cloud knows ${vehicle}`,
      () =>
        (cloud.node.system.read(`${vehicle}/module/torrent-0` as never)?.context as { firmware?: unknown } | undefined)?.firmware !== null &&
        cloud.node.system.read(`${vehicle}/module/torrent-0` as never) !== undefined,
    );
  return { cloud, vehicles: made };
}

const planOf = (more: Partial<PlanFile> = {}): PlanFile => ({
  rollout: "torrent-2.4",
  images: [{ ...FOR, sha256: SHA }],
  select: {},
  soak: "10ms",
  groups: [{ name: "all" }],
  ...more,
});

const post = (cloud: RealCloud, plan: unknown, query = "", headers = {}): Promise<Answered> => cloud.ask("POST", `/v1/rollouts${query}`, { body: plan, headers });
const get = async (cloud: RealCloud, id = "torrent-2.4"): Promise<Answered["body"]> => (await cloud.ask("GET", `/v1/rollouts/${id}`)).body;
const say = (cloud: RealCloud, verb: string, body: object = { reason: "because" }, headers = {}, id = "torrent-2.4"): Promise<Answered> =>
  cloud.ask("POST", `/v1/rollouts/${id}/${verb}`, { body, headers });
const stateIs = (cloud: RealCloud, state: string): Promise<void> => until(`the rollout is ${state}`, async () => (await get(cloud))["state"] === state);

test("a rollout is planned, approved and goes through its groups; vehicles are told over the bus, and say how it went", async (t) => {
  const { cloud, vehicles } = await fleet(t, [{}, {}, {}]);
  const made = await post(cloud, planOf({ groups: [{ name: "canary", count: 1 }, { name: "rest" }] }), "", { "idempotency-key": "plan-1" });
  t.equal(made.status, 201);
  t.equal(made.headers.get("location"), "/v1/rollouts/acme%2Frollout%2Ftorrent-2.4");
  t.match(made.body, {
    id: "torrent-2.4",
    tenant: "acme",
    state: "draft",
    targets: 3,
    created: { by: "admin" },
    groups: [
      { name: "canary", size: 1, state: "waiting" },
      { name: "rest", size: 2 },
    ],
  });
  t.same((await post(cloud, planOf({ groups: [{ name: "canary", count: 1 }, { name: "rest" }] }), "", { "idempotency-key": "plan-1" })).status, 200, "the same request again");
  t.same((await post(cloud, planOf(), "", { "idempotency-key": "plan-1" })).problem, "id-reused");
  t.same((await post(cloud, planOf())).problem, "rollout-exists");
  t.ok(
    vehicles.every((each) => each.state().heard.every((type) => !type.startsWith("campaign."))),
    "nothing is offered before it is approved",
  );
  t.equal((await cloud.ask("DELETE", `/v1/images/${SHA}`)).problem, "image-in-use");

  const approved = await say(cloud, "approve", { reason: "tried on the bench" }, { "idempotency-key": "go-1" });
  t.equal(approved.status, 200);
  t.equal((await say(cloud, "approve", { reason: "tried on the bench" }, { "idempotency-key": "go-1" })).status, 200, "the same word again");
  t.equal((await say(cloud, "approve")).problem, "refused", "a further one");
  await stateIs(cloud, "completed");
  const done = await get(cloud);
  t.match(done, { counts: { committed: 3, failed: 0 }, noted: [{ verb: "approve", who: "admin", reason: "tried on the bench" }], newcomers: { count: 0 } });
  t.same((done["noted"] as readonly unknown[]).length, 1);
  for (const each of vehicles) {
    t.same(
      each.state().heard.filter((type) => type.startsWith("campaign.")),
      ["campaign.offer", "campaign.go"],
    );
    const madeFor = { type: FOR.module, hardware: FOR.hardware, address: FOR.address };
    t.same(each.state().updates, [{ module: "torrent-0", version: NEW, sha256: SHA, bytes: IMAGE.length, madeFor }], "the vehicle can hold it against its own file");
  }
  const { body } = await cloud.ask("GET", "/v1/rollouts");
  t.match(body, { items: [{ id: "torrent-2.4", state: "completed", groups: 2, targets: 3 }] });
  const targets = await cloud.ask("GET", "/v1/rollouts/torrent-2.4/targets?limit=2");
  t.match(targets.body, { items: [{ group: "canary", state: "committed", module: "torrent-0", updates: [{ version: NEW, sha256: SHA }] }, { group: "rest" }], next: String });
  const rest = await cloud.ask("GET", `/v1/rollouts/torrent-2.4/targets?limit=2&cursor=${String(targets.body["next"])}`);
  t.match(rest.body, { items: [{ group: "rest", state: "committed" }] });
  t.notOk("next" in rest.body);
  t.same(new Set([...(targets.body["items"] as { vehicle: string }[]), ...(rest.body["items"] as { vehicle: string }[])].map(({ vehicle }) => vehicle)).size, 3);
  t.match((await cloud.ask("GET", "/v1/rollouts/torrent-2.4/targets?state=failed")).body, { items: [] });
  t.equal((await cloud.ask("DELETE", `/v1/images/${SHA}`)).status, 204, "a rollout that is over uses no image");
});

test("each thing that can be wrong with a plan has a problem of its own, and nothing is made", async (t) => {
  const { cloud } = await fleet(t, [{ labels: { fleet: "north" } }, { labels: { fleet: "south" }, address: 1 }]);
  const other = Buffer.alloc(10, 1);
  await bring(cloud, other, 3);
  const third = Buffer.alloc(10, 2);
  await bring(cloud, third, 1);
  const wrong = [
    ["no plan", { rollout: "x" }, 422, "rollout-plan-invalid"],
    ["a key that is not known", { ...planOf(), soack: "3m" }, 422, "rollout-plan-invalid"],
    ["a threshold out of range", planOf({ success_percent: 101 }), 422, "rollout-threshold"],
    ["a count out of range", planOf({ abort: { count: 0 } }), 422, "rollout-threshold"],
    ["a share of a group", planOf({ groups: [{ name: "a", percent: 0 }] }), 422, "rollout-threshold"],
    ["two images for one kind of module", planOf({ images: [FOR, FOR].map((each) => ({ ...each, sha256: SHA })) }), 422, "rollout-plan-invalid"],
    ["two groups of one name", planOf({ groups: [{ name: "a", count: 1 }, { name: "b", count: 1 }, { name: "a" }] }), 422, "rollout-plan-invalid"],
    ["a deadline of nothing", planOf({ dark_after: "0s" }), 422, "rollout-plan-invalid"],
    ["an unknown group filter", planOf({ select: { labels: { fleet: "north" } }, groups: [{ name: "a", labels: { fleet: "west" } }, { name: "b" }] }), 422, "rollout-group-empty"],
    ["an image that is not kept", planOf({ images: [{ ...FOR, address: 9, sha256: "0".repeat(64) }] }), 422, "rollout-image-unknown"],
    ["an image whose hash differs", planOf({ images: [{ ...FOR, sha256: "0".repeat(64) }] }), 422, "rollout-image-differs"],
    ["an image that is another one's", planOf({ images: [{ ...FOR, sha256: hashOf(other) }] }), 422, "rollout-image-differs"],
    ["a missing image for one address", planOf(), 422, "rollout-image-missing"],
    ["nobody selected", planOf({ select: { labels: { fleet: "west" } } }), 422, "rollout-selects-none"],
    [
      "vehicles in no group",
      planOf({
        images: [
          { ...FOR, sha256: SHA },
          { ...FOR, address: 1, sha256: hashOf(third) },
        ],
        groups: [{ name: "a", labels: { fleet: "north" } }],
      }),
      422,
      "rollout-plan-invalid",
    ],
  ] as const;
  for (const [name, plan, status, problem] of wrong) {
    const answer = await post(cloud, plan);
    t.same([answer.status, answer.problem], [status, problem], name);
    t.ok(((answer.body["problems"] as readonly unknown[] | undefined) ?? []).length > 0, name);
  }
  t.equal((await post(cloud, planOf(), "?tenant=nobody")).problem, "rollout-selects-none");
  t.same((await cloud.ask("GET", "/v1/rollouts")).body, { items: [] });
  t.equal((await post(cloud, planOf({ select: { labels: { fleet: "north" } } }))).status, 201);
  t.equal((await post(cloud, planOf({ rollout: "second", select: { labels: { fleet: "north" } } }))).problem, "rollout-module-taken", "two rollouts on one module");
  t.equal((await say(cloud, "abort")).status, 200);
  await until("nothing of it begins any more", async () => (await get(cloud))["phase"] === "settled");
  t.equal((await post(cloud, planOf({ rollout: "second", select: { labels: { fleet: "north" } } }))).status, 201, "once the other one is over");
  t.equal((await say(cloud, "resume")).problem, "rollout-over", "resume of an aborted rollout");
  t.equal((await say(cloud, "approve")).problem, "rollout-over");
  t.equal((await say(cloud, "pause", {})).problem, "invalid", "no reason");
  t.equal((await say(cloud, "pause", { reason: " \t" })).problem, "invalid", "a reason of blanks");
  t.equal((await cloud.ask("GET", "/v1/rollouts/third")).problem, "no-such-rollout");
  t.equal((await cloud.ask("GET", "/v1/rollouts/second/targets?cursor=abc")).problem, "cursor-invalid");
});

test("a vehicle that joins later is in no group and is told as a newcomer; one that is left out ends as excused", async (t) => {
  const { cloud, vehicles } = await fleet(t, [{ manner: "holds" }, { manner: "driving" }]);
  await post(cloud, planOf({ excuse_percent: 60 }));
  await say(cloud, "approve", {});
  const late = await standIn(t, cloud, { vehicle: "acme/vehicle/late" });
  await until("it is a newcomer", async () => ((await get(cloud))["newcomers"] as { count: number }).count === 1);
  t.match(await get(cloud), { targets: 2, newcomers: { first: [late.vehicle] } });
  await until("one is under way, one postponed", async () => {
    const [group] = (await get(cloud))["groups"] as { counts: Record<string, number> }[];
    return group?.counts["under way"] === 1 && group.counts["postponed"] === 1;
  });
  t.match(await get(cloud), { groups: [{ state: "open", waits: [{ targets: 1, of: 2, text: "1 of 2 postponed: not parked" }, { text: "1 of 2 under way" }] }] });
  const out = (vehicle: string): Promise<Answered> => cloud.ask("POST", `/v1/rollouts/torrent-2.4/targets/${encodeURIComponent(vehicle)}/leave-out`, { body: { reason: "sold" } });
  t.equal((await out("acme/vehicle/late")).problem, "no-such-target");
  t.equal((await out("acme/vehicle/v1")).status, 204);
  t.match((await cloud.ask("GET", "/v1/rollouts/torrent-2.4/targets?state=excused")).body, { items: [{ vehicle: "acme/vehicle/v1", why: "left out by admin: sold" }] });
  t.equal((await out("acme/vehicle/v1")).problem, "refused");
  await vehicles[0]?.system.tell(vehicles[0].vehicle, { type: "stand-in.done" });
  await stateIs(cloud, "completed");
  t.match(await get(cloud), { counts: { committed: 1, excused: 1 } });
  t.notOk(late.state().heard.includes("campaign.offer"));
});

/** A transport whose link is said to be down, whatever it is. */
class Link {
  #isDown = false;
  readonly #listeners = new Set<() => void>();

  readonly transport: CloudPorts["transport"] = (...given) => {
    const own = realPorts.transport(...given);
    const onState: Transport["onState"] = (listener) => {
      const tell = (): void => {
        listener(own.state);
      };
      this.#listeners.add(tell);
      const stop = own.onState(listener);
      return () => {
        this.#listeners.delete(tell);
        stop();
      };
    };
    const down: LinkState = { kind: "down", reason: "a test says so" };
    return new Proxy(own, {
      get: (of, key) => {
        if (key === "state") return this.#isDown ? down : of.state;
        if (key === "onState") return onState;
        const found: unknown = Reflect.get(of, key);
        return typeof found === "function" ? (found.bind(of) as unknown) : found;
      },
    });
  };

  set(isDown: boolean): void {
    this.#isDown = isDown;
    for (const tell of this.#listeners) tell();
  }
}

test("P5. groups know whether their node has a link to the bus, also after its restart", async (t) => {
  const link = new Link();
  const { cloud } = await fleet(t, [{ manner: "holds" }], { transport: link.transport });
  await post(cloud, planOf());
  await say(cloud, "approve", {});
  const [group] = (await get(cloud))["groups"] as { parts: string[] }[];
  const isDeaf = (is: boolean): Promise<void> =>
    until(is ? "it is deaf" : "it hears", () => (cloud.node.system.read(parseAddress(group?.parts[0] ?? ""))?.context as PartContext | undefined)?.isDeaf === is);
  await isDeaf(false);
  link.set(true);
  await isDeaf(true);
  link.set(false);
  await isDeaf(false);
  link.set(true);
  await isDeaf(true);
  await cloud.stop();
  link.set(false);
  await cloud.start();
  await isDeaf(false);
  t.pass("told at its start");
});

test("a vehicle that is ready again waits for its turn, whatever it was postponed for; one that is under way may be not online", async (t) => {
  const { cloud, vehicles } = await fleet(t, [{ manner: "holds" }, { manner: "driving" }]);
  const [holds, drives] = vehicles as [StandIn, StandIn];
  await post(cloud, planOf());
  await say(cloud, "approve", {});
  const waits = async (): Promise<string> => ((await get(cloud))["groups"] as { waits: { text: string }[] }[])[0]?.waits.map(({ text }) => text).join("; ") ?? "";
  await until("one is postponed, the other one under way", async () => (await waits()) === "1 of 2 postponed: not parked; 1 of 2 under way");
  await say(cloud, "pause");
  await until("nothing of it begins", async () => (await get(cloud))["phase"] === "settled");
  const ready = { type: "campaign.reported", state: "ready", ask: 2, module: "torrent-0" };
  await drives.system.tell(drives.vehicle, { type: "stand-in.send", target: drives.state().target ?? "", event: ready });
  await until("it is ready", async () => (await waits()) === "1 of 2 under way; 1 of 2 not begun: the rollout is paused");
  await holds.leave();
  await until("the other one is gone", async () => (await waits()).includes("not online"));
  t.match(await waits(), /^1 of 2 under way, 1 of them not online since \d{4}-.*Z; 1 of 2 not begun: the rollout is paused$/);
});

test("a plan is tried: what it would come to, all reasons why it would be refused, and nothing is made", async (t) => {
  const { cloud } = await fleet(t, [{}, {}]);
  const tried = (plan: unknown, headers = {}): Promise<Answered> => cloud.ask("POST", "/v1/rollouts/trial", { body: plan, headers });
  const good = await tried(planOf({ groups: [{ name: "canary", count: 1, pause_count: 1 }, { name: "rest" }] }));
  t.equal(good.status, 200);
  t.match(good.body, {
    address: "acme/rollout/torrent-2.4",
    targets: 2,
    upToDate: 0,
    images: [{ sha256: SHA, kept: true }],
    groups: [
      { name: "canary", size: 1, pauseCount: 1, abortCount: null, first: [{ vehicle: /^acme\/vehicle\/v\d$/, modules: ["torrent-0"] }] },
      { name: "rest", size: 1 },
    ],
    refused: [],
    more: 0,
  });
  const unknown = { ...FOR, address: 9, sha256: "0".repeat(64) };
  t.match((await tried(planOf({ images: [unknown, { ...FOR, sha256: "1".repeat(64) }] }))).body, {
    targets: 2,
    refused: [
      { type: "rollout-image-unknown", path: "/images/0/sha256" },
      { type: "rollout-image-differs", path: "/images/1/sha256" },
    ],
  });
  t.match((await tried(planOf({ images: [unknown] }))).body, { targets: 0, refused: [{ type: "rollout-image-unknown" }, { type: "rollout-image-missing", path: "/images" }] });
  t.equal((await tried(planOf({ success_percent: 101 }))).problem, "rollout-threshold");
  const { body } = await cloud.ask("POST", "/v1/tokens", { body: { name: "vic", role: "viewer" } });
  t.equal((await tried(planOf(), { authorization: `Bearer ${String(body["token"])}` })).problem, "forbidden");
  t.match((await cloud.ask("GET", "/v1/rollouts")).body, { items: { length: 0 } });
  await post(cloud, planOf());
  t.match((await tried(planOf())).body, { refused: [{ type: "rollout-exists", path: "/rollout" }, { type: "rollout-module-taken" }, { type: "rollout-module-taken" }] });
});

test("a vehicle that is away is offered its update when it is back; why its group waits is told", async (t) => {
  const { cloud, vehicles } = await fleet(t, [{}, {}]);
  const [, away] = vehicles;
  await away?.leave();
  await until("its link is down", async () =>
    ((await cloud.ask("GET", "/v1/nodes")).body["items"] as { vehicle?: string; state: string }[]).some(({ vehicle, state }) => vehicle === away?.vehicle && state === "down"),
  );
  await post(cloud, planOf());
  await say(cloud, "approve", {});
  await until("the other one is done", async () => ((await get(cloud))["counts"] as { committed: number }).committed === 1);
  t.match(await get(cloud), { state: "running", groups: [{ counts: { committed: 1, offered: 1 } }] });
  await away?.join();
  await stateIs(cloud, "completed");
  t.same(
    away?.state().heard.filter((type) => type.startsWith("campaign.")),
    ["campaign.offer", "campaign.go"],
    "once",
  );
});

test("S8. a module that lies pauses its rollout, which names it; a person resumes or aborts it with a reason", async (t) => {
  const { cloud } = await fleet(t, [{ manner: "lies" }, { manner: "lies" }, { manner: "holds" }]);
  await post(cloud, planOf({ concurrency: 1, groups: [{ name: "all", pause_count: 1, abort_count: 3 }], abort: { percent: 100, count: 3 } }));
  await say(cloud, "approve", {});
  await stateIs(cloud, "paused");
  t.match(await get(cloud), {
    why: { who: "the rule", reason: "1 bad in group all, 1 pause it" },
    groups: [{ causes: [{ ending: "failed", reason: "it reports 1.0.0 instead of 2.4.0", targets: 1 }] }],
    bad: [{ module: "torrent-0", reason: "it reports 1.0.0 instead of 2.4.0" }],
  });
  t.match((await say(cloud, "resume", { reason: "known" })).body, { state: "running" });
  await until(
    "it is over or paused again",
    async () => (await get(cloud))["state"] !== "running" || ((await get(cloud))["groups"] as { counts: Record<string, number> }[])[0]?.counts["under way"] === 1,
  );
  t.match((await say(cloud, "abort", { reason: "enough" })).body, { state: "aborted", why: { who: "admin", reason: "enough" } });
  t.match((await get(cloud))["noted"], [{ verb: "approve" }, { verb: "resume", who: "admin", reason: "known" }, { verb: "abort", who: "admin", reason: "enough" }]);
});

test("S10. words of a rollout are for operators; a vehicle reports to its own target alone, and fetches what it was offered alone", async (t) => {
  const { cloud, vehicles } = await fleet(t, [{ manner: "holds" }, { manner: "holds" }]);
  const [first, second] = vehicles as [StandIn, StandIn];
  await post(cloud, planOf({ concurrency: 1 }));
  const { body } = await cloud.ask("POST", "/v1/tokens", { body: { name: "vic", role: "viewer" } });
  const viewer = { authorization: `Bearer ${String(body["token"])}` };
  t.equal((await say(cloud, "approve", {}, viewer)).problem, "forbidden");
  t.equal((await post(cloud, planOf({ rollout: "other" }), "", viewer)).problem, "forbidden");
  t.equal((await cloud.ask("GET", "/v1/rollouts/torrent-2.4", { headers: viewer })).status, 200);
  const fetched = async ({ vehicle }: StandIn): Promise<number> => (await cloud.ask("GET", `/v1/images/${SHA}`, { headers: { authorization: cloud.basic(vehicle) } })).status;
  t.same([await fetched(first), await fetched(second)], [404, 404], "a draft offers nothing");
  await say(cloud, "approve", {});
  await until("one is under way", async () => ((await get(cloud))["groups"] as { counts: Record<string, number> }[])[0]?.counts["under way"] === 1);
  const [begun, other] = first.state().target === null ? [second, first] : [first, second];
  t.same([await fetched(begun), await fetched(other)], [200, 404], "the one that it was offered to");

  const lie = { type: "campaign.reported", state: "committed", ask: 1 };
  await other.system.tell(other.vehicle, { type: "stand-in.send", target: begun.state().target ?? "", event: lie });
  await other.system.tell(other.vehicle, { type: "stand-in.send", target: "acme/group/torrent-2.4.1", event: { type: "group.report" } });
  await other.system.tell(other.vehicle, { type: "stand-in.send", target: "acme/rollout/torrent-2.4", event: { type: "rollout.abort", reason: "no" } });
  await until("each of the three was refused", () => other.system.deadLetters({ limit: 10 }).length === 3);
  t.match(other.system.deadLetters({ limit: 10 }), [{ reason: "no-such-actor" }, { reason: "no-such-actor" }, { reason: "no-such-actor" }]);
  t.match(await get(cloud), { state: "running", counts: { committed: 0 } });
  const history = await cloud.node.system.history(parseAddress(begun.state().target ?? ""), { limit: 50, order: "oldest-first" });
  t.notOk(JSON.stringify(history.items).includes(other.vehicle), "nothing of it is in the target's journal");
});

test("groups and rollout survive the end of the cloud at any moment: what was offered goes on, once", async (t) => {
  const { cloud, vehicles } = await fleet(t, [{ manner: "holds" }, { manner: "holds" }, {}]);
  await post(cloud, planOf({ concurrency: 2 }));
  await cloud.stop();
  await cloud.start();
  t.match(await get(cloud), { state: "draft", targets: 3 });
  await say(cloud, "approve", {});
  await until("two are under way, or one is and one is done", async () => ((await get(cloud))["groups"] as { counts: Record<string, number> }[])[0]?.counts["under way"] === 2);
  await cloud.stop();
  for (const each of vehicles) if (each.state().target !== null && each.state().manner === "holds") await each.system.tell(each.vehicle, { type: "stand-in.done" });
  await cloud.start();
  t.match(await get(cloud), { state: "running" });
  for (const each of vehicles)
    await until(`${each.vehicle} has begun`, () => each.state().heard.includes("campaign.go")).then(() =>
      each.state().manner === "holds" && !each.state().heard.includes("stand-in.done") ? each.system.tell(each.vehicle, { type: "stand-in.done" }) : undefined,
    );
  await stateIs(cloud, "completed");
  for (const each of vehicles)
    t.same(
      each.state().heard.filter((type) => type === "campaign.offer" || type === "campaign.go"),
      ["campaign.offer", "campaign.go"],
    );
});

test("progress comes as events while somebody watches", async (t) => {
  const { cloud } = await fleet(t, [{}, {}]);
  await post(cloud, planOf());
  const { body } = await cloud.ask("POST", "/v1/tokens", { body: { name: "watcher", role: "viewer" } });
  const ended = new AbortController();
  const response = await fetch(`${cloud.url}/v1/rollouts/torrent-2.4/events`, { headers: { authorization: `Bearer ${String(body["token"])}` }, signal: ended.signal });
  t.match(response.headers.get("content-type"), /^text\/event-stream/);
  let text = "";
  const reading = (async () => {
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) text += Buffer.from(chunk).toString("utf8");
  })().catch(() => undefined);
  await until("there is a snapshot", () => text.includes("event: snapshot"));
  await say(cloud, "approve", {});
  await until("it is told that it is completed", () => /event: progress\ndata: \{[^\n]*"state":"completed"/.test(text));
  const events = text.split("\n\n").filter((each) => each.includes("event: "));
  t.match(events[0], /"state":"draft"/);
  t.ok(events.length <= 6, `${String(events.length)} events`);
  ended.abort();
  await reading;
});
