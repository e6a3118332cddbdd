// How the routes' schemas become an OpenAPI document: under their own names, with who may use what.

import type { FastifyDynamicSwaggerOptions } from "@fastify/swagger";

export function openapiDocument(version: string): FastifyDynamicSwaggerOptions {
  return {
    openapi: {
      openapi: "3.1.0",
      info: { title: "Drover", version, description: "Supervised actors for vehicle fleets. Every answer that is no success is a problem (RFC 9457); times are ms since 1970." },
      tags: ["actors", "vehicles", "nodes", "session", "tokens", "health"].map((name) => ({ name })),
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
    },
    refResolver: { buildLocalReference: (schema) => schema["$id"] as string },
    transform: ({ schema, url, route }) => {
      const role = route.config?.role;
      const said = {
        ...schema,
        ...(role === undefined || role === "open"
          ? {}
          : { security: [{ token: [] }], description: `${schema.description === undefined ? "" : `${schema.description} `}Needs ${role}.` }),
      };
      return { schema: said, url };
    },
  };
}
