// While a child of an entity cannot run, those whom its strategy joins to it do not either: as in Drover's own tree (supervision/lane.ts L2; hosting H12, H14).

import { test } from "tap";

import type { Address } from "../../../runtime/address.ts";
import { actorType, type ChildKind, type Durability, entityType, now } from "../../../runtime/actor/index.ts";
import type { ChildSpec } from "../../../runtime/entity/index.ts";
import { EntityHost, ROOT, words } from "../entity-host.ts";
import { assign, fromCallback, machine } from "../xstate/loose.ts";

const root = actorType({ name: "whole", version: 1, messages: words(), behaviour: machine({}) as never });
const at = (id: string): Address => `${ROOT}/part/${id}` as Address;
const listed = (...ids: readonly string[]): readonly ChildSpec[] => ids.map((id) => ({ kind: "part", id, type: "part", input: id }));

interface Play {
  readonly host: EntityHost;
  /** Who cannot start, and until when. */
  readonly unable: Map<string, number>;
  /** Whose link fails as it opens. */
  readonly away: Set<string>;
  /** What began and ended outside of the turns since it was asked for last. */
  readonly said: () => readonly string[];
  readonly list: (...ids: readonly string[]) => void;
}

function play(kind: Partial<ChildKind>, durability: Durability = "events"): Play {
  const lines: string[] = [];
  const unable = new Map<string, number>();
  const away = new Set<string>();
  const link = fromCallback(({ input }) => {
    if (away.has(String(input))) throw new Error("away");
    lines.push(`start ${String(input)}`);
    return () => void lines.push(`stop ${String(input)}`);
  });
  const part = actorType({
    name: "part",
    version: 1,
    messages: words("again", "boom", "add", "end"),
    behaviour: machine(
      {
        context: ({ input, self }) => {
          const until = unable.get(String(input));
          if (until !== undefined && now(self) < until && now(self) >= until - 20_000) throw new Error("cannot start");
          return { id: input, n: 0 };
        },
        initial: "on",
        states: {
          on: {
            invoke: { src: "link", id: "link", input: ({ context }) => context.id },
            on: {
              again: { target: "on", reenter: true },
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
  const host = new EntityHost(
    entityType({ root, durability, placement: "vehicle", children: { part: { types: [part], strategy: "rest-for-one", restart: "permanent", ...kind } } }),
  );
  return {
    host,
    unable,
    away,
    said: () => lines.splice(0),
    list: (...ids) => void host.take({ kind: "children", specs: listed(...ids) }),
  };
}

const JOINED = ["rest-for-one", "one-for-all"] as const;
const FROM = ["committed", "initial"] as const;

test("H12. H14. nothing behind a child that cannot start runs until it has started, then all start in their order", (t) => {
  for (const strategy of JOINED)
    for (const restartFrom of FROM)
      for (const durability of ["events", "volatile"] as const) {
        const what = `${strategy}, ${restartFrom}, ${durability}`;
        const { host, unable, said, list } = play({ strategy, restartFrom }, durability);
        unable.set("b", host.now + 20_000);
        list("a", "b", "c", "d");
        t.same(said(), ["start a"], what);
        host.advance(19_999);
        t.same(said(), [], `${what}: nobody starts or stops with its attempts`);
        t.equal(host.entity.view(at("c"))?.status, "stopped");
        t.same(host.send("add", { to: at("c") }), host.send("add", { to: at("b") }), "for messages it is as the one that holds it back");
        host.advance(60_000);
        t.same(said(), ["start b", "start c", "start d"], what);
        t.equal(host.entity.view(at("d"))?.restarts, 0, "it was not its failure");
        if (durability === "events") t.same(host.restart({ by: "journal" }).divergences, []);
      }
  t.end();
});

test("H12. H14. one that does not start again after a failure keeps those behind it down, and no attempt of it touches anybody", (t) => {
  for (const strategy of JOINED)
    for (const restartFrom of FROM) {
      const what = `${strategy}, ${restartFrom}`;
      const { host, unable, said, list } = play({ strategy, restartFrom });
      list("a", "b", "c");
      for (const id of ["a", "c"]) host.send("add", { to: at(id) });
      said();
      host.advance(1);
      unable.set("b", host.now + 20_000);
      host.send("end", { to: at("b") });
      // Whoever goes on from its committed state was stopped and is started with the others; one-for-all brings the first down too.
      t.same(
        said().filter((line) => line !== "stop b"),
        strategy === "one-for-all" ? ["stop c", "stop a", "start a"] : ["stop c"],
        what,
      );
      host.advance(19_999);
      t.same(said(), [], what);
      host.advance(60_000);
      t.same(said(), ["start b", "start c"], what);
      t.match(host.context(at("c")), { n: restartFrom === "committed" ? 1 : 0 }, what);
      t.same(host.restart({ by: "journal" }).divergences, []);
    }
  t.end();
});

test("H14. whose source is away takes down those behind it, and under one-for-all all, while it waits: also over a restart of the node", (t) => {
  for (const strategy of JOINED)
    for (const restartFrom of FROM) {
      const what = `${strategy}, ${restartFrom}`;
      const { host, away, said, list } = play({ strategy, restartFrom });
      list("a", "b", "c");
      const running = new Set(["a", "b", "c"]);
      const follow = (): string[] => {
        for (const line of said()) {
          const [word, id] = line.split(" ") as [string, string];
          if (word === "start") running.add(id);
          else running.delete(id);
        }
        return [...running].sort();
      };
      follow();
      away.add("b");
      host.send("again", { to: at("b") });
      for (let second = 0; second < 20; second++) {
        host.advance(1_000);
        t.same(follow(), strategy === "one-for-all" ? [] : ["a"], `${what}, second ${String(second)}`);
      }
      host.send("add", { to: at("c") });
      host.restart();
      host.recover();
      running.clear();
      t.same(follow(), strategy === "one-for-all" ? [] : ["a"], `${what}, recovered`);
      away.clear();
      host.advance(60_000);
      t.same(follow(), ["a", "b", "c"], what);
      t.same(host.restart({ by: "journal" }).divergences, []);
    }
  t.end();
});

test("H12. whoever was held back goes on when the one that held it leaves the list, starts by a new list, or ends", (t) => {
  for (const strategy of JOINED) {
    const gone = play({ strategy });
    gone.unable.set("b", gone.host.now + 20_000);
    gone.list("a", "b", "c");
    gone.said();
    gone.list("a", "c");
    t.same(gone.said(), ["start c"]);

    const anew = play({ strategy });
    anew.unable.set("b", anew.host.now + 20_000);
    anew.list("a", "b", "c");
    anew.said();
    anew.list("a", "b", "c");
    t.same(anew.said(), [], "it was tried");
    anew.unable.clear();
    anew.list("c", "b", "a");
    t.same(anew.said(), ["start b", "start c"]);

    const ends = play({ strategy, restart: "transient" });
    ends.list("a", "b", "c");
    ends.away.add("b");
    ends.host.send("again", { to: at("b") });
    ends.said();
    ends.host.send("end", { to: at("b") });
    t.same(ends.said(), strategy === "one-for-all" ? ["start a", "start c"] : ["start c"]);
  }
  t.end();
});

test("H12. under one-for-one, and for a temporary child, nobody is held back", (t) => {
  for (const kind of [{ strategy: "one-for-one" }, { restart: "temporary" }] as const) {
    const { host, unable, said, list } = play(kind);
    unable.set("a", host.now + 20_000);
    list("a", "b");
    t.same(said(), ["start b"]);
  }
  t.end();
});
