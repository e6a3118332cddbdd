// The rollouts of this node as their actors have committed them, and which vehicle is a target of which.
//
// B1. Nothing of it is state: it is read from the actors, whose targets never change once they are made. Of rollouts that are over no vehicle is looked up.

import { type PartContext, phasesIn, type RolloutContext, targetId } from "../../actors/index.ts";
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

/** By vehicle: its modules, each with the rollout that has it. */
export type Taken = ReadonlyMap<string, Readonly<Record<string, string>>>;

interface Place {
  readonly group: string;
  readonly index: number;
}

export function rolloutBook(system: Pick<System, "read">): RolloutBook {
  /** Of each rollout its vehicles' places; made when it is first asked for, left when it is over. */
  const rollouts = new Map<Address, Map<string, Place> | undefined>();

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

  function placeOf(vehicle: string, { address, context }: KnownRollout): Place | undefined {
    let places = rollouts.get(address);
    if (places === undefined) {
      places = new Map();
      for (const group of Object.keys(context.parts)) for (const [index, target] of (part(group)?.targets ?? []).entries()) places.set(target.vehicle, { group, index });
      rollouts.set(address, places);
    }
    return places.get(vehicle);
  }

  return {
    note: (address) => {
      rollouts.set(address, undefined);
    },
    all,
    get,
    part,
    usersOf: (sha256) => ongoing().flatMap(({ address, context }) => (context.images.some((image) => image.sha256 === sha256) ? [address] : [])),
    isOffered: (vehicle, sha256) =>
      ongoing().some((rollout) => {
        const place = placeOf(vehicle, rollout);
        const own = place === undefined ? undefined : part(place.group);
        if (place === undefined || own === undefined) return false;
        const phase = phasesIn(own.phases[place.index] ?? "")[0];
        const wasOffered = phase !== undefined && phase !== "waiting" && phase !== "excused";
        return wasOffered && own.targets[place.index]?.updates.some(({ image }) => own.images[image]?.sha256 === sha256) === true;
      }),
    taken: () => {
      const taken = new Map<string, Record<string, string>>();
      for (const { address, context } of ongoing())
        for (const own of Object.keys(context.parts).map(part)) {
          const phases = phasesIn(own?.phases ?? "");
          for (const [index, { vehicle, updates }] of (own?.targets ?? []).entries()) {
            if (phases[index] === "excused") continue;
            const modules = taken.get(vehicle) ?? {};
            for (const { module } of updates) modules[module] = idOf(address);
            taken.set(vehicle, modules);
          }
        }
      return taken;
    },
    isTarget: (vehicle, address) => {
      const rollout = get(address);
      return rollout !== undefined && placeOf(vehicle, rollout) !== undefined;
    },
    targetOf: (vehicle, rollout) => {
      const place = placeOf(vehicle, rollout);
      return place === undefined ? undefined : parseAddress(`${place.group}/target/${targetId(place.index)}`);
    },
  };
}

/** Nothing of it begins any more, and nothing of it is asked for. */
export function isOver({ state, phase }: Pick<KnownRollout, "state" | "phase">): boolean {
  return state === "completed" || (state === "aborted" && phase !== "settling");
}

export function rolloutAddress(tenant: string, name: string): Address {
  return parseAddress(`${tenant}/rollout/${name}`);
}
