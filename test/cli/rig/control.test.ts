// The rig's control socket: JSON lines, one table of commands.

import { connect, type Socket } from "node:net";
import { test } from "tap";
import { connectRigControl } from "../../../cli/rig/control-client.ts";
import { doCommand, RIG_COMMANDS } from "../../../cli/rig/rig-commands.ts";
import { startRig, type StartedRig } from "../../../cli/rig/start-rig.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { socketDir } from "../../protocols/rig-bus/connected-rig.ts";
import { virtualRig } from "./virtual-rig.ts";

async function started(t: Parameters<typeof socketDir>[0]): Promise<{ readonly clock: ManualClock; readonly rig: StartedRig }> {
  const clock = new ManualClock();
  const rig = await startRig({ socketDir: socketDir(t), clock, random: new SeededRandom(1) });
  t.teardown(() => rig.stop());
  await clock.advance(400);
  return { clock, rig };
}

test("a wall button pressed from another process is seen, counted and felt", async (t) => {
  const { clock, rig } = await started(t);
  const control = await connectRigControl(rig.controlSocket, clock);
  t.match(await control.ask({ do: "wall-button", module: "torrent-0", channel: 3 }), { ok: true, simulated: true });
  await clock.advance(40);
  t.match(await control.ask({ do: "acts", since: 0 }), { ok: true, result: { total: 1, acts: [{ seq: 1, module: "torrent-0", channel: 3, from: 0, to: 255, cause: "frame" }] } });
  t.match(await control.ask({ do: "frames", id: 0x18 }), { ok: true, result: { total: 1, uncounted: 0, counts: [{ id: 0x18, data: "0300", count: 1 }] } });
  t.match(await control.ask({ do: "frame-log" }), { ok: true, result: [{ seq: 1, id: 0x18, data: "0300", from: "tapper" }] });
  t.match(await control.ask({ do: "state", module: "torrent-0" }), { ok: true, result: { outputs: [0, 0, 0, 255, 0, 0, 0, 0] } });
  t.match(await control.ask({ do: "state", module: "therma" }), { ok: true, result: { setpointC: 20 } });
  control.close();
});

test("every command of the table does something", (t) => {
  const { rig } = virtualRig({ updates: { folder: socketDir(t), seed: 1 } });
  const examples: Readonly<Record<keyof typeof RIG_COMMANDS, object>> = {
    mute: { module: "therma" },
    unmute: { module: "therma" },
    reboot: { module: "therma" },
    "power-off": { module: "therma" },
    "brown-out": {},
    "ignores-commands": { module: "therma", on: true },
    "toggles-twice": { module: "switchback-0" },
    "heater-stuck": {},
    "cooler-stuck": { on: false },
    "wall-button": { module: "switchback-0", channel: 0, via: "bus" },
    "no-ack": { scope: "clients" },
    "same-address": { module: "torrent-0" },
    "old-plateau": {},
    unplug: { module: "torrent-0-twin" },
    drive: { speedKph: 80, courseDegrees: 180 },
    park: {},
    "trailer-plug": { connected: true },
    world: { set: { batteryPercent: 20, coPpm: 300 } },
    state: {},
    frames: { id: 21, data: "0380" },
    "frame-log": { since: 0, limit: 5 },
    acts: { module: "torrent-0", channel: 0 },
    "port-opens": { module: "torrent-0", afterSeconds: 5 },
    "wrong-version": { module: "torrent-0", version: "1.2.255" },
    "keeps-old-image": { module: "torrent-0" },
    "stays-dark": { module: "torrent-0", on: false },
    "hangs-at-start": { module: "torrent-0", on: false },
    "slow-upload": { module: "torrent-0", bytesPerSecond: 10_000 },
    "upload-ends": { module: "torrent-0", how: "brown-out", atPercent: 30, times: 2 },
    flash: { module: "torrent-0", version: "1.4.3", address: 2 },
    updates: { module: "torrent-0" },
    "upload-urls": {},
  };
  for (const [name, parameters] of Object.entries(examples)) {
    const answer = doCommand(rig, { do: name, ...parameters });
    t.match(answer, { ok: true, simulated: true }, name);
  }
  const help = doCommand(rig, { do: "help" });
  t.equal(help.ok && (help.result as unknown[]).length, Object.keys(RIG_COMMANDS).length);
  t.equal(rig.world.state.batteryPercent, 20);
  t.doesNotThrow(() => JSON.stringify(doCommand(rig, { do: "state" })));
  rig.stop();
  t.end();
});

