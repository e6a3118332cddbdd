// What the build puts into one file each, beside the build.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import type { Type } from "typebox";
import { messages, T } from "../../runtime/index.ts";
import { built } from "./checkout.ts";

/** The package itself: its import by name would be one of the bundled file. */
async function typebox(): Promise<typeof Type> {
  const name = ["typebox"].join("");
  return ((await import(name)) as { readonly Type: typeof Type }).Type;
}

test("a schema that an author makes with the package itself is one to the bundled compiler, alone and inside of ours", async (t) => {
  const theirs = await typebox();
  t.not(theirs, T, "two copies");
  const protocol = messages({ "lamp.set": { body: { level: theirs.Integer({ maximum: 255 }), where: T.Array(theirs.Union([theirs.Literal("left"), T.Literal("right")])) } } });
  t.same(protocol.check({ type: "lamp.set", level: 3, where: ["left", "right"] }), { ok: true });
  t.match(protocol.check({ type: "lamp.set", level: 256, where: ["up"] }), { ok: false, problems: [{ path: "/level" }, { path: "/where/0" }] });
});

test("no built file loads a bundled package by its name, and each licence is beside the code", (t) => {
  const bundled = join(built, "bundled");
  const named = ["runtime", "actors", "protocols", "edge-node", "cloud-node", "cli"].flatMap((room) =>
    readdirSync(join(built, room), { recursive: true, encoding: "utf8" })
      .filter(
        (name) =>
          name.endsWith(".js") && /^(import|export) .*from "(typebox|mqtt|aedes|yaml|fastify|@fastify|prom-client)[/"]/m.test(readFileSync(join(built, room, name), "utf8")),
      )
      .map((name) => join(room, name)),
  );
  t.same(named, []);
  const licences = readFileSync(join(bundled, "LICENSES.txt"), "utf8");
  const inside = readdirSync(bundled).flatMap((name) =>
    name.endsWith(".js")
      ? [...readFileSync(join(bundled, name), "utf8").matchAll(/^\/\/ (?:.*\/)?node_modules\/((?:@[^/]+\/)?[^/]+)\//gm)].map(([, packageName]) => packageName ?? "")
      : [],
  );
  for (const name of ["typebox", "mqtt", "fastify", "prom-client"]) t.ok(inside.includes(name), name);
  for (const name of new Set(inside)) t.match(licences, new RegExp(`^${name} \\d`, "m"), name);
  t.notMatch(licences, /\((undefined|GPL|AGPL|LGPL)/);
  t.end();
});
