// A vehicle's node: hosts the vehicle's entity, reads its buses, sends what its file lists, works with no cloud (design sections 6, 8; promises S6, S11).
//
//   edge  rest-for-one
//   ├─ store        journal, telemetry log, identity, the system on them
//   ├─ buses        one-for-one: a source each
//   ├─ links        one-for-one: the cloud's broker, where one is configured
//   ├─ T/vehicle/V  the entity with its modules
//   ├─ uplink       samples into the log; with a link: stream, telemetry, commands, tree
//   └─ api          HTTP on loopback, where one is configured

import { moduleType, ownerType, vehicleEntity } from "../actors/index.ts";
import type { SampleRecord, SignalSource } from "../protocols/uplink/index.ts";
import { type Address, createSystem, createTree, hosted, idOf, lifeOf, supervisor, type System, type Tree, type TreeNode } from "../runtime/index.ts";
import type { AppendLogOpened, TimeoutHandle, Transport } from "../runtime/ports/index.ts";
import { apiLife } from "./api-life.ts";
import { busChild } from "./bus-child.ts";
import { busSources } from "./bus-sources.ts";
import { createChannels } from "./channels.ts";
import { commandDoor } from "./command-door.ts";
import { commandList } from "./commands.ts";
import { DEFAULT_TELEMETRY_BYTES, type EdgeConfig } from "./config.ts";
import { createConfirmations } from "./confirmations.ts";
import { createModuleFacts } from "./module-facts.ts";
import { createPipeline } from "./pipeline.ts";
import { type EdgePorts, realPorts } from "./ports.ts";
import { checkEdgeConfig } from "./read-config.ts";
import { sampleRecorder } from "./sample-recorder.ts";
import { sentFrames } from "./sent-frames.ts";
import { signalValues } from "./signal-values.ts";
import { storeLife } from "./store-life.ts";
import { announceLoss, keptLoss } from "./store-loss.ts";
import { createTeller } from "./teller.ts";
import { createTransmit } from "./transmit.ts";
import { announcePresence, cloudRemote, openUplink, type Uplink } from "./uplink.ts";
import { untilAborted } from "./until-aborted.ts";
import { createVehicleFacts } from "./vehicle-facts.ts";
import { readVehicle } from "./vehicle-files.ts";
import { vehicleLife } from "./vehicle-life.ts";
import { wholeTree } from "./whole-tree.ts";

const BEAT_MS = 100;
const STOP_WITHIN_MS = 4_000;

