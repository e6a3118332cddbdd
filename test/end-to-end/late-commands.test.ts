// What is past its time does not act: after a kill between commit and bus, and after a node was frozen.

import { setTimeout as pause } from "node:timers/promises";
import tap, { test } from "tap";
import { nodeFrames, THERMA, TORRENT } from "./fleet.ts";
import { freeze, processFleet } from "./processes.ts";
import { until, whileFor } from "./until.ts";

const ON = (level: number): { readonly type: string; readonly output: string; readonly level: number } => ({ type: "light.set", output: "galley", level });
const FILE_MS = 120_000;

tap.setTimeout(FILE_MS);
tap.comment(`timeout=${FILE_MS}`);

/** One for all: each test waits until the vehicle answers, and counts frames from there. */
const fleet = await processFleet(tap, ["trailer-01"]);

test("F1, S11. An edge node that was killed with a command committed and not sent sends nothing after its restart, and tells that its outcome is unknown", {
  timeout: 200_000,
}, async (t) => {
  const { api, rig } = fleet;
  await until("the lamp can be set", 10_000, async () => (await api.ask(TORRENT, ON(1), { key: `warm-${performance.now()}` })).status === 200);
  const before = nodeFrames(rig).length;
  // Nobody acknowledges the node's frames: what it sends stays before the bus.
  rig.rig.noAcknowledgement("clients");
  t.match(await api.tell(TORRENT, ON(77), "stuck"), { status: 202, body: { durable: "local" } });
  fleet.kill("trailer-01");
  await until("it was restarted", 10_000, () => fleet.child("trailer-01").restarts === 1 && fleet.child("trailer-01").state === "running");
  rig.rig.noAcknowledgement("none");
  await until("it is back", 10_000, () => fleet.isUp("trailer-01"));
  await whileFor("nothing is sent", 2_000, () => nodeFrames(rig).length === before);
  const { status, body } = await until("its outcome", 20_000, async () => {
    const answer = await api.ask(TORRENT, ON(77), { key: "stuck", timeoutMs: 15_000 });
    return answer.status === 503 ? undefined : answer;
  });
  t.match({ status, type: body.type }, { status: 504, type: "urn:drover:problem:outcome-unknown" });
  t.equal(nodeFrames(rig).length, before);
  t.match(await api.ask(TORRENT, ON(78), { key: "next" }), { status: 200 });
});

test("S11, F2. A node that was frozen past a command's time sends nothing when it goes on", { timeout: 200_000 }, async (t) => {
  const { api, rig } = fleet;
  await until("the lamp can be set", 10_000, async () => (await api.ask(TORRENT, ON(1), { key: `warm-${performance.now()}` })).status === 200);
  const before = nodeFrames(rig).length;
  const goOn = freeze(t, fleet);
  t.match(await api.ask(TORRENT, ON(66), { key: "asleep", timeoutMs: 600 }), { status: 504 });
  await pause(1_000);
  goOn();
  await whileFor("nothing is sent", 1_500, () => nodeFrames(rig).length === before);
  t.match(await api.ask(TORRENT, ON(67), { key: "awake" }), { status: 200 });
  t.equal(nodeFrames(rig).length, before + 1);
});

test("M2, O2, F1. A command that may wait and reached a frozen node is followed up by the cloud: it acts once, and its outcome stands in its request and under its key", {
  timeout: 200_000,
}, async (t) => {
  const { api, rig } = fleet;
  const wish = { type: "climate.setpoint.request", value: 24 } as const;
  const wishes = (): number => nodeFrames(rig).filter(({ id }) => id === 0x41).length;
  await until("a set point can be asked for", 20_000, async () => (await api.ask(THERMA, { ...wish, value: 19 }, { key: "warm" })).status === 200);
  const before = wishes();
  const goOn = freeze(t, fleet);
  t.match(await api.ask(THERMA, wish, { key: "frozen", timeoutMs: 600 }), { status: 504, body: { detail: /told in demo\/requests\/trailer-01/ } });
  t.match((await api.actor("demo/requests/trailer-01")).body, { context: { waiting: [{ request: "frozen", sent: true }] } });
  goOn();
  const settled = await until("its outcome, asked for by nobody", 20_000, async () => {
    const { body } = await api.actor("demo/requests/trailer-01");
    return (body.context.settled as readonly { readonly request: string; readonly outcome: string }[]).find(({ request }) => request === "frozen");
  });
  t.match(settled, { outcome: "confirmed" });
  t.match(await api.ask(THERMA, wish, { key: "frozen" }), { status: 200, body: { reply: { outcome: "confirmed", value: 24 } } });
  t.equal(wishes(), before + 1, "it acted once");
});
