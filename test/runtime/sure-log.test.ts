// What is told of an author's failures is written down by a log of somebody's, which may choke on it: what is told of goes on (promise S4).

import { test } from "tap";

import { type Log, silentLog } from "../../runtime/ports/index.ts";
import { ManualClock, SeededRandom, settle } from "../../runtime/simulation/index.ts";
import { createTree, hosted, supervisor } from "../../runtime/supervision/index.ts";
import { sureLog } from "../../runtime/sure-log.ts";

function revoked(): Error {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy as Error;
}

/** Reads the stack of what is under `err`, as pino does. */
function stacks(lines: unknown[]): Log {
  const at =
    (level: string, bound: object) =>
    (fields: object, message: string): void => {
      const { err } = fields as { readonly err?: Error };
      lines.push([level, { ...bound, ...fields, ...(err === undefined ? {} : { err: typeof err === "string" ? err : err.stack?.split("\n")[0] }) }, message]);
    };
  const of = (bound: object): Log => ({
    debug: at("debug", bound),
    info: at("info", bound),
    warn: at("warn", bound),
    error: at("error", bound),
    child: (fields) => of({ ...bound, ...fields }),
  });
  return of({});
}

test("S4. what can be written is written as it is, on each level, by children too; of what cannot is told what it says", (t) => {
  const lines: unknown[] = [];
  const log = sureLog(stacks(lines));
  t.equal(sureLog(log), log);
  const child = log.child({ entity: "e" });
  for (const level of ["debug", "info", "warn", "error"] as const) {
    lines.splice(0);
    log[level]({ err: new Error("late"), n: 1 }, "it failed");
    child[level]({ err: revoked(), n: 1, more: { of: "it" } }, "it failed");
    t.same(lines, [
      [level, { err: "Error: late", n: 1 }, "it failed"],
      [level, { entity: "e", err: "an error that cannot be shown", n: 1, more: '{"of":"it"}' }, "it failed"],
    ]);
  }
  t.end();
});

test("S4. a log that throws whatever it is told throws at nobody", (t) => {
  const fails = (): never => {
    throw new Error("its disk is full");
  };
  const log = sureLog({ ...silentLog, warn: fails, error: fails });
  t.doesNotThrow(() => {
    log.warn({ err: new Error("late") }, "it failed");
    log.error({}, "it failed");
  });
  t.end();
});

test("S4. a listener and a monitor of a tree that throw what no log can write are told of, and the tree goes on", async (t) => {
  const lines: unknown[] = [];
  const clock = new ManualClock();
  const ends: (() => void)[] = [];
  let starts = 0;
  const it = {
    start: () => {
      starts++;
      return Promise.resolve({
        exited: new Promise<{ readonly kind: "failed"; readonly error: Error }>((resolve) =>
          ends.push(() => {
            resolve({ kind: "failed", error: new Error("broke") });
          }),
        ),
        stop: () => undefined,
        kill: () => undefined,
      });
    },
  };
  const tree = createTree(supervisor("root", { strategy: "one-for-one", backoff: {} }, [hosted("it", it)]), { clock, random: new SeededRandom(1), log: stacks(lines) });
  tree.onReport(() => {
    throw revoked();
  });
  await tree.start();
  tree.monitor("it", () => {
    throw revoked();
  });
  ends[0]?.();
  await settle();
  await clock.advance(1_000);
  t.equal(starts, 2);
  for (const message of ["a listener of supervision reports threw", "a monitor of a supervised child threw"])
    t.match(
      lines.find((line) => (line as readonly string[])[2] === message),
      ["error", { err: "an error that cannot be shown" }],
    );
  const stopped = tree.stop();
  await clock.advance(60_000);
  await stopped;
});
