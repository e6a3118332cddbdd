// What a vehicle may say to the cloud: in its own name, to what is its own here (promise S10).
//
// D1. A message names the vehicle itself as its sender, or nobody; whatever author it claims, the vehicle is the author.
// D2. It reaches the vehicle's presence, requests and alarms, and whoever asked the vehicle something: no other entity, and never another vehicle through this node.
// D3. A vehicle raises and clears its alarms; acknowledging one is a person's. It has at most 64 of them, so that none fills the store (promise S5).

import { type Address, type Answer, entityOf, idOf, kindOf, parseName, type RemoteMessage, type System, type Told } from "../runtime/index.ts";

const MAX_ALARMS = 64;
const OF_ALARMS: readonly string[] = ["alarm.raise", "alarm.clear"];

export interface VehicleDoor {
  admits(key: string, message: RemoteMessage): boolean;
  receive(message: RemoteMessage, key: string): Promise<Told | Answer>;
}

export function vehicleDoor(system: Pick<System, "receive" | "activate" | "read" | "views">): VehicleDoor {
  async function receive(given: RemoteMessage, key: string): Promise<Told | Answer> {
    const { sender } = given;
    const vehicle = vehicleOf(key);
    const message: RemoteMessage = sender.kind === "outside" && vehicle !== undefined ? { ...given, sender: { ...sender, author: vehicle.address } } : given;
    const entity = entityOf(message.to);
    if (vehicle === undefined || kindOf(entity) !== "alarm") return system.receive(message);
    const { type } = message.event;
    if (!OF_ALARMS.includes(type)) return { kind: "refused", accepts: OF_ALARMS, reason: "a vehicle raises and clears its alarms; acknowledging them is a person's" };
    if (type === "alarm.raise" && system.read(entity) === undefined) {
      if (alarmsOf(vehicle) >= MAX_ALARMS) return { kind: "full", retryAfterMs: 60_000, reason: `the vehicle has ${String(MAX_ALARMS)} alarms already` };
      await system.activate(entity, { input: undefined });
    }
    return system.receive(message);
  }

  function alarmsOf(vehicle: Vehicle): number {
    let count = 0;
    for (const { address, kind } of system.views()) if (kind === "alarm" && isOwn(address, vehicle)) count++;
    return count;
  }

  return {
    receive,
    admits: (key, { to, sender, answers }) => {
      const vehicle = vehicleOf(key);
      if (vehicle === undefined) return false;
      if (sender.kind === "entity" && sender.entity !== vehicle.address) return false;
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
