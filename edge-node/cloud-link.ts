// The link to the cloud's broker as a supervised child, and the door for what comes over it. A transport starts once, so each run of the child has one of its own.
//
// The door stands before the link does: who sees the vehicle's presence can reach it, and until its actors run they answer for themselves that they are away.

import { type Address, idOf, lifeOf, type Remote, type Startable, type System, TransitEstimator, untilAborted, vehicleNames } from "../runtime/index.ts";
import type { Clock, Log, Random, Transport } from "../runtime/ports/index.ts";
import { openMessageDoor } from "../runtime/wire/index.ts";
import { announcePresence, cloudRemote } from "./uplink.ts";

const STOP_WITHIN_MS = 1_000;

export interface CloudLink {
  readonly life: Startable;
  /** To everything that does not live in this vehicle. */
  readonly remote: Remote;
  /** What is known of the delay from the cloud; whoever hears of the cloud adds to it, so that even the first command of a session is known to be late. */
  readonly transit: TransitEstimator;
  /** Of the present run. */
  transport(): Transport;
}

export interface CloudLinkOptions {
  readonly vehicle: Address;
  readonly node: string;
  readonly session: string;
  /** Known once the store is open. */
  readonly epoch: () => number;
  readonly system: System;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** A transport that was not started. @throws DROVER_CONFIG_INVALID */
  readonly make: () => Transport;
}

/** @throws what `make` throws: a mistake in the configuration shows before anything starts */
export function cloudLink({ make, ...options }: CloudLinkOptions): CloudLink {
  const { vehicle, node, session, epoch, system, clock, random, log } = options;
  const transit = new TransitEstimator();
  const pattern = vehicleNames(vehicle.split("/")[0] ?? "", idOf(vehicle)).down("in");
  let transport = make();
  let isUsed = false;
  return {
    transit,
    transport: () => transport,
    remote: cloudRemote({ ...options, transport: () => transport }),
    life: lifeOf(async ({ ready }, signal) => {
      if (isUsed) transport = make();
      isUsed = true;
      const link = transport;
      announcePresence(link, vehicle, { node, session, epoch: epoch() }, random);
      const door = await openMessageDoor({ transport: link, pattern, system, sending: { node, session, clock }, log, newId: () => random.id(), transit });
      await link.start();
      ready();
      await untilAborted(signal);
      await link.stop(STOP_WITHIN_MS);
      await door.close();
    }),
  };
}
