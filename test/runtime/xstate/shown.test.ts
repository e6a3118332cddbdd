// What an actor's context looks like from outside.

import { test } from "tap";
import { shownData } from "../../../runtime/xstate/index.ts";

test("hosting H8. what the codec marks is shown as a reader of JSON expects it", (t) => {
  const cell = { $ref: { cell: "acme/vehicle/v/module/m", incarnation: 3, parent: 1 } };
  t.same(
    shownData({
      gone: { $undefined: true },
      list: [1, { $undefined: true }],
      infinite: { $number: "Infinity" },
      lost: { $lost: "a function" },
      parent: cell,
      other: { $ref: { kind: "actor", address: "acme/alarm/a" } },
      asker: { $ref: { kind: "nobody" } },
      error: { $error: { name: "RangeError", message: "too far", more: { by: { $number: "NaN" } } } },
      told: { $error: { name: "Mine", message: "m", class: "TypeError", shown: ["name"], hidden: { cause: { $error: { name: "Error", message: "of it" } } } } },
      none: { $error: "of another node" },
      $$id: { deep: { $undefined: true } },
    }),
    {
      list: [1, null],
      infinite: "Infinity",
      lost: "(a function)",
      parent: "acme/vehicle/v/module/m",
      other: "acme/alarm/a",
      asker: { kind: "nobody" },
      error: { name: "RangeError", message: "too far", more: { by: "NaN" } },
      told: { name: "Mine", message: "m", more: { cause: { name: "Error", message: "of it" } } },
      none: "of another node",
      $id: {},
    },
  );
  t.equal(shownData({ $undefined: true }), null);
  t.end();
});

test("what needs no change is the same object", (t) => {
  const context = { n: 1, list: [{ a: null }], text: "$undefined" };
  t.equal(shownData(context), context);
  t.end();
});
