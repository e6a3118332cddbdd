// Which command came last, within a bound.

import { test } from "tap";
import { commandOrder } from "../../cloud-node/command-order.ts";
import { parseAddress } from "../../runtime/index.ts";

const lamp = (vehicle: string): ReturnType<typeof parseAddress> => parseAddress(`acme/vehicle/${vehicle}/module/lamp`);

test("O2. A command is overtaken by a newer one for its actor or for the whole vehicle, not by others and not by a repetition", (t) => {
  const order = commandOrder();
  const first = order.enter(lamp("v1"), "1");
  order.enter(lamp("v2"), "2");
  order.enter(lamp("v1"), "1");
  t.notOk(first());
  const second = order.enter(lamp("v1"), "3");
  t.ok(first());
  t.ok(order.enter(lamp("v1"), "1")(), "asked again it is no newer");
  t.notOk(second());
  order.enter(parseAddress("acme/vehicle/v1"), "4");
  t.ok(second());
  t.end();
});

test("S5, O2. What it holds is bounded, however many actors were commanded; a command that is too old to be judged counts as overtaken", (t) => {
  const order = commandOrder(100);
  const old = order.enter(lamp("old"), "old");
  const young = order.enter(lamp("young"), "young");
  for (let n = 0; n < 98; n++) order.enter(lamp(`v${String(n)}`), String(n));
  t.notOk(old());
  t.equal(order.size, 200);
  order.enter(lamp("more"), "more");
  t.equal(order.size, 200, "both maps forget together");
  t.ok(old(), "whether a newer one came is not known any more");
  t.notOk(young());
  order.enter(lamp("young"), "younger");
  for (let n = 0; n < 1_000; n++) order.enter(lamp(`w${String(n % 3)}`), `w${String(n)}`);
  t.ok(order.size <= 200);
  t.ok(young());
  t.end();
});
