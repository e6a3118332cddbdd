// Rollouts on the page of a cloud node, in a real browser: a real node, stand-ins for vehicles over the real bus.

import { createHash } from "node:crypto";
import type { Page } from "playwright-core";
import { test } from "tap";
import { needs } from "../needs.ts";
import { eventually, hasBrowser, look, openPage, picture, signIn } from "../protocols/http/browser.ts";
import { realCloud, type RealCloud } from "./real-cloud.ts";
import { type StandIn, standIn } from "./stand-in-vehicle.ts";

const IMAGE = Buffer.alloc(5_000, 7);
const SHA = createHash("sha256").update(IMAGE).digest("hex");
const FOR = { module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: "2.4.0" };
/** Four vehicles in two groups; one bad result pauses it. */
const PLAN = {
  rollout: "torrent-2.4",
  images: [{ ...FOR, sha256: SHA }],
  select: {},
  groups: [{ name: "first", labels: { fleet: "first" }, pause_count: 1, abort_count: 3 }, { name: "later" }],
  abort: { percent: 100, count: 4 },
};
const EVIL = `<img src="/none" onerror="document.title='taken'">`;
/** Longer than each rhythm in which the page asks. */
const QUIET_MS = 5_500;

async function tokenOf(cloud: RealCloud, name: string, role: string): Promise<string> {
  return String((await cloud.ask("POST", "/v1/tokens", { body: { name, role } })).body["token"]);
}

async function streams(cloud: RealCloud): Promise<number> {
  return Number(/^drover_http_streams (\d+)$/m.exec((await cloud.ask("GET", "/metrics")).bytes.toString("utf8"))?.[1]);
}

/** The row of a group. */
function group(page: Page, name: string): ReturnType<Page["getByRole"]> {
  return page.getByRole("table", { name: "Groups" }).getByRole("row", { name });
}

