// What people and programs are shown of actors that are not in memory.

import { type Test, test } from "tap";
import { entityType, parseAddress } from "../../runtime/index.ts";
import { serving } from "../protocols/http/serving.ts";
import { counterEntity } from "../runtime/system/hosting.ts";
import { drover } from "./captured.ts";

const IDLE_MS = 10_000;
const types = [entityType({ root: counterEntity.root, durability: "events", placement: "cloud", passivateAfterMs: IDLE_MS })];

/** A node over HTTP with two counters: `a` was idle, `b` is at work. @returns what a command needs to find it */
async function aNode(t: Test): Promise<readonly string[]> {
  const { app, system, clock, texts } = await serving(t, { hosted: { types } });
  for (const id of ["a", "b"]) await system.activate(parseAddress(`acme/counter/${id}`), { input: undefined });
  await clock.advance(IDLE_MS * 2);
  await system.tell("acme/counter/b", { type: "count.add", by: 1 });
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  return ["--url", url, "--token", texts.viewer];
}

test("`actors ls` lists what is not in memory, says so in the place of its state, and counts what a filter could not judge", async (t) => {
  const node = await aNode(t);
  const table = await drover(["actors", "ls", ...node]);
  t.equal(table.code, 0, table.err);
  t.match(table.out, /^ADDRESS +STATE +REVISION +NODE +AS OF\nacme\/counter\/a +passivated +1 +n1 *\nacme\/counter\/b +open +2 +n1 +\S+ .*ago\n$/);
  t.equal(table.err, "");
  const json = JSON.parse((await drover(["actors", "ls", "--json", ...node])).out) as object;
  t.match(json, {
    items: [
      { address: "acme/counter/a", status: "passivated", revision: 1 },
      { address: "acme/counter/b", status: "active", state: "open" },
    ],
    next: null,
  });
  t.notOk("unread" in json);
  const open = await drover(["actors", "ls", "--state", "open", ...node]);
  t.match(open, { code: 0, out: /^ADDRESS[^\n]*\nacme\/counter\/b[^\n]*\n$/, err: "1 not in memory left out: only their state tells whether they match\n" });
  const closed = await drover(["actors", "ls", "--state", "closed", ...node]);
  t.match(closed, { code: 0, out: "", err: "no actor matches\n1 not in memory left out: only their state tells whether they match\n" });
  const counted = await drover(["actors", "ls", "--state", "closed", "--json", ...node]);
  t.strictSame(JSON.parse(counted.out), { items: [], next: null, unread: 1 });
  t.equal(counted.err, "");
});

test("`actors get` shows the stored state of one that is not in memory, and that it is not", async (t) => {
  const node = await aNode(t);
  const shown = await drover(["actors", "get", "acme/counter/a", ...node]);
  t.match(shown, { code: 0, out: /^acme\/counter\/a\n {2}state {6}open\n[^]*in memory {2}no: passivated\n[^]*"total": 0/ });
  t.match(JSON.parse((await drover(["actors", "get", "acme/counter/a", "--json", ...node])).out), { status: "active", state: "open", absent: "passivated" });
  t.notMatch((await drover(["actors", "get", "acme/counter/b", ...node])).out, /in memory/);
  t.match(await drover(["actors", "history", "acme/counter/a", ...node]), { code: 0, out: /\n +1 .*\(start\)/ });
});
