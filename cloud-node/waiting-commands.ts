// Commands whose protocol lets them wait for their vehicle (rules O2): kept in `T/requests/V`, answered as waiting, forwarded when the vehicle is there.

import { isDeepStrictEqual } from "node:util";
import { type ModuleContext, ownerType, type requestsType, SETPOINT, type WaitingRequest, moduleType, vehicleRoot, type Forwarding } from "../actors/index.ts";
import { type Address, type Answer, entityOf, parseAddress, type Remote, type RemoteMessage, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { VehicleLinks } from "./vehicle-links.ts";

/** The vehicle answers a forwarded request within this; then it is asked again under the same id. */
const ANSWER_WITHIN_MS = 20_000;

const WAITING = { kind: "accepted", durable: "local", waiting: true } as const;

type Outside = Extract<RemoteMessage["sender"], { kind: "outside" }>;
type Messages = Pick<typeof ownerType.messages, "check"> & { specOf(type: string): { readonly whenAway?: string } | undefined };

const protocols: ReadonlyMap<string, Messages> = new Map([moduleType, ownerType, vehicleRoot].map((type) => [type.name, type.messages] as const));

function requestsOf(vehicle: Address): Address {
  const [tenant = "", , name = ""] = vehicle.split("/");
  return parseAddress(`${tenant}/requests/${name}`);
}

/**
 * W1. What is kept fits its protocol, and an id that waits stands for one message of one author (rules M2).
 * W2. Kept is only what was not sent: a vehicle whose word is outstanding is asked again under the same id.
 *
 * @param direct sends to the vehicle
 */
export function waitingRemote(direct: Remote, system: () => System, clock: Clock): Remote {
  async function send(message: RemoteMessage): Promise<Told | Answer> {
    const { sender } = message;
    const made = { ...message, ...againstOf(message) };
    if (sender.kind !== "outside") return direct.send(made);
    const held = waitingOf(message, sender);
    if (held !== undefined) return held;
    const spec = waitingSpec(message);
    const answer = direct.route(entityOf(message.to))?.reachable === false && spec !== undefined ? ({ kind: "owner-away" } as const) : await direct.send(made);
    if (answer.kind !== "owner-away" || spec === undefined) return answer;
    const checked = spec.check(message.event);
    if (!checked.ok) return { kind: "invalid", problems: checked.problems, accepts: system().read(message.to)?.accepts ?? [] };
    return keep(made, sender);
  }

  async function keep(message: RemoteMessage, sender: Outside): Promise<Told | Answer> {
    const { to, event, against } = message;
    const kept = await system().inform(
      requestsOf(entityOf(to)),
      { type: "request.keep", request: sender.id, to, event, author: sender.author, expiresAt: sender.expiresAt, ...(against === undefined ? {} : { against }) },
      { input: undefined },
    );
    if (kept.kind === "accepted") return WAITING;
    if (kept.kind !== "refused") return kept;
    // The same one was kept meanwhile, or there is no room.
    return waitingOf(message, sender) ?? { kind: "full", retryAfterMs: Math.max(1_000, 60_000 - (clock.now() % 60_000)) };
  }

  /** Its protocol, when that lets it wait. */
  function waitingSpec(message: RemoteMessage): Messages | undefined {
    const view = system().read(message.to);
    const specs = view === undefined ? undefined : protocols.get(view.type);
    return specs?.specOf(message.event.type)?.whenAway === "wait" ? specs : undefined;
  }

  /** W1. */
  function waitingOf(message: RemoteMessage, sender: Outside): typeof WAITING | { readonly kind: "id-reused" } | undefined {
    const context = system().read(requestsOf(entityOf(message.to)))?.context as { readonly waiting?: Readonly<Record<string, WaitingRequest>> } | undefined;
    const held = context?.waiting !== undefined && Object.hasOwn(context.waiting, sender.id) ? context.waiting[sender.id] : undefined;
    if (held === undefined) return undefined;
    return held.to === message.to && held.author === sender.author && isDeepStrictEqual(held.event, message.event) ? WAITING : { kind: "id-reused" };
  }

  /** O2: what the sender had seen is what this node showed: the count of the replica. */
  function againstOf(message: RemoteMessage): { readonly against?: number } {
    const view = system().read(message.to);
    const outputs = (view?.context as Partial<ModuleContext> | undefined)?.outputs;
    const named = message.event["output"];
    const output = outputs?.[typeof named === "string" ? named : SETPOINT];
    return output === undefined ? {} : { against: output.turn };
  }

  return { route: (entity) => direct.route(entity), send };
}

/** The effect `forward`: done when the vehicle has given its final word; thrown to be repeated while it has not (rules F1). */
export function forwarding(links: VehicleLinks, direct: Remote, system: () => System, clock: Clock): NonNullable<Parameters<typeof requestsType.with>[0]["effects"]> {
  return {
    forward: async (request: Forwarding, work) => {
      const to = parseAddress(request.to);
      const requests = parseAddress(work.actor);
      const settle = async (outcome: string): Promise<void> => {
        await system().inform(requests, { type: "request.settled", request: request.request, outcome });
      };
      if (request.expiresAt <= clock.now()) {
        await settle("too-old");
        return;
      }
      await untilExpiry(clock, request.expiresAt, work.signal, (signal) => links.reachable(entityOf(to), signal));
      if (request.expiresAt <= clock.now()) {
        await settle("too-old");
        return;
      }
      const answer = await direct.send({
        to,
        event: request.event,
        sender: { kind: "outside", id: request.request, author: request.author, expiresAt: request.expiresAt },
        ask: true,
        withinMs: ANSWER_WITHIN_MS,
        ...(request.against === undefined ? {} : { against: request.against }),
      });
      if (answer.kind === "unknown" || answer.kind === "owner-away" || answer.kind === "full" || answer.kind === "not-stored" || answer.kind === "deadline")
        throw new Error(`the vehicle's word is outstanding: ${answer.kind}`);
      await settle(answer.kind === "replied" ? outcomeOf(answer.value) : answer.kind);
    },
  };
}

function outcomeOf(value: unknown): string {
  const outcome = (value as { readonly outcome?: unknown } | null | undefined)?.outcome;
  return typeof outcome === "string" ? outcome : "replied";
}

/** Ends a wait when its request expires, without an error. */
async function untilExpiry(clock: Clock, expiresAt: number, outer: AbortSignal, wait: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const abort = new AbortController();
  const stop = (): void => {
    abort.abort();
  };
  outer.addEventListener("abort", stop, { once: true });
  const timeout = clock.setTimeout(stop, expiresAt - clock.now(), { unref: true });
  try {
    await wait(abort.signal);
  } catch (cause) {
    if (outer.aborted) throw cause;
  } finally {
    clock.clearTimeout(timeout);
    outer.removeEventListener("abort", stop);
  }
}
