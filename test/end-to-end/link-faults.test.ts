// The link between vehicle and cloud is cut, goes silent, comes back: what a sender is told stays true, and nothing acts late or twice.

import tap, { test } from "tap";
import { type Fleet, fleet, GALLEY, lamp, lampFrames, nodeFrames, outputSeen, TORRENT } from "./fleet.ts";
import { until, whileFor } from "./until.ts";

const ON = (level: number): { readonly type: string; readonly output: string; readonly level: number } => ({ type: "light.set", output: "galley", level });
/** Beyond a deadline: far more than what the estimate of a way may err by. */
const LATE_MS = 1_000;

const one = await fleet(tap);
const before = { node: 0, lamp: 0 };

/** The fleet of all tests, its vehicle online. */
async function inOrder(): Promise<Fleet> {
  await one.ready();
  before.node = nodeFrames(one.rig).length;
  before.lamp = lampFrames(one.rig, GALLEY).length;
  return one;
}

/** What the node sent in this test. */
const sent = (): readonly string[] =>
  nodeFrames(one.rig)
    .slice(before.node)
    .map(({ data }) => data);

/** Frames of this test that set the galley's lamp. */
const lampsSet = (level?: number): number =>
  lampFrames(one.rig, GALLEY)
    .slice(before.lamp)
    .filter(({ data }) => level === undefined || Buffer.from(data, "hex")[1] === level).length;

test("O1, O2, S3. While the link is down a command is answered 503 with the age of what is known, and it never acts, not later either", async (t) => {
  const all = await inOrder();
  const { api, rig, link } = all;
  t.match(await api.ask(TORRENT, ON(50), { key: "before" }), { status: 200 });
  link.cut();
  await all.linkIs(false);
  const refused = await api.ask(TORRENT, ON(60), { key: "down" });
  t.match(refused, { status: 503, body: { type: "urn:drover:problem:owner-away" } });
  t.ok(Math.abs(Date.now() - Date.parse(String(refused.body.asOf))) < 20_000 || refused.body.asOf > Date.now() - 20_000, `asOf ${JSON.stringify(refused.body)}`);
  t.match(await api.tell(TORRENT, ON(61), "down-told"), { status: 503, body: { type: "urn:drover:problem:owner-away" } });
  const seen = await api.actor(TORRENT);
  t.equal(seen.status, 200, "the last known state is still shown");
  t.type(seen.body.staleMs, "number");
  t.match((await api.actor("demo/vehicle/trailer-01")).body, { presence: /^(online|late)$/ });
  link.heal();
  await all.linkIs(true);
  t.match(await api.ask(TORRENT, ON(70), { key: "after" }), { status: 200, body: { reply: { outcome: "confirmed" } } });
  await whileFor("nothing of what was refused acts", 1_000, () => lamp(rig, GALLEY) === 70);
  t.same(sent(), ["0032", "0046"]);
});

test("F2, M2, S3. A command that is in flight when the link is cut is unknown; its key asked again gives its one true outcome", async (t) => {
  const all = await inOrder();
  const { api, rig, link } = all;
  // The module says nothing for a moment: its word must not be back before the link goes.
  rig.rig.mute("torrent-0");
  const inFlight = api.ask(TORRENT, ON(80), { key: "flight", timeoutMs: 2_000 });
  await until("its frame was on the bus", 2_000, () => lampsSet(80) === 1);
  link.cut();
  rig.rig.unmute("torrent-0");
  const cut = await inFlight;
  t.match(cut, { status: 504, body: { type: "urn:drover:problem:outcome-unknown" } });
  t.ok(cut.ms < 3_000, `told after ${cut.ms.toFixed(0)} ms`);
  t.match(await api.ask(TORRENT, ON(80), { key: "flight" }), { status: 504, body: { type: "urn:drover:problem:outcome-unknown" } }, "nobody knows meanwhile, and nothing is sent");
  link.heal();
  await all.linkIs(true);
  const again = await api.ask(TORRENT, ON(80), { key: "flight" });
  t.match(again, { status: 200, body: { outcome: "replied", id: "flight", reply: { outcome: "confirmed", value: 80 } } });
  t.equal(lampsSet(), 1, "it acted once");
});

