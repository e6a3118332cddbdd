// About how many bytes data takes in MessagePack, and never fewer: what a value counts beside its parts (codec.ts, held.ts).

/** Of what stands before a text, a list or an object: at most. */
export const HEADER = 5;
/** Of a number that is no small integer: so much more. */
export const DOUBLE = 4;
/** Of an object with one key that begins with `$`. */
export const TAG = 20;
/** Of a ref beside the address of its cell: names and numbers. */
export const REF = 64;
/** Of an error beside its texts. */
export const ERROR = 40;
/** Of a snapshot beside what it holds. */
export const SNAPSHOT = 128;

const SHORT = 40;

/** Of a text as UTF-8. As many as it has characters: it is ASCII, and so well formed. */
export function textBytes(text: string): number {
  const { length } = text;
  if (length <= SHORT) {
    let bits = 0;
    for (let at = 0; at < length; at++) bits |= text.charCodeAt(at);
    if (bits < 0x80) return length;
  }
  return Buffer.byteLength(text);
}
