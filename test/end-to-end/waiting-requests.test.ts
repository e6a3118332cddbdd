// A request that may wait for its vehicle: kept in the cloud, acts once when the vehicle is there, its outcome under its key; whoever turned the knob meanwhile wins.

import tap, { test } from "tap";
import { type Fleet, fleet, nodeFrames, outputAt, THERMA } from "./fleet.ts";
import { turnTherma } from "../turned-therma.ts";
import { until, whileFor } from "./until.ts";

const WISH = (value: number): { readonly type: string; readonly value: number } => ({ type: "climate.setpoint.request", value });
const SETPOINT = "setpoint";

function setpoint({ rig }: Fleet): number {
  return (rig.rig.moduleState("therma") as { readonly setpointC: number }).setpointC;
}

const one = await fleet(tap);
let framesBefore = 0;

/** The fleet of all tests, its vehicle online; `wishes` are those since. */
async function inOrder(): Promise<Fleet> {
  await one.ready();
  framesBefore = nodeFrames(one.rig).length;
  return one;
}

/** Frames that ask Therma for a set point, °C. */
function wishes({ rig }: Fleet): readonly number[] {
  return nodeFrames(rig)
    .slice(framesBefore)
    .filter(({ id }) => id === 0x41)
    .map(({ data }) => Buffer.from(data, "hex").readInt16BE(0) / 10);
}

/** The vehicle has heard once how Therma stands: a hand on it is known as such from then on. */
async function standsKnown(all: Fleet): Promise<void> {
  await until("the vehicle knows the set point", 5_000, () => outputAt(all.edge(), THERMA, SETPOINT).stands !== undefined);
}

async function waiting({ api }: Fleet): Promise<readonly unknown[]> {
  return (await api.actor("demo/requests/trailer-01")).body.context.waiting;
}

async function outcomeOf({ api }: Fleet, key: string, value: number): Promise<{ readonly outcome: string; readonly value?: number }> {
  const { body } = await until(`the outcome of ${key}`, 15_000, async () => {
    const answer = await api.ask(THERMA, WISH(value), { key, timeoutMs: 3_000 });
    return answer.status === 200 ? answer : undefined;
  });
  return body.reply;
}

test("O2, M2, F1. A request that is made while the link is down waits, acts once when the link is back, and its key tells the outcome", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, link } = all;
  link.cut();
  await all.linkIs(false);
  const [asked, repeated] = await Promise.all([0, 1].map(() => api.ask(THERMA, WISH(23.5), { key: "wait-1" })));
  t.match(asked, { status: 202, body: { outcome: "accepted", id: "wait-1", waiting: true } });
  t.same(repeated?.body, asked?.body, "sent twice at once");
  t.match(await api.ask(THERMA, WISH(23.5), { key: "wait-1" }), { status: 202, body: { waiting: true } }, "it still waits");
  t.match(await api.ask(THERMA, WISH(9), { key: "wait-1" }), { status: 422, body: { type: "urn:drover:problem:id-reused" } }, "another request may not have its key");
  t.match(await api.ask(THERMA, WISH(999), { key: "wait-bad" }), { status: 422, body: { type: "urn:drover:problem:invalid" } }, "what does not fit its protocol is not kept");
  t.same(wishes(all), []);
  link.heal();
  await until("Therma has the new set point", 15_000, () => setpoint(all) === 23.5);
  t.match(await outcomeOf(all, "wait-1", 23.5), { outcome: "confirmed", value: 23.5 });
  t.same(wishes(all), [23.5], "one frame");
  t.match(await api.ask(THERMA, WISH(23.5), { key: "wait-1" }), { status: 200, body: { reply: { outcome: "confirmed" } } });
  t.same(wishes(all), [23.5]);
});

test("O2, S3. A request that waits survives a restart of the cloud", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, link } = all;
  link.cut();
  await all.linkIs(false);
  t.match(await api.ask(THERMA, WISH(18), { key: "kept" }), { status: 202, body: { waiting: true } });
  await all.stopCloud();
  await all.startCloud();
  t.match(await api.ask(THERMA, WISH(18), { key: "kept" }), { status: 202, body: { waiting: true } });
  t.match((await api.actor("demo/requests/trailer-01")).body, { context: { waiting: [{ request: "kept", author: String }] } }, "M2: with its author");
  link.heal();
  await until("Therma has the new set point", 15_000, () => setpoint(all) === 18);
  t.match(await outcomeOf(all, "kept", 18), { outcome: "confirmed", value: 18 });
  t.same(wishes(all), [18]);
  await until("nothing waits any more", 5_000, async () => (await waiting(all)).length === 0);
});

