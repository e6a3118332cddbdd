// What a node tells of itself: trees, nodes, dead letters, health, metrics.

import { test } from "tap";
import { parseAddress } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import type { AnnouncedTree } from "../../../protocols/http/index.ts";
import { AT, isProblem, serving, servingCounter } from "./serving.ts";

test("/v1/tree joins the announced trees with restarts and the cause of the last one", async (t) => {
  const trees: AnnouncedTree[] = [
    {
      node: "cloud-1",
      at: 5,
      tree: {
        id: "cloud",
        kind: "supervisor",
        strategy: "rest-for-one",
        state: "running",
        restarts: 0,
        since: 1,
        children: [
          {
            id: "edge",
            kind: "worker",
            state: "running",
            restarts: 2,
            since: 4,
            pid: 77,
            isolation: "process",
            lastExit: { reason: "killed", error: "signal SIGKILL", at: 3 },
            children: [],
          },
        ],
      },
      entities: [{ id: "acme/presence/v", kind: "entity", state: "running", restarts: 1, since: 2, children: [] }],
    },
    { node: "edge-1", at: 6, tree: { id: "edge", kind: "supervisor", state: "degraded", restarts: 0, since: 1, children: [] } },
  ];
  const nodes = [
    { node: "cloud-1", kind: "cloud", state: "up" },
    { node: "edge-1", kind: "edge", state: "down" },
  ];
  const other = { ...trees[1], node: "edge-2" } as AnnouncedTree;
  const { as } = await serving(t, { trees: () => [...trees, other], nodes: () => nodes });
  t.same((await as("viewer", { url: "/v1/tree" })).json(), { items: [{ ...trees[0], state: "up" }, { ...trees[1], state: "down" }, other] });
});

test("S10. an item of a list that cannot be written is left out, counted and logged: the others are shown", async (t) => {
  const good: AnnouncedTree = { node: "cloud-1", at: 5, tree: { id: "cloud", kind: "supervisor", state: "running", restarts: 0, since: 1, children: [] } };
  const bad = { ...good, node: "edge-evil", tree: { ...good.tree, restarts: "many" } } as unknown as AnnouncedTree;
  const words: object[] = [];
  const log: Log = { ...silentLog, warn: (fields) => void words.push(fields) };
  const { as } = await serving(t, {
    log,
    trees: () => [bad, good, bad],
    nodes: () => [
      { node: "n", kind: "edge", state: "up", since: (2n ** 60n) as never },
      { node: "m", kind: "edge", state: "up", more: { deep: 1n } },
      { node: "o", kind: "edge", state: "up" },
    ],
  });
  const trees = await as("viewer", { url: "/v1/tree" });
  t.same([trees.statusCode, trees.json()], [200, { items: [good] }]);
  const nodes = await as("viewer", { url: "/v1/nodes" });
  t.equal(nodes.statusCode, 200);
  t.same(
    nodes
      .json<{ items: { node: string }[] }>()
      .items.map(({ node }) => node)
      .at(-1),
    "o",
  );
  t.match(words[0], { route: "/v1/tree", leftOut: 2 });
  t.match((await as("viewer", { url: "/metrics" })).body, /drover_http_items_left_out_total [3-9]/);
});

test("/v1/nodes lists nodes with what each adds", async (t) => {
  const nodes = [
    { node: "cloud-1", kind: "cloud", state: "up", since: 3 },
    { node: "edge-1", kind: "edge", state: "down", since: 4, vehicle: "acme/vehicle/v", epoch: 2 },
  ];
  const { as } = await serving(t, { nodes: () => nodes });
  t.same((await as("viewer", { url: "/v1/nodes" })).json(), { items: nodes });
});

test("messages that reached nobody are listed oldest first and paged by number", async (t) => {
  const { as, system } = await servingCounter(t);
  for (let n = 0; n < 5; n++) await system.tell(`acme/counter/none${String(n)}`, { type: "count.add", by: 1 }, { author: "ann" });
  const first = (await as("viewer", { url: "/v1/dead-letters?limit=3" })).json<{ items: { number: number }[]; next: number }>();
  t.match(first.items[0], { number: 1, to: "acme/counter/none0", type: "count.add", from: "ann", reason: "no-such-actor", at: Number });
  t.equal(first.next, 3);
  const rest = (await as("viewer", { url: `/v1/dead-letters?limit=3&after=${String(first.next)}` })).json<{ items: { number: number }[]; next?: number }>();
  t.same(
    rest.items.map((letter) => letter.number),
    [4, 5],
  );
  t.equal(rest.next, undefined);
  for (const bad of ["?limit=0", "?limit=1001", "?after=-1", "?after=x", "?befor=1"]) isProblem(t, await as("viewer", { url: `/v1/dead-letters${bad}` }), 400, "query-invalid");
});

