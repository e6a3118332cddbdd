// The entity as a supervisor: its root and the children of its configuration (hosting H12, H13; promise S4).

import { test } from "tap";

import type { Address } from "../../../runtime/address.ts";
import { actorType, type ChildKind, type EntityType, entityType, reducer } from "../../../runtime/actor/index.ts";
import type { ChildSpec, Input, InputResult, SupervisionReport } from "../../../runtime/entity/contract.ts";
import { createEntity, MAX_CHILDREN } from "../../../runtime/entity/index.ts";
import { EntityHost, EPOCH, ROOT, words } from "../entity-host.ts";
import { assign, fromCallback, fromPromise, machine, sendParent, sendTo } from "../xstate/loose.ts";

const throwing = (): never => {
  throw new Error("boom");
};
const child = actorType({
  name: "part",
  version: 1,
  messages: words("add", "boom", "tell", "end", "later"),
  behaviour: machine({
    context: ({ input }) => (input?.bad ? throwing() : { n: input?.n ?? 0 }),
    initial: "on",
    states: {
      on: {
        on: {
          add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
          boom: { actions: [assign({ n: 99 }), assign(throwing)] },
          tell: { actions: sendParent(({ context }) => ({ type: "told", n: context.n })) },
          end: "off",
        },
      },
      off: { type: "final" },
    },
  }) as never,
});
const tally = actorType({
  name: "tally",
  version: 1,
  messages: words("add", "boom"),
  behaviour: reducer({ initial: () => 0, step: (state: number, event: { type: string }) => (event.type === "boom" ? throwing() : state + 1) }),
});
const root = actorType({
  name: "whole",
  version: 1,
  messages: words("add", "boom", "both"),
  behaviour: machine({
    context: { n: 0, told: [] },
    on: {
      add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
      boom: { actions: [assign({ n: 99 }), assign(throwing)] },
      told: { actions: assign({ told: ({ context, event }) => [...context.told, event.n] }) },
      both: { actions: [assign({ n: 50 }), sendTo(() => child.at(`${ROOT}/part/a`), { type: "boom" })] },
    },
  }) as never,
});
const typeWith = (kind: Partial<ChildKind> = {}, restartFrom: "committed" | "initial" = "committed"): EntityType =>
  entityType({ root, durability: "events", placement: "vehicle", restartFrom, children: { part: { types: [child, tally], strategy: "one-for-one", ...kind } } });

const a = `${ROOT}/part/a` as Address;
const b = `${ROOT}/part/b` as Address;
const c = `${ROOT}/part/c` as Address;
const spec = (id: string, more: Partial<ChildSpec> = {}): ChildSpec => ({ kind: "part", id, type: "part", input: { n: 0 }, ...more });
const withChildren = (kind: Partial<ChildKind> = {}, ids: readonly string[] = ["a", "b", "c"]): EntityHost => {
  const host = new EntityHost(typeWith(kind), { twice: true });
  host.take({ kind: "children", specs: ids.map((id) => spec(id)) });
  return host;
};
const reports = (host: EntityHost): readonly (readonly [string, string, number])[] =>
  host.effects.flatMap((effect) => (effect.kind === "supervision" ? [[effect.report.context, effect.report.offender.slice(ROOT.length), effect.report.restarts] as const] : []));
const contexts = (host: EntityHost): readonly SupervisionReport["context"][] => host.effects.flatMap((effect) => (effect.kind === "supervision" ? [effect.report.context] : []));

