// Writes down in `T/requests/V` what is about to leave for a vehicle, before it leaves: a node that is killed knows of it when it runs again (promise S3).

import { type LeftRequest, leftRequestIn, requestIn, type RequestsContext } from "../actors/index.ts";
import type { Address, System } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { NotingLine, type Writing } from "./noting-line.ts";
import { requestsOf } from "./requests-address.ts";

export interface CommandId {
  readonly vehicle: Address;
  /** Its message id, known until it expires (rules M2). */
  readonly request: string;
  /** Of receiver, author and event. */
  readonly fingerprint: string;
  /** Wall ms. */
  readonly expiresAt: number;
}

export interface LeftCommands {
  /** @param withinMs of who waits for `told`; at most 4 s are waited */
  leaves(command: CommandId, withinMs: number): Writing;
  /** Nothing came of any attempt. Said before the next `leaves` of the same id, it is written before that. @returns whether it is known to be written */
  untaken(command: CommandId): Promise<boolean>;
  /** Its owner gave its word. */
  answered(command: CommandId): void;
  /** What left under this id, if it is known. */
  find(vehicle: Address, request: string): LeftRequest | undefined;
}

const WRITTEN: Writing = { told: Promise.resolve({ kind: "accepted", durable: "local" }), settled: Promise.resolve(false), over: () => undefined };

export function leftCommands(system: () => System, clock: Clock): LeftCommands {
  const lines = new Map<Address, NotingLine>();
  const contextOf = (vehicle: Address): RequestsContext | undefined => system().read(requestsOf(vehicle))?.context as RequestsContext | undefined;

  function lineOf(vehicle: Address): NotingLine {
    const line = lines.get(vehicle) ?? new NotingLine(vehicle, system, clock);
    lines.set(vehicle, line);
    return line;
  }

  return {
    leaves: (command, withinMs) => {
      const context = contextOf(command.vehicle);
      // One that waits is written down as sent already.
      const held = context === undefined ? undefined : requestIn(context, command.request, clock.now());
      return held?.sent === true ? WRITTEN : lineOf(command.vehicle).leaves(command, withinMs);
    },
    untaken: (command) => lineOf(command.vehicle).untaken(command),
    answered: ({ vehicle, request }) => {
      lineOf(vehicle).answered(request);
    },
    find: (vehicle, request) => leftRequestIn(contextOf(vehicle)?.left ?? [], request, clock.now()),
  };
}
