// Starts the rig with its two sockets: `<bus>.sock` for frames, `control.sock` for commands. Both are for this user only (0600 in a folder of 0700).

import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { connect, type Server } from "node:net";
import { join } from "node:path";
import { type Clock, DroverError, type Log, type Random, silentLog } from "../../runtime/ports/index.ts";
import { createBusServer } from "./bus-server.ts";
import { createControlServer } from "./control-server.ts";
import { fileNonVolatile, memoryNonVolatile } from "./non-volatile.ts";
import { TRAILER_MODULES } from "./modules/index.ts";
import { SimulatedRig, type RigOptions } from "./simulated-rig.ts";
import { chooseUploadPorts } from "./updates/rig-updates.ts";

export interface StartRigOptions extends Omit<RigOptions, "updates"> {
  readonly socketDir: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log?: Log;
  /** Name of the bus and of its socket; default `can0`. */
  readonly bus?: string;
  /** Where the modules' flash lives; without it, in memory. */
  readonly nonVolatileFile?: string;
  /** Where the modules' firmware slots live; without it, they hear no trigger. Their upload ports are chosen once and kept there. */
  readonly firmwareFolder?: string;
  /** Of real modules' times in updates, default 1: at 10 a port opens after 0.3 to 2 s. */
  readonly clockFactor?: number;
  /** When upload ports open; default: another at each start. */
  readonly openingSeed?: number;
  /** Ports that are not chosen for modules; those that are chosen are added, for the next rig. */
  readonly takenPorts?: Set<number>;
  /**
   * When the modules get power: at the start, or with the first client of the bus, which so hears the version reports that they send at boot alone.
   * @default "start"
   */
  readonly switchedOn?: "start" | "first-client";
}

export interface StartedRig {
  readonly rig: SimulatedRig;
  /** Path of the frame socket. */
  readonly busSocket: string;
  readonly controlSocket: string;
  /** Ends connections, modules and bus. */
  stop(): Promise<void>;
}

/** sun_path of the smallest supported system, less its terminating zero. */
const MAX_SOCKET_PATH = 103;

/** @throws DROVER_CONFIG_INVALID when the path is too long for a socket; DROVER_PORT_IN_USE when another rig listens there */
export async function startRig(options: StartRigOptions): Promise<StartedRig> {
  const { socketDir, clock, random, log = silentLog, bus = "can0" } = options;
  const busSocket = join(socketDir, `${bus}.sock`);
  const controlSocket = join(socketDir, "control.sock");
  mkdirSync(socketDir, { recursive: true, mode: 0o700 });
  await free(busSocket);
  await free(controlSocket);

  const nonVolatile = options.nonVolatileFile === undefined ? memoryNonVolatile() : fileNonVolatile(options.nonVolatileFile);
  const rig = new SimulatedRig({ clock, random, nonVolatile, log }, { ...options, ...(await updatesOf(options)) });
  const isSwitchedOn = options.switchedOn !== "first-client";
  const wait = { isOver: isSwitchedOn };
  const frames = createBusServer(rig, bus, log, () => {
    if (wait.isOver) return;
    wait.isOver = true;
    rig.switchOn();
  });
  const control = createControlServer(rig, log);
  const stop = async (): Promise<void> => {
    rig.stop();
    await Promise.all([frames.close(), control.close()]);
    for (const path of [busSocket, controlSocket]) rmSync(path, { force: true });
  };
  try {
    await listen(frames.server, busSocket);
    await listen(control.server, controlSocket);
  } catch (error) {
    await stop();
    throw error;
  }
  rig.start(isSwitchedOn);
  log.info({ busSocket, controlSocket, modules: rig.modules.length, simulated: true }, "rig: running");
  return { rig, busSocket, controlSocket, stop };
}

async function updatesOf({
  firmwareFolder: folder,
  clockFactor = 1,
  openingSeed: seed,
  random,
  modules = TRAILER_MODULES,
  takenPorts,
}: StartRigOptions): Promise<Pick<RigOptions, "updates">> {
  if (!Number.isFinite(clockFactor) || clockFactor <= 0) throw new DroverError("DROVER_CONFIG_INVALID", "clockFactor is a number above 0");
  if (folder === undefined) return {};
  const ports = await chooseUploadPorts(
    folder,
    modules.map(({ name }) => name),
    takenPorts,
  );
  return { updates: { folder, clockFactor, seed: seed ?? random.uint32(), ports } };
}

/** A socket file left by a killed rig is removed; one that answers belongs to a living rig. */
async function free(path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_SOCKET_PATH)
    throw new DroverError("DROVER_CONFIG_INVALID", `a socket's path has at most ${String(MAX_SOCKET_PATH)} bytes, "${path}" has more; choose a shorter data folder`);
  const isTaken = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.once("connect", () => {
      probe.destroy();
      resolve(true);
    });
    probe.once("error", () => {
      resolve(false);
    });
  });
  if (isTaken) throw new DroverError("DROVER_PORT_IN_USE", `another rig listens on ${path}`);
  rmSync(path, { force: true });
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      chmodSync(path, 0o600);
      resolve();
    });
  });
}
