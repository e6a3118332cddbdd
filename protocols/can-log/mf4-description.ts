// What an ASAM MDF 4 recording says of itself before its data, as far as a bus log needs it. Every block: `##` and two letters, u64 bytes at 8, u64 count of links at 16, links, data; least
// significant byte first.
//
//   ID (64 bytes, "MDF     " or "UnFinMF ")   HD start, ns   DG one stretch of data, bytes of a record's id   CG a kind of record   CN a field of it
//
// Read are logs whose records of all kinds follow each other in one block of data (##DT) behind everything that describes them, as loggers write them, finished or not. Sorted, packed (##DZ) or
// listed data (##DL, ##HL) is not.

import { recordedText } from "./recorded-text.ts";

const ID_BYTES = 64;
const BLOCK_HEAD_BYTES = 24;
const LINK_BYTES = 8;
/** No description of a logger is longer. */
const MAX_DESCRIPTION_BYTES = 256 * 1024;
const MAX_BLOCKS = 2_000;

/** Where in a record a field lies. Bit 0 is the lowest of the first byte. */
export interface Mf4Field {
  readonly byte: number;
  readonly bit: number;
  readonly bits: number;
  /** The data lie in a record of their own. */
  readonly isElsewhere: boolean;
}

export interface Mf4Time {
  readonly byte: number;
  /** Else a whole number. */
  readonly isFloat: boolean;
  /** Seconds of a raw value: offset + raw * factor. */
  readonly factorS: number;
  readonly offsetS: number;
}

export interface Mf4Kind {
  /** `CAN_DataFrame`, `LIN_Frame`, … */
  readonly name: string;
  /** Without its id; undefined where each says its length. */
  readonly recordBytes: number | undefined;
  readonly time: Mf4Time | undefined;
  /** By the last part of their names: ID, DLC, BusChannel, … */
  readonly fields: ReadonlyMap<string, Mf4Field>;
}

export interface Mf4Description {
  readonly startS: number;
  /** Of the id before each record: 1, 2, 4 or 8. */
  readonly idBytes: number;
  readonly kinds: ReadonlyMap<number, Mf4Kind>;
  /** Where the first record begins. */
  readonly dataAt: number;
}

export function isMdf(head: Uint8Array): boolean {
  return /^(?:MDF {5}|UnFinMF )4\./.test(Buffer.from(head.subarray(0, 16)).toString("latin1"));
}

/** @returns `more` while it takes more of the beginning; why it is not read; or what it says */
export function readDescription(head: Uint8Array): Mf4Description | "more" | { readonly problem: string } {
  try {
    return describe(new Blocks(head));
  } catch (thrown) {
    if (thrown === TOO_LITTLE) return head.length < MAX_DESCRIPTION_BYTES ? "more" : { problem: "whose data stand before their description" };
    throw thrown;
  }
}

const TOO_LITTLE = new Error("more of the recording is needed");

interface Block {
  readonly links: readonly number[];
  readonly data: DataView;
}

class Blocks {
  readonly #bytes: Uint8Array;
  #left = MAX_BLOCKS;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Its four letters. */
  idAt(at: number): string {
    this.#require(at, BLOCK_HEAD_BYTES);
    return Buffer.from(this.#bytes.subarray(at, at + 4)).toString("latin1");
  }

  block(at: number, least: number): Block {
    if (this.#left-- === 0) throw TOO_LITTLE;
    this.#require(at, BLOCK_HEAD_BYTES);
    const head = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, BLOCK_HEAD_BYTES);
    const size = Number(head.getBigUint64(8, true));
    const links = Number(head.getBigUint64(16, true));
    const linksEnd = BLOCK_HEAD_BYTES + links * LINK_BYTES;
    if (size > MAX_DESCRIPTION_BYTES || linksEnd > size || size - linksEnd < least) throw TOO_LITTLE;
    this.#require(at, size);
    const view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset + at, size);
    return {
      links: Array.from({ length: links }, (_, index) => Number(view.getBigUint64(BLOCK_HEAD_BYTES + index * LINK_BYTES, true))),
      data: new DataView(view.buffer, view.byteOffset + linksEnd, size - linksEnd),
    };
  }

  /** Of a text block; empty where there is none. */
  text(at: number | undefined): string {
    if (at === undefined || at === 0) return "";
    const { data } = this.block(at, 0);
    return recordedText(new Uint8Array(data.buffer, data.byteOffset, data.byteLength)).replace(/\0.*$/s, "");
  }

  *chain(first: number, least: number): Generator<Block> {
    for (let at = first; at !== 0; ) {
      const block = this.block(at, least);
      yield block;
      at = block.links[0] ?? 0;
    }
  }

  #require(at: number, size: number): void {
    if (!(at + size <= this.#bytes.length)) throw TOO_LITTLE;
  }
}

function describe(blocks: Blocks): Mf4Description | { readonly problem: string } {
  const header = blocks.block(ID_BYTES, 8);
  const groups = [...blocks.chain(header.links[0] ?? 0, 1)];
  const [group] = groups;
  if (group === undefined || groups.length > 1) return { problem: `with ${String(groups.length)} stretches of data` };
  const dataAt = group.links[2] ?? 0;
  if (dataAt === 0) return { problem: "without data" };
  const dataId = blocks.idAt(dataAt);
  if (dataId !== "##DT") return { problem: `whose data are packed or in pieces (${dataId.replace(/[^\x20-\x7e]/g, "?")})` };
  const idBytes = group.data.getUint8(0);
  if (![1, 2, 4].includes(idBytes)) return { problem: "that is sorted by kinds of records" };
  const kinds = new Map<number, Mf4Kind>();
  for (const kind of blocks.chain(group.links[1] ?? 0, 32)) kinds.set(Number(kind.data.getBigUint64(0, true)), kindOf(kind, blocks));
  return { startS: Number(header.data.getBigUint64(0, true)) / 1e9, idBytes, kinds, dataAt: dataAt + BLOCK_HEAD_BYTES };
}

function kindOf({ links, data }: Block, blocks: Blocks): Mf4Kind {
  const fields = new Map<string, Mf4Field>();
  let time: Mf4Time | undefined;
  const walk = (first: number): void => {
    for (const channel of blocks.chain(first, 16)) {
      const [, component = 0, nameAt, , conversion = 0] = channel.links;
      const [type, , dataType, bit] = [0, 1, 2, 3].map((at) => channel.data.getUint8(at));
      const field = { byte: channel.data.getUint32(4, true), bit: bit ?? 0, bits: channel.data.getUint32(8, true), isElsewhere: type === 1 };
      if (type === 2) time = { byte: field.byte, isFloat: dataType === 4, ...scaleOf(conversion, blocks) };
      fields.set(blocks.text(nameAt).replace(/^.*\./, ""), field);
      if (component !== 0) walk(component);
    }
  };
  walk(links[1] ?? 0);
  const isOfAnyLength = (data.getUint16(16, true) & 1) !== 0;
  return { name: blocks.text(links[2]), recordBytes: isOfAnyLength ? undefined : data.getUint32(24, true) + data.getUint32(28, true), time, fields };
}

/** Of a linear conversion; without one raw values are seconds. */
function scaleOf(at: number, blocks: Blocks): Pick<Mf4Time, "factorS" | "offsetS"> {
  if (at === 0) return { factorS: 1, offsetS: 0 };
  const { data } = blocks.block(at, 24);
  if (data.getUint8(0) !== 1 || data.byteLength < 40) return { factorS: 1, offsetS: 0 };
  return { offsetS: data.getFloat64(24, true), factorS: data.getFloat64(32, true) };
}
