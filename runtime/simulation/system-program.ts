// A node that hosts entities of a user's types, unchanged: a system on the simulated ports, with a door for messages of the other nodes.

import { type AnyActorType, type EffectImplementation, type Registered } from "../actor/index.ts";
import { type Address, entityOf, kindOf, parseAddress } from "../address.ts";
import { DroverError } from "../errors.ts";
import { messageOf } from "../message-of.ts";
import type { Store } from "../ports/index.ts";
import { register } from "../registered-types.ts";
import { Retry } from "../retry.ts";
import { type Complaint, formatComplaint, nearestName } from "../shape/index.ts";
import { createSystem, type EntityOptions, type System, type SystemOptions } from "../system/index.ts";
import { busRemote, nodeName, openMessageDoor } from "../wire/index.ts";
import type { NodeProgram, ProcessPorts, RunningNode } from "./process-ports.ts";

const ACTIVATE_AGAIN = { firstMs: 100, longestMs: 2_000 };

export interface HostingNode {
  /** What the node's system is given: entity types, and actor types with their effects and tasks supplied. */
  readonly types: readonly Registered[];
  /** Entities that live here from the beginning, by address, with the input of their roots. Default none. */
  readonly entities?: Readonly<Record<string, EntityOptions | undefined>>;
  /** `when-told`: each of its entities begins with the first message that another node has for it, and is there from then on, also after restarts; those that nobody tells anything cost nothing. Default `at-start`. */
  readonly entitiesBegin?: "at-start" | "when-told";
  /** Types whose entities live on other nodes. */
  readonly foreignTypes?: SystemOptions["foreignTypes"];
  readonly door?: SystemOptions["door"];
  /** As of `createSystem`: what a start makes of newer versions of its types. */
  readonly versions?: SystemOptions["versions"];
  /** As of `createSystem`: how many entities of types that passivate may be in memory. */
  readonly residentEntities?: SystemOptions["residentEntities"];
  /** As of `createSystem`: how fast entities may come into memory. */
  readonly activation?: SystemOptions["activation"];
}

/**
 * @param where its entities stand, for a reader
 * @throws DROVER_SIMULATION_INVALID for an entity that no type of it is for, DROVER_ADDRESS_INVALID, DROVER_TYPE_INVALID: such a node would be started again and again, and never be there
 */
export function systemProgram(node: HostingNode, where = ""): NodeProgram {
  const entities = Object.entries(node.entities ?? {}).map(([address, options]) => [parseAddress(address), options ?? { input: undefined }] as const);
  const hosted = [...register(node.types).entityTypes.keys()];
  for (const [address] of entities) {
    const problem = entityProblem(address, hosted);
    if (problem !== undefined) throw new DroverError("DROVER_SIMULATION_INVALID", formatComplaint(`${where}entities.${address}`, problem));
  }
  return { hosts: entities.map(([address]) => address), types: node.types, start: (ports) => start(node, entities, ports) };
}

function entityProblem(address: Address, hosted: readonly string[]): Complaint | undefined {
  const kind = kindOf(address);
  if (address !== entityOf(address)) return { message: "a child of an entity stands here", expected: `its entity, ${entityOf(address)}` };
  if (hosted.includes(kind)) return undefined;
  const suggestion = nearestName(kind, hosted);
  return { message: `no entity type "${kind}" is among the types of its node`, expected: hosted.length === 0 ? "an entity type" : `one of ${hosted.join(", ")}`, suggestion };
}

async function start(
  { types, foreignTypes, door, versions, residentEntities, activation, entitiesBegin = "at-start" }: HostingNode,
  entities: readonly (readonly [Address, EntityOptions])[],
  ports: ProcessPorts,
): Promise<RunningNode> {
  const { node, epoch, store, transport, clock, random, log, defer, stepWatch } = ports;
  await store.open();
  const sending = { node, session: random.id(), clock };
  const newId = (): string => random.id();
  const system = createSystem({
    node,
    types: types.map((type) => noted(type, ports)),
    store,
    clock,
    random,
    log,
    epoch,
    defer,
    stepWatch,
    ...(foreignTypes === undefined ? {} : { foreignTypes }),
    ...(door === undefined ? {} : { door }),
    ...(versions === undefined ? {} : { versions }),
    ...(residentEntities === undefined ? {} : { residentEntities }),
    ...(activation === undefined ? {} : { activation }),
  });
  system.setRemote(
    busRemote({
      transport,
      sending,
      newId,
      find: (entity) => {
        const home = ports.homeOf(entity);
        return home === undefined || home === node ? undefined : { key: nodeName(home, "in"), node: home, reachable: transport.state.kind === "ready" };
      },
    }),
  );
  await system.start();
  const isLate = entitiesBegin === "when-told";
  const there = isLate ? await keptIn(store) : new Set(entities.map(([entity]) => entity));
  const receiving = isLate ? beginningWhenTold(system, new Map(entities), there) : system;
  const served = await openMessageDoor({ transport, pattern: nodeName(node, "in"), system: receiving, sending, log, newId });
  const unstate = transport.onState(({ kind }) => {
    if (kind === "ready") system.reachable();
  });
  await transport.start();
  const activating = activateAll(
    system,
    entities.filter(([entity]) => there.has(entity)),
    ports,
  );
  await activating.done;
  return {
    system,
    stop: async () => {
      activating.cancel();
      unstate();
      await served.close();
      await system.stop();
      await transport.stop();
      await store.close();
    },
  };
}

