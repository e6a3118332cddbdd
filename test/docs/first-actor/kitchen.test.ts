// The guide of runtime/README.md, run step by step.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Linter } from "eslint";
import { test } from "tap";
import { drover } from "../../cli/captured.ts";
import { form } from "../../forms.ts";
import { textOf } from "../../project/checkout.ts";
import lintConfig from "./lint.ts";
// #region memory
import { createSystem, parseAddress, silentLog } from "../../../runtime/index.ts";
import { ManualClock, memoryStore, SeededRandom } from "../../../runtime/simulation/index.ts";
import { equipment, kitchenType, pot } from "./kitchen.ts";

async function inMemory(kitchen = kitchenType()) {
  const clock = new ManualClock();
  const store = memoryStore();
  const heated: boolean[] = [];
  const potHere = pot.with({ effects: { heat: ({ on }) => void heated.push(on) } });
  await store.open();
  const system = createSystem({ node: "n1", types: [kitchen, potHere], store, clock, random: new SeededRandom(1), log: silentLog });
  await system.start();
  await system.activate(parseAddress("home/kitchen/one"), equipment);
  return { system, clock, heated };
}

const BLUE = "home/kitchen/one/pot/blue";

test("a pot brews, and says no while it does", async (t) => {
  const { system, clock, heated } = await inMemory();
  const brew = { type: "tea.brew", tea: "green" };
  t.same(await system.ask(BLUE, brew, { withinMs: 1_000, id: "breakfast" }), { kind: "replied", value: { readyInMs: 120_000 } });
  t.same(await system.ask(BLUE, brew, { withinMs: 1_000, id: "breakfast" }), { kind: "replied", value: { readyInMs: 120_000 } }, "one id acts once");
  t.same(await system.ask(BLUE, brew, { withinMs: 1_000 }), { kind: "refused", accepts: [] }, "it is steeping");
  t.match(await system.tell(BLUE, { type: "tea.brew" }), { kind: "invalid", problems: [{ path: "/tea" }] });
  t.match(await system.tell("home/kitchen/one/pot/red", { type: "tea.pour" }), { kind: "no-such-actor" });

  await clock.advance(120_000);
  t.match(system.read(parseAddress(BLUE)), { state: "ready", context: { brewed: 1 } });
  t.match(await system.tell(BLUE, { type: "tea.pour" }), { kind: "accepted", durable: "local" });
  t.same(heated, [true, false]);
  await system.stop();
});
// #endregion

// #region crash
for (const restartFrom of ["committed", "initial"] as const) {
  test(`chalk is no tea: the pot goes on from its ${restartFrom} state`, async (t) => {
    const { system, clock } = await inMemory(kitchenType(restartFrom));
    await system.tell(BLUE, { type: "tea.brew", tea: "green" });
    await clock.advance(120_000);
    await system.tell(BLUE, { type: "tea.pour" });

    const answer = await system.ask(BLUE, { type: "tea.brew", tea: "chalk" }, { withinMs: 1_000 });
    t.match(answer, { kind: "refused", reason: "set aside after 3 failures: nobody knows how long chalk steeps" });
    t.match(system.read(parseAddress(BLUE)), { state: "empty", context: { brewed: restartFrom === "committed" ? 1 : 0 } });
    t.match(system.describeEntities()[0]?.children[0], { id: BLUE, restarts: 3, lastExit: { reason: "failed", error: "nobody knows how long chalk steeps" } });
    await system.stop();
  });
}
// #endregion

// #region seeds
import { explain, simulateSeeds } from "../../../runtime/simulation/index.ts";
import { scenario } from "./scenario.ts";

test("the pot keeps every promise", async (t) => {
  const { failed } = await simulateSeeds(scenario, { count: 50 });
  t.same(failed.map(explain), []);
});

test("a disk that confirms what it did not keep is found", async (t) => {
  const { failed } = await simulateSeeds((seed) => scenario(seed, { lyingDisk: true }), { count: 50 });
  t.match(failed[0]?.violations[0], { promise: "C2" });
});
// #endregion

// #region pure
import { purely, stepPurely } from "../../../runtime/simulation/index.ts";

