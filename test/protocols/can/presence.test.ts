// Who speaks and who has fallen silent: by a declared time, or by a period learnt on the bus.

import { test } from "tap";
import { createPresenceTracker, messagePeriodMs, parseDbc, PeriodLearner, silentAfterMs } from "../../../protocols/can/index.ts";
import { feed, tableOver } from "./fed-table.ts";

test("a period comes from GenMsgCycleTime, else from the attribute that the vehicle names", (t) => {
  const database = parseDbc(
    'BO_ 1 A: 8 X\nBO_ 2 B: 8 X\nBO_ 3 C: 8 X\nBA_DEF_ BO_ "GenMsgCycleTime" INT 0 1;\nBA_DEF_ BO_ "CycleTime" INT 0 1;\nBA_DEF_DEF_ "GenMsgCycleTime" 0;\nBA_ "GenMsgCycleTime" BO_ 1 20;\nBA_ "CycleTime" BO_ 1 99;\nBA_ "CycleTime" BO_ 2 33;\n',
  );
  t.strictSame(
    database.messages.map((message) => messagePeriodMs(database, message, "CycleTime")),
    [20, 33, undefined],
  );
  t.equal(messagePeriodMs(database, database.messages[1] as never), undefined);
  const defaults = parseDbc('BO_ 1 A: 8 X\nBO_ 2 B: 8 X\nBA_DEF_ BO_ "CycleTime" INT 0 1000;\nBA_DEF_DEF_ "CycleTime" 500;\nBA_ "CycleTime" BO_ 2 0;\n');
  t.strictSame(
    defaults.messages.map((message) => messagePeriodMs(defaults, message, "CycleTime")),
    [500, undefined],
  );
  t.strictSame([33, 500].map(silentAfterMs), [1_000, 1_500]);
  t.end();
});

test("a learnt period is the median of 20 intervals, whatever a few of them were", (t) => {
  const learner = new PeriodLearner();
  let ms = 0;
  for (let frame = 0; frame <= 20; frame++) {
    t.equal(learner.periodMs, undefined);
    learner.heard(ms);
    ms += frame % 7 === 3 ? 5_000 : 100;
  }
  t.equal(learner.periodMs, 100);
  learner.heard(0);
  learner.interrupt();
  for (let frame = 0; frame <= 40; frame++) learner.heard(1_000_000 + frame * 50);
  t.equal(learner.periodMs, 50);
  t.end();
});

test("a talker is unseen, present, silent after its time, and present again", (t) => {
  const presence = createPresenceTracker([
    { name: "shunt", bus: "can0", messages: ["Volts", "Power"], silentAfterMs: 1_000 },
    { name: "mux", bus: "can0", messages: ["Mux"] },
  ]);
  const table = tableOver([], presence);
  t.equal(presence.stateOf("shunt", 0)?.state, "unseen");
  t.strictSame(presence.changes(99_999), [], "never heard is not silent");
  feed(table, 0, "can0", 1, [0]);
  feed(table, 400, "can0", 2, [0]);
  t.match(presence.changes(400), [{ name: "shunt", state: "present", lastHeardMs: 400 }]);
  t.equal(presence.nextChangeMs(), 1_400);
  t.strictSame(presence.changes(1_399), []);
  t.match(presence.changes(1_400), [{ name: "shunt", state: "silent" }]);
  t.equal(presence.nextChangeMs(), undefined);
  feed(table, 2_000, "can0", 1, [0]);
  t.match(presence.changes(2_000), [{ state: "present" }]);
  table.forget(2_100, "can0");
  t.match(presence.changes(2_100), [{ state: "unseen" }]);
  t.equal(presence.stateOf("nobody", 0), undefined);
  t.end();
});

test("without a declared time a talker is silent after three learnt periods, at least one second", (t) => {
  const presence = createPresenceTracker([
    { name: "mux", bus: "can0", messages: ["Mux"] },
    { name: "engine", bus: "can1", messages: [], sourceAddress: 0x21 },
  ]);
  const table = tableOver([], presence);
  for (let frame = 0; frame <= 20; frame++) {
    feed(table, frame * 500, "can0", 3, [0]);
    feed(table, frame * 10, "can1", 0x18fe_ee21, [0]);
    feed(table, frame * 10, "can1", 0x18fe_ee22, [0]);
    if (frame < 20) t.equal(presence.stateOf("mux", 1e9)?.state, "present", "not called silent before its period is known");
  }
  t.match(presence.stateOf("mux", 11_499), { state: "present", learntPeriodMs: 500, silentAfterMs: 1_500 });
  t.equal(presence.stateOf("mux", 11_500)?.state, "silent");
  t.match(presence.stateOf("engine", 1_200), { state: "silent", learntPeriodMs: 10, silentAfterMs: 1_000, lastHeardMs: 200 });
  t.end();
});
