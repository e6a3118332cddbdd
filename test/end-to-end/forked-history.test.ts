// A vehicle whose store was replaced by an older copy of itself: real nodes, SQLite on disk, the API of the cloud.

import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import tap, { type Test, test } from "tap";
import { parseAddress } from "../../runtime/index.ts";
import { type Fleet, fleet, GALLEY, lamp, lampFrames, outputAt, PORCH, TORRENT, TRAILER } from "./fleet.ts";
import { until } from "./until.ts";

/** Real nodes and disks, on a machine that may be busy with other tests. */
tap.setTimeout(200_000);

const ALARM = "demo/alarm/trailer-01.history-forked";
const set = (output: string, level: number): { readonly type: string; readonly output: string; readonly level: number } => ({ type: "light.set", output, level });

/** The vehicle runs, is stopped, runs on, and is stopped again; then the copy of its folder from in between is put back. */
async function withOldCopy(t: Test): Promise<{ readonly all: Fleet; readonly left: string; readonly known: number }> {
  const all = await fleet(t);
  const { api, data } = all;
  const folder = join(data, "..", "trailer-01");
  t.match(await api.ask(TORRENT, set("galley", 40), { key: "before" }), { status: 200 });
  await all.stopEdge();
  cpSync(folder, `${folder}.copy`, { recursive: true });
  await all.startEdge();
  await all.ready();
  for (const level of [50, 60, 70]) t.match(await api.ask(TORRENT, set("porch", level), { key: `lost-${String(level)}` }), { status: 200 });
  const own = all.edge().system.read(parseAddress(TRAILER))?.revision ?? 0;
  await until("the replica is where the vehicle is", 10_000, () => (all.cloud.system.read(parseAddress(TRAILER))?.revision ?? 0) >= own);
  await all.stopEdge();
  const { incarnation, revision } = (await api.actor(TRAILER)).body;
  rmSync(folder, { recursive: true });
  cpSync(`${folder}.copy`, folder, { recursive: true });
  return { all, left: incarnation, known: revision };
}

async function isNewHistory(t: Test, all: Fleet, left: string): Promise<void> {
  const { api, rig } = all;
  const view = await until("the cloud shows the new history", 20_000, async () => {
    const { body } = await api.actor(TRAILER);
    return body.incarnation !== left && body.context.losses?.history !== undefined ? body : undefined;
  });
  t.match(view, { state: { health: "degraded" }, context: { losses: { history: { reason: new RegExp(`older copy.*${left}`) } } } });
  t.equal(view.incarnation, all.edge().system.read(parseAddress(TRAILER))?.incarnation);
  const alarm = await until("the alarm", 20_000, async () => {
    const { status, body } = await api.actor(ALARM);
    return status === 200 && body.state === "raised" ? body : undefined;
  });
  t.match(alarm, { state: "raised", context: { severity: "critical", about: TRAILER, count: 1, cause: new RegExp(left) } });
  const page = (await api.get(`/v1/actors/${encodeURIComponent(TRAILER)}/history?order=oldest-first&limit=1000`)).body;
  t.match(page.missing, [{ after: 0, forked: { incarnation: left } }]);
  t.notMatch(JSON.stringify((await api.get(`/v1/actors/${encodeURIComponent(TORRENT)}/history?limit=1000`)).body.items), /lost-/, "no turn of the other branch is told");
  const before = lampFrames(rig, GALLEY).length;
  for (const key of ["after", "after"]) t.match(await api.ask(TORRENT, set("galley", 81), { key }), { status: 200 });
  t.equal(lamp(rig, GALLEY), 81);
  t.equal(lampFrames(rig, GALLEY).length, before + 1, "a command sent twice under one key acts once");
  t.match(await api.ask(TRAILER, { type: "store.acknowledge" }, { key: "seen" }), { status: 200, body: { reply: { acknowledged: ["history"] } } });
  await until("it is well again", 10_000, async () => {
    const { body } = await api.actor(TRAILER);
    return body.state.health === "ok";
  });
}

test("T1, S6. A vehicle from an older copy of its store is behind the cloud: it opens a new history, which the cloud shows as forked, with an alarm", async (t) => {
  const { all, left } = await withOldCopy(t);
  await all.startEdge();
  await all.ready();
  await isNewHistory(t, all, left);
  const { incarnation } = (await all.api.actor(TRAILER)).body;
  await all.stopEdge();
  await all.startEdge();
  await all.ready();
  t.equal((await all.api.actor(TRAILER)).body.incarnation, incarnation, "a restart opens no other one");
  t.equal((await all.api.actor(ALARM)).body.context.count, 1, "and it is told once");
});

test("T1, S6. A vehicle from an older copy of its store has run past the cloud without a link: it opens a new history all the same", async (t) => {
  const { all, left, known } = await withOldCopy(t);
  all.link.cut();
  await all.startEdge();
  const { system } = all.edge();
  const porch = lampFrames(all.rig, PORCH).length;
  const torrent = parseAddress(TORRENT);
  await until("its module is seen", 15_000, () => (system.read(torrent)?.state as { readonly presence?: string } | undefined)?.presence === "present");
  await until("its output is known", 15_000, () => outputAt(all.edge(), TORRENT, "porch").state === "settled");
  // Where the machine is busy its module may seem silent for a moment, and refuse.
  let [told, acted] = [0, 0];
  await until("it has acted, and is past the cloud", 30_000, async () => {
    const answer = await system.ask(TORRENT, set("porch", 100 + (told % 100)), { id: `own-${String(told++)}`, withinMs: 10_000 });
    if (answer.kind === "replied") acted++;
    return acted > 0 && (system.read(parseAddress(TRAILER))?.revision ?? 0) > known + 2;
  });
  t.ok(lampFrames(all.rig, PORCH).length > porch, "alone it acts as ever");
  all.link.heal();
  await all.ready();
  await isNewHistory(t, all, left);
});
