// The link to the cloud's broker as a supervised child. A transport starts once, so each run of the child has one of its own.

import { type Address, lifeOf, type Remote, type Startable, untilAborted } from "../runtime/index.ts";
import type { Clock, Random, Transport } from "../runtime/ports/index.ts";
import { announcePresence, cloudRemote } from "./uplink.ts";

const STOP_WITHIN_MS = 1_000;

export interface CloudLink {
  readonly life: Startable;
  /** To everything that does not live in this vehicle. */
  readonly remote: Remote;
  /** Of the present run. */
  transport(): Transport;
}

export interface CloudLinkOptions {
  readonly vehicle: Address;
  readonly node: string;
  readonly session: string;
  /** Known once the store is open. */
  readonly epoch: () => number;
  readonly clock: Clock;
  readonly random: Random;
  /** A transport that was not started. @throws DROVER_CONFIG_INVALID */
  readonly make: () => Transport;
}

/** @throws what `make` throws: a mistake in the configuration shows before anything starts */
export function cloudLink({ make, ...options }: CloudLinkOptions): CloudLink {
  const { vehicle, node, session, epoch, random } = options;
  let transport = make();
  let isUsed = false;
  return {
    transport: () => transport,
    remote: cloudRemote({ ...options, transport: () => transport }),
    life: lifeOf(async ({ ready }, signal) => {
      if (isUsed) transport = make();
      isUsed = true;
      const link = transport;
      announcePresence(link, vehicle, { node, session, epoch: epoch() }, random);
      await link.start();
      ready();
      await untilAborted(signal);
      await link.stop(STOP_WITHIN_MS);
    }),
  };
}
