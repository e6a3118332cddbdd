// The network between a vehicle and its cloud, as a TCP proxy on a port that stays: it can be cut, and it can go silent and bring late what it held.

import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface LinkProxy {
  readonly port: number;
  /** Closes all connections and takes no new ones. */
  cut(): void;
  /** Half open: connections stand, new ones too, nothing comes through. */
  hold(): void;
  /** Brings what was held, in order, and goes on. */
  release(): void;
  /** After `cut`: takes connections again. */
  heal(): void;
  close(): Promise<void>;
}

/** @param target asked at each connection: a restarted broker may listen elsewhere */
export async function linkProxy(target: () => number): Promise<LinkProxy> {
  let mode: "open" | "cut" | "held" = "open";
  const sockets = new Set<Socket>();
  const held: { readonly to: Socket; readonly chunk: Buffer | "end" }[] = [];
  const server = createServer((near) => {
    if (mode === "cut") {
      near.destroy();
      return;
    }
    const far = connect(target(), "127.0.0.1");
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.setNoDelay(true);
      sockets.add(from);
      from.on("data", (chunk: Buffer) => {
        if (mode === "held") held.push({ to, chunk });
        else to.write(chunk);
      });
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        // A network that is silent tells no end either.
        if (mode === "held") held.push({ to, chunk: "end" });
        else to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const drop = (): void => {
    held.length = 0;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      mode = "cut";
      drop();
    },
    hold: () => {
      mode = "held";
    },
    release: () => {
      mode = "open";
      for (const { to, chunk } of held.splice(0)) {
        if (chunk === "end") to.destroy();
        else to.write(chunk);
      }
    },
    heal: () => {
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
