// The token files: made at the first start, for their owner's eyes only, never guessed around.

import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type Test } from "tap";
import { loadTokens } from "../../../protocols/http/index.ts";
import { ManualClock } from "../../../runtime/simulation/index.ts";

const clock = new ManualClock();
const folderFor = (t: Test): string => {
  const folder = mkdtempSync(join(tmpdir(), "drover-tokens-"));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};
const mode = (path: string): number => statSync(path).mode & 0o777;

test("S10. the first start makes one admin's token: in api-token (0600) and in the caller's hand; only its hash in tokens.json (0600)", async (t) => {
  const folder = join(folderFor(t), "data");
  const tokens = await loadTokens(folder, { clock });
  const { firstToken = "" } = tokens;
  t.match(firstToken, /^drover_[0-9a-f]{16}_[A-Za-z0-9_-]{43}$/);
  t.equal(readFileSync(join(folder, "api-token"), "utf8"), `${firstToken}\n`);
  t.equal(mode(join(folder, "api-token")), 0o600);
  t.equal(mode(join(folder, "tokens.json")), 0o600);
  t.notMatch(readFileSync(join(folder, "tokens.json"), "utf8"), firstToken.slice(-43));
  t.match(tokens.check(firstToken), { name: "admin", role: "admin", createdBy: "node" });
  t.same(readdirSync(folder).sort(), ["api-token", "tokens.json"], "nothing else is left");
  t.match(JSON.parse(readFileSync(join(folder, "tokens.json"), "utf8")), { note: /^Read when the node starts/ }, "who edits it reads there when it counts");

  const second = await loadTokens(folder, { clock });
  t.equal(second.firstToken, undefined, "it is shown once");
  t.match(second.check(firstToken), { role: "admin" });
  rmSync(join(folder, "api-token"));
  t.equal((await loadTokens(folder, { clock })).firstToken, undefined);
  t.notOk(existsSync(join(folder, "api-token")), "an operator who took the file away keeps it so");
});

test("a crash between the two files makes a new first token, never one that nobody has", async (t) => {
  const folder = folderFor(t);
  writeFileSync(join(folder, "api-token"), "drover_0123456789abcdef_left-over\n");
  const { firstToken = "" } = await loadTokens(folder, { clock });
  t.equal(readFileSync(join(folder, "api-token"), "utf8"), `${firstToken}\n`);
});

test("a file that others could read is narrowed; one that cannot be used stops the start by name", async (t) => {
  const folder = folderFor(t);
  await loadTokens(folder, { clock });
  const path = join(folder, "tokens.json");
  const good = readFileSync(path, "utf8");
  chmodSync(path, 0o644);
  await loadTokens(folder, { clock });
  t.equal(mode(path), 0o600);
  for (const bad of [
    "",
    "{",
    "null",
    "[]",
    '{"v":2,"tokens":[]}',
    '{"v":1,"tokens":[{"name":"x"}]}',
    good.replace('"admin"', '"root"').replace('"role": "admin"', '"role": "root"'),
    good.replace(/"hash": "[0-9a-f]/, '"hash": "Z'),
  ]) {
    writeFileSync(path, bad);
    await t.rejects(loadTokens(folder, { clock }), { code: "DROVER_TOKENS_UNUSABLE", message: /tokens\.json/ }, JSON.stringify(bad.slice(0, 40)));
    t.equal(readFileSync(path, "utf8"), bad, "and is not written over");
  }
});

test("only the whole text of a token is that token", async (t) => {
  const tokens = await loadTokens(folderFor(t), { clock });
  const { firstToken = "" } = tokens;
  for (const bad of [
    "",
    firstToken.slice(0, -1),
    `${firstToken}x`,
    firstToken.toUpperCase(),
    ` ${firstToken}`,
    firstToken.replace(/.$/, (last) => (last === "A" ? "B" : "A")),
    "drover_",
    firstToken.slice(0, 23),
    "x".repeat(100_000),
    "\0",
    "drover_0000000000000000_".padEnd(67, "A"),
  ]) {
    t.equal(tokens.check(bad), undefined, JSON.stringify(bad.slice(0, 40)));
  }
  t.ok(tokens.check(firstToken));
});

test("changes made at once are all kept; a change that cannot be written has not happened", async (t) => {
  const folder = folderFor(t);
  const tokens = await loadTokens(folder, { clock });
  const added = await Promise.all(Array.from({ length: 20 }, (_, n) => tokens.add(`t${String(n % 10)}`, "viewer", "admin")));
  t.equal(added.filter((one) => one.kind === "added").length, 10, "a name is given once");
  t.equal((await loadTokens(folder, { clock })).list().length, 11);
  rmSync(folder, { recursive: true });
  writeFileSync(folder, "in the way");
  await t.rejects(tokens.add("late", "viewer", "admin"), { code: "DROVER_TOKENS_UNUSABLE" });
  await t.rejects(tokens.remove("t1"), { code: "DROVER_TOKENS_UNUSABLE" });
  t.equal(tokens.list().length, 11, "what is listed is what is kept");
  rmSync(folder);
  t.equal((await tokens.add("later", "viewer", "admin")).kind, "added", "and the next change goes through");
});

test("S5. the number of tokens is bounded", async (t) => {
  const folder = folderFor(t);
  const { firstToken = "" } = await loadTokens(folder, { clock });
  const file = JSON.parse(readFileSync(join(folder, "tokens.json"), "utf8")) as { v: number; tokens: Record<string, unknown>[] };
  const [first] = file.tokens;
  writeFileSync(
    join(folder, "tokens.json"),
    JSON.stringify({ v: 1, tokens: Array.from({ length: 1_000 }, (_, n) => (n === 0 ? first : { ...first, id: n.toString(16).padStart(16, "0"), name: `n${String(n)}` })) }),
  );
  const tokens = await loadTokens(folder, { clock });
  t.same(await tokens.add("one-more", "viewer", "admin"), { kind: "limit" });
  t.ok(tokens.check(firstToken));
});
