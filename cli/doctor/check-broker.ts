// Can the configured broker be reached? A TCP connection is tried; logging in is for the node that has the credential.

import { connect } from "node:net";
import type { Clock } from "../../runtime/ports/index.ts";
import { type Finding, ok, problem } from "./finding.ts";

const WITHIN_MS = 2_000;
const FIX = "Start the broker, mend its URL, or look for a firewall between.";

/** @param key how the reader changes it */
export async function checkBroker(url: string, key: string, clock: Clock): Promise<Finding> {
  const target = targetOf(url);
  if (target === undefined) return problem("broker", "the broker's URL cannot be read", "A node cannot find its broker.", `Write mqtt://host:port or mqtts://host:port: ${key}.`);
  const { host, port } = target;
  const failure = await tryToConnect(host, port, clock);
  if (failure === undefined) return ok("broker", `the broker at ${host}:${String(port)} answers`, { host, port });
  return problem(
    "broker",
    `the broker at ${host}:${String(port)} cannot be reached: ${failure}`,
    "Vehicles and cloud do not hear each other; a vehicle goes on alone.",
    `${FIX} (${key})`,
    { host, port },
  );
}

function targetOf(url: string): { readonly host: string; readonly port: number } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, hostname, port } = new URL(url);
  if (hostname === "" || !/^(mqtts?|tcp|tls):$/.test(protocol)) return undefined;
  return { host: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? (protocol === "mqtts:" || protocol === "tls:" ? 8883 : 1883) : Number(port) };
}

function tryToConnect(host: string, port: number, clock: Clock): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const settle = (failure: string | undefined): void => {
      clock.clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    const timer = clock.setTimeout(() => {
      settle(`no answer within ${String(WITHIN_MS)} ms`);
    }, WITHIN_MS);
    socket.once("connect", () => {
      settle(undefined);
    });
    socket.once("error", (error: NodeJS.ErrnoException) => {
      settle(error.code ?? error.message);
    });
  });
}
