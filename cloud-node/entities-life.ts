// The life of what a cloud node hosts: the system, the replicas, the entities that the store knows. Alarms say what could not be brought back (rules L2: never a silent reset).

import { alarmEntity, groupEntity, presenceEntity, requestsEntity, rolloutEntity } from "../actors/index.ts";
import { lifeOf, type Replicas, type Startable, type System, untilAborted } from "../runtime/index.ts";
import type { Log, Store } from "../runtime/ports/index.ts";
import type { Presences } from "./presences.ts";
import { activateStored } from "./stored-entities.ts";

const HOSTED_TYPES: readonly string[] = [presenceEntity.name, requestsEntity.name, alarmEntity.name, groupEntity.name, rolloutEntity.name];

/** A damaged store that was moved aside as a whole: where it is now, and what was wrong. */
export interface LostStore {
  readonly path: string;
  readonly reason: string;
}

export interface EntitiesLifeOptions {
  readonly node: string;
  readonly system: System;
  readonly store: Store;
  readonly replicas: Replicas;
  readonly presences: Presences;
  readonly lost: () => LostStore | undefined;
  readonly log: Log;
}

export function entitiesLife({ node, system, store, replicas, presences, lost, log }: EntitiesLifeOptions): Startable {
  async function raiseAlarm(name: string, title: string, cause: string): Promise<void> {
    await system.tell(
      `drover/alarm/${node}.${name}`,
      { type: "alarm.raise", title, severity: "critical", about: `@node/${node}`, cause: cause.slice(0, 1_000) },
      { create: { input: undefined } },
    );
  }

  return lifeOf(async ({ ready }, signal) => {
    await system.start();
    await replicas.open();
    const unreadable = await activateStored({ system, store, types: HOSTED_TYPES, log });
    await Promise.all(replicas.entities().map((vehicle) => presences.expect(vehicle)));
    const aside = lost();
    if (aside !== undefined) await raiseAlarm("store-moved-aside", "the cloud node's store was damaged and moved aside", aside.reason);
    if (unreadable.length > 0) await raiseAlarm("unreadable-entities", "stored entities cannot be brought back; the node goes on without them", unreadable.join("; "));
    ready();
    await untilAborted(signal);
    await system.stop();
  });
}
