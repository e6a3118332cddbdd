// Where a message goes: to an entity here, to another node, or nowhere; and through the node's door on its way (design section 5).
//
// R1. What becomes of a message is told in bounded time, whatever it waits for.
// R2. A message of another entity is judged by the entity itself, so that its number is recorded whatever the verdict (rules M1).
// R3. So is one whose check hung a process before: it has its attempts like one whose step did, and its outcome is kept under its id (rules M4).
//     So is, after a takeover, one whose check may take long: which message ended the other node's process is not known here (suspects P3).
// R4. What comes from outside reaches an entity in the order in which it was sent, whether the entity is here, comes or begins (arrivals.ts).
// R5. What becomes of an id is told where its outcomes are: in the entity. Of one that did not reach it in time, `deadline` is said only where nobody can have sent it before (rules M2).
// R6. Where an entity goes over to newer versions of its types, what its predecessor did not take, and who waits there for a reply, go to its successor.

import { type Address, entityOf } from "../address.ts";
import type { AnyActorType, Checked } from "../actor/index.ts";
import type { EventData, Sender } from "../entity/contract.ts";
import { fingerprintOf, messageKey, NotPlain } from "../entity/index.ts";
import { isA } from "../is-a.ts";
import type { Answer, Refusal, Told } from "../outcome.ts";
import type { Clock, StepWatch } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import { Arrivals, type Place } from "./arrivals.ts";
import type { EntityOptions, Remote, RemoteMessage } from "./contract.ts";
import type { DeadLetters } from "./dead-letters.ts";
import type { Door } from "./door.ts";
import type { Call, Entities } from "./entities.ts";
import type { HostedEntity } from "./hosted-entity.ts";
import type { MailBudget } from "./mail-budget.ts";
import { LONGEST_MS } from "./outside-message.ts";
import { bytesOf } from "./post.ts";
import type { ActorView } from "./views.ts";
import { hungBefore, nameOf } from "./watched.ts";
import { checkUnderWatch } from "./watched-check.ts";

export interface RouterPorts {
  readonly entities: Entities;
  /** Why the entity could not begin; undefined: it is here. */
  readonly begin: (entity: Address, options: EntityOptions, call: Call) => Promise<Refusal | undefined>;
  readonly actorTypes: ReadonlyMap<string, AnyActorType>;
  readonly remote: () => Remote | undefined;
  readonly door: Door;
  readonly stepWatch: StepWatch | undefined;
  /** The store was taken over a moment ago. */
  readonly isCareful: () => boolean;
  readonly deadLetters: DeadLetters;
  readonly budget: MailBudget;
  readonly clock: Clock;
  readonly isStopping: () => boolean;
}

/** When who was told `full` may come again. */
export const RETRY_AFTER_MS = 100;
/** A remote that has its own end by the deadline says its word before it is given up. */
const REMOTE_GRACE_MS = 500;
const FULL = { kind: "full", retryAfterMs: RETRY_AFTER_MS } as const;
const NOT_REACHED = {
  kind: "unknown",
  reason: "the actor did not come into memory in time, and only there is it known what became of an earlier message with this id; ask again with the same id",
} as const;
const NO_WORD = { kind: "unknown", reason: "this node had no word of it in time, though it may have passed it on or kept it; ask again with the same id" } as const;
const ON_ITS_WAY = { kind: "unknown", reason: "the same message is still on its way; ask again with the same id" } as const;

/** What is known of a message that enters here, and has not come from another node. */
export interface Entering {
  /** Begins the entity if there is none. */
  readonly create?: EntityOptions | undefined;
  /** Nobody was told its id: there was no earlier one. */
  readonly isFirst: boolean;
}

export type Route = (message: RemoteMessage, entering?: Entering) => Promise<Told | Answer>;

/** Who takes a message, or why nobody does; `late`: that is not known in time. */
type Found = HostedEntity | "away" | "full" | "late" | { readonly unbegun: Refusal } | undefined;

