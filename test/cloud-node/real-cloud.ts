// A cloud node as it is shipped, in this process: its own broker, SQLite, HTTP and a folder of its own; tests stop it and start it again.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Test } from "tap";
import { type CloudConfig, type CloudNode, type CloudPorts, createCloudNode, realPorts } from "../../cloud-node/index.ts";
import { nodeCredential } from "../../protocols/mqtt/index.ts";

export interface RealCloud {
  readonly data: string;
  readonly node: CloudNode;
  readonly url: string;
  /** With the admin's token unless `headers` say otherwise. */
  ask(method: string, path: string, more?: { readonly body?: unknown; readonly bytes?: Uint8Array; readonly headers?: Readonly<Record<string, string>> }): Promise<Answered>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** `Authorization` of the node of this vehicle. */
  basic(vehicle: string): string;
  /** Its credential of the broker. */
  login(vehicle: string): { readonly url: string; readonly username: string; readonly password: string };
}

export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Buffer;
  /** Of JSON. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Last part of a problem's type. */
  readonly problem: string | undefined;
}

export async function realCloud(t: Test, config: Partial<CloudConfig> = {}, ports: Partial<CloudPorts> = {}): Promise<RealCloud> {
  const folder = mkdtempSync(join(tmpdir(), "drover-cloud-"));
  const data = join(folder, "data");
  const at = { http: 0, broker: 0 };
  let node: CloudNode | undefined;
  let token = "";
  const running = (): CloudNode => node as CloudNode;

  async function start(): Promise<void> {
    node = createCloudNode({ data, http: { port: at.http }, broker: { port: at.broker }, ...config }, { ...realPorts, ...ports });
    await node.start();
    token = node.firstToken ?? token;
    at.http = Number(new URL(node.urls.http ?? "").port);
    at.broker = Number(new URL(node.urls.broker ?? "").port);
  }
  const credentialOf = (vehicle: string): { readonly node: string; readonly secret: string } => {
    const [tenant = "", , name = ""] = vehicle.split("/");
    return nodeCredential(join(data, "credentials"), `edge-${tenant}-${name}`, { kind: "vehicle", tenant, vehicle: name });
  };

  await start();
  t.teardown(async () => {
    await node?.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    data,
    get node() {
      return running();
    },
    get url() {
      return running().urls.http ?? "";
    },
    ask: async (method, path, { body, bytes, headers } = {}) => {
      const response = await fetch(`${running().urls.http ?? ""}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(bytes === undefined ? {} : { "content-type": "application/octet-stream" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        ...(bytes === undefined ? {} : { body: Buffer.from(bytes) }),
      });
      const all = Buffer.from(await response.arrayBuffer());
      const isJson = response.headers.get("content-type")?.includes("json") === true;
      const parsed = (isJson ? JSON.parse(all.toString("utf8")) : {}) as Answered["body"];
      const type = parsed["type"];
      return { status: response.status, headers: response.headers, bytes: all, body: parsed, problem: typeof type === "string" ? type.split(":").at(-1) : undefined };
    },
    start,
    stop: async () => {
      await node?.stop();
      node = undefined;
    },
    basic: (vehicle) => {
      const { node: name, secret } = credentialOf(vehicle);
      return `Basic ${Buffer.from(`${name}:${secret}`).toString("base64")}`;
    },
    login: (vehicle) => {
      const { node: username, secret: password } = credentialOf(vehicle);
      return { url: `mqtt://127.0.0.1:${String(at.broker)}`, username, password };
    },
  };
}
