// The credential of this node in the folder of those who made it: for the cloud's broker, and for the images that the cloud gives to this vehicle.

import { type NodeCredential, readCredentials } from "../protocols/mqtt/index.ts";
import { DroverError } from "../runtime/ports/index.ts";

/** @param setting of the configuration, for whoever mends it @throws DROVER_CONFIG_INVALID when there is none of this node, or another vehicle's under its name */
export function heldCredential(setting: string, folder: string, node: string, { tenant, vehicle }: { readonly tenant: string; readonly vehicle: string }): NodeCredential {
  const all = readCredentials(folder);
  const held = all.find((credential) => credential.node === node);
  const way = `\`drover enroll ${tenant}/vehicle/${vehicle} --node NAME\` makes one, and \`node: NAME\` in this configuration names it`;
  if (held === undefined) {
    const others = all.length === 0 ? "" : ` (there are those of ${all.map((credential) => credential.node).join(", ")})`.slice(0, 300);
    throw new DroverError("DROVER_CONFIG_INVALID", `${setting}: ${folder} holds no credential of the node ${node}${others}: ${way}`);
  }
  const { reach } = held;
  if (reach.kind === "vehicle" && (reach.tenant !== tenant || reach.vehicle !== vehicle))
    throw new DroverError(
      "DROVER_CONFIG_INVALID",
      `${setting}: the credential of the node ${node} in ${folder} is that of ${reach.tenant}/vehicle/${reach.vehicle}, not of ${tenant}/vehicle/${vehicle}: ${way}`,
    );
  return held;
}