test("each step of the pot is pure", (t) => {
  t.match(stepPurely(pot, [{ type: "tea.brew", tea: "green" }]), { state: "steeping", context: { steepMs: 120_000 } });
  t.throws(() => purely(() => Date.now()), { code: "DROVER_IMPURE_STEP" });
  t.end();
});
// #endregion

for (const count of form([], [150]))
  test(`the pot keeps every promise in ${String(count)} more seeds`, async (t) => {
    const { runs, failed } = await simulateSeeds(scenario, { from: 51, count });
    t.same(failed.map(explain), []);
    t.equal(runs, count);
  });

test("the guide's node: killed while the pot steeps it comes back with what it knew, and tells what it did", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "drover-docs-"));
  t.teardown(() => rm(data, { recursive: true, force: true }));
  const brew = ["actors", "ask", BLUE, "tea.brew", "tea=green", "--id", "breakfast", "--json"];
  const first = await startNode(data);
  t.teardown(() => first.process.kill("SIGKILL"));
  const says = (url: string, args: readonly string[]) => drover([...args, "--url", url, "--data", data]);
  const answer = await says(first.url, brew);
  t.match(answer, { code: 0, out: /"readyInMs": ?120000/ });
  first.process.kill("SIGKILL");
  await once(first.process, "exit");

  const second = await startNode(data);
  t.teardown(() => second.process.kill("SIGKILL"));
  t.same(await says(second.url, brew), answer, "the same id, the same answer, no second pot");
  t.match(await says(second.url, ["actors", "get", BLUE, "--inspect"]), { code: 0, out: /from empty[^]*timer +xstate\.after\.STEEPED/ });
  t.match(await says(second.url, ["actors", "history", BLUE, "--replay"]), { code: 0, out: /the same as was committed/ });
  const tried = await says(second.url, ["actors", "send", BLUE, "tea.pour", "--dry-run"]);
  t.match(tried, { code: 5, out: /= refused[^]*nothing was sent/ }, "why it would be refused, and the exit code of a conflict");
  second.process.kill("SIGTERM");
  t.same(await once(second.process, "exit"), [0, null], "it stops in order");
});

test("M4. the guide's node: a step that never ends ends its process twice, then its message is set aside and the pot brews", async (t) => {
  const data = await mkdtemp(join(tmpdir(), "drover-docs-"));
  t.teardown(() => rm(data, { recursive: true, force: true }));
  for (const life of ["first", "second"]) {
    const node = await startNode(data);
    t.teardown(() => node.process.kill("SIGKILL"));
    const asked = await drover(["actors", "ask", BLUE, "tea.brew", "tea=barley", "--id", "supper", "--url", node.url, "--data", data]);
    t.match(asked, { code: 7, err: /No node answers/ }, `${life} life`);
    await node.ended;
    t.match(node.process, { exitCode: null, signalCode: "SIGKILL" }, "ended by its watch");
  }
  const third = await startNode(data);
  t.teardown(() => third.process.kill("SIGKILL"));
  const says = (...args: readonly string[]) => drover(["actors", "ask", BLUE, "tea.brew", ...args, "--url", third.url, "--data", data]);
  t.match(await says("tea=barley", "--id", "supper"), { code: 5, err: /set aside: tea\.brew from admin hung in home\/kitchen\/one\/pot\/blue and ended the process/ });
  t.match(await says("tea=green", "--json"), { code: 0, out: /"readyInMs": ?120000/ });
  third.process.kill("SIGTERM");
  await third.ended;
  t.equal(third.process.exitCode, 0, "it stops in order");
});

test("the guide's lint finds a clock in the machine's file and nothing in the machine as it stands", (t) => {
  const code = textOf("test/docs/first-actor/kitchen.ts");
  const found = (text: string) => new Linter().verify(text, lintConfig as Linter.Config[], "kitchen.ts").map(({ ruleId }) => ruleId);
  t.same(found(code), []);
  t.same(found(code.replace("context.brewed + 1", "Date.now()")), ["drover/pure-step"]);
  t.end();
});

async function startNode(data: string): Promise<{ readonly process: ChildProcess; readonly url: string; readonly ended: Promise<unknown> }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "node.js"), data, "0"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("DROVER_URL=")) return { process: child, url: line.slice("DROVER_URL=".length), ended };
  }
  throw new Error("the node ended before it said where it listens");
}
