// The node's store as the first child of its tree: journal, telemetry log, identity, and the system that stands on them. One process holds them (S1 on a vehicle).

import { lifeOf, type Startable, type System, untilAborted } from "../runtime/index.ts";
import { type AppendLog, type AppendLogOpened, DroverError, type Store, type StoreOpened } from "../runtime/ports/index.ts";
import type { Identity } from "../protocols/sqlite/index.ts";
import type { EdgePorts } from "./ports.ts";
import { keepLoss } from "./store-loss.ts";

export interface StoreLifeOptions {
  readonly folder: string;
  readonly node: string;
  readonly store: Store;
  readonly telemetry: AppendLog;
  readonly system: Pick<System, "start" | "stop">;
  readonly ports: EdgePorts;
  /** Before the system starts. */
  readonly opened: (opened: { readonly identity: Identity; readonly telemetry: AppendLogOpened }) => Promise<void>;
  /** Before the files are closed. */
  readonly closing: () => Promise<void>;
}

export function storeLife({ folder, node, store, telemetry, system, ports, opened, closing }: StoreLifeOptions): Startable {
  const { clock, random, log } = ports;

  /** @throws DROVER_CONFIG_INVALID, and what the identity's reading throws */
  async function identify({ created: journalIsNew, movedAside, restored }: StoreOpened): Promise<Identity> {
    const loaded = await ports.identity.load(folder);
    if (loaded?.repaired !== undefined) log.warn({ repaired: loaded.repaired }, "a copy of the node's identity was written anew");
    if (loaded !== undefined && loaded.identity.node !== node)
      throw new DroverError("DROVER_CONFIG_INVALID", `node: ${folder} belongs to the node "${loaded.identity.node}", the configuration says "${node}"`);
    const reason = movedAside?.reason ?? (journalIsNew && loaded !== undefined ? "the journal was gone although this node has run before" : undefined);
    if (reason !== undefined) {
      log.error({ reason }, "the journal begins anew; outside effects wait for what the bus reports");
      await keepLoss(store, { what: "journal", id: random.id(), reason, at: clock.now() });
    }
    if (loaded !== undefined && !journalIsNew && movedAside === undefined && restored === undefined) return loaded.identity;
    const identity: Identity = { ...loaded?.identity, node, epoch: loaded?.identity.epoch ?? 1, incarnation: random.id() };
    await ports.identity.save(folder, identity);
    return identity;
  }

  return lifeOf(async ({ ready }, signal) => {
    const journal = await store.open();
    try {
      const { restored } = journal;
      if (restored !== undefined)
        await keepLoss(store, { what: "history", id: random.id(), reason: `the vehicle's store was put back from an older copy: ${restored.reason}`, at: clock.now() });
      const telemetryOpened = await telemetry.open();
      try {
        if (telemetryOpened.movedAside !== undefined) {
          const { reason } = telemetryOpened.movedAside;
          await keepLoss(store, { what: "telemetry", id: random.id(), reason, at: clock.now() });
        }
        await opened({ identity: await identify(journal), telemetry: telemetryOpened });
        await system.start();
        ready();
        await untilAborted(signal);
      } finally {
        await closing();
        await telemetry.close();
      }
    } finally {
      await system.stop();
      await store.close();
    }
  });
}
