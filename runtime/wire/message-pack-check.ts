// Walks MessagePack bytes before anything is built from them, so that what a stranger sends cannot make the decoder allocate, recurse or revive a class.
//
//   lead byte   0x00-7f  80-8f   90-9f    a0-bf   c0   c2-c3  c4-c6  c7-c9  ca-cb  cc-d3  d4-d8   d9-db  dc-dd    de-df  e0-ff
//   meaning     int      map     array    str     nil  bool   bin    ext    float  int    fixext  str    array    map    int
//
// Only one extension passes: msgpackr's `undefined` (d4 00 00). Integers of 64 bits (cf, d3) do not: they would arrive as BigInt, which JSON cannot show; a Drover node
// writes numbers beyond 32 bits as floats. Keys of maps are strings, and none is `__proto__`. Depth is bounded; counts are bounded by the bytes that are there.

const MAX_DEPTH = 64;
const FORBIDDEN_KEY = "__proto__";

/** What is wrong with `bytes` from `start` on, or undefined when exactly one value of plain data stands there. */
export function messagePackProblem(bytes: Uint8Array, start: number): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: number[] = [1];
  const isMap: boolean[] = [false];
  let at = start;
  while (open.length > 0) {
    const left = open[open.length - 1] ?? 0;
    if (left === 0) {
      open.pop();
      isMap.pop();
      continue;
    }
    open[open.length - 1] = left - 1;
    const head = readHead(view, at);
    if (typeof head === "string") return `${head} at byte ${String(at)}`;
    const from = at;
    at += head.bytes;
    if (at > bytes.length || head.items > bytes.length - at) return `ends inside a value at byte ${String(bytes.length)}`;
    // Keys and values take turns, a key first: an even number is left before it.
    if (isMap[isMap.length - 1] === true && left % 2 === 0) {
      if (!isText(bytes[from] ?? 0)) return `a key that is no text at byte ${String(from)}`;
      if (isForbidden(bytes, from, at)) return `the key ${FORBIDDEN_KEY} at byte ${String(from)}`;
    }
    if (head.items > 0) {
      if (open.length > MAX_DEPTH) return `nested deeper than ${String(MAX_DEPTH)}`;
      open.push(head.items);
      isMap.push(isMapLead(bytes[from] ?? 0));
    }
  }
  return at === bytes.length ? undefined : `${String(bytes.length - at)} bytes follow the value`;
}

function isText(lead: number): boolean {
  return (lead >= 0xa0 && lead <= 0xbf) || (lead >= 0xd9 && lead <= 0xdb);
}

function isMapLead(lead: number): boolean {
  return (lead >= 0x80 && lead <= 0x8f) || lead === 0xde || lead === 0xdf;
}

/** Whether the text from its lead byte at `from` to `end` is the key that no data has. */
function isForbidden(bytes: Uint8Array, from: number, end: number): boolean {
  const begin = end - FORBIDDEN_KEY.length;
  if (begin !== from + 1 + lengthWidth(bytes[from] ?? 0)) return false;
  for (let k = 0; k < FORBIDDEN_KEY.length; k++) if (bytes[begin + k] !== FORBIDDEN_KEY.charCodeAt(k)) return false;
  return true;
}

/** Bytes of the value's head with its own content, and how many values stand inside it. */
interface Head {
  readonly bytes: number;
  readonly items: number;
}

const leaf = (bytes: number): Head => ({ bytes, items: 0 });
const FIXED_BYTES: Readonly<Record<number, number>> = { 0xc0: 1, 0xc2: 1, 0xc3: 1, 0xca: 5, 0xcb: 9, 0xcc: 2, 0xcd: 3, 0xce: 5, 0xd0: 2, 0xd1: 3, 0xd2: 5 };

function readHead(view: DataView, at: number): Head | string {
  if (at >= view.byteLength) return "ends where a value is expected";
  const lead = view.getUint8(at);
  if (lead <= 0x7f || lead >= 0xe0) return leaf(1);
  if (lead <= 0x8f) return { bytes: 1, items: (lead & 0x0f) * 2 };
  if (lead <= 0x9f) return { bytes: 1, items: lead & 0x0f };
  if (lead <= 0xbf) return leaf(1 + (lead & 0x1f));
  const fixed = FIXED_BYTES[lead];
  if (fixed !== undefined) return leaf(fixed);
  if (lead === 0xcf || lead === 0xd3) return "an integer of 64 bits";
  if (lead === 0xd4) return at + 3 <= view.byteLength && view.getUint16(at + 1) === 0 ? leaf(3) : "extension";
  const width = lengthWidth(lead);
  if (width === 0) return lead === 0xc1 ? "the byte c1, which MessagePack never uses" : "extension";
  if (at + 1 + width > view.byteLength) return "ends inside a length";
  const length = width === 1 ? view.getUint8(at + 1) : width === 2 ? view.getUint16(at + 1) : view.getUint32(at + 1);
  if (lead >= 0xde) return { bytes: 1 + width, items: length * 2 };
  if (lead >= 0xdc) return { bytes: 1 + width, items: length };
  return leaf(1 + width + length);
}

/** Bytes of the length after the lead byte: bin, str, array, map; 0 for everything else. */
function lengthWidth(lead: number): 0 | 1 | 2 | 4 {
  if (lead === 0xc4 || lead === 0xd9) return 1;
  if (lead === 0xc5 || lead === 0xda || lead === 0xdc || lead === 0xde) return 2;
  if (lead === 0xc6 || lead === 0xdb || lead === 0xdd || lead === 0xdf) return 4;
  return 0;
}
