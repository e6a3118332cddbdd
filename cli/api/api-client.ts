// Asks the API of a node: JSON in, JSON out, problems as failures with an exit code. Every request has a deadline.

import { systemClock } from "../../runtime/host/index.ts";
import { type Call, CommandFailure, EXIT } from "../terminal/index.ts";
import { type Endpoint, type EndpointOptions, findEndpoint } from "./endpoint.ts";
import { exitOfProblem } from "./problem-exit.ts";

export interface ApiRequest {
  readonly method?: "GET" | "POST" | "DELETE";
  /** A list becomes one parameter an entry. */
  readonly query?: Readonly<Record<string, string | number | readonly string[] | undefined>>;
  readonly body?: unknown;
  /** A body that is no JSON. */
  readonly bytes?: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  /** Default 10 s. */
  readonly withinMs?: number;
}

export interface ApiAnswer<T> {
  readonly status: number;
  readonly body: T;
  readonly etag: string | undefined;
}

export interface OpenAnswer {
  readonly response: Response;
  /** Ends what still comes, and lets go of the signal. */
  readonly close: () => void;
}

export interface ApiClient {
  readonly endpoint: Endpoint;
  /** @throws CommandFailure for a problem, a node that does not answer, a deadline */
  ask<T>(path: string, request?: ApiRequest): Promise<ApiAnswer<T>>;
  /** An answer that goes on, e.g. an event stream: only its beginning has a deadline; `signal` ends it. The caller closes it. */
  open(path: string, request: ApiRequest, signal: AbortSignal): Promise<OpenAnswer>;
}

const DEFAULT_WITHIN_MS = 10_000;

export function apiClient(options: EndpointOptions, call: Pick<Call, "env" | "interrupt">): ApiClient {
  const endpoint = findEndpoint(options, call.env);

  async function open(path: string, request: ApiRequest, signal: AbortSignal): Promise<OpenAnswer> {
    const abort = new AbortController();
    const cancel = (): void => {
      abort.abort();
    };
    const close = (): void => {
      signal.removeEventListener("abort", cancel);
      cancel();
    };
    const withinMs = request.withinMs ?? DEFAULT_WITHIN_MS;
    const late = { passed: false };
    const timer = systemClock.setTimeout(() => {
      late.passed = true;
      cancel();
    }, withinMs);
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel, { once: true });
    try {
      const response = await fetch(urlOf(endpoint, path, request.query), {
        method: request.method ?? "GET",
        headers: headersOf(endpoint, request),
        redirect: "error",
        signal: abort.signal,
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
        ...(request.bytes === undefined ? {} : { body: Buffer.from(request.bytes) }),
      });
      if (!response.ok) throw await problemFailure(response, endpoint);
      return { response, close };
    } catch (thrown) {
      close();
      if (thrown instanceof CommandFailure) throw thrown;
      throw signal.aborted ? interrupted() : late.passed ? tooLate(endpoint, withinMs) : unreachable(endpoint, thrown);
    } finally {
      systemClock.clearTimeout(timer);
    }
  }

  async function ask<T>(path: string, request: ApiRequest = {}): Promise<ApiAnswer<T>> {
    const { response, close } = await open(path, request, call.interrupt);
    try {
      const text = await response.text();
      return { status: response.status, body: (text === "" ? null : JSON.parse(text)) as T, etag: response.headers.get("etag") ?? undefined };
    } catch (cause) {
      if (call.interrupt.aborted) throw interrupted();
      throw new CommandFailure(
        { code: "answer-not-json", title: "The answer is not JSON.", detail: `${endpoint.url}${path}`, advice: "Is this the URL of a Drover node?", exit: EXIT.failure },
        { cause },
      );
    } finally {
      close();
    }
  }

  return { endpoint, ask, open };
}

/** An address as one path segment (design section 10). */
export function actorPath(address: string, rest = ""): string {
  return `/v1/actors/${encodeURIComponent(address)}${rest}`;
}

function urlOf(endpoint: Endpoint, path: string, query: ApiRequest["query"]): string {
  const url = new URL(`${endpoint.url}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value === undefined) continue;
    for (const one of typeof value === "object" ? value : [String(value)]) url.searchParams.append(name, one);
  }
  return url.href;
}

function headersOf(endpoint: Endpoint, request: ApiRequest): Record<string, string> {
  return {
    accept: "application/json",
    ...(endpoint.token === undefined ? {} : { authorization: `Bearer ${endpoint.token}` }),
    ...(request.body === undefined ? {} : { "content-type": "application/json" }),
    ...(request.bytes === undefined ? {} : { "content-type": "application/octet-stream" }),
    ...request.headers,
  };
}

interface ProblemBody {
  readonly type?: unknown;
  readonly title?: unknown;
  readonly detail?: unknown;
  readonly advice?: unknown;
  readonly [member: string]: unknown;
}

const TYPE_PREFIX = "urn:drover:problem:";

async function problemFailure(response: Response, endpoint: Endpoint): Promise<CommandFailure> {
  const { status } = response;
  const body = await response
    .json()
    .then((value: unknown) => (typeof value === "object" && value !== null ? (value as ProblemBody) : {}))
    .catch((): ProblemBody => ({}));
  const { type, title, detail, advice, status: _status, traceId: _trace, ...more } = body;
  const name = typeof type === "string" && type.startsWith(TYPE_PREFIX) ? type.slice(TYPE_PREFIX.length) : `http-${String(status)}`;
  const missing = status === 401 && endpoint.token === undefined ? `No token was found; it is looked for in --token, DROVER_TOKEN and ${endpoint.tokenFile}.` : undefined;
  return new CommandFailure({
    code: name,
    title: typeof title === "string" ? title : `The node answered ${String(status)}.`,
    detail: [typeof detail === "string" ? detail : undefined, missing].filter((line) => line !== undefined).join("\n") || undefined,
    advice: typeof advice === "string" ? advice : undefined,
    exit: exitOfProblem(name, status),
    more,
  });
}

function unreachable(endpoint: Endpoint, thrown: unknown): CommandFailure {
  const { cause } = thrown as { readonly cause?: unknown };
  const why = cause instanceof Error ? causeText(cause) : thrown instanceof Error ? thrown.message : String(thrown);
  return new CommandFailure(
    {
      code: "unreachable",
      title: "No node answers.",
      detail: `${endpoint.url}: ${why}`,
      advice: "Start one with `drover demo` or `drover start cloud`, or name it with --url or DROVER_URL.",
      exit: EXIT.unreachable,
    },
    { cause: thrown },
  );
}

/** Several addresses of one host were tried: the first word counts. */
function causeText(cause: Error): string {
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return causeText(cause.errors[0]);
  return cause.message === "" ? ((cause as NodeJS.ErrnoException).code ?? cause.name) : cause.message;
}

function tooLate(endpoint: Endpoint, withinMs: number): CommandFailure {
  return new CommandFailure({
    code: "timeout",
    title: "The node did not answer in time.",
    detail: `${endpoint.url}: nothing within ${String(withinMs)} ms`,
    advice: "Try again; `drover doctor` looks for what keeps it busy.",
    exit: EXIT.timeout,
  });
}

function interrupted(): CommandFailure {
  return new CommandFailure({ code: "interrupted", title: "Interrupted.", exit: EXIT.interrupted });
}
