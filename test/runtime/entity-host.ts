// A small host for entities in tests: takes turns, commits, performs effects, runs sources, moves time from deadline to deadline. After every commit the state must be
// what the codec reads back (rules R2).

import type { Address } from "../../runtime/address.ts";
import { actorType, type AnyMessages, type Durability, type EntityType, entityType, type MessageSpecs, type Messages, messages } from "../../runtime/actor/index.ts";
import type { Effect, EventData, Input, InputResult, JournalRecord, Turn } from "../../runtime/entity/contract.ts";
import {
  createEntity,
  decodeRecord,
  decodeState,
  type Entity,
  encodeRecord,
  encodeState,
  readBackProblem,
  rehearseSteps,
  type Restored,
  restoreEntity,
} from "../../runtime/entity/index.ts";
import { runInline } from "../../runtime/system/effects.ts";
import { Sources } from "../../runtime/xstate/index.ts";

export const ROOT = "acme/thing/one" as Address;
export const EPOCH = 1_767_225_600_000;

export interface HostOptions {
  readonly address?: Address;
  readonly input?: unknown;
  readonly bareSnapshot?: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  /** Each turn is taken twice, with a rollback between, and must come to the same (hosting H11). Each step is, with a frozen context, in any case. */
  readonly twice?: boolean;
  /** Not started. */
  readonly bare?: boolean;
}

type Act = Extract<Effect, { readonly kind: "act" }>;

export class EntityHost {
  type: EntityType;
  readonly address: Address;
  readonly records: Uint8Array[] = [];
  readonly effects: Effect[] = [];
  readonly acts: Act[] = [];
  readonly emitted: { readonly cell: Address; readonly event: EventData }[] = [];
  readonly logged: { readonly label: string | undefined; readonly value: unknown }[] = [];
  readonly faults: string[] = [];
  /** Of turns and steps that were taken twice. */
  readonly differences: string[] = [];
  readonly stopFailures: unknown[] = [];
  readonly observerFailures: unknown[] = [];
  readonly results: InputResult[] = [];
  entity: Entity;
  sources: Sources;
  now = EPOCH;
  elapsed = 0;
  last: Turn | undefined;
  #queue: Input[] = [];
  #pumping = false;
  #ids = 0;
  readonly #cells = new Map<number, Address>();
  readonly #twice: boolean;
  #seed = 1;

  constructor(type: EntityType, options: HostOptions = {}) {
    this.type = type;
    this.address = options.address ?? ROOT;
    this.#twice = options.twice ?? false;
    this.sources = this.#makeSources();
    this.entity = createEntity(type, this.address, "history-1");
    this.#listen();
    if (options.bare !== true)
      this.take({ kind: "start", input: options.input, labels: options.labels ?? {}, ...(options.bareSnapshot === undefined ? {} : { bareSnapshot: options.bareSnapshot }) });
  }

  /** Takes these inputs in one turn, then all that follow from them. @returns the results of these inputs */
  take(...inputs: readonly Input[]): readonly InputResult[] {
    const results = this.#turn(inputs);
    this.pump();
    return results;
  }

  /** A message from outside. */
  send(
    event: EventData | string,
    more: { readonly to?: Address; readonly id?: string; readonly author?: string; readonly wantsReply?: boolean; readonly expiresAt?: number; readonly repeatedMs?: number } = {},
  ): InputResult {
    return this.take(this.message(event, more))[0] as InputResult;
  }

  message(
    event: EventData | string,
    more: { readonly to?: Address; readonly id?: string; readonly author?: string; readonly wantsReply?: boolean; readonly expiresAt?: number; readonly repeatedMs?: number } = {},
  ): Extract<Input, { kind: "message" }> {
    return {
      kind: "message",
      to: more.to ?? this.address,
      event: typeof event === "string" ? { type: event } : event,
      sender: {
        kind: "outside",
        id: more.id ?? `m${String(++this.#ids)}`,
        author: more.author ?? "tester",
        expiresAt: more.expiresAt ?? this.now + 3_600_000,
        ...(more.repeatedMs === undefined ? {} : { repeatedMs: more.repeatedMs }),
      },
      wantsReply: more.wantsReply ?? false,
    };
  }

  queue(input: Input): void {
    this.#queue.push(input);
  }

