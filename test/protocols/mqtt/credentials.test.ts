import { test } from "tap";
import { chmodSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CredentialBook, nodeCredential, readCredentials, type Reach } from "../../../protocols/mqtt/index.ts";

const everything: Reach = { kind: "everything" };
const vehicle: Reach = { kind: "vehicle", tenant: "acme", vehicle: "v1" };

void test("S10. a node's secret is made at the first start, kept, and readable by its owner only", (t) => {
  const folder = join(t.testdir(), "broker");
  const made = nodeCredential(folder, "cloud/1", everything);
  t.match(made.secret, /^[A-Za-z0-9_-]{43}$/);
  const path = join(folder, "cloud%2F1.json");
  t.equal(statSync(path).mode & 0o777, 0o600);
  t.same(nodeCredential(folder, "cloud/1", everything), made);
  t.equal(statSync(folder).mode & 0o777, 0o700);
  chmodSync(path, 0o644);
  readCredentials(folder);
  t.equal(statSync(path).mode & 0o777, 0o600, "a file that others may read is narrowed");
  t.not(nodeCredential(folder, "v1", vehicle).secret, made.secret);
  t.same(
    readCredentials(folder).map((credential) => credential.node),
    ["cloud/1", "v1"],
  );
  t.end();
});

void test("a credential file that cannot be used is named, never replaced", (t) => {
  const folder = t.testdir({
    "v1.json": "{ not json",
    "v2.json": '{"node":"v2","secret":"short","reach":{"kind":"everything"}}',
    "v3.json": '{"node":"v3","secret":"long-enough-secret","reach":{"kind":"planet"}}',
  });
  for (const node of ["v1", "v2", "v3"]) {
    const before = readFileSync(join(folder, `${node}.json`), "utf8");
    t.throws(() => nodeCredential(folder, node, vehicle), { code: "DROVER_BROKER_CREDENTIALS", message: new RegExp(`${node}\\.json`) });
    t.equal(readFileSync(join(folder, `${node}.json`), "utf8"), before);
  }
  t.throws(() => readCredentials(folder), { code: "DROVER_BROKER_CREDENTIALS" });
  t.same(readCredentials(join(folder, "absent")), []);
  const other = t.testdir();
  nodeCredential(other, "v1", vehicle);
  t.throws(() => nodeCredential(other, "v1", { ...vehicle, vehicle: "v2" }), { code: "DROVER_BROKER_CREDENTIALS" }, "a name that was given to another vehicle");
  t.end();
});

void test("the book tells the right secret from every other and finds nodes that came later", (t) => {
  const folder = t.testdir();
  const cloud = nodeCredential(folder, "cloud", everything);
  const book = CredentialBook.of(folder);
  const check = (user: string, secret: string): Reach | undefined => book.check(user, Buffer.from(secret));
  t.same(check("cloud", cloud.secret), everything);
  for (const [user, secret] of [
    ["cloud", ""],
    ["cloud", `${cloud.secret}x`],
    ["cloud", cloud.secret.slice(1)],
    ["", cloud.secret],
    ["nobody", ""],
    ["constructor", ""],
    ["x".repeat(10_000), ""],
    ["../cloud", cloud.secret],
  ] as const)
    t.equal(check(user, secret), undefined, user.slice(0, 20));
  const late = nodeCredential(folder, "v1", vehicle);
  t.same(check("v1", late.secret), vehicle);
  writeFileSync(join(folder, "v7.json"), "{");
  t.equal(check("v7", "x"), undefined, "a broken file that came later lets nobody in and stops nothing");
  t.end();
});
