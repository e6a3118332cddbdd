// Writes down in `T/requests/V` what is about to leave for a vehicle, before it leaves: a node that is killed knows of it when it runs again (promise S3).

import { leftRequestIn, requestIn, type RequestsContext } from "../actors/index.ts";
import { type Address, entityOf, fingerprintOf, type RemoteMessage, settledWithin, type System, type Told } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { requestsOf } from "./requests-address.ts";

type Outside = Extract<RemoteMessage["sender"], { kind: "outside" }>;

export interface LeftCommands {
  /** Before it leaves. What is not accepted must not leave. */
  leaves(message: RemoteMessage, sender: Outside): Promise<Told>;
  /** Nothing came of it. */
  untaken(message: RemoteMessage, sender: Outside): Promise<void>;
  /** Its owner gave its word. */
  answered(message: RemoteMessage, sender: Outside): void;
  /** When the same command first left, wall ms; undefined where that is not known. */
  leftAt(message: RemoteMessage, sender: Outside): number | undefined;
}

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
  const contextFor = ({ to }: RemoteMessage): RequestsContext | undefined => system().read(requestsOf(entityOf(to)))?.context as RequestsContext | undefined;

  async function untaken({ to }: RemoteMessage, { id }: Outside): Promise<void> {
    await system().inform(requestsOf(entityOf(to)), { type: "request.untaken", request: id });
  }

  async function written(vehicle: Address, noted: Promise<Told>): Promise<Told> {
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
    leaves: async (message, sender) => {
      const { id, author, expiresAt } = sender;
      const vehicle = entityOf(message.to);
      const context = contextFor(message);
      // One that waits is written down as sent already.
      const held = context === undefined ? undefined : requestIn(context, id, clock.now());
      if (held?.sent === true) return { kind: "accepted", durable: "local" };
      const stuck = writing.get(vehicle);
      if (stuck !== undefined && clock.monotonic() - stuck.since >= WRITTEN_WITHIN_MS) return notWritten;
      const fingerprint = fingerprintOf(message.to, message.event, author);
      const event = { type: "request.left", request: id, fingerprint, expiresAt, answered: answers.get(vehicle) ?? [] };
      answers.delete(vehicle);
      const noted = written(vehicle, system().inform(requestsOf(vehicle), event, { input: undefined }));
      const told = await settledWithin(noted, clock, Math.min(message.withinMs, WRITTEN_WITHIN_MS), undefined);
      if (told !== undefined) return told;
      // It does not leave any more, whenever it is written.
      void noted.then(() => untaken(message, sender)).catch(() => undefined);
      return message.withinMs < WRITTEN_WITHIN_MS ? { kind: "deadline" } : notWritten;
    },
    untaken,
    answered: ({ to }, { id }) => {
      const vehicle = entityOf(to);
      answers.set(vehicle, [...(answers.get(vehicle) ?? []), id].slice(-MOST_ANSWERED));
    },
    leftAt: (message, { id, author }) => {
      const left = contextFor(message)?.left ?? [];
      return leftRequestIn(left, id, fingerprintOf(message.to, message.event, author), clock.now())?.at;
    },
  };
}
