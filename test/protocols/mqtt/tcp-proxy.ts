// A TCP proxy that can break: cut (both ends are closed, new connections too), stall (nothing is passed on, nothing is closed).

import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface TcpProxy {
  readonly port: number;
  cut(): void;
  stall(): void;
  heal(): void;
  close(): Promise<void>;
}

export async function tcpProxy(targetPort: number): Promise<TcpProxy> {
  let mode: "open" | "cut" | "stalled" = "open";
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    if (mode === "cut") {
      near.destroy();
      return;
    }
    const far = connect(targetPort, "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("data", (chunk) => {
        if (mode === "open") to.write(chunk);
        else if (mode === "stalled") from.pause();
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        if (mode !== "stalled") to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const drop = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      mode = "cut";
      drop();
    },
    stall: () => {
      mode = "stalled";
    },
    heal: () => {
      if (mode === "stalled") drop();
      mode = "open";
    },
    close: () =>
      new Promise((resolve) => {
        mode = "cut";
        server.close(() => {
          resolve();
        });
        drop();
      }),
  };
}
