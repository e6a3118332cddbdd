// Services: programs that a node's configuration lists, each a supervised child (design section 6: what takes the place of a container).
//
// The schema uses the keywords that a configuration's check knows with line and column. `x-path` marks what a file may write relative to its own folder.

import { Type as T, type Static, type TObject, type TProperties } from "typebox";

import { DroverError } from "../errors.ts";
import type { KeptChildren } from "../ports/index.ts";
import { demandShape } from "../shape/index.ts";
import { program, type LivenessProbe, type ProgramSpec, type ReadinessProbe, type Startable, WORKER_DEFAULTS } from "../workers/index.ts";
import { hosted, supervisor, type HostedSpec, type SupervisorSpec } from "./spec.ts";

/** For the schema that a configuration is published with; every check of ours refuses what it does not know. */
const closed = { additionalProperties: false };
const VARIABLE = "^[A-Za-z_][A-Za-z0-9_]*$";
const text = T.String({ maxLength: 131_071 });
const ms = (minimum: number): ReturnType<typeof T.Integer> => T.Integer({ minimum, maximum: 86_400_000 });

/** Alternatives stand side by side: each is a map of its own, so that a key that does not fit is told with those that do. */
const tcp = T.Union([T.Integer({ minimum: 1, maximum: 65_535 }), T.String({ pattern: "^([^\\s]+:)?[0-9]{1,5}$", title: "host:port" })], {
  description: "a port on loopback, or host:port, that takes a connection",
});
const http = T.String({ pattern: "^https?://[^/].*$", title: "a URL of http: or https:", description: "a GET of it is answered" });
const status = T.Optional(T.Integer({ minimum: 100, maximum: 599, description: "with this status; default any from 200 to 399" }));
const exec = T.Array(text, { minItems: 1, maxItems: 256, description: "a command that ends with 0" });
const line = T.String({ minLength: 1, maxLength: 200, title: "a regular expression of 1 to 200 characters", description: "a regular expression that a line of stdout matches" });
const every = { interval_ms: T.Optional(ms(1)), timeout_ms: T.Optional(ms(1)) };
const often = { ...every, failures: T.Optional(T.Integer({ minimum: 1, maximum: 1_000, description: "so many in a row end it; default 3" })) };

const probe = <P extends TProperties>(properties: P): TObject<P> => T.Object(properties, closed);

const serviceSchema = T.Object(
  {
    command: T.String({ minLength: 1, maxLength: 4096, "x-path": "command", title: "a program's path or name", description: "a path, or a name along PATH" }),
    args: T.Optional(T.Array(text, { maxItems: 1_000 })),
    cwd: T.Optional(T.String({ minLength: 1, maxLength: 4096, "x-path": "file", title: "a folder" })),
    inherit: T.Optional(
      T.Array(T.String({ pattern: VARIABLE, title: "a variable's name" }), {
        maxItems: 256,
        description: "variables that it gets from this process; default PATH, HOME, LANG and the like",
      }),
    ),
    env: T.Optional(T.Object({}, { patternProperties: { [VARIABLE]: text }, title: "a variable's name", maxProperties: 256, description: "variables beside those", ...closed })),
    ready: T.Optional(T.Union([probe({ line, ...every }), probe({ tcp, ...every }), probe({ http, status, ...every }), probe({ exec, ...every })])),
    alive: T.Optional(T.Union([probe({ tcp, ...often }), probe({ http, status, ...often }), probe({ exec, ...often })])),
    memory_mb: T.Optional(T.Integer({ minimum: 1, maximum: 1_000_000, description: "of it and all that it starts" })),
    niceness: T.Optional(T.Integer({ minimum: -20, maximum: 19 })),
    restart: T.Optional(T.Union([T.Literal("permanent"), T.Literal("transient"), T.Literal("temporary")], { description: "default permanent" })),
    start_ms: T.Optional(ms(1)),
    stop_ms: T.Optional(ms(0)),
    log: T.Optional(
      T.Object(
        {
          lines_per_second: T.Optional(T.Integer({ minimum: 1, maximum: 100_000 })),
          burst: T.Optional(T.Integer({ minimum: 1, maximum: 1_000_000 })),
          line_bytes: T.Optional(T.Integer({ minimum: 16, maximum: 1_048_576 })),
        },
        closed,
      ),
    ),
  },
  closed,
);

