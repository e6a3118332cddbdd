// The API's own description: OpenAPI 3.1 from the schemas of the routes, with the messages of every actor type that this node knows.

import type { Routes } from "./parts.ts";

interface Document {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, { readonly requestBody?: { readonly content: Record<string, { schema: object }> } }>>>>;
  readonly components?: { readonly schemas?: Record<string, unknown> };
}

export const openapiRoutes: Routes = (app, { system }) => {
  let document: string | undefined;

  app.get("/v1/openapi.json", { config: { role: "viewer" }, schema: { hide: true } }, (_request, reply) => {
    document ??= JSON.stringify(withMessages(structuredClone(app.swagger()) as Document, [...system.actorTypes].sort()));
    return reply.type("application/json").send(document);
  });

  function withMessages(document: Document, known: readonly string[]): object {
    const schemas: Record<string, unknown> = { ...document.components?.schemas };
    const told: object[] = [];
    const asked: object[] = [];
    for (const type of known) {
      for (const { type: message, schema, reply } of system.protocolOf(type) ?? []) {
        const name = `${type}.${message}`;
        schemas[name] = { ...plain(schema), title: `${message}, taken by ${type}` };
        told.push({ $ref: `#/components/schemas/${name}` });
        if (reply === undefined) continue;
        schemas[`${name}.reply`] = { ...plain(reply), title: `reply of ${type} to ${message}` };
        asked.push({ $ref: `#/components/schemas/${name}` });
      }
    }
    setBody(document, "/v1/actors/{address}/events", told);
    setBody(document, "/v1/actors/{address}/ask", asked);
    return { ...document, components: { ...document.components, schemas } };
  }

  function setBody(document: Document, path: string, messages: readonly object[]): void {
    const content = document.paths?.[path]?.["post"]?.requestBody?.content["application/json"];
    if (content !== undefined && messages.length > 0) content.schema = { anyOf: messages };
  }
};

/** As JSON has it: without the marks that a schema library leaves on its objects. */
function plain(schema: object): object {
  return JSON.parse(JSON.stringify(schema)) as object;
}