test("a person sees how a rollout goes, its groups, targets and causes, and what an operator may say to it", { ...needs("browser", hasBrowser), timeout: 90_000 }, async (t) => {
  const cloud = await realCloud(t);
  await cloud.ask("POST", `/v1/images?${new URLSearchParams({ ...FOR, address: "0" }).toString()}`, { bytes: IMAGE });
  const vehicles: StandIn[] = [];
  for (const [at, manner] of (["lies", "holds", "driving", "commits"] as const).entries())
    vehicles.push(await standIn(t, cloud, { vehicle: `acme/vehicle/v${String(at)}`, manner, labels: { fleet: at < 3 ? "first" : "second" } }));
  const [, holds, drives] = vehicles as [StandIn, StandIn, StandIn];
  for (const { vehicle } of vehicles)
    await eventually(
      async () => typeof (cloud.node.system.read(`${vehicle}/module/torrent-0` as never)?.context as { firmware?: unknown } | undefined)?.firmware === "string",
      `it knows ${vehicle}`,
    );
  const { page, complaints } = await openPage(t);
  const asked: string[] = [];
  page.on("request", (request) => asked.push(request.url()));

  await page.goto(`${cloud.url}/`);
  await signIn(page, await tokenOf(cloud, "vic", "viewer"));
  await page.getByRole("link", { name: "Rollouts" }).click();
  await page.getByText("There is no such rollout.").waitFor();
  t.equal((await cloud.ask("POST", "/v1/rollouts", { body: PLAN })).status, 201);
  const row = page.getByRole("row", { name: "acme/rollout/torrent-2.4" });
  await row.waitFor();
  t.match(await row.innerText(), /acme\/rollout\/torrent-2\.4\s+draft\s+–\s+0 of 4\s+0\s+.* by admin/);
  await page.getByLabel("State").selectOption("paused");
  await page.getByText("There is no such rollout.").waitFor();
  await page.getByLabel("State").selectOption("draft");
  await row.getByRole("link").click();
  await page.getByRole("heading", { name: "acme/rollout/torrent-2.4" }).waitFor();
  await page.getByText("that takes a token of an operator").waitFor();
  t.equal(await page.getByRole("button", { name: "Approve" }).count(), 0, "a viewer steers nothing");
  t.match(await group(page, "later").innerText(), /later\s+waiting\s+0 of 1 committed\s+1 waiting\s+1 of 1 not begun: the rollout is not approved/);
  t.match(await page.getByRole("region", { name: "Rollout" }).innerText(), /Images\s+trailcurrent\/torrent 2\.4\.0 on esp32-s3 at address 0/);
  for (const [table, columns] of [
    ["Groups", 5],
    ["Targets", 8],
    ["What was said to it", 4],
  ] as const)
    t.equal(await page.getByRole("table", { name: table }).getByRole("columnheader").count(), columns, `the table ${table} names its columns`);

  await page.getByRole("button", { name: "Sign out" }).click();
  await signIn(page, await tokenOf(cloud, "ann", "operator"));
  await page.getByLabel("Reason").fill(EVIL);
  await page.getByRole("button", { name: "Approve" }).click();
  await page.getByText("approve: it is running.").waitFor();
  await page.getByText(/^paused/).waitFor();
  await page.getByRole("region", { name: "Rollout" }).getByText("the rule: 1 bad in group first, 1 pause it").waitFor();
  await group(page, "first").getByText("1 failed: it reports 1.0.0 instead of 2.4.0").waitFor();
  await group(page, "first").getByText("1 of 3 postponed: not parked").waitFor();
  await group(page, "first").getByText("1 of 3 under way").waitFor();
  t.match(await group(page, "first").innerText(), /0 of 3 committed\s+1 failed\s+1 under way\s+1 postponed/, "beside its bar, in words");
  t.equal(await group(page, "first").locator(".bar > span").count(), 3);
  t.match(await page.getByRole("region", { name: "Said" }).innerText(), /approve\s+ann\s+<img src="\/none"/);
  await picture(page, "rollout");

  const report = { type: "campaign.reported", state: "waiting for safe state", ask: 2, module: "torrent-0", why: EVIL };
  await drives.system.tell(drives.vehicle, { type: "stand-in.send", target: drives.state().target ?? "", event: report });
  await group(page, "first").getByText(`1 of 3 postponed: ${EVIL}`).waitFor();
  await page.getByRole("table", { name: "Targets" }).getByRole("row", { name: drives.vehicle }).getByText(EVIL).waitFor();
  await holds.leave();
  await group(page, "first")
    .getByText(/1 of 3 under way, 1 of them not online since \d{4}-/)
    .waitFor();
  await holds.join();
  await group(page, "first").getByText("1 of 3 under way", { exact: true }).waitFor();

  const targets = page.getByRole("table", { name: "Targets" });
  await page.getByLabel("State").selectOption("failed");
  await targets.getByRole("row", { name: "acme/vehicle/v0" }).getByText("failed").waitFor();
  await eventually(async () => (await targets.locator("tbody tr").count()) === 1, "the others are left out");
  t.match(await targets.locator("tbody tr").innerText(), /acme\/vehicle\/v0\s+first\s+failed\s+torrent-0\s+wrong image\s+\d?\s+it reports 1\.0\.0 instead of 2\.4\.0/);
  await page.route("**/targets?*", (route) => route.continue({ url: route.request().url().replace("limit=50", "limit=3") }));
  await page.getByLabel("State").selectOption("all");
  await eventually(async () => (await targets.locator("tbody tr").count()) === 3, "a page");
  await page.getByRole("button", { name: "Next page" }).click();
  await targets.getByRole("row", { name: "acme/vehicle/v3" }).waitFor();
  t.equal(await targets.locator("tbody tr").count(), 1);
  t.equal(await page.getByRole("button", { name: "Next page" }).isDisabled(), true);
  await page.getByRole("button", { name: "Page before" }).click();
  await eventually(async () => (await targets.locator("tbody tr").count()) === 3, "the page before");

  t.equal(await streams(cloud), 1);
  await look(page, false);
  await eventually(async () => (await streams(cloud)) === 0, "in the background it holds no stream");
  asked.length = 0;
  await cloud.ask("POST", "/v1/rollouts/torrent-2.4/resume", { body: { reason: "known" } });
  await new Promise((resolve) => setTimeout(resolve, QUIET_MS));
  t.same(asked, [], "and asks nothing");
  await look(page, true);
  await page
    .getByRole("region", { name: "Rollout" })
    .getByText(/^running/)
    .waitFor();
  t.equal(await streams(cloud), 1);
  await page.getByRole("link", { name: "Fleet" }).click();
  await eventually(async () => (await streams(cloud)) === 0, "another view has none of its streams");
  await page.goBack();

  await page.getByLabel("Reason").fill("a storm");
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("pause: it is paused.").waitFor();
  await page.getByLabel("Reason").fill("wrong image");
  page.once("dialog", (dialog) => void dialog.dismiss());
  await page.getByRole("button", { name: "Abort" }).click();
  t.match((await cloud.ask("GET", "/v1/rollouts/torrent-2.4")).body, { state: "paused" }, "whoever is not sure aborts nothing");
  page.once("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "Abort" }).click();
  await page.getByText("It is over: nothing can be said to it any more.").waitFor();
  await page.getByRole("region", { name: "Rollout" }).getByText("ann: wrong image").waitFor();
  t.match((await cloud.ask("GET", "/v1/rollouts/torrent-2.4")).body, { state: "aborted", why: { who: "ann", reason: "wrong image" } });

  // No plan takes such names; a page does not count on it.
  await page.route("**/v1/rollouts?*", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replaceAll("acme/rollout/torrent-2.4", EVIL.replaceAll('"', '\\"')) });
  });
  await page.getByRole("link", { name: "Rollouts" }).click();
  await page.getByRole("row", { name: "document.title" }).getByRole("link", { name: EVIL }).waitFor();
  await picture(page, "rollouts");
  await page.goto(`${cloud.url}/#/rollout/${encodeURIComponent(EVIL)}`);
  await page.getByRole("heading", { name: EVIL }).waitFor();
  await page.getByText("There is no rollout of this name.").waitFor();
  t.equal(await page.getByRole("region", { name: "Targets" }).isVisible(), false);
  t.equal(await page.locator("img").count(), 0, "what others say is text");
  t.equal(await page.title(), "Drover");
  t.same(complaints, [], "the browser had nothing to complain about, its content policy included");
});