test("O3, S3. Over a link that is silent a sender is told in time that the outcome is unknown, and what arrives past its deadline does not act", async (t) => {
  const all = await inOrder();
  const { api, rig, link } = all;
  t.match(await api.ask(TORRENT, ON(10), { key: "warm" }), { status: 200 });
  link.hold();
  const late = await api.ask(TORRENT, ON(90), { key: "late", timeoutMs: 700 });
  t.match(late, { status: 504, body: { type: "urn:drover:problem:outcome-unknown" } });
  t.ok(late.ms < 2_000, `told after ${late.ms.toFixed(0)} ms`);
  await whileFor("it is on its way for longer than a busy machine takes", LATE_MS, () => lampsSet(90) === 0);
  link.release();
  await whileFor("the late command does not act", 1_500, () => lampsSet(90) === 0);
  t.equal(lamp(rig, GALLEY), 10);
  await all.linkIs(true);
  t.match(await api.ask(TORRENT, ON(90), { key: "late" }), { status: 200, body: { reply: { outcome: "confirmed" } } }, "asked again it is a command of now, once");
  t.equal(lampsSet(90), 1);
});

test("S5, S6. A link that stays silent is given up within its keepalive; the vehicle goes on alone and comes back by itself", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, link } = all;
  link.hold();
  await all.linkIs(false);
  t.match(await api.ask(TORRENT, ON(33), { key: "silent", timeoutMs: 500 }), { status: 503 });
  link.cut();
  link.heal();
  await all.linkIs(true);
  t.match(await api.ask(TORRENT, ON(34), { key: "back" }), { status: 200 });
  t.same(sent(), ["0022"]);
});

test("O3. The very first command of a restarted cloud is refused past its deadline too", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, rig, link } = all;
  await all.stopCloud();
  await all.startCloud();
  await all.ready();
  for (const press of [1, 2]) {
    const turn = outputSeen(all, TORRENT, "galley")?.turn ?? 0;
    rig.rig.wallButton("torrent-0", GALLEY);
    await until(`the vehicle's stream goes on, press ${press}`, 5_000, () => (outputSeen(all, TORRENT, "galley")?.turn ?? 0) > turn);
  }
  link.hold();
  t.match(await api.ask(TORRENT, ON(90), { key: "first", timeoutMs: 500 }), { status: 504 });
  await whileFor("it is on its way for longer than a busy machine takes", LATE_MS, () => sent().length === 0);
  link.release();
  await whileFor("it does not act", 1_500, () => sent().length === 0);
  t.match(await api.ask(TORRENT, ON(91), { key: "second" }), { status: 200 });
  t.same(sent(), ["005b"]);
});

test("S3, M2. A key whose command was sent is never told that nothing was sent: while the owner is away its outcome is unknown, or what was heard of it", async (t) => {
  const all = await inOrder();
  const { api, rig, link } = all;
  t.match(await api.ask(TORRENT, ON(20), { key: "heard" }), { status: 200, body: { reply: { outcome: "confirmed" } } });
  rig.rig.mute("torrent-0");
  t.match(await api.ask(TORRENT, ON(30), { key: "unheard", timeoutMs: 300 }), { status: 504, body: { type: "urn:drover:problem:outcome-unknown" } });
  rig.rig.unmute("torrent-0");
  link.cut();
  await all.linkIs(false);
  t.match(await api.ask(TORRENT, ON(20), { key: "heard" }), { status: 200, body: { reply: { outcome: "confirmed", value: 20 } } });
  t.match(await api.ask(TORRENT, ON(30), { key: "unheard" }), { status: 504, body: { type: "urn:drover:problem:outcome-unknown", detail: /was sent/ } });
  t.match(await api.ask(TORRENT, ON(31), { key: "unheard" }), { status: 422, body: { type: "urn:drover:problem:id-reused" } }, "another message may not have its key");
  t.match(await api.ask(TORRENT, ON(40), { key: "new" }), { status: 503, body: { detail: /not sent by this request/ } });
  link.heal();
  await all.linkIs(true);
  t.match(await api.ask(TORRENT, ON(30), { key: "unheard" }), { status: 200, body: { reply: { outcome: "confirmed", value: 30 } } }, "the one true outcome");
  t.equal(lampsSet(40), 0);
});
