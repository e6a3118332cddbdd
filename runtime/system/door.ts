// The door of a node: what its composition may add to a message, or refuse, before it is journaled (vehicle V3, X1).
//
// D1. A door is a guard: whatever is no verdict refuses the message. Its sender learns that the node is to blame, its log what the door gave instead; a promise that it gave, and its
//     rejection, is nobody's (hosting N8).

import type { AnyActorType } from "../actor/index.ts";
import type { Address } from "../address.ts";
import type { DoorReads, EventData } from "../entity/contract.ts";
import { DroverError } from "../errors.ts";
import { LimitedLog } from "../limited-log.ts";
import type { Refusal } from "../outcome.ts";
import type { Clock, Log } from "../ports/index.ts";
import { asItIsNow, isPromise } from "../xstate/index.ts";
import type { RemoteMessage } from "./contract.ts";

export type DoorVerdict =
  /** Taken as it is, or with these fields in place of it; `to`: another actor of the same entity is meant; `reads` are copied values and the outcome of the guard. */
  { readonly kind: "pass"; readonly to?: Address; readonly event?: EventData; readonly reads?: DoorReads } | { readonly kind: "refuse"; readonly refusal: Refusal };

/** Called for messages from outside and from other entities, before the protocol is checked. `type` is that of the actor meant. Synchronous and total. */
export type Door = (message: RemoteMessage, type: AnyActorType) => DoorVerdict;

const PASS: DoorVerdict = { kind: "pass" };
const EXPECTED = '{ kind: "pass" } or { kind: "refuse", refusal }, at once';

/** D1. Total, whatever the door is. */
export function guarded(door: Door | undefined, { node, log, clock }: { readonly node: string; readonly log: Log; readonly clock: Clock }): Door {
  if (door === undefined) return () => PASS;
  const limited = new LimitedLog(log, clock);

  const failed = (message: RemoteMessage, what: string, cause?: unknown): DoorVerdict => {
    const error = new DroverError("DROVER_DOOR_FAILED", `the door of node "${node}" ${what}`, { cause });
    const { to, event } = message;
    limited.warn({ err: error, code: error.code, to, type: event.type, expected: EXPECTED }, "the door of this node gave no verdict; the message was refused");
    return { kind: "refuse", refusal: { kind: "refused", accepts: [], reason: `${error.message}; this says nothing of the message (${error.code})` } };
  };

  return (message, type) => {
    let given: unknown;
    try {
      given = door(message, type);
      if (isVerdict(given)) return asItIsNow(given);
      return failed(message, `returned ${isPromise(given) ? "a promise" : shown(given)} in place of a verdict`);
    } catch (cause) {
      return failed(message, "threw", cause);
    }
  };
}

/** Kinds of a refusal, and the lists that those who hear of it read. */
const REFUSALS: Readonly<Record<Refusal["kind"], readonly string[]>> = {
  refused: ["accepts"],
  invalid: ["problems", "accepts"],
  "id-reused": [],
  "no-such-actor": [],
  full: [],
  "owner-away": [],
  deadline: [],
  "not-stored": [],
  "too-old": [],
  unknown: [],
};

type Fields = Readonly<Record<string, unknown>>;

function isVerdict(given: unknown): given is DoorVerdict {
  if (!isFields(given)) return false;
  const { kind, to, event, reads, refusal } = given;
  if (kind === "pass")
    return (
      (to === undefined || typeof to === "string") && (event === undefined || (isFields(event) && typeof event["type"] === "string")) && (reads === undefined || isFields(reads))
    );
  return kind === "refuse" && isRefusal(refusal);
}

function isRefusal(refusal: unknown): boolean {
  if (!isFields(refusal)) return false;
  const { kind } = refusal;
  return typeof kind === "string" && Object.hasOwn(REFUSALS, kind) && REFUSALS[kind as Refusal["kind"]].every((list) => Array.isArray(refusal[list]));
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

function shown(given: unknown): string {
  if (given === undefined || given === null) return "nothing";
  if (!isFields(given)) return `a ${typeof given}`;
  const { kind } = given;
  if (typeof kind !== "string") return "an object without a kind";
  return `an object of kind "${kind.slice(0, 40)}" that is none`;
}
