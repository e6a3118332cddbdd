import { test } from "tap";
import { fromVersion1, fromVersion2, MAX_REMEMBERED, MAX_WAITING } from "../../../actors/requests/request-line.ts";
import { leftRequestIn, type RequestsContext } from "../../../actors/index.ts";
import { parseAddress } from "../../../runtime/index.ts";
import { memoryStore } from "../../../runtime/simulation/index.ts";
import { type Cloud, cloudActors } from "../cloud-actors.ts";

const R = parseAddress("acme/requests/v1");
const THERMA = "acme/vehicle/v1/module/therma";
const create = { input: undefined };
const keep = ({ clock }: Cloud, request: string, more: { readonly to?: string; readonly ttlMs?: number } = {}): { type: string; [key: string]: unknown } => ({
  type: "request.keep",
  request,
  to: THERMA,
  event: { type: "climate.setpoint.request", celsius: 21 },
  author: "ann",
  expiresAt: clock.now() + 60_000,
  keptAt: clock.now(),
  ...more,
});
const settled = (request: string, outcome = "confirmed"): { type: string; [key: string]: unknown } => ({ type: "request.settled", request, outcome });
const context = ({
  system,
}: Cloud): { readonly waiting: readonly { readonly request: string }[]; readonly settled: readonly { readonly request: string; readonly outcome: string }[] } =>
  system.read(R)?.context as never;
const waiting = (cloud: Cloud): readonly string[] => context(cloud).waiting.map(({ request }) => request);
const outcomes = (cloud: Cloud): readonly string[] => context(cloud).settled.map(({ request, outcome }) => `${request} ${outcome}`);
const forwarded = (cloud: Cloud): readonly string[] => cloud.forwarded.map(({ request }) => request);
const never = (): Promise<void> => new Promise(() => undefined);

test("O2. a request that waits is kept once under its id, forwarded until it is settled, and its outcome stays to be read", async (t) => {
  const cloud = await cloudActors();
  t.match(await cloud.system.inform(R, keep(cloud, "k1"), create), { kind: "accepted" });
  t.match(await cloud.system.inform(R, keep(cloud, "k1")), { kind: "refused" });
  t.same(cloud.forwarded, [{ request: "k1", to: THERMA }]);
  await cloud.system.inform(R, settled("k1"));
  t.same(waiting(cloud), []);
  t.same(outcomes(cloud), ["k1 confirmed"]);
  t.match(await cloud.system.inform(R, settled("k1")), { kind: "refused" });
  await cloud.system.stop();
});

test("O2. Requests are forwarded one after the other in the order in which they were kept, whatever their ids, over a kill of the cloud too", async (t) => {
  const first = await cloudActors({ forward: never });
  for (const id of ["10", "z", "9", "1"]) await first.system.inform(R, keep(first, id), create);
  t.same(forwarded(first), ["10"], "the others wait for its word");
  await first.system.stop();
  const again = await cloudActors({ disk: first.disk, clock: first.clock, forward: never });
  await again.system.activate(R, create);
  await first.clock.advance(10);
  t.same(waiting(again), ["10", "z", "9", "1"]);
  for (const id of ["10", "z", "9", "1"]) await again.system.inform(R, settled(id));
  t.same(forwarded(again), ["10", "z", "9", "1"]);
  await again.system.stop();
});

test("V1. A request whose time to live ends before anything was sent is gone, with its outcome; the next one takes its place", async (t) => {
  const cloud = await cloudActors({ forward: never });
  await cloud.system.inform(R, keep(cloud, "short", { ttlMs: 5_000 }), create);
  await cloud.system.inform(R, keep(cloud, "long"));
  await cloud.clock.advance(4_900);
  t.same(waiting(cloud), ["short", "long"]);
  await cloud.clock.advance(200);
  t.same(waiting(cloud), ["long"]);
  t.same(outcomes(cloud), ["short expired"]);
  t.same(forwarded(cloud), ["short", "long"]);
  t.match(await cloud.system.inform(R, keep(cloud, "short")), { kind: "refused" }, "M2: its id is known until it expires");
  await cloud.clock.advance(60_000);
  t.same(outcomes(cloud), ["short expired", "long expired"], "at the latest with its id");
  await cloud.system.stop();
});

