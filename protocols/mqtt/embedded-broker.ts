// The broker as this room offers it: its code and aedes are loaded where one is started. A vehicle has none.

import type { BrokerOptions, EmbeddedBroker } from "./broker.ts";

/** @throws DROVER_PORT_IN_USE */
export async function embeddedBroker(options: BrokerOptions): Promise<EmbeddedBroker> {
  const broker = await import("./broker.ts");
  return broker.embeddedBroker(options);
}
