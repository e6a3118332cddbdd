// Somebody turns Therma itself, or a panel in the vehicle asks it: no frame of the vehicle's node.

import type { SimulatedRig } from "../cli/rig/index.ts";

export function turnTherma(rig: SimulatedRig, celsius: number): void {
  const data = Buffer.alloc(2);
  data.writeInt16BE(celsius * 10);
  const panel = rig.bus.attach({
    name: "panel",
    kind: "module",
    queueLimit: 1,
    receive: () => undefined,
    sent: () => {
      panel.detach();
    },
  });
  panel.send({ id: 0x41, extended: false, data });
}
