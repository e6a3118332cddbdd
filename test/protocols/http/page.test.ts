// The page in a real browser: what a person sees and does, and what it says when the node is gone.

import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { test } from "tap";
import { assign, sendTo, setup } from "xstate";
import { httpFacade, type SignalReading, type SignalSource } from "../../../protocols/http/index.ts";
import { actorType, entityType, type EventOf, messages, parseAddress, reply, systemClock, T } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { needs } from "../../needs.ts";
import { eventually, hasBrowser, look, openPage, picture, signIn } from "./browser.ts";
import { serving, type Serving } from "./serving.ts";

const VEHICLE = "acme/vehicle/trailer-01";
const vehicleMessages = messages({
  "lamp.set": { body: { level: T.Integer({ minimum: 0, maximum: 100 }) }, reply: T.Object({ level: T.Integer() }) },
  "motion.start": { body: {} },
});

type VehicleEvent = EventOf<typeof vehicleMessages>;

const vehicleMachine = setup({ types: { context: {} as { readonly lamp: number }, events: {} as VehicleEvent } }).createMachine({
  id: "vehicle",
  context: { lamp: 0 },
  type: "parallel",
  states: {
    motion: { initial: "parked", states: { parked: { on: { "motion.start": "moving" } }, moving: {} } },
    health: { initial: "ok", states: { ok: {} } },
  },
  on: {
    "lamp.set": {
      actions: [
        assign({ lamp: ({ event }) => event.level }),
        sendTo(
          ({ event }) => event.replyTo,
          ({ context }) => reply({ level: context.lamp }),
        ),
      ],
    },
  },
});

const vehicle = entityType({ root: actorType({ name: "vehicle", version: 1, messages: vehicleMessages, behaviour: vehicleMachine }), durability: "events", placement: "cloud" });

/** A FAKE of one vehicle's signal table. */
class FakeSignals implements SignalSource {
  reading: SignalReading = { name: "Battery.Voltage", value: 12.6, label: undefined, unit: "V", at: systemClock.now(), quality: "good", simulated: true };
  #listener: (changed: readonly SignalReading[]) => void = () => undefined;

  signals(): readonly SignalReading[] {
    return [this.reading];
  }

  watch(_vehicle: string, listener: (changed: readonly SignalReading[]) => void): () => void {
    this.#listener = listener;
    return () => undefined;
  }

  change(value: number): void {
    this.reading = { ...this.reading, value, at: systemClock.now() };
    this.#listener([this.reading]);
  }
}

