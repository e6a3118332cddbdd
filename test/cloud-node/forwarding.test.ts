// Requests that wait, from the door of the cloud to a vehicle that is a function: order, times, and what is told to whoever asks again. In virtual time.

import { test } from "tap";
import { MAX_WAITING } from "../../actors/requests/request-line.ts";
import type { LeftCommands } from "../../cloud-node/left-commands.ts";
import { rememberingSent } from "../../cloud-node/sent-commands.ts";
import { type Answer, parseAddress, type RemoteMessage, type Told } from "../../runtime/index.ts";
import { ManualClock } from "../../runtime/simulation/index.ts";
import { type CloudDesk, confirmed, desk, THERMA, WISH } from "./cloud-desk.ts";

const values = ({ heard }: CloudDesk): readonly unknown[] => heard.map(({ event }) => event["value"]);

test("O2. Requests reach the vehicle one after the other in the order in which they were accepted; one that it cannot judge yet holds the line", async (t) => {
  const at = await desk(t);
  for (const [n, value] of [20, 24, 28, 32].entries()) t.match(await at.ask(value, `w${String(9 - n)}`), { kind: "accepted", waiting: true });
  let refusals = 3;
  const order: string[] = [];
  at.answer = async ({ event }) => {
    if (refusals-- > 0) return { kind: "owner-away" };
    order.push(`begin ${String(event["value"])}`);
    await new Promise<void>((resolve) => void at.clock.setTimeout(resolve, 500));
    order.push(`end ${String(event["value"])}`);
    return confirmed;
  };
  at.up();
  await at.clock.advance(10_000);
  t.same(values(at), [20, 20, 20, 20, 24, 28, 32]);
  t.same(
    order,
    [20, 24, 28, 32].flatMap((value) => [`begin ${String(value)}`, `end ${String(value)}`]),
  );
  t.same(at.outcomes(), ["w9 confirmed", "w8 confirmed", "w7 confirmed", "w6 confirmed"]);
  t.match(at.heard[0], { against: 4, sender: { id: "w9", author: "ann" } });
});

test("O2. A request that comes while others wait queues behind them, though the vehicle is there", async (t) => {
  const at = await desk(t);
  await at.ask(20, "older");
  at.answer = () => ({ kind: "owner-away" });
  at.up();
  await at.clock.advance(100);
  t.match(await at.ask(30, "newer"), { kind: "accepted", waiting: true });
  at.answer = () => confirmed;
  await at.clock.advance(5_000);
  t.equal(values(at).at(-1), 30);
  t.match(await at.ask(31, "newest"), confirmed, "nobody waits any more");
});

test("O2. One that was refused, or that the vehicle gives no word on, does not hold the others for ever", async (t) => {
  const at = await desk(t);
  for (const [value, id] of [
    [20, "refused"],
    [21, "silent"],
    [22, "good"],
  ] as const)
    await at.ask(value, id);
  at.answer = ({ event }) => {
    if (event["value"] === 20) return { kind: "refused", accepts: [] };
    return event["value"] === 21 ? { kind: "unknown", reason: "no status showed it" } : confirmed;
  };
  at.up();
  await at.clock.advance(60_000);
  t.same(at.outcomes(), ["refused refused", "silent unknown", "good confirmed"]);
  await at.ask(21, "silent");
  t.ok((at.heard.at(-1)?.waitedMs ?? 0) >= 60_000, "who asks again asks the vehicle, which hears how long it has waited");
});

/** The vehicle's own: its module showed nothing. */
const unshown = { kind: "unknown", reason: "no status showed the wanted value in time", byOwner: true } as const;

test("O2, S4. That the vehicle does not know what became of a command is its word: who comes after it does not wait, and it is not asked for", async (t) => {
  const at = await desk(t);
  at.isUp = true;
  at.answer = ({ event }) => (event["value"] === 20 ? unshown : confirmed);
  for (const id of ["deaf-1", "deaf-2"]) t.same(await at.ask(20, id), unshown);
  t.same(await at.ask(30, "well"), confirmed, "it is sent at once");
  t.same(await at.ask(20, "deaf-1"), unshown, "who asks again asks the vehicle");
  await at.clock.advance(60_000);
  t.same(values(at), [20, 20, 30, 20]);
});

test("O2. So it is for those that have waited: each is sent once, and the next one follows", async (t) => {
  const at = await desk(t);
  for (const [value, id] of [
    [20, "deaf"],
    [30, "well"],
  ] as const)
    await at.ask(value, id);
  at.answer = ({ event }) => (event["value"] === 20 ? unshown : confirmed);
  at.up();
  await at.clock.advance(100);
  t.same(values(at), [20, 30]);
  t.same(at.outcomes(), ["deaf unknown", "well confirmed"]);
});

