// Asks and answers over MQTT 3.1.1, which has no correlation of its own: it stands before the payload.
//
//   ask      01 | correlation 16 | within ms 4 (big endian) | n 1 | inbox n | payload
//   answer   01 | status 1       | correlation 16           | payload          status 0 answered, 1 no answer will come

const VERSION = 1;
const CORRELATION_BYTES = 16;
const ASK_HEAD_BYTES = 1 + CORRELATION_BYTES + 4 + 1;
const ANSWER_HEAD_BYTES = 2 + CORRELATION_BYTES;

/** Longest inbox name, bytes of UTF-8. */
export const MAX_INBOX_BYTES = 128;

export interface AskFrame {
  /** 32 lower-case hex digits. */
  readonly correlation: string;
  readonly withinMs: number;
  /** Node whose inbox gets the answer; the key is derived from it, never sent. */
  readonly inbox: string;
  readonly payload: Uint8Array;
}

export interface AnswerFrame {
  readonly correlation: string;
  /** undefined: no answer will come. */
  readonly payload: Uint8Array | undefined;
}

export function encodeAsk(frame: AskFrame): Buffer {
  const inbox = Buffer.from(frame.inbox, "utf8");
  const head = Buffer.alloc(ASK_HEAD_BYTES);
  head[0] = VERSION;
  head.write(frame.correlation, 1, CORRELATION_BYTES, "hex");
  head.writeUInt32BE(Math.min(0xffff_ffff, Math.max(0, Math.ceil(frame.withinMs))), 17);
  head[21] = inbox.length;
  return Buffer.concat([head, inbox, frame.payload]);
}

export function decodeAsk(bytes: Buffer): AskFrame | undefined {
  const inboxBytes = bytes[21];
  if (bytes[0] !== VERSION || inboxBytes === undefined || inboxBytes === 0 || inboxBytes > MAX_INBOX_BYTES || bytes.length < ASK_HEAD_BYTES + inboxBytes) return undefined;
  const end = ASK_HEAD_BYTES + inboxBytes;
  return { correlation: bytes.toString("hex", 1, 17), withinMs: bytes.readUInt32BE(17), inbox: bytes.toString("utf8", ASK_HEAD_BYTES, end), payload: bytes.subarray(end) };
}

export function encodeAnswer(frame: AnswerFrame): Buffer {
  const head = Buffer.alloc(ANSWER_HEAD_BYTES);
  head[0] = VERSION;
  head[1] = frame.payload === undefined ? 1 : 0;
  head.write(frame.correlation, 2, CORRELATION_BYTES, "hex");
  return frame.payload === undefined ? head : Buffer.concat([head, frame.payload]);
}

export function decodeAnswer(bytes: Buffer): AnswerFrame | undefined {
  if (bytes.length < ANSWER_HEAD_BYTES || bytes[0] !== VERSION || (bytes[1] ?? 2) > 1) return undefined;
  return { correlation: bytes.toString("hex", 2, ANSWER_HEAD_BYTES), payload: bytes[1] === 0 ? bytes.subarray(ANSWER_HEAD_BYTES) : undefined };
}
