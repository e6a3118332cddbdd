// Rollouts and images as an operator meets them at the command line: a real cloud node, with stand-ins for vehicles over the real bus (cli/rollouts, cli/images).

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type Test } from "tap";
import { realCloud, type RealCloud } from "../cloud-node/real-cloud.ts";
import { type StandIn, standIn, type StandInOptions } from "../cloud-node/stand-in-vehicle.ts";
import { groupLines } from "../../cli/rollouts/rollout-words.ts";
import { until } from "./a-fleet.ts";
import { type Captured, type CaptureOptions, drover, scratch } from "./captured.ts";

const IMAGE = Buffer.alloc(5_000, 7);
const SHA = createHash("sha256").update(IMAGE).digest("hex");

interface Desk {
  readonly cloud: RealCloud;
  readonly vehicles: readonly StandIn[];
  readonly folder: string;
  /** The command, at this cloud as its admin. */
  readonly at: (argv: readonly string[], options?: CaptureOptions) => Promise<Captured>;
  /** Writes a plan into the folder; its path. */
  readonly write: (plan: string, name?: string) => string;
}

/** Each vehicle is `acme/vehicle/v0`, v1, … and known to the cloud; torrent-0.bin lies beside the plans. */
async function desk(t: Test, vehicles: readonly Partial<StandInOptions>[]): Promise<Desk> {
  const cloud = await realCloud(t);
  const token = readFileSync(join(cloud.data, "api-token"), "utf8").trim();
  const folder = scratch(t);
  writeFileSync(join(folder, "torrent-0.bin"), IMAGE);
  const made: StandIn[] = [];
  for (const [at, options] of vehicles.entries()) made.push(await standIn(t, cloud, { vehicle: `acme/vehicle/v${String(at)}`, ...options }));
  for (const { vehicle } of made)
    await until(`the cloud knows ${vehicle}`, () => {
      const context = cloud.node.system.read(`${vehicle}/module/torrent-0` as never)?.context as { firmware?: unknown } | undefined;
      return typeof context?.firmware === "string";
    });
  return {
    cloud,
    vehicles: made,
    folder,
    at: (argv, options) => drover([...argv, "--url", cloud.url, "--token", token], options),
    write: (plan, name = "plan.yaml") => {
      writeFileSync(join(folder, name), plan);
      return join(folder, name);
    },
  };
}

const planOf = (more = "groups: [{ name: canary, count: 1 }, { name: rest }]", image = "file: torrent-0.bin"): string => `rollout: torrent-2.4
images:
  - { module: trailcurrent/torrent, hardware: esp32-s3, address: 0, version: 2.4.0, ${image} }
select: {}
soak: 10ms
${more}
`;

const stateOf = async ({ at }: Desk): Promise<string> => (JSON.parse((await at(["rollout", "show", "torrent-2.4", "--json"])).out) as { state: string }).state;

