// The vehicle's side of the cloud link: presence, the entity's stream and telemetry out, what the vehicle is made of (design sections 7, 8).
// Nothing in the vehicle waits for it (S6).
//
// U1. Every message to an actor that does not live here goes to the cloud; `owner-away` while there is no link.
// U2. The tree is announced when it has changed, at most every 2 s; values are told anew every 30 s and with each link, for a cloud that has forgotten them: soon after one has begun
//     anew behind a broker that did not, at a moment of each vehicle's own.

import type { VehicleModel } from "../actors/vehicle-file/index.ts";
import { type FoundFork, livePayload, type SampleRecord, type SentBound, type SignalInfo, startStreamShipper, startTelemetryShipper } from "../protocols/uplink/index.ts";
import {
  type Address,
  encodeEnvelope,
  idOf,
  type Remote,
  type System,
  type TransitEstimator,
  type TreeNode,
  vehicleNames,
  type WireKind,
  droverVersion,
} from "../runtime/index.ts";
import type { AppendLog, AppendLogOpened, Clock, Log, Random, Store, Transport } from "../runtime/ports/index.ts";
import { busRemote } from "../runtime/wire/index.ts";

const TREE_EVERY_MS = 2_000;
const VALUES_EVERY_MS = 30_000;
/** A cloud that begins anew has its doors open by then; all its vehicles tell it their values within as long again three times. */
const VALUES_AFTER_MS = 500;
/** A cloud calls a value stale when it was not told anew for so long. */
const STALE_AFTER_MS = 3 * VALUES_EVERY_MS;

export interface UplinkOptions {
  readonly transport: Transport;
  readonly transit: TransitEstimator;
  readonly vehicle: Address;
  readonly node: string;
  /** Names this run of the node. */
  readonly session: string;
  readonly model: VehicleModel;
  readonly system: System;
  readonly store: Store;
  readonly telemetry: { readonly log: AppendLog; readonly opened: AppendLogOpened };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly tree: () => TreeNode;
  readonly everything: () => SampleRecord;
  readonly isSimulated: () => boolean;
  /** These two as in the shipper of its stream. */
  readonly sent: SentBound;
  readonly fork: (found: FoundFork) => Promise<void>;
}

export interface Uplink {
  /** Something stands in the log under this seq. */
  appended(seq: number, sample: SampleRecord | undefined): void;
  /** Told at once, and kept nowhere. */
  live(sample: SampleRecord): void;
  beat(nowMs: number): void;
  stop(): Promise<void>;
}

/** Presence is told as long as the link lives. Once per transport, before it starts. */
export function announcePresence(transport: Transport, vehicle: Address, info: { readonly node: string; readonly session: string; readonly epoch: number }, random: Random): void {
  transport.announce(namesOf(vehicle).live, () => livePayload({ ...info, version: droverVersion() }, () => random.id()));
}

/** U1. */
export function cloudRemote(options: Pick<UplinkOptions, "vehicle" | "node" | "session" | "clock" | "random"> & { readonly transport: () => Transport }): Remote {
  const { vehicle, node, session, clock, random } = options;
  const key = namesOf(vehicle).up("in");
  const remote = (): Remote =>
    busRemote({
      transport: options.transport(),
      sending: { node, session, clock },
      newId: () => random.id(),
      find: (entity) => (entity === vehicle ? undefined : { key, node: "cloud", reachable: options.transport().state.kind === "ready" }),
    });
  return { route: (entity) => remote().route(entity), send: (message) => remote().send(message) };
}

export function openUplink(options: UplinkOptions): Uplink {
  const { transport, transit, vehicle, node, session, system, store, telemetry, clock, random, log } = options;
  const names = namesOf(vehicle);
  const sending = { node, session, clock };
  const newId = (): string => random.id();
  const envelope = (kind: WireKind, body: unknown): Uint8Array => encodeEnvelope({ kind, id: newId(), sender: { node, session }, body });

  let valuesAtMs = Number.NEGATIVE_INFINITY;
  const stream = startStreamShipper({
    transport,
    key: names.up("stream"),
    entity: vehicle,
    system,
    store,
    sent: options.sent,
    sending,
    newId,
    transit,
    log,
    random: () => random.next(),
    fork: options.fork,
  });
  const { totals, incarnation } = telemetry.opened;
  const shipper = startTelemetryShipper(
    {
      transport,
      key: names.up("telemetry"),
      liveKey: names.up("signals"),
      log: telemetry.log,
      incarnation,
      sending,
      newId,
      words: log,
      random: () => random.next(),
      cloudBegan: () => {
        valuesAtMs = clock.monotonic() - VALUES_EVERY_MS + VALUES_AFTER_MS * (1 + 3 * random.next());
      },
    },
    totals.acknowledged,
    totals.lastSeq,
  );
  let toldTree = "";
  let toldSimulated: boolean | undefined;
  let treeAtMs = Number.NEGATIVE_INFINITY;
  const unstate = transport.onState((state) => {
    if (state.kind !== "ready") return;
    toldTree = "";
    toldSimulated = undefined;
    treeAtMs = Number.NEGATIVE_INFINITY;
    valuesAtMs = Number.NEGATIVE_INFINITY;
    system.reachable();
  });

  function tellTree(): void {
    const tree = options.tree();
    const text = JSON.stringify(tree);
    if (text === toldTree) return;
    toldTree = text;
    void transport.setLast(names.up("tree"), envelope("tree", tree)).then((outcome) => {
      if (outcome.kind !== "accepted" && outcome.kind !== "handed") toldTree = "";
    });
  }

  function tellSignals(): void {
    const simulated = options.isSimulated();
    if (simulated === toldSimulated) return;
    toldSimulated = simulated;
    const signals: SignalInfo[] = options.model.signals.map(({ name, unit, labels }) => ({ name, unit: unit ?? null, labels }));
    void transport.setLast(names.up("signal-info"), envelope("signals", { signals, simulated, staleAfterMs: STALE_AFTER_MS })).then((outcome) => {
      if (outcome.kind !== "accepted" && outcome.kind !== "handed") toldSimulated = undefined;
    });
  }

  return {
    appended: (seq, sample) => {
      shipper.appended(seq, sample ?? { at: clock.now(), values: {} });
    },
    live: (sample) => {
      shipper.live(sample);
    },
    beat: (nowMs) => {
      if (transport.state.kind !== "ready") return;
      tellSignals();
      if (nowMs - treeAtMs >= TREE_EVERY_MS) {
        treeAtMs = nowMs;
        tellTree();
      }
      if (nowMs - valuesAtMs >= VALUES_EVERY_MS) {
        valuesAtMs = nowMs;
        void transport.publish(names.up("signals"), envelope("signals", options.everything()), { qos: "drop" });
      }
    },
    stop: async () => {
      unstate();
      await Promise.all([stream.stop(), shipper.stop()]);
    },
  };
}

function namesOf(vehicle: Address): ReturnType<typeof vehicleNames> {
  return vehicleNames(vehicle.split("/")[0] ?? "", idOf(vehicle));
}
