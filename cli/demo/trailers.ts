// The demo's trailers. Each has a rig of its own: a bus, flash, firmware slots and upload ports that no other one has.
//
// T1. trailer-01 is the one whose file comes with the demo. The files of the others are made after it, in the data folder, where the model and its database lie beside them.
// T2. A trailer's node is a process of its own, so that it can be killed and be seen to come back: 72 MB of its own each (RSS 114 MB, of which 45 MB are files that all processes share). The rigs share one process, which
//     needs 2 MB more for each. More trailers than free memory has room for are refused.

import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { freemem, tmpdir } from "node:os";
import { join } from "node:path";
import { chooseUploadPorts, type RigSettings, TRAILER_MODULES, uploadUrlsOf } from "../rig/index.ts";
import { CommandFailure, EXIT } from "../terminal/index.ts";
import { demoFile } from "./demo-file.ts";

export interface Trailer {
  readonly name: string;
  /** Path of its file. */
  readonly vehicle: string;
  readonly rig: RigSettings;
  /** Of the modules that take firmware, by place. */
  uploadUrls: Readonly<Record<string, string>>;
}

const FIRST = "trailer-01";
const MODEL = ["trailcurrent-trailer.yaml", "trailcurrent-defects.yaml"];
const DATABASE = "TrailCurrent-tracer-c1bd446.nocomments.dbc";
/** T2, with room for what a start needs. */
const TRAILER_BYTES = 100 * 1024 * 1024;
/** No place in the trailer's file: a panel of buttons, and a gateway without a module type. */
const WITHOUT_UPDATE = ["tapper", "aftline"];
/** sun_path of the smallest supported system, less its terminating zero and the longest socket name of a rig. */
const MAX_SOCKET_FOLDER = 103 - `/${FIRST}/control.sock`.length;

/** @throws CommandFailure where memory has no room for them (T2) */
export async function demoTrailers(data: string, count: number): Promise<readonly Trailer[]> {
  refuseTooMany(count, freeBytes());
  const sockets = socketFolder(data);
  const takenPorts = new Set<number>();
  const trailers: Trailer[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `trailer-${String(number).padStart(2, "0")}`;
    const own = name === FIRST ? data : join(data, "trailers", name);
    const firmwareFolder = join(own, "rig-firmware");
    const ports = await chooseUploadPorts(
      firmwareFolder,
      TRAILER_MODULES.map((module) => module.name),
      takenPorts,
    );
    trailers.push({
      name,
      vehicle: name === FIRST ? demoFile("vehicles", `${FIRST}.yaml`) : madeAfterFirst(data, name),
      rig: { socketDir: name === FIRST ? sockets : join(sockets, name), nonVolatileFile: join(own, "rig-flash.json"), firmwareFolder, switchedOn: "first-client" },
      uploadUrls: ofUpdated(uploadUrlsOf(ports)),
    });
  }
  return trailers;
}

/** Of those that a rig has told, what its trailer's configuration takes. */
export function ofUpdated(urls: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(urls).filter(([place]) => !WITHOUT_UPDATE.includes(place)));
}

/** @param free bytes @throws CommandFailure */
export function refuseTooMany(count: number, free: number): void {
  // One runs wherever a demo does.
  if (count === 1 || count * TRAILER_BYTES <= free) return;
  const megabytes = (bytes: number): string => `${String(Math.round(bytes / 1_048_576))} MB`;
  throw new CommandFailure({
    code: "too-many-trailers",
    title: "There is not enough free memory for so many trailers.",
    detail: `--trailers ${String(count)} takes about ${megabytes(count * TRAILER_BYTES)}, of which ${megabytes(free)} are free`,
    advice: `Give at most ${String(Math.max(1, Math.floor(free / TRAILER_BYTES)))}, or end what else runs.`,
    exit: EXIT.invalid,
  });
}

/** T1. */
function madeAfterFirst(data: string, name: string): string {
  const files = join(data, "trailers", "files");
  for (const folder of ["vehicles", "data"]) mkdirSync(join(files, folder), { recursive: true });
  for (const file of MODEL) copyFileSync(demoFile("vehicles", file), join(files, "vehicles", file));
  copyFileSync(demoFile("data", DATABASE), join(files, "data", DATABASE));
  const path = join(files, "vehicles", `${name}.yaml`);
  writeFileSync(path, readFileSync(demoFile("vehicles", `${FIRST}.yaml`), "utf8").replaceAll(FIRST, name));
  return path;
}

/** In the data folder, or beside other temporary files where that path is too long for a socket; the same one at every start. */
function socketFolder(data: string): string {
  const inside = join(data, "rig");
  if (Buffer.byteLength(inside) <= MAX_SOCKET_FOLDER) return inside;
  return join(tmpdir(), `drover-rig-${createHash("sha256").update(data).digest("hex").slice(0, 12)}`);
}

/** Of the machine, or of the container where that has less. */
function freeBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(freemem(), limit) : freemem();
}
