// What a vehicle's node stands on. The real ones here; a test or the simulator hands over its own (hosting A6).

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { mqttTransport, type NodeCredential, readCredentials } from "../protocols/mqtt/index.ts";
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
import {
  type AppendLog,
  type Clock,
  DroverError,
  type KeptChildren,
  type Log,
  type MetricsSource,
  type Random,
  silentLog,
  type Store,
  type Transport,
} from "../runtime/ports/index.ts";
import type { EdgeConfig } from "./config.ts";
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
    stepWatch: "function, if any",
    program: "function, if any",
    keptServices: "function, if any",
    defer: "function, if any",
  });
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
  stepWatch: (folder) => startStepWatch({ file: join(folder, "steps.crash") }),
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
  transport: (uplink, node, vehicle, { clock, log, random }) => {
    const { url, credentials } = uplink;
    const held = credentials === undefined ? undefined : heldCredential(credentials, node, vehicle);
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

/** @throws DROVER_CONFIG_INVALID when there is none of this node, or another vehicle's under its name */
function heldCredential(folder: string, node: string, { tenant, vehicle }: { readonly tenant: string; readonly vehicle: string }): NodeCredential {
  const all = readCredentials(folder);
  const held = all.find((credential) => credential.node === node);
  const way = `\`drover enroll ${tenant}/vehicle/${vehicle} --node NAME\` makes one, and \`node: NAME\` in this configuration names it`;
  if (held === undefined) {
    const others = all.length === 0 ? "" : ` (there are those of ${all.map((credential) => credential.node).join(", ")})`.slice(0, 300);
    throw new DroverError("DROVER_CONFIG_INVALID", `uplink.credentials: ${folder} holds no credential of the node ${node}${others}: ${way}`);
  }
  const { reach } = held;
  if (reach.kind === "vehicle" && (reach.tenant !== tenant || reach.vehicle !== vehicle))
    throw new DroverError(
      "DROVER_CONFIG_INVALID",
      `uplink.credentials: the credential of the node ${node} in ${folder} is that of ${reach.tenant}/vehicle/${reach.vehicle}, not of ${tenant}/vehicle/${vehicle}: ${way}`,
    );
  return held;
}
