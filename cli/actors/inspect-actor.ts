// What an actor has under way, and what it was after a past turn: both from the node that hosts it.

import { systemClock } from "../../runtime/host/index.ts";
import { actorPath, apiClient, type EndpointOptions } from "../api/index.ts";
import { ageText, type Call, EXIT, type ExitCode, oneLine, paint, printJson, printLines, timeText } from "../terminal/index.ts";
import { stateText } from "./actor-item.ts";

interface Cause {
  readonly type: string;
  readonly author?: string;
  readonly timer?: string;
  readonly via?: string;
}

interface Inspected {
  readonly address: string;
  readonly revision: number;
  readonly mailbox: { readonly depth: number; readonly bytes: number; readonly oldestMs?: number; readonly shelved?: number; readonly postponed?: number };
  /** A node of an earlier version does not tell. */
  readonly subscriptions?: readonly { readonly topic: string; readonly waiting: number; readonly taken: number; readonly dropped: number; readonly refused: number }[];
  readonly accepts: readonly string[];
  readonly inStateMs?: number;
  readonly lastTransition?: {
    readonly revision: number;
    readonly at: number;
    readonly from: unknown;
    readonly causes: readonly Cause[];
  };
  readonly timers: readonly { readonly name: string; readonly event: string; readonly clock: string; readonly dueInMs: number }[];
  readonly effects: readonly { readonly name: string; readonly class: string; readonly since: number }[];
  readonly outbox: readonly { readonly receiver: string; readonly waiting: number }[];
  readonly restarts: { readonly count: number; readonly last?: { readonly reason: string; readonly at: number } };
  /** A node of an earlier version does not tell. */
  readonly unheard?: Readonly<Record<string, number>>;
  readonly parked: readonly { readonly at: number; readonly offender: string; readonly reason: string; readonly timer?: { readonly name: string } }[];
}

export async function inspectActor(address: string, options: EndpointOptions, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<Inspected>(actorPath(address, "/inspection"));
  if (call.json) printJson(call.out, body);
  else printLines(call.out, [paint(call.hasColour).bold(body.address), ...describe(body).map((line) => `  ${oneLine(line)}`)]);
  return EXIT.ok;
}

function mailboxWords({ depth, bytes, oldestMs, shelved = 0, postponed = 0 }: Inspected["mailbox"]): readonly string[] {
  return [
    `${String(depth)} messages`,
    `${String(bytes)} bytes`,
    ...(oldestMs === undefined ? [] : [`the oldest for ${ageText(oldestMs)}`]),
    ...(shelved === 0 ? [] : [`${String(shelved)} shelved`]),
    ...(postponed === 0 ? [] : [`${String(postponed)} postponed`]),
  ];
}

function causeText({ type, author, timer, via }: Cause): string {
  const followed = via === undefined ? "" : `, which followed from ${via}`;
  return `${type}${timer === undefined || timer === type ? "" : ` by the timer ${timer}`}${followed}${author === undefined ? "" : ` from ${author}`}`;
}

function describe(seen: Inspected): readonly string[] {
  const { mailbox, lastTransition, inStateMs, restarts } = seen;
  const now = systemClock.now();
  const ago = (at: number): string => `${ageText(now - at)} ago`;
  return [
    `mailbox   ${mailboxWords(mailbox).join(", ")}`,
    ...(lastTransition === undefined
      ? ["in state  since when is not known: an earlier version did not note it"]
      : [
          `in state  ${inStateMs === undefined ? "" : `for ${ageText(inStateMs)}, `}since revision ${String(lastTransition.revision)}${lastTransition.from === null ? ", its beginning" : `, from ${stateText(lastTransition.from)}`}`,
          `because   ${lastTransition.causes.map(causeText).join(", ")}`,
        ]),
    `accepts   ${seen.accepts.join(", ") || "nothing"}`,
    ...(seen.subscriptions ?? []).map(
      ({ topic, waiting, taken, dropped, refused }) =>
        `listens   to ${topic}: ${String(waiting)} waiting, ${String(taken)} taken, ${String(dropped)} dropped, ${String(refused)} refused`,
    ),
    ...seen.timers.map(({ event, clock, dueInMs }) => `timer     ${event} ${dueInMs < 0 ? `is late by ${ageText(-dueInMs)}` : `in ${ageText(dueInMs)}`} (${clock})`),
    ...seen.effects.map(({ name, class: effectClass, since }) => `effect    ${name} (${effectClass}) not confirmed since ${ago(since)}`),
    ...seen.outbox.map(({ receiver, waiting }) => `outbox    ${String(waiting)} for ${receiver}`),
    `restarts  ${String(restarts.count)}${restarts.last === undefined ? "" : `, the last ${ago(restarts.last.at)}: ${restarts.last.reason}`}`,
    ...Object.entries(seen.unheard ?? {}).map(([kind, count]) => `unheard   ${String(count)} (${kind})`),
    ...seen.parked.map(
      ({ at, offender, reason, timer }) =>
        `parked    ${offender} ${ago(at)}: ${reason}${timer === undefined ? "" : ` (its timer ${timer.name} can ring again: drover dead-letters)`}`,
    ),
  ];
}

export async function showPastState(address: string, revision: number, options: EndpointOptions, call: Call): Promise<ExitCode> {
  const { body } = await apiClient(options, call).ask<{ readonly at: number; readonly status: string; readonly state: unknown; readonly context: unknown }>(
    actorPath(address, `/history/${String(revision)}/state`),
  );
  if (call.json) printJson(call.out, body);
  else
    printLines(call.out, [
      paint(call.hasColour).bold(address),
      `  after revision ${String(revision)}, ${timeText(body.at)}: ${stateText(body.state)} (${body.status})`,
      ...((JSON.stringify(body.context, undefined, 2) as string | undefined)?.split("\n") ?? []).map((line) => `    ${oneLine(line)}`),
    ]);
  return EXIT.ok;
}
