// The other direction: whatever stands where the cloud should be says or answers every wrong thing, and the vehicle's own API goes on answering, its node runs on.

import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import { realPorts } from "../../edge-node/ports.ts";
import { systemClock, systemRandom, vehicleNames } from "../../runtime/index.ts";
import { memoryNetwork } from "../../runtime/simulation/memory-transport.ts";
import { apiWatch } from "./api-watch.ts";
import { evilEnvelope, type Mutation, mutationsByPlace } from "./bad-values.ts";
import { demoFile, scratchFolder, THERMA, TORRENT, TRAILER } from "./fleet.ts";
import { until } from "./until.ts";

const LOOK_EVERY = 6;
const names = vehicleNames("demo", "trailer-01");
const sender = { id: "m", node: "cloud-1", session: "s", sentAt: 5 };
const timed = { remainingMs: 500, expiresInMs: 60_000 };

test("S10, S6. Whatever the cloud says or answers, the vehicle's API answers and its node runs on", { timeout: 120_000 }, async (t) => {
  const data = scratchFolder(t);
  const network = memoryNetwork({ clock: systemClock, random: systemRandom });
  const evil = network.transport("evil");
  await evil.start();
  let ack: unknown = { position: { revision: 0 }, refused: null };
  let acked = 0;
  for (const path of ["stream", "telemetry", "in"])
    await evil.serve(names.up(path), () => {
      acked++;
      return Promise.resolve(evilEnvelope(path === "in" ? "answer" : "stream-ack", { ...sender, body: ack }));
    });
  const edge = createEdgeNode(
    { vehicle: demoFile("vehicles", "trailer-01.yaml"), data, buses: { can0: "virtual:can0" }, uplink: { url: "mqtt://in-memory" }, http: { port: 0 } },
    { ...realPorts, transport: () => network.transport("edge") },
  );
  t.teardown(async () => {
    await edge.stop();
    await evil.stop();
  });
  await edge.start();
  const watch = apiWatch(data, () => edge.apiUrl ?? "");
  await until("the vehicle serves its commands", 10_000, async () => (await evil.ask(names.down("in"), evilEnvelope("tell", sender), { withinMs: 500 })).kind === "replied");

  const wrong: string[] = [];
  let said = 0;
  async function all(kind: string, sample: unknown, say: (mutation: Mutation, number: number) => Promise<unknown>): Promise<void> {
    const places = mutationsByPlace(sample);
    let place = 0;
    for (const [path, list] of places) {
      await Promise.all(list.map((mutation) => say(mutation, said++)));
      place++;
      if (place % LOOK_EVERY !== 0 && place < places.size) continue;
      const bad = await watch.bad(TRAILER, TORRENT, THERMA);
      if (bad.length > 0) wrong.push(`${kind}, up to ${path}: ${bad.join("; ")}`);
    }
  }
  const down = (fields: unknown): Promise<unknown> => evil.ask(names.down("in"), evilEnvelope("ask", fields), { withinMs: 2_000 });
  const command =
    (to: string) =>
    ({ value }: Mutation, number: number): Promise<unknown> =>
      down({ ...sender, ...timed, id: `c${String(number)}`, to, author: "ann", body: value });

  for (const [to, body] of [
    [TORRENT, { type: "light.set", output: "galley", level: 5, deadlineMs: 100, ttlMs: 200, against: 1 }],
    [THERMA, { type: "climate.setpoint.request", value: 21 }],
    [TRAILER, { type: "bus.mute", bus: "can0" }],
  ] as const)
    await all(body.type, body, command(to));
  const whole = {
    ...sender,
    ...timed,
    entity: "demo/requests/trailer-01",
    incarnation: "i",
    seq: 1,
    oldest: 1,
    epoch: 1,
    to: TRAILER,
    correlation: "c",
    replyKey: "r",
    answers: "a",
    trace: "t",
    author: "ann",
    against: 1,
    body: { type: "reply", value: 1 },
  };
  await all("message", whole, ({ value }) => down(value));
  await all("acknowledgement", { position: { incarnation: "i", revision: 1 }, refused: "r" }, async ({ value }) => {
    ack = value;
    await edge.system.tell(TRAILER, { type: "bus.mute", bus: "can0" });
  });
  t.same(wrong, []);
  t.ok(said > 1_000 && acked > 0, `${String(said)} said, ${String(acked)} answered`);
  t.match(edge.system.read(TRAILER as never), { status: "active" });
});