test("V1. Nothing is sent after its time to live, by the message or by the vehicle's file; whoever asks again hears that it came too late", async (t) => {
  const at = await desk(t);
  await at.ask(20, "mine", { ttlMs: 5_000 });
  await at.ask(21, "file");
  await at.clock.advance(20_000);
  t.same(at.outcomes(), ["mine expired"]);
  t.same(await at.ask(20, "mine", { ttlMs: 5_000 }), { kind: "too-old" });
  t.match(await at.ask(25, "mine", { ttlMs: 5_000 }), { kind: "id-reused" });
  await at.clock.advance(600_000);
  t.same(at.outcomes(), ["mine expired", "file expired"]);
  at.up();
  await at.clock.advance(10_000);
  t.same(at.heard, []);
  t.same(await at.ask(21, "file"), { kind: "too-old" });
});

test("V1. How long a request waited travels with it; that it is over is the vehicle's word too", async (t) => {
  const at = await desk(t);
  await at.ask(20, "patient");
  await at.clock.advance(30_000);
  at.answer = () => ({ kind: "too-old" });
  at.up();
  await at.clock.advance(1_000);
  t.match(at.heard, [{ waitedMs: 30_000 }]);
  t.same(at.outcomes(), ["patient expired"]);
  t.same(await at.ask(20, "patient"), { kind: "too-old" });
  t.equal(at.heard.length, 1);
});

test("S3. A request that may have been sent when its time ended is asked for until the vehicle has told, over a kill of the cloud too", async (t) => {
  const at = await desk(t);
  await at.ask(20, "cut", { ttlMs: 5_000 });
  at.answer = () => {
    at.isUp = false;
    return { kind: "unknown", reason: "the link was cut" };
  };
  at.up();
  await at.clock.advance(20_000);
  t.same(at.waiting(), ["cut"], "it may have acted");
  await at.system.stop();
  const again = await desk(t, at);
  await again.clock.advance(20_000);
  t.same(again.waiting(), ["cut"]);
  again.up();
  await again.clock.advance(1_000);
  t.match(again.heard, [{ sender: { id: "cut" } }]);
  t.same(again.outcomes(), ["cut confirmed"]);
});

const unheard = { kind: "unknown", reason: "no answer in time" } as const;

/** As of a vehicle that keeps silent: nothing came within 3 s. */
async function noWord({ clock }: CloudDesk): Promise<Answer> {
  await new Promise<void>((resolve) => void clock.setTimeout(resolve, 3_000));
  return unheard;
}

/** Asks for `value` while the vehicle is frozen: what is sent to it is lost, and no word comes. */
async function askFrozen(at: CloudDesk, value: number, id: string, more?: Readonly<Record<string, unknown>>): Promise<Answer> {
  at.isUp = true;
  at.answer = () => {
    at.isUp = false;
    return unheard;
  };
  return at.ask(value, id, more);
}

test("M2, O2, S3. A command that may wait and was on its way when its vehicle froze is followed up: asked for under its id when the vehicle is back, its outcome told", async (t) => {
  const at = await desk(t);
  const told = await askFrozen(at, 20, "flight");
  t.match(told, { kind: "unknown", reason: /no answer in time.*acme\/requests\/v1/ });
  t.same(at.waiting(), ["flight"]);
  t.match(await at.ask(20, "flight"), { kind: "accepted", waiting: true });
  t.match(await at.ask(21, "flight"), { kind: "id-reused" });
  t.match(await at.ask(30, "newer"), { kind: "accepted", waiting: true }, "who comes after it queues behind it");
  await at.clock.advance(60_000);
  at.answer = () => confirmed;
  at.up();
  await at.clock.advance(10_000);
  t.same(values(at), [20, 20, 30]);
  t.match(at.heard[1], { sender: { id: "flight", author: "ann" }, against: 4, waitedMs: 60_000 });
  t.same(at.outcomes(), ["flight confirmed", "newer confirmed"]);
  t.match(await at.ask(20, "flight"), confirmed);
});

test("M2, O2. Where this node sends a command again itself its vehicle knows the id for its whole time, though nobody here was told it", async (t) => {
  const at = await desk(t);
  const unheard: Answer = { kind: "unknown", reason: "no answer in time" };
  at.answer = () => {
    at.isUp = false;
    return unheard;
  };
  at.up();
  t.match(await at.system.ask(THERMA, WISH(20), { withinMs: 5_000 }), unheard);
  await at.clock.advance(600_000);
  at.answer = () => confirmed;
  at.up();
  await at.clock.advance(10_000);
  t.same(values(at), [20, 20]);
  const [first, second] = at.heard.map(({ sender }) => sender);
  t.match(second, { kind: "outside", id: first?.kind === "outside" ? first.id : "" }, "the same message");
  t.notOk(at.heard.some(({ sender }) => "repeatedMs" in sender));
});

