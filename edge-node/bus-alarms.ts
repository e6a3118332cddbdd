// The alarm of each bus that is down, as the vehicle's committed state has it, told to the cloud: as soon as there is a link, across restarts, each word once.
//
// B1. What the cloud has taken stands in the store: by bus the outage for which its alarm is raised, or that it is cleared. Where that was lost with the
//     journal nothing is known of it: whatever is so is told.
// B2. An outage that ended before the next is told as ended first, so that an acknowledgement of the one is none of the other.

import type { VehicleContext } from "../actors/index.ts";
import { type Address, idOf, Retry, type System, type Told } from "../runtime/index.ts";
import type { Clock, Log, Random, Store, Transport } from "../runtime/ports/index.ts";
import { downText } from "./pipeline.ts";
import { keptLoss } from "./store-loss.ts";

const KEY = "edge/bus-alarms";
const TELL_WITHIN_MS = 10_000;
const RETRY = { firstMs: 500, longestMs: 60_000 };

export interface BusAlarmPorts {
  readonly vehicle: Address;
  /** Names this run of the node. */
  readonly session: string;
  readonly buses: readonly string[];
  readonly system: Pick<System, "tell" | "read" | "watch">;
  readonly store: Store;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Wall ms at which the outage began; null: no alarm is raised. */
type Standing = number | null;

/** Returns how to stop. */
export async function announceBusAlarms(ports: BusAlarmPorts): Promise<() => void> {
  const { vehicle, system, store, transport, clock, random, log } = ports;
  const [tenant = ""] = vehicle.split("/");
  const told = await kept(store);
  const isLost = (await keptLoss(store, "journal")) !== undefined;
  const retry = new Retry(clock, () => random.next(), RETRY);
  let isTelling = false;
  let isStopped = false;
  const unwatch = system.watch(({ entity }) => {
    if (entity === vehicle) tell();
  });
  const unstate = transport.onState(({ kind }) => {
    if (kind !== "ready") return;
    retry.reset();
    tell();
  });
  tell();

  function tell(): void {
    if (isTelling || isStopped || retry.isWaiting || transport.state.kind !== "ready") return;
    const outages = outagesOf();
    const bus = outages === undefined ? undefined : [...new Set([...ports.buses, ...told.keys()])].find((name) => standing(name) !== (outages[name]?.since ?? null));
    if (outages === undefined || bus === undefined) return;
    isTelling = true;
    void settle(bus, outages[bus])
      .then(
        () => {
          retry.reset();
        },
        (error: unknown) => {
          if (isStopped) return;
          retry.later(tell);
          if (retry.failures === 3) log.warn({ err: error, bus }, "the alarm of a bus is not taken by the cloud; it is tried on");
        },
      )
      .finally(() => {
        isTelling = false;
        tell();
      });
  }

  /** B1. undefined: not known. */
  function standing(bus: string): Standing | undefined {
    return told.has(bus) || isLost ? told.get(bus) : null;
  }

  /** undefined: the vehicle is not hosted now. */
  function outagesOf(): NonNullable<VehicleContext["outages"]> | undefined {
    const context = system.read(vehicle)?.context as VehicleContext | undefined;
    return context === undefined ? undefined : (context.outages ?? {});
  }

  /** One word. @throws what keeps it from being taken now */
  async function settle(bus: string, outage: { readonly since: number; readonly reason: string } | undefined): Promise<void> {
    const before = standing(bus);
    const isOver = outage === undefined || typeof before === "number";
    const outcome = isOver
      ? await said(bus, { type: "alarm.clear" }, `bus-up:${bus}:${String(before ?? ports.session)}`)
      : await said(
          bus,
          { type: "alarm.raise", title: `the bus ${bus} is down`, severity: "critical", about: vehicle, cause: downText(outage) },
          `bus-down:${bus}:${String(outage.since)}`,
        );
    // What has no alarm, or a cleared one, needs no clearing.
    const isTaken = outcome.kind === "accepted" || (isOver && (outcome.kind === "no-such-actor" || outcome.kind === "refused"));
    if (!isTaken) throw new Error(`the cloud did not take it: ${outcome.kind}`);
    if (!isOver) told.set(bus, outage.since);
    else if (ports.buses.includes(bus)) told.set(bus, null);
    else told.delete(bus);
    await store.values.set(KEY, new TextEncoder().encode(JSON.stringify(Object.fromEntries(told))));
  }

  function said(bus: string, event: { readonly type: string; readonly [field: string]: unknown }, id: string): Promise<Told> {
    return system.tell(`${tenant}/alarm/${idOf(vehicle)}.bus-${bus}`, event, { id, withinMs: TELL_WITHIN_MS });
  }

  return () => {
    isStopped = true;
    unwatch();
    unstate();
    retry.cancel();
  };
}

async function kept(store: Pick<Store, "values">): Promise<Map<string, Standing>> {
  const bytes = await store.values.get(KEY);
  if (bytes === undefined) return new Map();
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
    return new Map(Object.entries(found).filter((entry): entry is [string, Standing] => entry[1] === null || typeof entry[1] === "number"));
  } catch {
    return new Map();
  }
}
