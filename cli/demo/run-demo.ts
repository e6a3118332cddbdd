// `drover demo` from its start to its end: the folder's lock, the tree, what is shown, and the orderly stop.
//
// D1. Asked to end, everything has ended within STOP_WITHIN_MS, in reverse order of its start; asked twice, at once.
// D2. Whatever could not start ends the demo with its cause and exit code, with nothing left behind.

import { join } from "node:path";
import type { CloudListening } from "../../cloud-node/index.ts";
import { systemClock } from "../../runtime/host/index.ts";
import type { Log, TimeoutHandle } from "../../runtime/ports/index.ts";
import type { Tree } from "../../runtime/supervision/index.ts";
import { errorOf } from "../../runtime/workers/index.ts";
import { dataFolder, removeEndpoint, tokenFileIn, tokenLine, writeEndpoint } from "../api/index.ts";
import { fileLog, isLogLevel, type OpenLog } from "../logging/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, printJsonLine, printLines } from "../terminal/index.ts";
import { createDemoFleet, type DemoFleet } from "./demo-fleet.ts";
import { CloudView } from "./cloud-view.ts";
import { fleetRows } from "./fleet-view.ts";
import { lockFolder } from "./folder-lock.ts";
import { liveTable } from "./live-table.ts";
import { fleetNews } from "./log-lines.ts";
import { newFirmware } from "./new-firmware.ts";
import { demoTrailers, type Trailer } from "./trailers.ts";

export interface DemoOptions {
  readonly data?: string;
  readonly port?: number;
  /** Simulated trailers, at least 1; default 1. */
  readonly trailers?: number;
}

const DEFAULT_PORT = 8080;
const STOP_WITHIN_MS = 4_000;
/** On a terminal a table is redrawn, without one a change is told soon. */
const REDRAW_MS = 1_000;
const LOOK_MS = 250;

/** @throws DROVER_STORE_LOCKED, DROVER_PORT_IN_USE, and the code of whatever else could not start */
export async function runDemo(options: DemoOptions, call: Call): Promise<ExitCode> {
  const data = dataFolder(call.env, options.data);
  const httpPort = options.port ?? portIn(call.env["DROVER_HTTP_PORT"]);
  const release = lockFolder(data);
  const logs = new Map<string, OpenLog>();
  const logOf = (child: string): Log => {
    const open = logs.get(child) ?? fileLog(join(data, "logs", `${child}.log`), levelIn(call.env["DROVER_LOG"]));
    logs.set(child, open);
    return open.log;
  };
  try {
    const trailers = await demoTrailers(data, options.trailers ?? 1);
    return await live({ data, httpPort, logOf, trailers, plan: newFirmware(data) }, call);
  } finally {
    removeEndpoint(data);
    for (const open of logs.values()) open.close();
    release();
  }
}

interface Demo {
  readonly data: string;
  readonly httpPort: number;
  readonly logOf: (child: string) => Log;
  readonly trailers: readonly Trailer[];
  /** Path of the plan of a rollout that can be started. */
  readonly plan: string;
}

async function live({ data, plan, ...options }: Demo, call: Call): Promise<ExitCode> {
  let where: CloudListening | undefined;
  let firstToken: string | undefined;
  const say = (words: string): void => {
    if (!call.json) call.err.write(`${words}\n`);
  };
  const fleet = createDemoFleet({
    data,
    ...options,
    onListening: (told) => {
      where = told;
      firstToken ??= told.firstToken;
      const problem = writeEndpoint(data, { url: told.http, broker: told.broker });
      if (problem !== undefined) say(problem);
    },
  });
  const stopped = stopOnInterrupt(fleet.tree, call);
  const beganAt = systemClock.monotonic();
  try {
    say(`starting; data in ${data}, logs in ${join(data, "logs")}`);
    const quiet = fleet.tree.onReport(({ context, offender }) => {
      if (context === "child_started") say(`${offender} runs after ${seconds(beganAt)}`);
    });
    await fleet.tree.start();
    quiet();
  } catch (cause) {
    if (!call.interrupt.aborted) throw cause;
    await stopped;
    return EXIT.ok;
  } finally {
    await fleet.end();
  }
  const shown = show(fleet, () => where, { data, plan, firstToken, beganAt }, call);
  const exit = await fleet.tree.exited;
  shown.end();
  if (call.interrupt.aborted) {
    await stopped;
    say("stopped");
    return EXIT.ok;
  }
  const cause = errorOf(exit);
  throw cause ?? new CommandFailure({ code: "demo-ended", title: "The demo ended by itself.", advice: `See the logs in ${join(data, "logs")}.`, exit: EXIT.failure });
}

/** D1. Resolves once the tree has been stopped; never when nobody asks. */
function stopOnInterrupt(tree: Tree, call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => {
      if (!call.json) call.err.write("stopping\n");
      tree.stop(STOP_WITHIN_MS).then(resolve, reject);
    };
    const hurry = (): void => {
      tree.stop(0).then(resolve, reject);
    };
    if (call.interrupt.aborted) stop();
    else call.interrupt.addEventListener("abort", stop, { once: true });
    call.hurry.addEventListener("abort", hurry, { once: true });
  });
}

function show(
  fleet: DemoFleet,
  where: () => CloudListening | undefined,
  { data, plan, firstToken, beganAt }: { readonly data: string; readonly plan: string; readonly firstToken: string | undefined; readonly beganAt: number },
  call: Call,
): { end(): void } {
  const words = headLines(where(), data, plan, firstToken);
  if (call.json) printJsonLine(call.out, { event: "listening", http: where()?.http ?? null, broker: where()?.broker ?? null, data, tokenFile: tokenFileIn(data), plan });
  else printLines(call.out, words);
  const live = call.isTerminal && !call.json ? liveTable(call.out, call) : undefined;
  const news = live === undefined ? fleetNews(call, () => systemClock.monotonic() - beganAt) : undefined;
  const cloud = new CloudView(data, call);
  let timer: TimeoutHandle | undefined;
  let ended = false;
  const look = async (): Promise<void> => {
    const { vehicles, blind } = await cloud.look(where()?.http);
    if (ended) return;
    const rows = fleetRows(fleet.vehicles, vehicles, fleet.tree.describe(), fleet.stats);
    live?.draw(rows, blind);
    news?.look(rows, blind);
    timer = systemClock.setTimeout(() => void look(), live === undefined ? LOOK_MS : REDRAW_MS);
  };
  void look();
  return {
    end: () => {
      ended = true;
      systemClock.clearTimeout(timer);
      live?.end();
    },
  };
}

function headLines(where: CloudListening | undefined, data: string, plan: string, firstToken: string | undefined): readonly string[] {
  return [
    `page and API  ${where?.http ?? "–"}`,
    `broker        ${where?.broker ?? "–"}`,
    tokenLine(data, firstToken),
    `try           drover actors ask demo/vehicle/trailer-01/module/torrent-0 light.set output=galley level=255`,
    `rollout       drover rollout start ${plan} --reason "tried here"`,
  ];
}

function seconds(sinceMs: number): string {
  return `${((systemClock.monotonic() - sinceMs) / 1_000).toFixed(1)} s`;
}

function portIn(text: string | undefined): number {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new CommandFailure({
    code: "DROVER_CONFIG_INVALID",
    title: "The configuration is not valid.",
    detail: `DROVER_HTTP_PORT: "${text}" is no port`,
    advice: "Give a whole number from 0 to 65535.",
    exit: EXIT.invalid,
  });
}

function levelIn(text: string | undefined): "debug" | "info" | "warn" | "error" {
  return text !== undefined && isLogLevel(text) ? text : "info";
}