test("what cannot be done is refused with what was expected", (t) => {
  const { rig } = virtualRig();
  const refused = (request: unknown, error: RegExp): void => {
    t.match(doCommand(rig, request), { ok: false, simulated: true, error });
  };
  refused(null, /expected an object/);
  refused([], /expected an object/);
  refused("mute", /expected an object/);
  refused({}, /unknown command undefined; known: help, mute/);
  refused({ do: "toString" }, /unknown command "toString"/);
  refused({ do: "__proto__" }, /unknown command/);
  refused({ do: "mute" }, /mute: .*module/);
  refused({ do: "mute", module: "toaster" }, /no module "toaster"; known: bearing/);
  refused({ do: "mute", module: "therma", loud: true }, /additional/);
  refused({ do: "wall-button", module: "torrent-0", channel: 8 }, /channel/);
  refused({ do: "wall-button", module: "tapper", channel: 1 }, /no switch/);
  refused({ do: "drive", speedKph: "fast" }, /speedKph/);
  refused({ do: "updates" }, /no firmware slots: start it with a folder/);
  refused({ do: "flash", module: "toaster" }, /no module "toaster"/);
  refused({ do: "wrong-version", module: "torrent-0", version: "1.2.256" }, /version/);
  refused({ do: "upload-ends", module: "torrent-0", how: "magic" }, /how/);
  refused({ do: "world", set: { coPpm: -1 } }, /coPpm/);
  refused({ do: "world", set: { gravity: 3 } }, /additional/);
  rig.powerOff("torrent-0");
  refused({ do: "wall-button", module: "torrent-0", channel: 1, via: "local" }, /torrent-0 is off/);
  rig.unplug("tapper");
  refused({ do: "wall-button", module: "torrent-1", channel: 1 }, /no module "tapper"/);
  rig.stop();
  t.end();
});

function lines(socket: Socket): string[] {
  const got: string[] = [];
  let text = "";
  socket.setEncoding("utf8");
  socket.on("error", () => undefined);
  socket.on("data", (chunk: string) => {
    text += chunk;
    const parts = text.split("\n");
    text = parts.pop() ?? "";
    got.push(...parts);
  });
  return got;
}

test("lines in any pieces, several at once, and nonsense between them are each answered in order", async (t) => {
  const { rig } = await started(t);
  const socket = connect(rig.controlSocket);
  const got = lines(socket);
  socket.write('{"id":1,"do":"pa');
  await settle();
  socket.write('rk"}\nnonsense\n\n{"id":"two","do":"mute","module":"bearing"}\n{"id":3}\n');
  await settle();
  t.match(
    got.map((line) => JSON.parse(line) as object),
    [
      { id: 1, ok: true },
      { ok: false, error: /not JSON/ },
      { id: "two", ok: true },
      { id: 3, ok: false },
    ],
  );
  socket.destroy();
});

test("a line without end is cut off, the rig goes on", async (t) => {
  const { clock, rig } = await started(t);
  const socket = connect(rig.controlSocket);
  const got = lines(socket);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  for (let count = 0; count < 20; count++) socket.write("x".repeat(10_000));
  await settle(50);
  t.match(got[0], /at most 65536 bytes/);
  socket.destroy();
  await closed;
  const control = await connectRigControl(rig.controlSocket, clock);
  t.match(await control.ask({ do: "park" }), { ok: true });
  control.close();
  t.match(await control.ask({ do: "park" }), { ok: false, error: "the rig closed the connection" });
});

test("a rig that does not answer is not waited for beyond the deadline", async (t) => {
  const { clock, rig } = await started(t);
  const control = await connectRigControl(rig.controlSocket, clock);
  await rig.stop();
  t.match(await control.ask({ do: "state" }), { ok: false });
  await t.rejects(connectRigControl(rig.controlSocket, clock));
});