test("a person signs in, sees the fleet, steers a vehicle, watches its signals, and is told when the node is gone", {
  ...needs("browser", hasBrowser),
  timeout: 90_000,
}, async (t) => {
  const signals = new FakeSignals();
  const facade = { clock: systemClock, signals, decorate: () => ({ presence: "online" }), trees: () => [tree] };
  const served = await serving(t, { ...facade, hosted: { types: [vehicle] } });
  await served.system.activate(parseAddress(VEHICLE), { input: undefined, labels: { fleet: "north" } });
  await served.app.listen({ host: "127.0.0.1", port: 0 });
  const { port } = served.app.server.address() as AddressInfo;
  const { page, complaints } = await openPage(t);

  await page.goto(`http://127.0.0.1:${String(port)}/`);
  await signIn(page, "wrong");
  await page.getByText("The token is not known here.").waitFor();
  await signIn(page, served.texts.operator);
  await page.getByText("ann (operator)").waitFor();
  t.notMatch(page.url() + (await page.content()), served.texts.operator, "the token stays in no address and no page");

  const row = page.getByRole("row", { name: VEHICLE });
  await row.waitFor();
  t.match(await row.innerText(), /online\s+parked\s+ok/);
  t.equal(await page.getByRole("link", { name: "Rollouts" }).isVisible(), false, "this node has none");
  t.equal(await page.getByRole("table", { name: "Vehicles" }).getByRole("columnheader").count(), 7, "the table names its columns");
  await picture(page, "fleet");

  await row.getByRole("link").click();
  await page.getByRole("heading", { name: VEHICLE }).waitFor();
  await page.getByRole("region", { name: "Actor" }).getByText("motion: parked · health: ok").waitFor();
  const signal = page.getByRole("row", { name: "Battery.Voltage" });
  await signal.waitFor();
  t.match(await signal.innerText(), /12\.6\s+V\s+good\s+[\d.]+ s\s+simulated/);
  signals.change(11.9);
  await signal.getByText("11.9").waitFor();

  await page.getByLabel("Accepted events").selectOption("lamp.set");
  await eventually(async () => (await page.getByLabel("Message (JSON)").inputValue()).includes('"level": 0'), "the form is filled from the message's schema");
  await page.getByLabel("Message (JSON)").fill('{"type":"lamp.set","level":40}');
  await page.getByRole("button", { name: "Send and await the reply" }).click();
  await page.getByText('"level": 40').waitFor();
  await page.getByText('"lamp": 40').waitFor();
  t.match(await page.getByRole("region", { name: "History" }).innerText(), /lamp\.set by ann/);
  await page.getByLabel("Message (JSON)").fill('{"type":"lamp.set","level":400}');
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.getByText("The message does not fit the actor's protocol.").waitFor();
  await served.system.tell(VEHICLE, { type: "motion.start" });
  await page.getByRole("region", { name: "Actor" }).getByText("motion: moving · health: ok").waitFor();
  await picture(page, "actor");

  await look(page, false);
  await eventually(async () => (await streams(served)) === 0, "in the background it holds no stream");
  for (const level of [41, 42]) await served.system.ask(VEHICLE, { type: "lamp.set", level }, { withinMs: 1_000, author: "bob" });
  await look(page, true);
  await page.getByText('"lamp": 42').waitFor();
  await eventually(
    async () => /lamp\.set by bob.*lamp\.set by bob/s.test(await page.getByRole("region", { name: "History" }).innerText()),
    "the turns that it did not hear are in its history",
  );
  await eventually(async () => (await streams(served)) === 2, "the actor and its signals are followed again");

  await served.system.tell("acme/vehicle/none", { type: "x" });
  await page.getByRole("link", { name: "Tree" }).click();
  await page.getByText("2 restarts · last: killed (signal SIGKILL)").waitFor();
  await page.locator("#letters", { hasText: "1" }).waitFor();
  const light = await background(page);
  await page.emulateMedia({ colorScheme: "dark" });
  t.not(await background(page), light, "it is dark in the dark");
  await picture(page, "tree");

  await page.goto(`http://127.0.0.1:${String(port)}/#/actor/${encodeURIComponent("acme/vehicle/none")}`);
  await page.getByText("There is no actor with this address.").waitFor();
  t.equal(await page.getByRole("region", { name: "Send" }).isVisible(), false, "nothing can be sent to an actor that is not there");
  t.equal(await page.getByRole("region", { name: "History" }).isVisible(), false, "and it has no history");
  await served.system.activate(parseAddress("acme/vehicle/none"), { input: undefined });
  await page.getByRole("region", { name: "Actor" }).getByText("motion: parked · health: ok").waitFor();
  await page.getByRole("region", { name: "Send" }).waitFor();
  await page
    .getByRole("region", { name: "History" })
    .getByText("None is kept.")
    .or(page.getByRole("region", { name: "History" }).getByRole("cell"))
    .first()
    .waitFor();
  await page.goto(`http://127.0.0.1:${String(port)}/#/`);
  await row.waitFor();

  await served.app.close();
  await page.getByText("Connection lost").waitFor();
  const again = await restarted(served, port, facade);
  t.teardown(() => again.close());
  await page.getByLabel("Token").waitFor({ timeout: 20_000 });
  await signIn(page, served.texts.viewer);
  await page.getByText("vic (viewer)").waitFor();
  await page.getByText("Connection lost").waitFor({ state: "hidden" });
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  t.equal((await page.context().cookies()).length, 0, "signing out leaves no cookie");
  t.same(complaints, [], "the browser had nothing to complain about, its content policy included");
});

const tree = {
  node: "cloud-1",
  at: systemClock.now(),
  tree: {
    id: "cloud",
    kind: "supervisor",
    strategy: "rest-for-one",
    state: "running",
    restarts: 0,
    since: 1,
    children: [
      {
        id: "edge trailer-01",
        kind: "worker",
        state: "running",
        restarts: 2,
        since: 4,
        pid: 77,
        isolation: "process",
        lastExit: { reason: "killed", error: "signal SIGKILL", at: systemClock.now() },
        children: [],
      },
    ],
  },
} as const;

async function streams(served: Serving): Promise<number> {
  return Number(/^drover_http_streams (\d+)$/m.exec((await served.as("viewer", { url: "/metrics" })).body)?.[1]);
}

/** The node comes back on its port: with its tokens, without its sessions. */
async function restarted(served: Serving, port: number, facade: object) {
  const app = httpFacade({
    system: served.system,
    tokens: served.tokens,
    clock: systemClock,
    log: silentLog,
    random: new SeededRandom(9),
    trees: () => [],
    nodes: () => [],
    ready: () => ({ ok: true, reasons: [] }),
    ...facade,
  });
  await app.listen({ host: "127.0.0.1", port });
  return app;
}

function background(page: Page): Promise<string> {
  return page
    .locator("body")
    .evaluate((body) => (globalThis as unknown as { getComputedStyle(of: unknown): { readonly backgroundColor: string } }).getComputedStyle(body).backgroundColor);
}