test("children of the configuration start in order, surplus ones stop, what is there stays", (t) => {
  const host = withChildren();
  t.same(reports(host), [
    ["child_started", "/part/a", 0],
    ["child_started", "/part/b", 0],
    ["child_started", "/part/c", 0],
  ]);
  host.send("add", { to: b });
  host.take({ kind: "children", specs: [spec("b"), spec("d"), spec("t", { type: "tally" })] });
  t.same(
    host.entity.views().map((view) => view.address),
    [ROOT, b, `${ROOT}/part/d`, `${ROOT}/part/t`],
  );
  t.match(host.context(b), { n: 1 });
  t.same(host.send("add", { to: a }), { kind: "no-such-actor" });
  host.send("add", { to: `${ROOT}/part/t` as Address });
  t.equal(host.context(`${ROOT}/part/t` as Address), 1);
  const before = JSON.stringify(host.entity.views());
  host.restart();
  host.take({ kind: "children", specs: [spec("b"), spec("d"), spec("t", { type: "tally" })] });
  t.equal(JSON.stringify(host.entity.views()), before);
  t.same(host.differences, []);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("children that cannot be are refused with their place", (t) => {
  const host = withChildren();
  const refused = host.take({ kind: "children", specs: [spec("a"), spec("a"), spec("x", { kind: "wheel" }), spec("y", { type: "engine" }), spec("bad id")] })[0];
  t.match(refused, {
    kind: "invalid",
    problems: [{ path: "/1/id", message: /twice/ }, { path: "/2/kind" }, { path: "/3/type", message: /one of part, tally/ }, { path: "/4/id" }],
  });
  t.match(host.take({ kind: "children", specs: Array.from({ length: MAX_CHILDREN + 1 }, (_, at) => spec(`m${String(at)}`)) })[0], {
    kind: "invalid",
    problems: [{ message: /at most 1000/ }],
  });
  t.equal(host.entity.views().length, 4);
  t.end();
});

test("a child that cannot start is reported and does not take its siblings with it", (t) => {
  const host = new EntityHost(typeWith(), { twice: true });
  host.take({ kind: "children", specs: [spec("a"), spec("b", { input: { bad: true } }), spec("c")] });
  t.match(host.entity.view(b), { status: "error", error: "boom", accepts: [] });
  t.equal(host.entity.view(c)?.status, "active");
  t.same(reports(host)[1], ["child_terminated", "/part/b", 1]);
  host.restart();
  host.take({ kind: "children", specs: [spec("a"), spec("b", { input: { n: 3 } }), spec("c")] });
  t.match(host.entity.view(b), { status: "active", context: { n: 3 } });
  t.same(host.differences, []);
  t.end();
});

for (const restart of ["permanent", "transient", "temporary"] as const)
  test(`H14. a ${restart} child that cannot start is told with code and place, ${restart === "temporary" ? "and is left out" : "is tried again ever more rarely, degraded, and runs when it can"}`, (t) => {
    let canStart = false;
    let starts = 0;
    const moody = actorType({
      name: "part",
      version: 1,
      messages: words("add"),
      behaviour: machine({
        context: () => {
          starts++;
          if (!canStart) throw new Error("cannot start now");
          return { n: 0 };
        },
        on: { add: { actions: assign({ n: ({ context }) => context.n + 1 }) } },
      }) as never,
    });
    const type = entityType({ root, durability: "events", placement: "vehicle", children: { part: { types: [moody], strategy: "one-for-one", restart } } });
    const host = new EntityHost(type);
    t.same(host.take({ kind: "children", specs: [spec("a")] }), [{ kind: "accepted" }]);
    t.match(
      host.effects.find((effect) => effect.kind === "supervision" && effect.report.context === "child_terminated"),
      {
        report: { reason: "did not start: cannot start now", code: "DROVER_ACTOR_FAILED", place: /\/part\/a/ },
      },
    );
    host.advance(20_000);
    const { status, restarts } = host.entity.view(a) ?? {};
    t.equal(status, "error");
    t.ok(restart === "temporary" ? restarts === 0 : restarts !== undefined && restarts > 3 && restarts < 20, String(restarts));
    t.same(host.restart({ by: "journal" }).divergences, []);
    host.recover();
    const before = starts;
    host.advance(900_000);
    if (restart === "temporary") t.equal(starts, before);
    else t.ok(starts > before + 15 && starts < before + 200, String(starts - before));
    t.strictSame(
      contexts(host).filter((context) => context === "degraded" || context === "entity_failed"),
      restart === "temporary" ? [] : ["degraded"],
    );
    canStart = true;
    host.advance(60_000);
    t.match(host.entity.view(a), { status: restart === "temporary" ? "error" : "active" });
    if (restart !== "temporary") t.same(host.send("add", { to: a }), { kind: "accepted" });
    t.end();
  });

test("a child whose start makes the root fail, or whose state cannot be kept, is left out like any that cannot start", (t) => {
  const rude = actorType({ name: "rude", version: 1, messages: words(), behaviour: machine({ entry: sendParent({ type: "boom" }) }) as never });
  const odd = actorType({ name: "odd", version: 1, messages: words(), behaviour: machine({ context: () => ({ map: new Map() }) }) as never });
  const type = entityType({ root, durability: "events", placement: "vehicle", children: { part: { types: [child, rude, odd], strategy: "one-for-one" } } });
  const host = new EntityHost(type, { twice: true });
  t.same(host.take({ kind: "children", specs: [spec("a"), spec("b", { type: "rude" }), spec("c", { type: "odd" }), spec("d")] }), [{ kind: "accepted" }]);
  t.match(host.entity.view(ROOT), { status: "active", context: { n: 0 } });
  t.match(host.entity.view(a), { status: "active" });
  t.match(host.entity.view(b), { status: "error", error: "boom" });
  t.match(host.entity.view(c), { status: "error", error: /context\/map is an instance of Map/ });
  t.match(host.entity.view(`${ROOT}/part/d` as Address), { status: "active" });
  t.same(host.differences, []);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("H13. where the restart fails too, the input alone is set aside and everything else stays as it was", (t) => {
  let broken = false;
  const shaky = actorType({
    name: "shaky",
    version: 1,
    messages: words("boom", "add"),
    behaviour: machine({
      context: () => (broken ? { map: new Map() } : { n: 0 }),
      on: { add: { actions: assign({ n: ({ context }) => context.n + 1 }) }, boom: { actions: assign(throwing) } },
    }) as never,
  });
  const host = new EntityHost(entityType({ root: shaky, durability: "events", placement: "cloud", restartFrom: "initial" }), { twice: true });
  host.send("add");
  broken = true;
  t.match(host.send("boom", { id: "x" }), { kind: "faulted", parked: true, again: false, error: /cannot keep/ });
  t.match(host.entity.view(ROOT), { status: "active", context: { n: 1 } });
  t.match(host.send("boom", { id: "x" }), { kind: "duplicate", entry: { outcome: { kind: "refused", reason: /set aside/ } } });
  t.same(host.send("add"), { kind: "accepted" });
  t.same(host.differences, []);
  t.end();
});

test("a child speaks to the root through sendParent; its failure is the supervisor's, not the root's", (t) => {
  const host = withChildren();
  host.send("add", { to: a });
  host.send("tell", { to: a });
  t.match(host.context(), { told: [1] });
  t.match(host.send("boom", { to: a }), { kind: "faulted", error: "boom", attempt: 1, again: true });
  t.match(host.entity.view(ROOT), { status: "active", restarts: 0 });
  t.match(host.entity.view(a), { status: "active", context: { n: 1 }, restarts: 1, lastFault: { reason: "boom" } });
  t.end();
});

test("H13. a restart goes on from the last committed state with the crashing input set aside, parked at the third", (t) => {
  for (const to of [ROOT, a]) {
    const host = withChildren();
    host.send("add", { to });
    const input = host.message("boom", { to, id: "poison" });
    t.match(host.take(input)[0], { kind: "faulted", attempt: 1, again: true, parked: false });
    t.match(host.context(to), { n: 1 });
    host.send("add", { to });
    host.restart();
    t.match(host.take(input)[0], { attempt: 2, again: true });
    t.match(host.take(input)[0], { attempt: 3, again: false, parked: true });
    t.match(host.take(input)[0], { kind: "duplicate", entry: { outcome: { kind: "refused", reason: /set aside after 3 failures: boom/ } } });
    t.match(host.context(to), { n: 2 });
    t.same(contexts(host).slice(3), ["child_terminated", "child_restarted", "child_terminated", "child_restarted", "child_terminated", "parked", "child_restarted"]);
    t.match(host.entity.parked(), [{ offender: to, reason: "boom", input: { kind: "message", event: { type: "boom" } } }]);
    t.same(host.differences, []);
    t.same(host.restart({ by: "journal" }).divergences, []);
  }
  t.end();
});

test("H13. an input is parked at its third failure, however many failed before it and never came again", (t) => {
  const entity = createEntity(typeWith(), ROOT, "history-1");
  const take = (input: Input): InputResult | undefined => {
    const { results } = entity.turn([input], { now: EPOCH, elapsed: 0, seed: 1 });
    entity.commit();
    return results[0];
  };
  const boom = (id: string): Input => ({
    kind: "message",
    to: ROOT,
    event: { type: "boom" },
    sender: { kind: "outside", id, author: "tester", expiresAt: EPOCH + 60_000 },
    wantsReply: false,
  });
  take({ kind: "start", input: undefined, labels: {} });
  for (let at = 0; at < 1_500; at++) take(boom(`given-up-${String(at)}`));
  t.match(take(boom("again")), { kind: "faulted", attempt: 1, again: true });
  t.match(take(boom("again")), { attempt: 2, again: true });
  t.match(take(boom("again")), { attempt: 3, again: false, parked: true });
  const { attempts = [] } = entity.state().rest as { readonly attempts?: readonly unknown[] };
  t.ok(attempts.length > 0 && attempts.length <= 1_000, `${String(attempts.length)} are counted, and that has a bound`);
  t.end();
});

test("H13. an input that is taken after all has failed for nothing", (t) => {
  const moody = actorType({
    name: "moody",
    version: 1,
    messages: words("go", "mend"),
    behaviour: machine({
      context: { ok: false, n: 0 },
      on: { go: { actions: assign({ n: ({ context }) => (context.ok ? 1 : throwing()) }) }, mend: { actions: assign({ ok: true }) } },
    }) as never,
  });
  const host = new EntityHost(entityType({ root: moody, durability: "events", placement: "cloud" }));
  const input = host.message("go", { id: "x" });
  host.take(input);
  host.take(input);
  host.send("mend");
  t.same(host.take(input)[0], { kind: "accepted" });
  t.match(host.context(), { n: 1 });
  t.end();
});

test("H1. a fault that reaches the supervisor drops all that its input did in the entity", (t) => {
  const host = withChildren();
  host.send("add", { to: b });
  t.match(host.send("both"), { kind: "faulted", error: "boom" });
  t.match(host.context(), { n: 0 }, "also what the root did before it sent");
  t.match(host.entity.view(a), { restarts: 1 });
  t.match(host.entity.view(ROOT), { restarts: 0 });
  t.end();
});

test("H13. restartFrom initial begins anew, and keeps the old state as an artefact", (t) => {
  const host = withChildren({ restartFrom: "initial" });
  host.send("add", { to: a });
  const { incarnation } = host.entity.view(a) as { incarnation: number };
  host.send("boom", { to: a });
  t.match(host.entity.view(a), { status: "active", context: { n: 0 }, restarts: 1 });
  t.not(host.entity.view(a)?.incarnation, incarnation);
  t.match(host.entity.parked(), [{ offender: a, reason: "boom", state: { context: { n: 1 } } }]);
  t.same(host.differences, []);
  t.end();
});

test("one-for-all and rest-for-one begin siblings anew with it", (t) => {
  const counts = (host: EntityHost): readonly unknown[] => [a, b, c].map((address) => (host.context(address) as { n: number }).n);
  for (const [strategy, expected] of [
    ["one-for-one", [1, 0, 1]],
    ["rest-for-one", [1, 0, 0]],
    ["one-for-all", [0, 0, 0]],
  ] as const) {
    const host = withChildren({ strategy, restartFrom: "initial" });
    for (const to of [a, b, c]) host.send("add", { to });
    host.send("boom", { to: b });
    t.same(counts(host), expected, strategy);
    t.same(host.differences, []);
  }
  t.end();
});

test("H12. a root that begins anew stops the children of its configuration in the reverse of their order and starts them in it, whichever of them began anew before, and replays so", (t) => {
  const radio = actorType({
    name: "part",
    version: 1,
    messages: words("boom"),
    behaviour: machine({ invoke: { src: "listen", id: "radio" }, on: { boom: { actions: assign(throwing) } } }, { actors: { listen: fromCallback(() => undefined) } }) as never,
  });
  const children = { part: { types: [radio], strategy: "one-for-one", restartFrom: "initial" } } as const;
  const host = new EntityHost(entityType({ root, durability: "events", placement: "vehicle", restartFrom: "initial", children }), { twice: true });
  host.take({ kind: "children", specs: ["a", "b", "c"].map((id) => spec(id)) });
  host.send("boom", { to: a });
  host.effects.length = 0;
  host.send("boom");
  const sources = (kind: "source.start" | "source.stop"): readonly string[] =>
    host.effects.flatMap((effect) => (effect.kind === kind ? [effect.cell.slice(`${ROOT}/part/`.length, `${ROOT}/part/`.length + 1)] : []));
  t.same(sources("source.stop"), ["c", "b", "a"]);
  t.same(sources("source.start"), ["a", "b", "c"]);
  t.same(
    reports(host).flatMap(([context, offender]) => (context === "child_restarted" ? [offender] : [])),
    ["", "/part/a", "/part/b", "/part/c"],
  );
  t.same(host.differences, [], "taken back and taken again it comes to the same");
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("C3. a turn that is taken back leaves the cells in the order that they had", (t) => {
  const host = new EntityHost(typeWith({ strategy: "one-for-all", restartFrom: "initial" }, "initial"));
  host.take({ kind: "children", specs: ["a", "b", "c"].map((id) => spec(id)) });
  const before = [...host.entity.addresses()];
  t.same(before, [ROOT, a, b, c]);
  for (const to of [ROOT, b] as const) {
    host.entity.turn([host.message("boom", { to })], { now: host.now, elapsed: host.elapsed, seed: 1 });
    host.entity.rollback();
    t.same([...host.entity.addresses()], before, to);
  }
  host.entity.turn([{ kind: "children", specs: [spec("c")] }], { now: host.now, elapsed: host.elapsed, seed: 1 });
  host.entity.rollback();
  t.same([...host.entity.addresses()], before, "also of those that left");
  t.end();
});

test("H13. siblings of a kind that restarts from its committed state keep it when they are restarted with one that ended", (t) => {
  for (const [strategy, together] of [
    ["one-for-one", ["/part/b"]],
    ["rest-for-one", ["/part/b", "/part/c"]],
    ["one-for-all", ["/part/a", "/part/b", "/part/c"]],
  ] as const) {
    const host = withChildren({ strategy, restart: "permanent", restartFrom: "committed" });
    for (const to of [a, b, c]) host.send("add", { to });
    host.effects.length = 0;
    const restarted = (): readonly unknown[] =>
      reports(host)
        .filter(([context]) => context === "child_restarted" || context === "child_started")
        .map(([, offender]) => offender)
        .sort();
    const counts = (): readonly unknown[] => [a, b, c].map((address) => (host.context(address) as { n: number }).n);
    host.send("end", { to: b });
    t.same(counts(), [1, 0, 1], strategy);
    t.same(restarted(), together);
    host.elapsed += 600_000;
    host.effects.length = 0;
    host.send("add", { to: b });
    host.send("boom", { to: b });
    t.same(counts(), [1, 1, 1], `${strategy}: one that fails keeps its committed state too`);
    t.same(restarted(), together, `${strategy}: and its siblings are restarted with it`);
    t.same(host.differences, []);
    t.same(host.restart({ by: "journal" }).divergences, []);
  }
  t.end();
});

test("H13. what runs for a sibling outside of the turn is ended and started again with it", (t) => {
  const ran: string[] = [];
  const listen = fromCallback(({ self }) => {
    ran.push(`${String(self.id)} on`);
    return () => void ran.push(`${String(self.id)} off`);
  });
  const radio = actorType({
    name: "part",
    version: 1,
    messages: words("add", "boom", "end"),
    behaviour: machine(
      {
        context: { n: 0 },
        initial: "on",
        states: {
          on: { invoke: { src: "listen", id: "radio" }, on: { add: { actions: assign({ n: ({ context }) => context.n + 1 }) }, boom: { actions: assign(throwing) }, end: "off" } },
          off: { type: "final" },
        },
      },
      { actors: { listen } },
    ) as never,
  });
  const kind = { types: [radio], strategy: "one-for-all", restart: "permanent" } as const;
  const host = new EntityHost(entityType({ root, durability: "events", placement: "vehicle", children: { part: kind } }));
  host.take({ kind: "children", specs: ["a", "b"].map((id) => spec(id)) });
  for (const to of [a, b]) host.send("add", { to });
  t.equal(ran.length, 2);
  ran.length = 0;
  host.send("end", { to: b });
  const turns = (): readonly unknown[] => ran.map((word) => word.split(" ").at(-1)).sort();
  t.same(turns(), ["off", "off", "on", "on"]);
  t.match(host.context(a), { n: 1 });

  host.elapsed += 600_000;
  ran.length = 0;
  host.send("boom", { to: b });
  t.same(turns(), ["off", "off", "on", "on"], "where one fails as well");
  ran.length = 0;
  host.send("boom", { to: b });
  t.same(turns(), [], "by backoff");
  t.match(host.context(a), { n: 1 });
  t.end();
});

test("S4, H13. messages that crash a child again and again take neither it nor its siblings away: past its restarts it goes on from its committed state", (t) => {
  for (const strategy of ["one-for-one", "rest-for-one", "one-for-all"] as const) {
    const host = withChildren({ strategy, restartFrom: "initial" });
    for (let n = 0; n < 3; n++) t.match(host.send("boom", { to: a }), { kind: "faulted" });
    for (const to of [a, b, c]) host.send("add", { to });
    for (let n = 0; n < 3; n++) t.match(host.send("boom", { to: a }), { kind: "faulted" });
    t.same(
      [a, b, c].map((address) => host.entity.view(address)?.status),
      ["active", "active", "active"],
      strategy,
    );
    t.match(host.context(a), { n: 1 }, "its committed state");
    t.same(host.send("add", { to: a }), { kind: "accepted" });
    t.same(host.differences, []);
    t.same(host.restart({ by: "journal" }).divergences, []);
    t.same(
      [a, b, c].map((address) => (host.context(address) as { n: number }).n),
      [2, 1, 1],
      "the same before and after a restart",
    );
  }
  t.end();
});

test("S4. a restart is seen at once, although the state that it goes on from is the same", (t) => {
  const host = withChildren();
  host.send("add", { to: a });
  t.match(host.entity.view(a), { restarts: 0 });
  host.send("boom", { to: a });
  t.match(host.entity.view(a), { restarts: 1, lastFault: { reason: "boom" } });
  t.match(host.entity.view(ROOT), { restarts: 0 });
  host.send("boom");
  t.match(host.entity.view(ROOT), { restarts: 1, lastFault: { reason: "boom" } });
  t.end();
});

test("a temporary child is not restarted, a permanent one also after a normal end", (t) => {
  const temporary = withChildren({ restart: "temporary" });
  t.match(temporary.send("boom", { to: a }), {
    kind: "faulted",
    again: false,
    outcome: { kind: "refused", accepts: [], reason: "its actor has failed and is not started again: boom" },
  });
  t.match(temporary.entity.view(a), { status: "error", error: "boom" });
  t.match(temporary.send("add", { to: a }), { kind: "refused", accepts: [] });
  const transient = withChildren();
  transient.send("end", { to: a });
  t.match(transient.entity.view(a), { status: "done" });
  const permanent = withChildren({ restart: "permanent" });
  permanent.send("add", { to: a });
  permanent.send("end", { to: a });
  t.match(permanent.entity.view(a), { status: "active", context: { n: 0 }, restarts: 1 });
  t.same([...temporary.differences, ...transient.differences, ...permanent.differences], []);
  t.end();
});

/** Its source fails each time that it runs; `runs` are their times. */
const failing = (runs: number[], now: () => number, name = "fragile"): ReturnType<typeof actorType> =>
  actorType({
    name,
    version: 1,
    messages: words("go", "end"),
    behaviour: machine(
      { context: { n: 0 }, invoke: { src: "p" }, on: { go: { actions: assign({ n: 1 }) } } },
      {
        actors: {
          p: fromPromise(() => {
            runs.push(now());
            return Promise.reject(new Error("no"));
          }),
        },
      },
    ) as never,
  });
/** From timer to timer; what sources say at each is taken. */
async function pass(host: EntityHost, ms: number): Promise<void> {
  const end = host.elapsed + ms;
  await host.tick(12);
  for (let next = host.entity.nextTimer().elapsed; next !== undefined && next <= end; next = host.entity.nextTimer().elapsed) {
    host.advance(next - host.elapsed);
    await host.tick(12);
  }
  host.advance(end - host.elapsed);
}

/** Each state had its source three times: when they began. */
const beginnings = (runs: readonly number[]): readonly number[] => runs.filter((_, at) => at % 3 === 0);

test("H13, H14. a state that crashes again and again begins anew at once, then ever more rarely with full jitter, and at last the root escalates", async (t) => {
  const runs: number[] = [];
  let elapsed = (): number => 0;
  const host = new EntityHost(entityType({ root: failing(runs, () => elapsed()), durability: "events", placement: "cloud" }));
  elapsed = () => host.elapsed;
  host.send("go");
  await pass(host, 700_000);
  const times = beginnings(runs);
  t.equal(times[0], times[1], "the first beginning anew is immediate");
  const waits = times
    .slice(1)
    .map((at, index) => at - (times[index] ?? 0))
    .slice(1);
  waits.forEach((wait, attempt) => t.ok(wait <= Math.min(30_000, 200 * 2 ** attempt), `${String(attempt)}: ${String(wait)} ms`));
  t.ok(Math.max(...waits) > 5_000 && waits.length >= 15, `${String(waits.length)} beginnings, the rarest after ${String(Math.max(...waits))} ms`);
  t.match(host.entity.view(ROOT), { status: "error", error: "no" });
  t.ok((runs.at(-1) ?? 0) >= 600_000 && (runs.at(-1) ?? 0) < 630_000);
  t.strictSame(
    contexts(host)
      .filter((context) => context === "degraded" || context === "entity_failed")
      .at(-1),
    "entity_failed",
  );
  const kept = host.entity.parked().flatMap((row) => ("state" in row ? [(row.state as { context: unknown }).context] : []));
  t.strictSame(kept, [{ n: 1 }, { n: 0 }, { n: 0 }], "what it knew is kept as an artefact, what begins anew for ever is not");
  t.same(host.send("go"), { kind: "refused", accepts: [] });
  t.same(host.restart({ by: "journal" }).divergences, []);
});

test("H14. a child that fails for ten minutes is degraded, told once, answers meanwhile, and is tried for ever", async (t) => {
  const runs: number[] = [];
  let elapsed = (): number => 0;
  const fragile = failing(runs, () => elapsed(), "part");
  const host = new EntityHost(entityType({ root, durability: "events", placement: "vehicle", children: { part: { types: [fragile], strategy: "one-for-one" } } }));
  elapsed = () => host.elapsed;
  host.take({ kind: "children", specs: [spec("a")] });
  await pass(host, 0);
  t.same(host.send("go", { to: a }), { kind: "accepted" });
  t.match(host.context(a), { n: 1 }, "it answers while it waits");
  await pass(host, 800_000);
  t.match(host.entity.view(a), { status: "active" });
  t.strictSame(
    contexts(host).filter((context) => context === "degraded" || context === "entity_failed"),
    ["degraded"],
  );
  const before = beginnings(runs).length;
  t.ok(before > 15);
  await pass(host, 60_000);
  t.ok(beginnings(runs).length > before, "it goes on");
});

test("H14. an actor whose messages make it fail for ten minutes is degraded, told once, and goes on; one that was stable meanwhile is not", (t) => {
  for (const [everyMs, expected] of [
    [1_000, ["degraded"]],
    // A minute without a failure is stable, a moment less is not.
    [59_999, ["degraded"]],
    [60_000, []],
    [200_000, []],
  ] as const) {
    const host = withChildren({ strategy: "one-for-one", restartFrom: "committed" });
    host.effects.length = 0;
    for (let ms = 0; ms < 1_500_000; ms += everyMs) {
      host.elapsed += everyMs;
      host.send("boom", { to: a });
    }
    t.strictSame(
      contexts(host).filter((context) => context === "degraded" || context === "entity_failed"),
      expected,
    );
    t.same(host.send("add", { to: a }), { kind: "accepted" });
    t.same(host.restart({ by: "journal" }).divergences, []);
  }
  t.end();
});

test("M4. an attempt counts with what was committed of it before, whatever the crash file of its node knows: parked at the third", (t) => {
  for (const known of [0, 1]) {
    const host = new EntityHost(typeWith());
    const suspect = host.message("add", { id: "poison" });
    const attempt = (crashes: number): unknown => host.take({ kind: "attempt", of: suspect, crashes, cause: "it hung", parkedAs: "DROVER_ACTOR_HUNG" })[0];
    t.same(attempt(known), { kind: "accepted" });
    host.restart({ by: "journal" });
    if (known === 0) t.same(attempt(0), { kind: "accepted" });
    host.restart({ by: "journal" });
    t.match(attempt(0), { kind: "faulted", parked: true, code: "DROVER_ACTOR_HUNG", outcome: { kind: "refused", reason: "set aside: it hung" } });
    t.match(host.entity.parked(), [{ reason: "it hung", input: { event: { type: "add" } } }]);
    t.match(host.entity.taken("poison"), { outcome: { kind: "refused", reason: "set aside: it hung" } }, "and its id has that word");
    t.match(host.context(), { n: 0 });
  }
  t.end();
});

test("K1, H14. the wait before a beginning anew survives a restart of the node, and its source is not started before it is over", async (t) => {
  const runs: number[] = [];
  let elapsed = (): number => 0;
  const host = new EntityHost(entityType({ root: failing(runs, () => elapsed()), durability: "events", placement: "cloud" }));
  elapsed = () => host.elapsed;
  await pass(host, 60_000);
  const due = host.entity.nextTimer().elapsed ?? 0;
  t.ok(due > host.elapsed, "it waits");
  const before = runs.length;
  t.same(host.restart({ by: "journal" }).divergences, []);
  host.recover();
  await pass(host, due - host.elapsed - 1);
  t.equal(runs.length, before);
  await pass(host, 1);
  t.equal(runs.length, before + 3);
});

test("H14. a permanent child that ends again and again begins anew at once, then by backoff", (t) => {
  const host = withChildren({ restart: "permanent" });
  for (let round = 0; round < 4; round++) host.send("end", { to: a });
  const { restarts } = host.entity.view(a) as { restarts: number };
  t.ok(restarts < 4, `${String(restarts)} beginnings in one moment`);
  t.match(host.entity.view(a), { status: "done" });
  host.advance(30_000);
  t.match(host.entity.view(a), { status: "active", context: { n: 0 } });
  host.advance(60_000);
  host.send("end", { to: a });
  t.match(host.entity.view(a), { status: "active" }, "after a stable time at once");
  t.same(host.differences, []);
  t.same(host.restart({ by: "journal" }).divergences, []);
  t.end();
});

test("H14. a permanent child that ends in its start begins anew too, by backoff, across a restart of its node", (t) => {
  const brief = actorType({ name: "part", version: 1, messages: words(), behaviour: machine({ initial: "off", states: { off: { type: "final" } } }) as never });
  const kinds = (restart: "permanent" | "transient"): EntityType =>
    entityType({ root, durability: "events", placement: "vehicle", children: { part: { types: [brief], strategy: "one-for-one", restart } } });
  const host = new EntityHost(kinds("permanent"));
  host.take({ kind: "children", specs: [spec("a")] });
  const counts: (number | undefined)[] = [];
  for (const ms of [1, 10_000, 100_000, 100_000]) {
    host.advance(ms);
    counts.push(host.entity.view(a)?.restarts);
  }
  t.ok(
    counts.every((count, at) => (count ?? 0) > (counts[at - 1] ?? 0)),
    `restarts so far: ${counts.join(", ")}`,
  );
  t.ok((counts.at(-1) ?? 0) < 40, "by backoff");
  t.same(host.restart({ by: "journal" }).divergences, []);
  host.recover();
  host.advance(60_000);
  t.ok((host.entity.view(a)?.restarts ?? 0) > (counts.at(-1) ?? 0));
  t.same(host.differences, []);

  const transient = new EntityHost(kinds("transient"));
  transient.take({ kind: "children", specs: [spec("a")] });
  transient.advance(60_000);
  t.match(transient.entity.view(a), { status: "done", restarts: 0 });
  t.end();
});

test("S4. an entity whose root cannot start says so, and starts when it can", (t) => {
  let broken = true;
  const shaky = actorType({ name: "shaky", version: 1, messages: words("go"), behaviour: machine({ context: () => (broken ? throwing() : { n: 1 }), on: { go: {} } }) as never });
  const host = new EntityHost(entityType({ root: shaky, durability: "events", placement: "cloud" }), { bare: true });
  const start = { kind: "start", input: undefined, labels: {} } as const;
  t.match(host.take(start)[0], { kind: "faulted", attempt: 1, again: true });
  t.match(host.take(start)[0], { attempt: 2, again: true });
  t.match(host.take(start)[0], { attempt: 3, again: false });
  t.equal(contexts(host).at(-1), "entity_failed");
  t.same(host.send("go"), { kind: "no-such-actor" });
  broken = false;
  t.same(host.take(start)[0], { kind: "accepted" });
  t.match(host.context(), { n: 1 });
  t.match(host.take(start)[0], { kind: "dropped" });
  t.end();
});

test("children go on with a root that was begun anew", (t) => {
  const host = new EntityHost(typeWith({}, "initial"));
  host.take({ kind: "children", specs: [spec("a", { input: { n: 4 } })] });
  host.send("boom");
  t.match(host.entity.view(a), { status: "active", context: { n: 4 } });
  host.send("tell", { to: a });
  t.match(host.context(), { told: [4] });
  t.end();
});
