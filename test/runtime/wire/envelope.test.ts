import { test } from "tap";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseAddress } from "../../../runtime/address.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { decodeEnvelope, describeWire, encodeEnvelope, type Envelope, MAX_ENVELOPE_BYTES } from "../../../runtime/wire/index.ts";

const full: Envelope = {
  kind: "ask",
  id: "0f3c",
  sender: { node: "cloud-1", session: "ab:3", sentAt: 1234.5, entity: parseAddress("acme/requests/t-1"), incarnation: "inc-1", seq: 7, epoch: 2 },
  to: parseAddress("acme/vehicle/t-1/module/torrent-0"),
  remainingMs: 480,
  expiresInMs: 86_000_000,
  correlation: "c-9",
  replyKey: "k-1",
  answers: "a-1",
  trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  author: "ann",
  against: 3,
  waitedMs: 1_500.5,
  repeatedMs: 70_000,
  body: { type: "light.set", channel: 1, nested: { bytes: new Uint8Array([1, 2, 3]), list: [1, -2, 3.5, null, "é", true] } },
};

test("an envelope reads back as it was written, with every field and with only the needed ones", (t) => {
  const decoded = decodeEnvelope(encodeEnvelope(full));
  t.ok(decoded.ok);
  if (decoded.ok) {
    const { bytes, ...nested } = (decoded.envelope.body as { nested: { bytes: Uint8Array } }).nested;
    t.same({ ...decoded.envelope, body: undefined }, { ...full, body: undefined });
    t.same(Array.from(bytes), [1, 2, 3]);
    t.same(nested, { list: [1, -2, 3.5, null, "é", true] });
  }
  const least: Envelope = { kind: "hello", id: "1", sender: { node: "n" }, body: null };
  t.same(decodeEnvelope(encodeEnvelope(least)), { ok: true, envelope: least });
  t.end();
});

test("the first bytes are fixed: DR, major, minor, kind", (t) => {
  t.same(Array.from(encodeEnvelope(full).subarray(0, 5)), [0x44, 0x52, 1, 2, 2]);
  t.end();
});

test("the committed wire contract is what the code speaks", (t) => {
  const golden = join(dirname(fileURLToPath(import.meta.url)), "../../golden/wire.txt");
  t.equal(readFileSync(golden, "utf8"), describeWire(), "a change here is a change of the wire: raise the minor version and commit test/golden/wire.txt");
  t.end();
});

test("a newer minor version with more fields is understood, another major version is its own reason", (t) => {
  const bytes = Buffer.from(encodeEnvelope({ kind: "tell", id: "1", sender: { node: "n" }, body: 5 }));
  const newer = Buffer.concat([bytes, Buffer.from([0x2a])]);
  newer[3] = 9;
  t.equal(newer[5], 0xdc, "the fields are an array with a 16-bit length");
  newer.writeUInt16BE(newer.readUInt16BE(6) + 1, 6);
  t.match(decodeEnvelope(newer), { ok: true, envelope: { id: "1", body: 5 } });
  const alien = Buffer.from(bytes);
  alien[2] = 2;
  t.match(decodeEnvelope(alien), { ok: false, reason: "unknown-version" });
  const odd = Buffer.from(bytes);
  odd[4] = 200;
  t.match(decodeEnvelope(odd), { ok: false, reason: "unknown-kind" });
  t.end();
});

test("every truncation of an envelope is refused with a reason", (t) => {
  const bytes = encodeEnvelope(full);
  for (let length = 0; length < bytes.length; length++) {
    const decoded = decodeEnvelope(bytes.subarray(0, length));
    if (decoded.ok) t.fail(`${String(length)} of ${String(bytes.length)} bytes were taken`);
  }
  t.match(decodeEnvelope(Buffer.concat([bytes, Buffer.from([0])])), { ok: false, reason: "malformed" });
  t.end();
});

