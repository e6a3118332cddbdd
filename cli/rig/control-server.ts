// The rig's control socket: one JSON object per line in, one per line out, in order. `id` is given back as it came.
//
//   > {"id":1,"do":"wall-button","module":"torrent-0","channel":3}
//   < {"id":1,"ok":true,"simulated":true}
//   > {"id":2,"do":"acts","since":0}
//   < {"id":2,"ok":true,"simulated":true,"result":{"total":1,"acts":[{"seq":1,"at":1767225600000,"module":"torrent-0","channel":3,"from":0,"to":255,"cause":"frame"}]}}

import { createServer, type Server, type Socket } from "node:net";
import type { Log } from "../../runtime/ports/index.ts";
import { doCommand } from "./rig-commands.ts";
import type { SimulatedRig } from "./simulated-rig.ts";

const MAX_LINE_BYTES = 64 * 1024;
const MAX_CLIENTS = 16;

export interface ControlServer {
  readonly server: Server;
  close(): Promise<void>;
}

export function createControlServer(rig: SimulatedRig, log: Log): ControlServer {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    if (open.size >= MAX_CLIENTS) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    serveControl(rig, socket, log);
  });
  return {
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        for (const socket of open) socket.destroy();
      }),
  };
}

function serveControl(rig: SimulatedRig, socket: Socket, log: Log): void {
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", (error) => {
    log.debug({ err: error }, "rig: a control connection failed");
  });
  socket.on("data", (chunk: string) => {
    text += chunk;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n")) {
      const line = text.slice(0, end).trim();
      text = text.slice(end + 1);
      // Answers wait for their reader: a client that asks without reading is not read further.
      if (line !== "" && !socket.write(`${JSON.stringify(answer(rig, line))}\n`) && !socket.isPaused()) {
        socket.pause();
        socket.once("drain", () => socket.resume());
      }
    }
    if (text.length > MAX_LINE_BYTES) {
      socket.end(`${JSON.stringify({ ok: false, simulated: true, error: `a line has at most ${String(MAX_LINE_BYTES)} bytes` })}\n`);
      text = "";
      socket.removeAllListeners("data");
    }
  });
}

function answer(rig: SimulatedRig, line: string): object {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch (error) {
    return { ok: false, simulated: true, error: `not JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
  const id = typeof request === "object" && request !== null && "id" in request ? { id: request.id } : {};
  return { ...id, ...doCommand(rig, request) };
}
