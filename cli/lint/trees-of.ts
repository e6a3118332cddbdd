// Where the trees come from that are to be read: a node or the demo as it would be put together, or what a module exports. Nothing of them is started.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CloudConfig, cloudConfigSchema, createCloudNode, realPorts as cloudPorts } from "../../cloud-node/index.ts";
import { createEdgeNode, type EdgeConfig, edgeConfigSchema, realPorts as edgePorts } from "../../edge-node/index.ts";
import type { SupervisorSpec, Tree } from "../../runtime/index.ts";
import { silentLog } from "../../runtime/ports/index.ts";
import { loadConfig } from "../config/index.ts";
import { createDemoFleet, demoTrailers } from "../demo/index.ts";
import { type Call, CommandFailure, EXIT } from "../terminal/index.ts";
import { loadModule } from "../user-module/index.ts";

export interface NamedTree {
  /** `edge`, `cloud`, `demo`, or the name of the export. */
  readonly name: string;
  /** As a module exports it: not checked yet. */
  readonly spec: SupervisorSpec;
}

/** @param what `edge`, `cloud`, `demo` or the path of a module  @throws DROVER_CONFIG_INVALID, DROVER_FILE_UNREADABLE for no such file */
export async function treesOf(what: string, config: string | undefined, call: Call): Promise<readonly NamedTree[]> {
  if (what !== "edge" && what !== "cloud" && what !== "demo") return exportedBy(what);
  // Putting a node together may make its data folder and credentials: not those of a node that runs or will run here.
  const data = mkdtempSync(join(tmpdir(), "drover-lint-"));
  try {
    return [{ name: what, spec: (await builtIn(what, data, { file: config, env: call.env, defaults: { data } })).spec }];
  } finally {
    rmSync(data, { recursive: true, force: true });
  }
}

async function builtIn(what: "edge" | "cloud" | "demo", data: string, sources: Parameters<typeof loadConfig>[1]): Promise<Tree> {
  const log = silentLog;
  if (what === "demo") return createDemoFleet({ data, trailers: await demoTrailers(data, 1), httpPort: 0, logOf: () => log, onListening: () => undefined }).tree;
  if (what === "cloud") return createCloudNode({ ...(loadConfig(cloudConfigSchema, sources).config as CloudConfig), data }, { ...cloudPorts, log }).tree;
  return createEdgeNode({ ...(loadConfig(edgeConfigSchema, sources).config as EdgeConfig), data }, { ...edgePorts, log }).tree;
}

async function exportedBy(file: string): Promise<readonly NamedTree[]> {
  const exported = await loadModule(file, "the trees known by name are edge, cloud and demo");
  const trees = Object.entries(exported).flatMap(([name, value]) =>
    isObject(value) && value["kind"] === "supervisor" ? [{ name, spec: value as unknown as SupervisorSpec }] : [],
  );
  // A default export that has a name too is one tree.
  const found = trees.filter(({ name }, at) => name !== "default" || !trees.some((other, index) => index !== at && exported[other.name] === exported["default"]));
  if (found.length > 0) return found;
  throw new CommandFailure({
    code: "no-tree",
    title: "The module exports no supervision tree.",
    detail: `${file} exports ${Object.keys(exported).join(", ") || "nothing"}`,
    advice: "Export what `supervisor(…)` returns.",
    exit: EXIT.invalid,
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}
