// Commands that may wait for their vehicle, by what it has published of its file, else by their protocol (rules O2): kept in `T/requests/V`, answered as waiting, forwarded when the vehicle is there.

import { isDeepStrictEqual } from "node:util";
import { requestIn, type RequestsContext, type SettledRequest, timeToLiveOf, waitedMsOf, type WaitingRequest } from "../actors/index.ts";
import { type Address, type Answer, entityOf, isSentAgain, type RemoteMessage, type Remote, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { commandOrder } from "./command-order.ts";
import { type Meant, meantBy } from "./meant-command.ts";
import { outcomeOf, wasNotTaken } from "./command-word.ts";
import { requestsOf } from "./requests-address.ts";
import type { SentMemory } from "./sent-commands.ts";

const WAITING = { kind: "accepted", durable: "local", waiting: true } as const;

type Outside = Extract<RemoteMessage["sender"], { kind: "outside" }>;

/**
 * W1. What is kept fits its protocol, and an id that waits stands for one message of one author (rules M2).
 * W2. What was sent and has no word yet is followed up: kept as sent, asked for under its id when the vehicle is there, its outcome told in `T/requests/V`. That the vehicle does not know either
 *     (a module that shows nothing) is its word, and holds back nobody.
 * W3. Who comes while others wait queues behind them: an older wish never reaches the vehicle after a newer one. Who may not wait is held back until those that came before for the
 *     same actor have left the line, and not sent where that takes longer than its sender does.
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
    const meant = meantBy(given, system());
    const message = { ...given, ...(meant?.mayWait === true ? { sender: repeatable(sender) } : {}), ...againstOf(given, meant) };
    if (sender.kind !== "outside") return direct.send(message);
    const vehicle = entityOf(to);
    for (let under = keeping.get(vehicle); under !== undefined; under = keeping.get(vehicle)) await under;
    const known = knownOf(message, sender);
    if (known !== undefined) return known;
    if (meant?.mayWait !== true) return sendNow(message, sender.id, meant);
    // What does not fit its protocol can never act, so it overtakes nothing.
    const isOvertaken = meant.check(message.event).ok ? order.enter(meant.actor, sender.id) : (): boolean => false;
    const before = direct.sentBefore(message);
    if (before === "another") return { kind: "id-reused" };
    const sentAt = before?.at;
    const keptAt = sentAt ?? clock.now();
    const isFree = sentAt !== undefined || (direct.route(vehicle)?.reachable !== false && waitingFor(vehicle).length === 0);
    const word = isFree ? await direct.send(sentAt === undefined ? message : { ...message, waitedMs: Math.max(0, clock.now() - sentAt) }) : ({ kind: "owner-away" } as const);
    if (word.kind === "owner-away") return keepWaiting(message, sender, meant, keptAt);
    if (word.kind !== "unknown" || word.byOwner === true) return word;
    await keep(message, sender, meant, { keptAt, sent: true, ...(isOvertaken() ? { overtaken: true } : {}) });
    if (heldFor(message, sender) === undefined) return word;
    return { ...word, reason: `${word.reason}; its outcome is asked for under the same id when the vehicle is there, and told in ${requestsOf(vehicle)}` };
  }

  /** W3. */
  async function sendNow(message: RemoteMessage, id: string, meant: Meant | undefined): Promise<Told | Answer> {
    const vehicle = entityOf(message.to);
    if (meant?.isBesideWaiting !== true || !isReachable(vehicle)) return direct.send(message);
    const { actor } = meant;
    const isOvertaken = order.enter(actor, id);
    const earlier = waitingFor(vehicle).filter(({ to }) => to === actor || to === vehicle || actor === vehicle);
    if (earlier.length === 0) return direct.send(message);
    const began = clock.monotonic();
    if (!(await haveLeft(earlier, vehicle, message.withinMs)) || isOvertaken()) return { kind: "deadline" };
    return direct.send({ ...message, withinMs: Math.max(0, message.withinMs - (clock.monotonic() - began)) });
  }

  /** Whether all of these leave the line in time. */
  function haveLeft(these: readonly WaitingRequest[], vehicle: Address, withinMs: number): Promise<boolean> {
    const requests = requestsOf(vehicle);
    const isOver = (): boolean => !waitingFor(vehicle).some(({ request }) => these.some((each) => each.request === request));
    return new Promise((resolve) => {
      const end = (): void => {
        unwatch();
        clock.clearTimeout(timer);
        resolve(isOver());
      };
      const unwatch = system().watch(({ entity }) => {
        if (entity === requests && isOver()) end();
      });
      const timer = clock.setTimeout(end, withinMs);
    });
  }

  async function keepWaiting(message: RemoteMessage, sender: Outside, meant: Meant, keptAt: number): Promise<Told | Answer> {
    const kept = await keep(message, sender, meant, { keptAt });
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

  function keep(message: RemoteMessage, sender: Outside, meant: Meant, how: Pick<WaitingRequest, "keptAt" | "sent" | "overtaken">): Promise<Told> {
    const { to, event, against } = message;
    const vehicle = entityOf(to);
    const view = system().read(to);
    const checked = meant.check(event);
    if (!checked.ok) return Promise.resolve({ kind: "invalid", problems: checked.problems, accepts: view?.accepts ?? [] });
    const ttlMs = timeToLiveOf(meant.context, event);
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

  function contextFor(vehicle: Address): RequestsContext | undefined {
    return system().read(requestsOf(vehicle))?.context as RequestsContext | undefined;
  }

  function waitingFor(vehicle: Address): readonly WaitingRequest[] {
    return contextFor(vehicle)?.waiting ?? [];
  }

  function heldFor(message: RemoteMessage, sender: Outside): WaitingRequest | SettledRequest | undefined {
    const context = contextFor(entityOf(message.to));
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
    const isFinal = (word.kind !== "unknown" || word.byOwner === true) && word.kind !== "accepted";
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
  function againstOf({ event }: RemoteMessage, meant: Meant | undefined): { readonly against?: number } {
    const { outputs = {} } = meant?.context ?? {};
    const name = meant?.output ?? event["output"];
    const output = typeof name === "string" && Object.hasOwn(outputs, name) ? outputs[name] : undefined;
    return output === undefined ? {} : { against: output.turn };
  }

  return { route: (entity) => direct.route(entity), send };
}

/** W2. However little its sender knows of its id, this node may send it again until it expires. */
function repeatable(sender: RemoteMessage["sender"]): RemoteMessage["sender"] {
  if (sender.kind !== "outside") return sender;
  const { repeatedMs: _, ...known } = sender;
  return known;
}
