// The configuration of a cloud node: where it listens, where it keeps its data, which broker it uses (vehicle D1: no vehicle facts).

import { Type as T, type Static } from "typebox";
import { NODE_NAME, type ServicesConfig, servicesSchema, VERSIONS_AT_START, type VersionsAtStart } from "../runtime/index.ts";

const HOST = "a name or address of this machine, such as 127.0.0.1";

export const cloudConfigSchema = T.Object(
  {
    node: T.Optional(T.String({ ...NODE_NAME, description: "name of this node, default cloud-1" })),
    data: T.String({ minLength: 1, maxLength: 4096, "x-path": "file", title: "a folder", description: "folder for store, credentials and tokens" }),
    http: T.Optional(
      T.Object(
        {
          host: T.Optional(T.String({ minLength: 1, maxLength: 255, title: HOST, description: "default 127.0.0.1" })),
          port: T.Optional(T.Integer({ minimum: 0, maximum: 65_535, description: "default 8080; 0 is any free one" })),
        },
        { additionalProperties: false },
      ),
    ),
    versions: T.Optional(T.String(VERSIONS_AT_START)),
    services: T.Optional(servicesSchema),
    images: T.Optional(
      T.Object(
        {
          max_bytes: T.Optional(T.Integer({ minimum: 1, maximum: 1_073_741_824, description: "of one image; default 32 MiB" })),
          max_total_bytes: T.Optional(T.Integer({ minimum: 1, maximum: 1_000_000_000_000, description: "of all images; default 4 GiB" })),
        },
        { additionalProperties: false, description: "the images of modules that rollouts bring to vehicles" },
      ),
    ),
    broker: T.Optional(
      T.Union(
        [
          T.Object(
            {
              url: T.String({ pattern: "^mqtts?://.+$", title: "mqtt://host:port or mqtts://host:port", description: "an external broker" }),
              username: T.Optional(T.String({ minLength: 1, maxLength: 256, title: "a user name of 1 to 256 characters" })),
              password: T.Optional(T.String({ minLength: 1, maxLength: 1024, title: "a password of 1 to 1024 characters" })),
            },
            { additionalProperties: false },
          ),
          T.Object(
            {
              host: T.Optional(T.String({ minLength: 1, maxLength: 255, title: HOST, description: "the embedded broker's address, default 127.0.0.1" })),
              port: T.Optional(T.Integer({ minimum: 0, maximum: 65_535, description: "default 1883; 0 is any free one" })),
            },
            { additionalProperties: false },
          ),
        ],
        { title: "host and port of the embedded broker, or url, username and password of an external one", description: "default: an embedded broker on loopback" },
      ),
    ),
  },
  { additionalProperties: false },
);

export type CloudConfig = Omit<Static<typeof cloudConfigSchema>, "services" | "versions"> & { readonly services?: ServicesConfig; readonly versions?: VersionsAtStart };
