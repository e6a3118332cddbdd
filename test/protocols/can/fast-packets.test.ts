// NMEA 2000 fast packets: what comes out whole, and what is given up under which name.

import { test } from "tap";
import { type CanFrame, createFastPackets, j1939Id } from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { bytes, counted, everyMs, heard } from "./transport-frames.ts";

interface Kind {
  readonly pgn?: number;
  readonly source?: number;
  readonly order?: number;
}

const idOf = ({ pgn = 129_029, source = 5 }: Kind): number => j1939Id({ priority: 3, pgn, source, destination: 255 });

function fastPacket(payload: Uint8Array, kind: Kind = {}): readonly CanFrame[] {
  const order = (kind.order ?? 0) << 5;
  const parts = [[order, payload.length, ...payload.subarray(0, 6)]];
  for (let at = 6; at < payload.length; at += 7) parts.push([order | parts.length, ...payload.subarray(at, at + 7)]);
  return parts.map((part) => ({ id: idOf(kind), extended: true, data: Uint8Array.from({ length: 8 }, (_, at) => part[at] ?? 0xff) }));
}

test("messages of 1 to 223 bytes come out as they went in, with group, sender and times", (t) => {
  for (let length = 1; length <= 223; length++) {
    const packets = createFastPackets();
    t.strictSame(
      heard(packets, everyMs(fastPacket(bytes(length)), 1)).map(({ data }) => Buffer.compare(data, bytes(length))),
      [0],
      `${length} bytes`,
    );
  }
  const [message] = heard(createFastPackets(), everyMs(fastPacket(bytes(20)), 500, 7));
  t.strictSame(message, { bus: 0, canId: 0x8df8_0505, data: bytes(20), firstS: 7, lastS: 8, pgn: 129_029, source: 5, destination: 255, priority: 3 });
  t.end();
});

test("which groups are fast packets is a table, that can be added to", (t) => {
  const packets = createFastPackets({ groups: [65_280] });
  const canIdOf = (pgn: number) => 0x8000_0000 + idOf({ pgn });
  for (const pgn of [126_208, 126_464, 126_720, 126_996, 127_489, 129_029, 129_540, 130_820, 131_071, 65_280]) t.ok(packets.wants(canIdOf(pgn)), String(pgn));
  for (const pgn of [126_992, 127_245, 127_250, 127_488, 127_508, 128_267, 129_025, 130_306, 130_312, 59_904, 60_928, 65_281]) t.notOk(packets.wants(canIdOf(pgn)), String(pgn));
  t.notOk(packets.wants(idOf({})), "a standard id");
  t.notOk(packets.wants(0xc000_0000 + idOf({})), "a remote request");
  t.strictSame(heard(packets, everyMs(fastPacket(bytes(4), { pgn: 127_245 }), 1)), []);
  t.strictSame(counted(packets), {});
  t.end();
});

test("N1: senders, groups, buses and orders may interleave", (t) => {
  const packets = createFastPackets();
  const streams = [0, 1].flatMap((bus) =>
    [5, 6].flatMap((source) =>
      [129_029, 129_540].flatMap((pgn) =>
        [0, 7].map((order) => everyMs(fastPacket(bytes(40, bus + source + pgn + order), { pgn, source, order }), 10).map((timed) => ({ ...timed, bus }))),
      ),
    ),
  );
  const messages = heard(
    packets,
    streams.flat().sort((a, b) => a.timeS - b.timeS),
  );
  t.equal(messages.length, 16);
  const possible = messages.filter(({ bus, source, pgn, data }) => [0, 7].some((order) => Buffer.compare(data, bytes(40, bus + source + pgn + order)) === 0));
  t.equal(possible.length, 16);
  t.strictSame(counted(packets), { messages: 16 });
  t.end();
});

test("N2: frames behind the first come in any order and more than once; without the first they are stray", (t) => {
  const payload = bytes(223);
  const frames = fastPacket(payload);
  const [first, ...others] = frames as [CanFrame, ...CanFrame[]];
  const packets = createFastPackets();
  t.strictSame(heard(packets, everyMs([first, ...[...others].reverse().flatMap((frame) => [frame, frame])], 1))[0]?.data, payload);
  t.strictSame(counted(packets), { messages: 1, repeated: 30, stray: 1 });
  const headless = createFastPackets();
  t.strictSame(heard(headless, everyMs(others, 1)), []);
  t.strictSame(counted(headless), { stray: 31 });
  t.end();
});

