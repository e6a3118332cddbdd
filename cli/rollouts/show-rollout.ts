// Shows one rollout: its groups with counts and causes, why one waits, who said what; or its targets.

import { type ApiClient, apiClient, type EndpointOptions } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, oneLine, paint, printJson, printLines, table, timeText } from "../terminal/index.ts";
import { groupLines, headLine, rolloutPath, type ShownRollout } from "./rollout-words.ts";

export interface ShowOptions extends EndpointOptions {
  readonly targets?: true;
  readonly group?: string;
  readonly state?: string;
}

interface Target {
  readonly vehicle: string;
  readonly group: string;
  readonly state: string;
  readonly why: string | null;
  readonly module: string | null;
  readonly update: string | null;
  readonly progress: number | null;
  readonly attempt: number;
}

export async function showRollout(id: string, options: ShowOptions, call: Call): Promise<ExitCode> {
  const api = apiClient(options, call);
  if (options.targets === true || options.group !== undefined || options.state !== undefined) return showTargets(api, id, options, call);
  const { body } = await api.ask<ShownRollout>(rolloutPath(id));
  if (call.json) printJson(call.out, body);
  else printLines(call.out, describe(body, call));
  return EXIT.ok;
}

function describe(rollout: ShownRollout, { hasColour }: Call): readonly string[] {
  const { groups, noted = [], newcomers, created } = rollout;
  const width = Math.max(0, ...groups.map(({ name }) => name.length));
  return [
    headLine(rollout, paint(hasColour)),
    ...groups.flatMap((group) => {
      const { line, reasons } = groupLines(group, width);
      return [`  ${line}`, ...reasons.map((reason) => `    ${reason}`)];
    }),
    ...(newcomers === undefined || newcomers.count === 0
      ? []
      : [`  joined later, in no group: ${String(newcomers.count)}, e.g. ${oneLine(newcomers.first.slice(0, 3).join(", "))}`]),
    ...(created === null ? [] : [`  ${timeText(created.at)}  made by ${oneLine(created.by)}`]),
    ...noted.map(({ at, verb, who, reason }) => `  ${timeText(at)}  ${verb} by ${oneLine(who)}${reason === null ? "" : `: ${oneLine(reason)}`}`),
  ];
}

async function showTargets(api: ApiClient, id: string, { group, state }: ShowOptions, call: Call): Promise<ExitCode> {
  const items: Target[] = [];
  let cursor: string | undefined;
  do {
    const { body }: { readonly body: { readonly items: readonly Target[]; readonly next?: string } } = await api.ask(rolloutPath(id, "/targets"), {
      query: { group, state, limit: 1_000, cursor },
    });
    items.push(...body.items);
    cursor = body.next;
  } while (cursor !== undefined);
  if (call.json) printJson(call.out, { items });
  else if (items.length === 0) call.err.write("no target matches\n");
  else
    printLines(
      call.out,
      table(
        items,
        [
          { title: "VEHICLE", of: ({ vehicle }) => vehicle },
          { title: "GROUP", of: ({ group }) => group },
          { title: "STATE", of: ({ state }) => state },
          { title: "MODULE", of: ({ module }) => module ?? "" },
          { title: "UPDATE", of: ({ update, progress }) => (update === null ? "" : progress === null ? update : `${update} ${String(progress)} %`) },
          { title: "ATTEMPT", of: ({ attempt }) => (attempt === 0 ? "" : String(attempt)), right: true },
          { title: "WHY", of: ({ why }) => why ?? "" },
        ],
        call.isTerminal ? call.columns() : undefined,
      ),
    );
  return EXIT.ok;
}
