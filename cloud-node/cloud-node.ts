// A cloud node: hosts presence, requests and alarms, keeps a replica of each vehicle, forwards commands to their owners, answers for all of it over HTTP.
//
//   cloud  rest-for-one
//   ├─ store
//   ├─ transports   one-for-one: broker (unless an external one is used), bus
//   ├─ entities     the system: recovered entities, replicas
//   ├─ ingest       messages, streams, telemetry, presence, announced trees
//   └─ api          HTTP

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { alarmEntity, presenceEntity, requestsEntity, requestsType, vehicleEntity } from "../actors/index.ts";
import { type HttpServer, listenHttp, loadTokens } from "../protocols/http/index.ts";
import { busRemote, openMessageDoor, openStreamIngest, openTelemetryIngest, SignalMirror, watchLive } from "../protocols/uplink/index.ts";
import { createReplicas, createSystem, createTree, entityOf, everyVehicle, hosted, kindOf, lifeOf, parseAddress, parseName, supervisor, type System, type Tree } from "../runtime/index.ts";
import type { Transport } from "../runtime/ports/index.ts";
import { type AnnouncedTree, watchTrees } from "./announced-trees.ts";
import type { CloudConfig } from "./config.ts";
import { type BrokerLogin, type CloudPorts, realPorts } from "./ports.ts";
import { createPresences } from "./presences.ts";
import { untilAborted } from "./until-aborted.ts";
import { VehicleLinks } from "./vehicle-links.ts";
import { forwarding, waitingRemote } from "./waiting-commands.ts";

const HTTP_PORT = 8080;
const BROKER_PORT = 1883;
const HOSTED_KINDS = new Set(["presence", "requests", "alarm"]);

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

