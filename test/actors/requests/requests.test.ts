import { test } from "tap";
import { MAX_WAITING } from "../../../actors/requests/index.ts";
import { parseAddress } from "../../../runtime/index.ts";
import { type Cloud, cloudActors } from "../cloud-actors.ts";

const R = parseAddress("acme/requests/v1");
const create = { input: undefined };
const keep = ({ clock }: Cloud, request: string): { type: string; [key: string]: unknown } => ({
  type: "request.keep",
  request,
  to: "acme/vehicle/v1/module/therma",
  event: { type: "climate.setpoint.request", celsius: 21 },
  author: "ann",
  expiresAt: clock.now() + 60_000,
});
const waiting = ({ system }: Cloud): readonly string[] => Object.keys((system.read(R)?.context as { waiting: object }).waiting);

test("O2. a request that waits is kept once under its id, forwarded until it is settled, and its outcome stays to be read", async (t) => {
  const cloud = await cloudActors();
  t.match(await cloud.system.inform(R, keep(cloud, "k1"), create), { kind: "accepted" });
  t.match(await cloud.system.inform(R, keep(cloud, "k1")), { kind: "refused" });
  t.same(cloud.forwarded, [{ request: "k1", to: "acme/vehicle/v1/module/therma" }]);
  await cloud.system.inform(R, { type: "request.settled", request: "k1", outcome: "replied" });
  t.same(waiting(cloud), []);
  t.match(cloud.system.read(R)?.context, { settled: [{ request: "k1", outcome: "replied" }] });
  t.match(await cloud.system.inform(R, { type: "request.settled", request: "k1", outcome: "replied" }), { kind: "refused" });
  await cloud.system.stop();
});

test("F1, S3. a request that waits is forwarded again after a kill of the cloud, under the same id", async (t) => {
  const first = await cloudActors({ forward: () => new Promise(() => undefined) });
  await first.system.inform(R, keep(first, "k1"), create);
  await first.system.stop();
  const again = await cloudActors({ disk: first.disk, clock: first.clock });
  await again.system.activate(R, create);
  await first.clock.advance(10);
  t.same(again.forwarded, [{ request: "k1", to: "acme/vehicle/v1/module/therma" }]);
  t.same(waiting(again), ["k1"]);
  await again.system.stop();
});

test("F1. a forwarding that fails is repeated until it is done", async (t) => {
  let failures = 2;
  const cloud = await cloudActors({
    forward: () => {
      if (failures-- > 0) throw new Error("the vehicle's word is outstanding");
    },
  });
  await cloud.system.inform(R, keep(cloud, "k1"), create);
  await cloud.clock.advance(10_000);
  t.equal(cloud.forwarded.length, 3);
  await cloud.system.stop();
});

test("S5. requests that wait have a bound", async (t) => {
  const cloud = await cloudActors({ forward: () => new Promise(() => undefined) });
  await cloud.system.activate(R, create);
  await Promise.all(Array.from({ length: MAX_WAITING }, (_, n) => cloud.system.inform(R, keep(cloud, `k${String(n)}`))));
  t.match(await cloud.system.inform(R, keep(cloud, "one more")), { kind: "refused" });
  t.equal(waiting(cloud).length, MAX_WAITING);
  await cloud.system.stop();
});
