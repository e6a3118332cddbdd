// Two ends of an ISO-TP link, joined by a bus in virtual time: every message arrives whole, or its sender or its receiver is told why.

import { test } from "tap";
import {
  type CanFrame,
  createIsoTpListener,
  createIsoTpReceiver,
  createIsoTpSender,
  frameProblem,
  type IsoTpLink,
  type IsoTpReceiver,
  type IsoTpReceiverOptions,
  type IsoTpReceiverStep,
  type IsoTpSenderOptions,
} from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { type Fate, join } from "./joined-ends.ts";
import { bytes, counted, heard, type TimedFrame } from "./transport-frames.ts";

const A: IsoTpLink = { sends: { id: 0x7e0 }, hears: { id: 0x7e8 } };
const B: IsoTpLink = { sends: { id: 0x7e8 }, hears: { id: 0x7e0 } };

interface Run {
  readonly onBus: readonly TimedFrame[];
  readonly received: readonly Uint8Array[];
  /** Ends of the sender and failures of the receiver, in order. */
  readonly ends: readonly string[];
  readonly endedMs: number;
}

function run(
  payload: Uint8Array,
  options: { readonly sender?: Partial<IsoTpSenderOptions>; readonly receiver?: Partial<IsoTpReceiverOptions> } = {},
  fate?: Fate,
  meanwhile: (receiver: IsoTpReceiver, nowMs: number) => void = () => undefined,
): Run {
  const sender = createIsoTpSender({ link: A, ...options.sender });
  const receiver = createIsoTpReceiver({ link: B, ...options.receiver });
  sender.begin(payload, 0);
  const { onBus, told, endedMs } = join(sender, receiver, fate, (nowMs) => {
    meanwhile(receiver, nowMs);
  });
  const received = told.flatMap(({ step }) => (step.kind === "received" ? [step.data] : []));
  const ends = told.flatMap(({ by, step }) => (step.kind === "failed" ? [`${by}: ${step.reason}`] : step.kind === "sent" ? ["sent"] : []));
  return { onBus, received, ends, endedMs };
}

const dataFrames = ({ onBus }: Run): readonly TimedFrame[] => onBus.filter(({ frame }) => frame.id === A.sends.id);
const isFlow = (frame: CanFrame): boolean => frame.id === B.sends.id;

test("messages of every kind of length arrive, with every kind of link, and a listener hears the same", (t) => {
  for (const frameBytes of [8, 12, 64]) {
    for (const addressing of ["normal", "mixed"] as const) {
      for (const padding of ["none", 0x55] as const) {
        for (const length of [1, 5, 6, 7, 8, 9, 10, 11, 61, 62, 63, 64, 200, 4_095, 4_096, 5_000]) {
          const of = (link: IsoTpLink): IsoTpLink => ({ ...link, addressing, sendAddress: 7, hearAddress: 7, frameBytes, padding });
          const payload = bytes(length);
          const result = run(payload, { sender: { link: of(A) }, receiver: { link: of(B), maxBytes: 5_000, blockSize: 8 } });
          const name = `${length} bytes, frames of ${frameBytes}, ${addressing}, ${padding}`;
          t.strictSame([result.received.map((data) => Buffer.compare(data, payload)), result.ends], [[0], ["sent"]], name);
          t.notOk(
            result.onBus.some(({ frame }) => frameProblem(frame) !== undefined),
            name,
          );
          const listener = createIsoTpListener({ carries: (canId) => canId === A.sends.id, addressing });
          t.equal(Buffer.compare(heard(listener, dataFrames(result))[0]?.data ?? bytes(0), payload), 0, name);
          t.strictSame(counted(listener), { messages: 1 }, name);
        }
      }
    }
  }
  t.end();
});

test("the frames of a message, byte by byte", (t) => {
  const hex = (result: Run) => result.onBus.map(({ frame }) => `${frame.id.toString(16)} ${Buffer.from(frame.data).toString("hex")}`);
  t.strictSame(hex(run(Uint8Array.of(1, 2, 3))), ["7e0 03010203cccccccc"]);
  t.strictSame(hex(run(bytes(10), { receiver: { blockSize: 2, stMinMs: 0.3 } })), ["7e0 100a0726456483a2", "7e8 3002f3cccccccccc", "7e0 21c1e0ff1ecccccc"]);
  t.strictSame(hex(run(bytes(9), { sender: { link: { ...A, padding: "none" } }, receiver: { link: { ...B, padding: "none" } } })), [
    "7e0 10090726456483a2",
    "7e8 300000",
    "7e0 21c1e0ff",
  ]);
  t.end();
});

