// How the routes' schemas become code: each when its route is asked for the first time. Compiled all at once they are more than half of what the start of a node's API costs.

import { SerializerSelector } from "@fastify/fast-json-stringify-compiler";
import type { FastifyServerOptions } from "fastify";

const buildSerializer = SerializerSelector();

export const schemaCompilers: NonNullable<FastifyServerOptions["schemaController"]> = {
  compilersFactory: {
    // `checkBySchema` brings the validator. Without a factory Fastify loads one of its own all the same.
    buildValidator: () => {
      throw new Error("no validator is built");
    },
    buildSerializer: (...given) => {
      const compile = buildSerializer(...given);
      return (route) => {
        let serialize: ReturnType<typeof compile> | undefined;
        return (value) => (serialize ??= compile(route))(value);
      };
    },
  },
};
