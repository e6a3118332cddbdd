// Store and forward as a supervised child: samples go into the log whether there is a cloud or not (S6); where one is configured, everything that waits goes out.

import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { type FoundFork, type SampleRecord, SentBound } from "../protocols/uplink/index.ts";
import { type Address, lifeOf, type Startable, type System, type TreeNode, untilAborted } from "../runtime/index.ts";
import type { AppendLog, AppendLogOpened, Clock, Log, Random, Store, TimeoutHandle } from "../runtime/ports/index.ts";
import { announceBusAlarms } from "./bus-alarms.ts";
import type { CloudLink } from "./cloud-link.ts";
import type { KeptTelemetry } from "./kept-telemetry.ts";
import type { Pipeline } from "./pipeline.ts";
import { sampleRecorder } from "./sample-recorder.ts";
import type { SignalValues } from "./signal-values.ts";
import { openNewHistory } from "./history-fork.ts";
import { announceLosses } from "./store-loss.ts";
import { openUplink, type Uplink } from "./uplink.ts";

const BEAT_MS = 100;

export interface UplinkLifeOptions {
  readonly vehicle: Address;
  readonly node: string;
  readonly session: string;
  readonly model: VehicleModel;
  readonly pipeline: Pipeline;
  readonly signals: SignalValues;
  readonly system: System;
  readonly store: Store;
  readonly telemetry: AppendLog;
  readonly kept: KeptTelemetry;
  /** What its opening told; undefined until it is open. */
  readonly telemetryOpened: () => AppendLogOpened | undefined;
  /** undefined: this vehicle has no cloud. */
  readonly link: CloudLink | undefined;
  readonly describe: () => TreeNode;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface UplinkLife {
  readonly life: Startable;
  /** The store is open, and no entity has taken a turn yet; with a cloud or without one, which it may have later. @throws DROVER_STORE_FAILED */
  storeOpened(): Promise<void>;
  /** Something stands in the telemetry log. */
  appended(seq: number, sample: SampleRecord | undefined): void;
  /** Settles when no sample is being written any more. */
  idle(): Promise<void>;
}

export function uplinkLife(options: UplinkLifeOptions): UplinkLife {
  const { vehicle, model, pipeline, system, store, telemetry, kept, link, clock, random, log } = options;
  const { state } = model.telemetry;
  const sent = new SentBound({ entity: vehicle, store, log });
  let uplink: Uplink | undefined;
  const live = (sample: SampleRecord): void => uplink?.live(sample);
  const recorder = state === undefined ? undefined : sampleRecorder({ pipeline, session: options.session, state, telemetry: kept, clock, live });
  const everything = (): SampleRecord => recorder?.everything(clock.monotonic()) ?? { at: clock.now(), values: {} };

  async function connect(to: CloudLink): Promise<() => Promise<void>> {
    const opened = options.telemetryOpened();
    if (opened === undefined) throw new Error("the telemetry log is not open");
    const transport = to.transport();
    const ports = { vehicle, system, store, transport, clock, random, log };
    let alarms: (() => void) | undefined;
    let isOver = false;
    const fork = async (found: FoundFork): Promise<void> => {
      await openNewHistory(found, ports);
      const stop = await announceLosses(ports);
      if (isOver) stop();
      else alarms = stop;
    };
    const parts = {
      ...options,
      transport,
      transit: to.transit,
      telemetry: { log: telemetry, opened },
      tree: options.describe,
      everything,
      isSimulated: () => pipeline.simulated,
      sent,
      fork,
    };
    const opening = openUplink(parts);
    uplink = opening;
    const buses = model.buses.map(({ name }) => name);
    const announced = await Promise.allSettled([announceLosses(ports), announceBusAlarms({ ...ports, session: options.session, buses })]);
    const disconnect = async (): Promise<void> => {
      isOver = true;
      alarms?.();
      for (const each of announced) if (each.status === "fulfilled") each.value();
      uplink = undefined;
      await opening.stop();
    };
    const failed = announced.find((each) => each.status === "rejected");
    if (failed === undefined) return disconnect;
    // Whoever starts it again finds nothing of this one running.
    await disconnect();
    throw failed.reason;
  }

  return {
    storeOpened: () => sent.open(),
    appended: (seq, sample) => uplink?.appended(seq, sample),
    idle: async () => recorder?.idle(),
    life: lifeOf(async ({ ready }, signal) => {
      const disconnect = link === undefined ? undefined : await connect(link);
      let timer: TimeoutHandle | undefined;
      const beat = (): void => {
        timer = clock.setTimeout(beat, BEAT_MS);
        const nowMs = clock.monotonic();
        kept.beat(nowMs);
        recorder?.beat(nowMs);
        options.signals.beat(nowMs);
        uplink?.beat(nowMs);
      };
      beat();
      ready();
      await untilAborted(signal);
      clock.clearTimeout(timer);
      await disconnect?.();
    }),
  };
}
