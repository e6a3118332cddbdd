// The fleet on a terminal, redrawn in place once a second.

import type { Writable } from "node:stream";
import { type Column, oneLine, paint, redrawn, table } from "../terminal/index.ts";
import type { VehicleRow } from "./fleet-view.ts";

export interface LiveTable {
  /** @param blind why the cloud tells nothing, where it is to be said */
  draw(rows: readonly VehicleRow[], blind?: string): void;
  /** Leaves the last table standing and gives the cursor back. */
  end(): void;
}

const number = (value: number | undefined): string => (value === undefined ? "–" : String(value));

const COLUMNS: readonly Column<VehicleRow>[] = [
  { title: "VEHICLE", of: ({ vehicle }) => vehicle },
  { title: "PRESENCE", of: ({ presence }) => presence },
  { title: "MOTION", of: ({ motion }) => motion },
  { title: "FRAMES/S", of: ({ framesPerSecond }) => number(framesPerSecond), right: true },
  { title: "SIGNALS", of: ({ freshSignals, allSignals }) => (freshSignals === undefined ? "–" : `${number(freshSignals)}/${number(allSignals)}`), right: true },
  { title: "ACTORS", of: ({ actors }) => number(actors), right: true },
  { title: "RESTARTS", of: ({ restarts }) => String(restarts), right: true },
  { title: "RSS", of: ({ rssBytes }) => (rssBytes === undefined ? "–" : `${String(Math.round(rssBytes / 1_048_576))} MB`), right: true },
  { title: "PROCESS", of: ({ process, pid }) => (process === "running" ? `pid ${number(pid)}` : process) },
];

export function liveTable(out: Writable, terminal: { readonly columns: () => number; readonly hasColour: boolean }): LiveTable {
  const { dim, good, notice } = paint(terminal.hasColour);
  const lines = redrawn(out);
  return {
    draw: (rows, blind) => {
      const width = Math.max(20, terminal.columns());
      const cut = (line: string): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);
      const [titles = "", ...rest] = table(rows, COLUMNS, width);
      const causes = rows
        .filter(({ lastExit, restarts }) => lastExit !== undefined && restarts > 0)
        .map(({ vehicle, lastExit }) => notice(cut(`${vehicle} was started again: ${oneLine(lastExit ?? "")}`)));
      const coloured = rest.map((line, at) => (rows[at]?.presence === "online" ? good(line) : line));
      lines.draw([
        "",
        dim(titles),
        ...coloured,
        ...causes,
        ...(blind === undefined ? [] : [notice(cut(blind))]),
        "",
        dim("Ctrl-C ends it; what it knows stays in the data folder."),
      ]);
    },
    end: () => {
      lines.end();
    },
  };
}
