// Ports for servers that tests stop and start again where they were.

import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below those that the system gives to who asks for any (ip_local_port_range, from 32768): of these, another test that runs meanwhile may get one while its server is down. */
const FIRST = 12_000;
const END = 20_000;

/** One on the loopback that nobody listens on now. */
export async function lastingPort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => {
      resolve(false);
    });
    probe.listen(port, "127.0.0.1", () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
