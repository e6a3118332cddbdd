// The protocol as the check at the door (runtime/actor/messages.ts P1 to P4).

import { test } from "tap";

import { effectOutcomes, messages, T } from "../../../runtime/actor/index.ts";

const light = messages({
  ...effectOutcomes,
  "light.set": { body: { channel: T.Integer({ minimum: 1 }), level: T.Integer(), note: T.Optional(T.Object({ by: T.String() })) }, reply: T.Object({ level: T.Integer() }) },
  "light.off": { body: {} },
});

function paths(event: unknown): readonly string[] {
  const checked = light.check(event);
  return checked.ok ? [] : checked.problems.map((problem) => problem.path);
}

test("H10. types that begin with xstate. and types that the protocol does not list are refused", (t) => {
  t.same(paths({ type: "xstate.stop" }), ["/type"]);
  t.same(paths({ type: "xstate.done.actor.k", output: 1 }), ["/type"]);
  t.same(paths({ type: "light.dance" }), ["/type"]);
  t.same(paths({ type: "toString" }), ["/type"]);
  t.same(paths({ type: "__proto__" }), ["/type"]);
  t.same(paths({ type: "light.off" }), []);
  t.throws(() => messages({ "xstate.init": { body: {} } }), { code: "DROVER_TYPE_INVALID" });
  t.end();
});

test("a problem names its path", (t) => {
  t.same(paths({ type: "light.set", channel: 1, level: 40 }), []);
  t.same(paths({ type: "light.set", channel: 0, level: 40 }), ["/channel"]);
  t.same(paths({ type: "light.set", channel: 1, level: "40" }), ["/level"]);
  t.same(paths({ type: "light.set", channel: 1 }), ["/level"]);
  t.same(paths({ type: "light.set", channel: 1, level: 2, note: { by: 3 } }), ["/note/by"]);
  t.same(paths({ type: "light.set", channel: 1, level: 2, more: 1 }), ["/more"]);
  t.match(light.check({ type: "light.set", channel: 1, level: 2, more: 1 }), { problems: [{ path: "/more", message: "is not a field of this message" }] });
  t.same(paths(JSON.parse('{"type":"light.off","__proto__":{"level":1}}')), ["/__proto__"]);
  t.end();
});

test("what is no message is refused without a throw", (t) => {
  for (const nothing of [undefined, null, 1, "light.off", [], [{ type: "light.off" }], {}, { type: 3 }, { type: null }, () => undefined]) t.equal(light.check(nothing).ok, false);
  t.end();
});

test("internal messages are the host's alone, and are not shown", (t) => {
  t.same(paths({ type: "effect.unknown", effect: "transmit", key: "k", params: {}, reason: "r" }), ["/type"]);
  t.same(light.types, ["light.set", "light.off"]);
  t.same(
    light.describe().map(({ type }) => type),
    ["light.set", "light.off"],
  );
  t.end();
});

test("messages of actors are taken from actors and the host, and are not shown to whoever is outside", (t) => {
  const crew = messages({ "crew.work": { body: { hours: T.Integer() }, from: "actors" }, "crew.rest": { body: {} }, "crew.tick": { body: {}, internal: true } });
  const taken = (type: string): readonly boolean[] =>
    ([undefined, "outside", "entity", "host"] as const).map((speaker) => crew.check({ type, ...(type === "crew.work" ? { hours: 1 } : {}) }, speaker).ok);
  t.same(taken("crew.work"), [false, false, true, true]);
  t.same(taken("crew.rest"), [true, true, true, true]);
  t.same(taken("crew.tick"), [false, false, false, true]);
  t.match(crew.check({ type: "crew.work", hours: "all" }, "entity"), { problems: [{ path: "/hours" }] });
  t.match(crew.check({ type: "crew.work", hours: 1 }), { problems: [{ path: "/type", message: /is not in the actor's protocol/ }] });
  t.same(crew.types, ["crew.rest"]);
  t.throws(() => messages({ a: { body: { sender: T.String() }, from: "actors" } }), { code: "DROVER_TYPE_INVALID", message: /"sender" is set by the host/ });
  t.throws(() => messages({ a: { body: {}, from: "anybody" as "actors" } }), { code: "DROVER_TYPE_INVALID", message: /actors/ });
  t.end();
});

test("fields that the host sets cannot be declared", (t) => {
  t.throws(() => messages({ a: { body: { replyTo: T.String() } } }), { code: "DROVER_TYPE_INVALID" });
  t.throws(() => messages({ a: { body: { type: T.String() } } }), { code: "DROVER_TYPE_INVALID" });
  t.throws(() => messages({ a: { body: {}, coalesceBy: "signal" } }), { code: "DROVER_TYPE_INVALID" });
  t.throws(() => messages({ "": { body: {} } }), { code: "DROVER_TYPE_INVALID" });
  t.end();
});

test("the description carries the schema of the whole message and of its reply", (t) => {
  const [set] = light.describe();
  t.match(set?.schema, { type: "object", properties: { type: { const: "light.set" }, channel: { minimum: 1 } } });
  t.match(set?.reply, { type: "object", properties: { level: { type: "integer" } } });
  t.end();
});
