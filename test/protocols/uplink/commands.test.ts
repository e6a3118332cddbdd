import { test } from "tap";
import { decodeEnvelope, encodeEnvelope, vehicleNames } from "../../../runtime/index.ts";
import { type Cloud, type Edge, ended, type Fleet, fleet, odometer, VEHICLE } from "./fleet.ts";

const drive = (by: number): { type: string; by: number } => ({ type: "drive", by });

async function world(seed: number, latencyMs = 10): Promise<{ readonly fleet: Fleet; readonly cloud: Cloud; readonly edge: Edge }> {
  const made = fleet(seed, latencyMs);
  const [cloud, edge] = [await made.cloud(), await made.edge()];
  await made.clock.advance(1_000);
  return { fleet: made, cloud, edge };
}

test("O2. a command is answered on the owner's word, once for one id", async (t) => {
  const { fleet: made, cloud, edge } = await world(1);
  const ask = async (): Promise<unknown> => {
    const asked = cloud.system.ask(VEHICLE, drive(5), { withinMs: 1_000, id: "k1", author: "ann" });
    await made.clock.advance(200);
    return asked;
  };
  t.same(await ask(), { kind: "replied", value: { odometer: 5 } });
  t.same(await ask(), { kind: "replied", value: { odometer: 5 } });
  t.equal(odometer(edge), 5);
  const [entry] = (await edge.system.history(VEHICLE, { limit: 1, order: "newest-first" })).items;
  t.match(entry?.inputs[0], { author: "ann" });
  await ended(made.clock, cloud, edge);
});

test("O1, O2. with no link the owner is away: nothing is sent, and it never acts later", async (t) => {
  const { fleet: made, cloud, edge } = await world(2);
  made.network.cut("cloud");
  t.match(await cloud.system.tell(VEHICLE, drive(5), { id: "k1" }), { kind: "owner-away" });
  made.network.heal("cloud");
  await made.clock.advance(120_000);
  t.equal(odometer(edge), 0);
  await ended(made.clock, cloud, edge);
});

test("S3. in flight when the link is cut the outcome is unknown, and the same id asked again gives the one true outcome", async (t) => {
  for (let seed = 0; seed < 12; seed++) {
    const { fleet: made, cloud, edge } = await world(seed);
    const asked = cloud.system.ask(VEHICLE, drive(5), { withinMs: 5_000, id: "k1" });
    await made.clock.advance(5 + seed * 3);
    made.network.cut("cloud");
    const first = await asked;
    const acted = odometer(edge);
    t.ok(first.kind === "unknown" || first.kind === "replied", first.kind);
    made.network.heal("cloud");
    await made.clock.advance(500);
    const again = cloud.system.ask(VEHICLE, drive(5), { withinMs: 5_000, id: "k1" });
    await made.clock.advance(500);
    t.same(await again, { kind: "replied", value: { odometer: 5 } }, `acted before: ${String(acted)}`);
    t.equal(odometer(edge), 5);
    await ended(made.clock, cloud, edge);
  }
});

test("M2. the outcome of an id is the vehicle's: it outlives a kill of either node", async (t) => {
  const made = fleet(3, 10);
  let [cloud, edge] = [await made.cloud(), await made.edge()];
  await made.clock.advance(1_000);
  const ask = async (): Promise<unknown> => {
    const asked = cloud.system.ask(VEHICLE, drive(5), { withinMs: 1_000, id: "k1", author: "ann" });
    await made.clock.advance(1_100);
    return asked;
  };
  const first = await ask();
  edge.kill();
  edge = await made.edge({ disk: edge.disk });
  cloud.kill();
  cloud = await made.cloud({ disk: cloud.disk });
  await made.clock.advance(1_000);
  t.same(await ask(), first);
  t.equal(odometer(edge), 5);
  await ended(made.clock, cloud, edge);
});

test("O1. a command that a stalled link held past its deadline is refused on arrival", async (t) => {
  const { fleet: made, cloud, edge } = await world(4);
  const sender = made.network.transport("cloud");
  const session = "cloud-run:1";
  const key = vehicleNames("acme", "v1").down("in");
  const send = async (id: string, sentAt: number): Promise<unknown> => {
    const payload = encodeEnvelope({ kind: "tell", id, sender: { node: "cloud", session, sentAt }, to: VEHICLE, remainingMs: 2_000, expiresInMs: 60_000, body: drive(1) });
    const asked = sender.ask(key, payload, { withinMs: 1_000 });
    await made.clock.advance(200);
    const outcome = await asked;
    const decoded = outcome.kind === "replied" ? decodeEnvelope(outcome.payload) : undefined;
    return decoded?.ok === true ? decoded.envelope.body : outcome;
  };
  t.match(await send("fast", made.clock.monotonic()), { kind: "accepted" });
  t.match(await send("late", made.clock.monotonic() - 3_000), { kind: "deadline" });
  t.match(await send("slow", made.clock.monotonic() - 1_000), { kind: "accepted" });
  t.equal(odometer(edge), 2);
  await ended(made.clock, cloud, edge);
});

test("S10. what cannot be read, and who names another as its sender, gets an answer and is counted", async (t) => {
  const { fleet: made, cloud, edge } = await world(5);
  const stranger = made.network.transport("stranger");
  await stranger.start();
  await made.clock.advance(50);
  const key = vehicleNames("acme", "v1").down("in");
  const send = async (payload: Uint8Array): Promise<unknown> => {
    const asked = stranger.ask(key, payload, { withinMs: 1_000 });
    await made.clock.advance(200);
    const outcome = await asked;
    const decoded = outcome.kind === "replied" ? decodeEnvelope(outcome.payload) : undefined;
    return decoded?.ok === true ? decoded.envelope.body : outcome;
  };
  const sender = { node: "stranger" };
  t.match(await send(new Uint8Array([9, 9, 9])), { kind: "invalid" });
  t.match(await send(encodeEnvelope({ kind: "tell", id: "1", sender, body: drive(1) })), { kind: "invalid", problems: [{ message: "no address" }] });
  t.match(await send(encodeEnvelope({ kind: "tell", id: "2", sender, to: VEHICLE, remainingMs: 1_000, expiresInMs: 1_000, body: 7 })), { kind: "invalid" });
  t.match(
    await send(encodeEnvelope({ kind: "tell", id: "3", sender, to: VEHICLE, remainingMs: 1_000, body: drive(1) })),
    { kind: "invalid" },
    "without an expiry its id could not be kept",
  );
  t.match(await send(encodeEnvelope({ kind: "tell", id: "4", sender, to: VEHICLE, remainingMs: 1_000, expiresInMs: 1e12, body: drive(1) })), { kind: "invalid" });
  t.match(
    await send(encodeEnvelope({ kind: "tell", id: "5", sender, to: VEHICLE, answers: "some-ask", remainingMs: 1_000, expiresInMs: 1_000, body: { type: "reply", value: 1 } })),
    { kind: "invalid" },
    "an answer is an entity's to give",
  );
  t.equal(odometer(edge), 0);
  await ended(made.clock, cloud, edge);
});

test("S3. a message that cannot be written to the wire is refused as invalid, not thrown", async (t) => {
  const { fleet: made, cloud, edge } = await world(6);
  const circle: Record<string, unknown> = { type: "drive", by: 1 };
  circle["self"] = circle;
  t.match(await cloud.system.tell(VEHICLE, circle as never), { kind: "invalid" });
  await ended(made.clock, cloud, edge);
});
