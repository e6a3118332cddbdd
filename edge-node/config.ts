// What a vehicle's node is told: transports, store, sources. No fact of the vehicle stands here (vehicle D1), and secrets stand only here.
//
// The schema uses the keywords that actors/vehicle-file checks with line and column; the same walk serves YAML, JSON and an object in code.
// `x-path` marks what a configuration file may write relative to its own folder: a `file`, or the file in a `url` of a bus.

import { Type, type Static } from "typebox";
import { NODE_NAME, type ServicesConfig, servicesSchema, VERSIONS_AT_START, type VersionsAtStart } from "../runtime/index.ts";
import type { BusOpener } from "./bus-opener.ts";

export const edgeConfigSchema = Type.Object(
  {
    node: Type.String({
      ...NODE_NAME,
      description: "name of this node; default: the vehicle's id with `edge-` before it",
    }),
    vehicle: Type.String({
      minLength: 1,
      maxLength: 4096,
      "x-path": "file",
      title: "the path of a vehicle's file",
      description: "the vehicle's file; its model and databases are named in it",
    }),
    data: Type.String({ minLength: 1, maxLength: 4096, "x-path": "file", title: "a folder", description: "where the journal, the telemetry log and the node's identity are kept" }),
    buses: Type.Object(
      {},
      {
        patternProperties: {
          "^[A-Za-z][A-Za-z0-9_-]{0,31}$": Type.String({ minLength: 1, maxLength: 4096, "x-path": "url", title: "log:FILE?rate=1&loop=true&bus=can0, rig:SOCKET or virtual:NAME" }),
        },
        title: "a name of a bus in the vehicle's file",
        maxProperties: 16,
        description: "for each bus of the vehicle's file where its frames come from",
      },
    ),
    telemetry: Type.Object(
      { max_bytes: Type.Integer({ minimum: 65_536, maximum: 1_000_000_000_000, description: "room for what the cloud has not yet heard, bytes; default 64 MiB" }) },
      { description: "the store-and-forward log" },
    ),
    uplink: Type.Object(
      {
        url: Type.String({ pattern: "^(mqtts?|tcp|tls)://.+$", title: "mqtt://host:port or mqtts://host:port" }),
        username: Type.String({ minLength: 1, maxLength: 256, title: "a user name of 1 to 256 characters" }),
        password: Type.String({ minLength: 1, maxLength: 1024, title: "a password of 1 to 1024 characters" }),
        credentials: Type.String({
          minLength: 1,
          maxLength: 4096,
          "x-path": "file",
          title: "a folder",
          description: "the folder with the file that the broker's side made for this node; instead of username and password",
        }),
      },
      { required: ["url"], description: "the cloud's broker; without it the vehicle works alone (promise S6)" },
    ),
    updates: Type.Object(
      {
        images: Type.Object(
          {
            url: Type.String({
              pattern: "^https?://[^?#@]+$",
              maxLength: 2048,
              title: "http://host:port/v1/images or https://…",
              description: "where the cloud gives images; an image's sha256 is put behind it",
            }),
            max_bytes: Type.Integer({
              minimum: 65_536,
              maximum: 1_000_000_000_000,
              description: "room for images in the data folder, bytes; default 256 MiB. What was used longest ago makes room",
            }),
            username: Type.String({ minLength: 1, maxLength: 256, title: "a user name of 1 to 256 characters" }),
            password: Type.String({ minLength: 1, maxLength: 1024, title: "a password of 1 to 1024 characters" }),
            credentials: Type.String({
              minLength: 1,
              maxLength: 4096,
              "x-path": "file",
              title: "a folder",
              description: "as that of the uplink, where images are asked for by another credential. Default: the uplink's",
            }),
          },
          { required: ["url"], description: "images of modules" },
        ),
        upload_urls: Type.Object(
          {},
          {
            patternProperties: {
              "^[a-z][a-z0-9-]{0,63}$": Type.String({ pattern: "^http://[^?#@]+$", maxLength: 2048, title: "http://host:port/path, without user and password" }),
            },
            title: "the place of a module in the vehicle's file",
            maxProperties: 256,
            description: "for a module's place where its upload port opens after its trigger",
          },
        ),
        advertised_url: Type.String({
          pattern: "^http://[^?#@]*\\{part\\}[^?#@]*$",
          maxLength: 2048,
          title: "http://esp32-{part}.local/ota",
          description: "for the other places: under which name a module announces itself by mDNS; {part} is what its vehicle's file calls its part, without the kind before it",
        }),
      },
      { required: ["images"], description: "firmware of the vehicle's modules, brought by rollouts; without it this node updates none" },
    ),
    versions: Type.String(VERSIONS_AT_START),
    services: servicesSchema,
    http: Type.Object(
      {
        port: Type.Integer({ minimum: 0, maximum: 65_535, description: "0: any free one" }),
        host: Type.String({ minLength: 1, maxLength: 255, title: "a name or address of this machine, such as 127.0.0.1", description: "default 127.0.0.1" }),
      },
      { required: ["port"], description: "the vehicle's own API" },
    ),
  },
  { required: ["vehicle", "data", "buses"] },
);

type Written = Static<typeof edgeConfigSchema>;

export interface EdgeConfig {
  /** Default `edge-<id of the vehicle>`. */
  readonly node?: string;
  /** Path of the vehicle's file. */
  readonly vehicle: string;
  /** The data folder; one process may hold it. */
  readonly data: string;
  /** By the bus's name in the vehicle's file: a URL, or for embedding and tests what opens it. */
  readonly buses: Readonly<Record<string, string | BusOpener>>;
  readonly telemetry?: Partial<Written["telemetry"]>;
  readonly uplink?: { readonly url: string; readonly username?: string; readonly password?: string; readonly credentials?: string };
  readonly updates?: {
    readonly images: { readonly url: string; readonly max_bytes?: number; readonly username?: string; readonly password?: string; readonly credentials?: string };
    /** By the place of the module in the vehicle's file. */
    readonly upload_urls?: Readonly<Record<string, string>>;
    /** `{part}` stands for the module's part. */
    readonly advertised_url?: string;
  };
  readonly http?: { readonly port: number; readonly host?: string };
  /** What a start makes of newer versions of actor types (rules T4). Default `raised-by-hand`. */
  readonly versions?: VersionsAtStart;
  /** By name: programs that this node runs and supervises. */
  readonly services?: ServicesConfig;
}

export const DEFAULT_IMAGES_BYTES = 256 * 1024 * 1024;
export const DEFAULT_TELEMETRY_BYTES = 64 * 1024 * 1024;
