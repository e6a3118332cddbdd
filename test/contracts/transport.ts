// What every Transport keeps, whatever carries it (research/transports.md 7.5). Adapters call `transportContract` with a harness of their own.

import type { Test } from "tap";
import type { AskOutcome, Delivery, LinkState, PublishOutcome, Transport } from "../../runtime/ports/index.ts";

export interface TransportHarness {
  /** A transport for a node that may use every key, connecting through a link of its own. Not started. */
  node(name: string): Transport;
  /** Breaks the node's link in mid flight. */
  cut(name: string): void;
  heal(name: string): void;
  /** Lets time pass until `promise` settles; rejects after `withinMs`, default 10 s. */
  settled<T>(promise: Promise<T>, withinMs?: number): Promise<T>;
  pass(ms: number): Promise<void>;
  /** Passing time in ms. */
  elapsed(): number;
  close(): Promise<void>;
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const key = (path: string): string => `drover/v1/n/contract/${path}`;

export function reaches(transport: Transport, kind: LinkState["kind"]): Promise<void> {
  if (transport.state.kind === kind) return Promise.resolve();
  return new Promise((resolve) => {
    const off = transport.onState((state) => {
      if (state.kind !== kind) return;
      off();
      resolve();
    });
  });
}

/** Collects what a sink gets and lets a test wait for a number of them. */
export function collector(): { readonly all: Delivery[]; readonly sink: (delivery: Delivery) => void; has(wanted: (all: readonly Delivery[]) => boolean): Promise<void> } {
  const all: Delivery[] = [];
  const waits = new Set<() => void>();
  return {
    all,
    sink: (delivery) => {
      all.push(delivery);
      for (const wait of [...waits]) wait();
    },
    has: (wanted) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (!wanted(all)) return;
          waits.delete(look);
          resolve();
        };
        waits.add(look);
        look();
      }),
  };
}

