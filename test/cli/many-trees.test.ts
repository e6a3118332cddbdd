// `drover tree` of a fleet: what there is to see is drawn, the rest is a line each.

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "tap";
import type { TreeNode } from "../../runtime/index.ts";
import { drover } from "./captured.ts";

const node = (id: string, change: Partial<TreeNode> = {}, children: readonly TreeNode[] = []): TreeNode => ({
  id,
  kind: children.length > 0 ? "supervisor" : "worker",
  state: "running",
  restarts: 0,
  since: 0,
  children,
  ...change,
});

test("T1. of many nodes those in which all runs as it was started are a line each; what was started again, waits or has a note is drawn, and whatever is asked for by name", async (t) => {
  const fleet = (count: number): readonly object[] =>
    Array.from({ length: count }, (_, at) => {
      const tree = node(`edge-${String(at)}`, {}, [node("buses", {}, [node("can0")]), node("store")]);
      const changed = [
        node("edge-0", {}, [node("buses", {}, [node("can0", { restarts: 1 })])]),
        node("edge-1", {}, [node("store", { state: "restarting" })]),
        node("edge-2", {}, [node("uplink", { note: "no link" })]),
      ];
      return { node: `edge-${String(at)}`, at: Date.now(), ...(at === 11 ? {} : { state: at === 10 ? "down" : "up" }), tree: changed[at] ?? tree };
    });
  let items = fleet(12);
  const server = createServer((_, response) => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items })));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => server.close());
  const at = ["--url", `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`, "--token", "t"];
  const { out, err } = await drover(["tree", ...at]);
  for (const seen of [/can0 {2}running {2}worker, 1 restart/, /store {2}restarting/, /no link/]) t.match(out, seen);
  const lines = (state: string): number =>
    [...out.matchAll(new RegExp(`^edge-\\d+ {2}${state}as announced .* ago {2}running {2}all 3 below it, none was started again$`, "gm"))].length;
  t.same([lines("up, "), lines("down, "), lines("")], [7, 1, 1], "with the state of each node, where it is known");
  t.equal(err, "drover tree --node NAME draws one that is a line here\n");
  const one = await drover(["tree", "--node", "edge-7", ...at]);
  t.match(one, { out: /\n├─ buses/, err: "" });
  t.equal((JSON.parse((await drover(["tree", "--json", ...at])).out) as { items: readonly object[] }).items.length, 12);
  items = fleet(8);
  t.equal((await drover(["tree", ...at])).out.match(/└─ can0/g)?.length, 6, "few are drawn, all of them");
});
