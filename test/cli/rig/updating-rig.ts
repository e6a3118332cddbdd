// A rig whose modules can be updated: on a clock that moves when told, with real upload ports. Asserts nothing itself; speaks HTTP by hand, not by our client.

import { mkdtempSync, rmSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TRAILER_MODULES } from "../../../cli/rig/modules/index.ts";
import type { UpdateWindow } from "../../../cli/rig/updates/module-updates.ts";
import { settle } from "../../../runtime/simulation/manual-clock.ts";
import { lastingPort } from "../../lasting-port.ts";
import { type VirtualRig, virtualRig } from "./virtual-rig.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface ModuleUpdateState {
  readonly url: string;
  readonly triggers: number;
  readonly outsideWindows: number;
  readonly running: number;
  readonly chosen: number;
  readonly windows: readonly UpdateWindow[];
}

export interface UpdatingRig extends VirtualRig {
  readonly folder: string;
  readonly of: (module: string) => ModuleUpdateState;
  /** Puts the trigger for this module on the bus, and lets the module hear it. */
  readonly trigger: (module: string) => Promise<void>;
  /** Lets so many ms pass, and what that begins at sockets happen. */
  readonly pass: (ms: number) => Promise<void>;
  readonly isOpen: (module: string) => Promise<boolean>;
  /** Lets time pass until the port is open. */
  readonly untilOpen: (module: string) => Promise<void>;
  /** Rejects when the connection is lost before an answer. */
  readonly upload: (module: string, image: Uint8Array, options?: { readonly path?: string; readonly method?: string; readonly chunked?: boolean }) => Promise<Answer>;
}

export interface Teardown {
  teardown(run: () => void): void;
}

export function rigFolder(t: Teardown): string {
  const folder = mkdtempSync(join(tmpdir(), "rig-firmware-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

/** @param options.modules names of those on the bus; fewer of them let time pass faster */
export async function updatingRig(
  t: Teardown,
  options: { readonly modules?: readonly string[]; readonly clockFactor?: number; readonly seed?: number; readonly folder?: string } = {},
): Promise<UpdatingRig> {
  const { modules = ["torrent-0", "torrent-1"], clockFactor = 10, seed = 1, folder = rigFolder(t) } = options;
  const specs = TRAILER_MODULES.filter(({ name }) => modules.includes(name));
  const ports = new Map(await Promise.all(modules.map(async (name) => [name, await lastingPort()] as const)));
  const virtual = virtualRig({ modules: specs, updates: { folder, clockFactor, seed, ports } });
  t.teardown(() => {
    virtual.rig.stop();
  });
  const { rig, clock, send } = virtual;
  const of = (module: string): ModuleUpdateState => rig.moduleUpdates(module) as unknown as ModuleUpdateState;
  const pass = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    await settle();
  };
  const isOpen = (module: string): Promise<boolean> =>
    asked(of(module).url, "GET").then(
      () => true,
      () => false,
    );
  await pass(400);
  return {
    ...virtual,
    folder,
    of,
    pass,
    isOpen,
    trigger: async (module) => {
      const mac = specs.find(({ name }) => name === module)?.mac ?? [];
      send(0x00, Buffer.from(mac).toString("hex"));
      await pass(2);
    },
    untilOpen: async (module) => {
      for (let turn = 0; turn < 300 && of(module).windows.at(-1)?.openedAt === undefined; turn++) await pass(1_000 / clockFactor);
    },
    upload: (module, image, { path = "/ota", method = "POST", chunked = false } = {}) => asked(new URL(path, of(module).url).href, method, image, chunked),
  };
}

function asked(url: string, method: string, body?: Uint8Array, isChunked = false): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = isChunked ? { "transfer-encoding": "chunked" } : { "content-length": body?.byteLength ?? 0 };
    const request = httpRequest(url, { method, agent: false, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk: string) => (text += chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: text.trim() });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}
