// The updates of all modules of a rig: who has which folder and which port, and whose MAC a trigger names.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type Clock, DroverError, type Log } from "../../../runtime/ports/index.ts";
import type { BoardSpec, Firmware } from "../board.ts";
import { ModuleUpdates } from "./module-updates.ts";
import { UPLOAD_HOST } from "./upload-port.ts";

export interface RigUpdatesOptions {
  /** Slots of each module, and `upload-urls.json`. */
  readonly folder: string;
  /** Real modules' times divided by it: opening, window, reboot; default 1. Periods on the bus stay. */
  readonly clockFactor?: number;
  /** When ports open. */
  readonly seed: number;
  /** By module; others get one that is kept in the folder. See `chooseUploadPorts`. */
  readonly ports?: ReadonlyMap<string, number>;
}

/** Below those that systems give to outgoing connections, so that nobody takes one while it is closed. */
const FIRST_PORT = 20_000;
const PORTS = 12_000;

export class RigUpdates {
  readonly #options: RigUpdatesOptions;
  readonly #firmwareOf: (type: string) => Firmware | undefined;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #modules = new Map<string, { readonly mac: string; readonly updates: ModuleUpdates }>();

  constructor(options: RigUpdatesOptions, firmwareOf: (type: string) => Firmware | undefined, clock: Clock, log: Log) {
    this.#options = options;
    this.#firmwareOf = firmwareOf;
    this.#clock = clock;
    this.#log = log;
  }

  get clockFactor(): number {
    return this.#options.clockFactor ?? 1;
  }

  plugIn(spec: BoardSpec): ModuleUpdates {
    const { folder, seed, ports } = this.#options;
    const updates = new ModuleUpdates(spec, {
      folder: join(folder, spec.name),
      port: ports?.get(spec.name) ?? 0,
      clockFactor: this.clockFactor,
      seed,
      firmwareOf: this.#firmwareOf,
      clock: this.#clock,
      log: this.#log,
    });
    this.#modules.get(spec.name)?.updates.stop();
    this.#modules.set(spec.name, { mac: Buffer.from(spec.mac).toString("hex"), updates });
    return updates;
  }

  unplug(module: string): void {
    this.#modules.get(module)?.updates.stop();
    this.#modules.delete(module);
  }

  /** A trigger was on the wire. */
  seen(data: Uint8Array): void {
    if (data.length < 3) return;
    const mac = Buffer.from(data.subarray(0, 3)).toString("hex");
    for (const each of this.#modules.values()) if (each.mac === mac) each.updates.seen();
  }

  /** @throws DROVER_RIG_REFUSED */
  of(module: string): ModuleUpdates {
    const found = this.#modules.get(module);
    if (found === undefined) throw new DroverError("DROVER_RIG_REFUSED", `no module "${module}" with firmware slots; known: ${[...this.#modules.keys()].join(", ")}`);
    return found.updates;
  }

  /** By place: what an edge node's configuration takes. */
  urls(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.#modules].flatMap(([module, { updates }]) => (updates.url === undefined ? [] : [[module, updates.url]])));
  }

  state(): Readonly<Record<string, unknown>> {
    return Object.fromEntries([...this.#modules].map(([module, { updates }]) => [module, updates.state()]));
  }

  stop(): void {
    for (const { updates } of this.#modules.values()) updates.stop();
    this.#modules.clear();
  }
}

/**
 * A port for each module: the one that it had in this folder, where it is free. Written to `upload-urls.json`, from which an edge's configuration can be made.
 * @param taken by other rigs, whose ports are closed most of the time; what is chosen is added
 */
export async function chooseUploadPorts(folder: string, modules: readonly string[], taken = new Set<number>()): Promise<ReadonlyMap<string, number>> {
  const file = join(folder, "upload-urls.json");
  const kept = keptPorts(file);
  const chosen = new Map<string, number>();
  for (const module of modules) {
    const first = kept.get(module) ?? FIRST_PORT + (createHash("sha256").update(`${folder}/${module}`).digest().readUInt32BE(0) % PORTS);
    for (let step = 0; step < PORTS; step++) {
      const port = step === 0 ? first : FIRST_PORT + ((first + step) % PORTS);
      if (taken.has(port) || !(await isFree(port))) continue;
      taken.add(port);
      chosen.set(module, port);
      break;
    }
  }
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(`${file}.new`, `${JSON.stringify(uploadUrlsOf(chosen), null, 2)}\n`);
  renameSync(`${file}.new`, file);
  return chosen;
}

/** As an edge's configuration takes them. */
export function uploadUrlsOf(ports: ReadonlyMap<string, number>): Readonly<Record<string, string>> {
  return Object.fromEntries([...ports].map(([module, port]) => [module, `http://${UPLOAD_HOST}:${String(port)}/ota`]));
}

function keptPorts(file: string): ReadonlyMap<string, number> {
  try {
    const stored = JSON.parse(readFileSync(file, "utf8")) as Readonly<Record<string, unknown>>;
    return new Map(Object.entries(stored).flatMap(([module, url]) => (typeof url === "string" && URL.canParse(url) ? [[module, Number(new URL(url).port)]] : [])));
  } catch {
    return new Map();
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => {
      resolve(false);
    });
    probe.listen(port, UPLOAD_HOST, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}
