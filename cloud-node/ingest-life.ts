// Everything that vehicles and other nodes say to this one: messages, streams, telemetry, presence, trees.

import { openStreamIngest, openTelemetryIngest, type SignalMirror, watchLive } from "../protocols/uplink/index.ts";
import { everyVehicle, lifeOf, type Replicas, type System, untilAborted } from "../runtime/index.ts";
import type { Clock, Log, MetricsSource, Store, Transport } from "../runtime/ports/index.ts";
import { openMessageDoor, type Sending } from "../runtime/wire/index.ts";
import { type AnnouncedTree, watchTrees } from "./announced-trees.ts";
import type { Presences } from "./presences.ts";
import { vehicleDoor } from "./vehicle-door.ts";
import type { VehicleLinks } from "./vehicle-links.ts";

export interface IngestOptions {
  readonly transport: () => Transport | undefined;
  readonly system: System;
  readonly store: Pick<Store, "entities">;
  readonly replicas: Replicas;
  readonly mirror: SignalMirror;
  readonly links: VehicleLinks;
  readonly presences: Presences;
  readonly sending: Sending;
  readonly newId: () => string;
  readonly clock: Clock;
  readonly log: Log;
}

export interface IngestLife {
  readonly life: ReturnType<typeof lifeOf>;
  trees(): readonly AnnouncedTree[];
  readonly metrics: MetricsSource;
}

export function ingestLife(options: IngestOptions): IngestLife {
  const { system, store, replicas, mirror, links, presences, sending, newId, clock, log } = options;
  let trees: () => readonly AnnouncedTree[] = () => [];
  let metrics: MetricsSource = () => [];

  const life = lifeOf(async ({ ready }, signal) => {
    const transport = options.transport();
    if (transport === undefined) throw new Error("the bus is not there");
    const common = { transport, sending, newId, log };
    const door = vehicleDoor(system, store);
    const heard = (tenant: string, vehicle: string): void => {
      links.heard(tenant, vehicle);
    };
    const opened = await Promise.all([
      openMessageDoor({ ...common, pattern: everyVehicle.up("in"), system: door, admits: (key, message) => door.admits(key, message) }),
      openStreamIngest({ ...common, replicas, heard }),
      openTelemetryIngest({ ...common, mirror, heard }),
    ]);
    ({ metrics } = opened[2]);
    const announced = await watchTrees(transport, clock, log);
    trees = () => announced.all();
    const unwatch = await watchLive(transport, sending, log, (event) => {
      presences.changed(event);
    });
    const unstate = transport.onState(({ kind }) => {
      if (kind === "ready") system.reachable();
    });
    ready();
    await untilAborted(signal);
    unstate();
    await Promise.all([...opened.map((each) => each.close()), unwatch(), announced.close()]);
  });
  return { life, trees: () => trees(), metrics: () => metrics() };
}
