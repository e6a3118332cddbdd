// How the children of an entity ended, as `describeEntities` shows it: in OTP's words.

import { test } from "tap";
import { assign, createMachine } from "xstate";
import { actorType, entityType, messages, parseAddress } from "../../../runtime/index.ts";
import { hosting } from "./hosting.ts";

const BOX = parseAddress("t/box/one");
const KID = parseAddress("t/box/one/kid/a");

const kid = actorType({
  name: "kid",
  version: 1,
  messages: messages({ "kid.end": { body: {} }, "kid.fail": { body: {} }, "kid.lie": { body: {} } }),
  behaviour: createMachine({
    initial: "here",
    states: {
      here: {
        on: {
          "kid.end": "gone",
          "kid.fail": {
            actions: assign(() => {
              throw new Error("boom");
            }),
          },
          "kid.lie": {
            actions: assign(() => {
              throw new Error("normal");
            }),
          },
        },
      },
      gone: { type: "final" },
    },
  }),
});
const box = actorType({ name: "box", version: 1, messages: messages({ "box.look": { body: {} } }), behaviour: createMachine({}) });

/** After one of these words to its child: how often it was restarted, and why it ended; also after a restart of the node. */
const cases = [
  ["permanent", "kid.end", { state: "active", restarts: 1 }, { reason: "normal" }],
  ["transient", "kid.end", { state: "done", restarts: 0 }, undefined],
  ["temporary", "kid.end", { state: "done", restarts: 0 }, undefined],
  ["permanent", "kid.fail", { state: "active", restarts: 3 }, { reason: "failed", error: "boom" }],
  ["transient", "kid.fail", { state: "active", restarts: 3 }, { reason: "failed", error: "boom" }],
  ["temporary", "kid.fail", { state: "error", restarts: 0 }, { reason: "failed", error: "boom" }],
  ["permanent", "kid.lie", { state: "active", restarts: 3 }, { reason: "failed", error: "normal" }],
] as const;

for (const [restart, word, shown, exit] of cases)
  test(`S4. of a ${restart} child that ${word === "kid.end" ? "ends normally" : `fails (${word})`} the tree shows ${exit === undefined ? "no failure" : `the reason ${exit.reason}`} and ${String(shown.restarts)} restarts`, async (t) => {
    const types = [
      entityType({ root: box, durability: "events", placement: "cloud", children: { kid: { types: [kid], strategy: "one-for-one", restart, restartFrom: "initial" } } }),
    ];
    const first = await hosting({ types });
    await first.system.activate(BOX, { input: undefined, children: [{ kind: "kid", id: "a", type: "kid", input: undefined }] });
    const told = first.system.tell(KID, { type: word });
    await first.clock.advance(5_000);
    await told;
    const { lastExit, ...child } = first.system.describeEntities()[0]?.children[0] ?? {};
    t.match(child, { id: KID, ...shown });
    t.same(lastExit === undefined ? undefined : { ...lastExit, at: 0 }, exit === undefined ? undefined : { ...exit, at: 0 });
    await first.system.stop();
    const again = await hosting({ types, disk: first.disk, clock: first.clock });
    await again.system.activate(BOX, { input: undefined });
    t.same(again.system.describeEntities()[0]?.children[0]?.lastExit, lastExit);
    t.match(again.system.describeEntities()[0]?.children[0], shown);
    await again.system.stop();
  });
