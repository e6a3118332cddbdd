// A bus that is down is one alarm (vehicle.md, States): when it is raised and cleared, and who says so.

import { test } from "tap";
import { createEdgeNode } from "../../edge-node/index.ts";
import type { BusState, FrameListener, FrameSource } from "../../protocols/can/index.ts";
import type { TreeNode } from "../../runtime/index.ts";
import { desk, type Trailer, rigOn, running, trailer, VEHICLES, viewOf } from "./desk.ts";

const DOWN: BusState = { kind: "down", reason: "unplugged" };

function facts(car: Pick<Trailer, "node">): string[] {
  const told: string[] = [];
  car.node.system.watch((change) => {
    for (const input of change.record?.inputs ?? []) if (input.kind === "message" && /^bus\.(failed|recovered)$/.test(input.event.type)) told.push(input.event.type);
  });
  return told;
}

function noteOf(node: TreeNode, id: string): string | undefined {
  return node.id === id ? node.note : node.children.map((child) => noteOf(child, id)).find((found) => found !== undefined);
}

test("a bus that is really down is one alarm of the vehicle, with since when and why, cleared when it is up again", async (t) => {
  const at = desk();
  const car = await trailer(at, rigOn(at, ["torrent-0"]));
  const told = facts(car);
  await at.clock.advance(10_000);
  t.match([told, car.vehicle().context], [[], { outages: {} }], "none for the start");
  t.equal(noteOf(car.node.describe(), "can0"), undefined);
  const since = at.clock.now();
  car.source.setState(DOWN);
  await at.clock.advance(1_000);
  t.same(told, [], "nor for what may be a quick reopening");
  t.equal(noteOf(car.node.describe(), "can0"), `down since ${new Date(since).toISOString()}: unplugged`, "but the tree says it");
  await at.clock.advance(2_500);
  t.same(told, ["bus.failed"]);
  t.same((car.vehicle().context as { readonly outages: unknown }).outages, { can0: { since, reason: "unplugged" } });
  await at.clock.advance(60_000);
  t.same(told, ["bus.failed"], "one, however long");
  car.source.setState({ kind: "up" });
  await at.clock.advance(1_000);
  t.same(told, ["bus.failed"]);
  t.equal(noteOf(car.node.describe(), "can0"), undefined);
  await at.clock.advance(3_000);
  t.same(told, ["bus.failed", "bus.recovered"]);
  t.match(car.vehicle().context, { outages: {} });
  await car.node.stop();
});

test("a bus that flaps is one alarm, and one that opens again quickly is none", async (t) => {
  const at = desk();
  const car = await trailer(at, rigOn(at, ["torrent-0"]));
  const told = facts(car);
  const flap = async (downMs: number, upMs: number, times: number): Promise<void> => {
    for (let done = 0; done < times; done++) {
      car.source.setState(DOWN);
      await at.clock.advance(downMs);
      car.source.setState({ kind: "up" });
      await at.clock.advance(upMs);
    }
  };
  await flap(1_000, 5_000, 10);
  t.same(told, []);
  await flap(1_000, 500, 20);
  t.same(told, ["bus.failed"], "down for seconds in all, never up for long");
  await at.clock.advance(5_000);
  t.same(told, ["bus.failed", "bus.recovered"]);
  await car.node.stop();
});

test("a bus whose source cannot be opened is an alarm with the cause, kept across a restart", async (t) => {
  const at = desk();
  const failing = (): FrameSource => {
    throw new Error("no such interface");
  };
  const config = { vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: failing } };
  let node = createEdgeNode(config, at.ports());
  await running(at, node.start());
  await at.clock.advance(5_000);
  const { context } = viewOf(node, "demo/vehicle/rav4-01");
  t.match(context, { outages: { can0: { reason: "no such interface", since: Number } } });
  t.match(noteOf(node.describe(), "can0"), /^down since .*: no such interface$/);
  await node.stop();
  await at.clock.advance(60_000);
  node = createEdgeNode(config, at.ports());
  await running(at, node.start());
  await at.clock.advance(10_000);
  t.same(viewOf(node, "demo/vehicle/rav4-01").context, context, "the same, since the same time");
  await node.stop();
});

test("a recording that has ended is no alarm; one that breaks off is", async (t) => {
  const at = desk();
  let listener: FrameListener | undefined;
  const source = (): FrameSource => ({
    buses: ["can0"],
    state: { kind: "up" },
    counters: { received: 0, dropped: 0, sent: 0, sendFailed: 0 },
    start: async (given) => {
      listener = given;
    },
    stop: async () => {},
  });
  const node = createEdgeNode({ vehicle: `${VEHICLES}rav4-01.yaml`, data: "memory", buses: { can0: source } }, at.ports());
  await running(at, node.start());
  listener?.onState?.({ kind: "down", reason: "the recording has ended", isExpected: true });
  await at.clock.advance(60_000);
  t.match(viewOf(node, "demo/vehicle/rav4-01").context, { buses: { can0: "down" }, outages: {} });
  t.match(noteOf(node.describe(), "can0"), /the recording has ended$/);
  listener?.onState?.({ kind: "down", reason: "the file is gone" });
  await at.clock.advance(5_000);
  t.match(viewOf(node, "demo/vehicle/rav4-01").context, { outages: { can0: { reason: "the file is gone" } } });
  await node.stop();
});

test("a command to a bus that is down is refused with the bus, since when and why", async (t) => {
  const at = desk();
  const car = await trailer(at, rigOn(at, ["torrent-0"]));
  const since = new Date(at.clock.now()).toISOString();
  car.source.setState(DOWN);
  const ask = (): Promise<unknown> =>
    running(at, car.node.system.ask(`${car.node.vehicle}/module/torrent-0`, { type: "light.set", output: "galley", level: 8 }, { withinMs: 5_000 }));
  const refused = { kind: "refused", guard: { condition: "can0 up", open: false, reason: `the bus can0 is down since ${since}: unplugged` } };
  t.match(await ask(), refused, "at once");
  await at.clock.advance(10_000);
  t.match(await ask(), refused);
  car.source.setState({ kind: "up" });
  await at.clock.advance(3_000);
  t.match(await ask(), { kind: "replied" });
  await car.node.stop();
});
