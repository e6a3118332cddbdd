// The world of one seed: its time, its network, its nodes, and what has happened in it.

import type { Random } from "../ports/index.ts";
import type { Fact, Said } from "./history.ts";
import { memoryNetwork, type MemoryNetwork } from "./memory-transport.ts";
import { OfferedMessages } from "./offered-messages.ts";
import { OpenWork } from "./open-work.ts";
import type { NodeProgram, ProcessPorts } from "./process-ports.ts";
import { mulberry32, SeededRandom } from "./seeded-random.ts";
import { SimulatedDatabase, type StoreFaults } from "./simulated-store.ts";
import { SimulatedNode } from "./simulated-node.ts";
import { quiet, Timeline } from "./timeline.ts";

export interface NetworkFaults {
  /** One way, node to bus or bus to node, ms. Default 0.2 to 5. */
  readonly latencyMs: readonly [least: number, most: number];
  /** Chance that an unconfirmed message, an ask or an answer is lost. Default 0.02. */
  readonly drop: number;
  /** Chance that a confirmed message arrives twice. Default 0.02. */
  readonly duplicate: number;
  /** Chance that a message is held back, so that others overtake it. Default 0.05. */
  readonly reorder: number;
}

export interface WorldNode {
  readonly program: NodeProgram;
  readonly ports?: (ports: ProcessPorts) => ProcessPorts;
  /** Its disk confirms what it has not kept: a power cut loses it (rules L3). Default false. */
  readonly lyingDisk?: boolean;
}

export interface WorldOptions {
  readonly seed: number;
  readonly nodes: Readonly<Record<string, WorldNode>>;
  readonly network: NetworkFaults;
  readonly store: StoreFaults;
  /** As of a simulation. */
  readonly looksTwice: boolean;
}

const NO_STORE_FAULTS = { unknown: 0, refused: 0, failedRead: 0 };

export class SimulationWorld {
  readonly timeline = new Timeline();
  readonly history: Fact[] = [];
  readonly network: MemoryNetwork;
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  readonly openWork = new OpenWork();
  readonly offered = new OfferedMessages();
  readonly #draw: () => number;
  readonly #cuts = new Map<string, readonly [string, string | undefined]>();
  #store: StoreFaults;

  constructor({ seed, nodes, network, store, looksTwice }: WorldOptions) {
    this.#draw = mulberry32(seed);
    this.#store = store;
    const { timeline } = this;
    const clock = {
      now: () => timeline.nowMs,
      monotonic: () => timeline.nowMs,
      setTimeout: (run: () => void, delayMs: number) => timeline.after(delayMs, run) as never,
      clearTimeout: (handle: unknown) => {
        if (handle !== undefined) timeline.callOff(handle as never);
      },
    };
    this.network = memoryNetwork({ clock, random: this.random(), latencyMs: network.latencyMs });
    this.network.setFaults({ drop: network.drop, duplicate: network.duplicate, reorder: network.reorder });
    const order = this.random();
    const homes = new Map(Object.entries(nodes).flatMap(([name, { program }]) => program.hosts.map((entity) => [entity, name] as const)));
    this.nodes = new Map(
      Object.entries(nodes).map(([name, { program, ports, lyingDisk }]) => {
        const seeds = mulberry32(this.#draw());
        const node = new SimulatedNode({
          name,
          program,
          ports,
          database: new SimulatedDatabase(name, { random: this.random(), tell: (said) => this.tell(said), lies: lyingDisk === true }),
          storeFaults: () => this.#store,
          timeline,
          network: this.network,
          offered: this.offered,
          looksTwice,
          order,
          seedOf: () => seeds(),
          homeOf: (entity) => homes.get(entity),
          tell: (said) => this.tell(said),
        });
        return [name, node] as const;
      }),
    );
  }

  /** A source of its own, drawn from the seed: what one part of the world draws changes nothing for the others. */
  random(): Random {
    return new SeededRandom(this.#draw());
  }

  readonly tell = (said: Said): void => {
    const fact = { ...said, atMs: this.timeline.nowMs } as Fact;
    this.history.push(fact);
    this.openWork.note(fact);
  };

  cut(node: string, other?: string): void {
    this.#cuts.set(`${node} ${other ?? ""}`, [node, other]);
    this.network.cut(node, other);
  }

  heal(node: string, other?: string): void {
    this.#cuts.delete(`${node} ${other ?? ""}`);
    this.network.heal(node, other);
  }

  /** No fault is left: links and stores work, nobody is paused, every node runs or is being started. */
  healAll(): void {
    for (const [node, other] of [...this.#cuts.values()]) this.heal(node, other);
    this.network.setFaults({});
    this.#store = { ...this.#store, ...NO_STORE_FAULTS };
    for (const node of this.nodes.values()) {
      node.database.isOut = false;
      node.database.isFull = false;
      node.database.slowness = 1;
      node.endFormer();
      node.resume();
      node.start();
    }
  }

  /** Lets time pass to `untilMs`, or until `isOver`. */
  async pass(untilMs: number, isOver: () => boolean = () => false): Promise<void> {
    // What was begun from here goes as far as it gets by itself, before time moves (T3 of the timeline).
    await quiet();
    while (!isOver() && (await this.timeline.step(untilMs)));
  }
}
