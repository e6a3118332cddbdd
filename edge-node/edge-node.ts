// A vehicle's node: hosts the vehicle's entity, reads its buses, sends what its file lists, works with no cloud (design sections 6, 8; promises S6, S11).
//
//   edge  rest-for-one
//   ├─ store        journal, telemetry log, identity, the system on them
//   ├─ buses        one-for-one: a source each
//   ├─ links        one-for-one: the cloud's broker, where one is configured; commands come in
//   ├─ T/vehicle/V  the entity with its modules
//   ├─ uplink       samples into the log; with a link: stream, telemetry, tree
//   ├─ api          HTTP on loopback, where one is configured
//   └─ services     one-for-one, where some are configured: programs

import { linkMetrics } from "../protocols/mqtt/index.ts";
import type { Identity } from "../protocols/sqlite/index.ts";
import { type Address, createTree, hosted, idOf, services, supervisor, type TreeNode, watchStore } from "../runtime/index.ts";
import type { AppendLogOpened } from "../runtime/ports/index.ts";
import { apiLife } from "./api-life.ts";
import { busChild } from "./bus-child.ts";
import { busSources } from "./bus-sources.ts";
import { cloudLink } from "./cloud-link.ts";
import { DEFAULT_TELEMETRY_BYTES, type EdgeConfig } from "./config.ts";
import { keptMute } from "./kept-mute.ts";
import { keptTelemetry } from "./kept-telemetry.ts";
import type { EdgeNode } from "./contract.ts";
import { countersOf } from "./counters.ts";
import { checkPorts, type EdgePorts, realPorts } from "./ports.ts";
import { checkEdgeConfig } from "./read-config.ts";
import { sentFrames } from "./sent-frames.ts";
import { signalValues } from "./signal-values.ts";
import { storeLife } from "./store-life.ts";
import { uplinkLife } from "./uplink-life.ts";
import { readVehicle } from "./vehicle-files.ts";
import { vehicleLife } from "./vehicle-life.ts";
import { vehicleWorks } from "./vehicle-works.ts";
import { BUS, STORE, storeTroubles, wholeTree } from "./whole-tree.ts";

const STOP_WITHIN_MS = 4_000;

/** @throws DROVER_CONFIG_INVALID for the configuration, the ports, the vehicle's files, a bus that is missing or not the vehicle's, an upload URL that is none or of no module of it */
export function createEdgeNode(config: EdgeConfig, ports: EdgePorts = realPorts): EdgeNode {
  checkEdgeConfig(config);
  checkPorts(ports);
  const model = (ports.readVehicle ?? readVehicle)(config.vehicle, ports.files, ports.log);
  const sources = busSources(config, model, ports.files);
  const { clock, random, log } = ports;
  const session = random.id();
  const node = config.node ?? `edge-${idOf(model.vehicle as Address)}`;
  const store = watchStore(ports.store(config.data, ports, node), ports);
  const telemetry = ports.telemetryLog(config.data, config.telemetry?.max_bytes ?? DEFAULT_TELEMETRY_BYTES, ports, node);
  const stepWatch = ports.stepWatch?.(config.data);
  let identity: Identity | undefined;
  const epoch = (): number => identity?.epoch ?? 1;
  let apiUrl: string | undefined;
  let firstToken: string | undefined;
  let telemetryOpened: AppendLogOpened | undefined;

  const kept = keptTelemetry({
    telemetry,
    clock,
    log,
    appended: (seq, sample) => {
      uplink.appended(seq, sample);
    },
  });
  const sent = sentFrames({ telemetry: kept, clock, log });
  const names = { tenant: model.vehicle.split("/")[0] ?? "", vehicle: idOf(model.vehicle as Address) };
  const works = vehicleWorks({ config, model, node, names, epoch, store, sent, stepWatch, ports });
  const { system, pipeline } = works;
  const { vehicle } = works.commands;
  const signals = signalValues(vehicle, pipeline, clock);
  const mute = keptMute({
    vehicle,
    system,
    identity: () => identity,
    save: async (next) => {
      await ports.identity.save(config.data, next);
      identity = next;
    },
    clock,
    random,
    log,
  });
  const { uplink: broker } = config;
  const link = broker === undefined ? undefined : cloudLink({ vehicle, node, session, epoch, system, clock, random, log, make: () => ports.transport(broker, node, names, ports) });
  if (link !== undefined) system.setRemote(link.remote);
  const uplink = uplinkLife({
    vehicle,
    node,
    session,
    model,
    pipeline,
    signals,
    system,
    store,
    telemetry,
    kept,
    telemetryOpened: () => telemetryOpened,
    link,
    describe,
    clock,
    random,
    log,
  });

  const metrics = [store.metrics, telemetry.metrics, kept.metrics, link === undefined ? undefined : () => linkMetrics(link.transport().counters)].filter(
    (source) => source !== undefined,
  );

  const tree = createTree(
    supervisor("edge", { strategy: "rest-for-one", backoff: { giveUpAfterMs: 600_000, onGiveUp: "degrade" } }, [
      hosted(
        STORE,
        storeLife({
          folder: config.data,
          node,
          store,
          telemetry,
          system,
          ports,
          opened: (found) => {
            identity = found.identity;
            telemetryOpened = found.telemetry;
            return uplink.storeOpened();
          },
          closing: () => uplink.idle(),
        }),
        { kind: "worker", startMs: 60_000 },
      ),
      supervisor(
        "buses",
        { strategy: "one-for-one", backoff: { maxMs: 5_000, giveUpAfterMs: 600_000, onGiveUp: "degrade" }, startFailure: "retry" },
        model.buses.flatMap((bus) => {
          const open = sources.get(bus.name);
          return open === undefined ? [] : [hosted(bus.name, busChild(bus, open, pipeline), { kind: BUS })];
        }),
      ),
      supervisor("links", { strategy: "one-for-one", backoff: {}, startFailure: "retry" }, link === undefined ? [] : [hosted("cloud", link.life, { kind: "link" })]),
      hosted(vehicle, vehicleLife({ ...works, clock, log, keptMute: mute, store }), {
        kind: "entity",
        startMs: 60_000,
      }),
      hosted("uplink", uplink.life, { kind: "worker" }),
      ...(config.http === undefined
        ? []
        : [
            hosted(
              "api",
              apiLife({
                http: config.http,
                data: config.data,
                node,
                vehicle,
                system,
                signals,
                describe,
                troubles,
                clock,
                random,
                log,
                metrics,
                listening: (url, made) => {
                  apiUrl = url;
                  firstToken ??= made;
                },
              }),
              {
                kind: "worker",
              },
            ),
          ]),
      ...(config.services === undefined ? [] : [services(config.services, ports.program, ports.keptServices?.(config.data, log))]),
    ]),
    { clock, random, log },
  );

  function troubles(): readonly string[] {
    return storeTroubles(store, kept);
  }

  function describe(): TreeNode {
    return wholeTree({ tree, system, pipeline, troubles: troubles() });
  }

  return {
    vehicle,
    system,
    tree,
    signals,
    describe,
    get apiUrl() {
      return apiUrl;
    },
    get firstToken() {
      return firstToken;
    },
    counters: () => countersOf(works, clock),
    start: () => tree.start(),
    stop: () => tree.stop(STOP_WITHIN_MS).finally(() => Promise.all([works.updates?.close(), stepWatch?.stop()])),
  };
}