export function transportContract(parent: Test, setup: () => Promise<TransportHarness>): void {
  const started = async (harness: TransportHarness, ...names: readonly string[]): Promise<Transport[]> => {
    const transports = names.map((name) => harness.node(name));
    for (const transport of transports) await transport.start();
    await harness.settled(Promise.all(transports.map((transport) => reaches(transport, "ready"))));
    return transports;
  };
  const scenario = (title: string, run: (t: Test, harness: TransportHarness) => Promise<void>): void => {
    void parent.test(title, async (t) => {
      const harness = await setup();
      try {
        await run(t, harness);
      } finally {
        await harness.close();
      }
    });
  };

  scenario("a message reaches every subscriber whose pattern has its key, its sender included", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    const [exact, wild, own, other] = [collector(), collector(), collector(), collector()];
    await harness.settled(
      Promise.all([b.subscribe(key("x/1"), exact.sink), b.subscribe(key("x/*"), wild.sink), a.subscribe(key("**"), own.sink), b.subscribe(key("y"), other.sink)]),
    );
    t.equal((await harness.settled(a.publish(key("x/1"), bytes("hello"), { qos: "reliable" }))).kind, "accepted");
    t.equal((await harness.settled(a.publish(key("x/1"), bytes("there"), { qos: "drop" }))).kind, "handed");
    const both = (all: readonly Delivery[]): boolean => ["hello", "there"].every((word) => all.some((delivery) => text(delivery.payload) === word));
    await harness.settled(Promise.all([exact.has(both), wild.has(both), own.has(both)]));
    t.equal(exact.all[0]?.key, key("x/1"));
    t.equal(exact.all[0]?.epoch, 1);
    t.equal(other.all.length, 0);
  });

  scenario("a closed subscription hears nothing more", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    const [closed, open] = [collector(), collector()];
    const subscription = await harness.settled(b.subscribe(key("x"), closed.sink));
    await harness.settled(b.subscribe(key("x"), open.sink));
    await harness.settled(subscription.close());
    await harness.settled(subscription.close());
    await harness.settled(a.publish(key("x"), bytes("1"), { qos: "reliable" }));
    await harness.settled(open.has((all) => all.length > 0));
    t.equal(closed.all.length, 0);
  });

  for (const qos of ["reliable", "drop"] as const) {
    scenario(`messages of one key arrive in the order in which they were sent, with more than 2 MiB to send (${qos})`, async (t, harness) => {
      const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
      const heard = collector();
      await harness.settled(b.subscribe(key("order"), heard.sink));
      const total = 1_000;
      const payload = new Uint8Array(3_000);
      const sent = Array.from({ length: total }, (_, index) => {
        new DataView(payload.buffer).setUint32(0, index);
        return a.publish(key("order"), Uint8Array.from(payload), { qos });
      });
      const outcomes = await harness.settled(Promise.all(sent));
      const taken = outcomes.flatMap((outcome, index) => (outcome.kind === "overloaded" ? [] : [index]));
      t.same([...new Set(taken.map((index) => outcomes[index]?.kind))], [qos === "reliable" ? "accepted" : "handed"]);
      if (qos === "reliable") t.equal(taken.length, total, "the window takes them all");
      await harness.settled(heard.has((all) => all.length >= taken.length));
      const numbers = heard.all.map((delivery) => new DataView(delivery.payload.buffer, delivery.payload.byteOffset).getUint32(0));
      t.same(numbers, taken, "every one that was not refused, in order");
    });
  }

  scenario("S5. what exceeds the bounds is refused at once and counted: size, queue, open asks", async (t, harness) => {
    const [a] = (await started(harness, "a")) as [Transport];
    const { maxMessageBytes } = a.capabilities;
    const large = new Uint8Array(maxMessageBytes + 1);
    t.same(await harness.settled(a.publish(key("x"), large, { qos: "reliable" })), { kind: "too-large", maxBytes: maxMessageBytes });
    t.same(await harness.settled(a.publish(key("x"), large, { qos: "drop" })), { kind: "too-large", maxBytes: maxMessageBytes });
    t.same(await harness.settled(a.setLast(key("x"), large)), { kind: "too-large", maxBytes: maxMessageBytes });
    t.equal((await harness.settled(a.ask(key("x"), large, { withinMs: 1000 }))).kind, "too-large");
    t.equal((await harness.settled(a.publish(key("x"), large.subarray(1), { qos: "reliable" }))).kind, "accepted", "the largest that is allowed passes");
    const flood = await harness.settled(Promise.all(Array.from({ length: 3_000 }, () => a.publish(key("x"), new Uint8Array(10), { qos: "reliable" }))));
    const kinds = flood.map((outcome) => outcome.kind);
    t.ok(kinds.includes("overloaded") && kinds.includes("accepted"));
    t.equal(kinds.filter((kind) => kind !== "overloaded" && kind !== "accepted").length, 0);
    t.ok((a.counters["overloaded"] ?? 0) >= kinds.filter((kind) => kind === "overloaded").length);
    const asks = await harness.settled(Promise.all(Array.from({ length: 400 }, () => a.ask(key("nobody"), bytes("?"), { withinMs: 200 }))));
    t.ok(asks.some((outcome) => outcome.kind === "overloaded"));
    t.ok((a.counters["tooLarge"] ?? 0) >= 4);
  });

  scenario("an ask is answered by whoever serves its key, many at a time, each by its own answer", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    await harness.settled(b.serve(key("echo/*"), async (delivery) => Promise.resolve(bytes(`${delivery.key.slice(-1)}:${text(delivery.payload)}`))));
    const answers = await harness.settled(
      Promise.all(Array.from({ length: 50 }, (_, index) => a.ask(key(`echo/${String(index % 10)}`), bytes(String(index)), { withinMs: 5_000 }))),
    );
    t.same(
      answers.map((answer) => (answer.kind === "replied" ? text(answer.payload) : answer.kind)),
      Array.from({ length: 50 }, (_, index) => `${String(index % 10)}:${String(index)}`),
    );
    const empty = await harness.settled(b.serve(key("empty"), async () => Promise.resolve(new Uint8Array(0))));
    t.match(await harness.settled(a.ask(key("empty"), new Uint8Array(0), { withinMs: 5_000 })), { kind: "replied" }, "an empty answer is an answer");
    await harness.settled(empty.close());
  });

  scenario("asks are not messages: a subscriber of their keys does not hear them", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    const heard = collector();
    await harness.settled(b.subscribe(key("**"), heard.sink));
    await harness.settled(b.serve(key("svc"), async () => Promise.resolve(bytes("yes"))));
    t.match(await harness.settled(a.ask(key("svc"), bytes("?"), { withinMs: 5_000 })), { kind: "replied" });
    await harness.settled(a.publish(key("end"), bytes("end"), { qos: "reliable" }));
    await harness.settled(heard.has((all) => all.length > 0));
    t.same(
      heard.all.map((delivery) => delivery.key),
      [key("end")],
    );
  });

  scenario("every ask settles by its deadline: nobody there, never answered, failed, busy", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    await harness.settled(b.serve(key("never"), () => new Promise<Uint8Array>(() => undefined)));
    await harness.settled(b.serve(key("fails"), async () => Promise.reject(new Error("no"))));
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const busy = await harness.settled(b.serve(key("busy"), async () => gate.then(() => bytes("done")), { maxInFlight: 2 }));
    const from = harness.elapsed();
    const late = await harness.settled(Promise.all([a.ask(key("never"), bytes("?"), { withinMs: 150 }), a.ask(key("nobody"), bytes("?"), { withinMs: 150 })]));
    t.same(late[0].kind, "unknown");
    t.same(late[1].kind, a.capabilities.reasonNoRoute ? "no-route" : "unknown");
    t.ok(harness.elapsed() - from < 2_000);
    t.equal((await harness.settled(a.ask(key("fails"), bytes("?"), { withinMs: 5_000 }))).kind, "unknown");
    const three = [1, 2, 3].map((index) => a.ask(key("busy"), bytes(String(index)), { withinMs: 5_000 }));
    t.equal((await harness.settled(Promise.race(three))).kind, "unknown", "the third is told at once that it gets no answer");
    t.equal(busy.dropped, 1);
    release();
    t.same((await harness.settled(Promise.all(three))).map((outcome) => outcome.kind).sort(), ["replied", "replied", "unknown"]);
    t.equal((await harness.settled(a.ask(key("busy"), bytes("4"), { withinMs: 0 }))).kind, "unavailable", "no time left: it was not sent");
  });

  scenario("S5. a peer that is frozen and has all the asks that it may have hurts nobody else; when its session has ended they are unknown at once", async (t, harness) => {
    const [a, b, c] = (await started(harness, "a", "b", "c")) as [Transport, Transport, Transport];
    const to = (vehicle: string): string => `drover/v1/v/acme/${vehicle}/down/in`;
    await harness.settled(b.serve(to("frozen"), () => new Promise<Uint8Array>(() => undefined), { maxInFlight: 256 }));
    await harness.settled(c.serve(to("well"), async () => Promise.resolve(bytes("yes"))));
    const open = Array.from({ length: 256 }, () => a.ask(to("frozen"), bytes("?"), { withinMs: 60_000 }));
    t.match(await harness.settled(a.ask(to("frozen"), bytes("?"), { withinMs: 60_000 })), {
      kind: "overloaded",
      reason: "256 requests to vehicle acme/frozen are still without an answer",
    });
    const well = await harness.settled(Promise.all(Array.from({ length: 100 }, () => a.ask(to("well"), bytes("?"), { withinMs: 5_000 }))));
    t.same([...new Set(well.map(({ kind }) => kind))], ["replied"]);
    const from = harness.elapsed();
    a.peerLost(to("well"), "another's session");
    a.peerLost(to("frozen"), "its session ended");
    const lost = await harness.settled(Promise.all(open));
    t.ok(harness.elapsed() - from < 1_000, "nobody waits for what cannot come");
    t.same([...new Set(lost.map((outcome) => (outcome.kind === "unknown" ? outcome.reason : outcome.kind)))], ["its session ended"]);
    t.equal(a.counters["asksPending"], 0);
    t.equal((await harness.settled(a.ask(to("frozen"), bytes("?"), { withinMs: 5_000 }))).kind, "unknown", "there is room for the next, which is sent");
  });

  scenario("S5. a peer that asks more than is answered hurts nobody else", async (t, harness) => {
    const [cloud, eager, other] = (await started(harness, "a", "b", "c")) as [Transport, Transport, Transport];
    const of = (peer: string): string => `drover/v1/n/${peer}/in`;
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const served = await harness.settled(
      cloud.serve("drover/v1/n/*/in", async ({ key }) => (key === of("eager") ? gate.then(() => bytes("late")) : Promise.resolve(bytes("yes"))), { maxInFlight: 2 }),
    );
    const asked = [1, 2, 3, 4].map((index) => eager.ask(of("eager"), bytes(String(index)), { withinMs: 60_000 }));
    t.equal((await harness.settled(Promise.race(asked))).kind, "unknown", "one too many gets no answer");
    t.equal((await harness.settled(other.ask(of("other"), bytes("?"), { withinMs: 5_000 }))).kind, "replied");
    release();
    t.same((await harness.settled(Promise.all(asked))).map(({ kind }) => kind).sort(), ["replied", "replied", "unknown", "unknown"]);
    t.equal(served.dropped, 2);
    t.equal((await harness.settled(eager.ask(of("eager"), bytes("5"), { withinMs: 5_000 }))).kind, "replied", "its places are free again");
  });

  scenario("before the link stands and after it is down nothing is called sent", async (t, harness) => {
    const a = harness.node("a");
    const outcomes = async (): Promise<string[]> => {
      const all: (PublishOutcome | AskOutcome)[] = await harness.settled(
        Promise.all([
          a.publish(key("x"), bytes("1"), { qos: "reliable" }),
          a.publish(key("x"), bytes("1"), { qos: "drop" }),
          a.setLast(key("x"), bytes("1")),
          a.ask(key("x"), bytes("1"), { withinMs: 1_000 }),
        ]),
      );
      return all.map((outcome) => outcome.kind);
    };
    const never = ["unavailable", "unavailable", "unavailable", "unavailable"];
    t.same(await outcomes(), never, "not started");
    await a.start();
    await harness.settled(reaches(a, "ready"));
    harness.cut("a");
    await harness.settled(reaches(a, "down"));
    const from = harness.elapsed();
    t.same(await outcomes(), never, "down");
    t.ok(harness.elapsed() - from < 250, "and says so at once");
    harness.heal("a");
    await harness.settled(reaches(a, "ready"));
    await harness.settled(a.stop());
    t.same(await outcomes(), never, "stopped");
  });

  scenario("what is in flight when the link is lost is unknown, what waited behind it was not sent", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    await harness.settled(b.serve(key("never"), () => new Promise<Uint8Array>(() => undefined)));
    const ask = a.ask(key("never"), bytes("?"), { withinMs: 60_000 });
    await harness.pass(20);
    const sent = Array.from({ length: 200 }, () => a.publish(key("x"), new Uint8Array(10_000), { qos: "reliable" }));
    harness.cut("a");
    const kinds = new Set((await harness.settled(Promise.all(sent))).map((outcome) => outcome.kind));
    t.equal((await harness.settled(ask)).kind, "unknown");
    for (const kind of kinds) t.ok(["accepted", "unknown", "unavailable"].includes(kind), kind);
    t.ok(kinds.has("unavailable"), "the window is bounded, so most were never sent");
  });

  scenario("nothing that was accepted is lost when the link breaks in mid flight; sending the unknown ones again makes duplicates at most", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    const heard = collector();
    await harness.settled(b.subscribe(key("flow"), heard.sink));
    const total = 600;
    const until = async (value: string): Promise<void> => {
      for (;;) {
        if (a.state.kind !== "ready") await reaches(a, "ready");
        const outcome = await a.publish(key("flow"), bytes(value), { qos: "reliable" });
        if (outcome.kind === "accepted") return;
      }
    };
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < total) {
        const mine = next++;
        if (mine % 150 === 75) harness.cut("a");
        if (mine % 150 === 75)
          setImmediate(() => {
            harness.heal("a");
          });
        await until(String(mine));
      }
    };
    await harness.settled(Promise.all(Array.from({ length: 20 }, worker)), 30_000);
    const all = (): Set<string> => new Set(heard.all.map((delivery) => text(delivery.payload)));
    await harness.settled(heard.has(() => all().size === total));
    t.ok((a.counters["reconnects"] ?? 0) >= 4);
    t.pass(`${String(heard.all.length - total)} duplicates`);
  });

  scenario("a reconnect restores subscriptions, servers, watches and presence, marks the gap and raises the epoch", async (t, harness) => {
    const [a, b] = (await started(harness, "a")) as [Transport, Transport | undefined];
    t.equal(b, undefined);
    const back = harness.node("b");
    back.announce(key("live/b"), () => bytes("b is here"));
    const gaps: number[] = [];
    const [heard, presence, values] = [collector(), collector(), collector()];
    await harness.settled(back.subscribe(key("in"), heard.sink, { onGap: (epoch) => gaps.push(epoch) }));
    await harness.settled(back.serve(key("svc"), async () => Promise.resolve(bytes("yes"))));
    await harness.settled(back.watchLast(key("value/*"), values.sink));
    await harness.settled(a.watchLast(key("live/*"), presence.sink));
    await harness.settled(a.setLast(key("value/gone"), bytes("1")));
    await harness.settled(a.setLast(key("value/kept"), bytes("1")));
    await back.start();
    await harness.settled(reaches(back, "ready"));
    await harness.settled(presence.has((all) => all.length === 1));
    await harness.settled(values.has((all) => all.length === 2));
    t.same(back.state, { kind: "ready", epoch: 1 });
    harness.cut("b");
    await harness.settled(reaches(back, "down"));
    await harness.settled(presence.has((all) => all.length === 2));
    t.equal(presence.all[1]?.payload.length, 0, "its presence ended with its link");
    await harness.settled(a.setLast(key("value/gone"), new Uint8Array(0)));
    harness.heal("b");
    await harness.settled(reaches(back, "ready"));
    t.same(back.state, { kind: "ready", epoch: 2 });
    await harness.settled(presence.has((all) => all.length === 3));
    t.equal(text(presence.all[2]?.payload ?? bytes("")), "b is here");
    await harness.settled(a.publish(key("in"), bytes("again"), { qos: "reliable" }));
    await harness.settled(heard.has((all) => all.length === 1));
    t.equal(heard.all[0]?.epoch, 2);
    t.same(gaps, [2]);
    t.match(await harness.settled(a.ask(key("svc"), bytes("?"), { withinMs: 5_000 })), { kind: "replied" });
    await harness.settled(values.has((all) => all.some((delivery) => delivery.key === key("value/gone") && delivery.payload.length === 0)));
    t.equal(values.all.filter((delivery) => delivery.key === key("value/kept")).length, 1, "a value that did not change is told once");
  });

  scenario("last values stand for those who come later, newest only, and an empty one clears them", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    for (const value of ["1", "2", "3"]) await harness.settled(a.setLast(key("state/x"), bytes(value)));
    await harness.settled(a.setLast(key("state/y"), bytes("y")));
    await harness.settled(a.setLast(key("state/y"), new Uint8Array(0)));
    const [first, second, plain] = [collector(), collector(), collector()];
    await harness.settled(b.subscribe(key("state/*"), plain.sink));
    await harness.settled(b.watchLast(key("state/*"), first.sink));
    await harness.settled(first.has((all) => all.length > 0));
    await harness.settled(b.watchLast(key("state/*"), second.sink));
    await harness.settled(second.has((all) => all.length > 0));
    for (const heard of [first, second])
      t.same(
        heard.all.map((delivery) => text(delivery.payload)),
        ["3"],
      );
    t.equal(plain.all.length, 0, "a subscriber hears what is sent, not what stood before");
    await harness.settled(a.setLast(key("state/x"), bytes("4")));
    await harness.settled(a.setLast(key("state/x"), bytes("4")));
    await harness.settled(a.setLast(key("state/x"), new Uint8Array(0)));
    await harness.settled(Promise.all([first.has((all) => all.length === 3), second.has((all) => all.length === 3)]));
    t.same(
      first.all.map((delivery) => text(delivery.payload)),
      ["3", "4", ""],
      "the same value twice is one event",
    );
  });

  scenario("a clean stop withdraws presence and lets what is in flight end", async (t, harness) => {
    const [a] = (await started(harness, "a")) as [Transport];
    const b = harness.node("b");
    b.announce(key("live/b"), () => bytes("here"));
    const [presence, heard] = [collector(), collector()];
    await harness.settled(a.watchLast(key("live/*"), presence.sink));
    await harness.settled(a.subscribe(key("x"), heard.sink));
    await b.start();
    await harness.settled(reaches(b, "ready"));
    await harness.settled(presence.has((all) => all.length === 1));
    const sent = Array.from({ length: 100 }, () => b.publish(key("x"), bytes("1"), { qos: "reliable" }));
    await harness.settled(b.stop());
    t.same([...new Set((await harness.settled(Promise.all(sent))).map((outcome) => outcome.kind))], ["accepted"]);
    await harness.settled(presence.has((all) => all.length === 2));
    t.equal(presence.all[1]?.payload.length, 0);
    t.equal(b.state.kind, "down");
    await harness.settled(heard.has((all) => all.length === 100));
    await harness.settled(b.start());
    await harness.settled(reaches(b, "ready"));
    t.pass("and it can be started again");
  });

  scenario("a sink or handler that throws harms nobody else and is counted", async (t, harness) => {
    const [a, b] = (await started(harness, "a", "b")) as [Transport, Transport];
    const heard = collector();
    const bad = await harness.settled(
      b.subscribe(key("x"), () => {
        throw new Error("sink");
      }),
    );
    await harness.settled(b.subscribe(key("x"), heard.sink));
    b.onState(() => {
      throw new Error("listener");
    });
    await harness.settled(a.publish(key("x"), bytes("1"), { qos: "reliable" }));
    await harness.settled(heard.has((all) => all.length === 1));
    t.equal(bad.dropped, 1);
    t.equal(b.counters["sinkFailures"], 1);
  });

  scenario("a slow consumer stalls neither asks nor presence", async (t, harness) => {
    const [a, b, c] = (await started(harness, "a", "b", "c")) as [Transport, Transport, Transport];
    await harness.settled(
      b.subscribe(key("flood"), () => {
        for (let turn = 0; turn < 20_000; turn++) Math.sqrt(turn);
      }),
    );
    await harness.settled(c.serve(key("probe"), async () => Promise.resolve(bytes("ok"))));
    for (let index = 0; index < 1_500; index++) void a.publish(key("flood"), new Uint8Array(2_000), { qos: "drop" });
    t.match(await harness.settled(a.ask(key("probe"), bytes("?"), { withinMs: 5_000 })), { kind: "replied" });
  });

  scenario("a key that is none is a broken contract, said at the call", async (t, harness) => {
    const a = harness.node("a");
    for (const bad of ["", "a/+", "a/#", "a//b", "a/*"]) {
      await t.rejects(a.publish(bad, bytes("1"), { qos: "drop" }), { code: "DROVER_KEY_INVALID" });
      await t.rejects(a.ask(bad, bytes("1"), { withinMs: 10 }), { code: "DROVER_KEY_INVALID" });
      await t.rejects(a.setLast(bad, bytes("1")), { code: "DROVER_KEY_INVALID" });
    }
    await t.rejects(
      a.subscribe("a/**/b", () => undefined),
      { code: "DROVER_KEY_INVALID" },
    );
  });
}
