// A cloud node as it is shipped, in this process: SQLite, its own broker and HTTP, in a folder of its own, with a fleet that it knows and an image to bring to it.

import { createHash } from "node:crypto";
import { mkdirSync } from "node:fs";
import { join } from "node:path";

import type { PlanFile, RolloutContext } from "../../actors/index.ts";
import { type CloudNode, type CloudPorts, createCloudNode, realPorts } from "../../cloud-node/index.ts";
import type { Address } from "../../runtime/index.ts";
import type { EntityCommit } from "../../runtime/ports/index.ts";
import { scratchFolder } from "../durable/fleet.ts";
import { copyOf } from "../durable/reference.ts";
import { keepTrailers } from "./trailers.ts";

const IMAGE = Buffer.alloc(4_096, 7);
const FOR = { module: "trailcurrent/reservoir", hardware: "esp32s3", version: "1.1.0" };
const SHA256 = createHash("sha256").update(IMAGE).digest("hex");

/** A rollout that was made. */
export interface MadeRollout {
  readonly address: Address;
  readonly targets: number;
  /** Of its groups. */
  readonly parts: readonly Address[];
}

export interface Cloud {
  readonly folder: string;
  readonly node: CloudNode;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** POST /v1/rollouts, answered: all of it is committed. @throws Error unless it was made */
  plan(more?: Partial<PlanFile>): Promise<MadeRollout>;
  /** @throws Error unless it was taken */
  post(path: string, body: object): Promise<Readonly<Record<string, unknown>>>;
  get(path: string): Promise<Readonly<Record<string, unknown>>>;
  /** Targets that the rollout's actor counts as committed. */
  committed(rollout: Address): number;
  /** Its actors leave memory, and its vehicles are free for another one. */
  leave(rollout: MadeRollout): Promise<void>;
  /** What its store is asked to write while `run` runs, before it is written. */
  recorded(run: () => Promise<unknown>): Promise<readonly (readonly EntityCommit[])[]>;
  stop(): Promise<void>;
}

export async function startCloud(trailers: number, ports: Partial<CloudPorts> = {}): Promise<Cloud> {
  const folder = scratchFolder();
  const data = join(folder.path, "data");
  mkdirSync(data);
  await keepTrailers(folder.path, data, trailers);
  let groups: (readonly EntityCommit[])[] | undefined;
  const store: CloudPorts["store"] = (...given) => {
    const own = realPorts.store(...given);
    return {
      ...own,
      commit: (batch) => {
        groups?.push(batch.map(copyOf));
        return own.commit(batch);
      },
    };
  };
  const node = createCloudNode({ data, http: { port: 0 }, broker: { port: 0 } }, { ...realPorts, store, ...ports });
  await node.start();
  const url = node.urls.http ?? "";
  const headers = { authorization: `Bearer ${node.firstToken ?? ""}` };
  let plans = 0;

  async function ask(path: string, type?: string, body?: RequestInit["body"]): Promise<Readonly<Record<string, unknown>>> {
    const response = await fetch(`${url}${path}`, body === undefined ? { headers } : { method: "POST", headers: { ...headers, "content-type": type ?? "" }, body });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path} is answered with ${String(response.status)}: ${text.slice(0, 500)}`);
    return JSON.parse(text) as Readonly<Record<string, unknown>>;
  }
  const post = (path: string, body: object): ReturnType<typeof ask> => ask(path, "application/json", JSON.stringify(body));

  await ask(`/v1/images?${new URLSearchParams({ ...FOR, sha256: SHA256 }).toString()}`, "application/octet-stream", IMAGE);
  return {
    folder: folder.path,
    node,
    url,
    headers,
    post,
    get: ask,
    plan: async (more = {}) => {
      const plan: PlanFile = { rollout: `r${String(++plans)}`, images: [{ ...FOR, sha256: SHA256 }], select: { labels: { fleet: "demo" } }, ...more };
      const {
        address,
        targets,
        groups: own,
      } = (await post("/v1/rollouts", plan)) as { readonly address: Address; readonly targets: number; readonly groups: { parts: Address[] }[] };
      return { address, targets, parts: own.flatMap(({ parts }) => parts) };
    },
    committed: (rollout) => {
      const { parts = {} } = (node.system.read(rollout)?.context ?? {}) as Partial<RolloutContext>;
      return Object.values(parts).reduce((sum, { tally }) => sum + tally.committed, 0);
    },
    leave: async ({ address, parts }) => {
      await Promise.all([...parts, address].map((entity) => node.system.deactivate(entity)));
    },
    recorded: async (run) => {
      groups = [];
      await run();
      const all = groups;
      groups = undefined;
      return all;
    },
    stop: async () => {
      await node.stop();
      folder.remove();
    },
  };
}