  /** Takes what sources and actions have said so far. */
  pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      for (let input = this.#queue.shift(); input !== undefined; input = this.#queue.shift()) this.#turn([input]);
    } finally {
      this.#pumping = false;
    }
  }

  /** Moves both clocks, firing what falls due at its time. */
  advance(ms: number): void {
    const end = this.elapsed + ms;
    for (;;) {
      const next = this.entity.nextTimer();
      const due = Math.min(next.elapsed ?? Number.POSITIVE_INFINITY, (next.wall ?? Number.POSITIVE_INFINITY) - this.now + this.elapsed);
      if (!(due <= end)) break;
      this.now += Math.max(0, due - this.elapsed);
      this.elapsed = Math.max(this.elapsed, due);
      const input = this.entity.due({ now: this.now, elapsed: this.elapsed })[0];
      if (input === undefined) break;
      this.take(input);
    }
    this.now += end - this.elapsed;
    this.elapsed = end;
  }

  /** Lets promises settle, then takes what was said. */
  async tick(times = 1): Promise<void> {
    for (let at = 0; at < times; at++) {
      await new Promise<void>((resolve) => setImmediate(resolve));
      this.pump();
    }
  }

  /** As after a crash: the state through JSON or bytes into a new entity. With `keepSources` they run on, as if nothing had happened to them. */
  restart(how: { readonly keepSources?: boolean; readonly by?: "json" | "bytes" | "journal" } = {}): Restored {
    let stored: { snapshot: ReturnType<typeof decodeState> | undefined; records: readonly JournalRecord[] };
    if (how.by === "journal") stored = { snapshot: undefined, records: this.journal() };
    else if (how.by === "bytes") stored = { snapshot: decodeState(encodeState(this.entity.state())), records: [] };
    else stored = { snapshot: JSON.parse(JSON.stringify(this.entity.state())) as ReturnType<typeof decodeState>, records: [] };
    const restored = restoreEntity(this.type, this.address, stored);
    this.entity = restored.entity;
    this.#listen();
    if (how.keepSources !== true) {
      this.sources.stopAll();
      this.sources = this.#makeSources();
    }
    return restored;
  }

  /** As after a restart of its node with other versions: what its actors upgrade to is committed, then done, then recovery goes on. */
  upgrade(type: EntityType): Restored {
    const stored = { snapshot: decodeState(encodeState(this.entity.state())), records: [] };
    const restored = restoreEntity(type, this.address, stored, () => ({ now: this.now, elapsed: this.elapsed, seed: this.#seed++ }));
    this.type = type;
    this.entity = restored.entity;
    this.#listen();
    this.sources.stopAll();
    this.sources = this.#makeSources();
    const { upgrade } = restored;
    if (upgrade?.record !== undefined) this.records.push(encodeRecord(upgrade.record));
    const fresh = upgrade?.effects ?? [];
    for (const input of this.entity.recoveryInputs(this.now, fresh)) this.take(input);
    for (const effect of [...this.entity.recoveryEffects(fresh), ...fresh]) this.#perform(effect, new Set());
    this.pump();
    return restored;
  }

  /** Says and does what a recovery must. */
  recover(): void {
    for (const input of this.entity.recoveryInputs(this.now)) this.take(input);
    for (const effect of this.entity.recoveryEffects()) this.#perform(effect, new Set());
    this.pump();
  }

  journal(): readonly JournalRecord[] {
    return this.records.map((bytes) => decodeRecord(bytes));
  }

  value(address: Address = this.address): unknown {
    return this.entity.view(address)?.value;
  }

  context(address: Address = this.address): unknown {
    return this.entity.view(address)?.context;
  }

  #turn(inputs: readonly Input[]): readonly InputResult[] {
    const end = rehearseSteps(({ actor, event, path, what }) => {
      this.differences.push(`the step of ${actor} on ${event}: ${path} ${what}`);
    });
    try {
      return this.#rehearsedTurn(inputs);
    } finally {
      end();
    }
  }

  #rehearsedTurn(inputs: readonly Input[]): readonly InputResult[] {
    const stamp = { now: this.now, elapsed: this.elapsed, seed: this.#seed++ };
    let turn = this.entity.turn(inputs, stamp);
    const { record } = turn;
    if (this.#twice) {
      const first = JSON.stringify(record);
      this.entity.rollback();
      turn = this.entity.turn(inputs, stamp);
      const second = JSON.stringify(turn.record);
      if (first !== second) this.differences.push(`${first}\n${second}`);
    }
    if (turn.record !== undefined) this.records.push(encodeRecord(turn.record));
    this.last = turn;
    this.results.push(...turn.results);
    for (const result of turn.results) if (result.kind === "faulted") this.faults.push(result.error);
    this.entity.commit();
    const problem = readBackProblem(this.entity);
    if (problem !== undefined) throw new Error(`what is kept is not what is read back: ${problem}`);
    // N1: after a throw the cell's later actions of this turn are not performed.
    const failed = new Set<number>();
    for (const effect of turn.effects) this.#perform(effect, failed);
    return turn.results;
  }

  #perform(effect: Effect, failed: Set<number>): void {
    this.effects.push(effect);
    switch (effect.kind) {
      case "act":
        this.acts.push(effect);
        if (effect.run === undefined || failed.has(effect.incarnation)) return;
        this.#run(effect, failed);
        return;
      case "source.start":
        this.#start(effect.cell, effect.incarnation);
        return;
      case "source.send":
        this.sources.send(effect.incarnation, effect.event);
        return;
      case "source.stop":
        this.sources.stop(effect.incarnation);
        return;
      case "emit":
        this.emitted.push({ cell: effect.cell, event: effect.event });
        return;
      case "log":
        this.logged.push({ label: effect.label, value: effect.value });
        return;
      case "answer":
      case "send":
      case "forked":
      case "supervision":
        return;
    }
  }

  #run(effect: Act, failed: Set<number>): void {
    const fault = runInline(effect);
    if (fault === undefined) return;
    failed.add(effect.incarnation);
    this.#queue.push({ kind: "fault", cell: effect.cell, incarnation: effect.incarnation, ...fault, where: `action "${effect.name}"` });
  }

  #start(cell: Address, incarnation: number): void {
    const source = this.entity.source(cell, incarnation);
    if (source === undefined) return;
    this.#cells.set(incarnation, cell);
    const supplied = source.name === undefined ? undefined : this.type.types.get(source.actor)?.tasks[source.name];
    this.sources.start({
      incarnation,
      kind: source.kind,
      logic: source.logic,
      input: source.input,
      self: source.self,
      system: source.system,
      task: supplied === undefined ? undefined : (input, signal) => supplied(input as never, { key: source.key, signal, actor: cell }),
    });
  }

  #makeSources(): Sources {
    return new Sources({
      said: (incarnation, said) => {
        this.#queue.push({ kind: "source", cell: this.#cells.get(incarnation) ?? ROOT, incarnation, said });
      },
      unheard: () => {
        this.entity.unheard("source");
      },
      failedToStop: (_incarnation, error) => {
        this.stopFailures.push(error);
      },
    });
  }

  #listen(): void {
    this.entity.listen({
      posted: (input) => {
        this.#queue.push(input);
      },
      unheard: () => undefined,
      observerFailed: (cell, error) => {
        this.observerFailures.push([cell, (error as Error).message]);
      },
    });
  }
}

