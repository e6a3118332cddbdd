// What `when_away` of the vehicle's file says holds: in the cloud, by what the vehicle told last, and in the vehicle for what has waited.

import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import tap, { test } from "tap";
import { demoFile, type Fleet, fleet, GALLEY, lamp, lampFrames, nodeFrames, PORCH, scratchFolder, THERMA, TORRENT, TRAILER } from "./fleet.ts";
import { until, whileFor } from "./until.ts";

const COMMANDS = `commands:
  light.set: { to: torrent-0.galley, ttl: 10m, when_away: wait }
  porch.dim: { to: torrent-0.porch, as: light.set, ttl: 10m, when_away: wait }
  climate.setpoint.request: { to: therma, deadline: 3s, ttl: 10m, when_away: refuse }
  cabin.warm: { to: therma, as: climate.setpoint.request, deadline: 3s, ttl: 10m, when_away: wait }
`;
const files = join(scratchFolder(tap), "vehicles");
const MODEL = "trailcurrent-trailer.yaml";

/** The demo's trailer with these commands. */
function write(commands: string): void {
  const model = readFileSync(demoFile("vehicles", MODEL), "utf8");
  const [from, to] = [model.indexOf("commands:"), model.indexOf("watches:")];
  writeFileSync(join(files, MODEL), model.slice(0, from) + commands + model.slice(to));
}

mkdirSync(files);
for (const folder of ["vehicles", "data"]) cpSync(demoFile(folder), join(files, "..", folder), { recursive: true });
write(COMMANDS);
const all = await fleet(tap, { files });

const setpoint = ({ rig }: Fleet): number => (rig.rig.moduleState("therma") as { readonly setpointC: number }).setpointC;

test("O2, D4. The file's refuse and wait stand above the protocol's, over a restart of the cloud in which the vehicle was not heard", { timeout: 200_000 }, async (t) => {
  const { api, link, rig } = all;
  const before = nodeFrames(rig).length;
  link.cut();
  await all.linkIs(false);
  await all.stopCloud();
  await all.startCloud();
  t.match(await api.ask(THERMA, { type: "climate.setpoint.request", value: 19 }, { key: "refused" }), { status: 503, body: { type: "urn:drover:problem:owner-away" } });
  t.match(await api.ask(TORRENT, { type: "light.set", level: 90 }, { key: "galley" }), { status: 202, body: { waiting: true } });
  t.match(await api.ask(TRAILER, { type: "porch.dim", level: 40 }, { key: "porch" }), { status: 202, body: { waiting: true } });
  t.match(await api.ask(THERMA, { type: "cabin.warm", value: 24 }, { key: "warm" }), { status: 202, body: { waiting: true } });
  await all.stopCloud();
  await all.startCloud();
  link.heal();
  await until("all that waited has acted", 20_000, () => lamp(rig, GALLEY) === 90 && lamp(rig, PORCH) === 40 && setpoint(all) === 24);
  for (const [key, to, event] of [
    ["galley", TORRENT, { type: "light.set", level: 90 }],
    ["porch", TRAILER, { type: "porch.dim", level: 40 }],
    ["warm", THERMA, { type: "cabin.warm", value: 24 }],
  ] as const)
    t.match(await until(`the outcome of ${key}`, 15_000, async () => api.ask(to, event, { key }).then((answer) => (answer.status === 200 ? answer : undefined))), {
      body: { reply: { outcome: "confirmed" } },
    });
  t.equal(nodeFrames(rig).length - before, 3, "each once, and nothing of what was refused");
});

test("O2. What waited by the vehicle's former word is not carried out where its file says refuse by now", { timeout: 200_000 }, async (t) => {
  const { api, link, rig } = all;
  await all.ready();
  link.cut();
  await all.linkIs(false);
  const [wish, key] = [{ type: "light.set", level: 33 }, "late"];
  t.match(await api.ask(TORRENT, wish, { key }), { status: 202, body: { waiting: true } });
  await all.stopEdge();
  write(COMMANDS.replaceAll("when_away: wait", "when_away: refuse"));
  link.heal();
  await all.startEdge();
  await all.ready();
  const told = await until("its outcome", 15_000, async () => api.ask(TORRENT, wish, { key }).then((answer) => (answer.status === 202 ? undefined : answer)));
  t.match(told, { status: 409, body: { detail: /when_away: refuse for "light.set": what has waited/ } });
  await whileFor("nothing is sent", 1_000, () => lampFrames(rig, GALLEY, 33).length === 0);
  link.cut();
  await all.linkIs(false);
  t.match(await api.ask(TORRENT, wish, { key: "later" }), { status: 503 });
  link.heal();
  await all.ready();
  t.match(await api.ask(TORRENT, wish, { key: "now" }), { status: 200, body: { reply: { outcome: "confirmed", value: 33 } } }, "who is there is served");
});
