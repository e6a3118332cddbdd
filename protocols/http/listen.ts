// Opens the façade's port. Loopback unless the configuration says otherwise (promise S10).

import type { AddressInfo } from "node:net";
import type { FastifyInstance } from "fastify";
import { DroverError } from "../../runtime/index.ts";
import type { HttpFacadeOptions } from "./facade-options.ts";
import { httpFacade } from "./facade.ts";

export interface ListenOptions {
  readonly facade: HttpFacadeOptions;
  /** Adds the node's own routes, each with its role: `app.register(async (own) => …)`. */
  readonly routes?: (app: FastifyInstance) => void;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** 0: any free one. */
  readonly port: number;
  /** How the reader changes the port; stands in the error. Default `DROVER_HTTP_PORT or http.port`. */
  readonly portKey?: string;
}

export interface HttpServer {
  readonly url: string;
  readonly port: number;
  /** Ends streams with a word, lets requests end, closes. */
  close(): Promise<void>;
}

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_KEY = "DROVER_HTTP_PORT or http.port";

/** @throws DROVER_PORT_IN_USE naming port and key, DROVER_CONFIG_INVALID when this host or port cannot be had at all */
export async function listenHttp({ facade, routes, host = DEFAULT_HOST, port, portKey = DEFAULT_KEY }: ListenOptions): Promise<HttpServer> {
  const app = httpFacade(facade);
  routes?.(app);
  try {
    await app.listen({ host, port });
  } catch (cause) {
    await app.close();
    throw listenError(cause, host, port, portKey);
  }
  const bound = app.server.address() as AddressInfo;
  return { url: `http://${host.includes(":") ? `[${host}]` : host}:${String(bound.port)}`, port: bound.port, close: () => app.close() };
}

function listenError(cause: unknown, host: string, port: number, portKey: string): unknown {
  switch (cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined) {
    case "EADDRINUSE":
      return new DroverError("DROVER_PORT_IN_USE", `port ${String(port)} on ${host} is in use by another program; ${portKey} changes it`, { cause });
    case "EACCES":
      return new DroverError("DROVER_CONFIG_INVALID", `http.port: port ${String(port)} may not be opened by this user; ${portKey} changes it, ports from 1024 are open to all`, {
        cause,
      });
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return new DroverError("DROVER_CONFIG_INVALID", `http.host: this machine has no address ${host}`, { cause });
    case "ERR_SOCKET_BAD_PORT":
      return new DroverError("DROVER_CONFIG_INVALID", `${portKey}: ${String(port)} is no port; 0 to 65535 is expected`, { cause });
    default:
      return cause;
  }
}