test("V1, K1. It ends while the cloud is stopped, too", async (t) => {
  const first = await cloudActors({ forward: never });
  await first.system.inform(R, keep(first, "short", { ttlMs: 5_000 }), create);
  await first.system.stop();
  await first.clock.advance(20_000);
  const again = await cloudActors({ disk: first.disk, clock: first.clock, forward: never });
  await again.system.activate(R, create);
  await first.clock.advance(10);
  t.same(waiting(again), []);
  t.same(outcomes(again), ["short expired"]);
  await again.system.stop();
});

test("S3. What may have been sent does not end as if it had not", async (t) => {
  const cloud = await cloudActors({ forward: never });
  await cloud.system.inform(R, keep(cloud, "sent", { ttlMs: 5_000 }), create);
  await cloud.system.inform(R, keep(cloud, "next", { ttlMs: 5_000 }));
  t.match(await cloud.system.inform(R, { type: "request.sent", request: "next" }), { kind: "refused" }, "only the head is sent");
  t.match(await cloud.system.inform(R, { type: "request.sent", request: "sent" }), { kind: "accepted" });
  await cloud.clock.advance(10_000);
  t.same(waiting(cloud), ["sent"]);
  t.same(outcomes(cloud), ["next expired"]);
  await cloud.system.stop();
});

test("O2. One that cannot be judged yet steps behind those for others, and stays before those for the same", async (t) => {
  const cloud = await cloudActors({ forward: never });
  const other = "acme/vehicle/v1/module/other";
  await cloud.system.inform(R, keep(cloud, "a1"), create);
  t.match(await cloud.system.inform(R, { type: "request.postponed", request: "a1" }), { kind: "refused" }, "there is no other");
  await cloud.system.inform(R, keep(cloud, "a2"));
  await cloud.system.inform(R, keep(cloud, "b1", { to: other }));
  await cloud.system.inform(R, keep(cloud, "b2", { to: other }));
  t.match(await cloud.system.inform(R, { type: "request.postponed", request: "a1" }), { kind: "accepted" });
  t.same(waiting(cloud), ["b1", "b2", "a1", "a2"]);
  t.same(forwarded(cloud), ["a1", "b1"]);
  await cloud.system.stop();
});

test("F1, S3. a request that waits is forwarded again after a kill of the cloud, under the same id", async (t) => {
  const first = await cloudActors({ forward: never });
  await first.system.inform(R, keep(first, "k1"), create);
  await first.system.stop();
  const again = await cloudActors({ disk: first.disk, clock: first.clock });
  await again.system.activate(R, create);
  await first.clock.advance(10);
  t.same(again.forwarded, [{ request: "k1", to: THERMA }]);
  t.same(waiting(again), ["k1"]);
  await again.system.stop();
});

test("F1. a forwarding that fails is repeated until it is done", async (t) => {
  let failures = 2;
  const cloud = await cloudActors({
    forward: () => {
      if (failures-- > 0) throw new Error("the vehicle's word is outstanding");
    },
  });
  await cloud.system.inform(R, keep(cloud, "k1"), create);
  await cloud.clock.advance(10_000);
  t.equal(cloud.forwarded.length, 3);
  await cloud.system.stop();
});

test("S5, M2. requests that wait have a bound, and so have outcomes that only the cloud knows: none of them is evicted before its id expires", async (t) => {
  const cloud = await cloudActors({ forward: never });
  await cloud.system.activate(R, create);
  await Promise.all(Array.from({ length: MAX_WAITING }, (_, n) => cloud.system.inform(R, keep(cloud, `k${String(n)}`))));
  t.match(await cloud.system.inform(R, keep(cloud, "one more")), { kind: "refused" });
  t.equal(waiting(cloud).length, MAX_WAITING);
  for (let n = 0; n < MAX_REMEMBERED; n++) {
    await cloud.system.inform(R, settled(waiting(cloud)[0] ?? "", "expired"));
    await cloud.system.inform(R, keep(cloud, `l${String(n)}`));
  }
  t.equal(outcomes(cloud).length, MAX_REMEMBERED, "a request that could not be remembered is not taken");
  t.same(waiting(cloud), []);
  await cloud.clock.advance(60_000);
  t.match(await cloud.system.inform(R, keep(cloud, "late")), { kind: "accepted" });
  await cloud.system.inform(R, settled("late"));
  t.equal(outcomes(cloud).length, 50, "what has expired is only there to be read");
  t.equal(outcomes(cloud).at(-1), "late confirmed");
  await cloud.system.stop();
});

