// A J1939 sender and a receiver, joined by a bus in virtual time: every message arrives whole, or its sender or its receiver is told why.

import { test } from "tap";
import {
  type CanFrame,
  createJ1939Receiver,
  createJ1939Sender,
  createJ1939Transport,
  type J1939ReceiverOptions,
  type J1939ReceiverStep,
  type J1939SenderStep,
} from "../../../protocols/can/index.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { type Fate, join } from "./joined-ends.ts";
import { broadcast, bytes, connection, counted, type Ends, heard, manage, packet, type TimedFrame } from "./transport-frames.ts";

const ends: Ends = { source: 0x21, destination: 0x55, pgn: 0xfeca };

interface Run {
  readonly onBus: readonly TimedFrame[];
  readonly received: readonly Uint8Array[];
  readonly told: readonly string[];
}

function run(payload: Uint8Array, options: Partial<J1939ReceiverOptions> = {}, fate?: Fate, destination = ends.destination): Run {
  const sender = createJ1939Sender({ source: ends.source });
  sender.begin({ pgn: ends.pgn, destination, data: payload }, 0);
  const { onBus, told } = join(sender, createJ1939Receiver({ address: ends.destination, ...options }), fate);
  return {
    onBus,
    received: told.flatMap(({ step }) => (step.kind === "received" ? [step.data] : [])),
    told: told.flatMap(({ by, step }) => (step.kind === "failed" ? [`${by}: ${step.reason}`] : step.kind === "sent" ? ["sent"] : [])),
  };
}

const words = (steps: readonly (J1939SenderStep | J1939ReceiverStep)[]): readonly string[] =>
  steps.map((step) => (step.kind === "failed" ? step.reason : step.kind === "frame" ? `${step.kind} ${step.frame.data[0]}/${step.frame.data[1]}` : step.kind));

test("messages of 9 to 1,785 bytes arrive, by the frames that a session has, and a listener hears the same", (t) => {
  for (const length of [9, 14, 15, 100, 1_784, 1_785]) {
    const payload = bytes(length);
    const { onBus, received, told } = run(payload, { window: 8 });
    t.strictSame([received, told], [[payload], ["sent"]]);
    t.strictSame(
      onBus.map(({ frame }) => frame),
      connection(ends, payload),
    );
    const listener = createJ1939Transport();
    t.strictSame(
      heard(listener, onBus).map(({ data }) => data),
      [payload],
    );
    t.strictSame(counted(listener), { messages: 1 });
  }
  t.end();
});

test("S2: a broadcast leaves by itself, a packet each 50 ms", (t) => {
  const payload = bytes(100);
  const { onBus, received, told } = run(payload, {}, undefined, 255);
  t.strictSame([received, told], [[], ["sent"]]);
  t.strictSame(
    onBus.map(({ frame }) => frame),
    broadcast(ends, payload),
  );
  t.strictSame(
    onBus.map(({ timeS }) => Math.round(timeS * 1_000)),
    onBus.map((_, at) => at * 50),
  );
  t.equal(heard(createJ1939Transport(), onBus).length, 1);
  t.end();
});

test("V2: packets that were lost are asked for again, twice; then both are told", (t) => {
  const isPacket = (frame: CanFrame, number: number): boolean => (frame.id & 0xff_0000) === 0xeb_0000 && frame.data[0] === number;
  for (const [number, losses] of [
    [3, 1],
    [3, 2],
    [8, 2],
    [10, 2],
  ] as const) {
    let left = losses as number;
    const { received, told } = run(bytes(70), { window: 8 }, (frame) => (isPacket(frame, number) && left-- > 0 ? undefined : 1));
    t.strictSame([received, told], [[bytes(70)], ["sent"]], `packet ${number} lost ${losses} times`);
  }
  const { received, told } = run(bytes(70), { window: 8 }, (frame) => (isPacket(frame, 3) ? undefined : 1));
  t.strictSame([received, told], [[], ["receiver: timeout", "sender: aborted"]]);
  t.end();
});

test("S3: a sender without answer, held up, called off, or asked too often", (t) => {
  t.strictSame(run(bytes(70), {}, () => undefined).told, ["sender: no-answer"]);
  t.strictSame(run(bytes(70), { maxBytes: 69 }).told, ["receiver: too-long", "sender: aborted"]);
  const sender = createJ1939Sender({ source: ends.source });
  const begin = (nowMs: number) => sender.begin({ pgn: ends.pgn, destination: ends.destination, data: bytes(14) }, nowMs);
  t.ok(begin(0));
  t.notOk(begin(0), "S1: one at a time");
  t.strictSame(sender.hear(manage.cts(ends, 2, 1), 0), [], "not yet announced");
  t.strictSame(words(sender.due(0)), ["frame 16/14"]);
  t.strictSame(words(sender.hear(manage.cts(ends, 0, 255), 10)), []);
  t.equal(sender.nextDueMs(), 1_060);
  for (const other of [
    manage.cts({ ...ends, pgn: 1 }, 2, 1),
    manage.cts({ ...ends, destination: 9 }, 2, 1),
    manage.cts(ends, 2, 3),
    manage.cts(ends, 2, 0),
    manage.rts({ ...ends, source: 0x55, destination: 0x21 }, 20),
  ]) {
    t.strictSame(sender.hear(other, 20), []);
  }
  t.strictSame(sender.hear(manage.acknowledged(ends, 14), 20), [], "nothing was sent yet");
  t.equal(sender.nextDueMs(), 1_060);
  sender.hear(manage.cts(ends, 2, 1), 30);
  t.strictSame([...words(sender.due(30)), ...words(sender.due(30)), ...words(sender.due(30))], [`frame 1/${bytes(14)[0]}`, `frame 2/${bytes(14)[7]}`]);
  sender.hear(manage.cts(ends, 1, 2), 40);
  sender.hear(manage.cts(ends, 1, 2), 50);
  t.strictSame(words(sender.hear(manage.cts(ends, 1, 2), 60)), ["frame 255/5", "too-many-repeats"]);
  t.equal(sender.nextDueMs(), undefined);
  t.ok(begin(100));
  sender.due(100);
  t.strictSame(words(sender.due(1_349)), []);
  t.strictSame(words(sender.due(1_350)), ["frame 255/3", "no-answer"]);
  for (const length of [0, 8, 1_786]) t.throws(() => sender.begin({ pgn: 1, destination: 1, data: bytes(length) }, 0), /9 to 1785/);
  t.end();
});

