// The door of a node is a guard: whatever it gives that is no verdict lets nothing pass (vehicle V3, X1; hosting N8). A rejection that nobody hears fails the test that is under way.

import { test } from "tap";

import { type DroverError, parseAddress } from "../../../runtime/index.ts";
import { type Log, silentLog } from "../../../runtime/ports/index.ts";
import { settle } from "../../../runtime/simulation/index.ts";
import type { Door, DoorVerdict } from "../../../runtime/system/index.ts";
import { hosting } from "./hosting.ts";
import { begin, entriesOf, LEDGER, twoNodes, WRITER } from "./two-nodes.ts";

const A = "acme/counter/one";
const entity = parseAddress(A);
const pass = (): DoorVerdict => ({ kind: "pass" });
const trap = (): never => {
  throw new Error("trap");
};

/** What a door may give from plain JavaScript, and what is said of it. */
const noVerdicts: Readonly<Record<string, readonly [() => unknown, RegExp]>> = {
  "a promise": [() => Promise.resolve(pass()), /returned a promise/],
  "a promise that rejects": [() => Promise.reject(new Error("lost")), /returned a promise/],
  "what has a then": [() => ({ then: () => undefined }), /returned a promise/],
  nothing: [() => undefined, /returned nothing/],
  null: [() => null, /returned nothing/],
  "a truth": [() => true, /returned a boolean/],
  "a text": [() => "pass", /returned a string/],
  "no kind": [() => ({}), /an object without a kind/],
  "another kind": [() => ({ kind: "allow" }), /of kind "allow" that is none/],
  "a refusal without one": [() => ({ kind: "refuse" }), /of kind "refuse" that is none/],
  "a refusal of no kind": [() => ({ kind: "refuse", refusal: { kind: "toString" } }), /that is none/],
  "a refusal without its lists": [() => ({ kind: "refuse", refusal: { kind: "refused" } }), /that is none/],
  "a pass to nobody": [() => ({ kind: "pass", to: 5 }), /that is none/],
  "a pass of no event": [() => ({ kind: "pass", event: {} }), /that is none/],
  "a pass with no values": [() => ({ kind: "pass", reads: 5 }), /that is none/],
  "a throw": [trap, /threw/],
  "what throws when it is read": [() => new Proxy({}, { get: trap }), /threw/],
};

interface Line {
  readonly err: DroverError;
  readonly code: string;
  readonly expected: string;
  readonly notLogged?: number;
}

function logInto(lines: Line[]): Log {
  const log: Log = {
    ...silentLog,
    warn: (fields: object, word?: string) => {
      if (word?.includes("door") === true) lines.push(fields as Line);
    },
    child: () => log,
  };
  return log;
}

for (const [name, [given, said]] of Object.entries(noVerdicts))
  test(`X1, N8. a door that gives no verdict refuses the message, says that the node is to blame, and ends nobody: ${name}`, async (t) => {
    const lines: Line[] = [];
    let isOpen = false;
    const { system, clock } = await hosting({ log: logInto(lines), door: (() => (isOpen ? pass() : given())) as Door });
    await system.activate(entity, { input: undefined });
    const message = { type: "count.add", by: 1 };
    const refusal = { kind: "refused", accepts: [], reason: /^the door of node "n1" .*this says nothing of the message \(DROVER_DOOR_FAILED\)$/ };
    t.match(await system.tell(A, message, { id: "m1" }), refusal);
    t.match(await system.ask(A, message, { withinMs: 1_000 }), refusal);
    t.match(await system.inspection.tryOut(entity, message, { author: "me" }), { kind: "turned-away", refusal });
    for (let at = 0; at < 20; at++) await system.tell(A, message);
    await settle();
    t.equal((system.read(entity)?.context as { total: number }).total, 0);
    t.equal(lines.length, 5, "said at a limited rate");
    t.match(lines[0], { code: "DROVER_DOOR_FAILED", err: { code: "DROVER_DOOR_FAILED", message: said }, to: A, type: "count.add", expected: /kind: "pass"/ });
    await clock.advance(60_000);
    await system.tell(A, message);
    t.match(lines.at(-1), { notLogged: 18 });
    isOpen = true;
    t.match(await system.tell(A, message, { id: "m1" }), { kind: "accepted" }, "the same message passes once the door is mended");
    await system.stop();
  });

test("X1. each kind of verdict is one", async (t) => {
  let verdict: DoorVerdict = pass();
  const { system } = await hosting({ door: () => verdict });
  await system.activate(entity, { input: undefined });
  const add = (): Promise<unknown> => system.tell(A, { type: "count.add", by: 1 });
  for (const passing of [pass(), { kind: "pass", event: { type: "count.add", by: 2 } }, { kind: "pass", to: entity, reads: {} as never }] as const) {
    verdict = passing;
    t.match(await add(), { kind: "accepted" });
  }
  for (const refusal of [
    { kind: "refused", accepts: ["x"], reason: "no" },
    { kind: "invalid", problems: [], accepts: [] },
    { kind: "owner-away" },
    { kind: "full", retryAfterMs: 5 },
    { kind: "not-stored", reason: "x" },
  ] as const) {
    verdict = { kind: "refuse", refusal };
    t.same(await add(), refusal);
  }
  await system.stop();
});

test("X1, M1. what another entity sends is refused by such a door too, and its later messages pass when the door is mended", async (t) => {
  const nodes = twoNodes();
  let isOpen = false;
  const a = await nodes.start("a");
  const b = await nodes.start("b", { door: (() => (isOpen ? pass() : Promise.reject(new Error("lost")))) as unknown as Door });
  await begin(a, WRITER);
  await begin(b, LEDGER);
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 1 });
  await nodes.clock.advance(5_000);
  t.same(entriesOf(b), []);
  isOpen = true;
  await a.system.tell(WRITER, { type: "writer.write", to: LEDGER, n: 2 });
  await nodes.clock.advance(5_000);
  t.same(entriesOf(b), [2]);
});
