// Where the requests of a vehicle stand in the cloud: `T/requests/V`.

import { type Address, parseAddress } from "../runtime/index.ts";

export function requestsOf(vehicle: Address): Address {
  const [tenant = "", , name = ""] = vehicle.split("/");
  return parseAddress(`${tenant}/requests/${name}`);
}
