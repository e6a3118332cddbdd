// ISO-TP as a listener hears it: what comes out whole, and what is given up under which name.

import { join } from "node:path";
import { test } from "tap";
import { openLog } from "../../../protocols/can-log/index.ts";
import { type CanFrame, createFrameBatch, createIsoTpListener, diagnosticPeer, type IsoTpAddressing, type IsoTpMessage } from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { fixtures } from "./decoded-files.ts";
import { bytes, counted, everyMs, heard } from "./transport-frames.ts";

const ID = 0x7e8;
const all = () => true;
const frame = (data: readonly number[], id = ID): CanFrame => ({ id, data: Uint8Array.from(data), ...(data.length > 8 ? { fd: true } : {}) });
const flow = (...data: readonly number[]): CanFrame => frame(data, 0x7e0);

/** The frames of a message of `payload` with classic frames. */
function classic(payload: Uint8Array, id = ID): readonly CanFrame[] {
  if (payload.length <= 7) return [frame([payload.length, ...payload], id)];
  const frames = [frame([0x10 | (payload.length >> 8), payload.length & 0xff, ...payload.subarray(0, 6)], id)];
  for (let at = 6; at < payload.length; at += 7) frames.push(frame([0x20 | (frames.length & 0xf), ...payload.subarray(at, at + 7)], id));
  return frames;
}

const EXT = 0x8000_0000;
const transfers: readonly (readonly [IsoTpAddressing, number, readonly number[], number?])[] = [
  ["normal", 0x7e0, [1, 7, 8, 100, 4_095, 4_096]],
  ["normal", 0x7e8, [6, 9, 62]],
  ["normal", EXT + 0x18da_10f1, [5, 300]],
  ["extended", 0x6f1, [1, 6, 7, 250], 0x12],
  ["mixed", 0x123, [6, 7, 250], 0x99],
  ["mixed", EXT + 0x18ce_20f1, [6, 7, 90], 0x55],
  ["normal", 0x7e0, [7, 8, 62, 63, 500, 4_095, 5_000]],
  ["normal", EXT + 0x18da_10f1, [20, 30, 31, 200]],
  ["mixed", EXT + 0x18ce_20f1, [60, 61, 62, 700], 0x55],
];

for (const addressing of ["normal", "extended", "mixed"] as const) {
  test(`what another implementation sends with ${addressing} addressing comes out byte by byte, classic and FD`, async (t) => {
    let number = 0;
    const expected = transfers.flatMap(([kind, canId, lengths, address]) =>
      lengths.flatMap((length) => {
        number++;
        return kind === addressing ? [{ canId, address, data: bytes(length, number) }] : [];
      }),
    );
    const ids = new Set(expected.flatMap(({ canId }) => [canId, diagnosticPeer(canId) ?? { 0x6f1: 0x612, 0x123: 0x456 }[canId] ?? 0]));
    const listener = createIsoTpListener({ carries: (canId) => ids.has(canId), addressing });
    const reader = await openLog(join(fixtures, "isotp_peer.log.gz"));
    const batch = createFrameBatch(256);
    const messages: IsoTpMessage[] = [];
    while ((await reader.fill(batch)) > 0) {
      for (let slot = 0; slot < batch.count; slot++) messages.push(...[listener.take(batch, slot)].filter((message) => message !== undefined));
      batch.count = 0;
    }
    await reader.close();
    t.strictSame(
      messages.map(({ canId, address, data }) => ({ canId, address, data })),
      expected,
    );
    t.strictSame(counted(listener), { messages: expected.length });
    t.end();
  });
}

