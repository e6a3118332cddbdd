// The bound between a worker and its parent.

import { test } from "tap";

import { Inbox, Outbox } from "../../../runtime/workers/channel.ts";
import { weigh } from "../../../runtime/workers/weigh.ts";
import type { ChannelMessage } from "../../../runtime/workers/wire.ts";

const window = { items: 8, bytes: 10_000 };

/** Both halves, joined by two queues that a test empties when it likes. */
function joined(): { outbox: Outbox; inbox: Inbox; deliver: () => void; acknowledge: () => void; posted: ChannelMessage[] } {
  const forth: ChannelMessage[] = [];
  const back: ChannelMessage[] = [];
  const posted: ChannelMessage[] = [];
  const outbox = new Outbox(window, (message) => {
    forth.push(message);
    posted.push(message);
  });
  const inbox = new Inbox(window, (message) => back.push(message));
  return {
    outbox,
    inbox,
    posted,
    deliver: () => {
      for (const message of forth.splice(0)) if (message.kind === "item") inbox.arrived(message.item, message.weight);
    },
    acknowledge: () => {
      for (const message of back.splice(0)) if (message.kind === "taken") outbox.taken(message.items);
    },
  };
}

test("S5. a full window refuses, counts, tells how many, and takes again when a quarter is taken", (t) => {
  const { outbox, inbox, deliver, acknowledge, posted } = joined();
  const got: unknown[] = [];
  inbox.receive((item) => got.push(item));
  for (let item = 0; item < 11; item++) t.equal(outbox.send(item), item < 8, `item ${String(item)}`);
  t.equal(outbox.dropped, 3);
  deliver();
  acknowledge();
  t.strictSame(posted.at(-1), { kind: "dropped", items: 3 });
  t.ok(outbox.send(11));
  deliver();
  t.strictSame(got, [0, 1, 2, 3, 4, 5, 6, 7, 11]);
  t.end();
});

test("S5. bytes are bounded too; an item larger than the window passes alone and not beside others", (t) => {
  const { outbox, inbox, deliver, acknowledge } = joined();
  inbox.receive(() => undefined);
  t.ok(outbox.send(new Uint8Array(6_000)));
  t.notOk(outbox.send(new Uint8Array(6_000)), "no room for a second");
  t.notOk(outbox.send(new Uint8Array(50_000)), "nor for a giant beside the first");
  deliver();
  acknowledge();
  t.ok(outbox.send(new Uint8Array(50_000)), "alone it passes");
  t.notOk(outbox.send(1), "and nothing beside it");
  deliver();
  acknowledge();
  t.ok(outbox.send(1));
  t.end();
});

test("room comes when half is free, at once when it is, and when nobody is there any more", async (t) => {
  const { outbox, inbox, deliver, acknowledge } = joined();
  inbox.receive(() => undefined);
  await outbox.room();
  for (let item = 0; item < 8; item++) outbox.send(item);
  let came = false;
  const room = outbox.room().then(() => {
    came = true;
  });
  await Promise.resolve();
  t.notOk(came);
  deliver();
  acknowledge();
  await room;
  t.ok(came);
  for (let item = 0; item < 8; item++) outbox.send(item);
  const closed = outbox.room();
  outbox.close();
  await closed;
  t.notOk(outbox.send(1));
});

test("what comes before anyone receives waits in order", (t) => {
  const { outbox, inbox, deliver } = joined();
  for (let item = 0; item < 5; item++) outbox.send(item);
  deliver();
  const got: unknown[] = [];
  inbox.receive((item) => got.push(item));
  outbox.send(5);
  deliver();
  t.strictSame(got, [0, 1, 2, 3, 4, 5]);
  t.end();
});

test("a taker that throws has taken: the window does not leak", (t) => {
  const { outbox, inbox, acknowledge, posted } = joined();
  inbox.receive(() => {
    throw new Error("no");
  });
  for (let round = 0; round < 40; round++) {
    t.ok(outbox.send(round));
    const last = posted.at(-1);
    t.throws(() => {
      if (last?.kind === "item") inbox.arrived(last.item, last.weight);
    });
    acknowledge();
  }
  t.end();
});

test("a weight is about what an item holds, ends for cycles, and never throws", (t) => {
  t.equal(weigh(1), 16);
  t.equal(weigh("abcd"), 24);
  t.equal(weigh(new Uint8Array(1_000)), 1_016);
  t.ok(weigh([{ record: new Uint8Array(5_000) }, { record: new Uint8Array(5_000), at: 1 }]) >= 10_000);
  t.ok(weigh(new Map([["key", new ArrayBuffer(700)]])) >= 700);
  t.ok(weigh(new Set(["x".repeat(500)])) >= 1_000);
  t.ok(weigh(new SharedArrayBuffer(1_000_000)) < 100, "shared memory is not sent");
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  t.ok(weigh(cycle) > 0);
  t.ok(weigh(Array.from({ length: 100_000 }, () => 1)) > 100_000);
  t.end();
});