test("M2. An id is a value, whatever it is called", async (t) => {
  const first = await cloudActors({ forward: never });
  const ids = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  for (const id of ids) {
    t.match(await first.system.inform(R, keep(first, id), create), { kind: "accepted" }, id);
    t.match(await first.system.inform(R, keep(first, id)), { kind: "refused" }, `${id} again`);
  }
  await first.system.stop();
  const again = await cloudActors({ disk: first.disk, clock: first.clock, forward: never });
  await again.system.activate(R, create);
  t.same(waiting(again), ids);
  for (const id of ids) t.match(await again.system.inform(R, settled(id)), { kind: "accepted" }, id);
  t.same(
    outcomes(again),
    ids.map((id) => `${id} confirmed`),
  );
  await again.system.stop();
});

test("what version 1 kept is brought into one line, oldest first, and nothing of it ends as if it had not been sent", (t) => {
  const old = (keptAt: number) => ({ to: THERMA, event: { type: "climate.setpoint.request", value: keptAt }, author: "ann", expiresAt: 99, keptAt });
  const { context: line } = fromVersion1({ context: { waiting: { "2": old(7), "10": old(5), z: old(6) } } });
  t.match(line, { waiting: [{ request: "10", endsAt: 99, sent: true }, { request: "z" }, { request: "2" }], settled: [] });
  t.end();
});

test("what version 2 knew of commands that left is known", (t) => {
  const left = [
    { request: "k1", fingerprint: "f1", expiresAt: 99, at: 5, answered: true as const },
    { request: "k2", fingerprint: "f2", expiresAt: 98, at: 6 },
  ];
  const { context: line } = fromVersion2({ context: { waiting: [], settled: [], left } });
  t.same(
    ["k1", "k2", "k3"].map((request) => leftRequestIn(line.left ?? [], request, 50)),
    [...left, undefined],
  );
  t.same(fromVersion2({ context: { waiting: [], settled: [] } }).context, { waiting: [], settled: [] });
  t.end();
});

test("L4. A turn writes at most 90 bytes for each command that is known to have left", async (t) => {
  const cloud = await cloudActors();
  const id = (at: number): string => `${at.toString(16).padStart(6, "0")}${"a7".repeat(13)}`;
  const note = (at: number) => ({ request: id(at), fingerprint: "Ckqir5o8UZ7VHc7C0afXCj", expiresAt: cloud.clock.now() + 86_400_000 });
  const leave = (from: number, to: number, answered: readonly string[]) => {
    const [first, ...others] = Array.from({ length: to - from }, (_, at) => note(from + at));
    return cloud.system.inform(R, { type: "request.left", ...first, answered, others }, create);
  };
  for (let at = 0; at < 900; at += 300) t.match(await leave(at, at + 300, at === 0 ? [] : Array.from({ length: 64 }, (_, each) => id(each))), { kind: "accepted" });
  t.match(await leave(900, 901, []), { kind: "accepted" });
  const store = memoryStore({ disk: cloud.disk });
  await store.open();
  const [newest] = await store.journal({ entity: R, limit: 1, order: "newest-first" });
  t.ok((newest?.record.byteLength ?? Infinity) < 901 * 90, String(newest?.record.byteLength));
  t.match(leftRequestIn((cloud.system.read(R)?.context as RequestsContext).left ?? [], id(5), cloud.clock.now()), { request: id(5), answered: true });
  t.match(leftRequestIn((cloud.system.read(R)?.context as RequestsContext).left ?? [], id(899), cloud.clock.now()), { at: cloud.clock.now(), answered: undefined });
  await cloud.system.stop();
});