test("V1: one session at a time, a further announcement of its sender begins anew", (t) => {
  const receiver = createJ1939Receiver({ address: ends.destination, window: 3 });
  t.strictSame(words(receiver.hear(manage.rts(ends, 28), 0)), ["frame 17/3"]);
  t.strictSame(words(receiver.hear(manage.rts({ ...ends, source: 9 }, 28), 1)), ["frame 255/1"]);
  t.strictSame(words(receiver.hear(manage.rts(ends, 35), 2)), ["replaced", "frame 17/3"]);
  t.strictSame(words(receiver.hear(packet({ ...ends, source: 9 }, bytes(28), 1), 3)), []);
  t.strictSame(words(receiver.hear(packet(ends, bytes(35), 4), 3)), [], "not asked for");
  t.strictSame(words(receiver.hear(manage.abort({ ...ends, pgn: 1 }), 4)), []);
  t.strictSame(words(receiver.hear(manage.abort(ends), 4)), ["aborted"]);
  t.strictSame(words(receiver.hear(packet(ends, bytes(35), 1), 5)), []);
  t.strictSame(words(receiver.hear(manage.rts(ends, 28, 3), 6)), [], "contradicts itself");
  const rts = manage.rts(ends, 28);
  for (const odd of [
    { ...rts, extended: false },
    { ...rts, remote: true },
    { ...rts, data: rts.data.subarray(0, 7) },
    { ...rts, id: rts.id + 0x100 },
    { ...rts, id: rts.id - 0x10_0000 },
  ])
    t.strictSame(receiver.hear(odd, 7), []);
  t.equal(receiver.nextDueMs(), undefined);
  rts.data[4] = 2;
  t.strictSame(words(receiver.hear(rts, 8)), ["frame 17/2"], "the sender allows two a window");
  t.end();
});

test("on a bus that loses and delays, under 400 seeds, each message arrives whole or somebody is told why", (t) => {
  let whole = 0;
  const reasons = new Set<string>();
  for (let seed = 1; seed <= 400; seed++) {
    const random = new SeededRandom(seed);
    const loss = random.next() * 0.1;
    const payload = bytes(9 + (random.uint32() % 500), seed);
    const longest = random.next() < 0.1 ? 1_500 : 40;
    const { onBus, received, told } = run(payload, { window: 1 + (random.uint32() % 30), maxBytes: 480 }, () => (random.next() < loss ? undefined : random.next() * longest));
    t.equal(told.filter((word) => !word.startsWith("receiver")).length, 1, `seed ${seed}: the sender hears of one end, ${told.join(", ")}`);
    for (const data of received) t.equal(Buffer.compare(data, payload), 0, `seed ${seed}`);
    t.ok(received.length <= 1, `seed ${seed}`);
    t.notOk(told.includes("sent") && received.length === 0, `seed ${seed}: acknowledged and not received`);
    for (const { data } of heard(createJ1939Transport(), onBus)) t.equal(Buffer.compare(data, payload), 0, `seed ${seed}: a listener`);
    if (received.length === 1) whole++;
    for (const word of told) reasons.add(word);
  }
  t.ok(whole > 100, `${whole} arrived`);
  for (const reason of ["sent", "sender: no-answer", "sender: aborted", "receiver: timeout", "receiver: aborted", "receiver: too-long"]) t.ok(reasons.has(reason), reason);
  t.end();
});

test("random frames never fail, and neither end waits without a time limit", (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const random = new SeededRandom(seed);
    const sender = createJ1939Sender({ source: ends.source });
    const receiver = createJ1939Receiver({ address: ends.destination, maxBytes: 1_000 });
    let nowMs = 0;
    for (let count = 0; count < 3_000; count++) {
      nowMs += random.next() * 30;
      sender.begin({ ...ends, data: bytes(9 + (random.uint32() % 300)) }, nowMs);
      const data = Uint8Array.from({ length: random.next() < 0.9 ? 8 : random.uint32() % 9 }, () => random.uint32() & (random.next() < 0.5 ? 0x13 : 0xff));
      if (data.length === 8 && random.next() < 0.7) data.set([[16, 17, 19, 255][random.uint32() & 3] ?? 0, ...data.subarray(1, 5), 0xca, 0xfe, 0]);
      const toReceiver = (random.uint32() & 1) === 0;
      const id = 0x1c00_0000 + ((random.uint32() & 1) === 0 ? 0xec_0000 : 0xeb_0000) + (toReceiver ? 0x5521 : 0x2155);
      for (const end of [sender, receiver]) {
        for (const step of [...end.hear({ id, extended: true, data }, nowMs), ...end.due(nowMs)]) if (step.kind === "received") t.ok(step.data.length <= 1_000);
        t.ok((end.nextDueMs() ?? nowMs) <= nowMs + 1_250);
      }
    }
  }
  t.end();
});
