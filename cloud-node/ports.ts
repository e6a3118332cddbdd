// What a cloud node stands on. The real ones here; a test or the simulator hands over its own (hosting A6).

import { join } from "node:path";
import { type HttpFacadeOptions, listenHttp, loadTokens } from "../protocols/http/index.ts";
import { CredentialBook, embeddedBroker, type EmbeddedBroker, mqttTransport, nodeCredential } from "../protocols/mqtt/index.ts";
import { type ImageLimits, type ImageStore, imageStore } from "./images/index.ts";
import { sqliteStore } from "../protocols/sqlite/index.ts";
import { demandPorts, keptFile, makeFolder, type NodeStepWatch, type ProgramSpec, startStepWatch, type Startable, systemClock, systemRandom } from "../runtime/index.ts";
import { type Clock, type KeptChildren, type Log, type MetricsSource, type Random, silentLog, type Store, type Transport } from "../runtime/ports/index.ts";

export interface BrokerLogin {
  readonly url: string;
  readonly username?: string;
  readonly password?: string;
}

export interface CloudPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  /** @param node who is to hold it, for whoever finds it held */
  store(folder: string, ports: CloudPorts, node?: string): Store & { readonly metrics?: MetricsSource };
  /** The broker of this node, for all that have a credential in the folder. @throws DROVER_PORT_IN_USE */
  broker(options: { readonly host: string; readonly port: number; readonly credentials: string }, ports: CloudPorts): Promise<EmbeddedBroker>;
  /** The credential that this node itself uses at its own broker. */
  ownCredential(folder: string, node: string): { readonly username: string; readonly password: string };
  /** Ends the process when a step hangs (rules M4); default: nobody does. */
  stepWatch?(folder: string): NodeStepWatch;
  /** What runs a service; default a real process. */
  readonly program?: (spec: ProgramSpec) => Startable;
  /** Keeps the services that were added at run time; default nobody does. */
  readonly keptServices?: (folder: string, log: Log) => KeptChildren;
  transport(login: BrokerLogin, node: string, ports: CloudPorts): Transport;
  /** Serves the API to who holds a token of the folder. @throws DROVER_PORT_IN_USE */
  api(options: { readonly host: string | undefined; readonly port: number; readonly data: string; readonly facade: Omit<HttpFacadeOptions, "tokens"> }): Promise<Api>;
  /** Where the images of modules are; default: this node has none. */
  images?(folder: string, limits: ImageLimits, ports: CloudPorts): ImageStore;
  /** Address of the vehicle whose node has this credential of the folder (`ownCredential`); default: no vehicle's node is known. */
  vehicleOf?(folder: string): (node: string, secret: string) => string | undefined;
  /** See SystemOptions.defer. */
  readonly defer?: (run: () => void) => void;
}

/** @throws DROVER_CONFIG_INVALID with every port that is missing, unknown or of another kind, a line each */
export function checkPorts(ports: unknown): asserts ports is CloudPorts {
  demandPorts<CloudPorts>(ports, {
    store: "function",
    broker: "function",
    ownCredential: "function",
    stepWatch: "function, if any",
    program: "function, if any",
    keptServices: "function, if any",
    transport: "function",
    api: "function",
    images: "function, if any",
    vehicleOf: "function, if any",
    defer: "function, if any",
  });
}

export interface Api {
  readonly url: string;
  /** Made at the first start of a folder. */
  readonly firstToken: string | undefined;
  close(): Promise<void>;
}

export const realPorts: CloudPorts = {
  clock: systemClock,
  random: systemRandom,
  log: silentLog,
  stepWatch: (folder) => startStepWatch({ file: join(folder, "steps.crash") }),
  store: (folder, { clock, log }, node) => {
    makeFolder(folder, "data");
    return sqliteStore({
      path: join(folder, "journal.db"),
      clock,
      log,
      node,
    });
  },
  broker: ({ host, port, credentials }, { clock, log }) => embeddedBroker({ host, port, credentials: CredentialBook.of(credentials), clock, log }),
  ownCredential: (folder, node) => {
    const { node: username, secret } = nodeCredential(folder, node, { kind: "everything" });
    return { username, password: secret };
  },
  images: (folder, limits, ports) => imageStore(join(folder, "images"), limits, ports),
  vehicleOf: (folder) => {
    const book = CredentialBook.of(folder);
    return (node, secret) => {
      const reach = book.check(node, Buffer.from(secret, "utf8"));
      return reach?.kind === "vehicle" ? `${reach.tenant}/vehicle/${reach.vehicle}` : undefined;
    };
  },
  keptServices: (folder, log) => keptFile(join(folder, "services.json"), log),
  transport: (login, node, { clock, random, log }) => mqttTransport({ ...login, setting: "broker.url", node, clock, random, log }),
  api: async ({ host, port, data, facade }) => {
    const tokens = await loadTokens(data, { clock: facade.clock });
    const server = await listenHttp({ ...(host === undefined ? {} : { host }), port, facade: { ...facade, tokens } });
    return { url: server.url, firstToken: tokens.firstToken, close: () => server.close() };
  },
};
