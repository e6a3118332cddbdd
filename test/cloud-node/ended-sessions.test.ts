// What was sent to a vehicle whose session ends is not waited for: its sender is told at once, and what may wait is brought again in the next session under its id.

import { type Test, test } from "tap";
import { presenceEntity, requestsEntity, requestsType } from "../../actors/index.ts";
import { forwarding } from "../../cloud-node/forwarding.ts";
import { createPresences } from "../../cloud-node/presences.ts";
import { leftCommands } from "../../cloud-node/left-commands.ts";
import { rememberingSent } from "../../cloud-node/sent-commands.ts";
import { VehicleLinks } from "../../cloud-node/vehicle-links.ts";
import { waitingRemote } from "../../cloud-node/waiting-commands.ts";
import { livePayload, watchLive } from "../../protocols/uplink/index.ts";
import { type Answer, createSystem, parseAddress, type RemoteMessage, type System, vehicleNames } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { ManualClock } from "../../runtime/simulation/manual-clock.ts";
import { MemoryDisk, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";
import { memoryNetwork } from "../../runtime/simulation/memory-transport.ts";
import { busRemote, openMessageDoor } from "../../runtime/wire/index.ts";

const VEHICLE = parseAddress("acme/vehicle/v1");
const THERMA = parseAddress("acme/vehicle/v1/module/therma");
const REQUESTS = parseAddress("acme/requests/v1");
const names = vehicleNames("acme", "v1");
const WISH = { type: "climate.setpoint.request", value: 22 } as const;
const confirmed = { kind: "replied", value: { output: "setpoint", value: 22, outcome: "confirmed" } } as const;

interface Way {
  readonly clock: ManualClock;
  readonly system: System;
  /** Ids that acted, in order: the vehicle knows what it has taken, over its restarts too. */
  readonly acted: string[];
  /** Ids that reached it, in order. */
  readonly heard: string[];
  /** A process of the vehicle begins. @param isMute takes what comes and never answers */
  begin(isMute: boolean): Promise<void>;
  /** It ends without a word. */
  end(): void;
  settled(): readonly string[];
}

async function way(t: Test): Promise<Way> {
  const clock = new ManualClock();
  const random = new SeededRandom(1);
  const newId = (): string => random.id();
  const network = memoryNetwork({ clock, random, latencyMs: 5 });
  const transport = network.transport("cloud");
  const sending = { node: "cloud", session: "c", clock };
  const links = new VehicleLinks(clock);
  const remote = busRemote({ transport, sending, newId, find: (entity) => links.place(entity, () => undefined) });
  const left = leftCommands(() => system, clock);
  const sent = rememberingSent(remote, left, clock);
  const store = memoryStore({ disk: new MemoryDisk() });
  await store.open();
  const system: System = createSystem({
    node: "cloud",
    types: [presenceEntity, requestsEntity, requestsType.with({ effects: forwarding(links, sent, () => system, clock) })],
    store,
    clock,
    random,
    log: silentLog,
  });
  await system.start();
  const replica = { address: THERMA, entity: VEHICLE, type: "setpoint-owner", accepts: [WISH.type], context: { ttlMs: { [WISH.type]: 600_000 } } };
  system.mount({
    read: (address: string) => (address === THERMA ? replica : undefined),
    addresses: () => [],
    watch: () => () => undefined,
    history: async () => undefined,
  } as never);
  system.setRemote(waitingRemote(sent, () => system, clock));
  await system.activate(REQUESTS, { input: undefined });
  const presences = createPresences(
    links,
    () => system,
    silentLog,
    (vehicle) => {
      remote.sessionEnded(vehicle);
    },
  );
  await transport.start();
  await clock.advance(50);
  const watching = watchLive(transport, sending, silentLog, (event) => {
    presences.changed(event);
  });
  await clock.advance(50);
  await watching;
  const acted: string[] = [];
  const heard: string[] = [];
  let sessions = 0;
  t.teardown(async () => {
    await system.stop();
    await transport.stop();
  });

  function receive({ sender }: RemoteMessage, isMute: boolean): Promise<Answer> {
    const id = sender.kind === "outside" ? sender.id : "";
    heard.push(id);
    if (!acted.includes(id)) acted.push(id);
    return isMute ? new Promise(() => undefined) : Promise.resolve(confirmed);
  }

  return {
    clock,
    system,
    acted,
    heard,
    begin: async (isMute) => {
      const session = `run-${String(++sessions)}`;
      const edge = network.transport("edge");
      edge.announce(names.live, () => livePayload({ node: "edge", session, epoch: 1, version: "1" }, newId));
      await edge.start();
      await openMessageDoor({
        transport: edge,
        pattern: names.down("in"),
        system: { receive: (message) => receive(message, isMute) },
        sending: { node: "edge", session, clock },
        log: silentLog,
        newId,
      });
      await clock.advance(100);
    },
    end: () => {
      network.crash("edge");
    },
    settled: () => (system.read(REQUESTS)?.context as { settled: readonly { request: string; outcome: string }[] }).settled.map(({ request, outcome }) => `${request} ${outcome}`),
  };
}

test("S3. What was sent to a session that ends is unknown at once; what comes after it was not sent", async (t) => {
  const at = await way(t);
  await at.begin(true);
  const light = { type: "light.set", output: "galley", level: 9 };
  const first = at.system.ask(parseAddress("acme/vehicle/v1/module/torrent-0"), light, { id: "first", withinMs: 60_000, author: "ann" });
  await at.clock.advance(1_000);
  at.end();
  await at.clock.advance(100);
  t.match(await first, { kind: "unknown", reason: /the session of its owner ended/ });
  t.match(await at.system.ask(parseAddress("acme/vehicle/v1/module/torrent-0"), light, { id: "away", withinMs: 60_000, author: "ann" }), { kind: "owner-away" });
  t.same(at.heard, ["first"]);
});

test("M2, O2, S3. What follows a command up does not wait for a session that has ended: it asks the next one at once, under the same id, and the command acts once", async (t) => {
  const at = await way(t);
  await at.begin(true);
  const asked = at.system.ask(THERMA, WISH, { id: "flight", withinMs: 500, author: "ann" });
  await at.clock.advance(1_000);
  t.match(await asked, { kind: "unknown" });
  t.same(at.heard, ["flight", "flight"], "it is being followed up in the session that does not answer");
  at.end();
  await at.clock.advance(500);
  t.same(at.settled(), []);
  await at.begin(false);
  await at.clock.advance(1_000);
  t.same(at.settled(), ["flight confirmed"], "not 20 s later");
  t.same(at.heard, ["flight", "flight", "flight"]);
  t.same(at.acted, ["flight"]);
});

test("S3, S5. A vehicle whose sessions end one after the other is asked on; a command that no session survives does not hold its line for ever", async (t) => {
  const at = await way(t);
  const ask = (id: string): Promise<Answer> => at.system.ask(THERMA, WISH, { id, withinMs: 500, author: "ann" });
  const shortSession = async (): Promise<void> => {
    await at.begin(true);
    await at.clock.advance(5_000);
    at.end();
    await at.clock.advance(100);
  };
  t.match(await ask("patient"), { kind: "no-such-actor" }, "nobody has heard of the vehicle yet");
  await shortSession();
  t.match(await ask("patient"), { kind: "accepted", waiting: true });
  for (let n = 0; n < 8; n++) await shortSession();
  t.same(at.settled(), []);
  await at.begin(false);
  await at.clock.advance(5_000);
  t.same(at.settled(), ["patient confirmed"]);
  at.end();
  await at.clock.advance(100);
  t.match(await ask("poison"), { kind: "accepted", waiting: true });
  for (let n = 0; n < 25; n++) await shortSession();
  t.same(at.settled(), ["patient confirmed", "poison unknown"]);
  t.equal(at.heard.filter((id) => id === "poison").length, 20);
});
