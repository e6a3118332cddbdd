// Small named values of many share a flush: one write at a time, what is asked for together is never split, and each who asked hears what became of his own (rules L4).

import { test } from "tap";
import type { ValueChange } from "../../../runtime/ports/index.ts";
import { MAX_VALUE_CHANGES } from "../../../runtime/ports/index.ts";
import { memoryStore, settle } from "../../../runtime/simulation/index.ts";
import { ValueWriter } from "../../../runtime/system/value-writer.ts";

interface Write {
  readonly keys: readonly string[];
  end(failure?: Error): Promise<void>;
}

async function stand(): Promise<{ readonly writes: Write[]; readonly underWay: () => number; readonly most: () => number; readonly ask: (...keys: string[]) => Promise<void> }> {
  const store = memoryStore();
  await store.open();
  const writes: Write[] = [];
  let underWay = 0;
  let most = 0;
  Object.assign(store.values, {
    write: (changes: readonly ValueChange[]) => {
      most = Math.max(most, ++underWay);
      return new Promise<void>((resolve, reject) => {
        const end = async (failure?: Error): Promise<void> => {
          underWay--;
          if (failure === undefined) resolve();
          else reject(failure);
          await settle();
        };
        writes.push({ keys: changes.map(({ key }) => key), end });
      });
    },
  });
  const writer = new ValueWriter(store);
  return { writes, underWay: () => underWay, most: () => most, ask: (...keys) => writer.write(keys.map((key) => ({ key, value: new Uint8Array(1) }))) };
}

test("G1, L4. what is asked for in one step is one write, and what is asked for while that is under way the next one, however many ask", async (t) => {
  const { writes, most, underWay, ask } = await stand();
  const told: string[] = [];
  const asked = (...keys: string[]): void => void ask(...keys).then(() => told.push(...keys));
  for (const key of ["a", "b", "c"]) asked(key);
  await settle();
  for (const key of ["d", "e"]) {
    asked(key);
    await settle();
  }
  t.same(
    writes.map(({ keys }) => keys),
    [["a", "b", "c"]],
  );
  t.same(told, [], "nobody is told before it is durable");
  await writes[0]?.end();
  t.same(told, ["a", "b", "c"]);
  t.same(writes[1]?.keys, ["d", "e"]);
  await writes[1]?.end();
  t.same(told, ["a", "b", "c", "d", "e"]);
  asked("f");
  await settle();
  t.same(writes[2]?.keys, ["f"], "and after a quiet time it is begun at once");
  await writes[2]?.end();
  t.equal(writes.length, 3);
  t.equal(most(), 1);
  t.equal(underWay(), 0);
});

test("G2. a write takes as much as a store takes at once, and splits nothing that was asked for together", async (t) => {
  const { writes, ask } = await stand();
  const pairs = Math.floor(MAX_VALUE_CHANGES / 2);
  const asked = Array.from({ length: pairs + 1 }, (_, at) => ask(`first-${String(at)}`, `second-${String(at)}`));
  const rest = ask("alone");
  await settle();
  t.equal(writes[0]?.keys.length, pairs * 2);
  await writes[0]?.end();
  t.same(writes[1]?.keys, [`first-${String(pairs)}`, `second-${String(pairs)}`, "alone"]);
  await writes[1]?.end();
  await Promise.all([...asked, rest]);
});

test("a write that fails is told to those whose changes it had, and to nobody else", async (t) => {
  const { writes, ask } = await stand();
  const first = ask("a");
  const second = ask("b");
  const failing = Promise.all([t.rejects(first, { message: "disk away" }), t.rejects(second, { message: "disk away" })]);
  await settle();
  const third = ask("c");
  await writes[0]?.end(new Error("disk away"));
  await failing;
  t.same(writes[1]?.keys, ["c"]);
  await writes[1]?.end();
  await third;
});
