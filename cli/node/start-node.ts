// `drover start`: reads the configuration, runs one node until it is told to end, logs to standard error. The operating system supervises it (design section 6).
//
// Only the code of the node that is asked for is loaded: a vehicle starts without the cloud's.

import type { CloudConfig } from "../../cloud-node/index.ts";
import type { EdgeConfig } from "../../edge-node/index.ts";
import type { Log } from "../../runtime/ports/index.ts";
import type { Tree } from "../../runtime/supervision/index.ts";
import { errorOf } from "../../runtime/workers/index.ts";
import { removeEndpoint, tokenFileIn, tokenLine, writeEndpoint, type WrittenEndpoint } from "../api/index.ts";
import { loadConfig, type LoadedConfig, withPlaces } from "../config/index.ts";
import { isLogLevel, LOG_LEVELS, streamLog } from "../logging/index.ts";
import { type Call, CommandFailure, EXIT, type ExitCode, printJsonLine, printLines } from "../terminal/index.ts";

export interface StartOptions {
  readonly config?: string;
  readonly set?: readonly string[];
  readonly logLevel?: string;
}

/** What both nodes have in common for who runs them. */
interface RunningNode {
  readonly tree: Tree;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** @throws DROVER_CONFIG_INVALID, DROVER_PORT_IN_USE, and the code of whatever else could not start */
export async function startNode(kind: "edge" | "cloud", options: StartOptions, call: Call): Promise<ExitCode> {
  const { log } = streamLog(call.err, levelOf(options.logLevel ?? call.env["DROVER_LOG"]));
  const sources = { file: options.config, env: call.env, set: options.set };
  const loaded =
    kind === "cloud"
      ? loadConfig((await loadCloud()).cloudConfigSchema, { ...sources, defaults: { data: ".drover" } })
      : loadConfig((await loadEdge()).edgeConfigSchema, { ...sources, defaults: { data: ".drover/edge" } });
  for (const warning of loaded.warnings) log.warn({}, warning);
  try {
    return await (kind === "cloud" ? startCloud(loaded, log, call) : startEdge(loaded, log, call));
  } catch (thrown) {
    throw withPlaces(thrown, loaded.placeOf);
  }
}

const loadCloud = () => import("../../cloud-node/index.ts");
const loadEdge = () => import("../../edge-node/index.ts");

async function startCloud({ config }: LoadedConfig, log: Log, call: Call): Promise<ExitCode> {
  const { createCloudNode, realPorts } = await loadCloud();
  const cloud = config as CloudConfig;
  const node = createCloudNode(cloud, { ...realPorts, log });
  return run(node, call, () => {
    const { http = null, broker = null } = node.urls;
    if (http !== null) noteEndpoint(log, cloud.data, { url: http, ...(broker === null ? {} : { broker }) });
    if (call.json) printJsonLine(call.out, { event: "listening", http, broker, data: cloud.data, tokenFile: tokenFileIn(cloud.data) });
    else printLines(call.out, [`page and API  ${http ?? "–"}`, `broker        ${broker ?? "–"}`, tokenLine(cloud.data, node.firstToken)]);
    return () => {
      removeEndpoint(cloud.data);
    };
  });
}

async function startEdge({ config }: LoadedConfig, log: Log, call: Call): Promise<ExitCode> {
  const { createEdgeNode, realPorts } = await loadEdge();
  const node = createEdgeNode(config as EdgeConfig, { ...realPorts, log });
  return run(node, call, () => {
    const { apiUrl, vehicle } = node;
    const { data } = config as EdgeConfig;
    if (apiUrl !== undefined) noteEndpoint(log, data, { url: apiUrl });
    if (call.json) printJsonLine(call.out, { event: "running", vehicle, http: apiUrl ?? null });
    else printLines(call.out, [`running       ${vehicle}`, ...(apiUrl === undefined ? [] : [`page and API  ${apiUrl}`, tokenLine(data, node.firstToken)])]);
    return () => {
      if (apiUrl !== undefined) removeEndpoint(data);
    };
  });
}

/** Nobody's node stays down for want of it. */
function noteEndpoint(log: Log, data: string, endpoint: WrittenEndpoint): void {
  const problem = writeEndpoint(data, endpoint);
  if (problem !== undefined) log.warn({ data }, problem);
}

/** Until it is told to end; its tree's own end is a failure. @param started says so, and returns what to undo */
async function run(node: RunningNode, call: Call, started: () => () => void): Promise<ExitCode> {
  let undo = (): void => undefined;
  const isAsked = (): boolean => call.interrupt.aborted;
  const interrupted = new Promise<void>((resolve) => {
    const heard = (): void => {
      resolve();
    };
    if (call.interrupt.aborted) heard();
    call.interrupt.addEventListener("abort", heard, { once: true });
  });
  try {
    await Promise.race([node.start(), interrupted]);
    if (!isAsked()) {
      undo = started();
      const exit = await Promise.race([interrupted, node.tree.exited]);
      if (exit !== undefined && !isAsked()) {
        const cause = errorOf(exit);
        throw cause ?? new CommandFailure({ code: "node-ended", title: "The node ended by itself.", advice: "See its log.", exit: EXIT.failure });
      }
    }
    return EXIT.ok;
  } finally {
    undo();
    await node.stop();
  }
}

function levelOf(text: string | undefined): (typeof LOG_LEVELS)[number] {
  if (text === undefined || text === "") return "info";
  if (isLogLevel(text)) return text;
  throw new CommandFailure({ code: "usage", title: "There is no such log level.", detail: `"${text}"`, advice: `Give one of ${LOG_LEVELS.join(", ")}.`, exit: EXIT.usage });
}
