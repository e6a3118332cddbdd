// J1939 transport sessions as a listener hears them: what comes out whole, and what is given up under which name.

import { test } from "tap";
import { createJ1939Transport } from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { broadcast, bytes, connection, counted, type Ends, everyMs, heard, manage, packet, type TimedFrame } from "./transport-frames.ts";

const ends: Ends = { source: 0x21, destination: 0x55, pgn: 0xfeca };
const all: Ends = { ...ends, destination: 255 };

test("a broadcast becomes a message with group, sender, priority and times", (t) => {
  const transport = createJ1939Transport();
  const [message, ...others] = heard(transport, everyMs(broadcast(ends, bytes(20)), 50, 10));
  t.strictSame(message, { bus: 0, canId: 0x9cfe_ca21, data: bytes(20), firstS: 10, lastS: 10.15, pgn: 0xfeca, source: 0x21, destination: 255, priority: 7 });
  t.strictSame(others, []);
  t.strictSame(transport.held, { sessions: 0, bytes: 0 });
  t.end();
});

test("messages of every length between two parties and to everyone come out as they went in", (t) => {
  for (let length = 1; length <= 1_785; length += length < 30 ? 1 : 97) {
    const transport = createJ1939Transport();
    const payload = bytes(length, length);
    t.strictSame([...(heard(transport, everyMs(broadcast(ends, payload), 50))[0]?.data ?? [])], [...payload]);
    t.strictSame([...(heard(transport, everyMs(connection(ends, payload, 16), 5, 100))[0]?.data ?? [])], [...payload]);
    t.strictSame(counted(transport), { messages: 2 });
  }
  const longest = bytes(1_785);
  t.strictSame(heard(createJ1939Transport(), everyMs(connection(ends, longest), 5))[0]?.data, longest);
  t.end();
});

test("a group with a destination is matched under an id that has it, one without keeps the receiver beside it", (t) => {
  const [addressed] = heard(createJ1939Transport(), everyMs(connection({ ...ends, pgn: 0xef00 }, bytes(9)), 5));
  t.strictSame([addressed?.canId, addressed?.pgn, addressed?.destination], [0x9cef_5521, 0xef00, 0x55]);
  const [plain] = heard(createJ1939Transport(), everyMs(connection(ends, bytes(9)), 5));
  t.strictSame([plain?.canId, plain?.pgn, plain?.destination], [0x9cfe_ca21, 0xfeca, 0x55]);
  t.end();
});

test("J1: sessions of other buses, senders and receivers do not disturb each other, and a further announcement takes the place of the first", (t) => {
  const transport = createJ1939Transport();
  const streams: (readonly TimedFrame[])[] = [];
  for (const bus of [0, 1]) {
    for (const source of [1, 2]) {
      for (const destination of [3, 4, 255]) {
        const payload = bytes(100, bus * 100 + source * 10 + destination);
        const frames = destination === 255 ? broadcast({ ...ends, source }, payload) : connection({ ...ends, source, destination }, payload);
        streams.push(everyMs(frames, 50).map((timed) => ({ ...timed, bus })));
      }
    }
  }
  const interleaved = streams.flat().sort((a, b) => a.timeS - b.timeS);
  const messages = heard(transport, interleaved);
  t.equal(messages.length, 12);
  for (const { bus, source, destination, data } of messages) t.strictSame(data, bytes(100, bus * 100 + source * 10 + destination));
  t.strictSame(counted(transport), { messages: 12 });

  const second = createJ1939Transport();
  const twice = [...broadcast(ends, bytes(20)).slice(0, 3), ...broadcast(ends, bytes(30, 9))];
  t.strictSame(
    heard(second, everyMs(twice, 50)).map(({ data }) => data),
    [bytes(30, 9)],
  );
  t.strictSame(counted(second), { messages: 1, replaced: 1 });
  t.end();
});

test("J2: a gap in a broadcast ends it, a repeated packet does not", (t) => {
  const payload = bytes(28);
  const [bam, one, two, three, four] = broadcast(ends, payload);
  const transport = createJ1939Transport();
  t.strictSame(heard(transport, everyMs([bam, one, three, four] as never, 50)), []);
  t.strictSame(counted(transport), { missing: 1, stray: 1 });
  const tolerant = createJ1939Transport();
  t.strictSame(heard(tolerant, everyMs([bam, one, one, two, three, two, four] as never, 50))[0]?.data, payload);
  t.strictSame(counted(tolerant), { messages: 1, repeated: 2 });
  t.end();
});

