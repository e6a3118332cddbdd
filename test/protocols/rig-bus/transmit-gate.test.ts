// The gate alone: what waits, what is out, what a missing echo does (vehicle.md X4).

import { test } from "tap";
import type { SendOutcome } from "../../../protocols/can/index.ts";
import { TransmitGate } from "../../../protocols/rig-bus/transmit-gate.ts";
import { ManualClock } from "../../../runtime/simulation/manual-clock.ts";

const frame = (id: number): { id: number; data: Uint8Array } => ({ id, data: new Uint8Array() });

interface Opened {
  readonly clock: ManualClock;
  readonly gate: TransmitGate;
  readonly transmitted: { readonly request: number; readonly id: number }[];
  readonly flushes: number[];
  readonly outcomes: Map<number, SendOutcome>;
  readonly send: (id: number, withinMs: number) => void;
}

function opened(queueLimit = 8): Opened {
  const clock = new ManualClock();
  const gate = new TransmitGate(clock, queueLimit);
  const transmitted: { request: number; id: number }[] = [];
  const flushes: number[] = [];
  const outcomes = new Map<number, SendOutcome>();
  gate.open({ transmit: (request, sent) => transmitted.push({ request, id: sent.id }), flush: (token) => flushes.push(token) });
  return {
    clock,
    gate,
    transmitted,
    flushes,
    outcomes,
    send: (id, withinMs) =>
      void gate.send(frame(id), withinMs).then((outcome) => {
        outcomes.set(id, outcome);
      }),
  };
}

test("G3. stalled: frames of others before the flush is confirmed open nothing, nor does a confirmation of an older flush", async (t) => {
  const { clock, gate, flushes, send, transmitted, outcomes } = opened();
  send(1, 100);
  await clock.advance(101);
  t.match(outcomes.get(1), { kind: "unknown" });
  t.equal(flushes.length, 1);
  gate.heardAnother();
  t.equal(gate.isStalled, true);
  gate.flushed((flushes[0] ?? 0) + 1);
  gate.heardAnother();
  t.equal(gate.isStalled, true);
  gate.flushed(flushes[0] ?? 0);
  t.equal(gate.isStalled, true, "the flush alone is no proof of life");
  gate.heardAnother();
  t.equal(gate.isStalled, false);
  send(2, 100);
  t.same(
    transmitted.map((sent) => sent.id),
    [1, 2],
  );
});

test("G1. the next leaves when the one before has its echo, its refusal, and not before", async (t) => {
  const { clock, gate, send, transmitted, outcomes } = opened();
  for (const id of [1, 2, 3]) send(id, 1000);
  t.same(
    transmitted.map((sent) => sent.id),
    [1],
  );
  t.equal(gate.echoed(4711, 1), false, "an echo of nothing that waits");
  t.same(transmitted.length, 1);
  t.equal(gate.echoed(transmitted[0]?.request ?? 0, 0.5), true);
  t.same(
    transmitted.map((sent) => sent.id),
    [1, 2],
  );
  gate.refused(transmitted[1]?.request ?? 0, "invalid", "no such frame");
  t.same(
    transmitted.map((sent) => sent.id),
    [1, 2, 3],
  );
  await clock.advance(1);
  t.same(outcomes.get(1), { kind: "sent", timeS: 0.5 });
  t.match(outcomes.get(2), { kind: "refused", reason: "invalid" });
  t.equal(clock.pending, 1, "settled sends leave no timer");
});

test("an echo after the deadline changes no outcome and opens nothing", async (t) => {
  const { clock, gate, send, transmitted, outcomes } = opened();
  send(1, 100);
  await clock.advance(150);
  t.equal(gate.echoed(transmitted[0]?.request ?? 0, 0.15), false);
  t.match(outcomes.get(1), { kind: "unknown" });
  t.equal(gate.isStalled, true);
});

test("G4. every send settles by its deadline, in every state", async (t) => {
  const { clock, gate, send, outcomes } = opened(2);
  for (const id of [1, 2, 3, 4]) send(id, 100 * id);
  await clock.advance(0);
  t.match(outcomes.get(4), { kind: "refused", reason: "queue-full" });
  await clock.advance(100);
  t.match([outcomes.get(1), outcomes.get(2), outcomes.get(3)], [{ kind: "unknown" }, { kind: "refused", reason: "down" }, { kind: "refused", reason: "down" }]);
  send(5, 100);
  await clock.advance(0);
  t.match(outcomes.get(5), { kind: "refused", reason: "down", detail: /tx-stalled/ });
  gate.close("gone");
  send(6, 100);
  await clock.advance(0);
  t.match(outcomes.get(6), { kind: "refused", reason: "down", detail: "gone" });
  t.equal(clock.pending, 0);
});

test("a new connection is open at once, unless the old one had stalled: then the bus must show life", async (t) => {
  const { clock, gate, send } = opened();
  const transmitted: number[] = [];
  const again = { transmit: (_request: number, sent: { readonly id: number }) => transmitted.push(sent.id), flush: () => undefined };
  gate.close("the rig closed the connection");
  gate.open(again);
  send(1, 100);
  t.same(transmitted, [1]);
  await clock.advance(150);
  gate.close("again");
  gate.open(again);
  t.equal(gate.isStalled, true);
  send(2, 100);
  gate.heardAnother();
  t.equal(gate.isStalled, false);
  send(3, 100);
  t.same(transmitted, [1, 3]);
  gate.close("and again");
  gate.open(again);
  t.equal(gate.isStalled, false);
});
