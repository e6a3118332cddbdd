// Images over HTTP at a real cloud node: brought, hashed while they are written, given in parts, removed (cloud-node/images).

import { createHash } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import { realCloud } from "./real-cloud.ts";

const bytesOf = (size: number, first = 1): Buffer => Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31 + first) % 256));
const hashOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");
const FOR = "module=trailcurrent/torrent&hardware=esp32-s3&address=0&version=2.4.0";
const VEHICLE = "acme/vehicle/v1";

test("an image that is brought is listed, is given whole and in parts, and is there after a restart", async (t) => {
  const cloud = await realCloud(t);
  const image = bytesOf(100_000);
  const sha256 = hashOf(image);
  const brought = await cloud.ask("POST", `/v1/images?${FOR}&sha256=${sha256}`, { bytes: image });
  t.equal(brought.status, 201);
  const about = { sha256, bytes: 100_000, module: "trailcurrent/torrent", hardware: "esp32-s3", address: 0, version: "2.4.0", by: "admin", rollouts: [] };
  t.match(brought.body, about);
  t.equal((await cloud.ask("POST", `/v1/images?${FOR}`, { bytes: image })).status, 200, "the same one again");
  await cloud.stop();
  await cloud.start();
  t.match((await cloud.ask("GET", "/v1/images")).body, { items: [about] });

  const whole = await cloud.ask("GET", `/v1/images/${sha256}`);
  t.equal(whole.status, 200);
  t.ok(whole.bytes.equals(image));
  t.equal(whole.headers.get("etag"), `"${sha256}"`);
  t.equal(whole.headers.get("accept-ranges"), "bytes");
  const head = await cloud.ask("HEAD", `/v1/images/${sha256}`);
  t.same([head.status, head.headers.get("content-length"), head.bytes.length], [200, "100000", 0]);

  const parts = [
    ["bytes=0-9", 206, "bytes 0-9/100000", image.subarray(0, 10)],
    ["bytes=99990-", 206, "bytes 99990-99999/100000", image.subarray(99_990)],
    ["bytes=-5", 206, "bytes 99995-99999/100000", image.subarray(99_995)],
    ["bytes=99990-200000", 206, "bytes 99990-99999/100000", image.subarray(99_990)],
    ["bytes=0-1,5-6", 200, null, image],
    ["lines=1-2", 200, null, image],
    ["bytes=9-1", 200, null, image],
  ] as const;
  for (const [range, status, contentRange, expected] of parts) {
    const part = await cloud.ask("GET", `/v1/images/${sha256}`, { headers: { range } });
    t.same([part.status, part.headers.get("content-range")], [status, contentRange], range);
    t.ok(part.bytes.equals(expected), range);
  }
  const beyond = await cloud.ask("GET", `/v1/images/${sha256}`, { headers: { range: "bytes=100000-" } });
  t.same([beyond.status, beyond.problem, beyond.headers.get("content-range")], [416, "range-not-satisfiable", "bytes */100000"]);
  const ifRange = async (tag: string): Promise<number> => (await cloud.ask("GET", `/v1/images/${sha256}`, { headers: { range: "bytes=5-", "if-range": tag } })).status;
  t.same([await ifRange(`"${sha256}"`), await ifRange(`W/"${sha256}"`), await ifRange('"other"')], [206, 200, 200]);
  t.equal((await cloud.ask("GET", `/v1/images/${sha256}`, { headers: { "if-none-match": `"${sha256}"` } })).status, 304);

  t.equal((await cloud.ask("DELETE", `/v1/images/${sha256}`)).status, 204);
  t.same(readdirSync(join(cloud.data, "images")), []);
  t.equal((await cloud.ask("GET", `/v1/images/${sha256}`)).problem, "no-such-image");
});

