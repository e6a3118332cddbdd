// Commands whose protocol lets them wait for their vehicle (rules O2): kept in `T/requests/V`, answered as waiting, forwarded when the vehicle is there.

import { isDeepStrictEqual } from "node:util";
import {
  type ModuleContext,
  moduleType,
  ownerType,
  requestIn,
  type RequestsContext,
  SETPOINT,
  type SettledRequest,
  timeToLiveOf,
  vehicleRoot,
  waitedMsOf,
  type WaitingRequest,
} from "../actors/index.ts";
import { type Address, type Answer, entityOf, isSentAgain, type RemoteMessage, type Remote, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { commandOrder } from "./command-order.ts";
import { outcomeOf, wasNotTaken } from "./command-word.ts";
import { requestsOf } from "./requests-address.ts";
import type { SentMemory } from "./sent-commands.ts";

const WAITING = { kind: "accepted", durable: "local", waiting: true } as const;

type Outside = Extract<RemoteMessage["sender"], { kind: "outside" }>;
type Messages = Pick<typeof ownerType.messages, "check"> & { specOf(type: string): { readonly whenAway?: string } | undefined };

const protocols: ReadonlyMap<string, Messages> = new Map([moduleType, ownerType, vehicleRoot].map((type) => [type.name, type.messages] as const));

/**
 * W1. What is kept fits its protocol, and an id that waits stands for one message of one author (rules M2).
 * W2. What was sent and has no word yet is followed up: kept as sent, asked for under its id when the vehicle is there, its outcome told in `T/requests/V`.
 * W3. Who comes while others wait queues behind them: an older wish never reaches the vehicle after a newer one.
 * W4. Whoever asks again while it was not sent hears that it waits; once it may have been, the vehicle's word, from the vehicle, to which what it waited is told; or that it came
 *     too late and was never sent.
 *
 * @param direct sends to the vehicle
 */
export function waitingRemote(direct: SentMemory, system: () => System, clock: Clock): Remote {
  const order = commandOrder();
  /** Until what is being kept is in the line, by vehicle: nobody overtakes it meanwhile (W3). */
  const keeping = new Map<Address, Promise<unknown>>();

  async function send(given: RemoteMessage): Promise<Told | Answer> {
    const { sender, to } = given;
    const message = { ...given, ...againstOf(given) };
    if (sender.kind !== "outside") return direct.send(message);
    const vehicle = entityOf(to);
    for (let under = keeping.get(vehicle); under !== undefined; under = keeping.get(vehicle)) await under;
    const known = knownOf(message, sender);
    if (known !== undefined) return known;
    const spec = waitingSpec(message);
    if (spec === undefined) {
      if (to === vehicle && isReachable(vehicle)) order.enter(to, sender.id);
      return direct.send(message);
    }
    // What does not fit its protocol can never act, so it overtakes nothing.
    const isOvertaken = spec.check(message.event).ok ? order.enter(to, sender.id) : (): boolean => false;
    const before = direct.sentBefore(message);
    if (before === "another") return { kind: "id-reused" };
    const sentAt = before?.at;
    const keptAt = sentAt ?? clock.now();
    const isFree = sentAt !== undefined || (direct.route(vehicle)?.reachable !== false && !isAnyWaiting(to));
    const word = isFree ? await direct.send(sentAt === undefined ? message : { ...message, waitedMs: Math.max(0, clock.now() - sentAt) }) : ({ kind: "owner-away" } as const);
    if (word.kind === "owner-away") return keepWaiting(message, sender, spec, keptAt);
    if (word.kind !== "unknown") return word;
    await keep(message, sender, spec, { keptAt, sent: true, ...(isOvertaken() ? { overtaken: true } : {}) });
    if (heldFor(message, sender) === undefined) return word;
    return { ...word, reason: `${word.reason}; its outcome is asked for under the same id when the vehicle is there, and told in ${requestsOf(vehicle)}` };
  }

  async function keepWaiting(message: RemoteMessage, sender: Outside, spec: Messages, keptAt: number): Promise<Told | Answer> {
    const kept = await keep(message, sender, spec, { keptAt });
    if (kept.kind === "accepted") return WAITING;
    if (kept.kind !== "refused") return kept;
    // The same one was kept meanwhile, or there is no room.
    return (
      (await knownOf(message, sender)) ?? {
        kind: "full",
        retryAfterMs: Math.max(1_000, 60_000 - (clock.now() % 60_000)),
        reason: "as many requests as are kept for this vehicle wait already",
      }
    );
  }

  function keep(message: RemoteMessage, sender: Outside, spec: Messages, how: Pick<WaitingRequest, "keptAt" | "sent" | "overtaken">): Promise<Told> {
    const { to, event, against } = message;
    const vehicle = entityOf(to);
    const view = system().read(to);
    const checked = spec.check(event);
    if (!checked.ok) return Promise.resolve({ kind: "invalid", problems: checked.problems, accepts: view?.accepts ?? [] });
    const ttlMs = timeToLiveOf(view?.context ?? {}, event);
    const kept = system().inform(
      requestsOf(vehicle),
      {
        type: "request.keep",
        request: sender.id,
        to,
        event,
        author: sender.author,
        expiresAt: sender.expiresAt,
        ...how,
        ...(ttlMs === undefined ? {} : { ttlMs }),
        ...(against === undefined ? {} : { against }),
      },
      { input: undefined },
    );
    const isIn = Promise.allSettled([keeping.get(vehicle), kept]).then(() => {
      if (keeping.get(vehicle) === isIn) keeping.delete(vehicle);
    });
    keeping.set(vehicle, isIn);
    return kept;
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

  function heldFor(message: RemoteMessage, sender: Outside): WaitingRequest | SettledRequest | undefined {
    const context = contextFor(message.to);
    return context === undefined ? undefined : requestIn(context, sender.id, clock.now());
  }

  /** W1, W4. */
  function knownOf(message: RemoteMessage, sender: Outside): Promise<Told | Answer> | Told | Answer | undefined {
    const held = heldFor(message, sender);
    if (held === undefined) return undefined;
    const isItsAuthor = held.author === sender.author || isSentAgain(sender.id);
    if (held.to !== message.to || !isItsAuthor || !isDeepStrictEqual(held.event, message.event)) return { kind: "id-reused" };
    if ("outcome" in held) return held.outcome === "expired" ? { kind: "too-old" } : askSettled(held, message);
    return held.sent === true && isReachable(entityOf(message.to)) ? askInLine(held, message) : WAITING;
  }

  /** With the vehicle's word it has left the line before anybody hears of it, so that whoever heard it does not queue behind it. */
  async function askInLine(held: WaitingRequest, message: RemoteMessage): Promise<Told | Answer> {
    const word = await askFor(held, message);
    if (wasNotTaken(word)) return WAITING;
    const isFinal = word.kind !== "unknown" && word.kind !== "accepted";
    if (isFinal) await system().inform(requestsOf(entityOf(message.to)), { type: "request.settled", request: held.request, outcome: outcomeOf(word) });
    return word;
  }

  /** Its word is the vehicle's to tell; that it was sent is known here, also over a kill of this node (promise S3). */
  async function askSettled(held: SettledRequest, message: RemoteMessage): Promise<Told | Answer> {
    const word = await askFor(held, message);
    if (!wasNotTaken(word)) return word;
    return { kind: "unknown", reason: `it was sent and settled as ${held.outcome}, and its owner cannot be asked about it now; ask again with the same id` };
  }

  /** As it was kept: asked again it is no newer wish. */
  function askFor(held: WaitingRequest, { against: _, ...message }: RemoteMessage): Promise<Told | Answer> {
    return direct.send({ ...message, waitedMs: waitedMsOf(held, clock.now()), ...(held.against === undefined ? {} : { against: held.against }) });
  }

  function isReachable(vehicle: Address): boolean {
    return direct.route(vehicle)?.reachable === true;
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
