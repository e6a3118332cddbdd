// One actor, live: what a client sees from its first look to its return after a lost connection.

import { type AddressInfo, connect } from "node:net";
import { test } from "tap";
import { type Change, type HistoryEntry, type HistoryPage, parseAddress } from "../../../runtime/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import { connectStream, type EventReader, openStream } from "./event-reader.ts";
import { AT, closedConnections, COUNTER, fakeOver, isProblem, serving, servingCounter, type Serving } from "./serving.ts";

const STREAM = `${AT}/stream`;
async function signIn(served: Serving, role: "viewer" | "admin"): Promise<{ readonly cookie: string }> {
  const answer = await served.app.inject({ method: "POST", url: "/v1/session", payload: { token: served.texts[role] } });
  return { cookie: String(answer.headers["set-cookie"]).split(";", 1)[0] ?? "" };
}

const bearer = (served: Serving): Readonly<Record<string, string>> => ({ authorization: `Bearer ${served.texts.viewer}` });

test("a stream begins with a snapshot and tells each committed turn, with ids of incarnation and revision", async (t) => {
  const served = await servingCounter(t, { decorate: () => ({ presence: "online" }) });
  const { statusCode, headers, reader } = await openStream(served.app, STREAM, bearer(served));
  t.equal(statusCode, 200);
  t.match(headers, { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-content-type-options": "nosniff" });
  const snapshot = await reader.next();
  t.match(snapshot, { event: "snapshot", data: { address: COUNTER, state: "open", context: { total: 0 }, presence: "online" } });
  t.equal(snapshot.id, `${snapshot.data.incarnation as string}:${String(snapshot.data.revision)}`);
  await served.as("operator", { method: "POST", url: `${AT}/events`, headers: { "idempotency-key": "k1" }, payload: { type: "count.add", by: 3 } });
  await served.system.tell(COUNTER, { type: "count.close" });
  const first = await reader.next();
  t.match(first, {
    event: "change",
    data: { inputs: [{ type: "count.add", author: "ann", id: "k1", result: "accepted" }], emitted: [], state: "open", actor: { context: { total: 3 }, presence: "online" } },
  });
  t.equal(first.data.revision, snapshot.data.revision + 1);
  t.match(await reader.next(), {
    event: "change",
    id: `${snapshot.data.incarnation as string}:${String(snapshot.data.revision + 2)}`,
    data: { state: "closed", actor: { state: "closed", accepts: [] } },
  });
  reader.leave();
});

test("a client that comes again with Last-Event-ID is given what it missed, once each and in order, then a snapshot, then what follows", async (t) => {
  const served = await servingCounter(t);
  const first = await openStream(served.app, STREAM, bearer(served));
  const { id = "" } = await first.reader.next();
  first.reader.leave();
  for (let by = 1; by <= 5; by++) await served.system.tell(COUNTER, { type: "count.add", by });
  const again = await openStream(served.app, STREAM, { ...bearer(served), "last-event-id": id });
  const revisions: number[] = [];
  for (let n = 0; n < 5; n++) {
    const event = await again.reader.next();
    t.equal(event.event, "change");
    revisions.push(event.data.revision as number);
  }
  t.same(revisions, [2, 3, 4, 5, 6]);
  t.match(await again.reader.next(), { event: "snapshot", data: { revision: 6, context: { total: 15 } } });
  await served.system.tell(COUNTER, { type: "count.add", by: 1 });
  t.match(await again.reader.next(), { event: "change", data: { revision: 7 } });
  again.reader.leave();
});

test("turns that happen while the journal is read are neither lost nor told twice", async (t) => {
  const real = await servingCounter(t);
  let release: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = fakeOver(real.system, {
    history: async (address, query) => {
      const page: HistoryPage = await real.system.history(address, query);
      await gate;
      return page;
    },
  });
  const served = await serving(t, { system: slow });
  const incarnation = real.system.read(parseAddress(COUNTER))?.incarnation ?? "";
  await real.system.tell(COUNTER, { type: "count.add", by: 1 });
  const opening = openStream(served.app, STREAM, { ...bearer(served), "last-event-id": `${incarnation}:1` });
  await settle();
  await real.system.tell(COUNTER, { type: "count.add", by: 1 });
  await real.system.tell(COUNTER, { type: "count.add", by: 1 });
  release();
  const { reader } = await opening;
  const seen = [await reader.next(), await reader.next(), await reader.next(), await reader.next()];
  t.match(seen, [
    { event: "change", data: { revision: 2 } },
    { event: "snapshot", data: { revision: 2, context: { total: 1 } } },
    { event: "change", data: { revision: 3 } },
    { event: "change", data: { revision: 4 } },
  ]);
  await real.system.tell(COUNTER, { type: "count.add", by: 1 });
  t.match(await reader.next(), { event: "change", data: { revision: 5 } });
  reader.leave();
});

test("what cannot be given again is told as a gap before the snapshot", async (t) => {
  const served = await servingCounter(t);
  const { incarnation = "", revision = 0 } = served.system.read(parseAddress(COUNTER)) ?? {};
  for (const [id, reason] of [
    ["somethingelse:1", "the actor has a new history"],
    [`${incarnation}:${String(revision + 1)}`, "the actor has a new history"],
    ["nonsense", "the id is none of this stream"],
    [`${incarnation}:-1`, "the id is none of this stream"],
    [`${incarnation}:99999999999999999999`, "the id is none of this stream"],
  ] as const) {
    const { reader } = await openStream(served.app, STREAM, { ...bearer(served), "last-event-id": id });
    t.match(await reader.next(), { event: "gap", data: { reason } }, id);
    t.match(await reader.next(), { event: "snapshot", data: { incarnation, revision } });
    reader.leave();
  }
  const { reader } = await openStream(served.app, STREAM, { ...bearer(served), "last-event-id": `${incarnation}:${String(revision)}` });
  t.match(await reader.next(), { event: "snapshot" }, "nothing was missed, nothing is said of it");
  reader.leave();
});

test("a client too far behind gets a gap that says so, and the present state", async (t) => {
  const served = await servingCounter(t);
  const view = served.system.read(parseAddress(COUNTER));
  if (view === undefined) throw new Error("there is no counter");
  let now = 20_000;
  const faked = await serving(t, { system: fakeOver(served.system, { look: async () => Promise.resolve({ ...view, revision: now }) }) });
  const far = await openStream(faked.app, STREAM, { ...bearer(faked), "last-event-id": `${view.incarnation}:1` });
  t.match(await far.reader.next(), { event: "gap", data: { reason: "too far behind", after: 1, upTo: 20_000 } });
  t.match(await far.reader.next(), { event: "snapshot", data: { revision: 20_000 } });
  far.reader.leave();
  now = 5_000;
  const entries = Array.from({ length: 1_000 }, (_, n): HistoryEntry => ({ revision: n + 2, at: 1, inputs: [], state: "open", timers: [], emitted: [] }));
  const many = await serving(t, {
    system: fakeOver(served.system, { look: async () => Promise.resolve({ ...view, revision: now }), history: async () => ({ items: entries, next: 1_001, missing: [] }) }),
  });
  const behind = await openStream(many.app, STREAM, { ...bearer(many), "last-event-id": `${view.incarnation}:1` });
  for (let n = 0; n < 1_000; n++) await behind.reader.next();
  t.match(await behind.reader.next(), { event: "gap", data: { reason: "too many turns", after: 1_001, upTo: 5_000 } });
  behind.reader.leave();
});

test("a new history and an ended actor are told", async (t) => {
  const served = await servingCounter(t);
  const view = served.system.read(parseAddress(COUNTER));
  if (view === undefined) throw new Error("there is no counter");
  let tell: (change: Change) => void = () => undefined;
  // Its changes have no record, as those of a volatile entity.
  let shown: typeof view | undefined = { ...view, durability: "volatile" };
  const faked = await serving(t, {
    system: fakeOver(served.system, {
      read: () => shown,
      look: async () => Promise.resolve(shown),
      watch: (listener) => {
        tell = listener;
        return () => undefined;
      },
    }),
  });
  const { reader } = await openStream(faked.app, STREAM, bearer(faked));
  await reader.next();
  const change: Change = { entity: view.entity, incarnation: "later", revision: 1, at: 5, cells: [], ended: [], emitted: [], record: undefined };
  shown = { ...view, durability: "volatile", incarnation: "later", revision: 1 };
  tell(change);
  t.match(await reader.next(), { event: "gap", data: { reason: "the actor has a new history" } });
  t.match(await reader.next(), { event: "snapshot", id: "later:1" });
  tell({ ...change, revision: 2 });
  tell({ ...change, revision: 3, emitted: [{ cell: view.address, event: { type: "hello" } }] });
  t.match(await reader.next(), { event: "change", id: "later:3", data: { inputs: [], emitted: [{ type: "hello" }] } }, "a turn that does not concern the actor is not told");
  tell({ ...change, revision: 4, ended: [view.address] });
  t.match(await reader.next(), { event: "ended", id: "later:4" });
  await reader.end();
  shown = undefined;
  isProblem(t, await faked.as("viewer", { url: STREAM }), 404, "no-such-actor");
});

test("a heartbeat comes every 15 s", async (t) => {
  const served = await servingCounter(t);
  const { reader } = await openStream(served.app, STREAM, bearer(served));
  await reader.next();
  await served.clock.advance(30_000);
  t.same(
    reader.comments.filter((comment) => comment === "heartbeat"),
    ["heartbeat", "heartbeat"],
  );
});

test("S10. a stream ends within a second of the removal of its token, or of the end of its session; others go on", async (t) => {
  const served = await servingCounter(t);
  const open = async (headers: Readonly<Record<string, string>>): Promise<EventReader> => {
    const { reader } = await openStream(served.app, STREAM, headers);
    await reader.next();
    return reader;
  };
  const byToken = await open(bearer(served));
  const bySession = await open(await signIn(served, "viewer"));
  const others = await open({ authorization: `Bearer ${served.texts.operator}` });
  await served.as("admin", { method: "DELETE", url: "/v1/tokens/vic" });
  await served.clock.advance(1_000);
  for (const reader of [byToken, bySession]) t.ok(reader.comments.includes("signed out"));
  const own = await signIn(served, "admin");
  const signedOut = await open(own);
  await served.app.inject({ method: "DELETE", url: "/v1/session", headers: { ...own, "sec-fetch-site": "same-origin" } });
  await served.clock.advance(1_000);
  t.ok(signedOut.comments.includes("signed out"));
  await Promise.all([byToken.end(), bySession.end(), signedOut.end()]);
  await served.system.tell(COUNTER, { type: "count.add", by: 1 });
  t.match(await others.next(), { event: "change" });
  others.leave();
});

test("S5. a client that does not read is cut off at its bound and comes again without a loss; others do not notice", async (t) => {
  // Each change is large, since the kernel's buffers swallow the first megabytes.
  const served = await servingCounter(t, { decorate: () => ({ padding: "x".repeat(100_000) }) });
  const reader = await connectStream(served.app, STREAM, bearer(served));
  const { port } = served.app.server.address() as AddressInfo;
  const frozen = connect(port, "127.0.0.1");
  frozen.write(`GET ${STREAM} HTTP/1.1\r\nhost: x\r\naccept: text/event-stream\r\nauthorization: Bearer ${served.texts.viewer}\r\n\r\n`);
  await new Promise((resolve) => frozen.once("readable", resolve));
  await reader.next();
  const streams = async (): Promise<string> => /drover_http_streams (\d+)/.exec((await served.as("viewer", { url: "/metrics" })).body)?.[1] ?? "";
  t.equal(await streams(), "2");
  let turns = 0;
  for (; turns < 1_000 && (await streams()) === "2"; turns++) {
    await served.system.tell(COUNTER, { type: "count.add", by: 1 });
    await reader.next();
  }
  t.equal(await streams(), "1", `after ${String(turns)} turns the client that reads nothing is gone`);
  frozen.destroy();
  await served.system.tell(COUNTER, { type: "count.close" });
  t.match(await reader.next(), { data: { state: "closed", actor: { context: { total: turns } } } }, "whoever reads sees every turn");
  reader.leave();
});

test("the number of streams is bounded, and a stream that ends gives its place back", async (t) => {
  const served = await servingCounter(t);
  const first = await connectStream(served.app, STREAM, bearer(served));
  const others: EventReader[] = [];
  for (let n = 1; n < 256; n++) others.push((await openStream(served.app, STREAM, bearer(served))).reader);
  const refused = await served.as("viewer", { url: STREAM });
  isProblem(t, refused, 503, "too-many-streams");
  t.ok(refused.headers["retry-after"]);
  first.leave();
  await closedConnections(served);
  t.equal((await openStream(served.app, STREAM, bearer(served))).statusCode, 200);
  for (const reader of others) reader.leave();
});

test("a client that takes no event stream is told so", async (t) => {
  const served = await servingCounter(t);
  t.equal((await served.as("viewer", { method: "HEAD", url: STREAM })).statusCode, 405, "HEAD would hold a stream without a body");
  for (const accept of ["application/json", "text/html", "text/event-stream;q=0"])
    isProblem(t, await served.as("viewer", { url: STREAM, headers: { accept } }), 406, "not-acceptable");
  for (const accept of ["text/event-stream", "*/*", "text/*;q=0.1, application/json"]) {
    const { statusCode, reader } = await openStream(served.app, STREAM, { ...bearer(served), accept });
    t.equal(statusCode, 200, accept);
    reader.leave();
  }
});

test("when the node stops, its streams end with a word and nothing keeps it waiting", async (t) => {
  const served = await servingCounter(t);
  const reader = await connectStream(served.app, STREAM, bearer(served));
  await reader.next();
  const began = process.hrtime.bigint();
  await served.app.close();
  t.ok(process.hrtime.bigint() - began < 2_000_000_000n, "closing is prompt");
  await reader.end();
  t.ok(reader.comments.includes("the node is stopping"));
});
