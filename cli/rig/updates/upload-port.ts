// The HTTP port of a module while its update task runs: there and gone with it, always under the same number, so that the edge's configuration can name it.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Clock, Log, TimeoutHandle } from "../../../runtime/ports/index.ts";

export const UPLOAD_HOST = "127.0.0.1";
/** As many as the family's server has. */
const MAX_CONNECTIONS = 7;
/** Somebody else has the number: it may be given back. */
const TRY_AGAIN_MS = 100;

export interface UploadPortOptions {
  /** 0: any, kept from the first opening on. */
  readonly port: number;
  /** One request after the other, as one task does. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly onListening: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export class UploadPort {
  readonly #options: UploadPortOptions;
  #port: number;
  #server: Server | undefined;
  #sockets = new Set<Socket>();
  #again: TimeoutHandle | undefined;

  constructor(options: UploadPortOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** Undefined until it is known. */
  get url(): string | undefined {
    return this.#port === 0 ? undefined : `http://${UPLOAD_HOST}:${String(this.#port)}/ota`;
  }

  open(): void {
    const { handle, onListening, clock, log } = this.#options;
    let turn: Promise<void> = Promise.resolve();
    const server = createServer({ requestTimeout: 0, keepAliveTimeout: 1_000 }, (request, response) => {
      request.on("error", () => undefined);
      response.on("error", () => undefined);
      turn = turn
        .then(() => handle(request, response))
        .catch((error: unknown) => {
          // A slot that cannot be written is a broken part, not the end of the rig.
          log.error({ err: error, port: this.#port, simulated: true }, "rig: an upload could not be served");
          response.destroy();
        });
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    server.on("error", (error) => {
      if (this.#server !== server) return;
      this.#server = undefined;
      log.warn({ err: error, port: this.#port, simulated: true }, "rig: an upload port could not open");
      this.#again = clock.setTimeout(() => {
        this.open();
      }, TRY_AGAIN_MS);
    });
    this.#server = server;
    server.listen(this.#port, UPLOAD_HOST, () => {
      if (this.#server !== server) return;
      this.#port = (server.address() as AddressInfo).port;
      onListening();
    });
  }

  /** At once, with every connection. */
  close(): void {
    this.#options.clock.clearTimeout(this.#again);
    const server = this.#server;
    this.#server = undefined;
    server?.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets = new Set();
  }
}
