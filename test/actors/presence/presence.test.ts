import { test } from "tap";
import { presenceOf } from "../../../actors/index.ts";
import { parseAddress } from "../../../runtime/index.ts";
import { type Cloud, cloudActors } from "../cloud-actors.ts";

const P = parseAddress("acme/presence/v1");
const create = { input: undefined };
const up = { type: "link.up", node: "edge", session: "s1" };
const presence = ({ system }: Cloud): string => presenceOf(system.read(P)?.state);

test("a vehicle is unknown until it is heard, then online; a short loss is forgiven, a longer one is late, then lost", async (t) => {
  const cloud = await cloudActors();
  const { system, clock } = cloud;
  await system.inform(P, { type: "watch.began" }, create);
  t.equal(presence(cloud), "unknown");
  await system.inform(P, up);
  t.equal(presence(cloud), "online");
  await system.inform(P, { type: "link.down" });
  await clock.advance(2_000);
  t.equal(presence(cloud), "online");
  await system.inform(P, { ...up, session: "s2" });
  await clock.advance(10_000);
  t.equal(presence(cloud), "online");
  await system.inform(P, { type: "link.down" });
  await clock.advance(3_100);
  t.equal(presence(cloud), "late");
  await clock.advance(60_100);
  t.equal(presence(cloud), "lost");
  await system.inform(P, up);
  t.equal(presence(cloud), "online");
  await system.stop();
});

test("S7. a vehicle that does not come back is lost also over a restart of the cloud; one never heard is lost after a minute", async (t) => {
  const first = await cloudActors();
  await first.system.inform(P, up, create);
  await first.system.inform(P, { type: "link.down" });
  await first.clock.advance(4_000);
  await first.system.stop();
  const again = await cloudActors({ disk: first.disk, clock: first.clock });
  await again.system.inform(P, { type: "watch.began" }, create);
  t.equal(presence(again), "late");
  await first.clock.advance(60_000);
  t.equal(presence(again), "lost");
  const other = parseAddress("acme/presence/v2");
  await again.system.inform(other, { type: "watch.began" }, create);
  await first.clock.advance(60_100);
  t.equal(presenceOf(again.system.read(other)?.state), "lost");
  await again.system.stop();
});

test("a cloud that starts again does not say online of a vehicle that it has not heard since", async (t) => {
  for (const isWavering of [false, true]) {
    const first = await cloudActors();
    await first.system.inform(P, up, create);
    if (isWavering) await first.system.inform(P, { type: "link.down" });
    await first.system.stop();
    const again = await cloudActors({ disk: first.disk, clock: first.clock });
    await again.system.inform(P, { type: "watch.began" }, create);
    t.equal(presence(again), "unknown");
    await first.clock.advance(60_100);
    t.equal(presence(again), "lost");
    await again.system.inform(P, up);
    t.equal(presence(again), "online");
    await again.system.stop();
  }
});

test("S10. presence is the node's own word: nothing of it is taken from outside", async (t) => {
  const { system } = await cloudActors();
  await system.activate(P, create);
  t.match(await system.tell(P, up), { kind: "invalid" });
  await system.stop();
});
