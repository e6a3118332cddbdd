// The rig goes and comes; the client is always there.

import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "tap";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { clientOf, connectedRig, socketDir } from "./connected-rig.ts";

const light = { id: 0x15, data: Uint8Array.of(0, 255) };

test("C3. a rig that goes makes the bus down and what it had unknown; one that comes back is found", async (t) => {
  const { clock, started, bus, frames, states, again } = await connectedRig(t);
  started.rig.noAcknowledgement("bus");
  const first = bus.send(light, { withinMs: 5000 });
  const second = bus.send(light, { withinMs: 5000 });
  await clock.advance(5);
  await started.stop();
  await settle();
  t.match(await first, { kind: "unknown" });
  t.match(await second, { kind: "refused", reason: "down" });
  t.match(bus.state, { kind: "down" });
  t.equal(bus.hello, undefined);
  t.equal(bus.simulated, true, "what it made stays simulated");
  await clock.advance(10_000);
  t.match(bus.state, { kind: "down", reason: "no rig is there" });

  const before = frames.length;
  const other = await again();
  await clock.advance(2500);
  t.match(bus.state, { kind: "up" });
  t.ok(frames.length > before + 50);
  t.ok(
    frames.slice(before).every((frame) => frame.timeS > 10),
    "on our clock, whatever the new rig's says",
  );
  const third = bus.send(light, { withinMs: 500 });
  await clock.advance(50);
  t.match(await third, { kind: "sent" });
  t.same(
    other.rig.acts.list({ module: "torrent-0" }).map((act) => act.to),
    [255],
  );
  t.same(
    states.map((state) => state.kind).filter((kind, at, all) => kind !== all[at - 1]),
    ["up", "down", "up"],
  );
  t.equal(bus.rigCounters.connections, 2);
});

test("a vehicle starts without its bus: start resolves, and the rig may come later", async (t) => {
  const dir = socketDir(t);
  const clock = new ManualClock();
  const client = clientOf(join(dir, "can0.sock"), clock);
  await client.start();
  t.match(client.bus.state, { kind: "down", reason: "no rig is there" });
  const attempts = clock.pending;
  t.equal(attempts, 1, "one timer, for the next attempt");
  await client.bus.stop();
  t.equal(clock.pending, 0, "and none after the end");
});

interface FakeRig {
  readonly path: string;
  readonly sockets: Socket[];
}

async function fakeRig(t: Parameters<typeof socketDir>[0], onSocket: (socket: Socket) => void): Promise<FakeRig> {
  const path = join(socketDir(t), "can0.sock");
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket);
    socket.on("error", () => undefined);
    onSocket(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) =>
      server.close(() => {
        resolve();
      }),
    );
  });
  return { path, sockets };
}

const hello = (text: string): Buffer => {
  const body = Buffer.from(text);
  return Buffer.concat([Buffer.of((body.length + 1) >> 8, (body.length + 1) & 0xff, 1), body]);
};
const GOOD_HELLO = hello('{"protocol":1,"bus":"can0","bitrate":500000,"simulated":true}');

test("garbage is no reason to end: the connection is dropped, counted, tried again ever more slowly", async (t) => {
  const garbage: readonly [string, Buffer][] = [
    ["an endless record", Buffer.of(0xff, 0xff, 1, 2, 3)],
    ["an empty record", Buffer.of(0, 0)],
    ["hello without JSON", hello("{")],
    ["hello that is null", hello("null")],
    ["another protocol", hello('{"protocol":2}')],
    ["hello without a bit rate", hello('{"protocol":1,"bus":"can0","simulated":true}')],
    ["a frame before hello", Buffer.from("000f02000000000000000100000010017f", "hex")],
    ["a frame of nine bytes", Buffer.concat([GOOD_HELLO, Buffer.from("001702000000000000000100000010090102030405060708 09".replace(" ", ""), "hex")])],
    ["a frame cut short", Buffer.concat([GOOD_HELLO, Buffer.from("00050200000000", "hex")])],
    ["a refusal cut short", Buffer.concat([GOOD_HELLO, Buffer.from("00020400", "hex")])],
    ["an echo cut short", Buffer.concat([GOOD_HELLO, Buffer.from("0003030000", "hex")])],
    ["text", Buffer.from("HTTP/1.1 400 Bad Request\r\n\r\n")],
  ];
  for (const [name, bytes] of garbage) {
    const fake = await fakeRig(t, (socket) => socket.write(bytes));
    const clock = new ManualClock();
    const client = clientOf(fake.path, clock, { mode: "normal" });
    await client.start();
    await settle();
    await clock.advance(30_000);
    t.equal(client.bus.state.kind, "down", name);
    t.ok(client.bus.rigCounters.protocolErrors >= 10 && client.bus.rigCounters.protocolErrors < 60, `${name}: ${String(client.bus.rigCounters.protocolErrors)} attempts in 30 s`);
    t.equal(client.frames.length, 0, name);
    await client.bus.stop();
  }
});

test("a rig that accepts and says nothing is given up after 2 s and tried again", async (t) => {
  const fake = await fakeRig(t, () => undefined);
  const clock = new ManualClock();
  const client = clientOf(fake.path, clock);
  const starting = client.start();
  await clock.advance(1900);
  t.equal(fake.sockets.length, 1);
  await clock.advance(200);
  await starting;
  t.match(client.bus.state, { kind: "down", reason: "no hello within 2000 ms" });
  await clock.advance(200);
  t.equal(fake.sockets.length, 2);
  await client.bus.stop();
});

test("records may arrive in any pieces, and kinds from a newer rig are skipped", async (t) => {
  const frame = Buffer.from("000f0200000000000f4240000001230141", "hex"); // 1 s, id 0x123, one byte 0x41
  const newer = Buffer.from("0003770102", "hex");
  const bytes = Buffer.concat([GOOD_HELLO, newer, frame, newer, frame]);
  for (const size of [1, 2, 3, 7, 16, 1000]) {
    const fake = await fakeRig(t, (socket) => {
      void (async () => {
        for (let at = 0; at < bytes.length; at += size) {
          socket.write(bytes.subarray(at, at + size));
          await settle(1);
        }
      })();
    });
    const clock = new ManualClock();
    const client = clientOf(fake.path, clock);
    await client.start();
    await settle(200);
    await clock.advance(30);
    t.match(
      client.frames,
      [
        { id: 0x123, hex: "41", line: 1 },
        { id: 0x123, hex: "41", line: 2 },
      ],
      `pieces of ${String(size)}`,
    );
    await client.bus.stop();
  }
});

test("lost frames that the rig tells of are counted as dropped", async (t) => {
  const fake = await fakeRig(t, (socket) => socket.write(Buffer.concat([GOOD_HELLO, Buffer.from("00050600000029", "hex")])));
  const client = clientOf(fake.path, new ManualClock());
  await client.start();
  await settle();
  t.equal(client.bus.counters.dropped, 41);
  await client.bus.stop();
});

test("starting twice is refused, stopping twice is not", async (t) => {
  const { bus } = await connectedRig(t);
  await t.rejects(bus.start({ onFrames: () => undefined }), { code: "DROVER_CONFIG_INVALID" });
  await bus.stop();
  await bus.stop();
});
