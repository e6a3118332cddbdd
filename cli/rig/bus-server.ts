// The bus as seen from outside: a Unix socket whose clients hear every frame, send their own, and get them back as an echo once they were on the wire.
//
// W1. A client's frame is echoed when its last bit was acknowledged, refused when it never entered the queue or was flushed, and neither while nobody
//     acknowledges.
// W2. A client that reads too slowly loses frames, not the rig its memory: past 1 MiB of unsent bytes they are dropped, counted, and told as `lost`;
//     past 2 MiB (it sends and never reads its answers) it is cut off.

import { createServer, type Server, type Socket } from "node:net";
import type { Log } from "../../runtime/ports/index.ts";
import { echoRecord, flushedRecord, helloRecord, lostRecord, receivedRecord, REFUSAL, refusedRecord, takeClientRecords, type ClientRecord } from "./bus-records.ts";
import type { BusNode, BusPlug } from "./simulated-bus.ts";
import type { SimulatedRig } from "./simulated-rig.ts";

const MAX_CLIENTS = 16;
const MAX_UNSENT_BYTES = 1024 * 1024;
const CLIENT_QUEUE = 64;

export interface BusServer {
  readonly server: Server;
  /** Ends every connection and stops listening. */
  close(): Promise<void>;
}

/** @param bus name that clients are told, e.g. `can0` @param onClient one has joined and hears what comes from now on */
export function createBusServer(rig: SimulatedRig, bus: string, log: Log, onClient: () => void = () => undefined): BusServer {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    if (open.size >= MAX_CLIENTS) {
      log.warn({ clients: open.size }, "rig: a client was turned away");
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    serveClient(rig, bus, socket, log);
    onClient();
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

function serveClient(rig: SimulatedRig, bus: string, socket: Socket, log: Log): void {
  let lost = 0;
  let received: Buffer = Buffer.alloc(0);

  const write = (bytes: Buffer): void => {
    if (socket.destroyed) return;
    if (socket.writableLength > 2 * MAX_UNSENT_BYTES) {
      log.warn({ lost }, "rig: a client that does not read its answers was cut off");
      socket.destroy();
      return;
    }
    // One system call for what one turn of the event loop brings.
    if (socket.writableCorked === 0) {
      socket.cork();
      setImmediate(() => {
        socket.uncork();
      });
    }
    socket.write(bytes);
  };
  const tell = (bytes: Buffer): void => {
    if (socket.writableLength > MAX_UNSENT_BYTES) {
      lost++;
      return;
    }
    if (lost > 0) {
      write(lostRecord(lost));
      lost = 0;
    }
    write(bytes);
  };

  const node: BusNode = {
    name: "client",
    kind: "client",
    queueLimit: CLIENT_QUEUE,
    receive: (frame, at) => {
      tell(receivedRecord(at, frame));
    },
    sent: (frame, at, request) => {
      write(echoRecord(request, at, frame));
    },
  };
  const plug: BusPlug = rig.bus.attach(node);
  socket.once("close", () => {
    plug.detach();
  });
  socket.on("error", (error) => {
    log.debug({ err: error }, "rig: a client's connection failed");
  });
  write(helloRecord({ bus, bitrate: rig.bus.bitrate, simulated: true }));

  const handle = (record: ClientRecord): void => {
    if (record.kind === "flush") {
      for (const request of plug.flush()) write(refusedRecord(request, REFUSAL.flushed));
      write(flushedRecord(record.token));
    } else if (record.frame === undefined) write(refusedRecord(record.request, REFUSAL.malformed));
    else if (!plug.send(record.frame, record.request)) write(refusedRecord(record.request, REFUSAL.queueFull));
  };
  socket.on("data", (chunk: Buffer) => {
    const taken = takeClientRecords(received.length === 0 ? chunk : Buffer.concat([received, chunk]));
    if (taken === undefined) {
      log.warn({}, "rig: a client sent what is no record");
      socket.destroy();
      return;
    }
    // A copy: the rest is at most one record, the chunk it lies in may be 64 KiB.
    received = Buffer.from(taken.rest);
    for (const record of taken.records) handle(record);
  });
}
