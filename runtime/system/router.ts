// Where a message goes: to an entity here, to another node, or nowhere; and through the node's door on its way (design section 5).
//
// R1. What becomes of a message is told in bounded time, whatever it waits for.
// R2. A message of another entity is judged by the entity itself, so that its number is recorded whatever the verdict (rules M1).
// R3. So is one whose check hung a process before: it has its attempts like one whose step did, and its outcome is kept under its id (rules M4).

import { entityOf } from "../address.ts";
import type { AnyActorType, Checked } from "../actor/index.ts";
import type { EventData, Sender } from "../entity/contract.ts";
import { fingerprintOf, messageKey, NotPlain } from "../entity/index.ts";
import type { Answer, Told } from "../outcome.ts";
import type { Clock, StepWatch } from "../ports/index.ts";
import { settledWithin } from "../settled-within.ts";
import type { Remote, RemoteMessage } from "./contract.ts";
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
  readonly actorTypes: ReadonlyMap<string, AnyActorType>;
  readonly remote: () => Remote | undefined;
  readonly door: Door;
  readonly stepWatch: StepWatch | undefined;
  readonly deadLetters: DeadLetters;
  readonly budget: MailBudget;
  readonly clock: Clock;
  readonly isStopping: () => boolean;
}

/** When who was told `full` may come again. */
export const RETRY_AFTER_MS = 100;
/** A remote that has its own end by the deadline says its word before it is given up. */
const REMOTE_GRACE_MS = 500;
const LATE = { live: "late" } as const;
const FULL = { live: "full" } as const;
const NO_WORD = { kind: "unknown", reason: "this node had no word of it in time, though it may have passed it on or kept it; ask again with the same id" } as const;
const ON_ITS_WAY = { kind: "unknown", reason: "the same message is still on its way; ask again with the same id" } as const;

export type Route = (message: RemoteMessage) => Promise<Told | Answer>;

export function createRouter(ports: RouterPorts): Route {
  const { entities, actorTypes, deadLetters, clock, budget } = ports;

  async function route(given: RemoteMessage): Promise<Told | Answer> {
    if (ports.isStopping()) return away(given);
    const entity = entityOf(given.to);
    const began = clock.monotonic();
    const withinMs = Math.min(LONGEST_MS, given.withinMs);
    const isElsewhere = (): boolean => ports.remote()?.route(entity) !== undefined;
    const bytes = bytesOf(given);
    const call: Call = { lane: given.sender.kind === "entity" ? "message" : "command", giveUpAt: began + withinMs, bytes };
    const taker = async (): Promise<{ readonly live: Awaited<ReturnType<Entities["taker"]>> | "late" }> =>
      (await settledWithin(
        entities.taker(entity, isElsewhere, call).then((live) => ({ live })),
        clock,
        withinMs,
        undefined,
        { unref: true },
      )) ?? LATE; // R1
    // Told at once, so that a burst to one entity takes up no room of the others.
    const { live } = entities.isCrowded(entity, bytes) ? FULL : ((await (entities.isLive(entity) ? taker() : budget.holding(bytes, taker))) ?? FULL);
    // What the way here took is time that the deadline has lost.
    const message = { ...given, withinMs: withinMs - (clock.monotonic() - began) };
    if (live === "late" && entities.comesWhenCalled(entity)) return { kind: "deadline" };
    if (live === "away" || live === "late") return away(given);
    if (live === "full") return { kind: "full", retryAfterMs: RETRY_AFTER_MS };
    if (live !== undefined) {
      const outcome = await deliver(live, message);
      // It was passivated between the two: it comes back as it is called again.
      return outcome.kind === "owner-away" && live.hasLeft ? route(message) : outcome;
    }
    const remote = ports.remote();
    if (remote?.route(entity) !== undefined) {
      // R1: it may wait for a store that takes nothing.
      const outcome = (await settledWithin(remote.send(message), clock, message.withinMs + REMOTE_GRACE_MS, undefined, { unref: true })) ?? NO_WORD;
      if (outcome.kind === "no-such-actor") addDead(message);
      return outcome;
    }
    return nobody(message);
  }

  async function deliver(live: HostedEntity, message: RemoteMessage): Promise<Told | Answer> {
    const { sender } = message;
    if (sender.kind === "entity") return deliverNumbered(live, message);
    // The fingerprint is that of what was sent: what the door adds may differ at a repetition (rules M2).
    let fingerprint: string;
    try {
      fingerprint = fingerprintOf(message.to, message.event, sender);
    } catch (cause) {
      if (!(cause instanceof NotPlain)) throw cause;
      return { kind: "invalid", problems: [{ path: cause.path, message: cause.message }], accepts: live.view(message.to)?.accepts ?? [] };
    }
    const withinMs = live.taking(sender.id) === undefined ? message.withinMs : await budget.holding(bytesOf(message), async () => afterTheFirst(live, sender.id, message.withinMs));
    if (withinMs === undefined) return ON_ITS_WAY;
    const known = live.known(sender.id);
    if (known?.fingerprint === fingerprint) return live.repeated(known, { ...message, withinMs });
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
    if (messages === undefined || isSuspect) return undefined;
    return checkUnderWatch(stepWatch, messages, event, () => ({ entity, cell, what: nameOf(event, sender), key: keyOf() }));
  }

  /** What is left of a repetition's time when its first is over; undefined: nothing, and the first is not (R1). */
  async function afterTheFirst(live: HostedEntity, id: string, withinMs: number): Promise<number | undefined> {
    const began = clock.monotonic();
    let leftMs = withinMs;
    for (let first = live.taking(id); first !== undefined; first = live.taking(id)) {
      const isOver = await settledWithin(
        first.then(() => true),
        clock,
        leftMs,
        undefined,
        { unref: true },
      );
      if (isOver === undefined) return undefined;
      leftMs = Math.max(0, withinMs - (clock.monotonic() - began));
    }
    return leftMs;
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
