// Looking into actors that are hosted here: what waits, since when a state holds and why, any past state, a turn run again, a message tried out.
// Everything is worked out when somebody asks; a node that nobody looks at pays nothing.
//
// N1. Committed state only (rules C4): a trial and a replay run on a copy, and nothing of them leaves it.

import { type Address, entityOf } from "../address.ts";
import type { AnyActorType, EntityType } from "../actor/index.ts";
import type { EventData, Input } from "../entity/contract.ts";
import { decodeState, replayTurn, type StateEntry, tryInput } from "../entity/index.ts";
import type { Clock, Random, StepWatch, Store } from "../ports/index.ts";
import { asItIsNow, shownData } from "../xstate/index.ts";
import type { Door } from "./door.ts";
import type { HostedEntity } from "./hosted-entity.ts";
import { inTime, LOOK_WITHIN_MS } from "./in-time.ts";
import type { ActorInspection, Inspection, NotKept, PastActor, ReplayedRevision, TransitionCause, Trial } from "./inspected.ts";
import { outsideMessage } from "./outside-message.ts";
import { cellAt, turnAt } from "./past-turns.ts";
import { demandRevision } from "./queries.ts";
import type { Directory } from "./views.ts";
import { watched } from "./watched.ts";

export interface InspectionPorts {
  readonly node: string;
  /** Wakes an entity that was passivated: who looks inside wants to see it at work. undefined: not hosted here. */
  readonly hosted: (entity: Address) => Promise<HostedEntity | undefined>;
  readonly types: ReadonlyMap<string, EntityType>;
  readonly actorTypes: ReadonlyMap<string, AnyActorType>;
  readonly history: Directory["history"];
  /** Hosted here, or kept here as a replica with the records of its owner. */
  readonly isKnown: (entity: Address) => boolean;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly door: Door;
  readonly stepWatch: StepWatch | undefined;
}

export function createInspection(ports: InspectionPorts): Inspection {
  const { hosted, types, store, clock } = ports;

  async function inspect(address: Address): Promise<ActorInspection | undefined> {
    const live = await hosted(entityOf(address));
    const view = live?.view(address);
    const interest = live?.interest(address);
    if (live === undefined || view === undefined || interest === undefined) return undefined;
    const entry = live.entered(address);
    if (entry === undefined) return { ...interest, address, revision: view.revision, lastTransition: undefined, inStateMs: undefined };
    const inStateMs = Math.max(0, clock.now() - entry.at);
    const { revision, at, from } = entry;
    return { ...interest, address, revision: view.revision, lastTransition: { revision, at, from, causes: [await causeOf(address, entry)] }, inStateMs };
  }

  /** With what only the journal tells. */
  async function causeOf(address: Address, { revision, event: type, author, timer, via }: StateEntry): Promise<TransitionCause> {
    const { items } = author === undefined ? { items: [] } : await ports.history(address, { order: "newest-first", limit: 1, after: revision - 1, before: revision + 1 });
    const alike = items.flatMap(({ inputs }) => inputs).filter((input) => input.type === (via ?? type) && input.author === author);
    const told = alike.length === 1 ? alike[0] : undefined;
    return {
      type,
      author,
      id: told?.id,
      ...(told?.trace === undefined ? {} : { trace: told.trace }),
      ...(timer === undefined ? {} : { timer }),
      ...(via === undefined ? {} : { via }),
      result: "accepted",
    };
  }

  async function stateAt(address: Address, revision: number): Promise<PastActor | NotKept | "absent" | undefined> {
    if (!ports.isKnown(entityOf(address))) return undefined;
    const found = await cellAt(store, address, revision);
    if ("kind" in found) return found;
    if (found.cell === undefined) return "absent";
    const { status, version, value, context } = found.cell;
    return { address, revision, at: found.at, status, version, state: value ?? null, context: shownData(context) };
  }

  /** Code of an actor on a copy of it: whoever asked does not come again by himself. */
  function look<V>(cell: Address, run: () => V): V {
    return watched(ports.stepWatch, { entity: entityOf(cell), cell, what: "a look inside", key: "" }, run);
  }

  async function replay(address: Address, revision: number): Promise<ReplayedRevision | NotKept | undefined> {
    const live = await hosted(entityOf(address));
    const type = live === undefined ? undefined : types.get(live.type);
    if (live === undefined || type === undefined) return undefined;
    const turn = await turnAt(store, live.address, revision);
    if ("kind" in turn) return turn;
    const { before, record } = turn;
    const replayed = look(address, () => replayTurn(type, live.address, before?.state, record));
    return { kind: "replayed", revision, at: record.stamp.now, unknown: before?.unknown ?? 0, ...replayed };
  }

  async function tryOut(address: Address, event: EventData, { author }: { readonly author: string }): Promise<Trial | undefined> {
    const live = await hosted(entityOf(address));
    const type = live === undefined ? undefined : types.get(live.type);
    if (live === undefined || type === undefined || live.view(address) === undefined) return undefined;
    const sent = outsideMessage({ address, event, options: { author }, ask: true }, { node: ports.node, now: clock.now(), id: ports.random.id() });
    if ("kind" in sent) return { kind: "turned-away", refusal: sent };
    const { message } = sent;
    const actor = ports.actorTypes.get(live.view(address)?.type ?? "");
    const verdict = actor === undefined ? undefined : ports.door(message, actor);
    if (verdict?.kind === "refuse") return { kind: "turned-away", refusal: verdict.refusal };
    const { event: given = message.event, to = message.to, reads } = verdict ?? {};
    const meant = live.view(to);
    const messages = meant === undefined ? undefined : ports.actorTypes.get(meant.type)?.messages;
    const checked = look(to, () => messages?.check(given));
    if (checked?.ok === false) return { kind: "turned-away", refusal: { kind: "invalid", problems: checked.problems, accepts: meant?.accepts ?? [] } };
    const encoded = await live.encodedState();
    if (encoded === undefined) return undefined;
    const state = decodeState(encoded.encoded);
    const input: Input = {
      kind: "message",
      to,
      event: given,
      sender: message.sender,
      wantsReply: messages?.specOf(given.type)?.reply !== undefined,
      ...(reads === undefined ? {} : { reads }),
    };
    const stamp = { now: clock.now(), elapsed: state.stamp.elapsed, seed: ports.random.uint32() };
    const { entries, results, outcome } = look(to, () => tryInput(type, live.address, state, input, stamp));
    const after = outcome.cells.find((cell) => cell.address === to) ?? state.cells.find((cell) => cell.address === to);
    return { kind: "tried", result: results[0]?.kind ?? "accepted", trace: entries, state: after?.value ?? null, context: shownData(after?.context ?? null) };
  }

  const answered = <T>(address: Address, look: Promise<T>): Promise<T> => inTime(look, clock, LOOK_WITHIN_MS, `${address} could not be looked into`);
  return {
    inspect: async (address) => asItIsNow(await answered(address, inspect(address))),
    stateAt: async (address, revision) => {
      demandRevision(revision, "stateAt");
      return answered(address, stateAt(address, revision));
    },
    replay: async (address, revision) => {
      demandRevision(revision, "replay");
      return answered(address, replay(address, revision));
    },
    tryOut: async (address, event, by) => asItIsNow(await answered(address, tryOut(address, event, by))),
  };
}
