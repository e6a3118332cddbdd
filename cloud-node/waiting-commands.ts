// Commands whose protocol lets them wait for their vehicle (rules O2): kept in `T/requests/V`, answered as waiting, forwarded when the vehicle is there.

import { type ModuleContext, ownerType, type requestsType, SETPOINT, type WaitingRequest, moduleType, vehicleRoot, type Forwarding } from "../actors/index.ts";
import { type Address, type Answer, entityOf, parseAddress, type Remote, type RemoteMessage, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { VehicleLinks } from "./vehicle-links.ts";

/** The vehicle answers a forwarded request within this; then it is asked again under the same id. */
const ANSWER_WITHIN_MS = 20_000;

const protocols = new Map([moduleType, ownerType, vehicleRoot].map((type) => [type.name, type.messages] as const));

function requestsOf(vehicle: Address): Address {
  const [tenant = "", , name = ""] = vehicle.split("/");
  return parseAddress(`${tenant}/requests/${name}`);
}

/** @param direct sends to the vehicle */
export function waitingRemote(direct: Remote, system: () => System, clock: Clock): Remote {
  async function send(message: RemoteMessage): Promise<Told | Answer> {
    const entity = entityOf(message.to);
    const route = direct.route(entity);
    const { sender } = message;
    if (sender.kind === "outside" && isWaiting(requestsOf(entity), sender.id)) return { kind: "accepted", durable: "local", waiting: true };
    if (route?.reachable !== false || sender.kind !== "outside" || !mayWait(message)) return direct.send({ ...message, ...againstOf(message) });
    const kept = await system().inform(
      requestsOf(entity),
      { type: "request.keep", request: sender.id, to: message.to, event: message.event, author: sender.author, expiresAt: sender.expiresAt, ...againstOf(message) },
      { input: undefined },
    );
    if (kept.kind === "accepted") return { kind: "accepted", durable: "local", waiting: true };
    return kept.kind === "refused" ? { kind: "full", retryAfterMs: Math.max(1_000, 60_000 - (clock.now() % 60_000)) } : kept;
  }

  function mayWait(message: RemoteMessage): boolean {
    const view = system().read(message.to);
    const specs = view === undefined ? undefined : protocols.get(view.type);
    return specs?.specOf(message.event.type)?.whenAway === "wait";
  }

  function isWaiting(requests: Address, id: string): boolean {
    const context = system().read(requests)?.context as { readonly waiting?: Readonly<Record<string, WaitingRequest>> } | undefined;
    return context?.waiting !== undefined && Object.hasOwn(context.waiting, id);
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
      if (answer.kind === "unknown" || answer.kind === "owner-away" || answer.kind === "full" || answer.kind === "not-stored" || answer.kind === "deadline") throw new Error(`the vehicle's word is outstanding: ${answer.kind}`);
      await settle(answer.kind === "replied" ? String((answer.value as { readonly outcome?: unknown } | null)?.outcome ?? "replied") : answer.kind);
    },
  };
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
