// The catalogue of errors, the code that throws them and the table for readers say the same.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { type CatalogueEntry, errorCatalogue } from "../../runtime/errors.ts";
import { root, textOf } from "./checkout.ts";
import { golden } from "./golden.ts";

const SHIPPED_ROOMS = ["runtime", "actors", "edge-node", "cloud-node", "protocols", "cli"];
const catalogue: readonly (readonly [string, CatalogueEntry])[] = Object.entries(errorCatalogue);

test("every code is well formed, and its words are for a reader", (t) => {
  for (const [code, { title, advice, status }] of catalogue) {
    t.match(code, /^DROVER_[A-Z]+(_[A-Z]+)*$/, `${code} is a code`);
    t.match(title, /^[A-Z].*\.$/, `${code}: the title is a sentence`);
    t.match(advice, /^[A-Z].*\.$|^[A-Z].*\+\.$/, `${code}: the advice is a sentence`);
    if (status !== undefined) t.ok(status >= 400 && status < 600, `${code}: ${String(status)} is the status of a problem`);
  }
  t.end();
});

test("no two codes say the same", (t) => {
  const titles = catalogue.map(([, { title }]) => title);
  t.same(
    titles.filter((title, at) => titles.indexOf(title) !== at),
    [],
  );
  t.end();
});

test("every code is thrown or answered somewhere in what is shipped", (t) => {
  const sources = SHIPPED_ROOMS.flatMap((room) =>
    readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts") && join(room, name) !== join("runtime", "errors.ts"))
      .map((name) => textOf(room, name)),
  ).join("\n");
  t.same(
    catalogue.map(([code]) => code).filter((code) => !sources.includes(`"${code}"`)),
    [],
    "a code that nothing raises leaves the catalogue; it is never reused",
  );
  t.end();
});

test("the table for readers is the catalogue", (t) => {
  golden(t, "runtime/errors.md", describeCatalogue(), "an error's code, advice, exit code or status is part of the surface");
  t.end();
});

function describeCatalogue(): string {
  const rows = [...catalogue]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { title, advice, exit, status }]) => `| \`${code}\` | ${title} | ${advice} | ${String(exit)} | ${status === undefined ? "" : String(status)} |`);
  return [
    "# Errors",
    "",
    "Every error of Drover has a code. A code keeps its meaning and is never reused. The command line ends with the exit code, HTTP answers with the status and an",
    "RFC 9457 problem. This table is written from `runtime/errors.ts` by a test.",
    "",
    "| code | what happened | what to do | exit | HTTP status |",
    "|---|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}
