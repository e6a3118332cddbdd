// Where a bus's frames come from, by URL:
//
//   log:FILE?rate=1&loop=true&bus=can0   a recording; `rate`: recorded seconds a second, default 1; `loop`: begin again at its end, default false; `bus`: the
//                                        interface in the recording whose frames these are, default the one of the bus's own name. Where the recording has
//                                        only one interface, under another name, that one is played (the log says so), unless another bus is played from the
//                                        same recording. A recording without names of interfaces (TRC) is played whole. Else the bus fails and says what there is.
//   rig:FOLDER or rig:SOCKET             the simulated rig's frame socket
//   virtual:NAME                         in this process, nobody else on it
//
// A file whose own name holds a `?` is followed by another one: `log:what?.log?`.

import { basename, dirname, extname, join, normalize } from "node:path";
import type { FrameSink, FrameSource } from "../protocols/can/index.ts";
import { createLogReplay, KnownInterfaces } from "../protocols/can-log/index.ts";
import { createRigBus } from "../protocols/rig-bus/index.ts";
import { createVirtualBus } from "../protocols/virtual-can/index.ts";
import { DroverError, nearestName } from "../runtime/index.ts";
import type { Clock, Log, Random } from "../runtime/ports/index.ts";
import type { VehicleFiles } from "./vehicle-files.ts";

export interface BusRequest {
  /** Name in the vehicle's file; the source must hand its frames over under it. */
  readonly bus: string;
  /** A sink may only be used where this is `normal` (vehicle X1). */
  readonly mode: "listen-only" | "normal";
  /** undefined: as the interface is set, or one of several. */
  readonly bitrateBps: number | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** Makes a source that was not started; called again for each restart of the bus. */
export type BusOpener = (request: BusRequest) => FrameSource | (FrameSource & FrameSink);

/** By scheme: the options that may follow. */
const OPTIONS: Readonly<Record<string, readonly string[]>> = { log: ["rate", "loop", "bus"], rig: [], virtual: [] };

/** What may stand for a bus, for a reader. */
export const BUS_URLS = "log:FILE, rig:SOCKET or virtual:NAME";

/** @param others the URLs of the node's other buses @throws DROVER_CONFIG_INVALID for a URL that names no source, or a recording that is not there */
export function busOpener(bus: string, url: string, files: Pick<VehicleFiles, "names">, others: readonly string[] = []): BusOpener {
  const { colon, scheme, path, query } = parts(url);
  const options = new URLSearchParams(query);
  const refuse = (detail: string, expected: string, meant?: string): never => {
    throw new DroverError("DROVER_CONFIG_INVALID", `buses.${bus}: "${url}": ${detail} (expected ${expected}${meant === undefined ? "" : `; did you mean "${meant}"?`})`);
  };
  if (colon === -1) return refuse("there is no scheme", BUS_URLS);
  const known = Object.hasOwn(OPTIONS, scheme) ? OPTIONS[scheme] : undefined;
  if (known === undefined) return refuse(`"${scheme}" is no source of frames`, BUS_URLS, nearestName(scheme, Object.keys(OPTIONS)));
  if (path === "") return refuse(`nothing follows "${scheme}:"`, BUS_URLS);
  const unknown = [...options.keys()].find((key) => !known.includes(key));
  if (unknown !== undefined) return refuse(`the option "${unknown}" is not known`, known.length === 0 ? "no options" : `one of ${known.join(", ")}`, nearestName(unknown, known));
  switch (scheme) {
    case "log": {
      const speed = Number(options.get("rate") ?? "1");
      if (!(speed > 0) || !Number.isFinite(speed)) return refuse(`rate=${options.get("rate") ?? ""}`, "a number above 0");
      const loop = options.get("loop") ?? "false";
      if (loop !== "true" && loop !== "false") return refuse(`loop=${loop}`, "true or false", nearestName(loop, ["true", "false"]));
      const beside = files.names(dirname(path));
      if (!beside.includes(basename(path))) return refuse("there is no such file", "a recording", nearestName(basename(path), beside));
      const recorded = options.get("bus");
      if (recorded === "") return refuse("bus= names no interface", "the name of an interface in the recording");
      const isShared = others.map(parts).some((other) => other.scheme === "log" && normalize(other.path) === normalize(path));
      const known = new KnownInterfaces();
      const played = { name: bus, ...(recorded === null ? { orTheOnly: !isShared } : { recorded }) };
      return ({ clock, log }) => createLogReplay({ path, speed, loop: loop === "true", bus: played, known }, { clock, log });
    }
    case "rig": {
      const socket = extname(basename(path)) === ".sock" ? path : join(path, `${bus}.sock`);
      return ({ mode, bitrateBps, clock, random, log }) =>
        createRigBus({ path: socket, mode, name: bus, ...(bitrateBps === undefined ? {} : { bitrate: bitrateBps }) }, { clock, random, log });
    }
    default:
      return ({ mode, clock }) => createVirtualBus({ clock, name: bus }).attach({ mode });
  }
}

interface UrlParts {
  /** -1: there is none. */
  readonly colon: number;
  readonly scheme: string;
  readonly path: string;
  readonly query: string | undefined;
}

/** The last `?` begins the options, unless a folder's name holds it: file names may hold others. */
function parts(url: string): UrlParts {
  const colon = url.indexOf(":");
  const scheme = colon === -1 ? url : url.slice(0, colon);
  const rest = url.slice(colon + 1);
  const at = rest.lastIndexOf("?");
  return at === -1 || rest.includes("/", at) ? { colon, scheme, path: rest, query: undefined } : { colon, scheme, path: rest.slice(0, at), query: rest.slice(at + 1) };
}