/** An entity type with this behaviour as its root, whatever the types say. */
export function thingType(
  behaviour: object,
  words: AnyMessages,
  more: { readonly durability?: Durability; readonly version?: number; readonly restartFrom?: "committed" | "initial"; readonly name?: string } = {},
): EntityType {
  const root = actorType({ name: more.name ?? "thing", version: more.version ?? 1, messages: words as Messages<MessageSpecs>, behaviour: behaviour as never });
  return entityType({ root, durability: more.durability ?? "events", placement: "cloud", ...(more.restartFrom === undefined ? {} : { restartFrom: more.restartFrom }) });
}

/** Messages without bodies. */
export function words(...types: readonly string[]): Messages<MessageSpecs> {
  return messages(Object.fromEntries(types.map((type) => [type, { body: {} }])));
}

/** A protocol that takes every event, for machines that are tested without one. */
export function anyMessages(): Messages<MessageSpecs> {
  return {
    specs: {},
    types: [],
    isSorted: false,
    at: (address) => words("any").at(address),
    check: (event) => {
      const type = (event as { readonly type?: unknown }).type;
      return typeof type === "string" && !type.startsWith("xstate.") ? { ok: true } : { ok: false, problems: [{ path: "/type", message: "comes from the host alone" }] };
    },
    checkReply: () => ({ ok: true }),
    isBounded: () => true,
    specOf: () => undefined,
    describe: () => [],
  };
}
