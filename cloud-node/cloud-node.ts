// A cloud node: hosts presence, requests and alarms, keeps a replica of each vehicle, forwards commands to their owners, answers for all of it over HTTP.
//
//   cloud  rest-for-one
//   ├─ store
//   ├─ transports   rest-for-one: broker (unless an external one is used), bus
//   ├─ entities     the system: recovered entities, replicas
//   ├─ ingest       messages, streams, telemetry, presence, announced trees
//   ├─ api          HTTP
//   └─ services     one-for-one, where some are configured: programs

import { join } from "node:path";
import { alarmEntity, groupEntity, presenceEntity, requestsEntity, requestsType, rolloutEntity, vehicleEntity } from "../actors/index.ts";
import { SignalMirror } from "../protocols/uplink/index.ts";
import {
  type Address,
  createReplicas,
  createSystem,
  createTree,
  demandShape,
  hosted,
  lifeOf,
  services,
  supervisor,
  type System,
  type Tree,
  type TreeNode,
  untilAborted,
  watchStore,
} from "../runtime/index.ts";
import { apiLife } from "./api-life.ts";
import { busLink } from "./bus-link.ts";
import { type CloudConfig, cloudConfigSchema } from "./config.ts";
import { entitiesLife, type LostStore } from "./entities-life.ts";
import { forwarding } from "./forwarding.ts";
import { ingestLife } from "./ingest-life.ts";
import { leftCommands } from "./left-commands.ts";
import { checkPorts, type CloudPorts, realPorts } from "./ports.ts";
import { createPresences } from "./presences.ts";
import { rememberingSent } from "./sent-commands.ts";
import { VehicleLinks } from "./vehicle-links.ts";
import { waitingRemote } from "./waiting-commands.ts";

/** The store's id in the tree. */
const STORE = "store";
const STOP_WITHIN_MS = 4_000;

export interface CloudNode {
  readonly system: System;
  readonly tree: Tree;
  /** Resolves when the API answers. @throws what could not start */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Where it listens, once started. */
  readonly urls: { readonly http: string | undefined; readonly broker: string | undefined };
  /** The first admin token, at the first start only: shown once. */
  readonly firstToken: string | undefined;
}

/** @throws DROVER_CONFIG_INVALID with every key that is unknown, missing or not as it should be, and with every port, a line each */
export function createCloudNode(config: CloudConfig, ports: CloudPorts = realPorts): CloudNode {
  demandShape(config, cloudConfigSchema, "the configuration", "DROVER_CONFIG_INVALID");
  checkPorts(ports);
  const { clock, random, log } = ports;
  const node = config.node ?? "cloud-1";
  const store = watchStore(ports.store(config.data, ports, node), ports);
  const links = new VehicleLinks(clock);
  const mirror = new SignalMirror(clock, (vehicle) => replicas.read(vehicle as Address) !== undefined);
  const sending = { node, session: random.id(), clock };
  const newId = (): string => random.id();
  let http: string | undefined;
  let firstToken: string | undefined;

  const lastSeen = (entity: Address): number | undefined => replicas.read(entity)?.asOf;
  const bus = busLink({ config, node, credentials: join(config.data, "credentials"), ports, sending, find: (entity) => links.place(entity, lastSeen) });
  const left = leftCommands(() => system, clock);
  const remote = rememberingSent(bus.remote, left, clock);
  const stepWatch = ports.stepWatch?.(config.data);
  const system = createSystem({
    node,
    ...(stepWatch === undefined ? {} : { stepWatch }),
    types: [presenceEntity, requestsEntity, alarmEntity, rolloutEntity, groupEntity, requestsType.with({ effects: forwarding(links, remote, () => system, clock) })],
    foreignTypes: [vehicleEntity],
    store,
    clock,
    random,
    log,
    ...(config.versions === undefined ? {} : { versions: config.versions }),
    ...(ports.defer === undefined ? {} : { defer: ports.defer }),
  });
  const replicas = createReplicas(
    {
      store,
      clock,
      log,
      node,
      types: vehicleEntity.types,
      owner: (entity) => ({ node: links.get(entity)?.live.node ?? "unknown", epoch: links.get(entity)?.live.epoch ?? 0 }),
      heardAt: (entity) => links.get(entity)?.heardAt,
    },
    (type) => type === vehicleEntity.name,
  );
  system.mount(replicas);
  system.setRemote(waitingRemote(remote, () => system, clock));
  const presences = createPresences(
    links,
    () => system,
    log,
    (vehicle) => bus.remote.sessionEnded(vehicle),
  );
  const ingest = ingestLife({ transport: () => bus.transport, system, store, replicas, mirror, links, presences, sending, newId, clock, log });

  let lost: LostStore | undefined;
  const storeLife = lifeOf(async ({ ready }, signal) => {
    const { movedAside } = await store.open();
    if (movedAside !== undefined) log.error({ ...movedAside }, "the store was damaged and moved aside whole; replicas are asked for anew");
    lost = movedAside;
    ready();
    await untilAborted(signal);
    await store.close();
  });
  const api = apiLife({
    config,
    node,
    ports,
    system,
    store,
    replicas,
    links,
    mirror,
    presences,
    bus,
    ingest,
    tree: () => tree,
    describe,
    listening: (url, token) => {
      http = url;
      firstToken = token;
    },
  });

  const tree = createTree(
    supervisor("cloud", { strategy: "rest-for-one", intensity: 3, periodMs: 300_000 }, [
      hosted(STORE, storeLife, { kind: "worker", startMs: 60_000 }),
      supervisor("transports", { strategy: "rest-for-one", intensity: 3, periodMs: 60_000 }, [
        ...(bus.brokerLife === undefined ? [] : [hosted("broker", bus.brokerLife, { kind: "worker" })]),
        hosted("bus", bus.transportLife, { kind: "worker" }),
      ]),
      hosted("entities", entitiesLife({ node, system, store, replicas, presences, lost: () => lost, log }), { kind: "system", startMs: 60_000 }),
      hosted("ingest", ingest.life, { kind: "worker" }),
      hosted("api", api, { kind: "worker" }),
      ...(config.services === undefined ? [] : [services(config.services, ports.program, ports.keptServices?.(config.data, log))]),
    ]),
    { clock, random, log },
  );

  function describe(): TreeNode {
    const told = tree.describe();
    const { trouble } = store;
    return trouble === undefined ? told : { ...told, children: told.children.map((child) => (child.id === STORE ? { ...child, note: `degraded: ${trouble}` } : child)) };
  }

  return {
    system,
    tree,
    get urls() {
      return { http, broker: bus.brokerUrl };
    },
    get firstToken() {
      return firstToken;
    },
    start: () => tree.start(),
    stop: () => tree.stop(STOP_WITHIN_MS).finally(() => stepWatch?.stop()),
  };
}
