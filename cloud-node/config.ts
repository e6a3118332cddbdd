// The configuration of a cloud node: where it listens, where it keeps its data, which broker it uses (vehicle D1: no vehicle facts).

import { Type as T, type Static } from "typebox";
import { NODE_NAME, type ServicesConfig, servicesSchema } from "../runtime/index.ts";

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
    services: T.Optional(servicesSchema),
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

export type CloudConfig = Omit<Static<typeof cloudConfigSchema>, "services"> & { readonly services?: ServicesConfig };
