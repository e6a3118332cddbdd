// Whether an entity's state is what its codec reads back (rules R2): tests and the simulator ask after every commit of a durable entity.
//
// What the codec refuses is the actor's fault at once (NotCarried); this finds what it would carry in another shape: a getter, a hidden field, a changed object.

import { CellRef, type CodecHost, decodeData, encodeData, ForeignRef } from "../xstate/index.ts";
import { type Entity, HostedEntity } from "./entity.ts";

/** The first place that would read back otherwise, e.g. `acme/pump/p1 context/list/3: …`; undefined when there is none, and for volatile entities. No turn may be open. */
export function readBackProblem(entity: Entity): string | undefined {
  if (!(entity instanceof HostedEntity) || !entity.interior.durable) return undefined;
  const { interior } = entity;
  for (const cell of interior.cells.values()) {
    for (const part of ["context", "output", "error"] as const) {
      const live = cell.snapshot[part];
      if (live === undefined) continue;
      const found = unlike(live, through(live, interior, part), part);
      if (found !== undefined) return `${cell.address} ${found}`;
    }
  }
  return undefined;
}

/** As a store gives it: through the codec and through JSON. */
function through(live: unknown, host: CodecHost, path: string): unknown {
  return decodeData(throughJson(encodeData(live, host, path)), host);
}

/** What JSON makes of it, text by text: a text comes back as it was, and states are mostly texts. */
function throughJson(data: unknown): unknown {
  if (typeof data === "string" || typeof data === "boolean" || data === null) return data;
  if (typeof data === "number") return Number.isFinite(data) ? data + 0 : null;
  if (Array.isArray(data)) return Array.from(data, (item) => throughJson(item) ?? null);
  if (typeof data !== "object" || "toJSON" in data) {
    const text = JSON.stringify(data) as string | undefined;
    return text === undefined ? undefined : JSON.parse(text);
  }
  const read = Object.entries(data).map(([key, value]): readonly [string, unknown] => [key, throughJson(value)]);
  return Object.fromEntries(read.filter(([, value]) => value !== undefined));
}

function unlike(live: unknown, read: unknown, path: string): string | undefined {
  if (Object.is(live, read)) return undefined;
  if (typeof live !== "object" || typeof read !== "object" || live === null || read === null) return `${path}: ${words(live)} reads back as ${words(read)}`;
  if (live instanceof ForeignRef) return read instanceof ForeignRef && live.sessionId === read.sessionId ? undefined : `${path}: the ref ${live.id} reads back as another`;
  if (CellRef.is(live)) return `${path}: the ref ${live.address} reads back as another`;
  if (live instanceof Error) return unlikeError(live, read, path);
  if ("_nodes" in live) return unlike((live as { readonly context?: unknown }).context, (read as { readonly context?: unknown }).context, `${path}/context`);
  if (isBare(live) !== isBare(read)) return `${path}: an object ${isBare(live) ? "without" : "with"} a prototype reads back as one ${isBare(live) ? "with" : "without"}`;
  for (const key of Reflect.ownKeys(live)) {
    if (Array.isArray(live) && key === "length") continue;
    const at = `${path}/${String(key)}`;
    const property = Object.getOwnPropertyDescriptor(live, key) as PropertyDescriptor;
    if (property.get !== undefined) return `${at}: computed by a getter, which reads back as a value`;
    if (!property.enumerable || typeof key === "symbol" || !Object.hasOwn(read, key)) return `${at}: is not read back`;
    const found = unlike(property.value, (read as Readonly<Record<string, unknown>>)[key], at);
    if (found !== undefined) return found;
  }
  const surplus = Object.keys(read).find((key) => !Object.hasOwn(live, key));
  return surplus === undefined ? undefined : `${path}/${surplus}: is read back, and was not there`;
}

/** Its stack is not kept. */
function unlikeError(live: Error, read: object, path: string): string | undefined {
  if (!(read instanceof Error && read.message === live.message && read.name === live.name && Object.getPrototypeOf(read) === Object.getPrototypeOf(live)))
    return `${path}: the error reads back as another`;
  const partsOf = (error: Error): object => Object.fromEntries([...new Set([...Object.keys(error), "cause", "errors"])].flatMap((key) => partOf(error, key)));
  return unlike(partsOf(live), partsOf(read), path);
}

function partOf(error: Error, key: string): readonly (readonly [string, unknown])[] {
  return Object.hasOwn(error, key) ? [[key, (error as unknown as Readonly<Record<string, unknown>>)[key]]] : [];
}

function isBare(value: object): boolean {
  return Object.getPrototypeOf(value) === null;
}

function words(value: unknown): string {
  return typeof value === "object" && value !== null ? "an object" : String(value);
}
