// Two nodes on one bus in memory, each with a disk of its own. A node can be killed in the middle of anything and started again.

import { busRemote, type MessageDoor, openMessageDoor } from "../../../runtime/wire/index.ts";
import { createSystem, type Door, entityOf, idOf, type Address, parseAddress, type Registered, type System } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, type MemoryStore, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";
import { memoryNetwork, type MemoryNetwork } from "../../../runtime/simulation/memory-transport.ts";
import { ledgerTypes } from "./ledger.ts";

export interface Node {
  readonly name: string;
  readonly system: System;
  readonly store: MemoryStore;
  readonly disk: MemoryDisk;
  /** The process ends without a word. */
  kill(): void;
  stop(): Promise<void>;
}

export interface Nodes {
  readonly clock: ManualClock;
  readonly network: MemoryNetwork;
  readonly random: SeededRandom;
  /** Hosts what is named after it: `a` hosts `t/writer/a-1`. */
  start(name: string, options?: { readonly disk?: MemoryDisk; readonly epoch?: number; readonly commitMs?: number; readonly door?: Door }): Promise<Node>;
}

export function twoNodes(seed = 1, latencyMs: number | readonly [number, number] = 1, types: readonly Registered[] = ledgerTypes): Nodes {
  const clock = new ManualClock();
  const random = new SeededRandom(seed);
  const network = memoryNetwork({ clock, random, latencyMs });

  async function start(name: string, { disk = new MemoryDisk(), epoch = 1, commitMs = 0, door: judge }: Parameters<Nodes["start"]>[1] = {}): Promise<Node> {
    const store = memoryStore({ disk, ...(commitMs === 0 ? {} : { delay: () => new Promise<void>((resolve) => void clock.setTimeout(resolve, commitMs)) }) });
    await store.open();
    const transport = network.transport(name);
    await transport.start();
    let isAlive = true;
    const sending = { node: name, session: random.id(), clock };
    const newId = (): string => random.id();
    const system = createSystem({ node: name, types, store, clock, random, log: silentLog, epoch, ...(judge === undefined ? {} : { door: judge }) });
    const place = (entity: Address): { key: string; node: string; reachable: boolean } | undefined => {
      const owner = idOf(entity).split("-")[0] ?? "";
      return owner === name ? undefined : { key: `drover/v1/n/${owner}/in`, node: owner, reachable: isAlive && transport.state.kind === "ready" };
    };
    system.setRemote(busRemote({ transport, sending, newId, find: place }));
    await system.start();
    const door: MessageDoor = await openMessageDoor({ transport, pattern: `drover/v1/n/${name}/in`, system, sending, log: silentLog, newId });
    return {
      name,
      system,
      store,
      disk,
      kill: () => {
        isAlive = false;
        store.crash();
        network.cut(name);
        void door.close();
        void system.stop();
        network.heal(name);
      },
      stop: async () => {
        await door.close();
        await system.stop();
      },
    };
  }

  return { clock, network, random, start };
}

export const WRITER = parseAddress("t/writer/a-1");
export const LEDGER = parseAddress("t/ledger/b-1");

export async function begin(node: Node, ...entities: readonly Address[]): Promise<void> {
  for (const entity of entities) await node.system.activate(entityOf(entity), { input: undefined });
}

export function entriesOf(node: { readonly system: System }, ledger: Address = LEDGER): readonly number[] {
  return (node.system.read(ledger)?.context as { readonly entries: readonly number[] } | undefined)?.entries ?? [];
}
