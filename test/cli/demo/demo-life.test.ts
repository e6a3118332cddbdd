// The demo fleet with real processes: alive, steered, hurt, stopped, started again, killed as a whole, started on what is left.

import { join } from "node:path";
import tap, { test } from "tap";
import { connectRigControl } from "../../../cli/rig/index.ts";
import { systemClock } from "../../../runtime/index.ts";
import { until } from "../a-fleet.ts";
import { drover, scratch } from "../captured.ts";
import { aDemo, ask, childrenOf, kill, processesOf } from "./a-demo.ts";

const RAV4 = "demo/vehicle/rav4-01";
const TORRENT = "demo/vehicle/trailer-01/module/torrent-0";
/** The number of the first cut for both; a machine that is busy with other tests needs longer for everything, as its start shows. */
const WITHIN_MS = 5_000;
const USUAL_START_MS = 10_000;

tap.setTimeout(240_000);

test("the demo fleet", async (t) => {
  const data = scratch(t);
  const demo = aDemo(t, data);
  const onlineMs = await demo.online();
  const withinMs = WITHIN_MS * Math.max(1, onlineMs / USUAL_START_MS);
  t.comment(`three vehicles online after ${String(Math.round(onlineMs))} ms`);

  await t.test("a command dims a lamp of the trailer, and answers once the lamp's own status says so", async (tt) => {
    const { code, json, err } = await ask(data, "actors", "ask", TORRENT, "light.set", "output=galley", "level=120", "--id", "dim-1", "--timeout", "10s");
    tt.equal(code, 0, err);
    tt.match(json, { id: "dim-1", reply: { outcome: "confirmed", output: "galley", value: 120 } });
    const rig = await connectRigControl(join(data, "rig", "control.sock"), systemClock);
    tt.match(JSON.stringify(await rig.ask({ do: "state", module: "torrent-0" })), /120/, "the simulated lamp is at that level");
    rig.close();
  });

  await t.test("X1. a command to a vehicle that listens only is refused with that word", async (tt) => {
    const { code, err } = await ask(data, "actors", "ask", RAV4, "light.set", "output=galley", "level=1");
    tt.equal(code, 5);
    tt.match(err, /listen-only/);
  });

  await t.test("S4, S6. a vehicle's process that is killed is back in time with what it knew; the others never notice; the tree tells the cause", async (tt) => {
    const muted = await ask(data, "actors", "ask", RAV4, "bus.mute", "bus=can0", "--id", "mute-1");
    tt.match(muted.json, { reply: { muted: ["can0"] } }, muted.err);
    const before = await childrenOf(data);
    const victim = before?.get("rav4-01")?.pid ?? 0;
    const killedAt = performance.now();
    kill(victim, "SIGKILL");
    await until("the process runs again", async () => {
      const child = (await childrenOf(data))?.get("rav4-01");
      return child?.state === "running" && child.restarts === 1;
    });
    const after = await childrenOf(data);
    const back = after?.get("rav4-01");
    tt.match(back, { restarts: 1, lastExit: { reason: "failed", error: /SIGKILL/ } });
    const backMs = (back?.since ?? 0) - (back?.lastExit?.at ?? 0);
    tt.comment(`back after ${String(Math.round(backMs))} ms, told after ${String(Math.round(performance.now() - killedAt))} ms`);
    tt.ok(backMs <= withinMs, `${String(Math.round(backMs))} ms`);
    tt.not(after?.get("rav4-01")?.pid, victim);
    for (const other of ["cloud", "rig", "truck-01", "trailer-01"]) tt.match(after?.get(other), { pid: before?.get(other)?.pid, restarts: 0 }, `${other} is the same process`);

    const again = await until1(() => ask(data, "actors", "ask", RAV4, "bus.mute", "bus=can0", "--id", "mute-1"));
    tt.match(again.json, { reply: { muted: ["can0"] } }, "the same id has the same outcome");
    const { json } = await ask(data, "actors", "history", RAV4, "--limit", "1000");
    const turns = (json["items"] as readonly { readonly inputs: readonly { readonly id?: string }[] }[]).flatMap(({ inputs }) => inputs);
    tt.equal(turns.filter(({ id }) => id === "mute-1").length, 1, "and was taken once");
    tt.match(demo.said.out, /"event":"restarted","vehicle":"demo\/vehicle\/rav4-01"/);
  });

  await t.test("S6. a cloud that is killed comes back where it was, and no vehicle restarts for it", async (tt) => {
    const before = await childrenOf(data);
    kill(before?.get("cloud")?.pid ?? 0, "SIGKILL");
    await until("the cloud answers again and all are online", async () => {
      const cloud = (await childrenOf(data))?.get("cloud");
      const { json } = await ask(data, "actors", "ls", "--kind", "vehicle");
      return cloud?.restarts === 1 && (json["items"] as readonly { readonly presence?: string }[] | undefined)?.filter(({ presence }) => presence === "online").length === 3;
    });
    const after = await childrenOf(data);
    for (const other of ["rig", "rav4-01", "truck-01", "trailer-01"]) tt.equal(after?.get(other)?.pid, before?.get(other)?.pid, `${other} is the same process`);
    const told = await until1(() => ask(data, "actors", "ask", TORRENT, "light.set", "output=galley", "level=0", "--timeout", "10s"));
    tt.match(told.json, { reply: { outcome: "confirmed", value: 0 } }, told.err);
  });

  await t.test("Ctrl-C ends all of it in time, with exit code 0 and nothing left behind", async (tt) => {
    const asked = performance.now();
    demo.interrupt();
    tt.same(await demo.ended, { code: 0, signal: null }, demo.said.err);
    await until("no process is left", () => processesOf(data).length === 0, withinMs);
    const goneMs = performance.now() - asked;
    tt.comment(`gone after ${String(Math.round(goneMs))} ms`);
    tt.ok(goneMs <= withinMs, `${String(Math.round(goneMs))} ms`);
  });

  await t.test("a second start goes on from the stored state", async (tt) => {
    const second = aDemo(tt, data);
    await second.online();
    const { json } = await ask(data, "actors", "get", RAV4);
    tt.match(json, { context: { muted: { can0: Object } } }, "the bus is muted still");
    const unmuted = await until1(() => ask(data, "actors", "ask", RAV4, "bus.unmute", "bus=can0"));
    tt.match(unmuted.json, { reply: { muted: [] } }, unmuted.err);

    await tt.test("another demo on its folder is refused with exit code 5 and says who runs there; this one goes on", async (ttt) => {
      const guest = aDemo(ttt, data, { isGuest: true });
      ttt.same(await guest.ended, { code: 5, signal: null });
      ttt.match(JSON.parse(guest.said.err), { error: { code: "DROVER_STORE_LOCKED", detail: new RegExp(`process id ${String(second.child.pid)} .*DROVER_DATA`), exit: 5 } });
      ttt.equal((await drover(["tree"], { env: { DROVER_DATA: data } })).code, 0);
    });

    await tt.test("S4. when the demo itself is killed, no process of it outlives it", async (ttt) => {
      ttt.ok(processesOf(data).length >= 6, "six processes run");
      kill(second.child.pid ?? 0, "SIGKILL");
      await second.ended;
      await until("no process is left", () => processesOf(data).length === 0, 30_000);
    });
  });

  await t.test("and the next start takes the folder over; SIGTERM ends it as Ctrl-C does", async (tt) => {
    const third = aDemo(tt, data);
    await third.online();
    third.child.kill("SIGTERM");
    tt.same(await third.ended, { code: 0, signal: null }, third.said.err);
    await until("no process is left", () => processesOf(data).length === 0, withinMs);
  });
});

/** A link that has just come back may need a moment: asked again while nobody can be reached. */
async function until1(run: () => ReturnType<typeof ask>): ReturnType<typeof ask> {
  let last = await run();
  await until("the owner is reached", async () => {
    if (last.code !== 7 && last.code !== 8) return true;
    last = await run();
    return last.code !== 7 && last.code !== 8;
  });
  return last;
}
