// A vehicle whose buses are recordings: which interface of the recording is played on a bus, and what a user sees where none fits.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Test, test } from "tap";
import { createEdgeNode, type EdgeNode } from "../../edge-node/index.ts";
import type { TreeNode } from "../../runtime/index.ts";
import { systemClock } from "../../runtime/host/index.ts";
import { type Desk, desk, running, viewOf } from "./desk.ts";

const DBC = 'BO_ 1 ENGINE: 8 X\n SG_ RPM : 0|16@1+ (1,0) [0|8000] "rpm" X\n';

/** A vehicle with these buses, each playing what follows; `drive.log` and the like are in its folder. */
async function vehicle(
  t: Test,
  { recording, buses, name = "drive.log" }: { recording: string; buses: Readonly<Record<string, string>>; name?: string },
): Promise<{ at: Desk; node: EdgeNode; said: unknown[]; until: (isSo: () => boolean) => Promise<void> }> {
  const folder = t.testdir({ [name]: recording });
  const at = desk();
  const said: unknown[] = [];
  at.log = { ...at.log, info: (fields, text) => said.push([text, fields]), child: () => at.log };
  at.files.set("/v/car.dbc", DBC);
  const described = Object.keys(buses).map((bus) => `  ${bus}: { dbc: car.dbc, mode: listen-only }\n`);
  const signals = Object.keys(buses).map((bus) => `  Speed.${bus}: { from: ${bus}.ENGINE.RPM }\n`);
  at.files.set("/v/car.yaml", `model: car\nversion: 1\nbuses:\n${described.join("")}signals:\n${signals.join("")}`);
  at.files.set("/v/my-car.yaml", "vehicle: acme/vehicle/my-car\nmodel: car\n");
  at.files.set(join(folder, name), "");
  const sources = Object.fromEntries(Object.entries(buses).map(([bus, query]) => [bus, `log:${join(folder, name)}?loop=true${query}`]));
  const node = createEdgeNode({ vehicle: "/v/my-car.yaml", data: "memory", buses: sources }, at.ports());
  await running(at, node.start());
  t.teardown(() => node.stop());
  // The recording is a real file: it takes real time until its bus speaks or has failed.
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let step = 0; step < 2_000 && !isSo(); step++) {
      await at.clock.advance(50);
      await new Promise<void>((resolve) => systemClock.setTimeout(resolve, 2));
    }
  };
  const states = (): readonly unknown[] => Object.values((viewOf(node, "acme/vehicle/my-car").context as { readonly buses: Readonly<Record<string, unknown>> }).buses);
  await until(() => Object.keys(buses).every((bus, index) => states()[index] === "awake" || find(node.describe(), bus)?.lastExit !== undefined));
  await at.clock.advance(200);
  return { at, node, said, until };
}

function find(node: TreeNode, id: string): TreeNode | undefined {
  return node.id === id ? node : node.children.map((child) => find(child, id)).find((found) => found !== undefined);
}

function value(node: EdgeNode, signal: string): unknown {
  return node.signals.signals(node.vehicle)?.find(({ name }) => name === signal)?.value;
}

test("a recording of one interface plays on the vehicle's one bus, whatever the two are called", async (t) => {
  const { node, said } = await vehicle(t, { recording: "(1.0) vcan0 001#E803\n", buses: { powertrain: "" } });
  t.equal(value(node, "Speed.powertrain"), 1_000);
  t.match(viewOf(node, "acme/vehicle/my-car"), { state: { health: "ok" }, context: { buses: { powertrain: "awake" } } });
  t.match(
    said.filter((each) => JSON.stringify(each).includes("vcan0")),
    [[/only interface is played/, { bus: "powertrain", interface: "vcan0" }]],
  );
});

test("a TRC recording plays on the bus that names it", async (t) => {
  const { node } = await vehicle(t, { recording: ";$FILEVERSION=1.1\n    1)  16.0  Rx  0001  2  E8 03\n", name: "drive.trc", buses: { can7: "" } });
  t.equal(value(node, "Speed.can7"), 1_000);
});

test("S4. Of several interfaces none is guessed: the bus's fault says what there is, in the tree and as the vehicle's health, until ?bus= chooses", async (t) => {
  const recording = "(1.0) vcan0 001#E803\n(1.0) vcan1 001#0100\n";
  const { at, node } = await vehicle(t, { recording, buses: { can0: "" } });
  t.match(viewOf(node, "acme/vehicle/my-car"), { state: { health: "degraded" }, context: { buses: { can0: "down" } } });
  t.match(find(node.describe(), "can0"), { lastExit: { error: /drive\.log: no frame of can0; the recording has vcan0, vcan1; choose one with \?bus=, such as \?bus=vcan0/ } });
  await at.clock.advance(60_000);
  t.match(viewOf(node, "acme/vehicle/my-car").context, { buses: { can0: "down" } }, "tried again, and down all the while");
  const chosen = await vehicle(t, { recording, buses: { can0: "&bus=vcan1" } });
  t.equal(value(chosen.node, "Speed.can0"), 1);
});

test("a bus that is silent in a recording shared with another bus is never given the other's frames", async (t) => {
  const { node } = await vehicle(t, { recording: "(1.0) can0 001#E803\n", buses: { can0: "", can1: "" } });
  t.equal(value(node, "Speed.can0"), 1_000);
  t.equal(value(node, "Speed.can1"), undefined);
  t.match(find(node.describe(), "can1"), { lastExit: { error: /no frame of can1; the recording has can0/ } });
});

test("a fault of the files behind a running bus ends in its supervisor, and the bus comes back with the file", async (t) => {
  const recording = Array.from({ length: 3_000 }, (_, index) => `(${(1 + index / 1_000).toFixed(3)}) can0 001#E803\n`).join("");
  const { at, node, until } = await vehicle(t, { recording, buses: { can0: "" } });
  const path = [...at.files.keys()].find((file) => file.endsWith("drive.log")) ?? "";
  writeFileSync(path, "(1.0) vcan0 001#E803\n(1.0) vcan1 001#0100\n");
  await until(() => find(node.describe(), "can0")?.lastExit !== undefined);
  t.match(find(node.describe(), "can0"), { lastExit: { error: /no frame of can0/ } });
  writeFileSync(path, recording);
  await until(() => find(node.describe(), "can0")?.state === "running");
  await at.clock.advance(1_000);
  await until(() => (viewOf(node, "acme/vehicle/my-car").context as { readonly buses: { readonly can0: string } }).buses.can0 === "awake");
  t.match(find(node.describe(), "can0"), { state: "running" });
  t.match(viewOf(node, "acme/vehicle/my-car").context, { buses: { can0: "awake" } });
});
