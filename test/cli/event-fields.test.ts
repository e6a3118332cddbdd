// What is typed as `key=value` becomes the fields of an event.

import { Readable } from "node:stream";
import { test } from "tap";
import { CommandFailure } from "../../cli/terminal/index.ts";
import { eventOf } from "../../cli/actors/event-fields.ts";

const none = Readable.from([]);

test("a value that reads as JSON is JSON, everything else is a text", async (t) => {
  t.same(await eventOf({ type: "x", fields: ["n=255", "on=true", 'text="255"', "name=galley", "list=[1,2]", "none=null", "empty=", "a=b=c"] }, undefined, none), {
    type: "x",
    n: 255,
    on: true,
    text: "255",
    name: "galley",
    list: [1, 2],
    none: null,
    empty: "",
    a: "b=c",
  });
});

test("all fields may come as one object, from the option or standard input; single ones win", async (t) => {
  t.same(await eventOf({ type: "x", fields: ["a=2"] }, '{"a":1,"b":3,"type":"y"}', none), { type: "x", a: 2, b: 3 });
  t.same(await eventOf({ type: "x", fields: [] }, "-", Readable.from(['{"a"', ":1}"])), { type: "x", a: 1 });
});

test("what is no field, or no object, is wrong usage", async (t) => {
  for (const [fields, body] of [[["=1"]], [["level"]], [["type=y"]], [[], "{"], [[], "[1]"], [[], "null"]] as const)
    await t.rejects(eventOf({ type: "x", fields }, body, none), CommandFailure, JSON.stringify([fields, body]));
});
