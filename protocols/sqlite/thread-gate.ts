// Keeps a store's thread from being ended while it is inside SQLite.
//
// A worker thread that is terminated, by `terminate` or because the process exits, throws out of whatever native code it runs at that moment; from
// @photostructure/sqlite this ends the whole process with SIGABRT (tried: 5 of 6 calls of process.exit during commits). So a thread is never terminated: it is asked
// to end, and at exit the main thread waits until the call under way is over.

const INSIDE = 0;
const ENDING = 1;

/** Shared by both sides. */
export type ThreadGate = Int32Array<SharedArrayBuffer>;

/** A gate whose thread is inside: it loads its library first. */
export function createGate(): ThreadGate {
  const gate = new Int32Array(new SharedArrayBuffer(8));
  gate[INSIDE] = 1;
  return gate;
}

/** Thread: whether it may go in. */
export function enter(gate: ThreadGate): boolean {
  Atomics.store(gate, INSIDE, 1);
  if (Atomics.load(gate, ENDING) === 0) return true;
  leave(gate);
  return false;
}

/** Thread: is outside again. */
export function leave(gate: ThreadGate): void {
  Atomics.store(gate, INSIDE, 0);
  Atomics.notify(gate, INSIDE);
}

/** Main thread: lets the thread in no more. The call under way goes on. */
export function shut(gate: ThreadGate): void {
  Atomics.store(gate, ENDING, 1);
}

/** Main thread, only while the process exits: shuts the gate and blocks until the thread is outside. @returns false when it is not within `withinMs` */
export function shutAndWait(gate: ThreadGate, withinMs: number): boolean {
  shut(gate);
  return Atomics.load(gate, INSIDE) === 0 || Atomics.wait(gate, INSIDE, 1, withinMs) !== "timed-out";
}
