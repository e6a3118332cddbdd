// Shows the committed turns of an actor.

import { apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, printJson, printLines, table, timeText } from "../terminal/index.ts";
import { stateText } from "./actor-item.ts";
import { readTurns, type TurnQuery } from "./read-turns.ts";

export interface HistoryOptions extends EndpointOptions, TurnQuery {}

interface Turn {
  readonly revision: number;
  readonly at: number;
  readonly inputs: readonly { readonly type: string; readonly author?: string | null; readonly id?: string | null; readonly result: string }[];
  readonly timers?: readonly { readonly change: string }[];
  readonly state?: unknown;
}

interface Row {
  readonly turn: Turn;
  readonly input: Partial<Turn["inputs"][number]>;
}

export async function showHistory(address: string, options: HistoryOptions, call: Call): Promise<ExitCode> {
  const turns = await readTurns<Turn>(apiClient(options, call), address, options);
  if (call.json) printJson(call.out, turns);
  else {
    for (const { after, upTo, forked } of turns.missing) {
      call.err.write(`the turns of its entity from revision ${String(after + 1)} to ${String(upTo)} are not kept\n`);
      if (forked !== undefined)
        call.err.write(
          `history forked: it came back from an older copy of its store, and has left ${forked.incarnation} at revision ${String(forked.revision)}, ${timeText(forked.at)}\n`,
        );
    }
    if (turns.items.length === 0) call.err.write("no turn is kept\n");
    else print(turns.items, call);
  }
  return EXIT.ok;
}

function print(turns: readonly Turn[], call: Call): void {
  const rows = turns.flatMap((turn): readonly Row[] => {
    const seen = [...turn.inputs, ...(turn.timers ?? []).map(({ change }) => ({ type: `(timer ${change})` }))];
    return seen.length === 0 ? [{ turn, input: {} }] : seen.map((input) => ({ turn, input }));
  });
  const lines = table(
    rows,
    [
      { title: "REVISION", of: ({ turn }) => String(turn.revision), right: true },
      { title: "AT", of: ({ turn }) => timeText(turn.at) },
      { title: "EVENT", of: ({ input }) => input.type ?? "" },
      { title: "FROM", of: ({ input }) => input.author ?? "" },
      { title: "RESULT", of: ({ input }) => input.result ?? "" },
      { title: "STATE AFTER", of: ({ turn }) => (turn.state === undefined || turn.state === null ? "unchanged" : stateText(turn.state)) },
    ],
    call.isTerminal ? call.columns() : undefined,
  );
  printLines(call.out, lines);
}
