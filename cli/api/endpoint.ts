// Where the API is and with which token: said, from the environment, or found in the data folder of a node on this machine.
//
// N1. A token found on this machine goes to this machine only: a URL of another host needs --token or DROVER_TOKEN.

import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CommandFailure, EXIT } from "../terminal/index.ts";

export interface EndpointOptions {
  readonly url?: string;
  readonly token?: string;
  /** Data folder of the node. */
  readonly data?: string;
}

export interface Endpoint {
  /** Without a final slash. */
  readonly url: string;
  /** undefined: none was found; requests that need one will say so. */
  readonly token: string | undefined;
  /** Where a token is looked for, for advice. */
  readonly tokenFile: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const DEFAULT_DATA = ".drover";
const DEFAULT_PORT = "8080";
const ENDPOINT_FILE = "endpoint.json";

export function dataFolder(env: Environment, said?: string): string {
  return resolve(said ?? nonEmpty(env["DROVER_DATA"]) ?? DEFAULT_DATA);
}

/** Flags before environment before what a node wrote down before defaults. */
export function findEndpoint(options: EndpointOptions, env: Environment): Endpoint {
  const folder = dataFolder(env, options.data);
  const tokenFile = join(folder, "api-token");
  const said = options.url ?? nonEmpty(env["DROVER_URL"]);
  const url = checkedUrl(said ?? writtenEndpoint(folder).url ?? `http://127.0.0.1:${nonEmpty(env["DROVER_HTTP_PORT"]) ?? DEFAULT_PORT}`);
  const token = options.token ?? nonEmpty(env["DROVER_TOKEN"]) ?? (isLoopback(url) ? textOf(tokenFile) : undefined);
  return { url: url.href.replace(/\/+$/, ""), token, tokenFile };
}

/** What a running node wrote down about itself. */
export interface WrittenEndpoint {
  /** Of its API. */
  readonly url: string;
  /** Of its embedded broker. */
  readonly broker?: string;
}

/**
 * Written by whoever starts a node with an API, so that commands on this machine find it whatever its port.
 * @returns why it could not be (a full disk): the node runs all the same, and commands need --url where its port is not the default
 */
export function writeEndpoint(folder: string, { url, broker }: WrittenEndpoint): string | undefined {
  const fresh = join(folder, `${ENDPOINT_FILE}.${String(process.pid)}.new`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(fresh, `${JSON.stringify({ url, broker })}\n`, { mode: 0o600 });
    renameSync(fresh, join(folder, ENDPOINT_FILE));
    return undefined;
  } catch (error) {
    remove(fresh);
    return `${ENDPOINT_FILE} could not be written, so that commands on this machine need --url ${url}: ${(error as Error).message}`;
  }
}

export function removeEndpoint(folder: string): void {
  remove(join(folder, ENDPOINT_FILE));
}

/** What stays names a node that has ended, as after a kill. */
function remove(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Its folder takes no change.
  }
}

/** As whoever started the node wrote it down; it may have ended since. Empty where nothing is written or the file is damaged. */
export function writtenEndpoint(folder: string): Partial<WrittenEndpoint> {
  try {
    const { url, broker } = JSON.parse(readFileSync(join(folder, ENDPOINT_FILE), "utf8")) as { readonly url?: unknown; readonly broker?: unknown };
    return { ...(typeof url === "string" ? { url } : {}), ...(typeof broker === "string" ? { broker } : {}) };
  } catch (error) {
    demandReadable(folder, error);
    return {};
  }
}

/** @throws CommandFailure where it is there and may not be read: who asks is told that instead of that nothing runs */
function demandReadable(file: string, error: unknown): void {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "EACCES" && code !== "EPERM") return;
  throw new CommandFailure({
    code: "data-unreadable",
    title: "The node's data folder cannot be read.",
    detail: `${file} (${code})`,
    advice: "Run this as the node's own user, or name the node with --url and --token.",
    exit: EXIT.auth,
  });
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.protocol === "http:" || url.protocol === "https:")) return url;
  throw new CommandFailure({
    code: "url-invalid",
    title: "The URL of the node is not valid.",
    detail: `"${text.slice(0, 200)}"`,
    advice: "Write it as http://host:port, with --url or DROVER_URL.",
    exit: EXIT.usage,
  });
}

function isLoopback(url: URL): boolean {
  return url.hostname === "localhost" || url.hostname === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
}

function textOf(file: string): string | undefined {
  try {
    return nonEmpty(readFileSync(file, "utf8").trim());
  } catch (error) {
    demandReadable(file, error);
    return undefined;
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text;
}
