// Frames in batches: what goes in comes out, whatever kind it is.

import { test } from "tap";
import { appendFrame, type CanFrame, copySlot, createFrameBatch, fdLength, frameAt, frameProblem, rawDlc } from "../../../protocols/can/index.ts";

test("classic, extended, FD and remote frames survive a batch, and a slot is clean when it is used again", (t) => {
  const frames: readonly CanFrame[] = [
    { id: 0x123, extended: false, data: Uint8Array.of(1, 2) },
    { id: 0x1fff_ffff, extended: true, data: new Uint8Array(8).fill(9) },
    { id: 5, extended: false, data: new Uint8Array(64).fill(7), fd: true, bitRateSwitch: true },
    { id: 6, extended: false, data: new Uint8Array(0), remote: true },
  ];
  const batch = createFrameBatch(4, true);
  t.ok(batch.data.buffer instanceof SharedArrayBuffer);
  for (const frame of frames) t.ok(appendFrame(batch, frame, { timeS: 1.5, bus: 2, line: 3 }));
  t.notOk(appendFrame(batch, { id: 1, data: new Uint8Array(0) }, { timeS: 0 }), "full");
  t.strictSame(
    frames.map((_, at) => frameAt(batch, at)),
    frames,
  );
  t.strictSame([batch.timesS[3], batch.buses[3], batch.lines[3], batch.dlcs[2]], [1.5, 2, 3, 15]);
  batch.count = 0;
  appendFrame(batch, { id: 1, data: Uint8Array.of(1) }, { timeS: 0 });
  t.ok(batch.data.subarray(1, 64).every((byte) => byte === 0));
  const copy = createFrameBatch(1);
  t.ok(copySlot(batch, 2, copy));
  t.notOk(copySlot(batch, 2, copy));
  t.strictSame(frameAt(copy, 0), frames[2]);
  t.end();
});

test("a frame that no bus can carry is told from one that it can", (t) => {
  const problem = (frame: Partial<CanFrame>): string | undefined => frameProblem({ id: 1, data: new Uint8Array(0), ...frame });
  t.equal(problem({}), undefined);
  t.match(problem({ id: 0x800 }), /11 bits/);
  t.equal(problem({ id: 0x800, extended: true }), undefined);
  t.match(problem({ id: -1 }), /11 bits/);
  t.match(problem({ id: 0.5 }), /11 bits/);
  t.match(problem({ data: new Uint8Array(9) }), /classic/);
  t.match(problem({ data: new Uint8Array(9), fd: true }), /no length/);
  t.match(problem({ fd: true, remote: true }), /no remote/);
  t.strictSame([0, 8, 9, 12, 33, 64, 99].map(fdLength), [0, 8, 12, 12, 48, 64, 64]);
  t.strictSame([0, 8, 12, 64].map(rawDlc), [0, 8, 9, 15]);
  t.end();
});
