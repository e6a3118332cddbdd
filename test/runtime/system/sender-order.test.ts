// What one sender says is acted on in its order, with gaps at most, also where a message fails and is tried again.

import { test } from "tap";
import { actorType, entityType, messages, parseAddress, reducer, T, type Told } from "../../../runtime/index.ts";
import { SeededRandom } from "../../../runtime/simulation/index.ts";
import { form } from "../../forms.ts";
import { hosting } from "./hosting.ts";

const A = parseAddress("acme/list/a");
const words = { from: T.String(), n: T.Integer(), fails: T.Integer() };
const list = messages({ put: { body: words }, urgent: { body: words, lane: "control" } });

/** How often each message has still to fail. */
const failing = new Map<string, number>();

const root = actorType({
  name: "list",
  version: 1,
  messages: list,
  behaviour: reducer<{ readonly taken: readonly string[] }, { readonly type: string; readonly from: string; readonly n: number; readonly fails: number }>({
    initial: () => ({ taken: [] }),
    step: (state, { type, from, n, fails }) => {
      const name = `${type} ${from} ${String(n)}`;
      const left = failing.get(name) ?? fails;
      failing.set(name, left - 1);
      if (left > 0) throw new Error("not yet");
      return { taken: [...state.taken, name] };
    },
  }),
});

test("H13, S5. what a sender said beyond the mailbox's room stays behind what it said before, also where that fails and is tried again", async (t) => {
  failing.clear();
  const small = { ...root, mailbox: { ...root.mailbox, messages: 3, overflow: "shelve" as const } };
  const { system, clock } = await hosting({ types: [entityType({ root: small, durability: "events", placement: "cloud" })] });
  await system.activate(A, { input: undefined });
  // The first is set aside, and what waited behind it is about to be stepped with the fourth, from the shelf; then the second fails.
  const told = [3, 1, 0, 0].map((fails, at) => system.tell(A, { type: "put", from: "ann", n: at + 1, fails }, { author: "ann" }));
  await clock.advance(5_000);
  t.match(await Promise.all(told), [{ kind: "refused" }, { kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }]);
  t.match(system.read(A)?.context, { taken: ["put ann 2", "put ann 3", "put ann 4"] });
  await system.stop();
});

for (const durability of ["events", "snapshot", "volatile"] as const) {
  const types = [entityType({ root, durability, placement: "cloud" })];

  test(`H13, S5. a message that fails and is tried again comes before what its sender said after it (${durability})`, async (t) => {
    failing.clear();
    const { system, clock } = await hosting({ types });
    await system.activate(A, { input: undefined });
    const told = [1, 2, 3].map((n) => system.tell(A, { type: "put", from: "ann", n, fails: n === 1 ? 1 : 0 }, { author: "ann" }));
    const other = system.tell(A, { type: "put", from: "bob", n: 1, fails: 0 }, { author: "bob" });
    await clock.advance(5_000);
    t.match(await Promise.all([...told, other]), [{ kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }, { kind: "accepted" }]);
    t.match(system.read(A)?.context, { taken: ["put bob 1", "put ann 1", "put ann 2", "put ann 3"] }, "what others said does not wait for it");
    await system.stop();
  });

  test(`H13, S5. what a sender says in the control lane keeps its order and its lane when it fails (${durability})`, async (t) => {
    failing.clear();
    const { system, clock } = await hosting({ types });
    await system.activate(A, { input: undefined });
    system.notify(A, { type: "put", from: "node", n: 1, fails: 1 });
    system.notify(A, { type: "put", from: "node", n: 2, fails: 0 });
    for (const [n, fails] of [
      [1, 2],
      [2, 0],
    ] as const)
      system.notify(A, { type: "urgent", from: "node", n, fails });
    await clock.advance(5_000);
    t.match(system.read(A)?.context, { taken: ["urgent node 1", "urgent node 2", "put node 1", "put node 2"] });
    await system.stop();
  });

  test(`S5. at random, whatever fails how often: no sender's messages are swapped, and each is taken once or refused (${durability})`, async (t) => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= form(12, 60); seed++) {
      failing.clear();
      const dice = new SeededRandom(seed);
      const { system, clock } = await hosting({ types, seed });
      await system.activate(A, { input: undefined });
      const sent: { readonly name: string; readonly told: Promise<Told> }[] = [];
      const said = new Map<string, number>();
      for (let at = 0; at < 60; at++) {
        const from = ["ann", "bob", "eve"][Math.floor(dice.next() * 3)] as string;
        const type = dice.next() < 0.2 ? "urgent" : "put";
        const n = (said.get(type + from) ?? 0) + 1;
        said.set(type + from, n);
        const fails = dice.next() < 0.3 ? 1 + Math.floor(dice.next() * 3) : 0;
        sent.push({ name: `${type} ${from} ${String(n)}`, told: system.tell(A, { type, from, n, fails }, { author: from }) });
        if (dice.next() < 0.2) await clock.advance(Math.floor(dice.next() * 50));
      }
      await clock.advance(60_000);
      const { taken } = system.read(A)?.context as { readonly taken: readonly string[] };
      for (const { name, told } of sent) {
        const times = taken.filter((each) => each === name).length;
        const { kind } = await told;
        if (times > 1 || (kind !== "unknown" && times !== (kind === "accepted" ? 1 : 0)))
          wrong.push(`seed ${String(seed)}: ${name} was taken ${String(times)} times, and told ${kind}`);
      }
      for (const line of said.keys()) {
        const numbers = taken.filter((each) => line === each.split(" ").slice(0, 2).join("")).map((each) => Number(each.split(" ")[2]));
        if (numbers.some((n, index) => index > 0 && n < (numbers[index - 1] ?? 0))) wrong.push(`seed ${String(seed)}: ${line} ${numbers.join(" ")}`);
      }
      await system.stop();
    }
    t.same(wrong, []);
  });
}
