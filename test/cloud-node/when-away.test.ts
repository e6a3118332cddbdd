// Which commands wait: the word of the vehicle's file, as the vehicle has published it, stands above the protocol's.

import { test } from "tap";
import { parseAddress } from "../../runtime/index.ts";
import { ManualClock, MemoryDisk } from "../../runtime/simulation/index.ts";
import { confirmed, desk, type Shown, THERMA, VEHICLE, WISH } from "./cloud-desk.ts";

const TORRENT = parseAddress(`${VEHICLE}/module/torrent-0`);
const OTHER = parseAddress(`${VEHICLE}/module/torrent-1`);
const away = { kind: "owner-away" } as const;
const waits = { kind: "accepted", waiting: true } as const;
const LIGHT = (level: number, more: object = {}): { readonly type: string; readonly level: number } => ({ type: "light.set", level, ...more });

const settled = (turn: number): { readonly state: "settled"; readonly turn: number } => ({ state: "settled", turn });

/** The file lets set points wait by another name alone, and lights by both of theirs. */
function published(): Map<string, Shown> {
  return new Map<string, Shown>([
    [VEHICLE, { type: "vehicle", context: {} }],
    [
      THERMA,
      {
        type: "setpoint-owner",
        context: {
          outputs: { setpoint: settled(4) },
          offers: { "climate.setpoint.request": "climate.setpoint.request", "cabin.warm": "climate.setpoint.request" },
          ttlMs: { "climate.setpoint.request": 600_000, "cabin.warm": 600_000 },
          whenAway: { "climate.setpoint.request": "refuse", "cabin.warm": "wait" },
          reaches: { "climate.setpoint.request": [], "cabin.warm": [] },
        },
      },
    ],
    [
      TORRENT,
      {
        type: "module",
        context: {
          outputs: { galley: settled(1), porch: settled(7) },
          offers: { "porch.now": "light.set", "light.set": "light.set", "porch.dim": "light.set" },
          ttlMs: { "porch.now": 10_000, "light.set": 600_000, "porch.dim": 600_000 },
          whenAway: { "porch.now": "refuse", "light.set": "wait", "porch.dim": "wait" },
          reaches: { "porch.now": ["porch"], "light.set": ["galley"], "porch.dim": ["porch"] },
        },
      },
    ],
    [
      OTHER,
      {
        type: "module",
        context: { outputs: { step: settled(0) }, offers: { "light.set": "light.set" }, whenAway: { "light.set": "run-at-owner" }, reaches: { "light.set": ["step"] } },
      },
    ],
  ]);
}

test("O2, D4. What the vehicle's file says of a command decides whether it waits, above its protocol: by its name there or its type's word, at its module's address or the vehicle's", async (t) => {
  const at = await desk(t, undefined, published());
  t.match(await at.send(THERMA, WISH(20), "a"), away, "refuse, where the protocol would wait");
  t.match(await at.send(THERMA, { type: "cabin.warm", value: 21 }, "b"), waits);
  t.match(await at.send(THERMA, { type: "cabin.warm", value: "hot" }, "c"), { kind: "invalid", problems: [{ path: "/value" }] }, "what does not fit its protocol is not kept");
  t.match(await at.send(TORRENT, LIGHT(10, { output: "galley" }), "d"), waits, "wait, where the protocol would refuse");
  t.match(await at.send(TORRENT, { type: "porch.dim", level: 20 }, "e"), waits);
  t.match(await at.send(TORRENT, { type: "porch.now", level: 20 }, "f"), away);
  t.match(await at.send(TORRENT, LIGHT(10, { output: "porch" }), "g"), away, "the type's word reaches what another name lists first");
  t.match(await at.send(OTHER, LIGHT(10, { output: "step" }), "h"), away);
  t.match(await at.send(TORRENT, { type: "output.identify", output: "porch" }, "i"), away, "what the file does not list");
  t.match(await at.send(VEHICLE, { type: "porch.dim", level: 30 }, "j"), waits);
  t.match(await at.send(VEHICLE, { type: "porch.now", level: 30 }, "k"), away);
  t.match(await at.send(VEHICLE, LIGHT(40, { output: "galley" }), "l"), waits, "the output says which");
  t.match(await at.send(VEHICLE, LIGHT(40, { output: "step" }), "m"), away);
  t.match(await at.send(VEHICLE, { type: "bus.mute", bus: "can0" }, "n"), away);
  t.same(at.waiting(), ["b", "d", "e", "j", "l"]);
  at.up();
  await at.clock.advance(1_000);
  t.same(at.waiting(), []);
  t.match(
    at.heard,
    [
      { to: THERMA, event: { type: "cabin.warm", value: 21 }, against: 4 },
      { to: TORRENT, event: { type: "light.set", output: "galley" }, against: 1 },
      { to: TORRENT, event: { type: "porch.dim" }, against: 7 },
      { to: VEHICLE, event: { type: "porch.dim" }, against: 7 },
      { to: VEHICLE, event: { type: "light.set" }, against: 1 },
    ],
    "each under the name that it was sent by, with the changes of hand that its sender had seen of the output that is meant",
  );
});

