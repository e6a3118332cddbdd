// A way through that one takes at a time.

import { test } from "tap";

import { OneByOne } from "../../../runtime/system/one-by-one.ts";

test("M4. P4. one is in at a time, in the order of their coming; who leaves while it waits holds nobody up, and who leaves twice lets nobody in", (t) => {
  const way = new OneByOne();
  const entered: string[] = [];
  const [first, second, third, fourth] = ["first", "second", "third", "fourth"].map((name) => way.enter(() => void entered.push(name)));
  t.same(
    [first, second, third, fourth].map((place) => place?.isIn),
    [true, false, false, false],
  );
  second?.leave();
  t.same(entered, []);
  first?.leave();
  first?.leave();
  t.same(entered, ["third"]);
  t.same([third?.isIn, fourth?.isIn], [true, false]);
  third?.leave();
  t.same(entered, ["third", "fourth"]);
  fourth?.leave();
  t.ok(way.enter(() => undefined).isIn);
  t.end();
});
