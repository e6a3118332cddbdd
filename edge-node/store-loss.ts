// A store that was moved aside is told, never passed over in silence (rules L2): to the vehicle at once, to the cloud as an alarm as soon as there is a link, across restarts.

import { type Address, idOf, parseAddress, type System } from "../runtime/index.ts";
import type { Clock, Log, Random, Store, TimeoutHandle, Transport } from "../runtime/ports/index.ts";

const KEY = "edge/store-loss";
const TELL_WITHIN_MS = 10_000;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

export interface StoreLoss {
  /** Names this loss: its alarm is raised once. */
  readonly id: string;
  readonly reason: string;
  readonly at: number;
}

/** Kept in the new store until the cloud has taken it. */
export async function keepLoss(store: Store, loss: StoreLoss): Promise<void> {
  await store.values.set(KEY, new TextEncoder().encode(JSON.stringify(loss)));
}

export async function keptLoss(store: Store): Promise<StoreLoss | undefined> {
  const bytes = await store.values.get(KEY);
  if (bytes === undefined) return undefined;
  try {
    const { id, reason, at } = JSON.parse(new TextDecoder().decode(bytes)) as Partial<StoreLoss>;
    return typeof id === "string" && typeof reason === "string" && typeof at === "number" ? { id, reason, at } : undefined;
  } catch {
    return undefined;
  }
}

/** Raises the alarm in the cloud, again until it is taken. Returns how to stop trying. */
export function announceLoss(
  loss: StoreLoss,
  ports: {
    readonly vehicle: Address;
    readonly system: Pick<System, "tell">;
    readonly store: Store;
    readonly transport: Transport;
    readonly clock: Clock;
    readonly random: Random;
    readonly log: Log;
  },
): () => void {
  const { vehicle, system, store, transport, clock, random, log } = ports;
  const [tenant = ""] = vehicle.split("/");
  const alarm = parseAddress(`${tenant}/alarm/${idOf(vehicle)}.store-moved-aside`);
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
    const event = { type: "alarm.raise", title: "the vehicle's store was damaged and moved aside", severity: "critical", about: vehicle, cause: loss.reason.slice(0, 1_000) };
    const told = await system.tell(alarm, event, { id: `store-loss:${loss.id}`, withinMs: TELL_WITHIN_MS });
    if (told.kind === "accepted") {
      await store.values.delete(KEY);
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
