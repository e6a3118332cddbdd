// Shows how a rollout goes until it is over; the exit code says how it ended.
//
// W1. On a terminal it is drawn in place. Elsewhere a line is written when it says something new, so that a log of it can be read.
// W2. 0: all were committed. 9: completed, and some went badly or were excused. 1: aborted, once nothing of it begins any more. A paused one is waited for: a person decides.

import { systemClock } from "../../runtime/host/index.ts";
import { apiClient, type EndpointOptions, followEvents } from "../api/index.ts";
import { type Call, EXIT, type ExitCode, oneLine, paint, printJsonLine, printLines, redrawn, timeText } from "../terminal/index.ts";
import { groupLines, headLine, isOver, rolloutPath, type ShownRollout } from "./rollout-words.ts";

interface View {
  show(rollout: ShownRollout): void;
  end(): void;
}

export async function watchRollout(id: string, options: EndpointOptions, call: Call): Promise<ExitCode> {
  const view = call.isTerminal ? drawnView(call) : writtenView(call);
  let code: ExitCode = EXIT.interrupted;
  try {
    await followEvents(apiClient(options, call), rolloutPath(id, "/events"), call, ({ id: eventId, event, data }) => {
      if (event !== "snapshot" && event !== "progress") return false;
      const rollout = JSON.parse(data) as ShownRollout;
      if (call.json) printJsonLine(call.out, { id: eventId ?? null, event, data: rollout });
      else view.show(rollout);
      if (!isOver(rollout)) return false;
      code = exitOf(rollout);
      return true;
    });
    return code;
  } finally {
    view.end();
  }
}

/** W2. */
function exitOf({ state, targets, groups }: ShownRollout): ExitCode {
  if (state !== "completed") return EXIT.failure;
  return groups.reduce((sum, { counts }) => sum + (counts["committed"] ?? 0), 0) === targets ? EXIT.ok : EXIT.partial;
}

function widthOf({ groups }: ShownRollout): number {
  return Math.max(0, ...groups.map(({ name }) => name.length));
}

function drawnView({ out, hasColour, columns }: Call): View {
  const colours = paint(hasColour);
  const lines = redrawn(out);
  return {
    show: (rollout) => {
      const width = Math.max(20, columns());
      const cut = (line: string): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);
      lines.draw([
        cut(headLine(rollout, paint(false))),
        ...rollout.groups.flatMap((group) => {
          const { line, reasons } = groupLines(group, widthOf(rollout));
          const colour = group.state === "succeeded" ? colours.good : group.state === "waiting" ? colours.dim : colours.bold;
          return [colour(cut(`  ${line}`)), ...reasons.map((reason) => colours.notice(cut(`    ${reason}`)))];
        }),
      ]);
    },
    end: () => {
      lines.end();
    },
  };
}

/** W1. */
function writtenView({ out }: Call): View {
  const told = new Map<string, string>();
  return {
    show: (rollout) => {
      const lines: readonly (readonly [key: string, line: string])[] = [
        ["", headLine(rollout, paint(false))],
        ...rollout.groups.map((group) => {
          const { line, reasons } = groupLines(group, widthOf(rollout));
          return [group.name, `  ${[line, ...reasons].join("; ")}`] as const;
        }),
      ];
      const fresh = lines.filter(([key, line]) => told.get(key) !== line);
      for (const [key, line] of fresh) told.set(key, line);
      const at = timeText(systemClock.now());
      printLines(
        out,
        fresh.map(([, line]) => `${at}  ${oneLine(line)}`),
      );
    },
    end: () => undefined,
  };
}