test("M2, V1. A repetition after this node's clock was set back has waited for nothing, and hears the same", async (t) => {
  const at = await desk(t);
  at.answer = () => confirmed;
  at.up();
  t.match(await at.ask(20, "one"), confirmed);
  at.clock.jump(-10_000);
  t.match(await at.ask(20, "one"), confirmed);
  t.ok(at.heard.every(({ waitedMs = 0 }) => waitedMs >= 0));
});

test("M2, S3. So it is over a kill of the cloud", async (t) => {
  const at = await desk(t);
  await askFrozen(at, 20, "flight");
  await at.system.stop();
  const again = await desk(t, at);
  await again.clock.advance(30_000);
  t.match(await again.ask(20, "flight"), { kind: "accepted", waiting: true });
  again.up();
  await again.clock.advance(1_000);
  t.match(again.heard, [{ sender: { id: "flight" }, waitedMs: 30_000, against: 4 }]);
  t.same(again.outcomes(), ["flight confirmed"]);
});

test("V1. A vehicle that never heard of a command asked for again too late says so, and that is its outcome: nothing acts late", async (t) => {
  const at = await desk(t);
  await askFrozen(at, 20, "lost", { ttlMs: 5_000 });
  await at.clock.advance(20_000);
  t.same(at.outcomes(), [], "whether it acted in its time is the vehicle's to say");
  at.answer = ({ waitedMs = 0 }) => (waitedMs > 5_000 ? { kind: "too-old" } : confirmed);
  at.up();
  await at.clock.advance(1_000);
  t.same(at.outcomes(), ["lost expired"]);
  t.same(await at.ask(20, "lost", { ttlMs: 5_000 }), { kind: "too-old" });
});

test("O2. A command that was lost on its way is only asked for, never brought again, once a newer one for the same actor went ahead", async (t) => {
  const at = await desk(t);
  at.isUp = true;
  at.answer = ({ event }) => (event["value"] === 20 ? noWord(at) : confirmed);
  const older = at.ask(20, "older");
  await at.clock.advance(1_000);
  t.match(await at.ask(30, "newer"), confirmed);
  at.answer = ({ waitedMs = 0 }) => (waitedMs > 600_000 ? { kind: "too-old" } : confirmed);
  await at.clock.advance(4_000);
  t.match(await older, { kind: "unknown" });
  await at.clock.advance(1_000);
  t.same(values(at), [20, 30, 20]);
  t.same(at.outcomes(), ["older expired"], "the vehicle had not heard of it");
});

test("O2, M2. A command on its way is not overtaken by its own repetition, by that of an older one, or by what its protocol refuses: it is brought again", async (t) => {
  const at = await desk(t);
  at.isUp = true;
  t.match(await at.ask(22, "earlier"), confirmed);
  at.answer = ({ event }) => (event["value"] === 24 ? noWord(at) : confirmed);
  const flight = at.ask(24, "flight");
  await at.clock.advance(500);
  const again = at.ask(24, "flight");
  t.match(await at.ask(22, "earlier"), confirmed);
  await at.system.ask(THERMA, { type: "climate.setpoint.request", value: "hot" }, { id: "wrong", withinMs: 5_000, author: "ann" });
  await at.clock.advance(4_000);
  t.match([await flight, await again], [{ kind: "unknown" }, { kind: "unknown" }]);
  at.answer = ({ waitedMs = 0 }) => (waitedMs > 600_000 ? { kind: "too-old" } : confirmed);
  await at.clock.advance(5_000);
  t.same(at.outcomes(), ["flight confirmed"]);
});

test("M2. Whoever asks for a command that is being followed up asks the vehicle, when it is there, and it has waited since it was first asked", async (t) => {
  const at = await desk(t);
  await askFrozen(at, 20, "flight");
  await at.clock.advance(7_000);
  at.answer = () => ({ kind: "owner-away" });
  at.up();
  await at.clock.advance(100);
  t.match(await at.ask(20, "flight"), { kind: "unknown", reason: /an earlier attempt under the same id was sent/ });
  at.answer = () => confirmed;
  t.match(await at.ask(20, "flight"), confirmed);
  t.match(at.heard.at(-1), { waitedMs: 7_100, against: 4 });
  t.same(at.outcomes(), ["flight confirmed"]);
  t.match(await at.ask(30, "next"), confirmed, "whoever heard the word does not queue behind it");
});

