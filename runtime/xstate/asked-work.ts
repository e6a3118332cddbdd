// Work that a step asks for by `enqueueActions` and `spawn`: nobody saw it when its machine was registered, so that it is looked at as it is asked for (hosting H7, named difference N9).
//
// U1. A durable actor does declared work only. What is inline has no name under which a journal, an outbox or a restart could find it again.
// U2. Registered logic that is given as the object it is, instead of by its name, runs under that name.

import type { AnyStateMachine } from "xstate";

import { DroverError } from "../errors.ts";
import { kindOfLogic, resolveSource } from "./logic.ts";
import { unknownName } from "./walk.ts";

let isInlineAllowed = true;

/** For the step that begins; those within it are of the same entity. */
export function allowInlineWork(isAllowed: boolean): void {
  isInlineAllowed = isAllowed;
}

/**
 * An action that is enqueued.
 * @throws DROVER_WORK_UNDECLARED when a durable actor enqueues an inline function or source, and for names of actions, delays and actors that the machine does not have
 */
export function checkAsked(action: unknown, machine: AnyStateMachine): void {
  if (typeof action === "function") {
    const { delay, src, type } = action as { readonly delay?: unknown; readonly src?: unknown; readonly type?: unknown };
    if (!("resolve" in action)) checkInline(action);
    else if (typeof delay === "string") demandName(machine, "delay", delay);
    else if (type === "xstate.spawnChild") checkSource(machine, src);
    return;
  }
  const name = typeof action === "object" && action !== null ? (action as { readonly type?: unknown }).type : action;
  demandName(machine, "action", String(name));
}

function checkInline({ name }: { readonly name: string }): void {
  if (isInlineAllowed) return;
  throw undeclared(
    `the inline action ${name === "" ? "(anonymous)" : `"${name}"`} is enqueued; inline actions are for volatile types only: name it in setup({ actions }) with effect({ class }) and enqueue it by that name, or move what it computes into assign`,
  );
}

function checkSource(machine: AnyStateMachine, src: unknown): void {
  if (typeof src === "string") {
    if (resolveSource(machine, src) === undefined) demandName(machine, "actor", src);
  } else if (!isInlineAllowed) declaredSource(machine, src);
}

function demandName(machine: AnyStateMachine, kind: "action" | "delay" | "actor", name: string): void {
  const unknown = unknownName(machine, kind, name);
  if (unknown !== undefined) throw undeclared(`it ${unknown.what}; ${unknown.advice}`);
}

/**
 * The name of a child's logic (U2).
 * @param machine of its parent; undefined where that is none
 * @throws DROVER_WORK_UNDECLARED when it has none
 */
export function declaredSource(machine: AnyStateMachine | undefined, src: unknown): string {
  if (typeof src === "string") return src;
  const actors: Readonly<Record<string, unknown>> = machine?.implementations.actors ?? {};
  const name = Object.keys(actors).find((one) => actors[one] === src);
  if (name !== undefined) return name;
  throw undeclared(
    `a child of inline logic (${kindOfLogic(src) ?? "of no known kind"}) is spawned; inline sources are for volatile types only, since a restart could not find it again: register it in setup({ actors }) and spawn it by that name`,
  );
}

function undeclared(detail: string): DroverError {
  return new DroverError("DROVER_WORK_UNDECLARED", detail);
}