test("N3: a message is given up behind 750 ms without a frame, and when its place is taken", (t) => {
  const frames = fastPacket(bytes(20)) as [CanFrame, CanFrame, CanFrame];
  t.equal(heard(createFastPackets(), everyMs(frames, 749)).length, 1);
  const late = createFastPackets();
  t.equal(heard(late, everyMs(frames, 751)).length, 0);
  t.strictSame(counted(late), { timedOut: 1, stray: 2 });
  const silent = createFastPackets();
  heard(silent, everyMs(frames.slice(0, 2), 10));
  silent.expire(0.75);
  t.equal(silent.held.sessions, 1);
  silent.expire(0.77);
  t.strictSame([silent.held.sessions, counted(silent)], [0, { timedOut: 1 }]);
  const again = createFastPackets();
  t.strictSame(
    heard(again, everyMs([...frames.slice(0, 2), ...fastPacket(bytes(15, 3))], 10)).map(({ data }) => data),
    [bytes(15, 3)],
  );
  t.strictSame(counted(again), { messages: 1, replaced: 1 });
  t.end();
});

test("frames that contradict the protocol begin and change nothing", (t) => {
  const packets = createFastPackets();
  const frame = (...data: readonly number[]): CanFrame => ({ id: idOf({}), extended: true, data: Uint8Array.from(data) });
  const [first, second, third] = fastPacket(bytes(20)) as [CanFrame, CanFrame, CanFrame];
  heard(packets, everyMs([frame(), frame(0), frame(0, 0, 1), frame(0, 224, 1)], 1));
  t.strictSame(counted(packets), { malformed: 4 });
  t.strictSame(
    heard(packets, everyMs([first, frame(1, 2, 3), frame(3, 1, 1, 1, 1, 1, 1, 1), second, third], 1)).map(({ data }) => data),
    [bytes(20)],
  );
  t.strictSame(counted(packets), { malformed: 6, messages: 1 });
  t.end();
});

test("R1: storms and random frames hold no more than the limits, and a message that makes progress comes out", (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const packets = createFastPackets({ sessionsPerSender: 4, sessions: 10 });
    const payload = bytes(223, seed);
    const honest = everyMs(fastPacket(payload, { source: 200 }), 10);
    const storm = Array.from({ length: 3_000 }, () => {
      const data = Uint8Array.from({ length: random.next() < 0.9 ? 8 : random.uint32() % 9 }, () => random.uint32() & 0xff);
      if (data.length > 0 && random.next() < 0.5) data[0] = random.uint32() & 0xe0;
      return { frame: { id: idOf({ source: random.uint32() & 15, pgn: 130_816 + (random.uint32() & 3) }), extended: true, data }, timeS: 0.001 + random.next() * 0.4 };
    });
    const messages = heard(
      packets,
      [...honest, ...storm].sort((a, b) => a.timeS - b.timeS),
    );
    const found = messages.filter(({ source }) => source === 200).length + packets.counters.pushedOut + packets.counters.refused;
    t.ok(found > 0);
    t.ok(packets.held.sessions <= 10 && packets.held.bytes <= 2_240, JSON.stringify(packets.held));
    packets.expire(1e9);
    t.strictSame(packets.held, { sessions: 0, bytes: 0 });
  }
  const packets = createFastPackets();
  const storm = Array.from({ length: 20_000 }, (_, at) => fastPacket(bytes(200), { source: at % 250, order: at & 7, pgn: 130_816 + (at % 200) })[0] as CanFrame);
  const honest = everyMs(fastPacket(bytes(223), { source: 251 }), 10);
  const messages = heard(
    packets,
    [...honest, ...everyMs(storm, 0.015, 0.001)].sort((a, b) => a.timeS - b.timeS),
  );
  t.strictSame(
    messages.map(({ source, data }) => [source, data]),
    [[251, bytes(223)]],
  );
  t.end();
});
