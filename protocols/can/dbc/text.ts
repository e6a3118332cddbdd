// Bytes of a DBC file → text, and back. A UTF-8 byte order mark is dropped; valid UTF-8 is UTF-8, anything else Windows-1252 (Vector's default).

/** Windows-1252 for 0x80 to 0x9F; the five unused bytes become U+FFFD. The rest of the page equals Latin-1. */
const CP1252_HIGH =
  "\u20ac\ufffd\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\ufffd\u017d\ufffd\ufffd\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\ufffd\u017e\u0178";
const CHUNK_BYTES = 8_192;

export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return decodeCp1252(bytes);
  }
}

function decodeCp1252(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    const codes = Array.from(bytes.subarray(start, start + CHUNK_BYTES), (byte) => (byte >= 0x80 && byte < 0xa0 ? CP1252_HIGH.charCodeAt(byte - 0x80) : byte));
    parts.push(String.fromCharCode(...codes));
  }
  return parts.join("");
}

/** Undefined where Windows-1252 cannot hold the text, or its bytes would be read as UTF-8. */
export function encodeText(text: string, encoding: "utf-8" | "cp1252"): Uint8Array | undefined {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  const bytes = Uint8Array.from(text, (character) => {
    const high = CP1252_HIGH.indexOf(character);
    return high >= 0 ? 0x80 + high : character.charCodeAt(0);
  });
  return decodeText(bytes) === text ? bytes : undefined;
}
