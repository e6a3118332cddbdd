import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "tap";
import { type Identity, loadIdentity, saveIdentity } from "../../../protocols/sqlite/index.ts";

const first: Identity = { node: "rav4-01", epoch: 1, incarnation: "aaaa" };
const second: Identity = { node: "rav4-01", epoch: 2, incarnation: "bbbb", muted: ["can0"] };

test("L1. an identity is kept in two copies that only their owner may read", async (t) => {
  const directory = join(t.testdir(), "node");
  t.equal(await loadIdentity(directory), undefined);
  await saveIdentity(directory, first);
  await saveIdentity(directory, second);
  t.strictSame(await loadIdentity(directory), { identity: second, repaired: undefined });
  t.strictSame(readdirSync(directory).sort(), ["identity-1.json", "identity-2.json"]);
  for (const name of readdirSync(directory)) t.equal(statSync(join(directory, name)).mode & 0o777, 0o600);
});

const damages: readonly (readonly [string, (path: string) => void])[] = [
  ["missing", (path) => rmSync(path)],
  ["empty", (path) => writeFileSync(path, "")],
  ["cut short", (path) => writeFileSync(path, readFileSync(path).subarray(0, 40))],
  ["garbage", (path) => writeFileSync(path, new Uint8Array(300).fill(0xa5))],
  ["changed by hand", (path) => writeFileSync(path, readFileSync(path, "utf8").replace('"epoch": 2', '"epoch": 9'))],
  ["opened by hand", (path) => writeFileSync(path, readFileSync(path, "utf8").replace('"muted"', '"mated"'))],
  ["muted without a list", (path) => writeFileSync(path, readFileSync(path, "utf8").replace(/"muted": \[[^\]]*\]/, '"muted": 7'))],
  ["another type of value", (path) => writeFileSync(path, "[1]")],
  ["null", (path) => writeFileSync(path, "null")],
];

for (const [damage, inflict] of damages) {
  for (const name of ["identity-1.json", "identity-2.json"]) {
    void test(`${name} ${damage} is repaired from the other copy`, async (t) => {
      const directory = t.testdir();
      await saveIdentity(directory, first);
      await saveIdentity(directory, second);
      inflict(join(directory, name));
      t.match(await loadIdentity(directory), { identity: second, repaired: new RegExp(name) });
      t.strictSame(await loadIdentity(directory), { identity: second, repaired: undefined });
      inflict(join(directory, name === "identity-1.json" ? "identity-2.json" : "identity-1.json"));
      t.match(await loadIdentity(directory), { identity: second }, "the repaired copy is as good as the first");
    });
  }
}

test("L1. a save that was interrupted between its copies leaves the newer identity", async (t) => {
  const directory = t.testdir();
  await saveIdentity(directory, first);
  const old = readFileSync(join(directory, "identity-2.json"));
  await saveIdentity(directory, second);
  writeFileSync(join(directory, "identity-2.json"), old);
  t.match(await loadIdentity(directory), { identity: second, repaired: /behind/ });
  t.strictSame(await loadIdentity(directory), { identity: second, repaired: undefined });
});

test("both copies damaged is an error that names them, and nothing is made up", async (t) => {
  const directory = t.testdir();
  await saveIdentity(directory, first);
  for (const name of readdirSync(directory)) writeFileSync(join(directory, name), "{}");
  await t.rejects(loadIdentity(directory), { code: "DROVER_IDENTITY_DAMAGED", message: /identity-1\.json.*identity-2\.json/ });
  await t.rejects(saveIdentity(directory, second), { code: "DROVER_IDENTITY_DAMAGED" });
  rmSync(join(directory, "identity-1.json"));
  await t.rejects(loadIdentity(directory), { code: "DROVER_IDENTITY_DAMAGED" }, "one damaged and one missing is no better");
});

test("E1. the epoch of a node never goes back, and a folder stays with its node", async (t) => {
  const directory = t.testdir();
  await saveIdentity(directory, second);
  await t.rejects(saveIdentity(directory, { ...second, epoch: 1 }), { code: "DROVER_STORE_FAILED", message: /epoch/ });
  await t.rejects(saveIdentity(directory, { ...second, node: "other" }), { code: "DROVER_STORE_FAILED", message: /rav4-01/ });
  await t.rejects(saveIdentity(directory, { ...second, epoch: 1.5 }), { code: "DROVER_STORE_FAILED" });
  await t.rejects(saveIdentity(directory, { ...second, incarnation: "" }), { code: "DROVER_STORE_FAILED" });
});

test("an identity of a newer version is refused with both versions", async (t) => {
  const directory = t.testdir();
  await saveIdentity(directory, first);
  writeFileSync(join(directory, "identity-1.json"), JSON.stringify({ version: 2, more: true }));
  await t.rejects(loadIdentity(directory), { code: "DROVER_STORE_NEWER", message: /version 2.*up to 1/ });
});

test("an identity that cannot be written is an error with its place", async (t) => {
  const directory = join(t.testdir({ file: "" }), "file");
  await t.rejects(saveIdentity(directory, first), { message: /file/ });
});
