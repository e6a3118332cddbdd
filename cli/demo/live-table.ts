// The fleet on a terminal, redrawn in place once a second.
//
// L1. It is no higher than the terminal, or the next one could not be drawn over it. Vehicles of which there is nothing to tell make room first.

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

/** Lines that are no vehicle's: two empty ones, the titles, what was left out, how to end it, and the one that the cursor stands on. */
const OTHER_LINES = 6;
const LEAST_VEHICLES = 3;
const MOST_CAUSES = 4;

export function liveTable(out: Writable, terminal: { readonly columns: () => number; readonly rows: () => number; readonly hasColour: boolean }): LiveTable {
  const { dim, good, notice } = paint(terminal.hasColour);
  const lines = redrawn(out);
  return {
    draw: (rows, blind) => {
      const width = Math.max(20, terminal.columns());
      const cut = (line: string): string => (line.length <= width ? line : `${line.slice(0, width - 1)}…`);
      const causes = rows
        .filter(({ lastExit, restarts }) => lastExit !== undefined && restarts > 0)
        .slice(0, MOST_CAUSES)
        .map(({ vehicle, lastExit }) => notice(cut(`${vehicle} was started again: ${oneLine(lastExit ?? "")}`)));
      const shown = thatFit(rows, terminal.rows() - OTHER_LINES - causes.length - (blind === undefined ? 0 : 1));
      const [titles = "", ...rest] = table(shown, COLUMNS, width);
      const coloured = rest.map((line, at) => (shown[at]?.presence === "online" ? good(line) : line));
      const left = rows.length - shown.length;
      lines.draw([
        "",
        dim(titles),
        ...coloured,
        ...(left === 0 ? [] : [dim(`and ${String(left)} more`)]),
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

/** L1. In their order. */
function thatFit(rows: readonly VehicleRow[], room: number): readonly VehicleRow[] {
  const over = rows.length - Math.max(LEAST_VEHICLES, room);
  if (over <= 0) return rows;
  const isQuiet = ({ presence, restarts }: VehicleRow): boolean => presence === "online" && restarts === 0;
  const leaving = new Set([...rows.filter(isQuiet).reverse(), ...rows.filter((row) => !isQuiet(row)).reverse()].slice(0, over));
  return rows.filter((row) => !leaving.has(row));
}