test("what is not the image that was announced is not kept, each with its own problem", async (t) => {
  const cloud = await realCloud(t, { images: { max_bytes: 1_000, max_total_bytes: 1_850 } });
  const image = bytesOf(900);
  const post = async (query: string, bytes: Uint8Array, headers = {}): Promise<readonly unknown[]> => {
    const { status, problem } = await cloud.ask("POST", `/v1/images?${query}`, { bytes, headers });
    return [status, problem];
  };
  t.same(await post(`${FOR}&sha256=${"0".repeat(64)}`, image), [422, "image-differs"]);
  t.same(await post(FOR, new Uint8Array()), [422, "image-differs"], "an empty one");
  t.same(await post(FOR, bytesOf(1_001)), [413, "image-too-large"]);
  t.same(await post("module=trailcurrent/torrent&version=2.4.0", image), [400, "query-invalid"], "for no hardware");
  t.same(await post(FOR, image, { "content-type": "text/plain" }), [415, "unsupported-media-type"]);
  t.same(readdirSync(join(cloud.data, "images")), [], "nothing is left of any");
  t.same(await post(FOR, image), [201, undefined]);
  t.same(await post(FOR.replace("address=0", "address=1"), image), [409, "image-exists"], "the same bytes for another address");
  t.same(await post(`${FOR.replace("address=0", "address=1")}&sha256=${hashOf(image)}`, image), [409, "image-exists"]);
  t.same(await post(FOR, bytesOf(1_000, 2)), [507, "image-store-full"]);
});

test("I4. an image whose file is damaged or gone is whole again when it is brought again, also where there is no room for one more", async (t) => {
  const cloud = await realCloud(t, { images: { max_total_bytes: 1_500 } });
  const image = bytesOf(1_000);
  const sha256 = hashOf(image);
  const bring = async (): Promise<number> => (await cloud.ask("POST", `/v1/images?${FOR}&sha256=${sha256}`, { bytes: image })).status;
  t.equal(await bring(), 201);
  const file = join(cloud.data, "images", `${sha256}.bin`);
  for (const harm of [() => writeFileSync(file, bytesOf(1_000, 2)), () => rmSync(file)]) {
    harm();
    t.equal(await bring(), 200);
    t.ok((await cloud.ask("GET", `/v1/images/${sha256}`)).bytes.equals(image));
  }
  await cloud.stop();
  await cloud.start();
  t.ok((await cloud.ask("GET", `/v1/images/${sha256}`)).bytes.equals(image));
});

test("I3, I5. the same bytes that come for two versions at once are kept for one; one that is brought and removed at once is either there or not", async (t) => {
  const cloud = await realCloud(t);
  for (let round = 0; round < 20; round++) {
    const image = bytesOf(2_000, round);
    const sha256 = hashOf(image);
    const bring = (version: string): Promise<{ readonly status: number }> =>
      cloud.ask("POST", `/v1/images?module=trailcurrent/torrent&hardware=esp32-s3&address=0&version=${version}`, { bytes: image });
    const both = await Promise.all([bring("1.0.0"), bring("2.0.0"), bring("1.0.0")]);
    const kept = both.filter(({ status }) => status < 300);
    t.ok(kept.length === 1 || kept.length === 2, JSON.stringify(both.map(({ status }) => status)));
    t.equal(both[1].status === 201, both[0].status === 409);
    const of =
      ((await cloud.ask("GET", "/v1/images")).body["items"] as { readonly sha256: string; readonly version: string }[]).find((each) => each.sha256 === sha256)?.version ?? "";
    await Promise.all([bring(of), cloud.ask("DELETE", `/v1/images/${sha256}`), bring(of)]);
    const isListed = JSON.stringify((await cloud.ask("GET", "/v1/images")).body).includes(sha256);
    const read = await cloud.ask("GET", `/v1/images/${sha256}`);
    t.equal(isListed ? read.bytes.equals(image) : read.status === 404, true);
    t.equal(readdirSync(join(cloud.data, "images")).filter((name) => name.startsWith(sha256)).length, isListed ? 2 : 0);
    await cloud.ask("DELETE", `/v1/images/${sha256}`);
  }
});

