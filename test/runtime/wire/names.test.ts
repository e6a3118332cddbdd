import { test } from "tap";
import {
  decodeSegment,
  encodeSegment,
  everyVehicle,
  keyProblem,
  nodeName,
  parseName,
  patternMatches,
  patternProblem,
  replyName,
  vehicleNames,
} from "../../../runtime/wire/index.ts";

test("S10. everything of a vehicle stands under its own prefix", (t) => {
  const names = vehicleNames("acme", "rav4-01");
  t.equal(names.root, "drover/v1/v/acme/rav4-01");
  t.equal(names.up("stream"), "drover/v1/v/acme/rav4-01/up/stream");
  t.equal(names.down("cmd"), "drover/v1/v/acme/rav4-01/down/cmd");
  t.equal(names.live, "drover/v1/v/acme/rav4-01/live");
  t.equal(nodeName("cloud-1", "tree"), "drover/v1/n/cloud-1/tree");
  t.ok(vehicleNames("a/../b", "+").root.startsWith("drover/v1/v/a%2F..%2Fb/%2B"));
  t.end();
});

test("names read back, and keys outside the layout do not", (t) => {
  const names = vehicleNames("ac me", "größe");
  t.same(parseName(names.up("a", "b")), { kind: "vehicle", tenant: "ac me", vehicle: "größe", side: "up", path: ["a", "b"] });
  t.same(parseName(names.live), { kind: "vehicle", tenant: "ac me", vehicle: "größe", side: "live", path: [] });
  t.same(parseName(nodeName("c1", "tree")), { kind: "node", node: "c1", path: ["tree"] });
  for (const key of [
    "",
    "drover/v1",
    "drover/v2/v/a/b/up",
    "drover/v1/v/a/b",
    "drover/v1/v/a/b/side/x",
    "drover/v1/v/a/b/live/x",
    "drover/v1/v/%zz/b/up",
    "drover/v1/v//b/up",
    "drover/v1/x/a",
  ])
    t.equal(parseName(key), undefined, key);
  t.end();
});

test("segments take any text and come back to it", (t) => {
  for (const raw of ["plain-1.~_", "a/b", "+#*$@%?", " ", "é", "🚚", "\u0000"]) {
    t.match(encodeSegment(raw), /^[A-Za-z0-9_.~%-]+$/);
    t.equal(decodeSegment(encodeSegment(raw)), raw);
  }
  for (const segment of ["%", "%4", "%41", "a b", "%c3%a9", "%FF", ""]) t.equal(decodeSegment(segment), undefined, `${segment} is not what encodeSegment makes`);
  t.throws(() => encodeSegment(""), { code: "DROVER_KEY_INVALID" });
  t.end();
});

test("patterns match one level by * and the rest by a final **", (t) => {
  const rows: readonly (readonly [string, string, boolean])[] = [
    ["a/b", "a/b", true],
    ["a/*", "a/b", true],
    ["a/*", "a", false],
    ["a/*", "a/b/c", false],
    ["a/*/c", "a/b/c", true],
    ["a/**", "a", true],
    ["a/**", "a/b/c", true],
    ["a/**", "ab", false],
    ["**", "a/b", true],
    ["*/b", "a/b", true],
    [everyVehicle.live, "drover/v1/v/acme/x/live", true],
    [everyVehicle.up(), "drover/v1/v/acme/x/up/stream", true],
    [everyVehicle.up("stream"), "drover/v1/v/acme/x/down/stream", false],
  ];
  for (const [pattern, key, matches] of rows) t.equal(patternMatches(pattern, key), matches, `${pattern} ${matches ? "has" : "has not"} ${key}`);
  t.end();
});

test("what is no key and no pattern is named", (t) => {
  for (const key of ["", "/a", "a/", "a//b", "a/+", "a/#", "a/*", "a b", "é", "a".repeat(513), Array.from({ length: 17 }, () => "a").join("/"), "a\u0000"])
    t.type(keyProblem(key), "string", key.slice(0, 20));
  for (const pattern of ["a/**/b", "a*", "a/***", "#", ""]) t.type(patternProblem(pattern), "string", pattern);
  for (const pattern of ["**", "*", "a/*/b/**"]) t.equal(patternProblem(pattern), undefined, pattern);
  t.end();
});

test("S10. an answer goes where the answering side may write and the asking side may read, whatever the message says", (t) => {
  t.equal(replyName("drover/v1/v/acme/x/down/cmd", "cloud-1"), "drover/v1/v/acme/x/up/@reply/cloud-1");
  t.equal(replyName("drover/v1/v/acme/x/up/resume", "x"), "drover/v1/v/acme/x/down/@reply/x");
  t.equal(replyName("drover/v1/n/cloud-2/ask", "cloud-1"), "drover/v1/n/cloud-1/@reply");
  t.equal(replyName("drover/v1/v/acme/x/up/resume", "../../../other/vehicle/down/cmd"), "drover/v1/v/acme/x/down/@reply/..%2F..%2F..%2Fother%2Fvehicle%2Fdown%2Fcmd");
  t.end();
});
