// The rollouts of this node as their actors have committed them, and which vehicle is a target of which.
//
// B1. Nothing of it is state: it is read from the actors, whose targets never change once they are made. Of rollouts that are over no vehicle is looked up.

import { type PartContext, type Phase, phasesIn, type RolloutContext, type TargetContext, targetId } from "../../actors/index.ts";
import { type Address, idOf, parseAddress, type System } from "../../runtime/index.ts";

export interface KnownRollout {
  readonly address: Address;
  /** Word of its state, e.g. `running`, and where it is in it. */
  readonly state: string;
  readonly phase: string | undefined;
  readonly context: RolloutContext;
  readonly revision: number;
  readonly incarnation: string;
  readonly asOf: number;
}

export interface RolloutBook {
  /** From here on it is one of them. */
  note(address: Address): void;
  /** By address. */
  all(): readonly KnownRollout[];
  get(address: Address): KnownRollout | undefined;
  part(group: string): PartContext | undefined;
  target(group: string, index: number): TargetContext | undefined;
  /** Of the targets of a group, in the order of their places. */
  vehiclesOf(group: string, rollout: KnownRollout): readonly string[];
  /** Rollouts that are not over and have this image. */
  usersOf(sha256: string): readonly string[];
  /** A rollout that is not over has offered it to this vehicle. */
  isOffered(vehicle: string, sha256: string): boolean;
  /** Modules that rollouts which are not over are about to update. */
  taken(): Taken;
  isTarget(vehicle: string, rollout: Address): boolean;
  /** Address of the vehicle's target. */
  targetOf(vehicle: string, rollout: KnownRollout): Address | undefined;
}

/** Who and what the targets of a rollout are, which never changes. */
interface Targets {
  /** By vehicle. */
  readonly places: ReadonlyMap<string, Place>;
  /** By group, in the order of their places. */
  readonly vehicles: ReadonlyMap<string, readonly string[]>;
}

/** By vehicle: its modules, each with the rollout that has it. */
export type Taken = ReadonlyMap<string, Readonly<Record<string, string>>>;

interface Place {
  readonly group: string;
  readonly index: number;
  readonly updates: TargetContext["updates"];
}

export function rolloutBook(system: Pick<System, "read">): RolloutBook {
  /** Of each rollout what is asked for again and again; read when it is first asked for. */
  const rollouts = new Map<Address, Targets | undefined>();

  function get(address: Address): KnownRollout | undefined {
    const view = rollouts.has(address) ? system.read(address) : undefined;
    if (view === undefined) return undefined;
    const { state, revision, incarnation, asOf } = view;
    const [word, phase] = typeof state === "string" ? [state, undefined] : (Object.entries((state ?? {}) as Readonly<Record<string, unknown>>)[0] ?? ["unknown", undefined]);
    return { address, state: word, phase: typeof phase === "string" ? phase : undefined, context: view.context as RolloutContext, revision, incarnation, asOf };
  }

  function part(group: string): PartContext | undefined {
    return system.read(group as Address)?.context as PartContext | undefined;
  }

  function all(): readonly KnownRollout[] {
    return [...rollouts.keys()]
      .sort()
      .map(get)
      .filter((each) => each !== undefined);
  }

  const ongoing = (): readonly KnownRollout[] => all().filter((each) => !isOver(each));

  function target(group: string, index: number): TargetContext | undefined {
    return system.read(targetAddress(group, index))?.context as TargetContext | undefined;
  }

  function targetsOf({ address, context }: KnownRollout): Targets {
    const known = rollouts.get(address);
    if (known !== undefined) return known;
    const places = new Map<string, Place>();
    const vehicles = new Map<string, string[]>();
    let isWhole = true;
    for (const [group, { size }] of Object.entries(context.parts)) {
      const own: string[] = [];
      for (let index = 0; index < size; index++) {
        const read = target(group, index);
        own.push(read?.vehicle ?? "");
        if (read === undefined) isWhole = false;
        else places.set(read.vehicle, { group, index, updates: read.updates });
      }
      vehicles.set(group, own);
    }
    const targets = { places, vehicles };
    // One that cannot be read yet is read again.
    if (isWhole) rollouts.set(address, targets);
    return targets;
  }

  const phaseAt = ({ group, index }: Place): Phase | undefined => phasesIn(part(group)?.phases[index] ?? "")[0];

  return {
    note: (address) => {
      rollouts.set(address, undefined);
    },
    all,
    get,
    part,
    target,
    vehiclesOf: (group, rollout) => targetsOf(rollout).vehicles.get(group) ?? [],
    usersOf: (sha256) => ongoing().flatMap(({ address, context }) => (context.images.some((image) => image.sha256 === sha256) ? [address] : [])),
    isOffered: (vehicle, sha256) =>
      ongoing().some((rollout) => {
        const place = targetsOf(rollout).places.get(vehicle);
        const phase = place?.updates.some((update) => update.sha256 === sha256) === true ? phaseAt(place) : undefined;
        return phase !== undefined && phase !== "waiting" && phase !== "excused";
      }),
    taken: () => {
      const taken = new Map<string, Record<string, string>>();
      for (const rollout of ongoing()) {
        const phases = new Map(Object.keys(rollout.context.parts).map((group) => [group, phasesIn(part(group)?.phases ?? "")]));
        for (const [vehicle, { group, index, updates }] of targetsOf(rollout).places) {
          if (phases.get(group)?.[index] === "excused") continue;
          const modules = taken.get(vehicle) ?? {};
          for (const { module } of updates) modules[module] = idOf(rollout.address);
          taken.set(vehicle, modules);
        }
      }
      return taken;
    },
    isTarget: (vehicle, address) => {
      const rollout = get(address);
      return rollout !== undefined && targetsOf(rollout).places.has(vehicle);
    },
    targetOf: (vehicle, rollout) => {
      const place = targetsOf(rollout).places.get(vehicle);
      return place === undefined ? undefined : targetAddress(place.group, place.index);
    },
  };
}

function targetAddress(group: string, index: number): Address {
  return parseAddress(`${group}/target/${targetId(index)}`);
}

/** Nothing of it begins any more, and nothing of it is asked for. */
export function isOver({ state, phase }: Pick<KnownRollout, "state" | "phase">): boolean {
  return state === "completed" || (state === "aborted" && phase !== "settling");
}

export function rolloutAddress(tenant: string, name: string): Address {
  return parseAddress(`${tenant}/rollout/${name}`);
}
