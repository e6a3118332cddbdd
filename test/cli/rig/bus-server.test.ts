// The rig's sockets: access, wire format against the client's reader, slow and broken clients, a killed rig's leftovers.

import { existsSync, statSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import { createBusServer } from "../../../cli/rig/bus-server.ts";
import type { BusNode } from "../../../cli/rig/simulated-bus.ts";
import type { SimulatedRig } from "../../../cli/rig/simulated-rig.ts";
import { startRig } from "../../../cli/rig/start-rig.ts";
import { encodeFlush, encodeTransmit, RigRecordReader, type RigRecord } from "../../../protocols/rig-bus/wire.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { socketDir } from "../../protocols/rig-bus/connected-rig.ts";

function recordsOf(socket: Socket): RigRecord[] {
  const records: RigRecord[] = [];
  const reader = new RigRecordReader();
  socket.on("data", (chunk: Buffer) => {
    reader.push(chunk, (record) => {
      // Data is a view into the chunk.
      records.push("frame" in record ? { ...record, frame: { ...record.frame, data: record.frame.data.slice() } } : record);
    });
  });
  socket.on("error", () => undefined);
  return records;
}

test("both sockets are this user's only, and gone after the end", async (t) => {
  const dir = join(socketDir(t), "rig");
  const started = await startRig({ socketDir: dir, clock: new ManualClock(), random: new SeededRandom(1) });
  t.equal(statSync(dir).mode & 0o777, 0o700);
  for (const path of [started.busSocket, started.controlSocket]) t.equal(statSync(path).mode & 0o777, 0o600);
  await started.stop();
  t.notOk(existsSync(started.busSocket));
  t.notOk(existsSync(started.controlSocket));
});

test("modules that are switched on by the first client boot then, once, so that it hears their version reports; a later one hears them run", async (t) => {
  const clock = new ManualClock();
  const started = await startRig({ socketDir: join(socketDir(t), "rig"), clock, random: new SeededRandom(1), switchedOn: "first-client" });
  t.teardown(() => started.stop());
  await clock.advance(2_000);
  t.match(started.rig.moduleState("torrent-0"), { power: "off" });
  t.equal(started.rig.bus.counters.bits, 0);
  const heardBy = async (): Promise<readonly number[]> => {
    const socket = connect(started.busSocket);
    t.teardown(() => socket.destroy());
    const records = recordsOf(socket);
    await new Promise((resolve) => socket.once("data", resolve));
    await clock.advance(1_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    return records.flatMap((record) => ("frame" in record ? [record.frame.id] : []));
  };
  const first = await heardBy();
  t.equal(first.filter((id) => id === 0x04).length, started.rig.modules.length, "each has said its version");
  const second = await heardBy();
  t.notOk(second.includes(0x04));
  t.ok(second.includes(0x1b));
});

test("what a killed rig left is taken over, a living rig is not", async (t) => {
  const dir = socketDir(t);
  writeFileSync(join(dir, "can0.sock"), "");
  const options = { socketDir: dir, clock: new ManualClock(), random: new SeededRandom(1) };
  const started = await startRig(options);
  await t.rejects(startRig(options), { code: "DROVER_PORT_IN_USE" });
  t.ok(existsSync(started.busSocket), "the living one keeps its socket");
  await started.stop();
  await t.rejects(startRig({ ...options, socketDir: join(dir, "x".repeat(100)) }), { code: "DROVER_CONFIG_INVALID" });
});

test("hello comes first, then frames, an echo of our own, refusals with their reason", async (t) => {
  const clock = new ManualClock();
  const started = await startRig({ socketDir: socketDir(t), clock, random: new SeededRandom(1) });
  t.teardown(() => started.stop());
  const socket = connect(started.busSocket);
  t.teardown(() => socket.destroy());
  const records = recordsOf(socket);
  await clock.advance(400);
  t.same(records[0], { kind: "hello", hello: { bus: "can0", bitrate: 500_000, simulated: true } });
  t.ok(records.slice(1).every((record) => record.kind === "received"));

  const before = records.length;
  socket.write(encodeTransmit(77, { id: 0x15, data: Uint8Array.of(3, 9) }));
  await clock.advance(5);
  t.match(
    records.slice(before).find((record) => record.kind === "echo"),
    { request: 77, frame: { id: 0x15, extended: false, data: Uint8Array.of(3, 9) } },
  );

  socket.write(encodeTransmit(78, { id: 0x12345, extended: true, data: new Uint8Array() }));
  await clock.advance(5);
  t.match(
    records.findLast((record) => record.kind === "echo"),
    { request: 78, frame: { id: 0x12345, extended: true } },
  );

  const long = encodeTransmit(79, { id: 1, data: new Uint8Array(9) });
  const remote = encodeTransmit(80, { id: 1, data: new Uint8Array() });
  remote[7] = 0x40;
  const wide = encodeTransmit(81, { id: 0x800, data: new Uint8Array() });
  for (const bytes of [long, remote, wide]) socket.write(bytes);
  await clock.advance(5);
  t.same(
    records.filter((record) => record.kind === "refused"),
    [79, 80, 81].map((request) => ({ kind: "refused", request, reason: "malformed" })),
  );
});

test("W1. a queue of 64, refused beyond; a flush answers what it throws away, then itself", async (t) => {
  const clock = new ManualClock();
  const started = await startRig({ socketDir: socketDir(t), clock, random: new SeededRandom(1) });
  t.teardown(() => started.stop());
  started.rig.noAcknowledgement("bus");
  const socket = connect(started.busSocket);
  t.teardown(() => socket.destroy());
  const records = recordsOf(socket);
  for (let request = 1; request <= 66; request++) socket.write(encodeTransmit(request, { id: 0x15, data: Uint8Array.of(0, request) }));
  await clock.advance(10);
  t.same(
    records.filter((record) => record.kind === "refused"),
    [65, 66].map((request) => ({ kind: "refused", request, reason: "queue-full" })),
  );
  socket.write(encodeFlush(500));
  await clock.advance(10);
  const answers = records.slice(3);
  t.equal(answers.filter((record) => record.kind === "refused" && record.reason === "flushed").length, 64);
  t.same(answers.at(-1), { kind: "flushed", token: 500 });
  started.rig.noAcknowledgement("none");
  await clock.advance(100);
  t.equal(started.rig.frames.counts().total, 0, "nothing of it ever acted");
});

test("what is no record ends that client, not the rig", async (t) => {
  const clock = new ManualClock();
  const started = await startRig({ socketDir: socketDir(t), clock, random: new SeededRandom(1) });
  t.teardown(() => started.stop());
  for (const bytes of [
    Buffer.of(0, 0),
    Buffer.of(0xff, 0xff, 0x10),
    Buffer.from("GET / HTTP/1.1\r\n\r\n"),
    Buffer.of(0, 5, 0x77, 0, 0, 0, 0),
    Buffer.of(0, 6, 0x10, 0, 0, 0, 0, 0),
  ]) {
    const socket = connect(started.busSocket);
    socket.on("error", () => undefined);
    socket.resume();
    socket.write(bytes);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    await settle();
    await closed;
  }
  const good = connect(started.busSocket);
  const records = recordsOf(good);
  await clock.advance(500);
  t.ok(records.length > 10);
  good.destroy();
});

/** A bus whose frames the test makes itself. */
async function servedNode(t: Parameters<typeof socketDir>[0]): Promise<{ readonly node: () => BusNode | undefined; readonly socket: Socket; readonly serverSide: () => number }> {
  let node: BusNode | undefined;
  const rig = {
    bus: {
      bitrate: 500_000,
      attach: (attached: BusNode) => {
        node = attached;
        return { send: () => false, flush: () => [], detach: () => (node = undefined) };
      },
    },
  };
  const server = createBusServer(rig as unknown as SimulatedRig, "can0", silentLog);
  const path = join(socketDir(t), "can0.sock");
  await new Promise<void>((resolve) => server.server.listen(path, resolve));
  t.teardown(() => server.close());
  const socket = connect(path);
  t.teardown(() => {
    socket.destroy();
    return Promise.resolve();
  });
  await new Promise((resolve) => socket.once("connect", resolve));
  await settle();
  return { node: () => node, socket, serverSide: () => (node === undefined ? 0 : 1) };
}

test("W2. a client that reads too slowly loses frames, and is told how many", async (t) => {
  const { node, socket } = await servedNode(t);
  const frame = { id: 0x123, extended: false, data: new Uint8Array(8) };
  socket.pause();
  const total = 120_000; // 24 bytes each: more than the socket's buffers and 1 MiB together
  for (let count = 0; count < total; count++) {
    node()?.receive(frame, count, "module");
    if (count % 1000 === 0) await settle(1);
  }
  const records = recordsOf(socket);
  socket.resume();
  await settle(300);
  for (let count = 0; count < 3; count++) node()?.receive(frame, total + count, "module");
  await settle(300);
  const received = records.filter((record) => record.kind === "received").length;
  const lost = records.reduce((sum, record) => sum + (record.kind === "lost" ? record.frames : 0), 0);
  t.ok(lost > 10_000, `${String(lost)} lost`);
  t.equal(received + lost, total + 3, "each frame was either received or told as lost");
});

test("W2. a client that asks without end and never reads its answers is cut off", async (t) => {
  const { node, socket } = await servedNode(t);
  socket.on("error", () => undefined);
  socket.pause();
  const block = Buffer.concat(Array.from({ length: 2000 }, (_, request) => encodeTransmit(request, { id: 1, data: new Uint8Array() })));
  for (let round = 0; round < 500 && node() !== undefined; round++) {
    socket.write(block);
    await settle(2);
  }
  t.equal(node(), undefined);
});

test("the seventeenth client is turned away", async (t) => {
  const clock = new ManualClock();
  const started = await startRig({ socketDir: socketDir(t), clock, random: new SeededRandom(1) });
  t.teardown(() => started.stop());
  const sockets = Array.from({ length: 17 }, () => connect(started.busSocket));
  const closed: number[] = [];
  sockets.forEach((socket, at) => {
    socket.on("error", () => undefined);
    socket.resume();
    socket.on("close", () => closed.push(at));
  });
  await clock.advance(500);
  await settle();
  t.same(closed, [16]);
  for (const socket of sockets) socket.destroy();
});
