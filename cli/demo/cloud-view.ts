// The vehicles as the cloud tells them to the demo, which asks with the token of the data folder as every command on this machine does.
//
// W1. A token that the cloud does not take is not sent again: each time would count as a failed sign-in, and shut this machine out. Another one in its place is tried.
// W2. Why nothing is known of the vehicles is said, unless the cloud is only starting.

import { apiClient } from "../api/index.ts";
import { type Call, CommandFailure, EXIT } from "../terminal/index.ts";

export interface VehicleItem {
  readonly address: string;
  readonly presence?: unknown;
  readonly state?: unknown;
}

export interface CloudLook {
  /** By address; empty while nothing is known. */
  readonly vehicles: ReadonlyMap<string, VehicleItem>;
  /** Why nobody tells, where somebody has to do something about it. */
  readonly blind?: string;
}

export class CloudView {
  readonly #data: string;
  readonly #call: Pick<Call, "interrupt">;
  #refused: string | undefined;

  constructor(data: string, call: Pick<Call, "interrupt">) {
    this.#data = data;
    this.#call = call;
  }

  /** @param url undefined while the cloud does not listen */
  async look(url: string | undefined): Promise<CloudLook> {
    if (url === undefined) return NOTHING;
    const api = apiClient({ url, data: this.#data }, { env: {}, interrupt: this.#call.interrupt });
    const { token, tokenFile } = api.endpoint;
    if (token === undefined) return { ...NOTHING, blind: `presence is not known here: there is no token in ${tokenFile}; write a valid one into it` };
    if (token === this.#refused) return { ...NOTHING, blind: `presence is not known here: the cloud does not take the token in ${tokenFile}; write a valid one into it` };
    try {
      const { body } = await api.ask<{ readonly items: readonly VehicleItem[] }>("/v1/actors", { query: { kind: "vehicle", limit: 100 }, withinMs: 2_000 });
      return { vehicles: new Map(body.items.map((item) => [item.address, item])) };
    } catch (error) {
      // Else the cloud is starting again; the table goes on.
      if (error instanceof CommandFailure && error.failure.exit === EXIT.auth && error.failure.code !== "too-many-failures") this.#refused = token;
      return NOTHING;
    }
  }
}

const NOTHING: CloudLook = { vehicles: new Map() };