test("an image whose sender goes away half way is not kept, and what a kill left of one is removed at the start", async (t) => {
  const cloud = await realCloud(t);
  const { authorization } = { authorization: await tokenOf(cloud) };
  const socket = connect(Number(new URL(cloud.url).port), "127.0.0.1");
  socket.write(
    `POST /v1/images?${FOR} HTTP/1.1\r\nhost: x\r\nauthorization: ${authorization}\r\ncontent-type: application/octet-stream\r\ncontent-length: 1000\r\n\r\n${"x".repeat(400)}`,
  );
  const folder = join(cloud.data, "images");
  while (!readdirSync(folder).some((name) => name.endsWith(".part"))) await new Promise((resolve) => setImmediate(resolve));
  socket.destroy();
  while (readdirSync(folder).length > 0) await new Promise((resolve) => setImmediate(resolve));
  t.same((await cloud.ask("GET", "/v1/images")).body, { items: [] });
  const sha256 = hashOf(bytesOf(10));
  await cloud.stop();
  writeFileSync(join(folder, "0011.part"), "half");
  writeFileSync(join(folder, `${sha256}.json`), JSON.stringify({ sha256, bytes: 10 }));
  writeFileSync(join(folder, `${hashOf(bytesOf(11))}.bin`), bytesOf(11));
  await cloud.start();
  t.same(readdirSync(folder), []);
  t.same((await cloud.ask("GET", "/v1/images")).body, { items: [] });
});

test("S10. images are for operators, and for the vehicles that they were offered to; a vehicle's credential opens nothing else", async (t) => {
  const cloud = await realCloud(t);
  const image = bytesOf(50);
  const sha256 = hashOf(image);
  await cloud.ask("POST", `/v1/images?${FOR}`, { bytes: image });
  const { body } = await cloud.ask("POST", "/v1/tokens", { body: { name: "vic", role: "viewer" } });
  const as = async (authorization: string, method: string, path: string): Promise<number> =>
    (await cloud.ask(method, path, { headers: { authorization }, ...(method === "POST" ? { bytes: image } : {}) })).status;
  const viewer = `Bearer ${String(body["token"])}`;
  t.same([await as(viewer, "GET", "/v1/images"), await as(viewer, "GET", `/v1/images/${sha256}`), await as(viewer, "POST", `/v1/images?${FOR}`)], [200, 403, 403]);
  const vehicle = cloud.basic(VEHICLE);
  t.equal(await as(vehicle, "GET", `/v1/images/${sha256}`), 404, "it was not offered to this vehicle");
  t.equal(await as(vehicle, "GET", `/v1/images/${"0".repeat(64)}`), 404, "which hears the same of one that is not there");
  t.same(
    [
      await as(vehicle, "GET", "/v1/images"),
      await as(vehicle, "POST", `/v1/images?${FOR}`),
      await as(vehicle, "DELETE", `/v1/images/${sha256}`),
      await as(vehicle, "GET", "/v1/actors"),
    ],
    [401, 401, 401, 401],
  );
  const [name = ""] = Buffer.from(vehicle.slice(6), "base64").toString().split(":");
  for (const wrong of [`${name}:wrong-secret-of-its-node`, "nobody:x", name, ""])
    t.equal(await as(`Basic ${Buffer.from(wrong).toString("base64")}`, "GET", `/v1/images/${sha256}`), 401);
  t.equal((await fetch(`${cloud.url}/v1/images/${sha256}`)).status, 401);
});

async function tokenOf(cloud: Awaited<ReturnType<typeof realCloud>>): Promise<string> {
  const { body } = await cloud.ask("POST", "/v1/tokens", { body: { name: `t${String(Math.trunc(performance.now()))}`, role: "operator" } });
  return `Bearer ${String(body["token"])}`;
}