test("S2: STmin and block size are kept: 0.2 ms, 5 ms, and a flow control for each three frames", (t) => {
  for (const stMinMs of [0, 0.2, 5, 127]) {
    const result = run(bytes(100), { receiver: { stMinMs, blockSize: 3 } });
    const consecutive = dataFrames(result).slice(1);
    for (const [at, { timeS }] of consecutive.entries()) {
      const before = consecutive[at - 1];
      if (before !== undefined && at % 3 > 0) t.ok(timeS * 1_000 - before.timeS * 1_000 >= stMinMs - 1e-9, `${stMinMs} ms before frame ${at + 1}`);
    }
    t.equal(result.onBus.filter(({ frame }) => isFlow(frame)).length, Math.ceil(consecutive.length / 3));
    t.strictSame(result.ends, ["sent"]);
  }
  t.end();
});

test("S3: without flow control, with too many waits or without room the sender fails under that name", (t) => {
  t.strictSame(run(bytes(50), {}, (frame) => (isFlow(frame) ? undefined : 1)).ends, ["sender: no-flow-control", "receiver: timeout"]);
  const silent = run(bytes(50), {}, () => undefined);
  t.strictSame([silent.ends, silent.endedMs], [["sender: no-flow-control"], 1_000]);
  t.strictSame(run(bytes(50), { receiver: { maxBytes: 49 } }).ends, ["receiver: too-long", "sender: overflow"]);
  const busy = run(bytes(50), { sender: { maxWaits: 3 } }, undefined, (receiver, nowMs) => {
    receiver.setBusy(nowMs < 1_800, nowMs);
  });
  t.strictSame(busy.ends, ["sender: too-many-waits", "receiver: timeout"]);
  t.end();
});

test("V2: a busy receiver holds the message up with waits, and it arrives once it is free", (t) => {
  const result = run(bytes(50), {}, undefined, (receiver, nowMs) => {
    receiver.setBusy(nowMs < 1_800, nowMs);
  });
  t.strictSame([result.received, result.ends], [[bytes(50)], ["sent"]]);
  t.strictSame(
    result.onBus.filter(({ frame }) => isFlow(frame)).map(({ frame }) => frame.data[0]),
    [0x31, 0x31, 0x31, 0x31, 0x30],
  );
  t.end();
});

test("V1, V3: lost frames, a second message in place of the first, and what follows neither", (t) => {
  let count = 0;
  t.strictSame(run(bytes(50), {}, () => (++count === 4 ? undefined : 1)).ends, ["sent", "receiver: wrong-sequence"]);
  count = 0;
  t.strictSame(run(bytes(50), {}, () => (++count > 4 ? undefined : 1)).ends, ["sent", "receiver: timeout"]);
  const receiver = createIsoTpReceiver({ link: B });
  const first = { id: 0x7e0, data: Uint8Array.of(0x10, 20, 1, 2, 3, 4, 5, 6) };
  const kinds = (steps: readonly IsoTpReceiverStep[]) => steps.map((step) => (step.kind === "failed" ? step.reason : step.kind));
  t.strictSame(kinds(receiver.hear(first, 0)), ["frame"]);
  t.strictSame(kinds(receiver.hear(first, 10)), ["replaced", "frame"]);
  t.strictSame(kinds(receiver.hear({ id: 0x7e0, data: Uint8Array.of(0x21, 1, 2) }, 20)), [], "too short, and not the last");
  t.strictSame(kinds(receiver.hear({ id: 0x7e0, data: Uint8Array.of(2, 1, 2) }, 30)), ["replaced", "received"]);
  t.strictSame(kinds(receiver.hear({ id: 0x7e0, data: Uint8Array.of(0x22, 1, 2) }, 40)), []);
  t.strictSame(kinds(receiver.hear(first, 50)), ["frame"]);
  t.strictSame(kinds(receiver.hear({ id: 0x7e0, data: Uint8Array.of(1, 9) }, 1_050)), ["timeout", "received"]);
  for (const other of [
    { ...first, id: 0x7e1 },
    { ...first, extended: true },
    { ...first, remote: true },
    { id: 0x7e0, data: Uint8Array.of(0x30, 0, 0) },
    { id: 0x7e0, data: Uint8Array.of(0x70) },
  ])
    t.strictSame(receiver.hear(other, 60), []);
  t.equal(receiver.nextDueMs(), undefined);
  t.end();
});

