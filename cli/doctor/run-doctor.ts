// `drover doctor`: looks at what a node would stand on. Nothing is changed, and one finding does not hide another.

import { cloudConfigSchema } from "../../cloud-node/index.ts";
import { checkEdgeStart, type EdgeConfig, edgeConfigSchema, realPorts as edgePorts } from "../../edge-node/index.ts";
import { systemClock, droverVersion } from "../../runtime/host/index.ts";
import { apiClient, dataFolder, writtenEndpoint } from "../api/index.ts";
import { loadConfig, withPlaces } from "../config/index.ts";
import { type Call, EXIT, type ExitCode, failureOf, oneLine, paint, printJson, printLines } from "../terminal/index.ts";
import { checkBroker } from "./check-broker.ts";
import { checkClock } from "./check-clock.ts";
import { checkDataFolder } from "./check-data-folder.ts";
import { checkIdentities } from "./check-identities.ts";
import { checkNode } from "./check-node.ts";
import { checkPort } from "./check-port.ts";
import { checkStores } from "./check-stores.ts";
import { checkToken } from "./check-token.ts";
import { type Finding, ok, problem } from "./finding.ts";
import { watchedMachines } from "./watched-machines.ts";

export interface DoctorOptions {
  readonly config?: string;
  readonly data?: string;
  /** Of the API. */
  readonly port?: number;
  /** Module with new versions of actor types. */
  readonly machine?: string;
}

/** The part of both nodes' configurations that this looks at. */
interface AnyConfig {
  readonly data?: string;
  readonly http?: { readonly host?: string; readonly port?: number };
  readonly broker?: { readonly url?: string; readonly host?: string; readonly port?: number };
  readonly uplink?: { readonly url?: string };
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 8080;

export async function runDoctor(options: DoctorOptions, call: Call): Promise<ExitCode> {
  const { config, finding } = await readConfig(options.config, call);
  const folder = options.data ?? config.data ?? dataFolder(call.env);
  if (options.machine !== undefined) return tell(await watchedMachines(options.machine, folder), folder, call);
  const findings: Finding[] = [checkNode(), ...finding];
  const looks: readonly (() => readonly Finding[] | Promise<readonly Finding[]>)[] = [
    () => checkDataFolder(folder, systemClock),
    () => checkStores(folder),
    () => checkIdentities(folder),
    () => checkPorts(config, options.port, folder, call),
    async () => {
      const url = config.broker?.url ?? config.uplink?.url;
      return url === undefined ? [] : [await checkBroker(url, config.uplink === undefined ? "broker.url" : "uplink.url", systemClock)];
    },
    () => [checkToken(folder)].filter((found) => found !== undefined),
    () => [checkClock(folder, systemClock)],
  ];
  for (const look of looks) {
    try {
      findings.push(...(await look()));
    } catch (error) {
      findings.push(problem("doctor", `a look failed: ${(error as Error).message}`, "Something is as this program does not expect it.", "Report it."));
    }
    if (call.interrupt.aborted) return EXIT.interrupted;
  }
  return tell(findings, folder, call);
}

function tell(findings: readonly Finding[], folder: string, call: Call): ExitCode {
  const problems = findings.filter(({ status }) => status === "problem").length;
  if (call.json) printJson(call.out, { version: droverVersion(), data: folder, problems, findings });
  else
    printLines(
      call.out,
      findings.flatMap((found) => describe(found, call)),
    );
  call.err.write(problems === 0 ? "no problems\n" : `${String(problems)} ${problems === 1 ? "problem" : "problems"}\n`);
  return problems === 0 ? EXIT.ok : EXIT.failure;
}

/** With a file: whichever kind of node it configures, as the keys say. Without one: the environment alone. */
async function readConfig(file: string | undefined, call: Call): Promise<{ readonly config: AnyConfig; readonly finding: readonly Finding[] }> {
  const sources = { file, env: call.env };
  try {
    if (file === undefined) return { config: loadConfig(cloudConfigSchema, { ...sources, defaults: { data: dataFolder(call.env) } }).config as AnyConfig, finding: [] };
    const { readFileSync } = await import("node:fs");
    const isEdge = /^\s*["']?(vehicle|buses)["']?\s*:/m.test(readFileSync(file, "utf8"));
    const loaded = loadConfig(isEdge ? edgeConfigSchema : cloudConfigSchema, { ...sources, defaults: { data: dataFolder(call.env) } });
    try {
      if (isEdge) checkEdgeStart(loaded.config as EdgeConfig, edgePorts.files);
    } catch (thrown) {
      throw withPlaces(thrown, loaded.placeOf);
    }
    return { config: loaded.config as AnyConfig, finding: [ok("configuration", `${file} is valid (${isEdge ? "edge" : "cloud"})`, { file })] };
  } catch (thrown) {
    const failure = failureOf(thrown);
    return {
      config: {},
      finding: [problem("configuration", failure.detail ?? failure.title, "A node with this configuration does not start.", failure.advice ?? "Mend it.", { file: file ?? null })],
    };
  }
}

/** @param said takes the place of what is configured */
async function checkPorts(config: AnyConfig, said: number | undefined, folder: string, call: Call): Promise<readonly Finding[]> {
  const host = config.http?.host ?? DEFAULT_HOST;
  const port = said ?? config.http?.port ?? writtenPort(folder) ?? DEFAULT_PORT;
  const isOurs = await answersAsOurs(port, folder, call);
  const http = await checkPort({ check: "http-port", host, port, key: "http.port / DROVER_HTTP_PORT", isOurs });
  if (config.broker?.port === undefined) return [http];
  const key = "broker.port / DROVER_BROKER_PORT";
  return [http, await checkPort({ check: "broker-port", host: config.broker.host ?? DEFAULT_HOST, port: config.broker.port, key, isOurs })];
}

/** Of the node of this folder, if one was started: it may have been given another port than the default. */
function writtenPort(folder: string): number | undefined {
  const url = writtenEndpoint(folder).url;
  const port = url !== undefined && URL.canParse(url) ? Number(new URL(url).port) : 0;
  return port === 0 ? undefined : port;
}

/** Whether the node that listens there takes the token of this data folder. */
async function answersAsOurs(port: number, folder: string, call: Call): Promise<boolean> {
  if (port === 0) return false;
  const api = apiClient({ url: `http://127.0.0.1:${String(port)}`, data: folder }, { env: {}, interrupt: call.interrupt });
  try {
    await api.ask("/v1/nodes", { withinMs: 2_000 });
    return true;
  } catch {
    return false;
  }
}

function describe({ status, check, what, why, fix }: Finding, call: Call): readonly string[] {
  const { good, bad, notice, dim } = paint(call.hasColour);
  const mark = status === "ok" ? good("ok     ") : status === "note" ? notice("note   ") : bad("problem");
  const indent = " ".repeat(9);
  return [
    ...what.split("\n").map((line, at) => `${at === 0 ? mark : "       "}  ${at === 0 ? `${check}: ` : ""}${oneLine(line)}`),
    ...(why === undefined ? [] : [`${indent}why: ${why}`]),
    ...(fix === undefined ? [] : [`${indent}${dim("fix:")} ${fix}`]),
  ];
}
