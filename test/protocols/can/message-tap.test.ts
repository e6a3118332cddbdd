// Single frames of chosen messages: ours and those of others told apart.

import { test } from "tap";
import { appendFrame, createFrameBatch, createMessageTaps, FrameFlag, type TapDefinition, type TappedFrame } from "../../../protocols/can/index.ts";
import { trailer, truck } from "./fed-table.ts";

const buses = [
  { name: "can0", database: trailer, match: "exact" },
  { name: "can1", database: truck, match: "j1939" },
] as const;

function tapped(definitions: readonly TapDefinition[], frames: readonly (readonly [string, number, readonly number[], number])[]): readonly TappedFrame[] {
  const heard: TappedFrame[] = [];
  const taps = createMessageTaps(buses, definitions, (frame) => heard.push(frame));
  const batch = createFrameBatch(frames.length);
  const names = ["other", "can0", "can1"];
  for (const [bus, id, bytes, flags] of frames)
    appendFrame(batch, { id, extended: id > 0x7ff, data: Uint8Array.from(bytes) }, { timeS: 1 + batch.count, bus: names.indexOf(bus), flags });
  taps.feed(batch, names);
  return heard;
}

test("a tap hears each frame of its message, and whether it was ours", (t) => {
  const heard = tapped(
    [{ bus: "can0", message: "Power" }],
    [
      ["can0", 2, [1, 0, 0], FrameFlag.received],
      ["can0", 1, [1, 0, 0], FrameFlag.received],
      ["other", 2, [2, 0, 0], FrameFlag.received],
      ["can0", 2, [3, 0, 1], FrameFlag.sentByUs],
      ["can0", 2, [4], FrameFlag.received],
    ],
  );
  t.strictSame(heard, [
    { tap: 0, timeMs: 1_000, sentByUs: false, values: { Watts: 1, Negative: 0 } },
    { tap: 0, timeMs: 4_000, sentByUs: true, values: { Watts: 3, Negative: 1 } },
    { tap: 0, timeMs: 5_000, sentByUs: false, values: {} },
  ]);
  t.end();
});

test("a tap may want one sender only; one that names nothing is refused", (t) => {
  const heard = tapped(
    [
      { bus: "can1", message: "EEC1", sourceAddress: 0x21 },
      { bus: "can1", message: "EEC1" },
    ],
    [
      ["can1", 0x0cf0_0400, [0, 0, 0, 8, 0], 0],
      ["can1", 0x18f0_0421, [0, 0, 0, 16, 0], 0],
    ],
  );
  t.match(heard, [
    { tap: 1, values: { Speed: 1 } },
    { tap: 0, values: { Speed: 2 } },
    { tap: 1, values: { Speed: 2 } },
  ]);
  t.throws(() => tapped([{ bus: "can0", message: "Nope" }], []), { code: "DROVER_CAN_USE", message: /can0\.Nope/ });
  t.throws(() => tapped([{ bus: "can7", message: "Power" }], []), { code: "DROVER_CAN_USE" });
  t.end();
});
