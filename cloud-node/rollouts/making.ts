// How a rollout comes to be: several entities, all of them or none.
//
// M1. What is about to be made is one value in the store first: groups, targets, images. Its entities are made from that, in any number of attempts, since each begins once; when the rollout itself is
//     there the value goes. After a kill what was begun is finished at the next start, before the API answers.
// M2. Nobody is told before all of it is committed. A group by itself does nothing: it waits for its rollout.
// M3. One at a time: what the one before it has taken the next one sees.

import { partAddress, type PartBeginning, partBeginning, type PlanFile, type PlannedGroup, rolloutInput, termsOf } from "../../actors/index.ts";
import { type Address, parseAddress, type System } from "../../runtime/index.ts";
import type { Log, Store } from "../../runtime/ports/index.ts";
import { tenantOf } from "./fleet-facts.ts";

const PREFIX = "rollout.making/";
/** Of plans that were begun; made one at a time, there is one. */
const PAGE = 4;

export interface Making {
  readonly address: Address;
  readonly plan: PlanFile;
  readonly groups: readonly PlannedGroup[];
  /** Length of each image of the plan, in its order. */
  readonly bytes: readonly number[];
  readonly created: { readonly at: number; readonly who: string; readonly key: string; readonly plan: string };
}

/** @throws what the store fails with; it is finished at the next start then, or by the same request (M1) */
export async function make(making: Making, system: Pick<System, "activate">, store: Pick<Store, "values">): Promise<void> {
  const key = `${PREFIX}${making.address}`;
  await store.values.set(key, Buffer.from(JSON.stringify(making), "utf8"));
  await finish(making, system);
  await store.values.delete(key);
}

/** M1. Whether something of this name was begun; it is made then, as it was begun. */
export async function finishOf(address: Address, system: Pick<System, "activate">, store: Pick<Store, "values">): Promise<boolean> {
  const key = `${PREFIX}${address}`;
  const value = await store.values.get(key);
  if (value === undefined) return false;
  await finish(begunIn(value), system);
  await store.values.delete(key);
  return true;
}

function begunIn(value: Uint8Array): Making {
  return JSON.parse(Buffer.from(value).toString("utf8")) as Making;
}

/** M1. */
export async function finishBegun(system: Pick<System, "activate">, store: Pick<Store, "values">, log: Log): Promise<void> {
  for (;;) {
    const page = await store.values.entries(PREFIX, { limit: PAGE });
    for (const { key, value } of page) {
      const making = begunIn(value);
      log.info({ rollout: making.address }, "a rollout that was being made when this node ended is finished");
      await finish(making, system);
      await store.values.delete(key);
    }
    if (page.length < PAGE) return;
  }
}

async function finish({ address, plan, groups, bytes, created }: Making, system: Pick<System, "activate">): Promise<void> {
  const tenant = tenantOf(address);
  const images: PartBeginning["images"] = plan.images.map(({ module: type, hardware, address, version, sha256 }, index) => ({
    version,
    sha256,
    bytes: bytes[index] ?? 1,
    madeFor: { type, hardware, ...(address === undefined ? {} : { address }) },
  }));
  const terms = termsOf(plan);
  for (const [group, { parts }] of groups.entries())
    for (const [part, targets] of parts.entries()) {
      const own = partAddress(tenant, plan.rollout, group, part, parts.length);
      await system.activate(parseAddress(own), partBeginning({ rollout: address, name: plan.rollout, group: own, targets, images, terms }));
    }
  await system.activate(address, { input: rolloutInput(tenant, plan, groups, created) });
}
