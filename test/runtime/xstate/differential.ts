// Runs a case with bare XState and with the entity, and shows both in the same words.

import { type AnyStateMachine, createActor, SimulatedClock } from "xstate";

import { actorType, entityType } from "../../../runtime/actor/index.ts";
import type { CellRef } from "../../../runtime/xstate/index.ts";
import { cellOf } from "../../../runtime/xstate/index.ts";
import { anyMessages, EntityHost, type HostOptions } from "../entity-host.ts";
import type { DifferentialCase, Trace } from "./case.ts";

export interface Ran {
  readonly value: unknown;
  readonly context: unknown;
  readonly status: string;
  readonly output: unknown;
  readonly trace: readonly string[];
  readonly emitted: readonly unknown[];
  readonly errors: readonly string[];
  readonly children: readonly string[];
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function tracer(into: string[]): Trace {
  return (name) => () => {
    into.push(name);
  };
}

export async function runBare(one: DifferentialCase): Promise<Ran> {
  const trace: string[] = [];
  const emitted: unknown[] = [];
  const errors: string[] = [];
  const clock = new SimulatedClock();
  const actor = createActor(one.make(tracer(trace)), { clock, id: "root", logger: (...words: unknown[]) => trace.push(["log", ...words].join(" ")) });
  actor.subscribe({ error: (error: unknown) => errors.push((error as Error).message) });
  actor.on("*", (event: unknown) => emitted.push(event));
  actor.start();
  for (const step of one.script) {
    if (typeof step === "object" && "tick" in step) for (let at = 0; at < (step.tick as number); at++) await tick();
    // From millisecond to millisecond: XState's simulated clock jumps to the end and shifts what is chained.
    else if (typeof step === "object" && "adv" in step) for (let at = 0; at < Math.max(1, step.adv as number); at++) clock.increment(Math.min(1, step.adv as number));
    else actor.send(typeof step === "string" ? { type: step } : step);
  }
  const snapshot = actor.getSnapshot() as unknown as Parameters<typeof show>[0];
  return show(snapshot, one, trace, emitted, errors);
}

function show(
  snapshot: { readonly value: unknown; readonly context: unknown; readonly status: string; readonly output: unknown; readonly children: object },
  one: DifferentialCase,
  trace: readonly string[],
  emitted: readonly unknown[],
  errors: readonly string[],
): Ran {
  return {
    value: snapshot.value,
    context: plain(snapshot.context),
    status: snapshot.status,
    output: snapshot.output ?? null,
    trace,
    emitted: emitted.map(plain),
    errors,
    children: one.automaticIds === true ? [] : Object.keys(snapshot.children).sort(),
  };
}

/** Refs by their ids, errors by their messages, snapshots by their values. */
function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("send" in value && typeof value.send === "function") {
    const { id } = value as unknown as { readonly id: string };
    return /^x:|^\d+\./.test(id) ? "ref:auto" : `ref:${id}`;
  }
  if ("_nodes" in value) return { value: (value as { readonly value?: unknown }).value, context: plain((value as { readonly context?: unknown }).context) };
  if (value instanceof Error) return `Error:${value.message}`;
  if (Array.isArray(value)) return value.map(plain);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
}

export interface HostedRun {
  readonly ran: Ran;
  readonly host: EntityHost;
}

export function hostOf(machine: AnyStateMachine, options: HostOptions = {}): EntityHost {
  const root = actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour: machine });
  return new EntityHost(entityType({ root, durability: "volatile", placement: "cloud" }), options);
}

/** @param how.restart persisted, through JSON and restored between all steps, while its sources run on */
export async function runHosted(one: DifferentialCase, how: { readonly restart?: boolean; readonly twice?: boolean } = {}): Promise<HostedRun> {
  const trace: string[] = [];
  const host = hostOf(one.make(tracer(trace)), how.twice === true ? { twice: true } : {});
  let logged = 0;
  const takeLog = (): void => {
    for (; logged < host.logged.length; logged++) {
      const line = host.logged[logged];
      trace.push(["log", ...(line?.label === undefined ? [] : [line.label]), String(line?.value)].join(" "));
    }
  };
  takeLog();
  for (const step of one.script) {
    if (how.restart === true) host.restart({ keepSources: true });
    if (typeof step === "object" && "tick" in step) for (let at = 0; at < (step.tick as number); at++) await host.tick();
    else if (typeof step === "object" && "adv" in step) host.advance(step.adv as number);
    else host.send(step);
    takeLog();
  }
  const cell = rootOf(host);
  return {
    host,
    ran: show(
      cell,
      one,
      trace,
      host.emitted.filter(({ cell: from }) => from === host.address).map(({ event }) => event),
      host.faults,
    ),
  };
}

/** The root's snapshot as its machine has it. */
export function rootOf(host: EntityHost): Parameters<typeof show>[0] {
  const { root } = (host.entity as unknown as { readonly interior: { readonly root: { readonly ref: CellRef } } }).interior;
  return cellOf(root.ref)?.look() as Parameters<typeof show>[0];
}
