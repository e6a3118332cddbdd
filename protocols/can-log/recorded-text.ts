// Text of a recording: UTF-8, or what older tools wrote.

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** UTF-8 where it is that, else Latin-1. */
export function recordedText(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    return Buffer.from(bytes).toString("latin1");
  }
}
