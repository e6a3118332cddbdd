// Which vehicles are in a rollout, in which group, with what to do at which module. Pure: the fleet as the cloud knows it in, a plan out.
//
// G1. An image is chosen by (module type, hardware, address) alone. A module of a type in the plan that finds none refuses the whole plan.
// G2. A module that reports the target version is left out: its update could not be proved (promise S8). A vehicle without a module left is no target.
// G3. Groups take vehicles in the order of a hash of rollout and address, so that no vehicle is always among the first, and the same plan gives the same groups.
// G4. A group larger than MAX_PART is several entities (rules C1), its parts.
// G5. Whoever joins the fleet later is in no group.

import type { PlanFile, PlanImage } from "./plan.ts";

/** Targets of one group entity (rules C1). */
const MAX_PART = 500;
const CANARIES = 5;

export interface FleetModule {
  readonly name: string;
  readonly moduleType: string;
  readonly hardware: string | undefined;
  readonly address: number | undefined;
  /** As it last reported itself; undefined: never heard. */
  readonly firmware: string | undefined;
  readonly part: string | undefined;
}

export interface FleetVehicle {
  /** `tenant/vehicle/id`. */
  readonly vehicle: string;
  readonly model: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly modules: readonly FleetModule[];
  /** Of its modules that another rollout is about to update: that rollout. */
  readonly taken: Readonly<Record<string, string>>;
}

/** One module of a target. */
export interface PlannedUpdate {
  readonly module: string;
  /** Index in the plan's images. */
  readonly image: number;
}

export interface PlannedTarget {
  readonly vehicle: string;
  readonly updates: readonly PlannedUpdate[];
}

export interface PlannedGroup {
  readonly name: string;
  readonly size: number;
  readonly parts: readonly (readonly PlannedTarget[])[];
  readonly abortCount: number | undefined;
  readonly pauseCount: number | undefined;
}

export interface PlanProblem {
  /** `module-taken`: another rollout is about to update it. `no-image`: G1. `selects-none`: no vehicle to update. `empty-group`: nobody fits its labels. `left-over`: vehicles in no group. */
  readonly kind: "module-taken" | "no-image" | "selects-none" | "empty-group" | "left-over";
  readonly path: string;
  readonly message: string;
  readonly expected: string;
}

export type Grouping =
  | { readonly kind: "planned"; readonly groups: readonly PlannedGroup[] /** Vehicles whose modules all have their version. */; readonly upToDate: number }
  | { readonly kind: "refused"; readonly problems: readonly PlanProblem[] };

/** @param order of vehicles (G3): a hash of the rollout's name and the address */
export function grouped(plan: PlanFile, fleet: readonly FleetVehicle[], order: (vehicle: string) => string): Grouping {
  const problems: PlanProblem[] = [];
  const selected = fleet.filter((vehicle) => isSelected(vehicle, plan.select));
  const missing = new Missing();
  let upToDate = 0;
  const targets: { readonly vehicle: FleetVehicle; readonly target: PlannedTarget; readonly key: string }[] = [];
  for (const vehicle of selected) {
    const meant = vehicle.modules.filter(({ moduleType }) => plan.images.some((image) => image.module === moduleType));
    if (meant.length === 0) continue;
    const updates: PlannedUpdate[] = [];
    for (const module of meant) {
      const image = plan.images.findIndex((each) => fits(each, module));
      if (image === -1) missing.note(vehicle, module);
      else if (plan.images[image]?.version !== module.firmware) updates.push({ module: module.name, image });
      const other = vehicle.taken[module.name];
      if (other !== undefined)
        problems.push({
          kind: "module-taken",
          path: "/select",
          message: `${vehicle.vehicle}/module/${module.name} is in the rollout ${other}`,
          expected: "one rollout at a time for a module: end that one, or leave the vehicle out",
        });
    }
    if (updates.length === 0) upToDate++;
    else targets.push({ vehicle, target: { vehicle: vehicle.vehicle, updates }, key: order(vehicle.vehicle) });
  }
  problems.push(...missing.problems());
  if (problems.length > 0) return { kind: "refused", problems };
  if (targets.length === 0)
    return {
      kind: "refused",
      problems: [
        {
          kind: "selects-none",
          path: "/select",
          message:
            upToDate > 0
              ? `all ${String(upToDate)} vehicles that it selects have these versions`
              : `of ${String(fleet.length)} vehicles it selects none with a module that its images are for`,
          expected: "at least one vehicle to update",
        },
      ],
    };
  targets.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return cut(plan, targets, upToDate);
}

