// In which order the children of an entity stop and start when they are restarted together: that of OTP's supervisor (hosting H12, H13, H14).

import { test } from "tap";

import type { Address } from "../../../runtime/address.ts";
import { actorType, type ChildKind, type Durability, entityType } from "../../../runtime/actor/index.ts";
import { EntityHost, ROOT, words } from "../entity-host.ts";
import { committedTable } from "../supervision/otp/table.ts";
import { assign, fromCallback, machine, sendTo } from "../xstate/loose.ts";

const root = actorType({ name: "whole", version: 1, messages: words(), behaviour: machine({}) as never });
const at = (id: string): Address => `${ROOT}/part/${id}` as Address;

interface Play {
  readonly host: EntityHost;
  /** What began and ended outside of the turns since it was cleared: `start a`, `stop a`. */
  readonly said: string[];
  /** The same of its beginning. */
  readonly begun: readonly string[];
}

/** Children a, b and c, each with a link that is open while it runs. @param arriving whom a child tells to end, when it starts */
function play(kind: Partial<ChildKind>, durability: Durability = "events", arriving: Readonly<Record<string, string>> = {}): Play {
  const said: string[] = [];
  const link = fromCallback(({ input }) => {
    said.push(`start ${String(input)}`);
    return () => void said.push(`stop ${String(input)}`);
  });
  const word = sendTo(({ context }) => part.at(at(arriving[context.id] ?? "nobody")), { type: "end" });
  const part = actorType({
    name: "part",
    version: 1,
    messages: words("boom", "end", "add"),
    behaviour: machine(
      {
        context: ({ input }) => ({ id: input, n: 0 }),
        initial: "on",
        states: {
          on: {
            ...(Object.keys(arriving).length === 0 ? {} : { entry: word }),
            invoke: { src: "link", id: "link", input: ({ context }) => context.id },
            on: {
              add: { actions: assign({ n: ({ context }) => context.n + 1 }) },
              boom: {
                actions: assign(() => {
                  throw new Error("boom");
                }),
              },
              end: "off",
            },
          },
          off: { type: "final" },
        },
      },
      { actors: { link } },
    ) as never,
  });
  const host = new EntityHost(entityType({ root, durability, placement: "vehicle", children: { part: { types: [part], strategy: "one-for-one", ...kind } } }));
  host.take({ kind: "children", specs: ["a", "b", "c"].map((id) => ({ kind: "part", id, type: "part", input: id })) });
  return { host, begun: said.splice(0), said };
}

/** Who stops and starts by the last step of a scene of the table; that the failing one itself is not there any more is no stop. */
function inOtp(scene: string): readonly string[] {
  const journal = committedTable().get(scene) ?? `there is no scene "${scene}"`;
  return (journal.split(" | ").at(-2) ?? journal)
    .replace(/^[^:]*: /, "")
    .split(", ")
    .filter((what) => what !== "nothing" && !what.startsWith("up "));
}

test("H14. children that are restarted together stop and start in the order of Erlang/OTP's supervisor", (t) => {
  let compared = 0;
  for (const strategy of ["one-for-one", "rest-for-one", "one-for-all"] as const)
    for (const restart of ["permanent", "transient"] as const)
      for (const [how, word] of [
        ["failed", "boom"],
        ["normal", "end"],
      ] as const)
        for (const restartFrom of ["initial", "committed"] as const)
          for (const durability of ["events", "snapshot", "volatile"] as const) {
            // What goes on from its committed state alone is not touched at all (hosting H13): OTP has no such thing.
            if (strategy === "one-for-one" && restartFrom === "committed" && how === "failed") continue;
            const { host, said } = play({ strategy, restart, restartFrom }, durability);
            host.send(word, { to: at("b") });
            t.same(
              said.filter((what) => what !== "stop b"),
              inOtp(`running: ${strategy}, ${restart}, ${how}`),
              `${strategy}, ${restart}, ${how}, from ${restartFrom}, ${durability}`,
            );
            t.same(host.differences, []);
            compared++;
          }
  t.equal(compared, 3 * 2 * 2 * 2 * 3 - 2 * 3);
  t.same(inOtp("running: one-for-all, permanent, failed"), ["stop c", "stop a", "start a", "start b", "start c"], "the table was read");
  t.end();
});