test("J3: packets that are sent again close the gap, and one beyond what was asked for is stray", (t) => {
  const payload = bytes(35);
  const part = (sequence: number) => packet(ends, payload, sequence);
  const transport = createJ1939Transport();
  const frames = [
    manage.rts(ends, 35),
    manage.cts(ends, 3, 1),
    part(1),
    part(3),
    part(4),
    manage.cts(ends, 2, 2),
    part(2),
    part(3),
    manage.cts(ends, 0, 255),
    manage.cts(ends, 2, 4),
    part(5),
    part(4),
    part(4),
  ];
  t.strictSame(heard(transport, everyMs(frames, 100))[0]?.data, payload);
  t.strictSame(counted(transport), { messages: 1, repeated: 1, stray: 2 });
  t.strictSame(heard(createJ1939Transport(), everyMs([manage.rts(ends, 35), part(2), part(1), part(5), part(3), part(4)], 100))[0]?.data, payload, "the receiver is not heard");
  t.end();
});

test("J4: what the receiver has and the listener has not is given up at once", (t) => {
  const payload = bytes(28);
  const part = (sequence: number) => packet(ends, payload, sequence);
  const missedOne = createJ1939Transport();
  heard(missedOne, everyMs([manage.rts(ends, 28), manage.cts(ends, 2, 1), part(1), manage.cts(ends, 2, 3)], 10));
  t.strictSame(counted(missedOne), { missing: 1 });
  const missedLast = createJ1939Transport();
  heard(missedLast, everyMs([manage.rts(ends, 28), part(1), manage.acknowledged(ends, 28)], 10));
  t.strictSame(counted(missedLast), { missing: 1 });
  t.end();
});

test("either side ends a session by an abort of its group; one of another group does not", (t) => {
  for (const by of ["sender", "receiver"] as const) {
    const transport = createJ1939Transport();
    const frames = [manage.rts(ends, 28), manage.abort({ ...ends, pgn: 0xfe00 }, by), packet(ends, bytes(28), 1), manage.abort(ends, by), packet(ends, bytes(28), 2)];
    t.strictSame(heard(transport, everyMs(frames, 10)), []);
    t.strictSame(counted(transport), { aborted: 1, stray: 1 });
  }
  t.end();
});

test("J5: each phase ends after its own time limit and not before", (t) => {
  const payload = bytes(28);
  const part = (sequence: number) => packet(ends, payload, sequence);
  const phases = [
    { name: "T1 after a BAM", frames: [manage.bam(all, 28)], then: packet(all, payload, 1), limitS: 0.75 },
    { name: "T1 between packets of a BAM", frames: [manage.bam(all, 28), packet(all, payload, 1)], then: packet(all, payload, 2), limitS: 0.75 },
    { name: "T3 after RTS", frames: [manage.rts(ends, 28)], then: manage.cts(ends, 4, 1), limitS: 1.25 },
    { name: "T2 after CTS", frames: [manage.rts(ends, 28), manage.cts(ends, 4, 1)], then: part(1), limitS: 1.25 },
    { name: "T1 between packets", frames: [manage.rts(ends, 28), manage.cts(ends, 4, 1), part(1)], then: part(2), limitS: 0.75 },
    { name: "T3 after the last packet of a CTS", frames: [manage.rts(ends, 28), manage.cts(ends, 2, 1), part(1), part(2)], then: manage.cts(ends, 2, 3), limitS: 1.25 },
    { name: "T4 after a CTS that says wait", frames: [manage.rts(ends, 28), manage.cts(ends, 0, 255)], then: manage.cts(ends, 4, 1), limitS: 1.05 },
  ];
  for (const { name, frames, then, limitS } of phases) {
    const lastS = (frames.length - 1) * 0.01;
    for (const [laterS, timedOut] of [
      [limitS - 0.001, 0],
      [limitS + 0.001, 1],
    ] as const) {
      const transport = createJ1939Transport();
      heard(transport, [...everyMs(frames, 10), { frame: then, timeS: lastS + laterS }]);
      t.equal(transport.counters.timedOut, timedOut, `${name}, ${laterS} s`);
      const silent = createJ1939Transport();
      heard(silent, everyMs(frames, 10));
      silent.expire(lastS + laterS);
      t.equal(silent.counters.timedOut, timedOut, `${name}, ${laterS} s, on a silent bus`);
      t.equal(silent.held.sessions, 1 - timedOut);
    }
  }
  t.end();
});

