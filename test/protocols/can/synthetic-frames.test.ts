// Random and extreme payloads for every message of many databases, against decodes by cantools: multiplexers, floats, 64-bit integers, short and long frames, CAN FD.

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { needs } from "../../needs.ts";
import { canData, decode, differences, expectedLines, fixtures } from "./decoded-files.ts";

test("small databases in the repository decode as cantools does", async (t) => {
  const names = readdirSync(fixtures).flatMap((file) => (file.endsWith(".dbc") ? [file.slice(0, -4)] : []));
  t.ok(names.length >= 6);
  for (const name of names) {
    const { exit, lines } = await decode({ dbc: join(fixtures, `${name}.dbc`), log: join(fixtures, `${name}.log`) });
    const expected = expectedLines(join(fixtures, `${name}.expected.jsonl`));
    t.equal(exit, 0);
    t.equal(lines.length, expected.length, name);
    t.strictSame(differences(lines, expected), [], name);
  }
});

test("every synthetic recording of the large set decodes without a difference", needs("shared", canData !== undefined), async (t) => {
  const folder = canData ?? "shared/data/can";
  const names = readdirSync(join(folder, "expected", "synthetic")).map((file) => file.replace(".jsonl.gz", ""));
  t.ok(names.length >= 43);
  for (const name of names) {
    const { lines } = await decode({ dbc: join(folder, "dbc", `${name}.dbc`), log: join(folder, "synthetic", `${name}.log`) });
    const expected = expectedLines(join(folder, "expected", "synthetic", `${name}.jsonl.gz`));
    t.equal(lines.length, expected.length, name);
    t.strictSame(differences(lines, expected), [], name);
  }
});
