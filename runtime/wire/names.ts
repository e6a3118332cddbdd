// The names on the bus (design section 7): all of a vehicle under one prefix, so that one credential reaches one subtree, and nodes among themselves under another.
//
//   drover/v1/v/{tenant}/{vehicle}/up/...     written by the vehicle
//   drover/v1/v/{tenant}/{vehicle}/down/...   read by the vehicle
//   drover/v1/v/{tenant}/{vehicle}/live       presence: last value while its link lives
//   drover/v1/n/{node}/...                    nodes of the cloud
//
// Keys are literal, patterns add `*` (exactly one level) and a final `**` (the rest, none included). `@` begins segments of the transports themselves.

import { DroverError } from "../errors.ts";

export const WIRE_ROOT = "drover/v1";
const MAX_LEVELS = 16;
const MAX_BYTES = 512;
const SEGMENT = /^[A-Za-z0-9_.~@%-]+$/;
const PLAIN = /^[A-Za-z0-9_.~-]+$/;

/** Any non-empty text as one segment: other characters become %XX of their UTF-8 bytes. */
export function encodeSegment(raw: string): string {
  if (raw.length === 0) throw new DroverError("DROVER_KEY_INVALID", "a segment of a key is empty");
  if (PLAIN.test(raw)) return raw;
  return Array.from(new TextEncoder().encode(raw), (byte) => {
    const character = String.fromCharCode(byte);
    return byte < 0x80 && PLAIN.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** undefined when `segment` is not what `encodeSegment` makes. */
export function decodeSegment(segment: string): string | undefined {
  if (!segment.includes("%")) return PLAIN.test(segment) ? segment : undefined;
  try {
    const raw = decodeURIComponent(segment);
    return encodeSegment(raw) === segment ? raw : undefined;
  } catch {
    return undefined;
  }
}

function join(root: string, path: readonly string[]): string {
  return path.length === 0 ? root : `${root}/${path.join("/")}`;
}

export interface VehicleNames {
  readonly root: string;
  /** Segments are taken as they are; encode what is not yet a segment. */
  readonly up: (...path: readonly string[]) => string;
  readonly down: (...path: readonly string[]) => string;
  readonly live: string;
}

export function vehicleNames(tenant: string, vehicle: string): VehicleNames {
  const root = `${WIRE_ROOT}/v/${encodeSegment(tenant)}/${encodeSegment(vehicle)}`;
  return { root, up: (...path) => join(`${root}/up`, path), down: (...path) => join(`${root}/down`, path), live: `${root}/live` };
}

/** Patterns over all vehicles, for the cloud. */
export const everyVehicle = {
  up: (...path: readonly string[]): string => join(`${WIRE_ROOT}/v/*/*/up`, path.length === 0 ? ["**"] : path),
  live: `${WIRE_ROOT}/v/*/*/live`,
} as const;

export function nodeName(node: string, ...path: readonly string[]): string {
  return join(`${WIRE_ROOT}/n/${encodeSegment(node)}`, path);
}

export type ParsedName =
  | { readonly kind: "vehicle"; readonly tenant: string; readonly vehicle: string; readonly side: "up" | "down" | "live"; readonly path: readonly string[] }
  | { readonly kind: "node"; readonly node: string; readonly path: readonly string[] };

/** undefined for a key outside this layout. */
export function parseName(key: string): ParsedName | undefined {
  const [product, version, realm, first, second, side, ...path] = key.split("/");
  if (`${product ?? ""}/${version ?? ""}` !== WIRE_ROOT || keyProblem(key) !== undefined) return undefined;
  if (realm === "n") {
    const node = decodeSegment(first ?? "");
    return node === undefined ? undefined : { kind: "node", node, path: [second, side, ...path].filter((segment) => segment !== undefined) };
  }
  const tenant = decodeSegment(first ?? "");
  const vehicle = decodeSegment(second ?? "");
  if (realm !== "v" || tenant === undefined || vehicle === undefined) return undefined;
  if (side === "live") return path.length === 0 ? { kind: "vehicle", tenant, vehicle, side, path } : undefined;
  return side === "up" || side === "down" ? { kind: "vehicle", tenant, vehicle, side, path } : undefined;
}

/**
 * Where the answer to an ask on `askedKey` is sent: a key that the answering side may write and the asking side may read, derived on both sides and never taken from a message,
 * so that nobody can make a node with wide rights write where the asker may not.
 * @param inbox name of the asking node, one segment
 */
export function replyName(askedKey: string, inbox: string): string {
  const name = parseName(askedKey);
  if (name?.kind !== "vehicle") return nodeName(inbox, "@reply");
  const names = vehicleNames(name.tenant, name.vehicle);
  return name.side === "down" ? names.up("@reply", encodeSegment(inbox)) : names.down("@reply", encodeSegment(inbox));
}

/** Whoever serves `key`, in words; all keys of one vehicle's one side are one peer, all keys of one node too. */
export function peerOf(key: string): string {
  const name = parseName(key);
  if (name?.kind === "node") return `node ${name.node}`;
  if (name === undefined) return key;
  const [, , , tenant = "", vehicle = ""] = key.split("/");
  return name.side === "down" ? `vehicle ${tenant}/${vehicle}` : `the cloud of ${tenant}/${vehicle}`;
}

/** Why `key` is no key, or undefined. */
export function keyProblem(key: string): string | undefined {
  return levelsProblem(key, (level) => SEGMENT.test(level));
}

/** Why `pattern` is no pattern, or undefined. */
export function patternProblem(pattern: string): string | undefined {
  return levelsProblem(pattern, (level, last) => level === "*" || (level === "**" && last) || SEGMENT.test(level));
}

function levelsProblem(text: string, fits: (level: string, last: boolean) => boolean): string | undefined {
  if (text.length === 0 || text.length > MAX_BYTES) return `1 to ${String(MAX_BYTES)} characters are expected, there are ${String(text.length)}`;
  const levels = text.split("/");
  if (levels.length > MAX_LEVELS) return `at most ${String(MAX_LEVELS)} levels are expected, there are ${String(levels.length)}`;
  const wrong = levels.find((level, index) => !fits(level, index === levels.length - 1));
  return wrong === undefined ? undefined : `"${wrong.slice(0, 40)}" is no level: [A-Za-z0-9_.~@%-]+, in patterns also * and a final **`;
}

/** Whether `key` is one of `pattern`. Both must be well formed. `a/**` has `a` too. */
export function patternMatches(pattern: string, key: string): boolean {
  if (pattern === key) return true;
  const wanted = pattern.split("/");
  const open = wanted[wanted.length - 1] === "**";
  const levels = key.split("/");
  if (open ? levels.length < wanted.length - 1 : levels.length !== wanted.length) return false;
  return wanted.every((level, index) => level === "**" || level === "*" || level === levels[index]);
}

/** For keys that a caller names: segments that begin with `@` belong to the transports. @throws DROVER_KEY_INVALID */
export function requireKey(key: string): void {
  const problem = keyProblem(key) ?? (isReserved(key) ? "segments that begin with @ belong to the transports" : undefined);
  if (problem !== undefined) throw new DroverError("DROVER_KEY_INVALID", `key "${key.slice(0, 80)}": ${problem}`);
}

/** Has a segment of the transports themselves: never handed to a subscriber. */
export function isReserved(key: string): boolean {
  return key.startsWith("@") || key.includes("/@");
}

/** @throws DROVER_KEY_INVALID */
export function requirePattern(pattern: string): void {
  const problem = patternProblem(pattern) ?? (isReserved(pattern) ? "segments that begin with @ belong to the transports" : undefined);
  if (problem !== undefined) throw new DroverError("DROVER_KEY_INVALID", `pattern "${pattern.slice(0, 80)}": ${problem}`);
}
