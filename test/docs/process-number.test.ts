// The README's words for the number of a process, by which a newcomer ends one.

import { PassThrough } from "node:stream";
import { test } from "tap";
import { printJson } from "../../cli/terminal/index.ts";
import { textOf } from "../project/checkout.ts";

test("what the README greps for in a tree as JSON gives the number of a process", (t) => {
  const pattern = /drover tree --json \| grep -o '([^']+)'/.exec(textOf("README.md"))?.[1] ?? "";
  const out = new PassThrough();
  printJson(out, { items: [{ tree: { id: "trailer-01", pid: 20_201 } }] });
  t.match(new RegExp(pattern).exec(String(out.read()))?.[0], /20201$/);
  t.end();
});