test("H14. the one that failed stops in its place: all stop, the last one first, before the first one starts", (t) => {
  for (const [strategy, failing, expected] of [
    ["one-for-all", "a", ["stop c", "stop b", "stop a", "start a", "start b", "start c"]],
    ["one-for-all", "b", ["stop c", "stop b", "stop a", "start a", "start b", "start c"]],
    ["rest-for-one", "a", ["stop c", "stop b", "stop a", "start a", "start b", "start c"]],
    ["rest-for-one", "b", ["stop c", "stop b", "start b", "start c"]],
    ["rest-for-one", "c", ["stop c", "start c"]],
  ] as const)
    for (const restartFrom of ["initial", "committed"] as const) {
      const { host, said } = play({ strategy, restartFrom });
      for (const id of ["a", "b", "c"]) host.send("add", { to: at(id) });
      host.send("boom", { to: at(failing) });
      t.same(said, expected, `${strategy}, ${failing} fails, from ${restartFrom}`);
      const isKept = (id: string): boolean => restartFrom === "committed" || !expected.some((what) => what === `start ${id}`);
      for (const id of ["a", "b", "c"]) t.match(host.context(at(id)), { n: isKept(id) ? 1 : 0 });
      said.length = 0;
      host.restart();
      host.recover();
      t.same(
        said.filter((what) => what.startsWith("start ")),
        ["start a", "start b", "start c"],
        "each runs once after a recovery",
      );
      t.same(host.restart({ by: "journal" }).divergences, []);
    }
  t.end();
});

test("H13. whatever the starts of siblings tell one another, nothing of a child runs twice at once, or goes on when its child has gone", (t) => {
  for (const restartFrom of ["initial", "committed"] as const)
    for (const strategy of ["one-for-all", "rest-for-one"] as const)
      for (const arriving of [{ a: "c" }, { a: "b" }, { b: "a" }, { b: "c" }, { c: "a" }, { b: "a", c: "b" }]) {
        const { host, begun, said } = play({ strategy, restart: "permanent", restartFrom }, "events", arriving);
        host.send("end", { to: at("b") });
        host.advance(60_000);
        const history = [...begun, ...said];
        const what = `${strategy}, ${restartFrom}, ${JSON.stringify(arriving)}: ${history.join(", ")}`;
        for (const id of ["a", "b", "c"]) {
          let open = 0;
          const most = Math.max(...history.filter((word) => word.endsWith(` ${id}`)).map((word) => (open += word.startsWith("start ") ? 1 : -1)));
          // One that has ended, or did not start, waits for its restart and holds back others meanwhile (held-back.test.ts).
          const isHeld = ["a", "b", "c"].some((other) => {
            const status = host.entity.view(at(other))?.status;
            return (other < id && (status === "done" || status === "error")) || (strategy === "one-for-all" && other !== id && status === "done");
          });
          t.ok(
            most <= 1 && open === (host.value(at(id)) === "on" && host.entity.view(at(id))?.status === "active" && !isHeld ? 1 : 0),
            `${id}: ${isHeld ? "held back, " : ""}${what}`,
          );
        }
        t.same(host.restart({ by: "journal" }).divergences, []);
      }
  t.end();
});

test("H12. one whose start ends an earlier one is held back by it, and so is all behind it", (t) => {
  for (const strategy of ["one-for-all", "rest-for-one"] as const) t.same(play({ strategy, restart: "permanent" }, "events", { b: "a" }).begun, [], strategy);
  t.end();
});
