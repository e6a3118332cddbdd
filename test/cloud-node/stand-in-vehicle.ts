// A stand-in for a vehicle's node: an entity `vehicle` with a module, over the real bus, with presence, stream and message door as an edge node has them. In place of campaigns and updates
// it says of itself how its update goes.

import type { Test } from "tap";
import { moduleType } from "../../actors/index.ts";
import { campaignMessages } from "../../actors/campaign/index.ts";
import { vehicleMessages } from "../../actors/vehicle/index.ts";
import { announcePresence, cloudRemote } from "../../edge-node/uplink.ts";
import { mqttTransport } from "../../protocols/mqtt/index.ts";
import { SentBound, startStreamShipper } from "../../protocols/uplink/index.ts";
import {
  actorType,
  createSystem,
  entityType,
  messages,
  parseAddress,
  reducer,
  silentLog,
  type System,
  systemClock,
  systemRandom,
  T,
  TransitEstimator,
  vehicleNames,
} from "../../runtime/index.ts";
import { memoryStore } from "../../runtime/simulation/index.ts";
import { openMessageDoor } from "../../runtime/wire/index.ts";
import type { RealCloud } from "./real-cloud.ts";

/** `holds`: begins, and says no more until it is told to be done. `driving`: never ready. */
export type Manner = "commits" | "lies" | "holds" | "driving";

export interface StandInState {
  readonly model: string;
  readonly manner: Manner;
  readonly target: string | null;
  readonly ask: number;
  readonly heard: readonly string[];
  /** Of the newest offer. */
  readonly updates: unknown;
}

interface Event {
  readonly type: string;
  readonly target: string;
  readonly ask: number;
  readonly event: object;
  readonly updates?: unknown;
}

const UPDATE_MS = 20;

const words = messages({
  ...vehicleMessages.specs,
  ...campaignMessages.specs,
  /** Sends this to that actor of the cloud. */
  "stand-in.send": { body: { target: T.String(), event: T.Unknown() } },
  "stand-in.done": { body: {} },
});

const standInEntity = entityType({
  root: actorType({
    name: "vehicle",
    version: 1,
    messages: words,
    behaviour: reducer<StandInState, Event, { readonly manner: Manner; readonly model: string }>({
      initial: ({ manner, model }) => ({ model, manner, target: null, ask: 0, heard: [], updates: null }),
      step: (state, event, turn) => {
        const next: StandInState = { ...state, heard: [...state.heard, event.type].slice(-20) };
        const report = (to: StandInState, told: string, more: object = {}): StandInState => {
          if (to.target !== null) turn.send(to.target, { type: "campaign.reported", state: told, ask: to.ask, module: "torrent-0", ...more });
          return to;
        };
        switch (event.type) {
          case "campaign.offer": {
            const asks = { ...next, target: event.target, ask: state.ask + 1, updates: event.updates };
            return state.manner === "driving" ? report(asks, "waiting for safe state", { why: "not parked" }) : report(asks, "ready");
          }
          case "campaign.go":
            if (event.ask !== state.ask) return next;
            if (state.manner !== "holds") turn.arm("done", UPDATE_MS, { type: "stand-in.done" });
            return report(next, "activating", { update: "uploading", attempt: 1, progress: 40 });
          case "stand-in.done":
            return state.manner === "lies" ? report(next, "failed", { update: "wrong image", why: "it reports 1.0.0 instead of 2.4.0" }) : report(next, "committed");
          case "campaign.cancel":
            return report(next, "cancelled");
          case "stand-in.send":
            turn.send(event.target, event.event as { readonly type: string });
            return next;
          default:
            return next;
        }
      },
    }),
  }),
  durability: "events",
  placement: "vehicle",
  children: { module: { types: [moduleType], strategy: "one-for-one", restart: "permanent" } },
});

export interface StandIn {
  readonly vehicle: string;
  readonly system: System;
  state(): StandInState;
  /** Its link ends; what it knows stays. */
  leave(): Promise<void>;
  /** Its link is back. */
  join(): Promise<void>;
}

export interface StandInOptions {
  readonly vehicle: string;
  readonly manner?: Manner;
  readonly labels?: Readonly<Record<string, string>>;
  readonly firmware?: string;
  readonly address?: number;
  readonly hardware?: string;
}

export async function standIn(t: Test, cloud: Pick<RealCloud, "login">, options: StandInOptions): Promise<StandIn> {
  const { manner = "commits", labels = {}, firmware = "1.0.0", address = 0, hardware = "esp32-s3" } = options;
  const vehicle = parseAddress(options.vehicle);
  const [tenant = "", , name = ""] = vehicle.split("/");
  const names = vehicleNames(tenant, name);
  const ports = { clock: systemClock, random: systemRandom, log: silentLog };
  const store = memoryStore();
  await store.open();
  const sent = new SentBound({ entity: vehicle, store, log: silentLog });
  await sent.open();
  const login = cloud.login(vehicle);
  const system = createSystem({ node: login.username, types: [standInEntity], store, ...ports });
  await system.start();
  const torrent = { moduleType: "trailcurrent/torrent", bus: "can0", outputs: [], offers: {}, hardware, address };
  await system.activate(vehicle, { input: { manner, model: "trailer@1" }, labels, children: [{ kind: "module", id: "torrent-0", type: "module", input: torrent }] });
  await system.inform(parseAddress(`${vehicle}/module/torrent-0`), { type: "module.identified", part: "0a1e05", firmware });

  let runs = 0;
  let end: (() => Promise<void>) | undefined;
  async function join(): Promise<void> {
    const session = `${name}-${String(++runs)}-${systemRandom.id()}`;
    const transit = new TransitEstimator();
    const sending = { node: login.username, session, clock: systemClock };
    const transport = mqttTransport({ ...login, node: login.username, vehicle: { tenant, vehicle: name }, ...ports });
    announcePresence(transport, vehicle, { node: login.username, session, epoch: 1 }, systemRandom);
    system.setRemote(cloudRemote({ vehicle, node: login.username, session, clock: systemClock, random: systemRandom, transport: () => transport }));
    const door = await openMessageDoor({ transport, pattern: names.down("in"), system, sending, log: silentLog, newId: () => systemRandom.id(), transit });
    await transport.start();
    const stream = startStreamShipper({
      transport,
      key: names.up("stream"),
      entity: vehicle,
      system,
      store,
      sent,
      sending,
      newId: () => systemRandom.id(),
      transit,
      log: silentLog,
      random: () => systemRandom.next(),
      fork: () => Promise.resolve(),
    });
    const unstate = transport.onState(({ kind }) => {
      if (kind === "ready") system.reachable();
    });
    system.reachable();
    end = async () => {
      unstate();
      await stream.stop();
      await transport.stop(500);
      await door.close();
    };
  }
  const leave = async (): Promise<void> => {
    await end?.();
    end = undefined;
  };
  await join();
  t.teardown(async () => {
    await leave();
    await system.stop();
  });
  return { vehicle, system, state: () => system.read(vehicle)?.context as StandInState, leave, join };
}