test("O2, S5. Where no more may wait, what has no word is unknown and not followed up; asked again it has waited since it was first asked", async (t) => {
  const at = await desk(t);
  at.isUp = true;
  at.answer = () => noWord(at);
  const flight = at.ask(20, "flight");
  await at.clock.advance(100);
  at.isUp = false;
  for (let n = 0; n < MAX_WAITING; n++) t.match(await at.ask(21, `w${String(n)}`), { waiting: true });
  await at.clock.advance(3_000);
  t.same(await flight, unheard);
  at.answer = () => confirmed;
  at.isUp = true;
  t.match(await at.ask(20, "flight"), confirmed);
  t.match(at.heard.at(-1), { waitedMs: 3_100 });
});

test("V1, M2. A sender that repeats a command which may not wait wishes it now: each attempt has its own time to live", async (t) => {
  const clock = new ManualClock();
  const heard: RemoteMessage[] = [];
  let word: Told | Answer = unheard;
  let isUp = true;
  const noted: LeftCommands = {
    leaves: () => ({ told: Promise.resolve({ kind: "accepted", durable: "local" }), settled: Promise.resolve(true), over: () => undefined }),
    untaken: async () => true,
    answered: () => undefined,
    find: () => undefined,
  };
  const memory = rememberingSent({ route: () => ({ node: "edge", reachable: isUp }), send: async (message) => (heard.push(message), word) }, noted, clock);
  const press = (id: string): Promise<Told | Answer> =>
    memory.send({
      to: parseAddress("acme/vehicle/v1/module/torrent-0"),
      event: { type: "light.set", output: "galley", level: 9 },
      sender: { kind: "outside", id, author: "ann", expiresAt: clock.now() + 86_400_000 },
      ask: true,
      withinMs: 1_000,
    });
  t.match(await press("lost"), unheard);
  await clock.advance(4_000);
  t.match(await press("lost"), unheard);
  await clock.advance(4_000);
  word = { kind: "too-old" };
  t.match(await press("lost"), { kind: "too-old" });
  t.same(
    heard.map(({ waitedMs }) => waitedMs),
    [undefined, undefined, undefined],
  );
  isUp = false;
  word = { kind: "owner-away" };
  t.match(await press("away"), { kind: "owner-away" });
  await clock.advance(4_000);
  t.match(await press("away"), { kind: "owner-away" });
  t.equal(heard.at(-1)?.waitedMs, undefined);
});

test("A1. A dead letter that its vehicle refused, or that waited for it until its time was over, is judged anew whenever it is sent again, by whomever", async (t) => {
  const at = await desk(t);
  const sent = (outcome: object): object => ({ kind: "sent", outcome });
  const again = (number: number, author: string) => at.system.redeliver(number, { author });
  at.isUp = true;
  at.answer = () => ({ kind: "no-such-actor" });
  for (const event of [WISH(20), { type: "climate.look" }]) t.match(await at.system.tell(THERMA, event, { author: "ann" }), { kind: "no-such-actor" });
  at.answer = () => ({ kind: "refused", accepts: [] });
  for (const number of [1, 2]) for (const author of ["bob", "eve"]) t.same(await again(number, author), sent({ kind: "refused", accepts: [] }));
  at.isUp = false;
  t.match(await again(2, "bob"), sent({ kind: "owner-away" }));
  t.match(await again(1, "bob"), sent({ kind: "accepted", waiting: true }));
  t.match(await again(1, "eve"), sent({ kind: "accepted", waiting: true }), "it waits");
  t.equal(at.waiting().length, 1);
  await at.clock.advance(700_000);
  t.match(at.outcomes(), [/^dead-letter\..* expired$/]);
  t.match(await again(1, "eve"), sent({ kind: "accepted", waiting: true }), "it waits anew");
  at.answer = ({ ask }) => (ask ? confirmed : { kind: "accepted", durable: "local" });
  at.up();
  await at.clock.advance(1_000);
  t.match(at.outcomes(), [/expired$/, /confirmed$/]);
  for (const number of [1, 2]) t.same(await again(number, "bob"), sent({ kind: "accepted", durable: "local" }));
  for (const number of [1, 2]) t.match(await again(number, "eve"), { kind: "sent-before" });
});

test("M2. An id is a value, whatever it is called", async (t) => {
  const at = await desk(t);
  const ids = ["__proto__", "constructor", "toString", "hasOwnProperty"];
  for (const id of ids) t.match(await at.ask(20, id), { kind: "accepted", waiting: true }, id);
  at.up();
  for (let ms = 0; ms < 200; ms += 10) await at.clock.advance(10);
  t.same(
    at.outcomes(),
    ids.map((id) => `${id} confirmed`),
  );
});