test("I1: only frames of the named ids are taken, and flows of buses, ids and address bytes are apart", (t) => {
  const listener = createIsoTpListener({ carries: (canId) => canId === 0x7e8 || canId === 0x7e9, addressing: "extended" });
  t.notOk(listener.wants(0x123));
  t.notOk(listener.wants(0x4000_0000 + 0x7e8), "a remote request");
  t.notOk(listener.wants(0x2000_0000 + 0x7e8), "an error frame");
  const behind = (address: number, id: number): readonly CanFrame[] => {
    const payload = bytes(12, id + address);
    return [frame([address, 0x10, 12, ...payload.subarray(0, 5)], id), frame([address, 0x21, ...payload.subarray(5, 11)], id), frame([address, 0x22, ...payload.subarray(11)], id)];
  };
  const flows = [0, 1].flatMap((bus) => [0x7e8, 0x7e9].flatMap((id) => [1, 2].map((address) => everyMs(behind(address, id), 10).map((timed) => ({ ...timed, bus })))));
  const messages = heard(
    listener,
    [0, 1, 2].flatMap((at) => flows.map((frames) => frames[at] ?? { frame: frame([]), timeS: 0 })),
  );
  t.equal(messages.length, 8);
  for (const { canId, address, data } of messages) t.strictSame(data, bytes(12, canId + (address ?? 0)));
  t.strictSame(heard(listener, [{ frame: frame([1, 2], 0x123), timeS: 0 }]), []);
  t.strictSame(counted(listener), { messages: 8 });
  t.end();
});

test("I2: a wrong sequence number ends a message, and its other frames are stray", (t) => {
  const frames = classic(bytes(30));
  const listener = createIsoTpListener({ carries: all });
  t.strictSame(heard(listener, everyMs([...frames.slice(0, 2), ...frames.slice(3)], 10)), []);
  t.strictSame(counted(listener), { missing: 1, stray: 1 });
  t.strictSame(heard(listener, everyMs(frames.slice(1), 10, 1)), []);
  t.strictSame(counted(listener), { missing: 1, stray: 5 });
  t.strictSame(listener.held, { sessions: 0, bytes: 0 });
  t.end();
});

test("I3: a new message takes the place of the one under way", (t) => {
  const listener = createIsoTpListener({ carries: all });
  const frames = [...classic(bytes(30)).slice(0, 2), ...classic(bytes(20, 2)).slice(0, 2), ...classic(bytes(5, 3)), ...classic(bytes(9, 4))];
  t.strictSame(
    heard(listener, everyMs(frames, 10)).map(({ data }) => data),
    [bytes(5, 3), bytes(9, 4)],
  );
  t.strictSame(counted(listener), { messages: 2, replaced: 2 });
  t.end();
});

test("I4: each phase has its time, and flow control changes it", (t) => {
  const [first, one, two] = classic(bytes(20)) as [CanFrame, CanFrame, CanFrame];
  const phases = [
    { name: "behind a first frame", before: [first], then: one, limitS: 2 },
    { name: "between consecutive frames", before: [first, one], then: two, limitS: 1 },
    { name: "behind a flow control", before: [first, flow(0x30, 0, 0)], then: one, limitS: 1 },
    { name: "behind one that says wait", before: [first, flow(0x31, 0, 0)], then: one, limitS: 2 },
  ];
  for (const { name, before, then, limitS } of phases) {
    for (const [laterS, timedOut] of [
      [limitS - 0.001, 0],
      [limitS + 0.001, 1],
    ] as const) {
      const listener = createIsoTpListener({ carries: all });
      heard(listener, [...everyMs(before, 10), { frame: then, timeS: (before.length - 1) * 0.01 + laterS }]);
      t.strictSame([listener.counters.timedOut, listener.counters.stray], [timedOut, timedOut], `${name}, ${laterS} s`);
    }
  }
  const listener = createIsoTpListener({ carries: all });
  heard(listener, everyMs([first, flow(0x32, 0, 0), one], 10));
  t.strictSame(counted(listener), { aborted: 1, stray: 1 });
  heard(listener, [{ frame: first, timeS: 1 }]);
  listener.expire(3.1);
  t.strictSame(counted(listener), { aborted: 1, stray: 1, timedOut: 1 });
  const extended = createIsoTpListener({ carries: all, addressing: "extended" });
  heard(extended, everyMs([frame([1, 0x10, 12, 0, 0, 0, 0, 0]), flow(1, 0x32, 0, 0)], 10));
  t.strictSame([extended.held.sessions, counted(extended)], [1, {}], "with extended addressing flow control is not followed");
  t.end();
});

test("I5: a frame of another length is passed over, the last one may be short or padded", (t) => {
  const [first, one, two] = classic(bytes(20)) as [CanFrame, CanFrame, CanFrame];
  const listener = createIsoTpListener({ carries: all });
  t.strictSame(heard(listener, everyMs([first, frame([...one.data.subarray(0, 7)]), one, frame([...two.data, ...new Uint8Array(8 - two.data.length)])], 10))[0]?.data, bytes(20));
  t.strictSame(counted(listener), { messages: 1, malformed: 1 });
  t.end();
});

