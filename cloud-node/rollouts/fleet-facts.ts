// What the cloud knows of a tenant's vehicles, for a plan: from their replicas, which outlive their links.

import type { FleetModule, FleetVehicle, ModuleContext, VehicleContext } from "../../actors/index.ts";
import { type Address, type Directory, entityOf, idOf, kindOf, type Replicas } from "../../runtime/index.ts";
import type { Taken } from "./rollout-book.ts";

/** Tenants of which vehicles are known. */
export function tenantsOf(replicas: Pick<Replicas, "entities">): readonly string[] {
  return [...new Set(replicas.entities().map(tenantOf))].sort();
}

export function tenantOf(address: string): string {
  return address.slice(0, address.indexOf("/"));
}

/**
 * @param taken of each vehicle's modules those that another rollout is about to update, with that rollout
 * @param isAsked vehicles that are no answer anyway are not looked at
 */
export function fleetOf(
  replicas: Pick<Directory, "addresses" | "read">,
  tenant: string,
  taken: Taken = new Map(),
  isAsked: (vehicle: string) => boolean = () => true,
): readonly FleetVehicle[] {
  const prefix = `${tenant}/`;
  const roots = new Map<string, Omit<FleetVehicle, "modules" | "taken">>();
  const modules = new Map<string, FleetModule[]>();
  for (const address of replicas.addresses()) {
    if (!address.startsWith(prefix)) continue;
    const vehicle = entityOf(address);
    if (!isAsked(vehicle)) continue;
    if (address === vehicle) {
      const root = rootOf(replicas, vehicle);
      if (root !== undefined) roots.set(vehicle, root);
    } else if (kindOf(address) === "module") {
      const module = moduleOf(replicas, address);
      const known = modules.get(vehicle);
      if (module === undefined) continue;
      if (known === undefined) modules.set(vehicle, [module]);
      else known.push(module);
    }
  }
  return [...roots.values()].map((root) => ({ ...root, modules: modules.get(root.vehicle) ?? [], taken: taken.get(root.vehicle) ?? {} }));
}

/** undefined: nothing of it is known. */
function rootOf(replicas: Pick<Directory, "read">, vehicle: Address): Pick<FleetVehicle, "vehicle" | "model" | "labels"> | undefined {
  const view = replicas.read(vehicle);
  const { model } = (view?.context ?? {}) as Partial<VehicleContext>;
  return view === undefined || typeof model !== "string" ? undefined : { vehicle, model, labels: view.labels };
}

/** What a replica says of itself was written by another version of this program, or by none: each field is looked at. */
function moduleOf(replicas: Pick<Directory, "read">, address: Address): FleetModule | undefined {
  const { moduleType, hardware, address: place, firmware, part } = (replicas.read(address)?.context ?? {}) as Partial<ModuleContext>;
  if (typeof moduleType !== "string") return undefined;
  return {
    name: idOf(address),
    moduleType,
    hardware: typeof hardware === "string" ? hardware : undefined,
    address: typeof place === "number" ? place : undefined,
    firmware: typeof firmware === "string" ? firmware : undefined,
    part: typeof part === "string" ? part : undefined,
  };
}
