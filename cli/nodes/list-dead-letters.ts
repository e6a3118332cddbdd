// Lists messages that reached nobody, oldest first as the node keeps them.

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines, table, timeText } from "../terminal/index.ts";

interface Letter {
  readonly number: number;
  readonly at: number;
  readonly to: string;
  readonly type: string;
  readonly from: string;
  readonly reason: string;
  readonly cause?: string;
}

export interface LetterFilter {
  readonly limit: number;
  readonly to?: string;
  readonly reason?: string;
}

export async function listDeadLetters(options: EndpointOptions & LetterFilter, call: Call): Promise<ExitCode> {
  const { limit, to, reason } = options;
  const query = { limit, ...(to === undefined ? {} : { to }), ...(reason === undefined ? {} : { reason }) };
  const { body } = await apiClient(options, call).ask<{ readonly items: readonly Letter[] }>("/v1/dead-letters", { query });
  if (call.json) printJson(call.out, body);
  else if (body.items.length === 0) call.err.write("no dead letters\n");
  else
    printLines(
      call.out,
      table(
        body.items,
        [
          { title: "NUMBER", of: ({ number }) => String(number), right: true },
          { title: "AT", of: ({ at }) => timeText(at) },
          { title: "TO", of: ({ to }) => to },
          { title: "EVENT", of: ({ type }) => type },
          { title: "FROM", of: ({ from }) => from },
          { title: "WHY", of: ({ reason, cause }) => (cause === undefined ? reason : `${reason}: ${cause}`) },
        ],
        call.isTerminal ? call.columns() : undefined,
      ),
    );
  return EXIT.ok;
}
