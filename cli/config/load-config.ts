// A node's configuration: flags before environment before file before defaults, one schema (design section 10).
//
// G1. A key that the schema does not know is an error with file, line, column and the nearest known key.
// G2. What is wrong is said with its origin: the place in the file, the name of the variable, or the flag. All of it at once.
// G3. A variable DROVER_… that nothing knows is a warning, since other tools may own it, with the nearest known name.
// G4. A path in a file counts from the file's folder; one from a flag or the environment from where the command runs.
// G5. What a node itself finds wrong with a setting is told with that origin too: `placeOf` knows it (placed-error.ts).

import { dirname } from "node:path";
import { CheckedFile, ProblemList } from "../../actors/vehicle-file/index.ts";
import { readPlainText } from "../../runtime/host/index.ts";
import { DroverError } from "../../runtime/ports/index.ts";
import { formatComplaint, formatProblem, nearestName, type Problem } from "../../runtime/shape/index.ts";
import { aboutOf, type ConfigText, type PlaceOf, placesIn } from "./origins.ts";
import { withPathsFrom } from "./paths.ts";
import { type Setting, settingsOf, type Shape, valueOf, withoutRequired } from "./settings.ts";

export interface ConfigSources {
  /** YAML or JSON. */
  readonly file?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `path=value`, from --set. */
  readonly set?: readonly string[] | undefined;
  /** By path. */
  readonly defaults?: Readonly<Record<string, string | number | boolean>>;
}

export interface LoadedConfig {
  readonly config: unknown;
  readonly warnings: readonly string[];
  readonly placeOf: PlaceOf;
}

/** Read elsewhere than in a node's configuration. */
const OTHER_VARIABLES = ["DROVER_URL", "DROVER_TOKEN", "DROVER_LOG", "DROVER_REQUIRE"];

/** @throws DROVER_CONFIG_INVALID with every problem, a line each; DROVER_FILE_UNREADABLE */
export function loadConfig(schema: object, sources: ConfigSources): LoadedConfig {
  const shape = schema as Shape;
  const settings = settingsOf(shape);
  const { file } = sources;
  const written = file === undefined ? undefined : readText(file);
  const config = written === undefined ? {} : fromFile(written, withoutRequired(shape));
  const givenBy = new Map<string, string>();
  const placeOf = placesIn(written, givenBy, Object.keys(shape.properties ?? {}));
  for (const [path, value] of Object.entries(sources.defaults ?? {})) if (at(config, path) === undefined) put(config, path, value);
  for (const setting of settings) {
    const text = sources.env[setting.env];
    if (text === undefined || text === "") continue;
    put(config, setting.path, valueOf(setting, text));
    givenBy.set(setting.path, setting.env);
  }
  for (const { setting, text } of (sources.set ?? []).map((flag) => fromFlag(flag, settings))) {
    put(config, setting.path, valueOf(setting, text));
    givenBy.set(setting.path, "--set");
  }
  const problems = new ProblemList();
  new CheckedFile(file ?? "configuration", JSON.stringify(config), problems).read(shape);
  if (!problems.isEmpty)
    throw new DroverError(
      "DROVER_CONFIG_INVALID",
      problems
        .list()
        .map((problem) => withOrigin(problem, placeOf, settings))
        .join("\n"),
    );
  return { config, warnings: strangeVariables(sources.env, settings), placeOf };
}

function readText(file: string): ConfigText {
  return { file, text: readPlainText(file, "a configuration in YAML or JSON") };
}

function fromFile({ file, text }: ConfigText, shape: Shape): Record<string, unknown> {
  const problems = new ProblemList();
  const data = new CheckedFile(file, text, problems).read(shape);
  const [first] = problems.list();
  if (first !== undefined)
    throw new DroverError("DROVER_CONFIG_INVALID", problems.list().map(formatProblem).join("\n"), { position: { file, line: first.line, column: first.column } });
  return withPathsFrom(dirname(file), data ?? {}, shape) as Record<string, unknown>;
}

function fromFlag(flag: string, settings: readonly Setting[]): { readonly setting: Setting; readonly text: string } {
  const equals = flag.indexOf("=");
  const path = equals === -1 ? flag : flag.slice(0, equals);
  const setting = settings.find((known) => known.path === path);
  if (setting !== undefined && equals !== -1) return { setting, text: flag.slice(equals + 1) };
  const nearest = nearestName(
    path,
    settings.map((known) => known.path),
  );
  const why = equals === -1 ? "expected path=value" : `the key "${path}" is not known${nearest === undefined ? "" : `; did you mean "${nearest}"?`}`;
  throw new DroverError("DROVER_CONFIG_INVALID", `--set ${flag}: ${why}`);
}

/** Lines and columns of the merged text mean nothing to a reader: the origin of the value does, and for a missing one the object that lacks it. */
function withOrigin(problem: Problem, placeOf: PlaceOf, settings: readonly Setting[]): string {
  const missing = /^the key "([^"]+)" is missing$/.exec(problem.message)?.[1];
  const path = problem.path === "" ? missing : `${problem.path}.${missing ?? ""}`;
  const setting = missing === undefined ? undefined : settings.find((known) => known.path === path);
  return `${placeOf(problem.path, aboutOf(problem.message)) ?? problem.file}: ${formatComplaint(problem.path, problem)}${setting === undefined ? "" : `, or set ${setting.env}`}`;
}

function strangeVariables(env: ConfigSources["env"], settings: readonly Setting[]): readonly string[] {
  const known = [...settings.map((setting) => setting.env), ...OTHER_VARIABLES];
  return Object.keys(env)
    .filter((name) => name.startsWith("DROVER_") && !known.includes(name))
    .map((name) => {
      const nearest = nearestName(name, known);
      return `the variable ${name} is not known${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
    });
}

function at(config: Record<string, unknown>, path: string): unknown {
  let value: unknown = config;
  for (const step of path.split(".")) value = typeof value === "object" && value !== null ? (value as Record<string, unknown>)[step] : undefined;
  return value;
}

function put(config: Record<string, unknown>, path: string, value: unknown): void {
  const steps = path.split(".");
  const last = steps.pop() ?? path;
  let inner = config;
  for (const step of steps) {
    const next = inner[step];
    const made = typeof next === "object" && next !== null ? { ...(next as Record<string, unknown>) } : {};
    inner[step] = made;
    inner = made;
  }
  inner[last] = value;
}
