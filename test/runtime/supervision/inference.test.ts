// What an author's editor says: every line marked must fail to compile, else the build fails here.

import { test } from "tap";

import { child, supervisor } from "../../../runtime/supervision/index.ts";
import { worker, type WorkerContext, type WorkerLink } from "../../../runtime/workers/index.ts";

const bus = worker({
  module: import.meta.url,
  async run({ ready, emit, receive }: WorkerContext<{ iface: string }, { frames: Uint8Array }, { id: number }>) {
    receive(({ id }) => void id.toFixed());
    ready();
    emit({ frames: new Uint8Array(16) });
    // @ts-expect-error not an item of this worker
    emit({ frame: 1 });
    await Promise.resolve();
  },
});

test("config, items, links and flags are checked against the worker", (t) => {
  const connect = (link: WorkerLink<{ id: number }>): void => void link.send({ id: 1 });
  const specs = [
    child("can0", bus, { iface: "can0" }),
    child("can1", bus, { iface: "can1" }, { isolation: "thread", into: ({ frames }) => frames.byteLength, linked: connect }),
    // @ts-expect-error wrong config
    child("can2", bus, { interface: "can2" }),
    // @ts-expect-error it emits other items
    child("can3", bus, { iface: "can3" }, { into: (item: { readonly bytes: Uint8Array }) => item.bytes }),
    // @ts-expect-error it takes other items
    child("can4", bus, { iface: "can4" }, { linked: (link: WorkerLink<{ name: string }>) => void link.send({ name: "x" }) }),
    // @ts-expect-error no strategy
    () => supervisor("buses", {}, []),
    // @ts-expect-error intensity or backoff
    () => supervisor("buses", { strategy: "one-for-one", intensity: 1, backoff: {} }, []),
    // @ts-expect-error only with backoff
    () => supervisor("buses", { strategy: "one-for-one", startFailure: "retry" }, []),
  ];
  t.throws(() => {
    // @ts-expect-error not an OTP restart type
    child("can5", bus, { iface: "can5" }, { restart: "always" });
  });
  t.equal(specs.length, 8);
  t.end();
});
