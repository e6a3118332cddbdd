// Turns what the bus says of links into news for the presence entities, one a vehicle (vehicle.md, States).

import { presenceOf, type PresenceState } from "../actors/index.ts";
import { type Address, parseAddress, type System, type Told } from "../runtime/index.ts";
import type { Log } from "../runtime/ports/index.ts";
import type { LinkEvent, LiveInfo } from "../protocols/uplink/index.ts";
import type { VehicleLinks } from "./vehicle-links.ts";

function presenceAddress(vehicle: Address): Address {
  const [tenant = "", , name = ""] = vehicle.split("/");
  return parseAddress(`${tenant}/presence/${name}`);
}

/** Tries of a word that no store has taken in time. */
const AGAIN = 5;

export interface Presences {
  changed(event: LinkEvent): void;
  /** A vehicle that is known from before: its presence is shown from the start. */
  expect(vehicle: Address): Promise<void>;
  of(vehicle: Address): PresenceState;
}

/** @param sessionEnded nothing that was sent to this vehicle in the session before is answered any more */
export function createPresences(links: VehicleLinks, system: () => System, log: Log, sessionEnded: (vehicle: Address) => void): Presences {
  async function tell(vehicle: Address, event: { readonly type: string; readonly [key: string]: unknown }): Promise<void> {
    const inform = (): Promise<Told> => system().inform(presenceAddress(vehicle), event, { input: undefined, labels: {} });
    let told = await inform();
    // Many come at once where a broker begins anew; nobody says it a second time.
    for (let again = 0; again < AGAIN && told.kind === "deadline"; again++) told = await inform();
    if (told.kind !== "accepted" && told.kind !== "refused") log.warn({ vehicle, event: event.type, outcome: told.kind }, "a presence could not be told of its link");
  }

  const orders = new Map<Address, Promise<void>>();
  /** In order for one vehicle: up and down must not overtake each other. */
  function enqueue(vehicle: Address, event: Parameters<typeof tell>[1]): Promise<void> {
    const before = orders.get(vehicle) ?? Promise.resolve();
    const next = before
      .then(() => tell(vehicle, event))
      .catch((cause: unknown) => {
        log.error({ err: cause, vehicle }, "a presence could not be told of its link");
      });
    orders.set(vehicle, next);
    return next;
  }

  /** O1: who may act on a vehicle must be one node. */
  async function enqueueAlarm(vehicle: Address, live: LiveInfo, rival: LiveInfo): Promise<void> {
    const [tenant = "", , name = ""] = vehicle.split("/");
    log.error({ vehicle, nodes: [live, rival] }, "two nodes live under one vehicle's name");
    const cause = `the runs ${live.session} of ${live.node} and ${rival.session} of ${rival.node} both live`;
    const event = { type: "alarm.raise", title: "two nodes have this vehicle's identity", severity: "critical", about: vehicle, cause };
    await system()
      .tell(`${tenant}/alarm/${name}.two-nodes`, event, { create: { input: undefined } })
      .catch((err: unknown) => {
        log.error({ err, vehicle }, "the alarm of two nodes could not be raised");
      });
  }

  return {
    changed: (event) => {
      const noted = links.note(event);
      if (noted === undefined) return;
      const { entity, link, rival } = noted;
      sessionEnded(entity);
      if (rival !== undefined) void enqueueAlarm(entity, link.live, rival);
      if (link.up) system().reachable(entity);
      void enqueue(entity, link.up ? { type: "link.up", node: link.live.node, session: link.live.session } : { type: "link.down" });
    },
    expect: (vehicle) => enqueue(vehicle, { type: "watch.began" }),
    of: (vehicle) => presenceOf(system().read(presenceAddress(vehicle))?.state),
  };
}