test("J6: an announcement that contradicts itself begins nothing, and so do frames that are too short", (t) => {
  const transport = createJ1939Transport();
  const truncated = { ...manage.rts(ends, 28), data: manage.rts(ends, 28).data.subarray(0, 7) };
  const odd = [manage.rts(ends, 0), manage.rts(ends, 1_786), manage.rts(ends, 28, 5), manage.rts(all, 28), manage.bam(all, 28, 3), truncated, manage.etpRts(ends, 1_785)];
  const unknown = { ...manage.rts(ends, 28), data: Uint8Array.of(99, 0, 0, 0, 0, 0, 0, 0) };
  const misplaced = { ...manage.rts(ends, 28), id: 0x1cc8_5521 };
  t.strictSame(heard(transport, everyMs([...odd, unknown, misplaced, packet(ends, bytes(28), 1)], 10)), []);
  t.strictSame(counted(transport), { malformed: 9, stray: 1 });
  heard(
    transport,
    everyMs(
      [manage.rts(ends, 28), manage.cts(ends, 1, 5), manage.cts(ends, 1, 0), { ...packet(ends, bytes(28), 1), data: Uint8Array.of(1, 2, 3) }, packet(ends, bytes(28), 0)],
      10,
    ),
  );
  t.strictSame(counted(transport), { malformed: 13, stray: 1 });
  t.strictSame(transport.held, { sessions: 1, bytes: 0 });
  t.end();
});

test("remote requests, error frames, standard ids and other groups are not its business", (t) => {
  const transport = createJ1939Transport();
  const id = 0x1cec_5521;
  t.ok(transport.wants(0x8000_0000 + id));
  for (const canId of [id, 0xc000_0000 + id, 0xa000_0000 + id, 0x9cea_5521, 0x9dec_5521]) t.notOk(transport.wants(canId), canId.toString(16));
  t.strictSame(heard(transport, everyMs([{ ...manage.rts(ends, 28), remote: true }], 0)), []);
  t.strictSame(counted(transport), {});
  t.end();
});

/** A whole ETP session, `window` packets a CTS. */
function extended(payload: Uint8Array, window: number) {
  const packets = Math.ceil(payload.length / 7);
  const frames = [manage.etpRts(ends, payload.length)];
  for (let offset = 0; offset < packets; offset += window) {
    const count = Math.min(window, packets - offset);
    frames.push(manage.etpCts(ends, count, offset + 1), manage.etpOffset(ends, count, offset));
    for (let sequence = 1; sequence <= count; sequence++) frames.push(packet(ends, payload, sequence, offset, 0xc700));
  }
  return [...frames, manage.etpAcknowledged(ends, payload.length)];
}

test("ETP: more than 1,785 bytes come out whole, beside a TP session of the same two", (t) => {
  const payload = bytes(20_000);
  const transport = createJ1939Transport();
  const [first, second] = heard(
    transport,
    [...everyMs(extended(payload, 255), 1), ...everyMs(connection(ends, bytes(700)), 5)].sort((a, b) => a.timeS - b.timeS),
  );
  t.strictSame(first?.data, bytes(700));
  t.strictSame(second?.data, payload);
  t.strictSame(counted(transport), { messages: 2 });
  t.end();
});

test("ETP: a window that was sent again closes its gap, one that was missed ends the session, one beyond the limit is not begun", (t) => {
  const payload = bytes(2_000);
  const frames = extended(payload, 100);
  const again = [...frames.slice(0, 5), ...frames.slice(6, 103), ...frames.slice(1)];
  const transport = createJ1939Transport();
  t.strictSame(heard(transport, everyMs(again, 1))[0]?.data, payload);
  t.equal(transport.counters.messages, 1);
  const gap = createJ1939Transport();
  t.strictSame(heard(gap, everyMs([...frames.slice(0, 5), ...frames.slice(6)], 1)), []);
  t.equal(gap.counters.missing, 1);
  const deaf = createJ1939Transport();
  heard(deaf, everyMs([frames[0], ...frames.slice(1, 110).filter(({ data }, at) => data[0] !== 21 && at !== 50)] as never, 1));
  t.equal(deaf.counters.missing, 1, "the receiver is not heard: the offset tells it");
  const limited = createJ1939Transport({ maxEtpBytes: 1_999 });
  t.strictSame(heard(limited, everyMs(frames, 1)), []);
  t.equal(limited.counters.tooLong, 1);
  t.strictSame(limited.held, { sessions: 0, bytes: 0 });
  t.end();
});

