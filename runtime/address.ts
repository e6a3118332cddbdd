// Addresses: `tenant/type/id`, then `/type/id` for each child. The first three segments name the entity (design section 3).
// Actors that belong to a node live under `@node/<id>/`.

import { DroverError } from "./errors.ts";

declare const addressBrand: unique symbol;
export type Address = string & { readonly [addressBrand]: true };

const SEGMENT = /^[A-Za-z0-9_.~-]{1,128}$/;
const MAX_BYTES = 512;

/** What a node may be called, in its configuration and to the broker. */
export const NODE_NAME = { pattern: "^[A-Za-z0-9_.~-]{1,64}$", title: "a node's name of 1 to 64 letters, digits and _.~-" } as const;

/** Why `text` is not an address, or undefined when it is one. */
export function addressProblem(text: string): string | undefined {
  if (text.length === 0 || text.length > MAX_BYTES) return `an address has 1 to ${String(MAX_BYTES)} characters, this has ${String(text.length)}`;
  const segments = text.split("/");
  const node = segments[0] === "@node";
  const names = node ? segments.slice(1) : segments;
  if (node ? names.length < 1 : names.length < 3 || names.length % 2 === 0) return `expected tenant/type/id followed by pairs of /type/id, got ${String(segments.length)} segments`;
  const bad = names.find((name) => !SEGMENT.test(name) || name === "." || name === "..");
  return bad === undefined ? undefined : `segment "${bad}" is not [A-Za-z0-9_.~-]+ of at most 128 characters`;
}

/** @throws DROVER_ADDRESS_INVALID */
export function parseAddress(text: string): Address {
  const problem = addressProblem(text);
  if (problem !== undefined) throw new DroverError("DROVER_ADDRESS_INVALID", `"${text.slice(0, 80)}": ${problem}`);
  return text as Address;
}

/** The entity an address belongs to: its first three segments. */
export function entityOf(address: Address): Address {
  const first = address.indexOf("/");
  const second = address.indexOf("/", first + 1);
  const third = address.indexOf("/", second + 1);
  return third === -1 ? address : (address.slice(0, third) as Address);
}

/** The last pair's type: `module` for `acme/vehicle/rav4-01/module/torrent-0`. */
export function kindOf(address: Address): string {
  const segments = address.split("/");
  return segments[segments.length - 2] ?? "";
}

/** The last segment. */
export function idOf(address: Address): string {
  return address.slice(address.lastIndexOf("/") + 1);
}

/** @throws DROVER_ADDRESS_INVALID */
export function childAddress(parent: Address, kind: string, id: string): Address {
  return parseAddress(`${parent}/${kind}/${id}`);
}
