// The vehicles of a rollout as functions over a bus in memory: each answers what it is told, is ready at once, and says how its update went when it is let.
//
// V1. What it says takes the way of any vehicle's word: an envelope through the cloud's message door, to its own target, in order, until it has an answer. The broker alone is left out.
// V2. What may be taken later is told again, as an outbox does; any other word than `accepted` fails the run.

import { type Address, parseName, systemClock, systemRandom, vehicleNames } from "../../runtime/index.ts";
import type { Delivery, Transport } from "../../runtime/ports/index.ts";
import { livePayload } from "../../protocols/uplink/index.ts";
import { decodeEnvelope } from "../../runtime/wire/index.ts";
import { answerEnvelope, messageEnvelope } from "../../runtime/wire/message-envelope.ts";

/** Words on their way at once; the door takes 1,024. */
const WINDOW = 512;
const WITHIN_MS = 10_000;
const AGAIN_MS = 20;
/** V2: these may pass (runtime/system/relay.ts). */
const MAY_PASS: readonly string[] = ["full", "overloaded", "owner-away", "unknown", "not-stored", "deadline"];
const FROM = { node: "vehicles", session: "run-1", clock: systemClock };

export interface Vehicles {
  /** Vehicles that were told to begin, since they were last let finish. @throws what one of them has failed with */
  readonly begun: number;
  /** Whether each says that it is done as soon as it has begun. */
  isPrompt: boolean;
  /** All that have begun say that they are done. @returns how long each waited until that was committed, ms */
  finish(): Promise<readonly number[]>;
}

interface Vehicle {
  readonly address: Address;
  readonly key: string;
  target: Address | undefined;
  seq: number;
}

export async function startVehicles(transport: Transport, addresses: readonly Address[]): Promise<Vehicles> {
  const newId = (): string => systemRandom.id();
  const vehicles = new Map<string, Vehicle>();
  const begun = new Set<Vehicle>();
  const waiting: (() => void)[] = [];
  let underWay = 0;
  let failure: { readonly cause: unknown } | undefined;

  async function report(vehicle: Vehicle, state: string, more: object = {}): Promise<void> {
    const { address, key, target } = vehicle;
    if (target === undefined) throw new Error(`${address} was offered nothing`);
    const sender = { kind: "entity", entity: address, incarnation: "one", seq: vehicle.seq++, epoch: 1 } as const;
    const event = { type: "campaign.reported", state, ask: 1, module: "reservoir", ...more };
    if (underWay >= WINDOW) await new Promise<void>((resolve) => waiting.push(resolve));
    underWay++;
    try {
      for (;;) {
        const payload = messageEnvelope({ to: target, event, sender, ask: false, withinMs: WITHIN_MS }, newId(), FROM);
        const outcome = await transport.ask(key, payload, { withinMs: WITHIN_MS });
        const decoded = outcome.kind === "replied" ? decodeEnvelope(outcome.payload) : undefined;
        const answer = decoded?.ok === true ? (decoded.envelope.body as { readonly kind: string }) : { kind: outcome.kind };
        if (answer.kind === "accepted") return;
        if (!MAY_PASS.includes(answer.kind)) throw new Error(`${address} said "${state}" and heard ${JSON.stringify(answer)}`);
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    } finally {
      underWay--;
      waiting.shift()?.();
    }
  }

  const done = (vehicle: Vehicle): Promise<void> => report(vehicle, "committed");

  async function hear(vehicle: Vehicle, event: { readonly type: string; readonly target?: string }): Promise<void> {
    if (event.type === "campaign.offer" && event.target !== vehicle.target) {
      vehicle.target = event.target as Address;
      vehicle.seq = 1; // each group has a line of its own
      await report(vehicle, "ready");
    } else if (event.type === "campaign.go") {
      await report(vehicle, "activating", { update: "uploading", progress: 40, attempt: 1 });
      if (self.isPrompt) await done(vehicle);
      else begun.add(vehicle);
    }
  }

  const self = {
    isPrompt: false,
    get begun() {
      if (failure !== undefined) throw failure.cause;
      return begun.size;
    },
    finish: () => {
      const all = [...begun];
      begun.clear();
      return Promise.all(
        all.map(async (vehicle) => {
          const since = performance.now();
          await done(vehicle);
          return performance.now() - since;
        }),
      );
    },
  };

  async function take({ key, payload }: Delivery): Promise<Uint8Array> {
    const name = parseName(key);
    const decoded = decodeEnvelope(payload);
    const vehicle = name?.kind === "vehicle" ? vehicles.get(name.vehicle) : undefined;
    if (vehicle === undefined || !decoded.ok) throw new Error(`nobody understands what came for ${key}`);
    setImmediate(() => {
      hear(vehicle, decoded.envelope.body as { readonly type: string }).catch((cause: unknown) => {
        failure ??= { cause };
      });
    });
    return Promise.resolve(answerEnvelope({ kind: "accepted", durable: "local" }, decoded.envelope.id, newId(), FROM));
  }

  await transport.start();
  for (const address of addresses) {
    const [tenant = "", , name = ""] = address.split("/");
    const { up, live } = vehicleNames(tenant, name);
    vehicles.set(name, { address, key: up("in"), target: undefined, seq: 1 });
    await transport.setLast(live, livePayload({ node: FROM.node, session: FROM.session, epoch: 1, version: "bench" }, newId));
  }
  await transport.serve("drover/v1/v/*/*/down/in", take);
  return self;
}