test("garbage never throws, takes long or revives anything", (t) => {
  const random = new SeededRandom(20);
  const valid = encodeEnvelope(full);
  const started = process.hrtime.bigint();
  for (let round = 0; round < 20_000; round++) {
    const bytes = Uint8Array.from(valid);
    if (round % 2 === 0) for (let hits = 0; hits < 4; hits++) bytes[5 + (random.uint32() % (bytes.length - 5))] = random.uint32() & 0xff;
    else for (let at = 5; at < bytes.length; at++) bytes[at] = random.uint32() & 0xff;
    decodeEnvelope(bytes);
  }
  t.ok(Number(process.hrtime.bigint() - started) < 10e9);
  const head = [0x44, 0x52, 1, 0, 1];
  const cases: readonly (readonly [string, number[]])[] = [
    ["an array of four thousand million", [0xdd, 0xff, 0xff, 0xff, 0xff]],
    ["a map of four thousand million", [0xdf, 0xff, 0xff, 0xff, 0xff]],
    ["a string longer than the bytes", [0xdb, 0xff, 0xff, 0xff, 0xff]],
    ["an extension that makes a regular expression", [0xd4, 0x78, 0x00]],
    ["an extension that makes a record class", [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61]],
    ["a timestamp", [0xd6, 0xff, 0, 0, 0, 0]],
    ["a nesting of a thousand", Array.from({ length: 1000 }, () => 0x91)],
    ["the byte that is never used", [0xc1]],
    ["an unsigned integer of 64 bits, which becomes a BigInt", [0xcf, 0x10, 0, 0, 0, 0, 0, 0, 0]],
    ["a signed integer of 64 bits", [0xd3, 0, 0, 0, 0, 0, 0, 0, 1]],
    ["a number as a key", [0x81, 0x01, 0x01]],
    ["a list as a key", [0x81, 0x91, 0x01, 0x01]],
    ["the key __proto__ behind another", [0x82, 0xa1, 0x61, 0x01, 0xa9, ...new TextEncoder().encode("__proto__"), 0x80]],
    ["the key __proto__ with a length of two bytes", [0x81, 0xda, 0x00, 0x09, ...new TextEncoder().encode("__proto__"), 0x80]],
    ["a map where the fields should be", [0x80]],
  ];
  for (const [name, bytes] of cases) t.match(decodeEnvelope(Uint8Array.from([...head, ...bytes])), { ok: false, reason: "malformed" }, name);
  // The same where the body stands, the last field.
  const empty = encodeEnvelope({ kind: "tell", id: "1", sender: { node: "n" }, body: null });
  for (const [name, bytes] of cases.slice(0, -1))
    t.match(decodeEnvelope(Uint8Array.from([...empty.subarray(0, -1), ...bytes])), { ok: false, reason: "malformed" }, `${name} as a body`);
  t.end();
});

test("texts that only hold __proto__, and numbers beyond 32 bits, are data", (t) => {
  const body = { list: ["__proto__", 2 ** 40, -(2 ** 50), 1.7e12], x__proto__: "__proto__", "": { a: { b: "__proto__" } } };
  t.match(decodeEnvelope(encodeEnvelope({ kind: "tell", id: "1", sender: { node: "n" }, body })), { ok: true, envelope: { body } });
  t.end();
});

test("a key named __proto__ in a body changes no prototype", (t) => {
  const body = JSON.parse('{"__proto__":{"polluted":1}}') as unknown;
  decodeEnvelope(encodeEnvelope({ kind: "tell", id: "1", sender: { node: "n" }, body }));
  t.equal(({} as { polluted?: number }).polluted, undefined);
  t.end();
});

test("S5. an envelope of more than 1 MiB is not decoded", (t) => {
  const bytes = encodeEnvelope({ kind: "stream", id: "1", sender: { node: "n" }, body: new Uint8Array(MAX_ENVELOPE_BYTES) });
  t.match(decodeEnvelope(bytes), { ok: false, reason: "too-large" });
  t.end();
});

test("fields of a wrong form are refused where they are written and where they arrive", (t) => {
  const send = (change: object): void => void encodeEnvelope({ ...full, ...change });
  for (const change of [
    { id: "" },
    { id: "x".repeat(129) },
    { to: "no address" },
    { remainingMs: -1 },
    { remainingMs: Number.NaN },
    { author: 5 },
    { sender: { node: "n", seq: 1.5 } },
    { sender: { node: "n", epoch: -1 } },
    { body: { symbol: Symbol("x") } },
  ]) {
    t.throws(
      () => {
        send(change);
      },
      { code: "DROVER_ENVELOPE_INVALID" },
      JSON.stringify(change),
    );
  }
  const bytes = Buffer.from(encodeEnvelope({ kind: "tell", id: "abc", sender: { node: "n" }, body: null }));
  bytes[8] = 0xc0; // where the id's head stands: nil, and three loose characters follow as integers
  t.match(decodeEnvelope(bytes), { ok: false });
  const traced = decodeEnvelope(encodeEnvelope({ ...full, trace: "not a traceparent" }));
  t.ok(traced.ok && traced.envelope.trace === undefined, "a bad traceparent is dropped, the message is not");
  t.end();
});
