import { test } from "tap";
import type { PublishOutcome } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SendWindow } from "../../../runtime/wire/index.ts";

interface Sent {
  readonly item: number;
  readonly confirmed: (outcome: PublishOutcome) => void;
}

function window(limits: { readonly maxInFlight?: number; readonly maxInFlightBytes?: number; readonly maxWaiting?: number; readonly maxWaitingBytes?: number } = {}) {
  const clock = new ManualClock();
  const sent: Sent[] = [];
  const stuck: number[] = [];
  const under = new SendWindow<number>({
    clock,
    ...limits,
    send: (item, confirmed) => sent.push({ item, confirmed }),
    onStuck: () => stuck.push(clock.monotonic()),
    confirmWithinMs: 100,
  });
  return { clock, sent, stuck, under };
}

test("S5. so many are in flight, so many wait in their order, the rest is refused", async (t) => {
  const { sent, under } = window({ maxInFlight: 2, maxWaiting: 3 });
  const outcomes = Array.from({ length: 6 }, (_, index) => under.offer(index, 1));
  t.same([under.inFlight, under.waiting], [2, 3]);
  t.equal((await outcomes[5])?.kind, "overloaded");
  for (let index = 0; index < 5; index++) sent[index]?.confirmed({ kind: "accepted" });
  t.same(
    (await Promise.all(outcomes.slice(0, 5))).map((outcome) => outcome.kind),
    Array.from({ length: 5 }, () => "accepted"),
  );
  t.same(
    sent.map((one) => one.item),
    [0, 1, 2, 3, 4],
  );
  await under.whenIdle();
});

test("S5. bytes are bounded too, in flight and waiting, and a message larger than the bound goes alone", async (t) => {
  const { sent, under } = window({ maxInFlightBytes: 100, maxWaitingBytes: 250 });
  const first = under.offer(0, 80);
  void under.offer(1, 80);
  void under.offer(2, 160);
  t.same([under.inFlight, under.waitingBytes], [1, 240]);
  t.equal((await under.offer(3, 20)).kind, "overloaded");
  sent[0]?.confirmed({ kind: "accepted" });
  t.equal((await first).kind, "accepted");
  t.same([under.inFlight, under.waitingBytes], [1, 160]);
  sent[1]?.confirmed({ kind: "accepted" });
  t.same(
    sent.map((one) => one.item),
    [0, 1, 2],
  );
  t.equal(under.waitingBytes, 0);
});

test("what is not confirmed in time is unknown, and the link is called stuck once for it", async (t) => {
  const { clock, sent, stuck, under } = window({ maxInFlight: 1 });
  const [first, second] = [under.offer(0, 1), under.offer(1, 1)];
  await clock.advance(100);
  t.equal((await first).kind, "unknown");
  t.same(stuck, [100]);
  under.lose("gone");
  t.equal((await second).kind, "unavailable", "what waited was never sent");
  sent[0]?.confirmed({ kind: "accepted" });
  await settle();
  t.equal(sent.length, 1, "a late confirmation changes nothing");
  t.equal(clock.pending, 0);
});

test("a window that was lost works again on the next link", async (t) => {
  const { sent, under } = window({ maxInFlight: 1 });
  const lost = under.offer(0, 1);
  under.lose("cut");
  t.same(await lost, { kind: "unknown", reason: "cut" });
  const next = under.offer(1, 1);
  sent[0]?.confirmed({ kind: "accepted" });
  t.equal(under.inFlight, 1, "the old link's word does not count for the new one");
  sent[1]?.confirmed({ kind: "accepted" });
  t.equal((await next).kind, "accepted");
});