test("O2. A vehicle that has told nothing of it is judged by its protocol", async (t) => {
  const shown = published();
  for (const [address, { type, context }] of shown) {
    const { whenAway: _, reaches: __, ...before } = context;
    shown.set(address, { type, context: before });
  }
  const at = await desk(t, undefined, shown);
  t.match(await at.send(THERMA, WISH(20), "a"), waits);
  t.match(await at.send(THERMA, { type: "cabin.warm", value: 21 }, "b"), waits);
  t.match(await at.send(VEHICLE, WISH(22), "c"), waits);
  t.match(await at.send(TORRENT, LIGHT(10, { output: "galley" }), "d"), away);
  t.same(at.waiting(), ["a", "b", "c"]);
});

test("O2. What the vehicle tells of a changed file counts from then on; what waits by the former word is the vehicle's to judge", async (t) => {
  const [shown, world] = [published(), { clock: new ManualClock(), disk: new MemoryDisk() }];
  const at = await desk(t, world, shown);
  t.match(await at.send(TORRENT, { type: "porch.dim", level: 20 }, "a"), waits);
  const before = shown.get(TORRENT);
  shown.set(TORRENT, { type: "module", context: { ...before?.context, whenAway: { "porch.now": "wait", "light.set": "refuse", "porch.dim": "refuse" } } });
  t.match(await at.send(TORRENT, { type: "porch.dim", level: 21 }, "b"), away);
  t.match(await at.send(TORRENT, { type: "porch.now", level: 22 }, "c"), waits);
  at.answer = ({ event }) => (event.type === "porch.dim" ? { kind: "refused", accepts: [], reason: "when_away: refuse" } : confirmed);
  at.up();
  await at.clock.advance(1_000);
  t.match(at.heard, [{ event: { level: 20 }, waitedMs: Number }, { event: { level: 22 } }]);
  t.same(at.outcomes(), ["a refused", "c confirmed"]);
});

test("O2. A command that may not wait never goes ahead of an older one that waits for the same actor, and is not sent where that takes too long", async (t) => {
  const at = await desk(t, undefined, published());
  t.match(await at.send(TORRENT, { type: "porch.dim", level: 20 }, "older"), waits);
  let isJudged = false;
  at.answer = ({ event }) => (event.type === "porch.dim" && !isJudged ? { kind: "owner-away" } : confirmed);
  at.up();
  await at.clock.advance(100);
  const impatient = at.send(TORRENT, { type: "porch.now", level: 30 }, "impatient", 500);
  const newer = at.send(TORRENT, { type: "porch.now", level: 40 }, "newer", 8_000);
  t.match(await at.send(VEHICLE, { type: "bus.mute", bus: "can0" }, "mute"), confirmed, "what is no command of a module goes at once");
  await at.clock.advance(1_000);
  t.match(await impatient, { kind: "deadline" }, "it was not sent and will not be");
  isJudged = true;
  await at.clock.advance(5_000);
  t.match(await newer, confirmed);
  const levels = at.heard.flatMap(({ event }) => (event["level"] === undefined ? [] : [event["level"]]));
  t.same([...new Set(levels)], [20, 40]);
  t.equal(levels.lastIndexOf(20) < levels.indexOf(40), true);
});
