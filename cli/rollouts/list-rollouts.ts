// Lists rollouts.

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines, table, timeText } from "../terminal/index.ts";
import { badIn, type RolloutItem } from "./rollout-words.ts";

export async function listRollouts(options: EndpointOptions & { readonly state?: string }, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  const items: RolloutItem[] = [];
  let cursor: string | undefined;
  do {
    const { body }: { readonly body: { readonly items: readonly RolloutItem[]; readonly next?: string } } = await api.ask("/v1/rollouts", {
      query: { state: options.state, limit: 1_000, cursor },
    });
    items.push(...body.items);
    cursor = body.next;
  } while (cursor !== undefined);
  if (call.json) printJson(call.out, { items });
  else if (items.length === 0) call.err.write("no rollouts\n");
  else
    printLines(
      call.out,
      table(
        items,
        [
          { title: "ROLLOUT", of: ({ id }) => id },
          { title: "TENANT", of: ({ tenant }) => tenant },
          { title: "STATE", of: ({ state, phase }) => (phase === null ? state : `${state} (${phase})`) },
          { title: "GROUP", of: ({ group }) => group ?? "–" },
          { title: "COMMITTED", of: ({ counts, targets }) => `${String(counts["committed"] ?? 0)} of ${String(targets)}`, right: true },
          { title: "BAD", of: ({ counts }) => String(badIn(counts)), right: true },
          { title: "MADE", of: ({ created }) => (created === null ? "–" : `${timeText(created.at)} by ${created.by}`) },
          { title: "WHY", of: ({ why }) => (why === null ? "" : `${why.who}: ${why.reason}`) },
        ],
        call.isTerminal ? call.columns() : undefined,
      ),
    );
  return EXIT.ok;
}
