// Our own nodes as programs of the simulator, unchanged: they get other ports (hosting A6).

import { alarmEntity, presenceEntity, requestsEntity, vehicleEntity } from "../../actors/index.ts";
import { type CloudPorts, createCloudNode } from "../../cloud-node/index.ts";
import { createEdgeNode, type EdgePorts, readVehicle } from "../../edge-node/index.ts";
import { type NodeProgram, memoryLog, type ProcessPorts } from "../../runtime/simulation/index.ts";
import { Cabin } from "./cabin.ts";
import { CabinBus } from "./cabin-bus.ts";
import { filesOf } from "./small-vehicle.ts";

const TELEMETRY_BYTES = 1_000_000;

/** Models by vehicle: its files are the same at each of its starts. */
const models = new Map<string, ReturnType<typeof readVehicle>>();

/** @param isQuiet whether nothing that it knows of the vehicles is old */
export function cloudProgram(isQuiet: (ports: ProcessPorts) => boolean): NodeProgram {
  return {
    hosts: [],
    types: [alarmEntity, presenceEntity, requestsEntity],
    start: async (ports) => {
      const { clock, random, log, defer, store, transport, node: name } = ports;
      const given: CloudPorts = {
        clock,
        random,
        log,
        defer,
        store: () => store,
        transport: () => transport,
        broker: () => Promise.reject(new Error("the simulated bus needs no broker")),
        ownCredential: () => ({ username: name, password: "" }),
        api: () => Promise.resolve({ url: "simulated", firstToken: undefined, close: () => Promise.resolve() }),
      };
      const node = createCloudNode({ node: name, data: "simulated", broker: { url: "mqtt://simulated" } }, given);
      await node.start();
      return { system: node.system, exited: node.tree.exited, isQuiet: () => isQuiet(ports), stop: () => node.stop() };
    },
  };
}

/** @param vehicle address of its entity */
export function edgeProgram(vehicle: string): NodeProgram {
  const files = filesOf(vehicle);
  return {
    hosts: [vehicle],
    types: [vehicleEntity],
    start: async (ports) => {
      const { clock, random, log, defer, store, transport, kept, hold } = ports;
      const identity = kept("identity", (): { at: Awaited<ReturnType<EdgePorts["identity"]["load"]>> } => ({ at: undefined }));
      const telemetry = kept("telemetry", () => memoryLog({ maxBytes: TELEMETRY_BYTES, incarnation: `log-${vehicle}` }));
      const cabin = kept("cabin", () => new Cabin());
      const given: EdgePorts = {
        clock,
        random,
        log,
        defer,
        store: () => store,
        telemetryLog: () => hold(telemetry),
        transport: () => transport,
        files: {
          read: (path) => {
            const text = files.get(path);
            return text === undefined ? undefined : new TextEncoder().encode(text);
          },
          names: () => [...files.keys()],
        },
        readVehicle: (...from) => {
          const model = models.get(vehicle) ?? readVehicle(...from);
          models.set(vehicle, model);
          return model;
        },
        identity: {
          load: () => Promise.resolve(identity.at),
          save: (_folder, saved) => {
            identity.at = { identity: saved, repaired: undefined };
            return Promise.resolve();
          },
        },
      };
      const config = { vehicle: "vehicle.yaml", data: "simulated", uplink: { url: "mqtt://simulated" }, buses: { can0: () => new CabinBus(cabin, ports) } };
      const node = createEdgeNode(config, given);
      await node.start();
      return { system: node.system, exited: node.tree.exited, stop: () => node.stop() };
    },
  };
}
