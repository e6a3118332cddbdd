// A thread that takes more heap than it may, in pieces of any size: it dies alone.

import tap, { test } from "tap";

import { dieAlone, isolated } from "./faults.ts";

tap.setTimeout(90_000);

const FULL = { reason: "failed", error: /its heap is full/, cause: { kind: "out-of-memory", limitMb: 256 } };
/** Where one allocation does not fit below V8's own limit, V8 ends the process, whichever thread it was. */
const HEAPS = [
  ["thread: a list that doubles, without a word about its heap", isolated("thread", "fill-heap-in-one-list"), FULL],
  ["thread: lists of 80 MB, without a word about its heap", isolated("thread", "fill-heap-in-large-pieces"), FULL],
  ["thread: a thread of its own, in large pieces", isolated("thread", "fill-heap-of-its-thread"), FULL],
  ["thread: a thread of a thread of its own", isolated("thread", "fill-heap-of-its-threads-thread"), FULL],
  ["thread: a thread of its own, beyond what that was given", isolated("thread", "fill-small-heap-of-its-thread"), { ...FULL, cause: { kind: "out-of-memory", limitMb: 50 } }],
  ["thread: threads of its own, all together", isolated("thread", "fill-heaps-of-its-threads"), FULL],
  ["thread: a thread of its own, while it is in native code itself", isolated("thread", "fill-heap-of-its-thread-in-native"), { ...FULL, error: /its heap is full.*let go of/ }],
  ["thread: threads of its own, one after the other, which is no failure", isolated("thread", "use-threads-in-turn"), { reason: "normal" }],
  ["thread: garbage beyond its limit, which is no failure", isolated("thread", "make-garbage"), { reason: "normal" }],
  ["thread: garbage of more than twice its limit between two looks, which is no failure", isolated("thread", "make-garbage-at-once"), { reason: "normal" }],
] as const;

test("S4. a thread whose heap is full is a supervised death with its cause, and the event loop stays responsive; garbage is no failure", (t) => dieAlone(t, HEAPS));
