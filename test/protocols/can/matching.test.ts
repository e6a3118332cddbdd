// Which message a frame is: by id and kind, or by J1939 parameter group; remote requests and error frames are none.

import { test } from "tap";
import { canIdOf, createMatcher, ERROR_FRAME, isReachable, parseDbc, parseJ1939Id, pgnOf, REMOTE_REQUEST } from "../../../protocols/can/index.ts";

const EXT = 0x8000_0000;

test("standard and extended ids of one number are different messages", (t) => {
  const database = parseDbc(`BO_ 291 Std: 8 A\nBO_ ${EXT + 291} Ext: 8 A\n`);
  const match = createMatcher(database, "exact");
  t.equal(match(0x123), 0);
  t.equal(match(EXT + 0x123), 1);
  t.equal(match(0x124), -1);
  t.equal(match(EXT + 0x124), -1);
  t.equal(match(EXT), -1, "id 0 that no message has");
  t.end();
});

test("remote requests and error frames are never decoded", (t) => {
  const match = createMatcher(parseDbc(`BO_ 4 Std: 8 A\nBO_ ${EXT + 4} Ext: 8 A\n`), "j1939");
  t.equal(match((ERROR_FRAME | 4) >>> 0), -1);
  t.equal(match((REMOTE_REQUEST | 4) >>> 0), -1);
  t.equal(match((EXT | REMOTE_REQUEST | 4) >>> 0), -1);
  t.equal(match(canIdOf({ id: 4, extended: true })), 1);
  t.end();
});

test("of two messages with one id the later counts, of one parameter group the first", (t) => {
  const database = parseDbc(`BO_ 1 A: 8 X\nBO_ 1 B: 8 X\nBO_ ${EXT + 0x0cf0_0400} First: 8 X\nBO_ ${EXT + 0x18f0_0421} Second: 8 X\n`);
  const match = createMatcher(database, "j1939");
  t.equal(match(1), 1);
  t.notOk(isReachable(database, database.messages[0] as never));
  t.ok(isReachable(database, database.messages[1] as never));
  t.equal(match(EXT + 0x18f0_0421), 3, "the exact id comes first");
  t.equal(match(EXT + 0x0cf0_0433), 2, "another sender: the first of the group in file order");
  t.equal(createMatcher(database, "exact")(EXT + 0x0cf0_0433), -1);
  t.end();
});

test("a destination is no part of the parameter group, a group extension is", (t) => {
  t.equal(pgnOf(0x18ea_ff21), 0xea00);
  t.equal(pgnOf(0x18ea_0021), 0xea00);
  t.equal(pgnOf(0x0cf0_0400), 0xf004);
  t.equal(pgnOf(0x19f2_0101), 0x1f201, "the data page is part of it");
  t.strictSame(parseJ1939Id(0x18ea_5521), { priority: 6, pgn: 0xea00, source: 0x21, destination: 0x55 });
  t.strictSame(parseJ1939Id(0x0cf0_0400), { priority: 3, pgn: 0xf004, source: 0, destination: 255 });
  const match = createMatcher(parseDbc(`BO_ ${EXT + 0x18ea_fffe} Request: 3 X\n`), "j1939");
  t.equal(match(EXT + 0x0cea_0321), 0);
  t.end();
});

test("a database of very many extended ids matches as well", (t) => {
  const ids = Array.from({ length: 12_000 }, (_, index) => index * 40_000);
  const match = createMatcher(parseDbc(ids.map((id, index) => `BO_ ${EXT + id} M${index}: 8 A\n`).join("")), "exact");
  t.strictSame(
    ids.map((id) => match(EXT + id)),
    ids.map((_, index) => index),
  );
  t.equal(match(EXT + 1), -1);
  t.end();
});