test("M2. a message that reached nobody is sent again when its actor is there, once; letters are found by receiver and reason", async (t) => {
  const { as, system } = await servingCounter(t);
  await system.tell("acme/counter/late", { type: "count.add", by: 1 }, { author: "ann" });
  await system.tell("acme/counter/other", { type: "count.add", by: 1 }, { author: "ann" });
  const found = (await as("viewer", { url: "/v1/dead-letters?to=acme/counter/late&reason=no-such-actor" })).json<{ items: { number: number }[] }>();
  t.match(found.items, [{ number: 1, isKept: true }]);
  const again = (number: number) => as("operator", { method: "POST", url: `/v1/dead-letters/${String(number)}/redeliver` });
  isProblem(t, await again(1), 404, "no-such-actor");
  await system.activate(parseAddress("acme/counter/late"), { input: undefined });
  const sent = await again(1);
  t.equal(sent.statusCode, 202);
  t.same(sent.json(), { outcome: "accepted", to: "acme/counter/late", type: "count.add" });
  isProblem(t, await again(1), 409, "letter-spent");
  isProblem(t, await again(77), 404, "no-such-letter");
});

test("live answers always; ready says why not; startup stays true once it was", async (t) => {
  let reasons = ["the bus is not connected", "the store is opening"];
  const { as } = await serving(t, { ready: () => ({ ok: reasons.length === 0, reasons }) });
  const get = (name: string) => as("none", { url: `/health/${name}` });
  t.equal((await get("live")).statusCode, 200);
  t.match(isProblem(t, await get("ready"), 503, "not-ready"), { reasons, detail: "the bus is not connected; the store is opening." });
  isProblem(t, await get("startup"), 503, "not-ready");
  reasons = [];
  t.same((await get("ready")).json(), { status: "ok" });
  t.equal((await get("startup")).statusCode, 200);
  reasons = ["the bus is not connected"];
  isProblem(t, await get("ready"), 503, "not-ready");
  t.equal((await get("startup")).statusCode, 200);
  t.equal((await get("live")).statusCode, 200);
  const late = await serving(t);
  (late.app as { isUnderPressure: () => boolean }).isUnderPressure = () => true;
  t.match(isProblem(t, await late.as("none", { url: "/health/ready" }), 503, "not-ready"), { reasons: ["the event loop is late"] });
  t.equal((await late.as("none", { url: "/health/live" })).statusCode, 200, "a node that is late is not restarted for it");
  const told = await serving(t, { started: () => false });
  isProblem(t, await told.as("none", { url: "/health/startup" }), 503, "not-ready");
});

test("/metrics holds the system's numbers, those of other sources and of the façade; no series is named after an actor", async (t) => {
  const { as, system } = await servingCounter(t, {
    metrics: [
      () => [
        { name: "drover_frames_total", help: "Frames by bus.", kind: "counter", value: 7, labels: { bus: "can0" } },
        { name: "drover_frames_total", help: "Frames by bus.", kind: "counter", value: 9, labels: { bus: "can1" } },
        { name: "drover_depth", help: "Depth.", kind: "gauge", value: -2.5 },
        { name: "not a name", help: "x", kind: "gauge", value: 1 },
        { name: "drover_odd", help: "x", kind: "gauge", value: Number.NaN },
      ],
      () => {
        throw new Error("a source that fails");
      },
    ],
  });
  await system.tell("acme/counter/a", { type: "count.add", by: 1 });
  await as("viewer", { url: AT });
  for (let scrape = 1; scrape <= 2; scrape++) {
    const answer = await as("viewer", { url: "/metrics" });
    t.equal(answer.statusCode, 200);
    t.match(answer.headers["content-type"], /^text\/plain; version=0\.0\.4/);
    t.match(answer.body, /^drover_frames_total\{bus="can0"\} 7$/m);
    t.match(answer.body, /^drover_frames_total\{bus="can1"\} 9$/m);
    t.match(answer.body, /^drover_depth -2\.5$/m);
    t.match(answer.body, /^drover_messages_total\{outcome="accepted"\} 1$/m);
    t.match(answer.body, /^drover_http_request_seconds_count\{route="\/v1\/actors\/:address",method="GET",status="200"\} 1$/m);
    t.match(answer.body, new RegExp(`^drover_metrics_source_failures_total ${String(scrape)}$`, "m"), "a source that fails is counted and spoils nothing");
    t.match(answer.body, /^process_resident_memory_bytes \d+$/m);
    t.notMatch(answer.body, /acme|not a name/);
    const names = [...answer.body.matchAll(/^# TYPE (\S+) /gm)].map((found) => found[1]);
    t.equal(new Set(names).size, names.length, "each metric stands once");
  }
});