test("O2. A set point that somebody turns in the vehicle after the request was made wins and stays", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, link } = all;
  await standsKnown(all);
  link.cut();
  await all.linkIs(false);
  t.match(await api.ask(THERMA, WISH(28), { key: "older" }), { status: 202, body: { waiting: true } });
  const before = outputAt(all.edge(), THERMA, SETPOINT).turn;
  turnTherma(all.rig.rig, 16);
  await until("the vehicle has seen it", 5_000, () => outputAt(all.edge(), THERMA, SETPOINT).turn > before);
  link.heal();
  await all.linkIs(true);
  t.match(await outcomeOf(all, "older", 28), { outcome: "superseded", value: 28 }, "its sender is told");
  await whileFor("what the person set", 1_500, () => setpoint(all) === 16);
  t.same(wishes(all), []);
  t.match(await api.ask(THERMA, WISH(21), { key: "newer" }), { status: 200, body: { reply: { outcome: "confirmed" } } }, "a request that was made after it counts");
});

test("O2. So it does when the vehicle's node was restarted meanwhile", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, link } = all;
  await standsKnown(all);
  link.cut();
  await all.linkIs(false);
  t.match(await api.ask(THERMA, WISH(28), { key: "older-still" }), { status: 202, body: { waiting: true } });
  await all.stopEdge();
  turnTherma(all.rig.rig, 17);
  await until("Therma was turned", 2_000, () => setpoint(all) === 17);
  link.heal();
  await all.startEdge();
  await all.ready();
  t.match(await outcomeOf(all, "older-still", 28), { outcome: "superseded" });
  await whileFor("what the person set", 1_500, () => setpoint(all) === 17);
});

test("O2. A request that waits is not lost to a restart of the vehicle in which nobody touched anything", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api, link } = all;
  link.cut();
  await all.linkIs(false);
  t.match(await api.ask(THERMA, WISH(22), { key: "patient" }), { status: 202, body: { waiting: true } });
  await all.stopEdge();
  link.heal();
  await all.startEdge();
  t.match(await outcomeOf(all, "patient", 22), { outcome: "confirmed", value: 22 });
  t.same(wishes(all), [22]);
});

test("O2, M2. Requests that wait reach the vehicle in the order in which they were accepted, over a restart of the cloud: the last one stands", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api } = all;
  await all.stopEdge();
  await all.linkIs(false);
  const asked = [
    ["9", 18],
    ["__proto__", 24],
    ["1", 28],
  ] as const;
  for (const [key, value] of asked) t.match(await api.ask(THERMA, WISH(value), { key }), { status: 202, body: { waiting: true } }, key);
  t.match(await api.ask(THERMA, WISH(24), { key: "__proto__" }), { status: 202, body: { waiting: true } });
  await all.stopCloud();
  await all.startCloud();
  t.match(await api.ask(THERMA, WISH(32), { key: "0" }), { status: 202, body: { waiting: true } });
  await all.startEdge();
  t.match(await outcomeOf(all, "0", 32), { outcome: "confirmed", value: 32 });
  t.same(wishes(all), [18, 24, 28, 32]);
  t.equal(setpoint(all), 32);
  for (const [key, value] of asked) t.match(await outcomeOf(all, key, value), { outcome: "confirmed", value }, key);
  t.same(wishes(all), [18, 24, 28, 32]);
});

test("V1, M2. A request that waits longer than its time to live is gone: nothing is ever sent, and its key tells so", { timeout: 200_000 }, async (t) => {
  const all = await inOrder();
  const { api } = all;
  await all.stopEdge();
  await all.linkIs(false);
  const short = { ...WISH(19), ttlMs: 500 };
  t.match(await api.ask(THERMA, short, { key: "short" }), { status: 202, body: { waiting: true } });
  await until("it is gone", 5_000, async () => (await waiting(all)).length === 0);
  await all.startEdge();
  await all.ready();
  t.match(await api.ask(THERMA, short, { key: "short" }), { status: 410, body: { type: "urn:drover:problem:too-old" } });
  await whileFor("nothing is sent", 1_500, () => wishes(all).length === 0);
  t.match((await api.actor(THERMA)).body, { context: { ttlMs: { "climate.setpoint.request": 600_000 } } }, "the cloud knows what the vehicle's file allows");
});
