// A node that hosts entities of a user's types, unchanged: a system on the simulated ports, with a door for messages of the other nodes.

import { type AnyActorType, type EffectImplementation, type Registered } from "../actor/index.ts";
import { type Address, parseAddress } from "../address.ts";
import { DroverError } from "../errors.ts";
import { Retry } from "../retry.ts";
import { createSystem, type EntityOptions, type System, type SystemOptions } from "../system/index.ts";
import { busRemote, nodeName, openMessageDoor } from "../wire/index.ts";
import type { NodeProgram, ProcessPorts, RunningNode } from "./process-ports.ts";

const ACTIVATE_AGAIN = { firstMs: 100, longestMs: 2_000 };

export interface HostingNode {
  /** What the node's system is given: entity types, and actor types with their effects and tasks supplied. */
  readonly types: readonly Registered[];
  /** Entities that live here from the beginning, by address, with the input of their roots. Default none. */
  readonly entities?: Readonly<Record<string, EntityOptions | undefined>>;
  /** Types whose entities live on other nodes. */
  readonly foreignTypes?: SystemOptions["foreignTypes"];
  readonly door?: SystemOptions["door"];
  /** As of `createSystem`: how many entities of types that passivate may be in memory. */
  readonly residentEntities?: SystemOptions["residentEntities"];
  /** As of `createSystem`: how fast entities may come into memory. */
  readonly activation?: SystemOptions["activation"];
}

export function systemProgram(node: HostingNode): NodeProgram {
  const entities = Object.entries(node.entities ?? {}).map(([address, options]) => [parseAddress(address), options ?? { input: undefined }] as const);
  return { hosts: entities.map(([address]) => address), types: node.types, start: (ports) => start(node, entities, ports) };
}

async function start(
  { types, foreignTypes, door, residentEntities, activation }: HostingNode,
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
  const served = await openMessageDoor({ transport, pattern: nodeName(node, "in"), system, sending, log, newId });
  const unstate = transport.onState(({ kind }) => {
    if (kind === "ready") system.reachable();
  });
  await transport.start();
  const activating = activateAll(system, entities, ports);
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

/** Until each has been activated: its first read may fail like any other. */
function activateAll(
  system: System,
  entities: readonly (readonly [Address, EntityOptions])[],
  { clock, random }: ProcessPorts,
): { readonly done: Promise<unknown>; cancel(): void } {
  const retries: Retry[] = [];
  const done = entities.map(([entity, options]) => {
    const retry = new Retry(clock, () => random.next(), ACTIVATE_AGAIN);
    retries.push(retry);
    return new Promise<void>((resolve) => {
      const attempt = (): void => {
        system.activate(entity, options).then(resolve, (cause: unknown) => {
          // It comes by itself when its time is over (rules M4).
          if (cause instanceof DroverError && cause.code === "DROVER_ACTOR_HUNG") resolve();
          else retry.later(attempt);
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
  return type.using(...[...type.types.values()].filter(({ effects }) => Object.keys(effects).length > 0).map((member) => notedActor(member, ports)));
}

function notedActor(type: AnyActorType, ports: ProcessPorts): AnyActorType {
  return { ...type, effects: Object.fromEntries(Object.entries(type.effects).map(([name, effect]) => [name, notedEffect(name, effect, ports)])) };
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