export interface EdgeNode {
  readonly vehicle: Address;
  readonly system: System;
  readonly tree: Tree;
  readonly signals: SignalSource;
  /** The tree with the vehicle's actors in it. */
  describe(): TreeNode;
  counters(): EdgeCounters;
  /** Where the vehicle's own API listens, if one is configured and started. */
  readonly apiUrl: string | undefined;
  /** Resolves when the vehicle's actors run. @throws what could not start */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface EdgeCounters {
  /** Frames taken since the start, over all buses. */
  readonly frames: number;
  /** Signals whose value is known and fresh, of all. */
  readonly signals: { readonly fresh: number; readonly all: number };
  readonly sentFrames: number;
  readonly refusedFrames: number;
}

/** @throws DROVER_CONFIG_INVALID for the configuration, the vehicle's files, a bus that is missing or not the vehicle's */
export function createEdgeNode(config: EdgeConfig, ports: EdgePorts = realPorts): EdgeNode {
  checkEdgeConfig(config);
  const model = readVehicle(config.vehicle, ports.files);
  const sources = busSources(config, model);
  const { clock, random, log } = ports;
  const commands = commandList(model, model.vehicle);
  const { vehicle } = commands;
  const node = config.node ?? `edge-${idOf(vehicle)}`;
  const session = random.id();
  const store = ports.store(config.data, ports);
  const telemetry = ports.telemetryLog(config.data, config.telemetry?.max_bytes ?? DEFAULT_TELEMETRY_BYTES, ports);
  const transport: Transport | undefined = config.uplink === undefined ? undefined : ports.transport(config.uplink, node, { tenant: vehicle.split("/")[0] ?? "", vehicle: idOf(vehicle) }, ports);

  const pipeline = createPipeline(model, clock);
  const channels = createChannels(model, pipeline);
  const signals = signalValues(vehicle, pipeline, clock);
  let epoch = 1;
  let apiUrl: string | undefined;
  let opened: AppendLogOpened | undefined;
  let uplink: Uplink | undefined;
  const appended = (seq: number, sample?: SampleRecord): void => uplink?.appended(seq, sample);
  const sent = sentFrames({ telemetry, clock, log, appended });

  const system = createSystem({
    node,
    types: [vehicleEntity, ...[moduleType, ownerType].map((type) => type.with({ effects: { transmitState: (...work) => transmit.perform(...work), transmitOnce: (...work) => transmit.perform(...work) } }))],
    store,
    clock,
    random,
    log,
    // Known once the store is open.
    get epoch() {
      return epoch;
    },
    door: (message, type) => door(message, type),
    ...(ports.defer === undefined ? {} : { defer: ports.defer }),
  });
  const read = (address: Address): ReturnType<System["read"]> => system.read(address);
  const confirmations = createConfirmations({ pipeline, channels, system, clock });
  const door = commandDoor({ commands, channels, pipeline, clock, read });
  const transmit = createTransmit({ commands, channels, confirmations, pipeline, sent, clock, read });
  const teller = createTeller(system, clock);
  const facts = [createVehicleFacts({ commands, pipeline, teller, system }), createModuleFacts({ commands, pipeline, channels, confirmations, teller, system, clock })];
  const recorder = model.telemetry.state === undefined ? undefined : sampleRecorder({ pipeline, state: model.telemetry.state, telemetry, clock, log, appended });
  if (transport !== undefined) system.setRemote(cloudRemote({ transport, vehicle, node, session, clock, random }));

  const linkLife = (link: Transport): ReturnType<typeof lifeOf> =>
    lifeOf(async ({ ready }, signal) => {
      announcePresence(link, vehicle, { node, session, epoch }, random);
      await link.start();
      ready();
      await untilAborted(signal);
      await link.stop(1_000);
    });

  const uplinkLife = lifeOf(async ({ ready }, signal) => {
    if (opened === undefined) throw new Error("the telemetry log is not open");
    const everything = (): SampleRecord => recorder?.everything(clock.monotonic()) ?? { at: clock.now(), values: {} };
    if (transport !== undefined)
      uplink = await openUplink({ transport, vehicle, node, session, model, system, store, telemetry: { log: telemetry, opened }, clock, random, log, tree: describe, everything, isSimulated: () => pipeline.simulated });
    const loss = transport === undefined ? undefined : await keptLoss(store);
    const stopAlarm = loss === undefined || transport === undefined ? undefined : announceLoss(loss, { vehicle, system, store, transport, clock, random, log });
    let timer: TimeoutHandle | undefined;
    const beat = (): void => {
      timer = clock.setTimeout(beat, BEAT_MS);
      const nowMs = clock.monotonic();
      recorder?.beat(nowMs);
      signals.beat(nowMs);
      uplink?.beat(nowMs);
    };
    beat();
    ready();
    await untilAborted(signal);
    clock.clearTimeout(timer);
    stopAlarm?.();
    const ending = uplink;
    uplink = undefined;
    await ending?.stop();
  });

  const tree = createTree(
    supervisor("edge", { strategy: "rest-for-one", backoff: { giveUpAfterMs: 600_000, onGiveUp: "degrade" } }, [
      hosted(
        "store",
        storeLife({
          folder: config.data,
          node,
          store,
          telemetry,
          system,
          ports,
          opened: (found) => {
            epoch = found.identity.epoch;
            opened = found.telemetry;
          },
          closing: async () => recorder?.idle(),
        }),
        { kind: "worker", startMs: 60_000 },
      ),
      supervisor(
        "buses",
        { strategy: "one-for-one", backoff: { maxMs: 5_000, giveUpAfterMs: 600_000, onGiveUp: "degrade" }, startFailure: "retry" },
        model.buses.flatMap((bus) => {
          const open = sources.get(bus.name);
          return open === undefined ? [] : [hosted(bus.name, busChild(bus, open, pipeline), { kind: "bus" })];
        }),
      ),
      supervisor("links", { strategy: "one-for-one", backoff: {}, startFailure: "retry" }, transport === undefined ? [] : [hosted("cloud", linkLife(transport), { kind: "link" })]),
      hosted(vehicle, vehicleLife({ system, commands, pipeline, channels, confirmations, teller, facts, clock, log, storeLoss: async () => (await keptLoss(store))?.reason }), { kind: "entity", startMs: 60_000 }),
      hosted("uplink", uplinkLife, { kind: "worker" }),
      ...(config.http === undefined ? [] : [hosted("api", apiLife({ http: config.http, data: config.data, node, vehicle, system, signals, describe, clock, random, log, listening: (url) => (apiUrl = url) }), { kind: "worker" })]),
    ]),
    { clock, random, log },
  );

  function describe(): TreeNode {
    return wholeTree(tree, system);
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
    counters: () => {
      const readings = pipeline.table.readAll(clock.monotonic());
      return {
        frames: [...pipeline.frames.values()].reduce((sum, count) => sum + count, 0),
        signals: { fresh: readings.filter(({ quality }) => quality === "good").length, all: readings.length },
        sentFrames: transmit.counters.sent,
        refusedFrames: transmit.counters.refused,
      };
    },
    start: () => tree.start(),
    stop: () => tree.stop(STOP_WITHIN_MS),
  };
}
