// Lists actors, following the API's pages; nothing is held back and nothing is asked for twice.

import { systemClock } from "../../runtime/host/index.ts";
import { apiClient, type EndpointOptions } from "../api/index.ts";
import { ageText, type Call, type Column, EXIT, type ExitCode, printJson, printLines, table } from "../terminal/index.ts";
import { type ActorItem, stateText } from "./actor-item.ts";

export interface ListOptions extends EndpointOptions {
  readonly kind?: string;
  readonly state?: string;
  readonly node?: string;
  readonly label?: readonly string[];
  readonly q?: string;
  readonly limit?: number;
}

interface Page {
  readonly items: readonly ActorItem[];
  readonly next?: string | null;
  /** Left out: only the state of what is not in memory tells whether it matches. */
  readonly unread?: number;
}

const PAGE = 500;

export async function listActors(options: ListOptions, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  const { kind, state, node, label, q, limit = Number.POSITIVE_INFINITY } = options;
  const filters = { kind, state, node, q, label };
  const items: ActorItem[] = [];
  let unread = 0;
  let cursor: string | undefined;
  do {
    const { body }: { readonly body: Page } = await api.ask<Page>("/v1/actors", { query: { ...filters, limit: Math.min(PAGE, limit - items.length), cursor } });
    items.push(...body.items);
    unread += body.unread ?? 0;
    cursor = body.next ?? undefined;
  } while (cursor !== undefined && items.length < limit);

  if (call.json) printJson(call.out, { items, next: cursor ?? null, ...(unread === 0 ? {} : { unread }) });
  else if (items.length === 0) call.err.write("no actor matches\n");
  else printLines(call.out, table(items, columnsFor(items), call.isTerminal ? call.columns() : undefined));
  if (unread > 0 && !call.json) call.err.write(`${String(unread)} not in memory left out: only their state tells whether they match\n`);
  return EXIT.ok;
}

function columnsFor(items: readonly ActorItem[]): readonly Column<ActorItem>[] {
  const now = systemClock.now();
  const hasPresence = items.some(({ presence }) => presence !== undefined);
  return [
    { title: "ADDRESS", of: ({ address }) => address },
    ...(hasPresence
      ? [{ title: "PRESENCE", of: ({ presence }: ActorItem) => (typeof presence === "string" ? presence : presence === undefined ? "" : JSON.stringify(presence)) }]
      : []),
    { title: "STATE", of: ({ state, status }) => (isAbsent(status) ? status : stateText(state)) },
    { title: "REVISION", of: ({ revision }) => String(revision), right: true },
    { title: "NODE", of: ({ owner }) => owner?.node ?? "" },
    { title: "AS OF", of: ({ asOf }) => (asOf === undefined ? "" : `${ageText(now - asOf)} ago`) },
  ];
}

/** It is not in memory: its state is not in a list. */
function isAbsent(status: string | undefined): status is string {
  return status === "passivated" || status === "away";
}
