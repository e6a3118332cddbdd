// What a vehicle may say to the cloud: in its own name, to what is its own here (promise S10).
//
// D1. A message names the vehicle itself as its sender, or nobody; whatever author it claims, the vehicle is the author.
// D2. It reaches the vehicle's presence, requests and alarms, and whoever asked the vehicle something: no other entity, and never another vehicle through this node.
//     To a rollout it says how its own update goes, and only to the target that is this vehicle's.
// D3. A vehicle raises and clears its alarms; acknowledging one is a person's. It has at most 64 of them, so that none fills the store (promise S5): each new one takes its place before it is made.

import type { TargetContext } from "../actors/index.ts";
import { type Address, type Answer, entityOf, idOf, kindOf, parseName, type RemoteMessage, type System, type Told } from "../runtime/index.ts";
import type { Store } from "../runtime/ports/index.ts";

const MAX_ALARMS = 64;
/** Of the store's index, read at once. */
const PAGE = 500;
const REPORT = "campaign.reported";
const OF_ALARMS: readonly string[] = ["alarm.raise", "alarm.clear"];

export interface VehicleDoor {
  admits(key: string, message: RemoteMessage): boolean;
  receive(message: RemoteMessage, key: string): Promise<Told | Answer>;
}

export function vehicleDoor(system: Pick<System, "receive" | "activate" | "read">, store: Pick<Store, "entities">): VehicleDoor {
  /** By vehicle, of those that have raised one; from here on this door alone lets them have more. */
  const alarms = new Map<string, Promise<Set<string>>>();

  async function receive(given: RemoteMessage, key: string): Promise<Told | Answer> {
    const { sender } = given;
    const vehicle = vehicleOf(key);
    const message: RemoteMessage = sender.kind === "outside" && vehicle !== undefined ? { ...given, sender: { ...sender, author: vehicle.address } } : given;
    const entity = entityOf(message.to);
    if (vehicle === undefined || kindOf(entity) !== "alarm") return system.receive(message);
    const { type } = message.event;
    if (!OF_ALARMS.includes(type)) return { kind: "refused", accepts: OF_ALARMS, reason: "a vehicle raises and clears its alarms; acknowledging them is a person's" };
    // Every message to an alarm waits alike, so that none overtakes another.
    const own = await alarmsOf(vehicle);
    if (type === "alarm.raise" && system.read(entity) === undefined) {
      const isNew = !own.has(entity);
      if (isNew && own.size >= MAX_ALARMS) return { kind: "full", retryAfterMs: 60_000, reason: `the vehicle has ${String(MAX_ALARMS)} alarms already` };
      own.add(entity);
      const made = system.activate(entity, { input: undefined });
      if (isNew) made.catch(() => own.delete(entity));
      // It waits there for its actor, so that nothing that comes behind it is first.
      const [, told] = await Promise.all([made, system.receive(message)]);
      return told;
    }
    return system.receive(message);
  }

  function alarmsOf(vehicle: Vehicle): Promise<Set<string>> {
    const known = alarms.get(vehicle.address) ?? storedAlarms(vehicle);
    alarms.set(vehicle.address, known);
    known.catch(() => alarms.delete(vehicle.address));
    return known;
  }

  async function storedAlarms(vehicle: Vehicle): Promise<Set<string>> {
    const own = new Set<string>();
    const prefix = `${vehicle.tenant}/alarm/${vehicle.name}.`;
    for (let after: string | undefined = prefix; after !== undefined; ) {
      const page: readonly { readonly entity: string }[] = await store.entities(after, PAGE);
      for (const { entity } of page) if (entity.startsWith(prefix) && isOwn(entity as Address, vehicle)) own.add(entity);
      const last: string | undefined = page.length < PAGE ? undefined : page.at(-1)?.entity;
      after = last?.startsWith(prefix) === true ? last : undefined;
    }
    return own;
  }

  /** D2. Of a target that is not in memory its entity tells whether it is there. */
  function isOwnTarget(to: Address, { tenant, address }: Vehicle): boolean {
    if (kindOf(to) !== "target" || !to.startsWith(`${tenant}/`)) return false;
    const target = system.read(to)?.context as Partial<TargetContext> | undefined;
    return target === undefined ? system.read(entityOf(to)) === undefined : target.vehicle === address;
  }

  return {
    receive,
    admits: (key, { to, event, sender, answers }) => {
      const vehicle = vehicleOf(key);
      if (vehicle === undefined) return false;
      if (sender.kind === "entity" && sender.entity !== vehicle.address) return false;
      if (kindOf(entityOf(to)) === "group") return sender.kind === "entity" && event.type === REPORT && isOwnTarget(to, vehicle);
      return (sender.kind === "entity" && answers !== undefined) || isOwn(entityOf(to), vehicle);
    },
  };
}

interface Vehicle {
  readonly tenant: string;
  readonly name: string;
  readonly address: string;
}

function vehicleOf(key: string): Vehicle | undefined {
  const name = parseName(key);
  return name?.kind === "vehicle" ? { tenant: name.tenant, name: name.vehicle, address: `${name.tenant}/vehicle/${name.vehicle}` } : undefined;
}

function isOwn(entity: Address, { tenant, name }: Vehicle): boolean {
  if (!entity.startsWith(`${tenant}/`)) return false;
  const id = idOf(entity);
  switch (kindOf(entity)) {
    case "presence":
    case "requests":
      return id === name;
    case "alarm":
      return id.startsWith(`${name}.`) && !id.slice(name.length + 1).includes(".");
    default:
      return false;
  }
}