test("a rollout from its plan to its end: planned, started, watched; started again it acts once", async (t) => {
  const own = await desk(t, [{}, {}, {}]);
  const { at, write, cloud, vehicles } = own;
  const file = write(planOf());
  t.match(await at(["rollout", "ls"]), { code: 0, out: "", err: "no rollouts\n" });

  const planned = await at(["rollout", "plan", file]);
  t.same([planned.code, planned.err], [0, ""]);
  t.match(planned.out, /^acme\/rollout\/torrent-2\.4: 3 vehicles in 2 groups\n/);
  t.ok(planned.out.includes(`  image  trailcurrent/torrent 2.4.0 on esp32-s3 at address 0  ${SHA.slice(0, 12)}…  to be brought from torrent-0.bin\n`));
  t.match(
    planned.out,
    /\n {2}group {2}1 canary {2}1 vehicle {2}acme\/vehicle\/v\d \(torrent-0\)\n {2}group {2}2 rest {4}2 vehicles {2}acme\/vehicle\/v\d \(torrent-0\), acme\/vehicle\/v\d \(torrent-0\)\n$/,
  );
  t.match(JSON.parse((await at(["rollout", "plan", file, "--json"])).out), {
    targets: 3,
    images: [{ sha256: SHA, kept: false }],
    groups: [{ name: "canary", size: 1 }, { size: 2 }],
    refused: [],
  });
  t.match((await cloud.ask("GET", "/v1/images")).body, { items: { length: 0 } }, "a plan brings nothing");
  t.match((await cloud.ask("GET", "/v1/rollouts")).body, { items: { length: 0 } }, "and makes nothing");

  const started = await at(["rollout", "start", file, "--reason", "tried on the bench"]);
  t.match(started, {
    code: 0,
    err: `torrent-0.bin was brought: ${SHA}\n`,
    out: /^acme\/rollout\/torrent-2\.4 is approved: 3 vehicles in 2 groups\ndrover rollout watch torrent-2\.4 /,
  });
  const watched = await at(["rollout", "watch", "torrent-2.4"]);
  t.same([watched.code, watched.err], [0, ""]);
  t.match(watched.out.trimEnd().split("\n").at(-1), /^\d{4}-.*Z {4}rest {4}\[={24}\] {2}2 of 2, succeeded$|completed.* 3 of 3 committed$/);
  t.match(watched.out, /Z {2}acme\/rollout\/torrent-2\.4 {2}completed {2}3 of 3 committed\n/);
  t.notOk(watched.out.includes("\u001B"), "nothing that moves a cursor");

  t.match(await at(["rollout", "start", file, "--reason", "tried on the bench"]), { code: 0 }, "the same once more");
  t.match((await at(["rollout", "start", file, "--reason", "tried on the bench"])).out, /^acme\/rollout\/torrent-2\.4 is completed: 3 vehicles in 2 groups\n/);
  for (const each of vehicles) t.same(each.state().heard.filter((type) => type === "campaign.go").length, 1);
  t.match(await at(["rollout", "start", file, "--reason", "another reason"]), { code: 5, err: /The rollout is over/ });
  t.match((await at(["rollout", "ls"])).out, /^ROLLOUT +TENANT .*\ntorrent-2\.4 +acme +completed +rest +3 of 3 +0 +20.* by admin\n$/);
  const shown = await at(["rollout", "show", "torrent-2.4"]);
  t.match(shown.out, /\n {2}canary {2}\[={24}\] {2}1 of 1, succeeded\n/);
  t.match(shown.out, /Z {2}approve by admin: tried on the bench\n$/);
  t.match((await at(["rollout", "show", "torrent-2.4", "--group", "canary"])).out, /^VEHICLE .*\nacme\/vehicle\/v\d +canary +committed +torrent-0 .*\n$/);
  t.match(await at(["rollout", "show", "torrent-2.4", "--state", "failed"]), { code: 0, out: "", err: "no target matches\n" });
  t.match(await at(["rollout", "show", "torrent-2.4", "--state", "bogus"]), { code: 2, err: /\/state must be one of waiting, offered, away/ });
  t.match(await at(["rollout", "show", "torrent-2.4", "--group", "nope"]), { code: 2, err: /acme\/rollout\/torrent-2\.4 has no group nope: it has canary, rest\./ });
  t.match(await at(["rollout", "ls", "--state", "bogus"]), { code: 2, err: /\/state must be one of draft, approved/ });
  t.match(
    await at(["rollout", "watch", "torrent-2.4"], { isTerminal: true }),
    { code: 0, out: /^\u001B\[\?25l\u001B\[2Kacme[^\n]* 3 of 3 committed\n.*\u001B\[\?25h$/s },
    "drawn, and the cursor given back",
  );
});

test("what is wrong with a plan is told with its place before anything is sent", async (t) => {
  const { at, write, folder, cloud } = await desk(t, [{}]);
  writeFileSync(join(folder, "empty.bin"), "");
  const wrong = [
    ["an unknown key", planOf("soack: 3m"), /plan\.yaml:6:1: soack: .*did you mean "soak"/],
    ["a share of nothing", planOf("success_percent: 0"), /plan\.yaml:6:18: success_percent: 0 is out of range \(expected per cent, more than 0, at most 100\)/],
    ["a threshold out of range", planOf("success_percent: 101"), /plan\.yaml:6:18: success_percent: .*at most 100/],
    [
      "a hash that differs",
      planOf("", `file: torrent-0.bin, sha256: ${"a".repeat(64)}`),
      new RegExp(`plan\\.yaml:3:\\d+: images\\.0\\.sha256: torrent-0\\.bin has another sha256 \\(expected ${SHA}\\)`),
    ],
    ["no file of that name", planOf("", "file: gone.bin"), /plan\.yaml:3:\d+: images\.0\.file: .*gone\.bin/],
    ["an empty file", planOf("", "file: empty.bin"), /images\.0\.file: empty\.bin is empty/],
    ["no bytes at all", planOf("", "").replace(", }", " }"), /plan\.yaml:3:5: images\.0: it names no bytes \(expected `file`, `sha256`, or both\)/],
  ] as const;
  for (const [what, plan, said] of wrong)
    for (const verb of [["plan"], ["start", "--reason", "r"]]) {
      const { code, out, err } = await at(["rollout", ...verb, write(plan)]);
      t.same([code, out], [3, ""], what);
      t.match(err, /^error: The plan is not valid\.\n/, what);
      t.match(err, said, what);
    }
  t.match(JSON.parse((await at(["rollout", "plan", write(planOf("soack: 3m")), "--json"])).err), {
    error: { code: "rollout-plan-invalid", exit: 3, problems: [{ line: 6, path: "soack" }] },
  });
  t.match(await at(["rollout", "plan", join(folder, "none.yaml")]), { code: 4, err: /none\.yaml/ });
  t.match((await cloud.ask("GET", "/v1/images")).body, { items: { length: 0 } });
});

test("what the cloud refuses of a plan is told with its place, and a start brings nothing", async (t) => {
  const own = await desk(t, [{ labels: { fleet: "north" } }, { labels: { fleet: "south" }, address: 1 }]);
  const { at, write, cloud } = own;
  const north = planOf().replace("select: {}", "select: { labels: { fleet: north } }");
  const cases = [
    [planOf(), 3, /refused:\n.*plan\.yaml:3:3: images: no image for trailcurrent\/torrent on esp32-s3 at address 1: 1 modules, e\.g\. acme\/vehicle\/v1/],
    [
      north.replace("{ name: rest }", "{ name: rest, labels: { fleet: west } }").replace("count: 1", "labels: { fleet: west }"),
      3,
      /plan\.yaml:6:10: groups\.0: the group canary is empty/,
    ],
    [north.replace("fleet: north", "fleet: west"), 3, /plan\.yaml:4:9: select: of 2 vehicles it selects none/],
    [north.replace("file: torrent-0.bin", `sha256: ${SHA}`), 3, /plan\.yaml:3:\d+: images\.0\.sha256: is not kept here/],
  ] as const;
  for (const [plan, exit, said] of cases) {
    const planned = await at(["rollout", "plan", write(plan)]);
    t.match(planned, { code: exit, out: said, err: /plan\.yaml: 1 reason why it is refused\n$|plan\.yaml: \d+ reasons why it is refused\n$/ });
    t.match(await at(["rollout", "start", write(plan), "--reason", "r"]), { code: exit, out: "", err: /^error: The plan is refused\.\n/ });
  }
  t.match((await cloud.ask("GET", "/v1/images")).body, { items: { length: 0 } });
  t.match((await cloud.ask("GET", "/v1/rollouts")).body, { items: { length: 0 } });

  t.match(await at(["rollout", "start", write(north.replace("groups", "concurrency: 1\ngroups")), "--reason", "r", "--tenant", "acme"]), { code: 0 });
  const other = await at(["rollout", "plan", write(north)]);
  t.match(other, { code: 5, out: /rollout: acme\/rollout\/torrent-2\.4 is \w+ \(expected a name that no rollout had\)/ }, "another one stands in the way");
  t.match(await at(["rollout", "start", write(north), "--reason", "r"]), { code: 5, err: /There is a rollout of this name already/ });
});

test("S8. watch says that it is paused and why; what an operator says has a reason; an aborted one ends it with exit code 1", async (t) => {
  const own = await desk(t, [{ manner: "lies" }, { manner: "holds" }, { manner: "holds" }]);
  const { at, write } = own;
  const file = write(planOf("concurrency: 3\ngroups: [{ name: all, pause_count: 1, abort_count: 3 }]\nabort: { percent: 100, count: 3 }"));
  t.match(await at(["rollout", "start", file, "--reason", "r"]), { code: 0 });
  const seen = { text: "" };
  const watching = at(["rollout", "watch", "torrent-2.4"], { onOut: (text) => void (seen.text = text) });
  await until("watch says that it is paused", () => / paused .*by the rule: 1 bad in group all, 1 pause it {2}0 of 3 committed\n/.test(seen.text));
  await until(
    "watch says how one ended",
    () =>
      /all {2}\[x{8}[>.]+\] {2}0 of 3, 1 bad; 1 of 3 failed: it reports 1\.0\.0 instead of 2\.4\.0; /.test(seen.text) ||
      /all {2}\[x.*1 bad; 1 of 3 failed: it reports 1\.0\.0/.test(seen.text),
  );
  t.match((await at(["rollout", "ls", "--state", "paused"])).out, /\ntorrent-2\.4 .* 1 +20.*the rule: 1 bad in group all, 1 pause it\n$/);
  t.match(await at(["rollout", "resume", "torrent-2.4"]), { code: 2, err: /--reason/ });
  t.match(await at(["rollout", "resume", "torrent-2.4", "--reason", "known", "--id", "w-1"]), { code: 0, out: /^acme\/rollout\/torrent-2\.4 is running/ });
  t.match(await at(["rollout", "resume", "torrent-2.4", "--reason", "known", "--id", "w-1"]), { code: 0 }, "the same word again");
  t.match(await at(["rollout", "pause", "acme/rollout/torrent-2.4", "--reason", "a storm"]), { code: 0, out: /is paused/ });
  t.equal(await stateOf(own), "paused");
  t.match(await at(["rollout", "abort", "torrent-2.4", "--reason", "enough"]), { code: 0, out: /is aborted/ });
  t.match(await watching, { code: 1, out: /aborted.* by admin: enough / });
  t.match(await at(["rollout", "resume", "torrent-2.4", "--reason", "oh"]), { code: 5, err: /The rollout is over/ });
  t.match((await at(["rollout", "show", "torrent-2.4"])).out, /approve by admin: r\n.*resume by admin: known\n.*pause by admin: a storm\n.*abort by admin: enough\n/s);
  for (const verb of [["show"], ["watch"], ["pause", "--reason", "r"]]) t.match(await at(["rollout", ...verb, "none"]), { code: 4, err: /There is no rollout of this name/ });
});

test("watch says why a group waits, ends with 9 where some were left out, and with 130 by Ctrl-C", async (t) => {
  const own = await desk(t, [{}, {}]);
  const { at, write, cloud, vehicles } = own;
  const away = vehicles[1] as StandIn;
  await away.leave();
  await until("its link is down", async () =>
    ((await cloud.ask("GET", "/v1/nodes")).body["items"] as { vehicle?: string; state: string }[]).some(({ vehicle, state }) => vehicle === away.vehicle && state === "down"),
  );
  t.match(await at(["rollout", "start", write(planOf("groups: [{ name: all }]\nexcuse_percent: 100")), "--reason", "r"]), { code: 0 });
  const seen = { text: "" };
  const ended = new AbortController();
  const first = at(["rollout", "watch", "torrent-2.4"], { onOut: (text) => void (seen.text = text), interrupt: ended.signal });
  await until("one is committed and the other waited for", () => /all {2}\[={12}\.{12}\] {2}1 of 2; 1 of 2 not online since \d{4}-[^;]*Z\n/.test(seen.text));
  ended.abort();
  t.match(await first, { code: 130 });
  const json = at(["rollout", "watch", "torrent-2.4", "--json"]);
  t.equal((await cloud.ask("POST", `/v1/rollouts/torrent-2.4/targets/${encodeURIComponent(away.vehicle)}/leave-out`, { body: { reason: "sold" } })).status, 204);
  const { code, out } = await json;
  t.equal(code, 9);
  const lines = out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; data: object });
  t.match(lines[0], { event: "snapshot" });
  t.match(lines.at(-1), { data: { state: "completed", groups: [{ counts: { committed: 1, excused: 1 } }] } });
  t.match((await at(["rollout", "show", "torrent-2.4"])).out, /all {2}\[={12}~{12}\] {2}1 of 2, 1 excused, succeeded\n/);
});

test("watch says it when a vehicle goes offline and comes back", async (t) => {
  const own = await desk(t, [{ manner: "holds" }]);
  const { at, write, vehicles } = own;
  const [holds] = vehicles as [StandIn];
  t.match(await at(["rollout", "start", write(planOf("groups: [{ name: all }]")), "--reason", "r"]), { code: 0 });
  const seen = { text: "" };
  const ended = new AbortController();
  const watching = at(["rollout", "watch", "torrent-2.4"], { onOut: (text) => void (seen.text = text), interrupt: ended.signal });
  const last = (): string => seen.text.trimEnd().split("\n").at(-1) ?? "";
  await until("it is under way", () => last().endsWith("0 of 1; 1 of 1 under way"));
  await holds.leave();
  await until("it is not online", () => /0 of 1; 1 of 1 under way, 1 of them not online since \d{4}-.*Z$/.test(last()));
  await holds.join();
  await until("it is back", () => last().endsWith("0 of 1; 1 of 1 under way"));
  ended.abort();
  t.match(await watching, { code: 130 });
});

test("a draft that was made over the API begins when it is approved, with a reason", async (t) => {
  const own = await desk(t, [{ manner: "holds" }]);
  const { at, cloud, folder } = own;
  const is = ["--module", "trailcurrent/torrent", "--hardware", "esp32-s3", "--address", "0", "--image-version", "2.4.0"];
  t.match(await at(["image", "add", join(folder, "torrent-0.bin"), ...is]), { code: 0 });
  const image = { module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: "2.4.0", sha256: SHA };
  t.equal((await cloud.ask("POST", "/v1/rollouts", { body: { rollout: "torrent-2.4", images: [image], select: {}, groups: [{ name: "all" }] } })).status, 201);
  t.match(await at(["rollout", "ls", "--state", "draft"]), { code: 0, out: /\ntorrent-2\.4 / });
  t.match(await at(["rollout", "approve", "torrent-2.4"]), { code: 2, err: /--reason/ });
  t.match(await at(["rollout", "approve", "torrent-2.4", "--reason", "reviewed", "--id", "a-1"]), { code: 0, out: /^acme\/rollout\/torrent-2\.4 is running/ });
  t.match(await at(["rollout", "approve", "torrent-2.4", "--reason", "reviewed", "--id", "a-1"]), { code: 0 }, "the same word again");
  t.match(await at(["rollout", "approve", "torrent-2.4", "--reason", "once more"]), { code: 5 }, "it has begun already");
  t.match((await at(["rollout", "show", "torrent-2.4"])).out, /approve by admin: reviewed\n$/);
  t.match(await at(["rollout", "approve", "--help"]), { code: 0, out: /`start` makes and approves in one go[^]*let a draft begin/ });
  t.match(
    (await at(["rollout", "--help"])).out.replace(/\s+/g, " "),
    / plan .*nothing is made, `start` does that.* start .*make the rollout and approve it.* approve .*let a draft begin/,
  );
});

test("images are brought, listed and removed", async (t) => {
  const { at, folder, write } = await desk(t, [{ manner: "holds" }]);
  const bin = join(folder, "torrent-0.bin");
  const is = ["--module", "trailcurrent/torrent", "--hardware", "esp32-s3", "--address", "0", "--image-version", "2.4.0"];
  t.match(await at(["image", "ls"]), { code: 0, err: "no images\n" });
  t.match(await at(["image", "add", bin, ...is]), { code: 0, out: `${SHA}  was brought, 5000 bytes\n` });
  t.match(await at(["image", "add", bin, ...is]), { code: 0, out: `${SHA}  was there already, 5000 bytes\n` });
  t.match(await at(["image", "add", bin, ...is.with(-1, "2.5.0")]), { code: 5, err: /These bytes are known as trailcurrent\/torrent 2\.4\.0/ });
  t.match(await at(["image", "add", join(folder, "gone.bin"), ...is]), { code: 4, err: /gone\.bin/ });
  t.match(await at(["image", "add", bin]), { code: 2, err: /--module/ });
  t.match((await at(["image", "ls"])).out, new RegExp(`^MODULE .*\\ntrailcurrent/torrent +esp32-s3 +0 +2\\.4\\.0 +5000 +${SHA} +20.* by admin\\n$`));
  t.match(await at(["rollout", "plan", write(planOf())]), { code: 0, out: /kept by the cloud/ });
  t.match(await at(["rollout", "start", write(planOf()), "--reason", "r"]), { code: 0, err: "" }, "what is kept is not brought again");
  t.match(await at(["image", "rm", SHA]), { code: 5, err: /It is used by acme\/rollout\/torrent-2\.4/ });
  t.match(await at(["image", "rm", "0".repeat(64)]), { code: 4 });
  t.match(await at(["rollout", "abort", "torrent-2.4", "--reason", "r"]), { code: 0 });
  t.equal((await at(["rollout", "watch", "torrent-2.4"])).code, 1);
  t.match(
    await at(["rollout", "start", write(planOf()), "--reason", "r"]),
    { code: 5, out: "", err: /acme\/rollout\/torrent-2\.4 was started with this plan and reason before, and was aborted by admin: r\. Nothing was sent/ },
    "S2: what is over is not told as approved",
  );
  t.match(await at(["image", "rm", SHA]), { code: 0, out: `${SHA} was removed\n` });
});

test("a group's line has its bar, and below it who is not online since when", (t) => {
  const group = { name: "rest", size: 20, state: "open", counts: { committed: 10, failed: 1, excused: 1, "under way": 5, away: 3 } };
  const waits = [{ text: "3 of 20 not online since 2026-11-23T08:00:00.000Z" }, { text: "5 of 20 under way" }];
  t.same(groupLines({ ...group, waits, causes: [{ ending: "failed", reason: "it is dark", targets: 1 }] }, 6), {
    line: "rest    [============x~>>>>>>....]  10 of 20, 1 bad, 1 excused",
    reasons: ["1 of 20 failed: it is dark", "3 of 20 not online since 2026-11-23T08:00:00.000Z", "5 of 20 under way"],
  });
  const many = groupLines({ ...group, waits: [...waits, ...waits, ...waits], causes: [] }, 4);
  t.same([many.reasons.length, many.reasons.at(-1)], [6, "and 1 more"]);
  t.end();
});
