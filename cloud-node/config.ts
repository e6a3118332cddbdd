// The configuration of a cloud node: where it listens, where it keeps its data, which broker it uses (vehicle D1: no vehicle facts).

import { Type as T, type Static } from "typebox";
import { type ServicesConfig, servicesSchema } from "../runtime/index.ts";

export const cloudConfigSchema = T.Object(
  {
    node: T.Optional(T.String({ pattern: "^[A-Za-z0-9_.~-]{1,64}$", description: "name of this node, default cloud-1" })),
    data: T.String({ minLength: 1, "x-path": "file", description: "folder for store, credentials and tokens" }),
    http: T.Optional(
      T.Object(
        {
          host: T.Optional(T.String({ description: "default 127.0.0.1" })),
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
              url: T.String({ pattern: "^mqtts?://", description: "an external broker" }),
              username: T.Optional(T.String()),
              password: T.Optional(T.String()),
            },
            { additionalProperties: false },
          ),
          T.Object(
            {
              host: T.Optional(T.String({ description: "the embedded broker's address, default 127.0.0.1" })),
              port: T.Optional(T.Integer({ minimum: 0, maximum: 65_535, description: "default 1883; 0 is any free one" })),
            },
            { additionalProperties: false },
          ),
        ],
        { description: "default: an embedded broker on loopback" },
      ),
    ),
  },
  { additionalProperties: false },
);

export type CloudConfig = Omit<Static<typeof cloudConfigSchema>, "services"> & { readonly services?: ServicesConfig };
