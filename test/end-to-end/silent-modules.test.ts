// A module that stops is shown silent in time, in each vehicle of the demo; the others are not.

import { test } from "tap";
import { type BusOpener, busOpener } from "../../edge-node/bus-opener.ts";
import { createEdgeNode, type EdgeNode } from "../../edge-node/index.ts";
import { realPorts as edgePorts } from "../../edge-node/ports.ts";
import type { FrameBatch, FrameSource } from "../../protocols/can/index.ts";
import { busesOf, demoFile, type Ending, fleet, scratchFolder, TRAILER, type VehicleName } from "./fleet.ts";
import { until, whileFor } from "./until.ts";

/** Quiet time of the slowest module here, and a busy machine. */
const IN_TIME_MS = 9_000;
/** A base frame that no module of the recordings sends. */
const NOBODYS = 0x7ff;
const ENGINE_RPM = 0x1c4;
const GNSS_POS = 3;

/** A bus on which somebody may stop: frames for which `isGone` holds arrive as nobody's. */
function stoppable(open: BusOpener, isGone: (canId: number) => boolean): BusOpener {
  return (request) => {
    const source = open(request);
    const quiet: FrameSource = {
      buses: source.buses,
      counters: source.counters,
      get state() {
        return source.state;
      },
      start: (listener) =>
        source.start({
          ...listener,
          onFrames: (batch) => {
            silence(batch, isGone);
            listener.onFrames(batch);
          },
        }),
      stop: () => source.stop(),
    };
    return quiet;
  };
}

function silence({ ids, count }: FrameBatch, isGone: (canId: number) => boolean): void {
  for (let slot = 0; slot < count; slot++) if (isGone(ids[slot] ?? 0)) ids[slot] = NOBODYS;
}

async function onRecording(t: Ending, vehicle: VehicleName, isGone: (canId: number) => boolean): Promise<EdgeNode> {
  const folder = scratchFolder(t);
  const buses = Object.fromEntries(Object.entries(busesOf(vehicle, folder)).map(([bus, url]) => [bus, stoppable(busOpener(bus, url, edgePorts.files), isGone)]));
  const node = createEdgeNode({ vehicle: demoFile("vehicles", `${vehicle}.yaml`), data: folder, buses });
  t.teardown(() => node.stop());
  await node.start();
  await until(`the modules of ${vehicle} are seen`, 10_000, () => presences(node).every(([, presence]) => presence === "present"));
  return node;
}

function presences({ system }: EdgeNode): readonly (readonly [string, string | undefined])[] {
  const modules = [...system.views()].filter(({ kind }) => kind === "module");
  return modules.map(({ address, state }) => [address.slice(address.lastIndexOf("/") + 1), (state as { readonly presence?: string }).presence] as const);
}

function silentOnes(node: EdgeNode): readonly string[] {
  return (node.system.read(node.vehicle)?.context as { readonly silent: readonly string[] }).silent;
}

for (const { vehicle, module, isFrom } of [
  { vehicle: "rav4-01", module: "engine", isFrom: (id: number) => id === ENGINE_RPM },
  { vehicle: "truck-01", module: "gnss", isFrom: (id: number) => id === GNSS_POS },
] as const) {
  test(`a module of ${vehicle} that stops is silent in time, and speaks again when it does`, { timeout: 200_000 }, async (t) => {
    let stopped = false;
    const node = await onRecording(t, vehicle, (id) => stopped && isFrom(id));
    t.same(silentOnes(node), []);
    stopped = true;
    await until(`${module} is silent`, IN_TIME_MS, () => silentOnes(node).includes(module));
    t.same(
      presences(node).filter(([, presence]) => presence !== "present"),
      [[module, "silent"]],
      "it alone",
    );
    t.match(node.system.read(node.vehicle)?.state, { health: "degraded" });
    stopped = false;
    await until(`${module} speaks`, IN_TIME_MS, () => silentOnes(node).length === 0);
    t.match(node.system.read(node.vehicle)?.state, { health: "ok" });
  });
}

test("a module of trailer-01 that stops is silent in time at the API, takes no command meanwhile, and speaks again when it does", { timeout: 200_000 }, async (t) => {
  const all = await fleet(t);
  const { api, rig } = all;
  const borealis = `${TRAILER}/module/borealis`;
  const torrent = `${TRAILER}/module/torrent-1`;
  rig.rig.mute("torrent-1");
  await until("it is silent", IN_TIME_MS, async () => (await api.actor(torrent)).body.state.presence === "silent");
  t.match((await api.actor(TRAILER)).body, { state: { health: "degraded" }, context: { silent: ["torrent-1"] } });
  t.match((await api.actor(borealis)).body.state.presence, "present");
  t.match(await api.ask(torrent, { type: "light.set", output: "bath", level: 9 }, { key: "silent" }), { status: 409 });
  rig.rig.unmute("torrent-1");
  await until("it speaks", IN_TIME_MS, async () => (await api.actor(torrent)).body.state.presence === "present");
  t.match(await api.ask(torrent, { type: "light.set", output: "bath", level: 9 }, { key: "speaks" }), { status: 200 });
  await whileFor("it stays so", 300, () => rig.rig.moduleState("torrent-1")["outputs"] !== undefined);
});
