// A journal or a telemetry log that was moved aside, or came back from an older copy, is told, never passed over in silence (rules L2, T1): to the vehicle at once, to the cloud as an alarm as soon as there is a link, across restarts; to each of them once.

import { type Address, idOf, parseAddress, type System } from "../runtime/index.ts";
import type { Clock, Log, Random, Store, TimeoutHandle, Transport } from "../runtime/ports/index.ts";

/** What may be lost by itself; each has its own alarm. */
const LOST = {
  journal: { key: "edge/store-loss", alarm: "store-moved-aside", title: "the vehicle's store was damaged and moved aside" },
  telemetry: { key: "edge/telemetry-loss", alarm: "telemetry-moved-aside", title: "the vehicle's telemetry log was damaged and moved aside; what had not been sent is lost" },
  history: { key: "edge/history-fork", alarm: "history-forked", title: "the vehicle came back from an older copy of its store: its history has forked" },
} as const;
const WHATS = ["journal", "telemetry", "history"] as const;
const TELL_WITHIN_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

export interface StoreLoss {
  readonly what: keyof typeof LOST;
  /** Names this loss: its alarm is raised once. */
  readonly id: string;
  readonly reason: string;
  readonly at: number;
}

/** Of what the vehicle has not been told yet. */
const UNTOLD = "-untold";

/** Kept in the new store until the cloud has taken it, and until the vehicle has. */
export async function keepLoss(store: Store, loss: StoreLoss): Promise<void> {
  const { key } = LOST[loss.what];
  const bytes = new TextEncoder().encode(JSON.stringify(loss));
  await Promise.all([store.values.set(key, bytes), store.values.set(`${key}${UNTOLD}`, bytes)]);
}

/** What the cloud has not taken. */
export function keptLoss(store: Store, what: StoreLoss["what"]): Promise<StoreLoss | undefined> {
  return lossIn(store, what, LOST[what].key);
}

/** What the vehicle has not taken. */
async function untoldLosses(store: Store): Promise<readonly StoreLoss[]> {
  const losses = await Promise.all(WHATS.map((what) => lossIn(store, what, `${LOST[what].key}${UNTOLD}`)));
  return losses.filter((loss) => loss !== undefined);
}

function lossTold(store: Store, { what }: StoreLoss): Promise<void> {
  return store.values.delete(`${LOST[what].key}${UNTOLD}`);
}

/** What it has not been told; nobody says it a second time. @param isOver the rest is told at the next start */
export async function tellVehicle(
  { vehicle, system, store }: Pick<LossPorts, "vehicle" | "store"> & { readonly system: Pick<System, "inform"> },
  isOver: () => boolean,
): Promise<void> {
  for (const loss of await untoldLosses(store)) {
    const { what, at, reason } = loss;
    for (let kind = "deadline"; kind === "deadline" && !isOver(); ) {
      ({ kind } = await system.inform(vehicle, { type: "store.moved-aside", what, at, reason: reason.slice(0, 1_000) }));
      if (kind === "accepted") await lossTold(store, loss);
    }
  }
}

async function lossIn(store: Store, what: StoreLoss["what"], key: string): Promise<StoreLoss | undefined> {
  const bytes = await store.values.get(key);
  if (bytes === undefined) return undefined;
  try {
    const { id, reason, at } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<StoreLoss>;
    return typeof id === "string" && typeof reason === "string" && typeof at === "number" ? { what, id, reason, at } : undefined;
  } catch {
    return undefined;
  }
}

export interface LossPorts {
  readonly vehicle: Address;
  readonly system: Pick<System, "tell">;
  readonly store: Store;
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Raises the alarm of each loss that the cloud has not taken yet, again until it is taken. Returns how to stop trying. */
export async function announceLosses(ports: LossPorts): Promise<() => void> {
  const losses = await Promise.all(WHATS.map((what) => keptLoss(ports.store, what)));
  const stops = losses.flatMap((loss) => (loss === undefined ? [] : [announceLoss(loss, ports)]));
  return () => {
    for (const stop of stops) stop();
  };
}

function announceLoss(loss: StoreLoss, ports: LossPorts): () => void {
  const { vehicle, system, store, transport, clock, random, log } = ports;
  const [tenant = ""] = vehicle.split("/");
  const lost = LOST[loss.what];
  const alarm = parseAddress(`${tenant}/alarm/${idOf(vehicle)}.${lost.alarm}`);
  let timer: TimeoutHandle | undefined;
  let failures = 0;
  let stopped = false;
  let trying = false;
  const unstate = transport.onState((state) => {
    if (state.kind === "ready") attempt();
  });
  attempt();

  function attempt(): void {
    if (stopped || trying || transport.state.kind !== "ready") return;
    trying = true;
    clock.clearTimeout(timer);
    void raise().then(
      (taken) => {
        trying = false;
        if (taken) stop();
        else later();
      },
      (error: unknown) => {
        trying = false;
        log.warn({ err: error }, "the alarm of the moved store could not be raised; it is tried on");
        later();
      },
    );
  }

  async function raise(): Promise<boolean> {
    const event = { type: "alarm.raise", title: lost.title, severity: "critical", about: vehicle, cause: loss.reason.slice(0, 1_000) };
    const told = await system.tell(alarm, event, { id: `store-loss:${loss.id}`, withinMs: TELL_WITHIN_MS });
    if (told.kind === "accepted") {
      await store.values.delete(lost.key);
      return true;
    }
    return false;
  }

  function later(): void {
    if (stopped) return;
    const ceiling = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(failures, 8));
    failures++;
    timer = clock.setTimeout(attempt, ceiling * (0.5 + random.next() / 2), { unref: true });
  }

  function stop(): void {
    stopped = true;
    clock.clearTimeout(timer);
    unstate();
  }
  return stop;
}