export function createCloudNode(config: CloudConfig, ports: CloudPorts = realPorts): CloudNode {
  const { clock, random, log } = ports;
  const node = config.node ?? "cloud-1";
  const credentials = join(config.data, "credentials");
  const store = ports.store(config.data, ports);
  const links = new VehicleLinks(clock);
  const mirror = new SignalMirror(clock);
  const sending = { node, session: random.id(), clock };
  const newId = (): string => random.id();
  const urls: { http: string | undefined; broker: string | undefined } = { http: undefined, broker: undefined };
  let login: BrokerLogin | undefined;
  let transport: Transport | undefined;
  let trees: readonly AnnouncedTree[] = [];
  let readTrees = (): readonly AnnouncedTree[] => trees;
  let started = false;
  let firstToken: string | undefined;

  const lastSeen = (entity: ReturnType<typeof entityOf>): number | undefined => replicas.read(entity)?.asOf;
  const direct = {
    route: (entity: ReturnType<typeof entityOf>) => remote()?.route(entity),
    send: (message: Parameters<ReturnType<typeof busRemote>["send"]>[0]) => remote()?.send(message) ?? Promise.resolve({ kind: "owner-away" } as const),
  };
  function remote(): ReturnType<typeof busRemote> | undefined {
    return transport === undefined ? undefined : busRemote({ transport, sending, newId, find: (entity) => links.place(entity, lastSeen) });
  }

  const system = createSystem({
    node,
    types: [presenceEntity, requestsEntity, alarmEntity, requestsType.with({ effects: forwarding(links, () => direct, () => system, clock) ?? {} })],
    store,
    clock,
    random,
    log,
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
  system.setRemote(waitingRemote(direct, () => system, clock));
  const presences = createPresences(links, () => system, log);

  const storeLife = lifeOf(async ({ ready }, signal) => {
    await mkdir(config.data, { recursive: true });
    const opened = await store.open();
    if (opened.movedAside !== undefined) log.error({ ...opened.movedAside }, "the store was damaged and moved aside whole; replicas are asked for anew");
    ready();
    await untilAborted(signal);
    await store.close();
  });

  const brokerLife = lifeOf(async ({ ready }, signal) => {
    const { host = "127.0.0.1", port = BROKER_PORT } = config.broker !== undefined && "url" in config.broker ? {} : (config.broker ?? {});
    const own = ports.ownCredential(credentials, node);
    const broker = await ports.broker({ host, port, credentials }, ports);
    urls.broker = broker.url;
    login = { url: broker.url, ...own };
    ready();
    await untilAborted(signal);
    await broker.close();
  });

  const busLife = lifeOf(async ({ ready }, signal) => {
    const used = config.broker !== undefined && "url" in config.broker ? withoutUndefined(config.broker) : login;
    if (used === undefined) throw new Error("the broker is not there");
    urls.broker = used.url;
    const bus = ports.transport(used, node, ports);
    transport = bus;
    await bus.start();
    ready();
    await untilAborted(signal);
    await bus.stop(1_000);
  });

  const entitiesLife = lifeOf(async ({ ready }, signal) => {
    await system.start();
    await replicas.open();
    for (const entity of await hostedBefore()) await system.activate(parseAddress(entity), { input: undefined });
    await Promise.all(replicas.entities().map((vehicle) => presences.expect(vehicle)));
    ready();
    await untilAborted(signal);
    await system.stop();
  });

  async function hostedBefore(): Promise<readonly string[]> {
    const found: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await store.entities(after, 500);
      found.push(...page.filter(({ type }) => HOSTED_KINDS.has(type)).map(({ entity }) => entity));
      after = page.at(-1)?.entity;
      if (page.length < 500) return found;
    }
  }

  const ingestLife = lifeOf(async ({ ready }, signal) => {
    if (transport === undefined) throw new Error("the bus is not there");
    const heard = (tenant: string, vehicle: string): void => {
      links.heard(tenant, vehicle);
    };
    const admits = (key: string, message: { readonly entity: string | undefined }): boolean => {
      const name = parseName(key);
      return name?.kind === "vehicle" && (message.entity === undefined || message.entity === `${name.tenant}/vehicle/${name.vehicle}`);
    };
    const common = { transport, sending, newId, log };
    const opened = await Promise.all([
      openMessageDoor({ ...common, pattern: everyVehicle.up("in"), system, admits }),
      openStreamIngest({ ...common, replicas, heard }),
      openTelemetryIngest({ ...common, mirror, heard }),
    ]);
    const unwatch = await watchLive(transport, sending, log, (event) => {
      presences.changed(event);
    });
    const announced = await watchTrees(transport, clock);
    readTrees = () => announced.all();
    ready();
    await untilAborted(signal);
    trees = announced.all();
    readTrees = () => trees;
    await Promise.all([...opened.map((each) => each.close()), unwatch(), announced.close()]);
  });

  const apiLife = lifeOf(async ({ ready }, signal) => {
    const tokens = await loadTokens(config.data, { clock, random });
    firstToken = tokens.firstToken;
    const server: HttpServer = await listenHttp({
      host: config.http?.host ?? "127.0.0.1",
      port: config.http?.port ?? HTTP_PORT,
      portKey: "http.port / DROVER_HTTP_PORT",
      facade: {
        system,
        clock,
        random,
        log,
        tokens,
        trees: () => [{ node, at: clock.now(), tree: tree.describe(), entities: system.describeEntities() }, ...readTrees()],
        nodes: () => [
          { node, kind: "cloud", state: "up", since: tree.describe().since },
          ...links.all().map(([entity, link]) => ({ node: link.live.node, kind: "edge", vehicle: entity, state: link.up ? "up" : "down", since: link.since, epoch: link.live.epoch, version: link.live.version })),
        ],
        signals: mirror,
        decorate: (view) => (view.address === view.entity && kindOf(view.address) === "vehicle" ? { presence: presences.of(view.entity) } : {}),
        ready: () => ({ ok: transport?.state.kind === "ready", reasons: transport?.state.kind === "ready" ? [] : ["the bus is not connected"] }),
        started: () => started,
      },
    });
    urls.http = server.url;
    started = true;
    ready();
    await untilAborted(signal);
    await server.close();
  });

  const tree = createTree(
    supervisor("cloud", { strategy: "rest-for-one", intensity: 3, periodMs: 60_000 }, [
      hosted("store", storeLife, { kind: "worker" }),
      supervisor("transports", { strategy: "rest-for-one", intensity: 3, periodMs: 60_000 }, [
        ...(config.broker !== undefined && "url" in config.broker ? [] : [hosted("broker", brokerLife, { kind: "worker" })]),
        hosted("bus", busLife, { kind: "worker" }),
      ]),
      hosted("entities", entitiesLife, { kind: "system" }),
      hosted("ingest", ingestLife, { kind: "worker" }),
      hosted("api", apiLife, { kind: "worker" }),
    ]),
    { clock, random, log },
  );

  return {
    system,
    tree,
    urls,
    get firstToken() {
      return firstToken;
    },
    start: () => tree.start(),
    stop: () => tree.stop(4_000),
  };
}

function withoutUndefined(login: { readonly url: string; readonly username?: string | undefined; readonly password?: string | undefined }): BrokerLogin {
  const { url, username, password } = login;
  return { url, ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
}
