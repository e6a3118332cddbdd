// The sources of one entity: promises, callbacks, observables, tasks of the node and subscriptions to topics, and what they say (hosting H9).
//
// S1. What a source says is bounded by the entity's control lane: a flood is cut and counted, its end is always heard (promise S5).
// S2. A source that hangs is known by its place and the version of its actor, since it is begun under ever new keys (rules M4). What it does with an event is forgiven when it
//     ends: that it took one says nothing of the next.

import type { Address } from "../address.ts";
import type { AnyMessages } from "../actor/index.ts";
import type { SourceSaid } from "../entity/contract.ts";
import type { Entity, SourceDescription } from "../entity/index.ts";
import type { Log, StepWatch } from "../ports/index.ts";
import { asItIsNow, type SourcePart, Sources, type TaskMark } from "../xstate/index.ts";
import { ownOf } from "../own-of.ts";
import type { Activation } from "./activation.ts";
import type { DeadLetters } from "./dead-letters.ts";
import { Listening, type SubscriptionView } from "./listening.ts";
import type { Topics } from "./topics.ts";
import { endedWell, watched, type Work } from "./watched.ts";

export interface SourcesPorts {
  readonly log: Log;
  readonly deadLetters: DeadLetters;
  readonly topics: Topics;
  readonly stepWatch: StepWatch | undefined;
}

interface Begun {
  readonly cell: Address;
  /** Name of the actor type that it belongs to. */
  readonly actor: string;
  readonly trace: string | undefined;
}

export class RunningSources {
  readonly #entity: Entity;
  readonly #ports: SourcesPorts;
  readonly #inbox: Pick<Activation, "control" | "hasControlRoom">;
  readonly #sources: Sources;
  readonly #begun = new Map<number, Begun>();
  #listening: Listening | undefined;

  constructor(entity: Entity, ports: SourcesPorts, inbox: Pick<Activation, "control" | "hasControlRoom">) {
    this.#entity = entity;
    this.#ports = ports;
    this.#inbox = inbox;
    const { log, stepWatch } = ports;
    this.#sources = new Sources({
      said: (incarnation, said) => {
        this.#said(incarnation, said);
      },
      unheard: () => {
        entity.unheard("source");
      },
      failedToStop: (source, error) => {
        log.warn({ err: error, source }, "a source failed while it was stopped, or after that");
      },
      ...(stepWatch === undefined
        ? {}
        : {
            watched: (incarnation: number, part: SourcePart, run: () => void): void => {
              watched(stepWatch, this.#workOf(this.#begun.get(incarnation) as Begun, part), run);
            },
          }),
    });
  }

  /** As `Listening.of`. */
  subscriptionsOf(actor: Address): readonly SubscriptionView[] {
    return this.#listening?.of(actor) ?? [];
  }

  start(cell: Address, incarnation: number): void {
    const source = this.#entity.source(cell, incarnation);
    // An ask has no source of its own: its message left by the outbox and its answer comes as one.
    if (source === undefined || source.task?.kind === "ask") return;
    this.#begun.set(incarnation, { cell, actor: source.actor, trace: source.trace });
    const { kind, logic, self, system, key, name = "" } = source;
    const input = asItIsNow(source.input);
    if (source.task?.kind === "subscription") {
      this.#sources.start({ incarnation, kind, logic: this.#subscribing(source, source.task), task: undefined, input, self, system });
      return;
    }
    const supplied = source.task === undefined ? undefined : ownOf(this.#entity.type.types.get(source.actor)?.tasks ?? {}, name);
    const task =
      source.task === undefined
        ? undefined
        : (given: unknown, signal: AbortSignal): unknown => {
            if (supplied === undefined) throw new Error(`this node does not supply the task "${name}"`);
            return supplied(given as never, { key, signal, actor: cell });
          };
    this.#sources.start({ incarnation, kind, logic, task, input, self, system });
  }

  send(incarnation: number, event: unknown): void {
    this.#sources.send(incarnation, asItIsNow(event));
  }

  stop(incarnation: number): void {
    this.#sources.stop(incarnation);
    this.#ended(incarnation);
  }

  /** In the reverse of their order of starting. */
  stopAll(): void {
    for (const incarnation of this.#entity.sourceOrder().toReversed()) this.#sources.stop(incarnation);
    this.#sources.stopAll();
    for (const incarnation of [...this.#begun.keys()]) this.#ended(incarnation);
  }

  /** A callback that says nothing itself: what it listens to goes into the mailbox as there is room, bounded and counted. */
  #subscribing({ cell, incarnation, actor, input }: SourceDescription, mark: Extract<TaskMark, { kind: "subscription" }>): { readonly config: unknown } {
    const { topics, log, stepWatch } = this.#ports;
    const messages = this.#entity.type.types.get(actor)?.messages as AnyMessages;
    const topic = (input as { readonly topic?: unknown } | undefined)?.topic;
    const listening = (this.#listening ??= new Listening(topics, this.#inbox, log, stepWatch));
    return { config: () => listening.begin({ cell, incarnation, mark, topic, messages, version: this.#versionOf(actor) }) };
  }

  /** S1. */
  #said(incarnation: number, said: SourceSaid): void {
    const begun = this.#begun.get(incarnation);
    if (begun === undefined) return;
    const { cell, trace } = begun;
    const isLast = said.kind === "done" || said.kind === "error";
    if (isLast) this.#ended(incarnation);
    else if (!this.#inbox.hasControlRoom) {
      this.#ports.deadLetters.add({ to: cell, type: `(source ${said.kind})`, from: "source", reason: "mailbox full" });
      return;
    }
    this.#inbox.control({ input: { kind: "source", cell, incarnation, said, ...(trace === undefined ? {} : { trace }) } });
  }

  #ended(incarnation: number): void {
    const source = this.#begun.get(incarnation);
    if (source === undefined) return;
    this.#begun.delete(incarnation);
    const { stepWatch } = this.#ports;
    if (stepWatch !== undefined) endedWell(stepWatch, this.#workOf(source, "receive"));
  }

  /** S2. */
  #workOf({ cell, actor }: Begun, part: SourcePart): Work {
    return { entity: this.#entity.address, cell, what: `${part} of a source`, key: `${part} ${cell} ${this.#versionOf(actor)}`, isSettledLater: part === "receive" };
  }

  #versionOf(actor: string): string {
    return `v${String(this.#entity.type.types.get(actor)?.version ?? 0)}`;
  }
}
