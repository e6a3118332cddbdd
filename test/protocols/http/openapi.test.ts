// The API's own description: complete, valid, with the messages of the actors.

import { test } from "tap";
import { Compile } from "typebox/compile";
import { serving, servingCounter } from "./serving.ts";

interface Operation {
  readonly summary?: string;
  readonly security?: readonly object[];
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: object }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: object }>> };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content?: Readonly<Record<string, { readonly schema: object }>> }>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, object>> };
}

const METHODS = new Set(["get", "put", "post", "delete", "options", "head", "patch", "trace"]);

test("the document is OpenAPI 3.1: every path parameter declared, every reference resolved, every schema a schema", async (t) => {
  const { as } = await servingCounter(t);
  const answer = await as("viewer", { url: "/v1/openapi.json" });
  t.equal(answer.statusCode, 200);
  const document = answer.json<Document>();
  t.equal(document.openapi, "3.1.0");
  t.match(document.info, { title: "Drover", version: "1.2.3" });
  for (const [path, item] of Object.entries(document.paths)) {
    t.match(path, /^\/[^:]*$/, `${path} is a template`);
    const named = [...path.matchAll(/\{([^}]+)\}/g)].map((found) => found[1]);
    for (const [method, operation] of Object.entries(item)) {
      const where = `${method} ${path}`;
      t.ok(METHODS.has(method), where);
      t.ok(operation.summary, `${where} says what it is for`);
      const inPath = (operation.parameters ?? []).filter((parameter) => parameter.in === "path");
      t.same(
        inPath.map((parameter) => parameter.name),
        named,
        where,
      );
      t.ok(
        inPath.every((parameter) => parameter.required === true),
        where,
      );
      t.ok(Object.keys(operation.responses).length > 0, where);
      for (const [status, response] of Object.entries(operation.responses)) {
        t.match(status, /^([1-5]\d\d|default)$/, where);
        t.type(response.description, "string", where);
      }
    }
  }
  const references = [...answer.body.matchAll(/"\$ref":"([^"]+)"/g)].map((found) => found[1] ?? "");
  t.ok(references.length > 10);
  for (const reference of new Set(references)) t.ok(resolve(document, reference), `${reference} is there`);
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    t.match(name, /^[A-Za-z0-9._-]+$/, "a name that OpenAPI allows");
    t.doesNotThrow(() => Compile(withoutReferences(schema) as never), name);
  }
});

test("every route of the API stands in it with its role and its problem", async (t) => {
  const { as } = await serving(t);
  const { paths } = (await as("viewer", { url: "/v1/openapi.json" })).json<Document>();
  t.same(Object.keys(paths).sort(), [
    "/health/live",
    "/health/ready",
    "/health/startup",
    "/metrics",
    "/v1/actors",
    "/v1/actors/{address}",
    "/v1/actors/{address}/ask",
    "/v1/actors/{address}/events",
    "/v1/actors/{address}/history",
    "/v1/actors/{address}/history/{revision}/replay",
    "/v1/actors/{address}/history/{revision}/state",
    "/v1/actors/{address}/inspection",
    "/v1/actors/{address}/stream",
    "/v1/actors/{address}/trial",
    "/v1/dead-letters",
    "/v1/dead-letters/{number}/redeliver",
    "/v1/nodes",
    "/v1/session",
    "/v1/tokens",
    "/v1/tokens/{name}",
    "/v1/tree",
    "/v1/vehicles/{address}/signals",
    "/v1/vehicles/{address}/signals/stream",
    "/v1/versions",
  ]);
  for (const [path, item] of Object.entries(paths)) {
    if (path.startsWith("/health/")) continue;
    for (const [method, operation] of Object.entries(item)) {
      t.ok(operation.responses["default"]?.content?.["application/problem+json"], `${method} ${path} has its problem`);
      if (path !== "/v1/session") t.same(operation.security, [{ token: [] }], `${method} ${path} needs a token`);
    }
  }
  const parameters = paths["/v1/actors"]?.["get"]?.parameters?.map((parameter) => parameter.name);
  t.same(parameters, ["kind", "state", "node", "label", "q", "limit", "cursor"]);
});

test("the messages of an actor type are described, those with a reply as what may be asked", async (t) => {
  const { as } = await servingCounter(t);
  const { paths, components } = (await as("viewer", { url: "/v1/openapi.json" })).json<Document>();
  t.match(components.schemas["counter.count.add"], { type: "object", properties: { type: { const: "count.add" }, by: { type: "integer" } }, additionalProperties: false });
  t.match(components.schemas["counter.count.add.reply"], { properties: { total: { type: "integer" } } });
  t.notOk("counter.count.tick" in components.schemas, "what only the host says is no message of the API");
  const bodyOf = (path: string) => paths[path]?.["post"]?.requestBody?.content["application/json"]?.schema;
  t.match(bodyOf("/v1/actors/{address}/events"), { anyOf: [{ $ref: "#/components/schemas/counter.count.add" }, {}, {}, {}, {}, {}] });
  t.same(bodyOf("/v1/actors/{address}/ask"), { anyOf: [{ $ref: "#/components/schemas/counter.count.add" }, { $ref: "#/components/schemas/counter.count.slow" }] });
  const empty = await serving(t);
  t.ok("counter.count.add" in (await empty.as("viewer", { url: "/v1/openapi.json" })).json<Document>().components.schemas, "also while there is no such actor, or none in memory");
});

function resolve(document: object, reference: string): unknown {
  if (!reference.startsWith("#/")) return undefined;
  return reference
    .slice(2)
    .split("/")
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key.replaceAll("~1", "/").replaceAll("~0", "~")], document);
}

/** References lead to schemas that are checked by themselves. */
function withoutReferences(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutReferences);
  if (typeof schema !== "object" || schema === null) return schema;
  if ("$ref" in schema) return {};
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, withoutReferences(value)]));
}
