// What /health/ready of a cloud node says of its store.

import { test } from "tap";
import { createCloudNode, realPorts } from "../../cloud-node/index.ts";
import { ManualClock, SeededRandom } from "../../runtime/simulation/index.ts";
import { memoryNetwork } from "../../runtime/simulation/memory-transport.ts";
import { running } from "../edge-node/desk.ts";
import { scratchFolder } from "../end-to-end/fleet.ts";
import { storeOnDisk } from "../store-on-disk.ts";

test("S5. while the disk takes no commits the node is not ready, and says why there and in its tree; then it is again", async (t) => {
  const clock = new ManualClock();
  const random = new SeededRandom(5);
  const disk = { room: 1_000_000 };
  const network = memoryNetwork({ clock, random });
  const node = createCloudNode(
    { data: scratchFolder(t), http: { port: 0 }, broker: { url: "mqtt://in-memory" } },
    { ...realPorts, clock, random, store: () => storeOnDisk(disk), transport: () => network.transport("cloud") },
  );
  await node.start();
  t.teardown(() => running({ clock }, node.stop()));
  const get = async (path: string, token = ""): Promise<{ readonly status: number; readonly body: unknown }> => {
    const response = await fetch(`${node.urls.http ?? ""}${path}`, { headers: token === "" ? {} : { authorization: `Bearer ${token}` } });
    return { status: response.status, body: await response.json() };
  };
  const storeInTree = async (): Promise<unknown> => {
    const { body } = await get("/v1/tree", node.firstToken);
    const { items } = body as { readonly items: readonly { readonly tree: { readonly children: readonly { readonly id: string }[] } }[] };
    return items[0]?.tree.children.find(({ id }) => id === "store");
  };
  const raise = (): Promise<unknown> =>
    running(
      { clock },
      node.system.tell(
        "acme/alarm/a",
        { type: "alarm.raise", title: "t", severity: "warning", about: "acme/vehicle/v", cause: "c" },
        { create: { input: undefined }, withinMs: 5_000 },
      ),
    );
  t.match(await get("/health/ready"), { status: 200 });
  disk.room = 0;
  const since = new Date(clock.now()).toISOString();
  t.match(await raise(), { kind: "not-stored" });
  t.match(await get("/health/ready"), { status: 503, body: { reasons: [/^commits are refused since .*: the disk is full$/] } });
  t.match(await storeInTree(), { note: /^degraded: commits are refused since .*: the disk is full$/ });
  await clock.advance(30_000);
  t.match(await get("/health/ready"), { status: 503, body: { reasons: [new RegExp(since.slice(0, 16))] } }, "as long as it lasts");
  disk.room = 1_000_000;
  await clock.advance(1_100);
  t.match(await get("/health/ready"), { status: 200 });
  t.notHas(await storeInTree(), { note: String });
  t.match(await raise(), { kind: "accepted" });
});
