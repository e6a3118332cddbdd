import { test } from "tap";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { memoryNetwork } from "../../../runtime/simulation/memory-transport.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { collector, reaches, type TransportHarness, transportContract } from "../../contracts/transport.ts";

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

async function drive<T>(clock: ManualClock, promise: Promise<T>, withinMs = 60_000): Promise<T> {
  const progress = { open: true };
  const watched = promise.finally(() => (progress.open = false));
  watched.catch(() => undefined);
  await settle(3);
  for (let passed = 0; progress.open && passed < withinMs; passed += 5) await clock.advance(5);
  if (progress.open) throw new Error(`not settled within ${String(withinMs)} ms`);
  return watched;
}

function harness(latencyMs: number | readonly [number, number], reasonNoRoute = false): Promise<TransportHarness> {
  const clock = new ManualClock();
  const network = memoryNetwork({ clock, random: new SeededRandom(3), latencyMs, reasonNoRoute });
  return Promise.resolve({
    node: (name) => network.transport(name),
    cut: (name) => {
      network.cut(name);
    },
    heal: (name) => {
      network.heal(name);
    },
    settled: (promise, withinMs) => drive(clock, promise, withinMs),
    pass: (ms) => clock.advance(ms),
    elapsed: () => clock.monotonic(),
    close: () => Promise.resolve(),
  });
}

void test("the memory transport keeps the contract at once", (t) => {
  transportContract(t, () => harness(0));
  t.end();
});
void test("the memory transport keeps the contract with latency and jitter, and with a bus that knows routes", (t) => {
  transportContract(t, () => harness([1, 7], true));
  t.end();
});

void test("two parted nodes both stay ready, and nothing passes between them", async (t) => {
  const clock = new ManualClock();
  const network = memoryNetwork({ clock, random: new SeededRandom(1), latencyMs: 2 });
  const [a, b, c] = ["a", "b", "c"].map((name) => network.transport(name)) as [
    ReturnType<typeof network.transport>,
    ReturnType<typeof network.transport>,
    ReturnType<typeof network.transport>,
  ];
  for (const one of [a, b, c]) await one.start();
  await drive(clock, Promise.all([a, b, c].map((one) => reaches(one, "ready"))));
  const [atB, atC] = [collector(), collector()];
  await b.subscribe("x", atB.sink);
  await c.subscribe("x", atC.sink);
  await b.serve("svc", async () => Promise.resolve(bytes("yes")));
  network.cut("a", "b");
  t.equal((await drive(clock, a.publish("x", bytes("1"), { qos: "reliable" }))).kind, "accepted");
  t.equal((await drive(clock, a.ask("svc", bytes("?"), { withinMs: 100 }))).kind, "unknown");
  t.equal(atC.all.length, 1);
  t.equal(atB.all.length, 0);
  network.heal("b", "a");
  t.equal((await drive(clock, a.ask("svc", bytes("?"), { withinMs: 100 }))).kind, "replied");
});

void test("one seed gives one run: losses, doubles and overtaking repeat exactly, order within a key holds, confirmed messages are never lost", async (t) => {
  const run = async (seed: number): Promise<{ readonly heard: string[]; readonly lossy: number }> => {
    const clock = new ManualClock();
    const network = memoryNetwork({ clock, random: new SeededRandom(seed), latencyMs: [1, 9] });
    const [a, b] = [network.transport("a"), network.transport("b")];
    await a.start();
    await b.start();
    await drive(clock, Promise.all([reaches(a, "ready"), reaches(b, "ready")]));
    network.setFaults({ drop: 0.3, duplicate: 0.3, reorder: 0.5 });
    const heard = collector();
    const lossy = collector();
    await b.subscribe("k/*", heard.sink);
    await b.subscribe("lossy", lossy.sink);
    const sent: Promise<unknown>[] = [];
    for (let index = 0; index < 300; index++) {
      sent.push(a.publish(`k/${String(index % 3)}`, bytes(String(index)), { qos: "reliable" }));
      void a.publish("lossy", bytes("1"), { qos: "drop" });
    }
    await drive(clock, Promise.all(sent));
    await clock.advance(1_000);
    return { heard: heard.all.map((delivery) => `${delivery.key}=${new TextDecoder().decode(delivery.payload)}`), lossy: lossy.all.length };
  };
  const [first, again, other] = [await run(7), await run(7), await run(8)];
  t.same(first, again);
  t.notSame(first.heard, other.heard);
  t.equal(new Set(first.heard).size, 300);
  t.ok(first.heard.length > 330, "doubled");
  t.ok(first.lossy > 150 && first.lossy < 270, "dropped");
  for (const lane of ["k/0", "k/1", "k/2"]) {
    const numbers = [...new Set(first.heard.filter((line) => line.startsWith(lane)))].map((line) => Number(line.slice(4)));
    t.same(
      numbers,
      [...numbers].sort((x, y) => x - y),
      `${lane} in order`,
    );
  }
  const order = first.heard.map((line) => Number(line.slice(4)));
  t.ok(
    order.some((number, index) => index > 0 && number < (order[index - 1] ?? 0) - 3),
    "other keys overtake",
  );
});

void test("what was set, changed or cleared of last values while two nodes were parted is seen when they meet again, once and as it is then", async (t) => {
  const clock = new ManualClock();
  const network = memoryNetwork({ clock, random: new SeededRandom(1), latencyMs: 2 });
  const a = network.transport("a");
  const b = network.transport("b");
  for (const one of [a, b]) await one.start();
  await drive(clock, Promise.all([a, b].map((one) => reaches(one, "ready"))));
  const seen: string[] = [];
  await drive(
    clock,
    b.watchLast("v/*", ({ key, payload }) => seen.push(`${key}=${new TextDecoder().decode(payload)}`)),
  );
  const set = (key: string, value: string): Promise<unknown> => drive(clock, a.setLast(key, bytes(value)));
  await set("v/kept", "1");
  await set("v/cleared", "1");
  await clock.advance(50);
  seen.length = 0;
  network.cut("a", "b");
  await set("v/kept", "2");
  await set("v/kept", "3");
  await set("v/cleared", "");
  await set("v/made", "1");
  await clock.advance(50);
  t.same(seen, [], "parted");
  network.heal("a", "b");
  await clock.advance(50);
  t.same(seen.sort(), ["v/cleared=", "v/kept=3", "v/made=1"]);
  network.heal("a", "b");
  await clock.advance(50);
  t.equal(seen.length, 3);
});