test("R1: a storm of announcements neither grows nor disturbs a session that makes progress", (t) => {
  const random = new SeededRandom(3);
  const payload = bytes(1_785);
  const transport = createJ1939Transport();
  const honest = everyMs(connection(ends, payload), 5);
  const storm = everyMs(
    Array.from({ length: 20_000 }, () => {
      const forged = { source: random.uint32() & 0xff, destination: random.uint32() % 255, pgn: random.uint32() & 0x3ffff };
      const isHonest = forged.source === ends.source && forged.destination === ends.destination;
      return isHonest ? manage.rts({ ...forged, source: 1 }, 1_785) : manage.rts(forged, 9 + (random.uint32() % 1_700));
    }),
    0.1,
    0.01,
  );
  let mostSessions = 0;
  let mostBytes = 0;
  const messages = [...honest, ...storm]
    .sort((a, b) => a.timeS - b.timeS)
    .flatMap((frame) => {
      const found = heard(transport, [frame]);
      mostSessions = Math.max(mostSessions, transport.held.sessions);
      mostBytes = Math.max(mostBytes, transport.held.bytes);
      return found;
    });
  t.strictSame(
    messages.map(({ data }) => data),
    [payload],
  );
  t.ok(mostSessions <= 4_096, `${mostSessions} sessions`);
  t.equal(mostBytes, 1_785, "announcements take no memory");
  t.ok(transport.counters.pushedOut > 10_000);
  t.end();
});

test("R1, R2: where everything makes progress a further one is refused, and memory is taken only for what came", (t) => {
  const transport = createJ1939Transport({ sessionsPerSender: 2, sessions: 3 });
  const to = (source: number, destination: number): Ends => ({ source, destination, pgn: 0xfeca });
  const begun = (one: Ends) => [manage.rts(one, 1_785), packet(one, bytes(1_785), 1)];
  heard(transport, everyMs([...begun(to(1, 2)), ...begun(to(1, 3)), ...begun(to(1, 4))], 1));
  t.strictSame(counted(transport), { refused: 1, stray: 1 });
  heard(transport, everyMs([...begun(to(2, 1)), ...begun(to(3, 1))], 1));
  t.strictSame(counted(transport), { refused: 2, stray: 2 });
  t.strictSame(transport.held, { sessions: 3, bytes: 3 * 64 });
  heard(transport, [{ frame: manage.rts(to(1, 4), 100), timeS: 2 }]);
  t.strictSame(counted(transport), { refused: 2, stray: 2, timedOut: 2 }, "the sender's own that are overdue make room");
  heard(transport, everyMs([manage.rts(to(4, 1), 100), manage.rts(to(5, 1), 100), manage.rts(to(6, 1), 100)], 1, 2));
  t.strictSame(counted(transport), { refused: 2, stray: 2, timedOut: 3, pushedOut: 1 });
  const small = createJ1939Transport({ maxEtpBytes: 2_000 });
  for (let source = 1; source <= 5; source++) {
    const from = to(source, 99);
    heard(small, everyMs([manage.etpRts(from, 2_000), manage.etpOffset(from, 255, 0), packet(from, bytes(2_000), 255, 0, 0xc700)], 1));
  }
  t.strictSame([small.held.bytes <= 8_000, small.counters.refused], [true, 1]);
  t.end();
});

test("random frames, also such that look like sessions, never fail, and hold no more than the limits", (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const transport = createJ1939Transport({ sessions: 50, maxEtpBytes: 4_000 });
    const controls = [16, 17, 19, 20, 21, 22, 23, 32, 255];
    const frames = Array.from({ length: 5_000 }, () => {
      const pgn = [0xec00, 0xeb00, 0xc800, 0xc700][random.uint32() & 3] ?? 0;
      const data = Uint8Array.from({ length: random.next() < 0.9 ? 8 : random.uint32() % 9 }, () => random.uint32() & (random.next() < 0.5 ? 3 : 0xff));
      if (data.length > 0 && random.next() < 0.8) data[0] = pgn === 0xec00 || pgn === 0xc800 ? (controls[random.uint32() % controls.length] ?? 0) : random.uint32() & 7;
      if (data.length === 8) data.fill(0, 5);
      const id = 0x1800_0000 + (pgn << 8) + ((random.uint32() & 1) === 0 ? 0xff00 : (random.uint32() & 3) << 8) + (random.uint32() & 3);
      return { id, extended: true, data };
    });
    heard(transport, everyMs(frames, random.next() * 50));
    t.ok(transport.held.sessions <= 50 && transport.held.bytes <= 50 * 1_785 + 16_000, JSON.stringify(transport.held));
    transport.expire(1e9);
    t.strictSame(transport.held, { sessions: 0, bytes: 0 });
  }
  t.end();
});
