// Brings the planned faults about, and ends each after its time.

import type { PlannedFault } from "./fault-plan.ts";
import type { SimulationWorld } from "./simulation-world.ts";

/** How much slower a `slow-store` is. */
const SLOWNESS = 60;
/** Most corrections are by up to a minute. A quarter sets the clock back or forward by hours: a machine without a battery, an operator. */
const LONGEST_JUMP_MS = 60_000;
const FAR_JUMPS = 0.25;
const FARTHEST_JUMP_MS = 6 * 3_600_000;

export function unleash(world: SimulationWorld, plan: readonly PlannedFault[]): { stop(): void } {
  const { timeline } = world;
  let isOver = false;
  const jumps = world.random();

  function later(ms: number, work: () => void): void {
    timeline.after(ms, () => {
      if (!isOver) work();
    });
  }

  function bring({ kind, node: name, other, forMs }: PlannedFault): void {
    const node = world.nodes.get(name);
    if (node === undefined) return;
    world.tell({ kind: "fault", what: kind, where: other === undefined ? name : `${name} from ${other}`, forMs });
    switch (kind) {
      case "kill":
        node.kill();
        later(forMs, () => {
          node.start();
        });
        break;
      case "power-cut":
        node.endFormer();
        node.kill();
        void node.database.powerCut();
        later(forMs, () => {
          node.start();
        });
        break;
      case "restart":
        void node.stop().then(() => {
          later(forMs, () => {
            node.start();
          });
        });
        break;
      case "pause":
        node.pause();
        later(forMs, () => {
          node.resume();
        });
        break;
      case "takeover":
        node.pause();
        node.takeOver();
        later(forMs / 2, () => {
          node.resume();
        });
        later(forMs, () => {
          node.endFormer();
        });
        break;
      case "cut":
      case "part":
        world.cut(name, other);
        later(forMs, () => {
          world.heal(name, other);
        });
        break;
      case "store-outage":
        node.database.isOut = true;
        later(forMs, () => {
          node.database.isOut = false;
        });
        break;
      case "full-store":
        node.database.isFull = true;
        later(forMs, () => {
          node.database.isFull = false;
        });
        break;
      case "slow-store":
        node.database.slowness = SLOWNESS;
        later(forMs, () => {
          node.database.slowness = 1;
        });
        break;
      case "old-copy": {
        node.kill();
        const putBack = node.database.copied();
        node.start();
        later(forMs, () => {
          node.kill();
          void putBack();
          node.start();
        });
        break;
      }
      case "clock-jump":
        node.wallOffsetMs += jumpMs(jumps.next());
        break;
    }
  }

  for (const fault of plan) {
    later(fault.atMs, () => {
      bring(fault);
    });
  }
  return {
    stop: () => {
      isOver = true;
    },
  };
}

function jumpMs(chance: number): number {
  const part = (chance - 0.5) * 2;
  const near = 1 - FAR_JUMPS;
  if (Math.abs(part) < near) return (part / near) * LONGEST_JUMP_MS;
  return Math.sign(part) * (LONGEST_JUMP_MS + ((Math.abs(part) - near) / FAR_JUMPS) * (FARTHEST_JUMP_MS - LONGEST_JUMP_MS));
}
