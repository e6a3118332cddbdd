// Children that begin at the same moment, and what becomes of those that are never taken up.

import { test } from "tap";
import { beginTogether } from "../../../cli/demo/begin-together.ts";
import { createTree, hosted, supervisor, type Exit, type Running, type Startable } from "../../../runtime/index.ts";
import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, SeededRandom, settle } from "../../../runtime/simulation/index.ts";

interface Fake {
  readonly startable: Startable;
  readonly log: string[];
  /** Ends the newest run. */
  crash(): void;
}

function fake(name: string, log: string[], ready: Promise<void> = Promise.resolve()): Fake {
  let end: (exit: Exit) => void = () => undefined;
  return {
    log,
    crash: () => {
      end({ kind: "failed", error: new Error("crash") });
    },
    startable: {
      start: async ({ signal }): Promise<Running> => {
        log.push(`${name} begins`);
        await ready;
        if (signal.aborted) throw new Error("not wanted");
        const exited = new Promise<Exit>((resolve) => (end = resolve));
        const stop = (): void => {
          log.push(`${name} ends`);
          end({ kind: "shutdown" });
        };
        return { exited, stop, kill: stop };
      },
    },
  };
}

function ports(): { readonly clock: ManualClock; readonly random: SeededRandom; readonly log: typeof silentLog } {
  return { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog };
}

test("all begin with the first; later starts are each child's own", async (t) => {
  const log: string[] = [];
  const { add } = beginTogether(ports());
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const a = fake("a", log, gate);
  const b = fake("b", log);
  const tree = createTree(supervisor("s", { strategy: "one-for-one", backoff: {} }, [hosted("a", add(a.startable)), hosted("b", add(b.startable))]), ports());
  const started = tree.start();
  await settle();
  t.same(log, ["b begins", "a begins"], "b does not wait for a");
  open();
  await started;
  b.crash();
  await settle();
  t.same(log.slice(2), ["b begins"], "b alone is started again");
  await tree.stop();
  t.same(log.slice(3), ["b ends", "a ends"]);
});

test("B2. so many begin at once at most, the next one when one has been taken up; each begins once", async (t) => {
  const log: string[] = [];
  const { add, end } = beginTogether(ports(), 2);
  let open: () => void = () => undefined;
  const gate = new Promise<void>((resolve) => (open = resolve));
  const all = ["a", "b", "c", "d"].map((name, at) => ({ name, ...fake(name, log, at === 1 ? gate : undefined) }));
  const children = all.map(({ name, startable }) => hosted(name, add(startable)));
  const tree = createTree(supervisor("s", { strategy: "one-for-one", backoff: {} }, children), ports());
  const started = tree.start();
  await settle();
  t.same(log, ["b begins", "a begins", "c begins"], "a is up, b is waited for, c has begun in the place of a");
  open();
  await started;
  t.same(log, ["b begins", "a begins", "c begins", "d begins"]);
  await end();
  await tree.stop();
});

test("what was begun and never taken up is ended", async (t) => {
  const log: string[] = [];
  const { add, end } = beginTogether(ports());
  const broken: Startable = { start: () => Promise.reject(new Error("cannot")) };
  const b = fake("b", log);
  const tree = createTree(supervisor("s", { strategy: "one-for-one", backoff: {} }, [hosted("a", add(broken)), hosted("b", add(b.startable))]), ports());
  await t.rejects(tree.start(), /cannot/);
  await end();
  t.same(log, ["b begins", "b ends"]);
  await end();
});

test("one that cannot start says so when it is taken up", async (t) => {
  const { add, end } = beginTogether(ports());
  const tree = createTree(
    supervisor("s", { strategy: "one-for-one", backoff: {} }, [
      hosted("a", add(fake("a", []).startable)),
      hosted("b", add({ start: () => Promise.reject(new Error("b cannot")) })),
    ]),
    ports(),
  );
  await t.rejects(tree.start(), /b cannot/);
  await end();
});
