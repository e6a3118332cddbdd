// What a vehicle's node stands on. The real ones here; a test or the simulator hands over its own (hosting A6).

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { mqttTransport } from "../protocols/mqtt/index.ts";
import { type Identity, loadIdentity, saveIdentity, sqliteLog, sqliteStore } from "../protocols/sqlite/index.ts";
import {
  demandPorts,
  keptFile,
  makeFolder,
  type NodeStepWatch,
  type ProgramSpec,
  readPlainFileIfAny,
  startStepWatch,
  type Startable,
  systemClock,
  systemRandom,
} from "../runtime/index.ts";
import { type AppendLog, type Clock, type KeptChildren, type Log, type MetricsSource, type Random, silentLog, type Store, type Transport } from "../runtime/ports/index.ts";
import type { EdgeConfig } from "./config.ts";
import { heldCredential } from "./held-credential.ts";
import { realUpdatePorts, type UpdatePorts, type UpdatePortsOptions } from "./update-ports.ts";
import type { readVehicle, VehicleFiles } from "./vehicle-files.ts";

export interface EdgePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly files: VehicleFiles;
  /** Default: reads and checks the vehicle's files at each start. For who starts it often from files that stay the same. */
  readonly readVehicle?: typeof readVehicle;
  readonly identity: {
    load(folder: string): Promise<{ readonly identity: Identity; readonly repaired: string | undefined } | undefined>;
    save(folder: string, identity: Identity): Promise<void>;
  };
  /** @param node who is to hold it, for whoever finds it held */
  store(folder: string, ports: EdgePorts, node?: string): Store & { readonly metrics?: MetricsSource };
  telemetryLog(folder: string, maxBytes: number, ports: EdgePorts, node?: string): AppendLog & { readonly metrics?: MetricsSource };
  transport(uplink: NonNullable<EdgeConfig["uplink"]>, node: string, vehicle: { readonly tenant: string; readonly vehicle: string }, ports: EdgePorts): Transport;
  /** Where images are kept and come from, and the upload ports of modules; default: this node updates no module. @throws DROVER_CONFIG_INVALID */
  updates?(options: UpdatePortsOptions, ports: EdgePorts): UpdatePorts;
  /** Ends the process when a step hangs (rules M4); default: nobody does. */
  stepWatch?(folder: string): NodeStepWatch;
  /** What runs a service; default a real process. */
  readonly program?: (spec: ProgramSpec) => Startable;
  /** Keeps the services that were added at run time; default nobody does. */
  readonly keptServices?: (folder: string, log: Log) => KeptChildren;
  /** See SystemOptions.defer. */
  readonly defer?: (run: () => void) => void;
}

/** @throws DROVER_CONFIG_INVALID with every port that is missing, unknown or of another kind, a line each */
export function checkPorts(ports: unknown): asserts ports is EdgePorts {
  demandPorts<EdgePorts>(ports, {
    files: ["read", "names"],
    readVehicle: "function, if any",
    identity: ["load", "save"],
    store: "function",
    telemetryLog: "function",
    transport: "function",
    updates: "function, if any",
    stepWatch: "function, if any",
    program: "function, if any",
    keptServices: "function, if any",
    defer: "function, if any",
  });
}

/** @param endedByOthers see StepWatchOptions */
export function realStepWatch(folder: string, endedByOthers = false): NodeStepWatch {
  return startStepWatch({ file: join(folder, "steps.crash"), endedByOthers });
}

export const realPorts: EdgePorts = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  files: {
    read: (path) => readPlainFileIfAny(path, "a plain file"),
    names: (folder) => {
      try {
        return readdirSync(folder === "" ? "." : folder);
      } catch {
        return [];
      }
    },
  },
  identity: { load: loadIdentity, save: saveIdentity },
  store: (folder, { clock, log }, node) => {
    makeFolder(folder, "data");
    return sqliteStore({
      path: join(folder, "journal.db"),
      clock,
      log,
      node,
    });
  },
  stepWatch: realStepWatch,
  telemetryLog: (folder, maxBytes, { clock, log, random }, node) =>
    sqliteLog({
      path: join(folder, "telemetry.db"),
      maxBytes,
      clock,
      log,
      random,
      node,
    }),
  keptServices: (folder, log) => keptFile(join(folder, "services.json"), log),
  updates: (options, { clock, log }) => realUpdatePorts(options, { clock, log }),
  transport: (uplink, node, vehicle, { clock, log, random }) => {
    const { url, credentials } = uplink;
    const held = credentials === undefined ? undefined : heldCredential("uplink.credentials", credentials, node, vehicle);
    const username = uplink.username ?? held?.node;
    const password = uplink.password ?? held?.secret;
    return mqttTransport({
      url,
      setting: "uplink.url",
      node,
      vehicle,
      clock,
      log,
      random,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
    });
  },
};
