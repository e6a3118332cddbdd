// Checks a node's configuration: a file's text with line and column, or an object in code with the path of the key. All problems at once.

import { CheckedFile, ProblemList } from "../actors/vehicle-file/index.ts";
import { demandShape, DroverError, formatProblem, type Problem } from "../runtime/index.ts";
import { busSources } from "./bus-sources.ts";
import { type EdgeConfig, edgeConfigSchema } from "./config.ts";
import { uploadUrls } from "./upload-urls.ts";
import { readVehicle, type VehicleFiles } from "./vehicle-files.ts";

/**
 * @param text YAML or JSON
 * @throws DROVER_CONFIG_INVALID with every problem, a line each, and the place of the first
 */
export function readEdgeConfig(file: string, text: string): EdgeConfig {
  const problems = new ProblemList();
  const checked = new CheckedFile(file, text, problems);
  const data = checked.read(edgeConfigSchema);
  if (data === undefined && problems.isEmpty) throw refused([{ file, line: 1, column: 1, path: "", message: "the file is empty", expected: "keys and values" }]);
  if (!problems.isEmpty) throw refused(problems.list());
  return data as EdgeConfig;
}

/** Checks what code hands over; functions may stand where the schema wants the URL of a bus. @throws DROVER_CONFIG_INVALID with every problem, a line each */
export function checkEdgeConfig(config: unknown): asserts config is EdgeConfig {
  demandShape(withoutOpeners(config), edgeConfigSchema, "the configuration", "DROVER_CONFIG_INVALID");
}

function withoutOpeners(config: unknown): unknown {
  if (typeof config !== "object" || config === null || Array.isArray(config)) return config;
  const { buses } = config as { readonly buses?: unknown };
  if (typeof buses !== "object" || buses === null || Array.isArray(buses)) return config;
  return { ...config, buses: Object.fromEntries(Object.entries(buses).map(([bus, source]) => [bus, typeof source === "function" ? "virtual:opener" : (source as unknown)])) };
}

/** All that a node refuses before it starts: keys and values, the vehicle's files, the sources of its buses, upload URLs. Nothing is opened to write. @throws DROVER_CONFIG_INVALID */
export function checkEdgeStart(config: EdgeConfig, files: VehicleFiles): void {
  checkEdgeConfig(config);
  const model = readVehicle(config.vehicle, files);
  busSources(config, model, files);
  uploadUrls(config, model);
}

function refused(problems: readonly Problem[]): DroverError {
  const [first] = problems;
  const position = first === undefined ? {} : { position: { file: first.file, line: first.line, column: first.column } };
  return new DroverError("DROVER_CONFIG_INVALID", problems.map(formatProblem).join("\n"), position);
}