async function keptIn(store: Store): Promise<Set<Address>> {
  return new Set((await store.entities(undefined, Number.MAX_SAFE_INTEGER)).map(({ entity }) => parseAddress(entity)));
}

/** @param there grows */
function beginningWhenTold(system: System, entities: ReadonlyMap<Address, EntityOptions>, there: Set<Address>): Pick<System, "receive"> {
  return {
    receive: async (message) => {
      const entity = entityOf(message.to);
      const options = entities.get(entity);
      if (options !== undefined && !there.has(entity)) {
        try {
          await system.activate(entity, options);
        } catch {
          // Its sender comes again.
          return { kind: "owner-away" };
        }
        there.add(entity);
      }
      return system.receive(message);
    },
  };
}

/** Until each has been activated: its first read may fail like any other. */
function activateAll(
  system: System,
  entities: readonly (readonly [Address, EntityOptions])[],
  { clock, random, log }: ProcessPorts,
): { readonly done: Promise<unknown>; cancel(): void } {
  const retries: Retry[] = [];
  /** What each was told of last: a scenario's own mistake repeats itself. */
  const noted = new Map<Address, string>();
  const note = (entity: Address, cause: unknown): void => {
    const why = messageOf(cause);
    if ((cause instanceof DroverError && cause.code === "DROVER_STORE_FAILED") || noted.get(entity) === why) return;
    noted.set(entity, why);
    log.error({ err: cause }, `${entity} could not begin`);
  };
  const done = entities.map(([entity, options]) => {
    const retry = new Retry(clock, () => random.next(), ACTIVATE_AGAIN);
    retries.push(retry);
    return new Promise<void>((resolve) => {
      const attempt = (): void => {
        system.activate(entity, options).then(resolve, (cause: unknown) => {
          // It comes by itself when its time is over (rules M4).
          if (cause instanceof DroverError && cause.code === "DROVER_ACTOR_HUNG") resolve();
          else {
            note(entity, cause);
            retry.later(attempt);
          }
        });
      };
      attempt();
    });
  });
  return {
    done: Promise.all(done),
    cancel: () => {
      for (const retry of retries) retry.cancel();
    },
  };
}

/** The same type; what its effects do is noted. */
function noted(type: Registered, ports: ProcessPorts): Registered {
  if (type.kind === "actor") return notedActor(type, ports);
  return type.using(...[...type.types.values()].filter(hasEffects).map((member) => notedActor(member, ports)));
}

function notedActor(type: AnyActorType, ports: ProcessPorts): AnyActorType {
  const noted: AnyActorType = { ...type, effects: Object.fromEntries(Object.entries(type.effects).map(([name, effect]) => [name, notedEffect(name, effect, ports)])) };
  return type.earlier.some(hasEffects) ? { ...noted, earlier: type.earlier.map((then) => (hasEffects(then) ? notedActor(then, ports) : then)) } : noted;
}

function hasEffects({ effects, earlier }: AnyActorType): boolean {
  return Object.keys(effects).length > 0 || earlier.some(hasEffects);
}

function notedEffect(name: string, effect: EffectImplementation, { noteEffect }: ProcessPorts): EffectImplementation {
  return async (params, work) => {
    const said = { name, key: work.key, actor: work.actor };
    noteEffect({ what: "attempt", ...said });
    try {
      const word = await effect(params, work);
      noteEffect({ what: "confirmed", ...said });
      return word;
    } catch (cause) {
      noteEffect({ what: "failed", ...said });
      throw cause;
    }
  };
}
