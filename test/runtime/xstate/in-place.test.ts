// What the harness of tests finds of steps that are not pure (hosting H11), and what production does: nothing that a machine was registered with is ever changed by one of its actors.

import { test } from "tap";
import { assign, type MachineContext, setup } from "xstate";
import type { EntityType, EventData } from "../../../runtime/index.ts";
import type { Input } from "../../../runtime/entity/contract.ts";
import { createEntity } from "../../../runtime/entity/index.ts";
import type { Address } from "../../../runtime/address.ts";
import { anyMessages, EntityHost, EPOCH, ROOT, thingType } from "../entity-host.ts";

interface Boxed extends MachineContext {
  list: number[];
  inner: { readonly deep: { n: number } };
}

function pushing(first: unknown) {
  return setup({}).createMachine({
    context: first as MachineContext,
    on: {
      push: {
        actions: assign(({ context }) => {
          (context as Boxed).list.push(7);
          throw new Error("no");
        }),
      },
      write: {
        guard: ({ context }) => {
          (context as Boxed).inner.deep.n = 7;
          return false;
        },
      },
    },
  });
}

const fresh = (): Boxed => ({ list: [], inner: { deep: { n: 0 } } });

test("H11. the harness freezes the context and steps twice: a change in place is a fault there, and told with its place", (t) => {
  for (const context of [fresh(), fresh]) {
    const host = new EntityHost(thingType(pushing(context), anyMessages()));
    const result = host.send("push");
    t.not(result.kind, "accepted");
    t.match(host.differences, [/acme\/thing\/one on push: context\/list\/0 was changed in place/]);
    t.same(host.context(), fresh());
  }
  t.end();
});

/** Without the harness, as a node hosts it. */
function hosted(type: EntityType, address: string) {
  const entity = createEntity(type, address as Address, "history-1");
  let seed = 0;
  const take = (input: Input) => {
    const [result] = entity.turn([input], { now: EPOCH, elapsed: 0, seed: ++seed }).results;
    entity.commit();
    return result;
  };
  take({ kind: "start", input: undefined, labels: {} });
  return {
    send: (event: EventData) =>
      take({ kind: "message", to: address as Address, event, sender: { kind: "outside", id: `m${String(seed)}`, author: "tester", expiresAt: EPOCH + 1_000 }, wantsReply: false }),
    context: () => entity.view(address as Address)?.context,
  };
}

for (const durability of ["events", "snapshot", "volatile"] as const)
  test(`H11. what a machine is registered with is frozen: an actor that writes into it fails with a place, and no other sees anything of it (${durability})`, (t) => {
    const type = thingType(pushing(fresh()), anyMessages(), { durability });
    const [one, two] = [hosted(type, ROOT), hosted(type, "acme/thing/two")];
    t.match(one.send({ type: "push" }), { kind: "faulted", error: /not extensible/, place: /acme\/thing\/one.*push/ });
    t.match(one.send({ type: "write" }), { kind: "faulted", error: /read only/, place: /acme\/thing\/one.*write/ });
    t.same(one.context(), fresh());
    t.same(two.context(), fresh());
    t.end();
  });
