import { test } from "tap";
import { type Delivery, silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { AskServer, LastValues, PendingAsks } from "../../../runtime/wire/index.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);
const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
const value = (key: string, payload: string): Delivery => ({ key, payload: bytes(payload), epoch: 1 });

test("presence is a set: the same value twice is one event, an end of what was not there is none", (t) => {
  const values = new LastValues();
  const heard: string[] = [];
  values.join((delivery) => heard.push(`${delivery.key}=${text(delivery.payload)}`), 1);
  for (const [key, payload] of [
    ["a", "1"],
    ["a", "1"],
    ["a", ""],
    ["a", ""],
    ["b", ""],
    ["a", "2"],
  ] as const)
    values.offer(value(key, payload));
  t.same(heard, ["a=1", "a=", "a=2"]);
  t.end();
});

test("what a bus does not give again after a reconnect has ended meanwhile", (t) => {
  const values = new LastValues();
  const heard: string[] = [];
  values.join((delivery) => heard.push(`${delivery.key}=${text(delivery.payload)}@${String(delivery.epoch)}`), 1);
  for (const key of ["kept", "changed", "ended"]) values.offer(value(key, "1"));
  values.beginResync();
  values.offer({ ...value("kept", "1"), epoch: 2 });
  values.offer({ ...value("changed", "2"), epoch: 2 });
  values.endResync(2);
  t.same(heard.slice(3), ["changed=2@2", "ended=@2"]);
  values.endResync(2);
  t.equal(heard.length, 5);
  t.end();
});

test("S5. keys beyond the bound are passed on, not remembered, and counted", (t) => {
  const values = new LastValues(2);
  let heard = 0;
  values.join(() => heard++, 1);
  for (const key of ["a", "b", "c", "c", "a"]) values.offer(value(key, "1"));
  t.equal(heard, 4);
  t.equal(values.unremembered, 2);
  t.end();
});

test("S5. a handler that never ends holds its slot no longer than its asker waits", async (t) => {
  const clock = new ManualClock();
  const server = new AskServer("x", () => new Promise<Uint8Array>(() => undefined), 1, clock, silentLog);
  const answers: (Uint8Array | undefined)[] = [];
  const take = (): void => server.take(value("x", "?"), 500, (answer) => answers.push(answer));
  take();
  take();
  t.same(answers, [undefined], "the second is refused at once");
  await clock.advance(500);
  t.equal(server.inFlight, 0);
  take();
  t.equal(server.inFlight, 1);
  t.equal(server.refused, 1);
});

test("an answer that comes late, twice, or from elsewhere settles nothing", async (t) => {
  const clock = new ManualClock();
  const asks = new PendingAsks(clock);
  const first = asks.open("1", "svc", "inbox/a", 100);
  const second = asks.open("2", "svc", "inbox/a", 100);
  t.notOk(asks.settle("1", "inbox/other", { kind: "replied", payload: bytes("forged") }));
  t.ok(asks.settle("1", "inbox/a", { kind: "replied", payload: bytes("yes") }));
  t.notOk(asks.settle("1", "inbox/a", { kind: "replied", payload: bytes("again") }));
  await clock.advance(100);
  t.notOk(asks.settle("2", "inbox/a", { kind: "replied", payload: bytes("late") }));
  t.match(await first, { kind: "replied" });
  t.match(await second, { kind: "unknown" });
  t.equal(asks.size, 0);
  await settle();
});

const vehicle = (name: string, path = "in"): string => `drover/v1/v/acme/${name}/down/${path}`;

test("S5. each peer has a bound of its own, over all its keys, and none can use up what all have together", async (t) => {
  const clock = new ManualClock();
  const asks = new PendingAsks(clock, { toOnePeer: 2, inAll: 5 });
  let correlation = 0;
  const open = (key: string): Promise<unknown> => asks.open(String(++correlation), key, "inbox/a", 60_000);
  const ask = (key: string): Promise<unknown> | string => asks.refusal(key) ?? open(key);
  const frozen = [open(vehicle("v1")), open(vehicle("v1", "other"))];
  t.equal(ask(vehicle("v1")), "2 requests to vehicle acme/v1 are still without an answer");
  for (const well of ["v2", "v3"]) t.type(ask(vehicle(well)), Promise, well);
  t.type(ask("drover/v1/n/cloud-2/in"), Promise);
  t.equal(ask(vehicle("v4")), "5 requests of this node are still without an answer");
  asks.losePeer(vehicle("v1"), "its session ended");
  t.same(await Promise.all(frozen), [
    { kind: "unknown", reason: "its session ended" },
    { kind: "unknown", reason: "its session ended" },
  ]);
  t.equal(asks.size, 3, "those to others stay open");
  t.notOk(asks.settle("1", "inbox/a", { kind: "replied", payload: bytes("late") }));
  t.type(ask(vehicle("v1")), Promise);
  await clock.advance(60_000);
  t.equal(asks.size, 0);
  t.type(ask(vehicle("v4")), Promise);
});
