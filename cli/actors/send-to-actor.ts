// Sends a message to an actor (done when it is taken) or asks it (done when it replies). Its id is said before anything else, so that an unknown outcome can be asked for again.

import { systemRandom } from "../../runtime/host/index.ts";
import { nearestName } from "../../runtime/shape/index.ts";
import { actorPath, apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, type Failure, printJson, printLines } from "../terminal/index.ts";
import { stateText } from "./actor-item.ts";
import { eventOf, type TypedEvent } from "./event-fields.ts";
import { traceLines, type TraceItem } from "./trace-lines.ts";

export interface SendOptions extends EndpointOptions {
  /** Message id, the Idempotency-Key. */
  readonly id?: string;
  readonly body?: string;
  /** ms */
  readonly timeout?: number;
}

type Message = TypedEvent & { readonly address: string };

const DEFAULT_ASK_MS = 5_000;
/** The node keeps the deadline; this is for the way there and back. */
const WAY_MS = 5_000;

interface Outcome {
  readonly revision?: number;
  readonly waiting?: boolean;
  readonly reply?: unknown;
  readonly [member: string]: unknown;
}

export async function sendToActor(message: Message, options: SendOptions, call: Call): Promise<ExitCode> {
  const { outcome, id } = await post(message, "/events", options, call, { withinMs: options.timeout });
  if (call.json) printJson(call.out, outcome);
  else
    printLines(call.out, [
      outcome.waiting === true ? `waiting for its owner (id ${id})` : `taken${outcome.revision === undefined ? "" : ` with revision ${String(outcome.revision)}`} (id ${id})`,
    ]);
  return EXIT.ok;
}

export async function askActor(message: Message, options: SendOptions, call: Call): Promise<ExitCode> {
  const timeoutMs = options.timeout ?? DEFAULT_ASK_MS;
  const { outcome, id } = await post(message, "/ask", options, call, { query: { timeoutMs }, withinMs: timeoutMs + WAY_MS });
  if (call.json) printJson(call.out, outcome);
  else if (outcome.waiting === true) printLines(call.out, [`waiting for its owner (id ${id})`]);
  else printLines(call.out, [JSON.stringify(outcome.reply ?? null)]);
  return EXIT.ok;
}

/** What the message would do: on a copy, nothing is sent. */
export async function tryOnActor(message: Message, options: SendOptions, call: Call): Promise<ExitCode> {
  const event = await eventOf(message, options.body, call.input);
  const { body } = await apiClient(options, call).ask<{ readonly result: string; readonly state: unknown; readonly trace: readonly TraceItem[] }>(
    actorPath(message.address, "/trial"),
    {
      method: "POST",
      body: event,
    },
  );
  if (call.json) printJson(call.out, body);
  else printLines(call.out, [...traceLines(body.trace), `it would be ${body.result}; the state would be ${stateText(body.state)}; nothing was sent`]);
  return body.result === "accepted" ? EXIT.ok : EXIT.conflict;
}

async function post(
  message: Message,
  rest: string,
  options: SendOptions,
  call: Call,
  how: { readonly query?: Readonly<Record<string, number>>; readonly withinMs: number | undefined },
): Promise<{ readonly outcome: Outcome; readonly id: string }> {
  const api = apiClient(options, call);
  const id = options.id ?? systemRandom.id();
  const event = await eventOf(message, options.body, call.input);
  try {
    const { body } = await api.ask<Outcome>(actorPath(message.address, rest), {
      method: "POST",
      body: event,
      headers: { "idempotency-key": id },
      ...(how.query === undefined ? {} : { query: how.query }),
      ...(how.withinMs === undefined ? {} : { withinMs: how.withinMs }),
    });
    return { outcome: body, id };
  } catch (thrown) {
    if (!(thrown instanceof CommandFailure)) throw thrown;
    const { failure } = thrown;
    const advice = adviceFor(failure, message.type, id);
    throw new CommandFailure({ ...failure, advice, more: { id, ...failure.more } }, { cause: thrown });
  }
}

function adviceFor(failure: Failure, type: string, id: string): string | undefined {
  // Sent, and no answer: whoever asks again under this id learns the one true outcome.
  if (failure.code === "timeout" || failure.code === "interrupted") return `It may have been taken. Send it again with --id ${id}: that never acts twice.`;
  const accepts: unknown = failure.more?.["accepts"];
  if (failure.code !== "invalid" || !Array.isArray(accepts) || accepts.includes(type)) return failure.advice;
  const nearest = nearestName(type, accepts.map(String));
  return nearest === undefined ? failure.advice : `Did you mean ${nearest}?`;
}
