// The table: restart type x exit x strategy. Three children a, b, c; b ends; who stops, who starts again.

import { test } from "tap";

import { silentLog } from "../../../runtime/ports/index.ts";
import { ManualClock, settle } from "../../../runtime/simulation/manual-clock.ts";
import { SeededRandom } from "../../../runtime/simulation/seeded-random.ts";
import { hosted, startTree, supervisor, type RestartType, type Strategy } from "../../../runtime/supervision/index.ts";
import type { Exit } from "../../../runtime/workers/index.ts";
import { scripted } from "./scripted.ts";

const exits: Readonly<Record<string, Exit>> = {
  normal: { kind: "normal" },
  shutdown: { kind: "shutdown" },
  failed: { kind: "failed", error: new Error("b broke") },
  killed: { kind: "killed", error: new Error("b was killed from outside") },
};

/** Whether OTP restarts it. */
function comesBack(restart: RestartType, exit: string): boolean {
  return restart === "permanent" || (restart === "transient" && (exit === "failed" || exit === "killed"));
}

const restarted: Readonly<Record<Strategy, readonly string[]>> = {
  "one-for-one": ["start b", "up b"],
  "rest-for-one": ["stop c", "start b", "up b", "start c", "up c"],
  "one-for-all": ["stop c", "stop a", "start a", "up a", "start b", "up b", "start c", "up c"],
};

test("S4. every exit of a child meets its restart type and its supervisor's strategy", async (t) => {
  for (const strategy of ["one-for-one", "rest-for-one", "one-for-all"] as const) {
    for (const restart of ["permanent", "transient", "temporary"] as const) {
      for (const [name, exit] of Object.entries(exits)) {
        const journal: string[] = [];
        const clock = new ManualClock();
        const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
        const spec = supervisor("root", { strategy, intensity: 1, periodMs: 1_000 }, [hosted("a", a), hosted("b", b, { restart }), hosted("c", c)]);
        const tree = await startTree(spec, { clock, random: new SeededRandom(1), log: silentLog });
        t.strictSame(journal.splice(0), ["start a", "up a", "start b", "up b", "start c", "up c"], `${strategy}: started in order`);
        b.end(exit);
        await settle();
        const title = `${strategy}, ${restart} child ends ${name}`;
        t.strictSame(journal.splice(0), comesBack(restart, name) ? restarted[strategy] : [], title);
        const shown = tree.describe().children.map((node) => `${node.id} ${node.state}`);
        if (comesBack(restart, name)) t.strictSame(shown, ["a running", "b running", "c running"], `${title}: shown`);
        else if (restart === "temporary") t.strictSame(shown, ["a running", "c running"], `${title}: forgotten`);
        else t.strictSame(shown, ["a running", `b ${name === "normal" || name === "shutdown" ? "stopped" : "failed"}`, "c running"], `${title}: shown`);
        if (comesBack(restart, name)) t.match(tree.describe().children[1], { restarts: 1, lastExit: { reason: name, at: clock.now() } }, `${title}: recorded cause`);
        await tree.stop();
        t.equal(clock.pending, 0, `${title}: no timer left`);
      }
    }
  }
});

test("a group restart ends temporary siblings for good and brings back transient ones that had ended", async (t) => {
  for (const strategy of ["rest-for-one", "one-for-all"] as const) {
    const journal: string[] = [];
    const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
    const spec = supervisor("root", { strategy }, [hosted("a", a), hosted("b", b, { restart: "temporary" }), hosted("c", c, { restart: "transient" })]);
    const tree = await startTree(spec, { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog });
    c.end({ kind: "normal" });
    await settle();
    journal.length = 0;
    a.crash();
    await settle();
    t.strictSame(journal, ["stop b", "start a", "up a", "start c", "up c"], strategy);
    t.strictSame(
      tree.describe().children.map((node) => node.id),
      ["a", "c"],
    );
    await tree.stop();
  }
});

test("an earlier child that fails while a later one starts breaks that start off and goes first", async (t) => {
  const journal: string[] = [];
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  const spec = supervisor("root", { strategy: "rest-for-one", intensity: 5 }, [hosted("a", a), hosted("b", b), hosted("c", c)]);
  const tree = await startTree(spec, { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog });
  c.holdStarts = true;
  b.crash();
  await settle();
  c.holdStarts = false;
  journal.length = 0;
  a.crash();
  await settle();
  t.strictSame(journal, ["aborted c", "stop b", "start a", "up a", "start b", "up b", "start c", "up c"]);
  await tree.stop();
});

test("a sibling that falls while its group goes down is not counted as another failure", async (t) => {
  const journal: string[] = [];
  const [a, b, c] = [scripted("a", journal), scripted("b", journal), scripted("c", journal)];
  const spec = supervisor("root", { strategy: "one-for-all", intensity: 1 }, [hosted("a", a), hosted("b", b), hosted("c", c)]);
  const tree = await startTree(spec, { clock: new ManualClock(), random: new SeededRandom(1), log: silentLog });
  c.stubborn = true;
  b.crash();
  await settle();
  a.crash("a went with c");
  await settle();
  c.end({ kind: "shutdown" });
  c.stubborn = false;
  await settle();
  t.strictSame(
    tree.describe().children.map((node) => node.state),
    ["running", "running", "running"],
  );
  t.equal(tree.describe().state, "running");
  await tree.stop();
});