function cut(plan: PlanFile, targets: readonly { readonly vehicle: FleetVehicle; readonly target: PlannedTarget }[], upToDate: number): Grouping {
  const total = targets.length;
  const wanted = plan.groups ?? [
    { name: "canary", count: Math.max(CANARIES, Math.ceil(total / 100)), abort_count: 2 },
    { name: "early", percent: 5 },
    { name: "broad", percent: 20 },
    { name: "rest" },
  ];
  const problems: PlanProblem[] = [];
  let left = targets;
  const groups: PlannedGroup[] = [];
  for (const [index, group] of wanted.entries()) {
    const { labels } = group;
    const fitting = labels === undefined ? left : left.filter(({ vehicle }) => hasLabels(vehicle, labels));
    const size = group.count ?? (group.percent === undefined ? fitting.length : Math.ceil((total * group.percent) / 100));
    const members = fitting.slice(0, size);
    if (members.length === 0 && plan.groups !== undefined && left.length > 0)
      problems.push({
        kind: "empty-group",
        path: `/groups/${String(index)}`,
        message: `the group ${group.name} is empty: none of the ${String(left.length)} vehicles that are left has its labels`,
        expected: "labels that some vehicle of the rollout has",
      });
    if (members.length === 0) continue;
    const gone = new Set(members);
    left = left.filter((each) => !gone.has(each));
    groups.push({ name: group.name, size: members.length, parts: parts(members.map(({ target }) => target)), abortCount: group.abort_count, pauseCount: group.pause_count });
  }
  if (left.length > 0)
    problems.push({
      kind: "left-over",
      path: "/groups",
      message: `${String(left.length)} of ${String(total)} vehicles are in no group, e.g. ${left[0]?.target.vehicle ?? ""}`,
      expected: "a last group without count and percent, which takes the rest",
    });
  return problems.length > 0 ? { kind: "refused", problems } : { kind: "planned", groups, upToDate };
}

/** G4: as equal as they can be. */
function parts(targets: readonly PlannedTarget[]): readonly (readonly PlannedTarget[])[] {
  const number = Math.ceil(targets.length / MAX_PART);
  return Array.from({ length: number }, (_, part) => targets.slice(Math.floor((part * targets.length) / number), Math.floor(((part + 1) * targets.length) / number)));
}

/** G1. */
function fits(image: PlanImage, { moduleType, hardware, address }: FleetModule): boolean {
  return image.module === moduleType && image.hardware === hardware && image.address === address;
}

/** Whether the plan is meant for it (G5). */
export function isSelected(vehicle: Pick<FleetVehicle, "model" | "labels">, { model, labels }: PlanFile["select"]): boolean {
  const hasModel = model === undefined || vehicle.model === model || vehicle.model.startsWith(`${model}@`);
  return hasModel && (labels === undefined || hasLabels(vehicle, labels));
}

function hasLabels(vehicle: Pick<FleetVehicle, "labels">, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(labels).every(([name, value]) => vehicle.labels[name] === value);
}

/** G1: what no image is for, told once for all vehicles that have it. */
class Missing {
  readonly #kinds = new Map<string, { vehicles: number; readonly first: string; readonly module: FleetModule }>();

  note(vehicle: FleetVehicle, module: FleetModule): void {
    const kind = `${module.moduleType} ${module.hardware ?? "?"} ${String(module.address ?? "")}`;
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { vehicles: 1, first: `${vehicle.vehicle}/module/${module.name}`, module });
    else known.vehicles++;
  }

  problems(): PlanProblem[] {
    return [...this.#kinds.values()].map(({ vehicles, first, module }) => ({
      kind: "no-image",
      path: "/images",
      message: `no image for ${module.moduleType}${module.hardware === undefined ? ", whose hardware the vehicle's file does not name" : ` on ${module.hardware}`}${module.address === undefined ? "" : ` at address ${String(module.address)}`}: ${String(vehicles)} modules, e.g. ${first}`,
      expected: "an image for each type, hardware and address among the selected vehicles",
    }));
  }
}
