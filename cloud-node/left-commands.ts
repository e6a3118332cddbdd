// Writes down in `T/requests/V` what is about to leave for a vehicle, before it leaves: a node that is killed knows of it when it runs again (promise S3).

import { type LeftRequest, leftRequestIn, requestIn, type RequestsContext } from "../actors/index.ts";
import { type Address, settledWithin, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
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

export interface Writing {
  /** What is not accepted must not leave. */
  readonly told: Promise<Told>;
  /** Whether it was written, or may have been, whenever that is known. */
  readonly settled: Promise<boolean>;
}

export interface LeftCommands {
  /** @param withinMs of who waits for `told`; at most 2 s are waited */
  leaves(command: CommandId, withinMs: number): Writing;
  /** Nothing came of any attempt. Said before the next `leaves` of the same id, it is written before that. @returns whether it is known to be written */
  untaken(command: CommandId): Promise<boolean>;
  /** Its owner gave its word. */
  answered(command: CommandId): void;
  /** What left under this id, if it is known. */
  find(vehicle: Address, request: string): LeftRequest | undefined;
}

const written = { kind: "accepted", durable: "local" } as const;
const notWritten = { kind: "not-stored", reason: "what leaves for a vehicle is written down first, and the store takes nothing at the moment" } as const;
/** A store that takes longer has no room or hangs. */
const WRITTEN_WITHIN_MS = 2_000;
/** More than can be open at once; forgetting one only keeps it in the list for longer. */
const MOST_ANSWERED = 1_000;

export function leftCommands(system: () => System, clock: Clock): LeftCommands {
  /** What is being written down, by vehicle, and since when the store has taken none of it, ms of passing time. */
  const writing = new Map<Address, { count: number; since: number }>();
  /** By vehicle, since a command for it last left: told with the next one, so that an answer costs no commit of its own. */
  const answers = new Map<Address, string[]>();
  const contextOf = (vehicle: Address): RequestsContext | undefined => system().read(requestsOf(vehicle))?.context as RequestsContext | undefined;

  async function counted(vehicle: Address, noted: Promise<Told>): Promise<Told> {
    const now = writing.get(vehicle) ?? { count: 0, since: clock.monotonic() };
    writing.set(vehicle, now);
    now.count++;
    try {
      return await noted;
    } finally {
      now.since = clock.monotonic();
      if (--now.count === 0) writing.delete(vehicle);
    }
  }

  return {
    leaves: ({ vehicle, request, fingerprint, expiresAt }, withinMs) => {
      const context = contextOf(vehicle);
      // One that waits is written down as sent already.
      const held = context === undefined ? undefined : requestIn(context, request, clock.now());
      if (held?.sent === true) return { told: Promise.resolve(written), settled: Promise.resolve(false) };
      const stuck = writing.get(vehicle);
      if (stuck !== undefined && clock.monotonic() - stuck.since >= WRITTEN_WITHIN_MS) return { told: Promise.resolve(notWritten), settled: Promise.resolve(false) };
      const event = { type: "request.left", request, fingerprint, expiresAt, answered: answers.get(vehicle) ?? [] };
      answers.delete(vehicle);
      const noted = counted(vehicle, system().inform(requestsOf(vehicle), event, { input: undefined }));
      const late = withinMs < WRITTEN_WITHIN_MS ? ({ kind: "deadline" } as const) : notWritten;
      return {
        told: settledWithin(noted, clock, Math.min(withinMs, WRITTEN_WITHIN_MS), undefined).then((told) => told ?? late),
        settled: noted.then(
          ({ kind }) => kind === "accepted" || kind === "unknown",
          () => false,
        ),
      };
    },
    untaken: async ({ vehicle, request, fingerprint }) => {
      // Who waits for it may be nobody: a failure is `false`, too.
      const erased = system()
        .inform(requestsOf(vehicle), { type: "request.untaken", request, fingerprint })
        .catch(() => undefined);
      const told = await settledWithin(erased, clock, WRITTEN_WITHIN_MS, undefined);
      // Refused: it is not in the list.
      return told?.kind === "accepted" || told?.kind === "refused";
    },
    answered: ({ vehicle, request }) => {
      answers.set(vehicle, [...(answers.get(vehicle) ?? []), request].slice(-MOST_ANSWERED));
    },
    find: (vehicle, request) => leftRequestIn(contextOf(vehicle)?.left ?? [], request, clock.now()),
  };
}
