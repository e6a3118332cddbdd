// Requests that wait, from the door of the cloud to a vehicle that is a function, in virtual time.

import type { Test } from "tap";
import { type ModuleContext, requestsEntity, requestsType } from "../../actors/index.ts";
import { forwarding } from "../../cloud-node/forwarding.ts";
import { leftCommands } from "../../cloud-node/left-commands.ts";
import { rememberingSent } from "../../cloud-node/sent-commands.ts";
import { waitingRemote } from "../../cloud-node/waiting-commands.ts";
import { type Address, type Answer, createSystem, type EventData, parseAddress, type RemoteMessage, type System, type Told } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, MemoryDisk, memoryStore, SeededRandom } from "../../runtime/simulation/index.ts";

export const VEHICLE = parseAddress("acme/vehicle/v1");
export const THERMA = parseAddress("acme/vehicle/v1/module/therma");
const REQUESTS = parseAddress("acme/requests/v1");
export const WISH = (value: number, more: Readonly<Record<string, unknown>> = {}) => ({ type: "climate.setpoint.request", value, ...more });
export const confirmed = { kind: "replied", value: { outcome: "confirmed" } } as const;

/** An actor as the cloud's replica shows it. */
export interface Shown {
  readonly type: string;
  readonly context: Partial<ModuleContext>;
}

export interface CloudDesk {
  readonly system: System;
  readonly clock: ManualClock;
  readonly disk: MemoryDisk;
  /** What reached the vehicle, in order. */
  readonly heard: RemoteMessage[];
  isUp: boolean;
  /** The vehicle's answer. */
  answer: (message: RemoteMessage) => Promise<Told | Answer> | Told | Answer;
  up(): void;
  send(to: Address, event: EventData, id: string, withinMs?: number): Promise<Answer>;
  ask(value: number, id: string, more?: Readonly<Record<string, unknown>>): Promise<Answer>;
  waiting(): readonly string[];
  outcomes(): readonly string[];
}

/** @param shown its replica of the vehicle, by address */
export async function desk(
  t: Test,
  { clock, disk }: Pick<CloudDesk, "clock" | "disk"> = { clock: new ManualClock(), disk: new MemoryDisk() },
  shown: ReadonlyMap<string, Shown> = new Map([[THERMA, replica]]),
): Promise<CloudDesk> {
  const store = memoryStore({ disk });
  await store.open();
  const wakes = new Set<() => void>();
  const self: CloudDesk = {
    get system() {
      return system;
    },
    clock,
    disk,
    heard: [],
    isUp: false,
    answer: () => confirmed,
    up: () => {
      self.isUp = true;
      for (const wake of wakes) wake();
      wakes.clear();
    },
    send: (to, event, id, withinMs = 5_000) => system.ask(to, event, { id, withinMs, author: "ann" }),
    ask: (value, id, more) => self.send(THERMA, WISH(value, more), id),
    waiting: () => contextOf().waiting.map(({ request }) => request),
    outcomes: () => contextOf().settled.map(({ request, outcome }) => `${request} ${outcome}`),
  };
  const contextOf = (): { readonly waiting: readonly { request: string }[]; readonly settled: readonly { request: string; outcome: string }[] } =>
    system.read(REQUESTS)?.context as never;
  const links = {
    get: () => undefined,
    reachable: (_entity: string, signal: AbortSignal) =>
      new Promise<void>((resolve, reject) => {
        if (self.isUp) return resolve();
        wakes.add(resolve);
        signal.addEventListener("abort", () => {
          reject(new Error("no longer wanted"));
        });
      }),
  };
  const left = leftCommands(() => system, clock);
  const direct = rememberingSent(
    {
      route: () => ({ node: "edge", reachable: self.isUp }),
      send: async (message) => {
        if (!self.isUp) return { kind: "owner-away" };
        self.heard.push(message);
        return self.answer(message);
      },
    },
    left,
    clock,
  );
  const system: System = createSystem({
    node: "cloud",
    types: [requestsEntity, requestsType.with({ effects: forwarding(links, direct, () => system, clock) })],
    store,
    clock,
    random: new SeededRandom(1),
    log: silentLog,
  });
  await system.start();
  system.mount({
    read: (address: string) => {
      const view = shown.get(address);
      return view === undefined ? undefined : { address, entity: VEHICLE, accepts: Object.keys(view.context.offers ?? {}), ...view };
    },
    addresses: () => shown.keys(),
    watch: () => () => undefined,
    history: async () => undefined,
  } as never);
  system.setRemote(waitingRemote(direct, () => system, clock));
  await system.activate(REQUESTS, { input: undefined });
  t.teardown(() => system.stop());
  return self;
}

/** Of a vehicle that has not told when its commands wait. */
const replica: Shown = {
  type: "setpoint-owner",
  context: {
    outputs: { setpoint: { state: "settled", turn: 4 } },
    offers: { "climate.setpoint.request": "climate.setpoint.request" },
    ttlMs: { "climate.setpoint.request": 600_000 },
  },
};