export function createRouter(ports: RouterPorts): Route {
  const { entities, actorTypes, deadLetters, clock, budget } = ports;

  const arrivals = new Arrivals();

  async function route(given: RemoteMessage, entering?: Entering): Promise<Told | Answer> {
    if (ports.isStopping()) return away(given);
    const entity = entityOf(given.to);
    const message = given.withinMs <= LONGEST_MS ? given : { ...given, withinMs: LONGEST_MS };
    const isOfEntity = given.sender.kind === "entity";
    const here = isOfEntity || !arrivals.isWaitedFor(entity) ? entities.liveNow(entity) : undefined;
    if (here !== undefined) return handOver(here, message, entering, undefined);
    // R4. The numbers of an entity's messages are their order.
    const place = isOfEntity ? undefined : arrivals.enter(entity);
    try {
      return await arrive(message, entering, place);
    } finally {
      place?.leave();
    }
  }

  async function handOver(live: HostedEntity, message: RemoteMessage, entering: Entering | undefined, place: Place | undefined): Promise<Told | Answer> {
    const began = message.ask ? clock.monotonic() : 0;
    const delivered = deliver(live, message);
    // It is in the mailbox by now, or waits for another one of its id.
    place?.leave();
    const outcome = await delivered;
    // It was passivated between the two: it comes back as it is called again.
    if (outcome.kind === "owner-away" && live.hasLeft) return route(message, entering);
    return live.isSucceeded ? toSuccessor(outcome, message, entering, began) : outcome;
  }

  /** R6. Whoever waits for a reply has one under his id. */
  function toSuccessor(outcome: Told | Answer, message: RemoteMessage, entering: Entering | undefined, began: number): Told | Answer | Promise<Told | Answer> {
    if (outcome.kind === "owner-away") return route(message, entering);
    const withinMs = message.withinMs - (clock.monotonic() - began);
    if (outcome.kind !== "unknown" || !message.ask || withinMs <= 0) return outcome;
    return route({ ...message, withinMs }, entering === undefined ? undefined : { ...entering, isFirst: false });
  }

  async function arrive(given: RemoteMessage, entering: Entering | undefined, place: Place | undefined): Promise<Told | Answer> {
    const began = clock.monotonic();
    const found = await findTaker(given, entering ?? {}, place);
    // What the way here took is time that the deadline has lost.
    const message = { ...given, withinMs: given.withinMs - (clock.monotonic() - began) };
    if (found === "late" && (entering?.create !== undefined || entities.comesWhenCalled(entityOf(given.to)))) return notInTime(message, entering);
    if (found === "away" || found === "late") return away(given);
    if (found === "full") return FULL;
    if (found === undefined) return deliverElsewhere(message, place);
    if ("unbegun" in found) return found.unbegun.kind === "deadline" ? notInTime(message, entering) : found.unbegun;
    return handOver(found, message, entering, place);
  }

  async function findTaker(message: RemoteMessage, { create }: Pick<Entering, "create">, place: Place | undefined): Promise<Found> {
    const { withinMs, sender } = message;
    const entity = entityOf(message.to);
    const bytes = bytesOf(message);
    const call: Call = { lane: sender.kind === "entity" ? "message" : "command", giveUpAt: clock.monotonic() + withinMs, bytes };
    // Told at once, so that a burst to one entity takes up no room of the others.
    if (create === undefined && entities.isCrowded(entity, bytes)) return "full";
    const comes = async (): Promise<{ readonly found: Found }> =>
      (await settledWithin(
        taker(entity, create, call, place).then((found) => ({ found })),
        clock,
        withinMs,
        undefined,
        { unref: true },
      )) ?? { found: "late" }; // R1
    return ((await (entities.isLive(entity) ? comes() : budget.holding(bytes, comes))) ?? { found: "full" as const }).found;
  }

  async function taker(entity: Address, create: EntityOptions | undefined, call: Call, place: Place | undefined): Promise<Found> {
    const isElsewhere = (): boolean => ports.remote()?.route(entity) !== undefined;
    for (;;) {
      const unbegun = create === undefined ? undefined : await ports.begin(entity, create, call);
      if (unbegun !== undefined) return { unbegun };
      const found = await entities.taker(entity, isElsewhere, call);
      if (found === "full") return found;
      await place?.turn();
      // Somebody before this one may have begun it meanwhile, and it may have left again.
      const here = entities.liveNow(entity);
      if (here !== undefined || typeof found !== "object") return here ?? found;
    }
  }

  /** R5. A message between entities has a number that tells, and its line waits. */
  function notInTime({ sender }: RemoteMessage, entering: Entering | undefined): Told {
    return sender.kind === "entity" || entering?.isFirst === true ? { kind: "deadline" } : NOT_REACHED;
  }

  async function deliverElsewhere(message: RemoteMessage, place: Place | undefined): Promise<Told | Answer> {
    const remote = ports.remote();
    if (remote?.route(entityOf(message.to)) === undefined) return nobody(message);
    const sent = remote.send(message);
    place?.leave();
    // R1: it may wait for a store that takes nothing.
    const outcome = (await settledWithin(sent, clock, message.withinMs + REMOTE_GRACE_MS, undefined, { unref: true })) ?? NO_WORD;
    if (outcome.kind === "no-such-actor") addDead(message);
    return outcome;
  }

  async function deliver(live: HostedEntity, message: RemoteMessage): Promise<Told | Answer> {
    const { sender } = message;
    if (sender.kind === "entity") return deliverNumbered(live, message);
    // The fingerprint is that of what was sent: what the door adds may differ at a repetition (rules M2).
    let fingerprint: string;
    try {
      fingerprint = fingerprintOf(message.to, message.event, sender);
    } catch (cause) {
      if (!isA(cause, NotPlain)) throw cause;
      return { kind: "invalid", problems: [{ path: cause.path, message: cause.message }], accepts: live.view(message.to)?.accepts ?? [] };
    }
    let { withinMs } = message;
    // Asked again when it has waited: of several that waited for the same one, another may be on its way now.
    for (let first = live.taking(sender.id); first !== undefined; first = live.taking(sender.id)) {
      const leftMs = await waitFor(first, withinMs, bytesOf(message));
      if (leftMs === undefined) return ON_ITS_WAY;
      withinMs = leftMs;
    }
    const known = live.known(sender.id);
    // It needs no turn, and so no store that has room.
    if (known !== undefined) return known.fingerprint === fingerprint ? live.repeated(known, { ...message, withinMs }) : { kind: "id-reused" };
    const view = live.view(message.to);
    const type = view === undefined ? undefined : actorTypes.get(view.type);
    if (view === undefined || type === undefined) return nobody(message);
    const verdict = ports.door(message, type);
    if (verdict.kind === "refuse") return verdict.refusal;
    const { event = message.event, to = message.to } = verdict;
    const meant = to === message.to ? view : live.view(to);
    const checked = meant === undefined ? undefined : check(meant, event, sender);
    if (checked?.ok === false) return { kind: "invalid", problems: checked.problems, accepts: meant?.accepts ?? [] };
    return live.take({ ...message, to, event, withinMs }, verdict.reads, fingerprint);
  }

  /** R3. undefined: the entity decides. */
  function check({ address: cell, type, entity }: ActorView, event: EventData, sender: Sender): Checked | undefined {
    const messages = actorTypes.get(type)?.messages;
    const { stepWatch } = ports;
    const keyOf = (): string => messageKey(sender, cell, event);
    const isSuspect = stepWatch !== undefined && stepWatch.hung.length > 0 && hungBefore(stepWatch, entity, keyOf()) > 0;
    if (messages === undefined || isSuspect || (ports.isCareful() && !messages.isBounded(event.type))) return undefined;
    return checkUnderWatch(stepWatch, messages, event, () => ({ entity, cell, what: nameOf(event, sender), key: keyOf() }));
  }

  /** What is left of a repetition's time when its first is over; undefined: nothing, and the first is not (R1), or there is no room to wait. */
  function waitFor(first: Promise<unknown>, withinMs: number, bytes: number): Promise<number | undefined> {
    const began = clock.monotonic();
    return budget.holding(bytes, async () => {
      const isOver = await settledWithin(
        first.then(() => true),
        clock,
        withinMs,
        undefined,
        { unref: true },
      );
      return isOver === undefined ? undefined : Math.max(0, withinMs - (clock.monotonic() - began));
    });
  }

  /** R2. An answer to an ask has no door: the ask was this entity's own. */
  async function deliverNumbered(live: HostedEntity, message: RemoteMessage): Promise<Told | Answer> {
    const view = message.answers === undefined ? live.view(message.to) : undefined;
    const type = view === undefined ? undefined : actorTypes.get(view.type);
    if (type === undefined) return live.take(message, undefined, undefined);
    const verdict = ports.door(message, type);
    // Its number is below the sender's next `oldest` then, which skips it.
    if (verdict.kind === "refuse") return verdict.refusal;
    const { event = message.event, to = message.to, reads } = verdict;
    return live.take({ ...message, to, event }, reads, undefined);
  }

  function away({ to, sender }: RemoteMessage): Told {
    const entity = entityOf(to);
    if (sender.kind === "outside" && entities.isTaking(entity, sender.id)) return ON_ITS_WAY;
    const reason = entities.whyOut(entity);
    return reason === undefined ? { kind: "owner-away" } : { kind: "owner-away", reason };
  }

  function nobody(message: RemoteMessage): Told {
    addDead(message);
    return { kind: "no-such-actor" };
  }

  function addDead({ to, event, sender }: RemoteMessage): void {
    deadLetters.addMessage({ to, event, sender, reason: "no-such-actor" });
  }

  return route;
}