test("S1: one message at a time; what is none of its business changes nothing; settings that no frame can say are refused", (t) => {
  const sender = createIsoTpSender({ link: A });
  t.strictSame([sender.due(0), sender.nextDueMs()], [[], undefined]);
  t.throws(() => sender.begin(new Uint8Array(0), 0), /empty/);
  t.ok(sender.begin(bytes(20), 0));
  t.notOk(sender.begin(bytes(20), 0));
  t.equal(sender.due(0)[0]?.kind, "frame");
  for (const data of [[0x02, 1, 2], [0x35, 0, 0], [0x30]]) t.strictSame(sender.hear({ id: 0x7e8, data: Uint8Array.from(data) }, 1), []);
  t.strictSame(sender.hear({ id: 0x7e9, data: Uint8Array.of(0x30, 0, 0) }, 1), []);
  t.strictSame(sender.hear({ id: 0x7e8, data: Uint8Array.of(0x30, 0, 0) }, 1_000), [{ kind: "failed", reason: "no-flow-control" }]);
  t.ok(sender.begin(bytes(3), 1_000));
  for (const stMinMs of [-1, 128, 1.5, 0.25]) t.throws(() => createIsoTpReceiver({ link: B, stMinMs }), /stMinMs/);
  for (const blockSize of [-1, 256, 1.5]) t.throws(() => createIsoTpReceiver({ link: B, blockSize }), /blockSize/);
  t.end();
});

test("on a bus that loses and delays, under 400 seeds, each message arrives whole or somebody is told why", (t) => {
  let whole = 0;
  const reasons = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    const random = new SeededRandom(seed);
    const loss = random.next() * 0.05;
    const length = 1 + (random.uint32() % 600);
    const payload = bytes(length, seed);
    const receiver = { blockSize: random.uint32() % 20, stMinMs: [0, 0.5, 1, 20][random.uint32() & 3] ?? 0, maxBytes: 550 };
    const longest = random.next() < 0.1 ? 1_500 : 30;
    const { received, ends } = run(payload, { receiver }, () => (random.next() < loss ? undefined : random.next() * longest));
    const senders = ends.filter((end) => !end.startsWith("receiver"));
    t.equal(senders.length, 1, `seed ${seed}: the sender hears of one end, ${ends.join(", ")}`);
    for (const data of received) t.equal(Buffer.compare(data, payload), 0, `seed ${seed}`);
    t.ok(received.length <= 1, `seed ${seed}`);
    if (received.length === 1) whole++;
    else t.ok(ends.length > 1 || ends[0] !== "sent" || length <= 7, `seed ${seed}: nothing came and nobody was told, ${ends.join(", ")}`);
    for (const end of ends) reasons.add(end);
  }
  t.ok(whole > 100, `${whole} arrived`);
  for (const reason of ["sent", "sender: no-flow-control", "sender: overflow", "receiver: timeout", "receiver: wrong-sequence", "receiver: too-long"])
    t.ok(reasons.has(reason), reason);
  t.end();
});

test("random frames never fail, and neither end waits without a time limit", (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const sender = createIsoTpSender({ link: A });
    const receiver = createIsoTpReceiver({ link: B, maxBytes: 1_000, blockSize: seed % 5 });
    let nowMs = 0;
    for (let count = 0; count < 3_000; count++) {
      nowMs += random.next() * 30;
      sender.begin(bytes(1 + (random.uint32() % 300)), nowMs);
      const data = Uint8Array.from({ length: random.next() < 0.9 ? 8 : random.uint32() % 9 }, () => random.uint32() & (random.next() < 0.5 ? 0x33 : 0xff));
      const frame = { id: (random.uint32() & 1) === 0 ? 0x7e0 : 0x7e8, data };
      for (const end of [sender, receiver]) {
        for (const step of [...end.hear(frame, nowMs), ...end.due(nowMs)]) if (step.kind === "received") t.ok(step.data.length <= 1_000);
        t.ok((end.nextDueMs() ?? nowMs) <= nowMs + 1_000);
      }
    }
  }
  t.end();
});