test("frames that contradict the protocol begin nothing", (t) => {
  const listener = createIsoTpListener({ carries: all });
  const long = (...data: readonly number[]) => frame([...data, ...new Uint8Array(12 - data.length)]);
  const odd = [
    frame([]),
    frame([0x00, 1, 2]),
    frame([0x05, 1, 2]),
    frame([0x08, 0, 0, 0, 0, 0, 0, 0]),
    long(0x07, 7),
    long(0x00, 11),
    long(0x00, 0),
    frame([0x10, 20, 1]),
    frame([0x10, 7, 0, 0, 0, 0, 0, 0]),
    long(0x10, 10),
    frame([0x10, 0, 0, 0, 0x0f, 0xff, 0, 0]),
    frame([0x21]),
    frame([0x33, 0, 0]),
    frame([0x30, 0]),
    frame([0x40, 0, 0]),
  ];
  t.strictSame(heard(listener, everyMs(odd, 1)), []);
  t.strictSame(counted(listener), { malformed: odd.length });
  t.end();
});

test("R1, R2: messages that are too long, too many or too large are refused, and storms hold no more than the limits", (t) => {
  const listener = createIsoTpListener({ carries: all, maxBytes: 1_000, sessions: 20 });
  const announce = (id: number, size: number) => frame([0x10 | (size >> 8), size & 0xff, 0, 0, 0, 0, 0, 0], id);
  heard(listener, everyMs([announce(1, 1_001)], 1));
  t.strictSame(counted(listener), { tooLong: 1 });
  heard(
    listener,
    everyMs(
      Array.from({ length: 1_000 }, (_, id) => announce(id, 1_000)),
      0.1,
    ),
  );
  t.strictSame([listener.held.sessions, listener.counters.pushedOut], [20, 980]);
  const honest = createIsoTpListener({ carries: all, sessions: 20 });
  const storm = Array.from({ length: 100 }, (_, id) => announce(id, 1_000));
  const [first, second, ...others] = classic(bytes(30), 0x700) as [CanFrame, CanFrame, ...CanFrame[]];
  t.strictSame(
    heard(honest, everyMs([first, second, ...storm, ...others], 1)).map(({ data }) => data),
    [bytes(30)],
    "what makes progress stays",
  );
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const fuzzed = createIsoTpListener({ carries: all, addressing: seed % 2 === 0 ? "normal" : "mixed", maxBytes: 2_000, sessions: 8 });
    const frames = Array.from({ length: 5_000 }, () => {
      const data = Uint8Array.from({ length: random.next() < 0.7 ? 8 : random.uint32() % 65 }, () => random.uint32() & (random.next() < 0.5 ? 0x2f : 0xff));
      return { id: 0x7e0 + (random.uint32() & 15), fd: true, data };
    });
    heard(fuzzed, everyMs(frames, random.next() * 50));
    t.ok(fuzzed.held.sessions <= 8 && fuzzed.held.bytes <= 8_000, JSON.stringify(fuzzed.held));
    fuzzed.expire(1e9);
    t.strictSame(fuzzed.held, { sessions: 0, bytes: 0 });
  }
  const crowded = createIsoTpListener({ carries: all, maxBytes: 100, sessions: 8 });
  const running = Array.from({ length: 6 }, (_, id) => classic(bytes(100), id));
  heard(
    crowded,
    everyMs(
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14].flatMap((at) => running.flatMap((frames) => frames.slice(at, at + 1))),
      1,
    ),
  );
  t.ok(crowded.counters.messages >= 3 && crowded.counters.refused >= 1, JSON.stringify(counted(crowded)));
  t.end();
});

test("who answers whom in diagnostics", (t) => {
  const peers = [
    [0x7e0, 0x7e8],
    [0x7ef, 0x7e7],
    [EXT + 0x18da_10f1, EXT + 0x18da_f110],
    [EXT + 0x18ce_20f1, EXT + 0x18ce_f120],
    [0x123, undefined],
    [EXT + 0x18ea_0021, undefined],
  ] as const;
  for (const [canId, peer] of peers) t.equal(diagnosticPeer(canId), peer);
  t.end();
});
