// A node whose every run is on another machine of a cluster, on the same store: under a name of its own, and with a crash file in which nothing stands of the runs before.

import type { Transport } from "../../../runtime/ports/index.ts";
import type { ProcessPorts } from "../../../runtime/simulation/index.ts";
import { nodeName } from "../../../runtime/wire/index.ts";

export function elsewhere(given: ProcessPorts): ProcessPorts {
  const { stepWatch, transport, homeOf } = given;
  const node = `${given.node}-${String(given.run)}`;
  return {
    ...given,
    node,
    // The others find it where they found the one before.
    homeOf: (entity) => (homeOf(entity) === given.node ? node : homeOf(entity)),
    transport: new Proxy(transport, {
      get: (of, name: keyof typeof transport) => {
        if (name === "serve")
          return async (...[pattern, ...more]: Parameters<Transport["serve"]>) => transport.serve(pattern.replace(nodeName(node), nodeName(given.node)), ...more);
        const member = Reflect.get(of, name) as unknown;
        return typeof member === "function" ? (member.bind(of) as unknown) : member;
      },
    }),
    stepWatch: {
      ...stepWatch,
      begin: () => ({}),
      hung: [],
      settled: () => undefined,
    },
  };
}
