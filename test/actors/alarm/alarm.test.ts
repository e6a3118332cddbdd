import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { cloudActors } from "../cloud-actors.ts";

const A = parseAddress("acme/alarm/v1.store");
const raise = { type: "alarm.raise", title: "moved aside", severity: "critical", about: "acme/vehicle/v1" };

test("an alarm is raised, counted while it stands, acknowledged by a person, cleared, and raised anew", async (t) => {
  const { system, clock } = await cloudActors();
  const state = (): unknown => system.read(A)?.state;
  const context = (): Record<string, unknown> => system.read(A)?.context as Record<string, unknown>;
  await system.tell(A, raise, { create: { input: undefined } });
  t.equal(state(), "raised");
  await system.tell(A, { ...raise, title: "again" });
  t.match(context(), { count: 2, title: "again" });
  await clock.advance(1_000);
  await system.tell(A, { type: "alarm.acknowledge", by: "ann", note: "seen" });
  t.equal(state(), "acknowledged");
  t.match(context()["acknowledged"], { by: "ann", at: clock.now(), note: "seen" });
  await system.tell(A, raise);
  t.equal(state(), "acknowledged", "it stays acknowledged while it is the same one");
  t.match(await system.tell(A, { type: "alarm.acknowledge", by: "bob" }), { kind: "refused", accepts: ["alarm.raise", "alarm.clear"] });
  await system.tell(A, { type: "alarm.clear" });
  t.equal(state(), "cleared");
  await system.tell(A, raise);
  t.match(context(), { count: 1 });
  t.equal((context()["acknowledged"] as { by?: string } | undefined)?.by, undefined, "a new one is nobody's yet");
  await system.stop();
});

test("M2. one alarm raised twice under one id counts once; what is no alarm is refused", async (t) => {
  const { system } = await cloudActors();
  for (let time = 0; time < 2; time++) t.match(await system.tell(A, raise, { id: "loss-1", author: "edge", create: { input: undefined } }), { kind: "accepted" });
  t.match(system.read(A)?.context, { count: 1 });
  t.match(await system.tell(A, { ...raise, severity: "terrible" }), { kind: "invalid", problems: [{ path: "/severity" }] });
  await system.stop();
});
