// What it costs that an entity begins with many children: each is asked for its own alone (runtime/entity/recording.ts, sealStart).

import { test } from "tap";

import { actorType, entityType } from "../../../runtime/actor/index.ts";
import { anyMessages, EntityHost } from "../entity-host.ts";
import { machine, raise } from "../xstate/loose.ts";

/** How often the event is read that each of so many children has armed a timer with, until all of them are kept. */
function readsOf(children: number): number {
  let reads = 0;
  const event = {
    type: "RING",
    get tone() {
      reads++;
      return 440;
    },
  };
  const root = actorType({ name: "thing", version: 1, messages: anyMessages(), behaviour: machine({}) as never });
  const clock = actorType({ name: "clock", version: 1, messages: anyMessages(), behaviour: machine({ entry: raise(event as never, { delay: 60_000 }) }) as never });
  const type = entityType({ root, durability: "events", placement: "cloud", children: { clock: { types: [clock], strategy: "one-for-one" } } });
  const host = new EntityHost(type);
  reads = 0;
  host.take({ kind: "children", specs: Array.from({ length: children }, (_, at) => ({ kind: "clock", id: String(at), type: "clock", input: null })) });
  return reads;
}

test("what a child that starts has made is looked at when it starts, and not again when each of its siblings does", (t) => {
  const [few, many] = [readsOf(50), readsOf(500)];
  t.ok(few >= 50, `each is looked at, ${String(few)} times in all`);
  t.ok(many <= 12 * few, `ten times as many children take about ten times as many looks: ${String(many)} instead of ${String(few)}`);
  t.end();
});
