// What a script holds of the simulated world: its nodes, its time, and a client that speaks to them.

import type { Registered } from "../actor/index.ts";
import { DroverError } from "../errors.ts";
import { aText, type Shape } from "../shape/index.ts";
import { demanded } from "./demanded.ts";
import { OutsideClient } from "./outside-client.ts";
import type { NodeProgram } from "./process-ports.ts";
import { demandUpgrade, type NodeSpec, type Script, type Simulation } from "./simulation.ts";
import type { SimulationWorld } from "./simulation-world.ts";
import { systemProgram } from "./system-program.ts";

/** Between two attempts at it. */
const RAISED_AGAIN_MS = 500;

const A_NUMBER: Shape = { type: "number" };
/** The timeline's: a negative one counts as 0, and `Infinity` never comes. */
const A_TIME: Shape = { title: "a number", "x-test": (value) => typeof value === "number" && !Number.isNaN(value) };

/** @param specs of its nodes */
export function scriptHands(world: SimulationWorld, specs: Simulation["nodes"]): Script {
  const { timeline } = world;
  const client = new OutsideClient(world);
  const nodeOf = (name: string): NonNullable<ReturnType<typeof world.nodes.get>> => {
    const node = world.nodes.get(name);
    if (node === undefined) throw new DroverError("DROVER_SIMULATION_INVALID", `there is no node "${name}"; the nodes are ${[...world.nodes.keys()].join(", ")}`);
    return node;
  };
  return {
    get nowMs() {
      return timeline.nowMs;
    },
    random: world.random(),
    sleep: async (ms) => {
      demanded("sleep", { ms }, { ms: A_TIME });
      await new Promise<void>((resolve) => void timeline.after(ms, resolve));
    },
    tell: (address, event, options) => client.tell(address, event, options),
    ask: (address, event, options) => client.ask(address, event, options),
    insist: (address, event, options) => client.insist(address, event, options),
    system: (name) => nodeOf(name).system,
    kill: (name) => {
      nodeOf(name).kill();
    },
    start: (name) => {
      nodeOf(name).start();
    },
    stop: (name) => nodeOf(name).stop(),
    upgrade: (name, to) => {
      const node = nodeOf(name);
      const next = nextProgram(name, specs[name] as NodeSpec, to);
      node.replaceProgram(next);
      world.tell({ kind: "note", text: `from its next run on ${name} hosts ${next.types.map(wordFor).join(", ")}` });
    },
    raise: async (name, versions) => {
      const node = nodeOf(name);
      for (;;) {
        world.tell({ kind: "note", text: `raises ${JSON.stringify(versions)} on ${name}` });
        const end = await node.raise(versions);
        if (end !== undefined && "raised" in end) return end.raised;
        if (end !== undefined && !(end.failed instanceof DroverError && end.failed.code === "DROVER_STORE_FAILED")) throw end.failed;
        await new Promise<void>((resolve) => void timeline.after(RAISED_AGAIN_MS, resolve));
      }
    },
    cut: (node, other) => {
      world.cut(nodeOf(node).name, other === undefined ? undefined : nodeOf(other).name);
    },
    heal: (node, other) => {
      world.heal(nodeOf(node).name, other === undefined ? undefined : nodeOf(other).name);
    },
    jump: (name, ms) => {
      const node = nodeOf(name);
      demanded("jump", { ms }, { ms: A_NUMBER });
      world.tell({ kind: "fault", what: "clock-jump", where: name });
      node.wallOffsetMs += ms;
    },
    note: (text) => {
      demanded("note", { text }, { text: aText });
      world.tell({ kind: "note", text });
    },
  };
}

/** @throws DROVER_SIMULATION_INVALID */
function nextProgram(name: string, spec: NodeSpec, to: readonly Registered[] | NodeProgram): NodeProgram {
  demandUpgrade(name, spec, to);
  return "program" in spec ? (to as NodeProgram) : systemProgram({ ...spec, types: to as readonly Registered[] }, `upgrade of "${name}": `);
}

function wordFor(type: Registered): string {
  const versions = type.kind === "entity" ? [...type.types.values()] : [type];
  return versions.map(({ name, version }) => `${name} v${String(version)}`).join(" with ");
}
