// The effect `forward` of the requests that wait: brings the one at the head of its line to the vehicle, and the vehicle's word back (rules O2, F1).
//
// F1. It is done when its request has left the line; until then it goes on, over any number of attempts under the same id.
// F2. A vehicle that is away, or that cannot judge the command yet, holds the line. A vehicle that was asked and gives no word holds it for a bounded time; that it does not know itself is a word.
// F3. Nothing leaves after its time to live, and how long it waited travels with it, so that the vehicle does not count anew (vehicle V1).
// F4. What may have been sent never ends as if it had not: it is asked for until the vehicle has told (promise S3).

import { type Forwarding, type RequestsContext, type requestsType, waitedMsOf, type WaitingRequest } from "../actors/index.ts";
import { type Address, type Answer, entityOf, parseAddress, type Remote, type System, type Told, type WorkContext } from "../runtime/index.ts";
import type { Clock } from "../runtime/ports/index.ts";
import { outcomeOf, wasNotTaken } from "./command-word.ts";
import type { VehicleLinks } from "./vehicle-links.ts";

/** The vehicle answers an attempt within this; then it is asked again under the same id. */
const ANSWER_WITHIN_MS = 20_000;
/** F2: attempts that were sent and ended without a word, while the vehicle's session stood. */
const MAX_UNANSWERED = 5;
/** F2: attempts whose session ended: no sign of the command, unless it is what ends the vehicle's node each time. */
const MAX_LOST = 20;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 4_000;
/** F2: a module that cannot be judged holds back requests for others at most this long. */
const POSTPONED_AFTER_MS = 10_000;

type Effects = NonNullable<Parameters<typeof requestsType.with>[0]["effects"]>;

export function forwarding(links: Pick<VehicleLinks, "reachable" | "get">, direct: Remote, system: () => System, clock: Clock): Effects {
  /** The request while it is at the head of its line. */
  function headOf(requests: Address, request: string): WaitingRequest | undefined {
    const view = system().read(requests);
    if (view === undefined) throw new Error("the requests are not there yet");
    const [head] = (view.context as RequestsContext).waiting;
    return head?.request === request ? head : undefined;
  }

  async function forward({ request }: Forwarding, work: WorkContext): Promise<void> {
    const requests = parseAddress(work.actor);
    const say = async (type: string, outcome?: string): Promise<boolean> => {
      const { kind } = await system().inform(requests, { type, request, ...(outcome === undefined ? {} : { outcome }) });
      return kind === "accepted";
    };
    let maySent = headOf(requests, request)?.sent === true;
    let unanswered = 0;
    let lost = 0;
    let pauseMs = FIRST_PAUSE_MS;
    let heldMs = 0;

    /** One attempt. Whether there is anything to wait for before the next. */
    async function attempt(head: WaitingRequest): Promise<boolean> {
      const leftMs = (maySent ? head.expiresAt : head.endsAt) - clock.now();
      if (leftMs <= 0) return !(await say("request.settled", maySent ? "unknown" : "expired"));
      const vehicle = entityOf(parseAddress(head.to));
      if (!(await isReachable(vehicle, leftMs, work.signal))) return false;
      if (head.sent !== true && !(await say("request.sent"))) return true;
      const since = links.get(vehicle)?.since;
      const word = await sendToVehicle(head);
      if (word.kind === "unknown" && word.byOwner !== true) {
        maySent = true;
        if (links.get(vehicle)?.since === since) unanswered++;
        else lost++;
        return (unanswered < MAX_UNANSWERED && lost < MAX_LOST) || !(await say("request.settled", "unknown"));
      }
      return wasNotTaken(word) || !(await say("request.settled", outcomeOf(word)));
    }

    for (let head = headOf(requests, request); head !== undefined; head = headOf(requests, request)) {
      const began = clock.monotonic();
      if (!(await attempt(head))) continue;
      await pause(pauseMs, work.signal);
      pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
      heldMs += clock.monotonic() - began;
      if (!maySent && heldMs >= POSTPONED_AFTER_MS) await say("request.postponed");
    }
  }

  /** F3. */
  function sendToVehicle(head: WaitingRequest): Promise<Told | Answer> {
    const { to, event, request, author, expiresAt, against } = head;
    return direct.send({
      to: parseAddress(to),
      event,
      sender: { kind: "outside", id: request, author, expiresAt },
      ask: true,
      withinMs: ANSWER_WITHIN_MS,
      waitedMs: waitedMsOf(head, clock.now()),
      ...(against === undefined ? {} : { against }),
    });
  }

  /** Waits for the vehicle, at most `withinMs`. */
  function isReachable(vehicle: Address, withinMs: number, outer: AbortSignal): Promise<boolean> {
    return within(withinMs, outer, (signal) => links.reachable(vehicle, signal));
  }

  async function pause(ms: number, outer: AbortSignal): Promise<void> {
    await within(
      ms,
      outer,
      (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener(
            "abort",
            () => {
              reject(new Error("over"));
            },
            { once: true },
          );
        }),
    );
  }

  /** Whether `wait` ended by itself in time. @throws when `outer` is aborted */
  async function within(ms: number, outer: AbortSignal, wait: (signal: AbortSignal) => Promise<void>): Promise<boolean> {
    const over = new AbortController();
    const end = (): void => {
      over.abort();
    };
    outer.addEventListener("abort", end, { once: true });
    const timeout = clock.setTimeout(end, ms, { unref: true });
    try {
      if (outer.aborted) throw new Error("the node is stopping");
      await wait(over.signal);
      return true;
    } catch (cause) {
      if (outer.aborted) throw cause;
      return false;
    } finally {
      clock.clearTimeout(timeout);
      outer.removeEventListener("abort", end);
    }
  }

  return { forward };
}
