// Commands whose protocol lets them wait for their vehicle (rules O2): kept in `T/requests/V`, answered as waiting, forwarded when the vehicle is there.

import { isDeepStrictEqual } from "node:util";
import { type ModuleContext, ownerType, requestIn, type RequestsContext, SETPOINT, timeToLiveOf, moduleType, vehicleRoot } from "../actors/index.ts";
import { type Address, type Answer, entityOf, parseAddress, type RemoteMessage, type Remote, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import type { SentMemory } from "./sent-commands.ts";

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
 * W3. Who comes while others wait queues behind them: an older wish never reaches the vehicle after a newer one.
 * W4. Whoever asks again once it is settled hears the vehicle's word, from the vehicle, to which what it waited is told; or that it came too late and was never sent.
 *
 * @param direct sends to the vehicle
 */
export function waitingRemote(direct: SentMemory, system: () => System, clock: Clock): Remote {
  async function send(given: RemoteMessage): Promise<Told | Answer> {
    const { sender } = given;
    const message = { ...given, ...againstOf(given) };
    if (sender.kind !== "outside") return direct.send(message);
    const known = knownOf(message, sender);
    if (known !== undefined) return known;
    const spec = waitingSpec(message);
    if (spec === undefined || direct.wasSent(message)) return direct.send(message);
    const isFree = direct.route(entityOf(message.to))?.reachable !== false && !isAnyWaiting(message.to);
    const word = isFree ? await direct.send(message) : ({ kind: "owner-away" } as const);
    return word.kind === "owner-away" ? keep(message, sender, spec) : word;
  }

  async function keep(message: RemoteMessage, sender: Outside, spec: Messages): Promise<Told | Answer> {
    const { to, event, against } = message;
    const view = system().read(to);
    const checked = spec.check(event);
    if (!checked.ok) return { kind: "invalid", problems: checked.problems, accepts: view?.accepts ?? [] };
    const ttlMs = timeToLiveOf(view?.context ?? {}, event);
    const kept = await system().inform(
      requestsOf(entityOf(to)),
      {
        type: "request.keep",
        request: sender.id,
        to,
        event,
        author: sender.author,
        expiresAt: sender.expiresAt,
        keptAt: clock.now(),
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(against === undefined ? {} : { against }),
      },
      { input: undefined },
    );
    if (kept.kind === "accepted") return WAITING;
    if (kept.kind !== "refused") return kept;
    // The same one was kept meanwhile, or there is no room.
    return (await knownOf(message, sender)) ?? { kind: "full", retryAfterMs: Math.max(1_000, 60_000 - (clock.now() % 60_000)) };
  }

  /** Its protocol, when that lets it wait. */
  function waitingSpec(message: RemoteMessage): Messages | undefined {
    const view = system().read(message.to);
    const specs = view === undefined ? undefined : protocols.get(view.type);
    return specs?.specOf(message.event.type)?.whenAway === "wait" ? specs : undefined;
  }

  function contextFor(to: Address): RequestsContext | undefined {
    return system().read(requestsOf(entityOf(to)))?.context as RequestsContext | undefined;
  }

  function isAnyWaiting(to: Address): boolean {
    return (contextFor(to)?.waiting.length ?? 0) > 0;
  }

  /** W1, W4. */
  function knownOf(message: RemoteMessage, sender: Outside): Promise<Told | Answer> | Told | Answer | undefined {
    const context = contextFor(message.to);
    const held = context === undefined ? undefined : requestIn(context, sender.id, clock.now());
    if (held === undefined) return undefined;
    if (held.to !== message.to || held.author !== sender.author || !isDeepStrictEqual(held.event, message.event)) return { kind: "id-reused" };
    if (!("outcome" in held)) return WAITING;
    return held.outcome === "expired" ? { kind: "too-old" } : direct.send({ ...message, waitedMs: clock.now() - held.keptAt });
  }

  /** O2: what the sender had seen is what this node showed: the count of the replica. */
  function againstOf(message: RemoteMessage): { readonly against?: number } {
    const view = system().read(message.to);
    const outputs = (view?.context as Partial<ModuleContext> | undefined)?.outputs ?? {};
    const named = message.event["output"];
    const name = typeof named === "string" ? named : SETPOINT;
    const output = Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    return output === undefined ? {} : { against: output.turn };
  }

  return { route: (entity) => direct.route(entity), send };
}
