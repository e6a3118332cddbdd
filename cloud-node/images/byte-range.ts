// The part of an image that a request asks for (RFC 9110 section 14).

export type ByteRange =
  | { readonly kind: "whole" }
  | { readonly kind: "part"; readonly from: number /** The last byte, included. */; readonly to: number }
  | { readonly kind: "unsatisfiable" };

const ONE_RANGE = /^bytes=(\d{0,15})-(\d{0,15})$/;

/**
 * What cannot be read, and more than one range, is the whole image, as the standard allows.
 * @param ifRange the client wants the part of this one alone, and else all of the present one
 */
export function byteRange(range: string | undefined, ifRange: string | undefined, tag: string, bytes: number): ByteRange {
  const [, first, last] = (range === undefined ? null : ONE_RANGE.exec(range.trim())) ?? [];
  if (first === undefined || last === undefined || (first === "" && last === "")) return { kind: "whole" };
  // Compared strongly: a weak tag, and a date, match nothing.
  if (ifRange !== undefined && ifRange.trim() !== tag) return { kind: "whole" };
  if (first === "") return Number(last) === 0 ? { kind: "unsatisfiable" } : { kind: "part", from: Math.max(0, bytes - Number(last)), to: bytes - 1 };
  const from = Number(first);
  if (last !== "" && Number(last) < from) return { kind: "whole" };
  return from >= bytes ? { kind: "unsatisfiable" } : { kind: "part", from, to: last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}
