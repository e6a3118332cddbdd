// What a node needs outside of itself to update a module: images from the cloud on its disk, and the module's upload port.
//
// P1. The folder of images is opened with the first image that is wanted: by then this process holds the data folder.
// P2. Images are asked for with the vehicle's own credential (HTTP Basic): that of the uplink, unless the configuration names another one for them.

import { join } from "node:path";
import { type Fetch, httpFetch, type ImageStore, openImageStore } from "../protocols/image-store/index.ts";
import { awaitPort, type AwaitPortOptions, type PortOutcome, upload, type UploadOptions, type UploadOutcome } from "../protocols/module-upload/index.ts";
import { type Clock, DroverError, type Log } from "../runtime/ports/index.ts";
import { DEFAULT_IMAGES_BYTES, type EdgeConfig } from "./config.ts";
import { heldCredential } from "./held-credential.ts";

export interface UpdatePorts {
  readonly images: Pick<ImageStore, "keep" | "use">;
  /** Of one image, named by its sha256. */
  fetch(sha256: string): Fetch;
  awaitPort(url: string, options: AwaitPortOptions): Promise<PortOutcome>;
  upload(options: UploadOptions): Promise<UploadOutcome>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export interface UpdatePortsOptions {
  /** The node's data folder. */
  readonly data: string;
  readonly config: NonNullable<EdgeConfig["updates"]>;
  readonly uplink: EdgeConfig["uplink"];
  readonly node: string;
  readonly vehicle: { readonly tenant: string; readonly vehicle: string };
}

interface Ports {
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws DROVER_CONFIG_INVALID for an address that is none, and a credential that is not there or another vehicle's */
export function realUpdatePorts(options: UpdatePortsOptions, ports: Ports): UpdatePorts {
  const { data, config } = options;
  const base = config.images.url.replace(/\/+$/, "");
  if (!URL.canParse(base)) throw new DroverError("DROVER_CONFIG_INVALID", `updates.images.url: ${base} is no address (expected http://host:port/v1/images)`);
  const headers = authorizationOf(options);
  let opened: ImageStore | undefined;
  const images = (): ImageStore => (opened ??= openImageStore({ folder: join(data, "images"), maxBytes: config.images.max_bytes ?? DEFAULT_IMAGES_BYTES }, ports));
  return {
    // P1.
    images: { keep: async (ask) => images().keep(ask), use: async (sha256, run) => images().use(sha256, run) },
    fetch: (sha256) => httpFetch({ url: `${base}/${sha256}`, headers }, ports),
    awaitPort: (url, asked) => awaitPort(url, asked, ports),
    upload: (asked) => upload(asked, ports),
    close: async () => {
      const store = opened;
      opened = undefined;
      await store?.close();
    },
  };
}

interface Credentials {
  readonly username?: string;
  readonly password?: string;
  readonly credentials?: string;
}

/** P2. */
function authorizationOf({ config, uplink, node, vehicle }: UpdatePortsOptions): Readonly<Record<string, string>> {
  const { username, password, credentials } = config.images;
  const isOwn = username !== undefined || password !== undefined || credentials !== undefined;
  const from: Credentials = isOwn ? config.images : (uplink ?? {});
  const setting = isOwn ? "updates.images.credentials" : "uplink.credentials";
  const held = from.credentials === undefined ? undefined : heldCredential(setting, from.credentials, node, vehicle);
  const user = from.username ?? held?.node;
  const secret = from.password ?? held?.secret;
  return user === undefined ? {} : { authorization: `Basic ${Buffer.from(`${user}:${secret ?? ""}`, "utf8").toString("base64")}` };
}