/** The `services` of a node's configuration. */
export const servicesSchema = T.Object(
  {},
  {
    patternProperties: { "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$": serviceSchema },
    title: "a service's name of 1 to 64 letters, digits and _.-",
    maxProperties: 64,
    description: "programs that this node runs and supervises",
  },
);

/** A service as it is written: plain data. */
export type ServiceConfig = Static<typeof serviceSchema>;
export type ServicesConfig = Readonly<Record<string, ServiceConfig>>;

/** What a start may take beyond its own deadline: the kill of what was not ready. */
const START_MARGIN_MS = 5_000;

/**
 * @param run makes the child of a program; another one where there are no processes (a simulation)
 * @throws DROVER_CONFIG_INVALID with every key that is unknown, missing or of another kind, or for what a schema cannot say; DROVER_TREE_INVALID for its name
 */
export function service(name: string, written: ServiceConfig, run: (spec: ProgramSpec) => Startable = program): HostedSpec {
  demandShape(written, serviceSchema, `services.${name}`, "DROVER_CONFIG_INVALID", true);
  const spec = programOf(written);
  const { startMs, shutdownMs } = { ...WORKER_DEFAULTS, ...definedOf({ startMs: spec.startMs, shutdownMs: spec.shutdownMs }) };
  return hosted(
    name,
    checked(name, () => run(spec)),
    {
      kind: "service",
      restart: written.restart ?? "permanent",
      shutdownMs,
      startMs: startMs + shutdownMs + START_MARGIN_MS,
    },
  );
}

/**
 * The place of services in a node's tree: one that fails is tried for ever, more and more rarely, and takes nobody else with it.
 * @param written data of a file, or of whoever calls: checked here too
 * @param store keeps those that are added at run time: `keepChild(name, config)`
 */
export function services(written: ServicesConfig | undefined, run?: (spec: ProgramSpec) => Startable, store?: KeptChildren): SupervisorSpec {
  const kept = store === undefined ? {} : { kept: { store, make: (name: string, data: unknown) => service(name, data as ServiceConfig, run) } };
  return supervisor(
    "services",
    { strategy: "one-for-one", backoff: { giveUpAfterMs: 600_000, onGiveUp: "degrade" }, startFailure: "retry", ...kept },
    Object.entries(written ?? {}).map(([name, one]) => service(name, one, run)),
  );
}

function checked(name: string, make: () => Startable): Startable {
  try {
    return make();
  } catch (error) {
    if (error instanceof DroverError) throw new DroverError("DROVER_CONFIG_INVALID", `services.${name}: ${error.message}`, { cause: error });
    throw error;
  }
}

function programOf({ command, args, cwd, inherit, env, ready, alive, memory_mb, niceness, start_ms, stop_ms, log }: ServiceConfig): ProgramSpec {
  const timing = ({
    interval_ms,
    timeout_ms,
  }: {
    readonly interval_ms?: number;
    readonly timeout_ms?: number;
  }): { readonly intervalMs: number | undefined; readonly timeoutMs: number | undefined } => ({
    intervalMs: interval_ms,
    timeoutMs: timeout_ms,
  });
  return {
    command,
    args,
    cwd,
    inherit,
    env: env as Readonly<Record<string, string>> | undefined,
    ready: ready === undefined ? undefined : ({ ...withoutTiming(ready), ...timing(ready) } as ReadinessProbe),
    alive: alive === undefined ? undefined : ({ ...withoutTiming(alive), ...timing(alive) } as LivenessProbe),
    memoryMb: memory_mb,
    niceness,
    lines: log === undefined ? undefined : definedOf({ perSecond: log.lines_per_second, burst: log.burst, maxBytes: log.line_bytes }),
    startMs: start_ms,
    shutdownMs: stop_ms,
  };
}

function withoutTiming<P extends { readonly interval_ms?: number; readonly timeout_ms?: number }>({
  interval_ms: _interval,
  timeout_ms: _timeout,
  ...probe
}: P): Omit<P, "interval_ms" | "timeout_ms"> {
  return probe;
}

function definedOf<V extends object>(values: V): Partial<{ [K in keyof V]: NonNullable<V[K]> }> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
